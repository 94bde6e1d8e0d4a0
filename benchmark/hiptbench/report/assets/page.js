"use strict";

// Everything in a closed part is part of the printed page.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    addEventListener("afterprint", () => { part.open = false; }, { once: true });
  }
});

if (document.getElementById("rows")) leaderboard(JSON.parse(document.getElementById("rows").textContent));

function leaderboard({ groups, methods, texts, errata, kinds, bar: { width, height, inset }, rows }) {
  const Row = { group: 0, method: 1, kind: 2, card: 3, mean: 4, low: 5, high: 6, sd_folds: 7, sd_seeds: 8,
    verdict: 9, contamination: 10, reproduced: 11, errata: 12, why: 13 };
  const PAGE = 100, NONE = "–";

  const form = document.getElementById("filters"), board = document.getElementById("leaderboard");
  const table = board.querySelector("table"), more = document.getElementById("more"), count = document.getElementById("count");
  const headings = [...table.querySelectorAll("thead th")];
  const buttons = headings.map((heading) => heading.querySelector("button")).filter(Boolean);
  let sorted = { key: "mean", ascending: false }, shown = [], drawn = 0;

  // --- what is shown -------------------------------------------------------------------------------------------------
  const text = (row, column) => (row[column] === null ? null : texts[row[column]]);
  const words = rows.map((row) => {
    const { suite, task, metric, id } = groups[row[Row.group]];
    const own = [Row.verdict, Row.contamination, Row.reproduced, Row.errata].map((column) => text(row, column) ?? "");
    const { name, code } = methods[row[Row.method]];
    return [name, code, suite, task, metric, id, kinds[row[Row.kind]].name, ...own].join("\n").toLowerCase();
  });
  const collator = new Intl.Collator("en", { numeric: true });
  const ranks = (names) => {
    const order = names.map((_, index) => index).sort((a, b) => collator.compare(names[a], names[b]));
    return order.reduce((places, index, place) => { places[index] = place; return places; }, []);
  };
  const byName = ranks(methods.map((method) => method.name)), byText = ranks(texts);
  const ORDERS = { // of groups
    task: (a, b) => collator.compare(a.task, b.task), fraction: (a, b) => a.order - b.order,
    n: (a, b) => b.n - a.n, events: (a, b) => (b.events ?? -1) - (a.events ?? -1),
  };

  function placesOfGroups(order) {
    const indices = groups.map((_, index) => index), by = ORDERS[order];
    if (by) indices.sort((a, b) => by(groups[a], groups[b]) || a - b);
    return indices.reduce((places, index, place) => { places[index] = place; return places; }, []);
  }

  function value(row, key) {
    if (key === "method") return byName[row[Row.method]];
    if (key === "interval") return row[Row.low];
    if (["verdict", "contamination", "reproduced", "errata"].includes(key)) return row[Row[key]] === null ? null : byText[row[Row[key]]];
    return row[Row[key]];
  }

  function compare(a, b) { // what has no value comes last, whichever the direction
    if (a === null || b === null) return (a === null) - (b === null);
    return sorted.ascending ? a - b : b - a;
  }

  function choose() {
    const wanted = Object.fromEntries(new FormData(form));
    const found = wanted.text.trim().toLowerCase().split(/\s+/);
    const fits = (row, index) => {
      const group = groups[row[Row.group]];
      return ["suite", "task", "fraction", "problem"].every((name) => !wanted[name] || group[name] === wanted[name])
        && (!wanted.features || methods[row[Row.method]].features === wanted.features)
        && (!wanted.kind || kinds[row[Row.kind]].name === wanted.kind)
        && found.every((word) => words[index].includes(word));
    };
    const keys = new Map(), places = placesOfGroups(wanted.order);
    shown = rows.filter(fits);
    for (const row of shown) keys.set(row, value(row, sorted.key));
    shown.sort((a, b) => places[a[Row.group]] - places[b[Row.group]]
      || compare(keys.get(a), keys.get(b)) || b[Row.mean] - a[Row.mean]);
    show();
  }

  function remember() { // the address of a filtered board can be handed on
    const set = [...new FormData(form)].filter(([, chosen]) => chosen);
    history.replaceState(null, "", location.pathname + (set.length ? `#${new URLSearchParams(set)}` : ""));
  }

  // --- how it is drawn -----------------------------------------------------------------------------------------------
  function make(name, attributes, ...children) {
    const svg = ["svg", "path", "text"].includes(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, content] of Object.entries(attributes)) made.setAttribute(key, content);
    made.append(...children);
    return made;
  }
  const number = (value) => (value === null ? NONE : value.toFixed(3).replace(/^-(?=.*[1-9])/, "−").replace(/^-/, ""));
  const clip = (words) => (words === null ? NONE : make("span", { class: "clip" }, words));
  const link = (href, words, attributes = {}) => (href ? make("a", { href, ...attributes }, words) : words);
  const at = (group, value) => (inset + (value - group.low) / (group.high - group.low) * (width - 2 * inset)).toFixed(1);
  const bar = (...marks) => make("svg", { class: "bar", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, ...marks);

  function interval(row, group) {
    const marks = [], kind = kinds[row[Row.kind]], middle = height / 2;
    if (group.neutral !== null && group.neutral >= group.low) marks.push(make("path", { class: "neutral", d: `M${at(group, group.neutral)} 0v${height}` }));
    if (row[Row.low] !== null) marks.push(make("path", { class: "span", d: `M${at(group, row[Row.low])} ${middle}H${at(group, row[Row.high])}` }));
    marks.push(make("path", { class: `mark ${kind.name}`, d: `M${at(group, row[Row.mean])} ${middle}${kind.mark}` }));
    const why = `none: ${text(row, Row.why) ?? "not computed"}`;
    const ends = row[Row.low] === null ? make("span", { class: "why" }, why)
      : make("span", { class: "number" }, `${number(row[Row.low])} to ${number(row[Row.high])}`);
    return [bar(...marks), ends];
  }

  function named({ href, name, code }) {
    return [link(href, name), ...(name === code ? [] : [" ", make("span", { class: "code" }, code)])];
  }

  function marked(words) { // each erratum leads to its sentence
    if (words === null) return [NONE];
    return words.split(" ").flatMap((mark) => {
      const known = errata[mark.replace(/\?$/, "")];
      return known ? [make("a", { href: known.href, title: known.sentence }, mark), " "] : [`${mark} `];
    });
  }

  function cell(row, group, key) {
    const method = methods[row[Row.method]], kind = kinds[row[Row.kind]], card = method.href + "#" + encodeURIComponent(row[Row.card]);
    switch (key) {
      case "method": return make("th", { scope: "row" }, ...named(method));
      case "kind": return make("td", {}, make("span", { class: `kind ${kind.name}` }, make("span", { "aria-hidden": "true" }, kind.sign), ` ${kind.name}`));
      case "mean": return make("td", { class: "number" }, link(card, number(row[Row.mean])));
      case "interval": return make("td", { class: "interval" }, ...interval(row, group));
      case "sd_folds": case "sd_seeds": return make("td", { class: "number" }, number(row[Row[key]]));
      case "errata": return make("td", {}, ...marked(text(row, Row.errata)));
      case "card": return make("td", {}, link(card, "card", { "aria-label": `Card of ${method.name} on ${group.task}, ${group.fraction}` }));
      default: return make("td", {}, clip(text(row, Row[key])));
    }
  }

  function heading(group) {
    const ticks = group.ticks.map(([tick, text]) => make("text", { x: at(group, tick), y: height - 6, class: "tick" }, text));
    const marks = make("path", { class: "axis", d: group.ticks.map(([tick]) => `M${at(group, tick)} ${height - 4}v4`).join("") });
    const before = headings.findIndex((one) => one.dataset.column === "interval");
    return make("tr", { class: "group" },
      make("th", { scope: "rowgroup", colspan: before }, link(group.href, group.task), make("span", { class: "fine" }, ` ${group.suite}. ${group.text}. Protocol ${group.id}`)),
      make("td", {}, bar(marks, ...ticks)), make("td", { colspan: headings.length - before - 1 }));
  }

  function drawMore() {
    const keys = headings.map((one) => one.dataset.column);
    let body = drawn ? table.tBodies[table.tBodies.length - 1] : null;
    for (const row of shown.slice(drawn, drawn + PAGE)) {
      const index = row[Row.group], group = groups[index];
      if (body?.dataset.group !== String(index)) {
        body = make("tbody", { "data-group": index }, heading(group));
        table.append(body);
      }
      body.append(make("tr", { class: kinds[row[Row.kind]].name }, ...keys.map((key) => cell(row, group, key))));
    }
    drawn = Math.min(shown.length, drawn + PAGE);
    const own = new Set(shown.map((row) => row[Row.group])).size;
    count.textContent = shown.length
      ? `Showing ${drawn} of ${shown.length} rows (${rows.length} in all), in ${own} ${own === 1 ? "group" : "groups"} of comparable numbers.`
      : `No row fits these filters (${rows.length} in all).`;
    more.hidden = drawn === shown.length;
  }

  function show() {
    for (const body of [...table.tBodies]) body.remove();
    drawn = 0;
    for (const button of buttons) {
      const direction = button.dataset.key === sorted.key ? (sorted.ascending ? "ascending" : "descending") : "none";
      button.parentElement.setAttribute("aria-sort", direction);
    }
    drawMore();
  }

  // --- what the reader does ------------------------------------------------------------------------------------------
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const { key, first } = button.dataset;
      sorted = { key, ascending: key === sorted.key ? !sorted.ascending : first === "ascending" };
      choose();
    });
  }
  addEventListener("beforeprint", () => { while (drawn < shown.length) drawMore(); });
  const filter = () => { choose(); remember(); };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  more.querySelector("button").addEventListener("click", () => {
    drawMore();
    if (more.hidden) board.focus(); // the button that had the focus is gone
  });
  for (const [name, chosen] of new URLSearchParams(location.hash.slice(1))) {
    const control = form.elements.namedItem(name);
    if (control) control.value = chosen;
  }
  document.getElementById("no-script").hidden = true;
  form.hidden = board.hidden = false;
  choose();
}
