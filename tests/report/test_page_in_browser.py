"""The page in a real browser, from files: it works, by mouse and by keyboard, and everybody can read it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from made_data import SUITES, made_data
from playwright.sync_api import Browser, Page, expect

from hiptbench.report.site import write_site

INDEX, ACROSS, TABLES = "index.html", "across.html", "tables.html"
TASK, SURVIVAL = "tasks/hipt-2022--tcga_kidney_subtype.html", "tasks/hipt-2022--tcga_luad_survival.html"
METHOD = "methods/hipt_vit4k_region--max.html"
PAGES = (INDEX, ACROSS, TABLES, TASK, SURVIVAL, METHOD)
EMPTY = "\N{EN DASH}"
ROWS = "#leaderboard tbody tr:not(.group)"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must say nothing on the console and load nothing but files."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    opened, complaints = context.new_page(), []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    opened.on("request", lambda request: complaints.append(request.url) if is_remote(request.url) else None)
    yield opened
    context.close()
    assert complaints == []


def is_remote(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


def means_by_group(page: Page) -> list[list[float]]:
    """Return the means that each group shows, from above."""
    column = "tr:not(.group) td:nth-child(3)"
    return page.eval_on_selector_all(
        "#leaderboard tbody", f"bodies => bodies.map(b => [...b.querySelectorAll('{column}')].map(c => +c.textContent))"
    )


def column(page: Page, heading: str) -> list[str]:
    """Return the texts of a column, from above."""
    headings = page.locator("#leaderboard thead th").all_inner_texts()
    place = 1 + [text.strip() for text in headings].index(heading)
    return [text.strip() for text in page.locator(f"{ROWS} > :nth-child({place})").all_inner_texts()]


def test_chromium_is_the_real_one(browser: Browser) -> None:
    assert int(browser.version.partition(".")[0]) >= 100


@pytest.mark.parametrize("name", PAGES)
def test_pages_load_from_files_without_a_word(page: Page, site: Path, name: str) -> None:
    page.goto((site / name).as_uri())
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_every_link_leads_somewhere(page: Page, site: Path) -> None:
    waiting, seen = [(site / INDEX).as_uri()], set()
    while waiting:
        url = waiting.pop()
        seen.add(url)
        page.goto(url)
        while page.locator("#more").count() and page.locator("#more").is_visible():
            page.locator("#more button").click()
        links = page.eval_on_selector_all("a[href]", "links => links.map(one => one.href)")
        for link in set(links):
            address, _, anchor = link.partition("#")
            assert Path(page.evaluate("link => decodeURIComponent(new URL(link).pathname)", link)).is_file(), link
            if anchor and address == url:
                assert page.evaluate("name => document.getElementById(decodeURIComponent(name)) !== null", anchor), link
            if address not in seen and address not in waiting:
                waiting.append(address)
    assert len(seen) == len(list(site.rglob("*.html")))


def test_a_number_leads_to_its_card(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    row = page.locator(ROWS).first
    mean, method = row.locator("td").nth(1).inner_text(), row.locator("th").inner_text()
    row.get_by_role("link", name="Card of").click()
    card = page.locator(":target")
    expect(card).to_be_in_viewport()
    expect(card.locator(".score strong")).to_have_text(mean)
    assert page.title().startswith(method)


def test_a_number_is_the_same_on_every_page(page: Page, tmp_path: Path) -> None:
    made = made_data(tasks=("tcga_kidney_subtype",), suites=SUITES[:1], methods=7, curves=False)
    means = (0.6795025, 0.8125, 0.9375, 0.4999995)  # a tie has no nearest thousandth
    runs = [run.model_copy(update={"mean": mean}) for run, mean in zip(made.runs, means, strict=False)]
    write_site(made.model_copy(update={"runs": (*runs, *made.runs[len(runs) :])}), tmp_path)
    page.goto((tmp_path / INDEX).as_uri())
    keys = "[...row.querySelectorAll('.number')].map(one => one.textContent)"
    shown = page.eval_on_selector_all(
        ROWS, f"rows => rows.map(row => [row.querySelector('a[href*=card]').href, {keys}])"
    )
    assert len(shown) == len(made.runs)
    for href, numbers in shown:
        page.goto(href)
        card = page.locator(":target")
        expect(card.locator(".score strong")).to_have_text(numbers[0])
        told = card.locator(".score").inner_text() + card.locator("dl").first.inner_text()
        assert all(text in told for text in numbers if text != EMPTY), href
    page.goto((tmp_path / TASK).as_uri())
    on_task = page.eval_on_selector_all(".forest td.number a", "links => links.map(one => [one.href, one.textContent])")
    assert {(href, numbers[0]) for href, numbers in shown} <= {tuple(pair) for pair in on_task}


def test_sorting_orders_rows_inside_their_group(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    mean = page.get_by_role("columnheader", name="Mean")
    expect(mean).to_have_attribute("aria-sort", "descending")
    assert all(values == sorted(values, reverse=True) for values in means_by_group(page))
    groups = page.locator("tr.group th").all_inner_texts()
    mean.get_by_role("button").click()
    expect(mean).to_have_attribute("aria-sort", "ascending")
    rising = means_by_group(page)
    assert all(values == sorted(values) for values in rising)
    assert max(map(len, rising)) > 2
    assert page.locator("tr.group th").all_inner_texts()[:3] == groups[:3]  # groups are never ordered by their numbers
    expect(page.locator('#leaderboard th[aria-sort]:not([aria-sort="none"])')).to_have_count(1)


def test_groups_are_ordered_by_what_they_share(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    order = page.get_by_label("Order of groups")
    order.select_option("task")
    tasks = page.locator("tr.group th a").all_inner_texts()
    assert tasks == sorted(tasks)
    assert len(set(tasks)) == 2
    order.select_option("fraction")
    shares = [text.count("whole") for text in page.locator("tr.group th .fine").all_inner_texts()]
    assert shares == sorted(shares)
    assert set(shares) == {0, 1}
    order.select_option("n")
    units = [int(re.search(r"(\d+) (slide|case)s", text)[1]) for text in page.locator("tr.group th").all_inner_texts()]
    assert units == sorted(units, reverse=True)
    assert len(set(units)) == 2
    order.select_option("events")
    timed = ["events" in text for text in page.locator("tr.group th").all_inner_texts()]
    assert timed == sorted(timed, reverse=True)


@pytest.mark.parametrize("key", ["kind", "interval", "sd_folds", "sd_seeds", "verdict"])
def test_a_column_sorts_both_ways_with_empty_cells_last(page: Page, site: Path, key: str) -> None:
    page.goto((site / INDEX).as_uri())
    page.get_by_label("Suite").select_option("hipt-2022")
    button = page.locator(f'#leaderboard button[data-key="{key}"]')
    orders = []
    for _ in range(2):
        button.click()
        shown = column(page, button.inner_text().strip())
        groups = [shown[start : start + 8] for start in range(0, len(shown), 8)]
        assert len(groups) == 3
        orders.append([order_of(group) for group in groups])
    assert all({*both} == {"ascending", "descending"} for both in zip(*orders, strict=True))


def order_of(shown: list[str]) -> str:
    """Return how a group's cells are ordered, once it is clear that empty ones come last."""
    empty = [text == EMPTY or text.startswith("none:") for text in shown]
    assert empty == sorted(empty)
    values = [sort_key(text) for text, none in zip(shown, empty, strict=True) if not none]
    if values == sorted(values):
        return "ascending"
    assert values == sorted(values, reverse=True)
    return "descending"


