"use strict";

// Everything in a closed part is part of the printed page.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    addEventListener("afterprint", () => { part.open = false; }, { once: true });
  }
});

if (document.getElementById("rows")) leaderboard(JSON.parse(document.getElementById("rows").textContent));

function leaderboard({ groups, methods, texts, rows }) {
  const Row = { group: 0, method: 1, kind: 2, card: 3, mean: 4, low: 5, high: 6, sd_folds: 7, sd_seeds: 8, n: 9, events: 10,
    verdict: 11, contamination: 12, reproduced: 13, errata: 14, why: 15 };
  const KINDS = ["measured", "published", "synthetic"], SIGNS = ["●", "◇", "△"];
  const MARKS = ["m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "m-5 0l5-5l5 5l-5 5Z", "m-5 4h10l-5-9Z"];
  const WIDTH = 130, INSET = 6, PAGE = 100, NONE = "–";
  const SHARED = ["task", "fraction", "n", "events"]; // what a group shares: sorting by it orders the groups

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
    return [methods[row[Row.method]].name, suite, task, metric, id, KINDS[row[Row.kind]], ...own].join("\n").toLowerCase();
  });
  const collator = new Intl.Collator("en", { numeric: true });
  const ranks = (names) => {
    const order = names.map((_, index) => index).sort((a, b) => collator.compare(names[a], names[b]));
    return order.reduce((places, index, place) => { places[index] = place; return places; }, []);
  };
  const byName = ranks(methods.map((method) => method.name)), byText = ranks(texts), byTask = ranks(groups.map((group) => group.task));

  function value(row, key) {
    if (key === "method") return byName[row[Row.method]];
    if (key === "task") return byTask[row[Row.group]];
    if (key === "fraction") return groups[row[Row.group]].order;
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
        && (!wanted.kind || KINDS[row[Row.kind]] === wanted.kind)
        && found.every((word) => words[index].includes(word));
    };
    const shared = SHARED.includes(sorted.key), keys = new Map();
    shown = rows.filter(fits);
    for (const row of shown) keys.set(row, value(row, sorted.key));
    const first = new Map(); // of a shared column, the value by which a group is placed
    if (shared) for (const row of shown) if (keys.get(row) !== null) first.set(row[Row.group], keys.get(row));
    const place = (row) => first.get(row[Row.group]) ?? null;
    shown.sort((a, b) => (shared ? compare(place(a), place(b)) : 0) || a[Row.group] - b[Row.group]
      || (shared ? 0 : compare(keys.get(a), keys.get(b))) || b[Row.mean] - a[Row.mean]);
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
  const at = (group, value) => (INSET + (value - group.low) / (group.high - group.low) * (WIDTH - 2 * INSET)).toFixed(1);
  const bar = (...marks) => make("svg", { class: "bar", viewBox: `0 0 ${WIDTH} 18`, width: WIDTH, height: 18, "aria-hidden": "true" }, ...marks);

  function interval(row, group) {
    const marks = [];
    if (group.neutral !== null && group.neutral >= group.low) marks.push(make("path", { class: "neutral", d: `M${at(group, group.neutral)} 0v18` }));
    if (row[Row.low] !== null) marks.push(make("path", { class: "span", d: `M${at(group, row[Row.low])} 9H${at(group, row[Row.high])}` }));
    marks.push(make("path", { class: `mark ${KINDS[row[Row.kind]]}`, d: `M${at(group, row[Row.mean])} 9${MARKS[row[Row.kind]]}` }));
    const ends = row[Row.low] === null ? clip(`none: ${text(row, Row.why) ?? "not computed"}`) : `${number(row[Row.low])} to ${number(row[Row.high])}`;
    return [bar(...marks), make("span", { class: "number" }, ends)];
  }

  function cell(row, group, key) {
    const method = methods[row[Row.method]], card = method.href + "#" + encodeURIComponent(row[Row.card]);
    switch (key) {
      case "method": return make("th", { scope: "row" }, link(method.href, method.name));
      case "kind": return make("td", {}, make("span", { class: `kind ${KINDS[row[Row.kind]]}` }, make("span", { "aria-hidden": "true" }, SIGNS[row[Row.kind]]), ` ${KINDS[row[Row.kind]]}`));
      case "task": return make("td", {}, group.task);
      case "fraction": return make("td", { class: "number" }, group.fraction);
      case "mean": return make("td", { class: "number" }, link(card, number(row[Row.mean])));
      case "interval": return make("td", { class: "interval" }, ...interval(row, group));
      case "sd_folds": case "sd_seeds": return make("td", { class: "number" }, number(row[Row[key]]));
      case "n": case "events": return make("td", { class: "number" }, String(row[Row[key]] ?? NONE));
      case "card": return make("td", {}, link(card, "card", { "aria-label": `Card of ${method.name} on ${group.task}, ${group.fraction}` }));
      default: return make("td", {}, clip(text(row, Row[key])));
    }
  }

  function heading(group) {
    const ticks = group.ticks.map(([tick, text]) => make("text", { x: at(group, tick), y: 12, class: "tick" }, text));
    const marks = make("path", { class: "axis", d: group.ticks.map(([tick]) => `M${at(group, tick)} 14v4`).join("") });
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
      body.append(make("tr", { class: KINDS[row[Row.kind]] }, ...keys.map((key) => cell(row, group, key))));
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