def sort_key(text: str) -> float | str:
    number = text.partition(" to ")[0]
    return float(number) if number.replace(".", "").isdigit() else text.lstrip("●◇△ ").lower()


def test_filters_narrow_what_is_shown_and_say_so(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    count = page.get_by_role("status")
    expect(count).to_contain_text("of 45 rows (45 in all)")
    page.get_by_label("Suite").select_option("hipt-2022-synthetic")
    page.get_by_label("Kind of task").select_option("survival")
    expect(count).to_have_text("Showing 7 of 7 rows (45 in all), in 1 group of comparable numbers.")
    assert set(column(page, "Result")) == {"△ synthetic"}
    page.get_by_label("Kind of task").select_option("classification")
    page.get_by_label("Trained on").select_option("25%")
    assert all("trained on 25% of the training slides" in text for text in page.locator("tr.group").all_inner_texts())
    page.get_by_role("button", name="Clear filters").click()
    expect(count).to_contain_text("of 45 rows")
    page.get_by_label("Result").select_option("published")
    expect(page.locator(ROWS)).to_have_count(3)
    page.get_by_label("Text").fill("LUAD deepattn")
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_label("Text").fill("nothing is called like this")
    expect(count).to_have_text("No row fits these filters (45 in all).")


def test_a_filtered_board_has_an_address(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    page.get_by_label("Task", exact=True).select_option("tcga_kidney_subtype")
    page.get_by_label("Text").fill("it's & \"q")
    shown = page.locator(ROWS).count()
    assert shown
    page.reload()
    expect(page.get_by_label("Text")).to_have_value("it's & \"q")
    expect(page.locator(ROWS)).to_have_count(shown)


def test_names_are_text_and_nothing_else(page: Page, site: Path) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    page.goto((site / INDEX).as_uri())
    link = page.locator(ROWS).get_by_role("link", name="<script>").first
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text('<script>alert("1")</script>')


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(page: Page, site: Path, name: str) -> None:
    page.goto((site / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, runOnly=["color-contrast"]) == []  # nothing else depends on the colours


def violations(page: Page, **options: Any) -> list[tuple[str, str, list[str]]]:
    """Return what axe-core finds wrong, with some of the places."""
    # Without preload: axe would read the style sheet by a request, which a page from a file may not make.
    found = Axe().run(page, options={"preload": False, **options}).response["violations"]
    return [(one["id"], one["help"], [node["html"] for node in one["nodes"][:3]]) for one in found]


def test_dark_and_light_differ(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    papers = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(papers) == 2


def test_the_board_works_by_keyboard_alone(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    press_until(page, 'document.activeElement.name === "suite"')
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Suite")).to_have_value("hipt-2022")
    press_until(page, 'document.activeElement.dataset.key === "method"')
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Method")).to_have_attribute("aria-sort", "ascending")
    press_until(page, 'document.activeElement.getAttribute("aria-label")?.startsWith("Card of")')
    page.keyboard.press("Enter")
    expect(page.locator(":target")).to_be_in_viewport()


def press_until(page: Page, reached: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(reached):
            return
    pytest.fail(f"80 tabs do not lead to {reached}")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_on_a_telephone(page: Page, site: Path, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((site / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_of_the_printed_page(page: Page, site: Path, name: str) -> None:
    landscape = name == INDEX
    width = (297 - 20 if landscape else 210 - 28) * 96 // 25.4  # a sheet less its margins, in CSS pixels
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": int(width), "height": 900})
    page.goto((site / name).as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#more:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_every_row_is_printed(page: Page, large_site: Path) -> None:
    page.goto((large_site / INDEX).as_uri())
    page.get_by_label("Text").fill("abmil_variant_00")
    count = int(re.search(r"of (\d+) rows", page.get_by_role("status").inner_text())[1])
    assert count > 100
    expect(page.locator(ROWS)).to_have_count(100)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(ROWS)).to_have_count(count)


def test_the_board_fits_a_screen(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    board = page.locator("#leaderboard")
    assert board.evaluate("board => board.scrollWidth <= board.clientWidth")
    for why in page.locator(".why").all():
        assert why.evaluate("one => one.scrollHeight <= one.clientHeight && one.scrollWidth <= one.clientWidth")


def test_without_scripts_the_page_says_where_the_numbers_are(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / INDEX).as_uri())
    expect(page.get_by_text("Sorting and filtering need JavaScript")).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("link", name="Renal cell carcinoma").first.click()
    expect(page.locator("table.forest tbody tr").first).to_be_visible()
    context.close()


def test_ten_thousand_rows(page: Page, large_site: Path) -> None:
    page.goto((large_site / INDEX).as_uri())
    count = page.get_by_role("status")
    expect(count).to_contain_text("Showing 100 of 10000 rows")
    print()
    timed(page, "sort by mean", "document.querySelector('button[data-key=mean]').click()")
    assert all(values == sorted(values) for values in means_by_group(page))
    timed(page, "filter by text", "type('knn')")
    expect(count).to_contain_text("(10000 in all)")
    assert all("knn" in method for method in column(page, "Method"))
    timed(page, "clear the text", "type('')")
    timed(page, "sort by method", "document.querySelector('button[data-key=method]').click()")
    expect(page.get_by_role("columnheader", name="Method")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(ROWS)).to_have_count(100)
    page.get_by_role("button", name="Show 100 more rows").click()
    expect(page.locator(ROWS)).to_have_count(200)


def timed(page: Page, what: str, script: str) -> None:
    """Do something, and print the time until the page is laid out again."""
    milliseconds = page.evaluate(f"""() => {{
        const field = document.getElementById("filter-text");
        const type = text => {{ field.value = text; field.dispatchEvent(new Event("input", {{ bubbles: true }})); }};
        const start = performance.now();
        {script};
        document.body.offsetHeight;
        return performance.now() - start;
    }}""")
    print(f"10,000 rows, {what}: {milliseconds:.0f} ms")
