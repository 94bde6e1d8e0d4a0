"""The site as files: every link resolves, nothing is unescaped, and the same data give the same bytes."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from made_data import NASTY, PRINTED, RULE, SUITES, made_data

from hiptbench.errors import StoreError
from hiptbench.report.addresses import page_name
from hiptbench.report.data import ReportData
from hiptbench.report.site import write_site
from hiptbench.report.stored import read_data, write_data
from hiptbench.report.wording import interval, signed
from hiptbench.statistics.wording import p_value

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Document(HTMLParser):
    """What a page holds, and whether its elements are closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.open, self.ids, self.links, self.sources = path, [], [], [], []
        self.tags, self.headings, self.texts = Counter(), [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == [], f"{path}: not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags[tag] += 1
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        self.sources += [values["src"]] if "src" in values else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{self.path}:{self.getpos()}: </{tag}>"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="session")
def documents(site: Path) -> dict[Path, Document]:
    return {path.resolve(): Document(path) for path in site.rglob("*.html")}


def board_in(site: Path) -> dict[str, list]:
    page = (site / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="rows">(.*?)</script>', page, re.DOTALL)[1])


def test_there_is_a_page_for_every_task_and_method(data: ReportData, site: Path) -> None:
    pages = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert {"index.html", "across.html", "tables.html"} <= pages
    assert len(list(site.glob("tasks/*.html"))) == len(data.tasks)
    assert len(list(site.glob("methods/*.html"))) == len({run.method for run in data.runs})


def test_every_link_and_anchor_resolves(site: Path, documents: dict[Path, Document]) -> None:
    for path, document in documents.items():
        for link in [*document.links, *document.sources]:
            if link.startswith("data:"):
                continue
            address, _, anchor = link.partition("#")
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.is_file(), f"{path.name} links to {link}"
            assert target.is_relative_to(site.resolve())
            if anchor:
                assert unquote(anchor) in documents[target].ids, f"{path.name} links to {link}"


def test_every_row_of_the_board_links_to_its_card(
    data: ReportData, site: Path, documents: dict[Path, Document]
) -> None:
    board = board_in(site)
    assert len(board["rows"]) == len(data.runs)
    for row in board["rows"]:
        page = (site / unquote(board["methods"][row[1]]["href"])).resolve()
        assert row[3] in documents[page].ids


def test_rows_of_a_group_share_a_protocol(data: ReportData, site: Path) -> None:
    board, protocols = board_in(site), {run.card: run.protocol_id for run in data.runs}
    assert {board["groups"][row[0]]["id"] == protocols[row[3]] for row in board["rows"]} == {True}
    assert len(board["groups"]) == len(set(protocols.values()))


def test_no_id_stands_twice_and_headings_skip_no_level(documents: dict[Path, Document]) -> None:
    for path, document in documents.items():
        assert [name for name, times in Counter(document.ids).items() if times > 1] == [], path.name
        assert document.headings[0] == 1
        assert document.headings.count(1) == 1
        steps = zip(document.headings, document.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), path.name


def test_pages_need_nothing_from_elsewhere(site: Path, documents: dict[Path, Document]) -> None:
    for path in documents:
        assert not re.search(r'(src|href)="(https?:)?//|url\(', path.read_text(encoding="utf-8")), path.name
    script, style = ((site / "assets" / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    assert not re.search(r"fetch|XMLHttpRequest|import\(|https?://(?!www\.w3\.org)", script)
    assert not re.search(r"@import|url\(", style)


def test_names_are_escaped(documents: dict[Path, Document]) -> None:
    for path, document in documents.items():
        scripts = 2 if path.name == "index.html" else 1  # the page's own, and the rows
        assert document.tags["script"] == scripts, path.name
        assert "<b>" not in path.read_text(encoding="utf-8")
    index = next(document for path, document in documents.items() if path.name == "index.html")
    shown = "\n".join(index.texts)
    assert all(name in shown for name in NASTY)


def test_published_measured_and_synthetic_rows_are_named(site: Path) -> None:
    page = (site / "tasks" / "hipt-2022--tcga_kidney_subtype.html").read_text(encoding="utf-8")
    assert '<tr class="published">' in page
    assert '<tr class="measured">' in page
    assert "only the fold values are published, not the predictions." in page
    simulated = (site / "tasks" / "hipt-2022-synthetic--tcga_kidney_subtype.html").read_text(encoding="utf-8")
    assert "The data are simulated" in simulated
    assert '<tr class="measured">' not in simulated


def test_a_card_tells_where_its_number_comes_from(data: ReportData, site: Path) -> None:
    run = next(run for run in data.runs if run.kind == "measured" and run.groups)
    page = (site / "methods" / f"{page_name(run.features, run.baseline)}.html").read_text(encoding="utf-8")
    card = page[page.index(f'id="{run.card}"') :].split("</section>")[0]
    told = [f"{run.mean:.3f}", data.estimand, "2000 draws, 3 drawn again", "not available: the head gives risk only"]
    told += [run.protocol.cohort, run.protocol.splits]
    told += [
        "2026-11-20 to 2026-11-21",
        "hiptbench results verify",
        "Split linter",
        "Log-rank p .012, descriptive only",
        "<strong>Not evaluable:</strong> not available: the head gives risk only",
        "<p>up to 61.2 months: later, nobody is followed in training</p>",
        "mean over folds, of seed 1 (of 5)",
    ]
    assert [text for text in told if str(text) not in card] == []
    assert all(page.count(text) == 1 for text in (run.provenance.source_hash, "settings.optimiser.decay"))  # shared
    assert all(f"{fold.value:.3f}" in card for fold in run.folds)


def test_after_the_fact_references_are_called_so(site: Path) -> None:
    for page in ("across.html", "tasks/hipt-2022--tcga_luad_survival.html"):
        assert "after the fact" in (site / page).read_text(encoding="utf-8")


def test_tables_link_marks_to_errata_and_our_values_to_cards(site: Path) -> None:
    page = (site / "tables.html").read_text(encoding="utf-8")
    assert '<a href="#erratum-hipt-2022-subtyping-E6">E6?</a>' in page
    assert '<span class="fine">not established</span>' in page
    assert "<dt>Not established</dt>" in page
    assert "Corrected is empty" in page
    assert "Ours is empty" not in page
    assert re.search(r'<a href="methods/[^"]+#card-[0-9a-f]+">0\.\d{3} ± 0\.\d{3}</a>', page)


def test_the_papers_tables_stand_in_its_order(tmp_path: Path) -> None:
    made = made_data(methods=1, most_runs=1)
    names = ["knn", "ablation", "another", "survival", "subtyping"]
    tables = tuple(made.tables[0].model_copy(update={"name": name, "title": f"Title {name}"}) for name in names)
    write_site(made.model_copy(update={"tables": tables}), tmp_path)
    page = (tmp_path / "tables.html").read_text(encoding="utf-8")
    assert re.findall(r'<h2 id="table-\d">Title (\w+)', page) == ["subtyping", "survival", "ablation", "knn", "another"]


def test_published_rows_are_called_as_the_paper_prints_them(site: Path) -> None:
    board = board_in(site)
    assert {"name": PRINTED, "code": "hipt_vit256_patch/DeepAttnMISL (1 epoch)"}.items() <= board["methods"][-1].items()
    task = (site / "tasks" / "hipt-2022--tcga_kidney_subtype.html").read_text(encoding="utf-8")
    assert f'{PRINTED}</a> <span class="code">hipt_vit256_patch/DeepAttnMISL (1 epoch)</span>' in task


def test_errata_are_told_on_the_card(data: ReportData, site: Path) -> None:
    run = next(run for run in data.runs if run.kind == "published")
    page = next(
        text for text in (p.read_text("utf-8") for p in site.glob("methods/*.html")) if f'id="{run.card}"' in text
    )
    assert '<dt><a href="../tables.html#erratum-hipt-2022-subtyping-E6">E6?</a></dt>' in page
    assert "11 of the 118 slides labelled chromophobe are of normal tissue. (presumed)" in page
    assert board_in(site)["errata"]["E5"]["href"] == "tables.html#erratum-hipt-2022-subtyping-E5"


def test_a_card_tells_what_it_was_held_against(data: ReportData, site: Path) -> None:
    family = data.families[0]
    one = family.comparisons[0]
    pages = [path.read_text(encoding="utf-8") for path in site.glob("methods/*.html")]
    card, reference = (
        next(page for page in pages if f'id="{name}"' in page).partition(f'id="{name}"')[2].partition("</section>")[0]
        for name in (one.card, one.reference_card)
    )
    assert f"p {p_value(one.p)}, adjusted {p_value(one.p_adjusted)}: {one.verdict}, after Holm over" in card
    assert f"#{one.reference_card}" in card
    assert "The reference of" in reference


def test_captions_of_comparisons_without_intervals_claim_none(data: ReportData, tmp_path: Path) -> None:
    family = data.families[0]
    bare = tuple(one.model_copy(update={"interval": None, "interval_why": "no"}) for one in family.comparisons)
    families = (family.model_copy(update={"comparisons": bare, "ranks": ()}),)
    write_site(data.model_copy(update={"families": families}), tmp_path / "site")
    page = (tmp_path / "site" / "tasks" / "hipt-2022--tcga_kidney_subtype.html").read_text(encoding="utf-8")
    differences = page[page.index("Differences from the reference") :].split("</section>")[0]
    assert "with 95% intervals" not in differences
    assert "No interval: no." in differences
    across = (tmp_path / "site" / "across.html").read_text(encoding="utf-8")
    assert "95% interval</th>" not in across
    assert "No interval: no." in across


def test_across_tasks_the_mean_difference_has_its_interval(data: ReportData, site: Path) -> None:
    rank = next(rank for family in data.families for rank in family.ranks if rank.interval)
    page = (site / "across.html").read_text(encoding="utf-8")
    assert (
        f'<td class="number">{signed(rank.mean_difference)}</td><td class="number">{interval(rank.interval)}</td>'
        in page
    )


def test_headings_say_how_a_fraction_was_drawn(site: Path) -> None:
    page = (site / "tasks" / "hipt-2022--tcga_kidney_subtype.html").read_text(encoding="utf-8")
    assert f"trained on 25% of the training slides, drawn by {RULE}</h3>" in page
    assert f"25%, drawn by {RULE}" in (site / "across.html").read_text(encoding="utf-8")


def test_the_same_data_give_the_same_bytes(data: ReportData, site: Path, tmp_path: Path) -> None:
    write_data(tmp_path, data)
    (tmp_path / "rows.jsonl").touch()
    write_site(read_data(tmp_path), tmp_path / "again")
    files = [path.relative_to(site) for path in site.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [name for name in files if (site / name).read_bytes() != (tmp_path / "again" / name).read_bytes()] == []


def test_pages_are_told_one_by_one(tmp_path: Path) -> None:
    told: list[Path] = []
    data = made_data(tasks=("tcga_brca_subtype",), suites=SUITES[:1], methods=2, curves=False)
    assert write_site(data, tmp_path / "site", on_page=told.append) == told
    assert told[0] == Path("index.html")


def test_a_report_without_results_is_a_report(tmp_path: Path) -> None:
    empty = ReportData(rows_sha256="", version="0", estimand="what it is", suites=(), tasks=(), runs=())
    assert len(write_site(empty, tmp_path / "site")) == 3


def test_a_task_without_results_and_results_without_a_task(tmp_path: Path) -> None:
    made = made_data(tasks=("tcga_brca_subtype",), suites=SUITES[:1], methods=2, curves=False)
    write_site(made.model_copy(update={"tasks": ()}), tmp_path / "runs")
    assert "hipt_vit4k_region" in (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")
    write_site(made.model_copy(update={"runs": (), "families": (), "tables": ()}), tmp_path / "tasks")
    page = tmp_path / "tasks" / "tasks" / "hipt-2022--tcga_brca_subtype.html"
    assert "No results yet." in page.read_text(encoding="utf-8")


def test_an_earlier_report_is_replaced(tmp_path: Path) -> None:
    few, more = (made_data(tasks=("tcga_brca_subtype",), suites=SUITES[:1], methods=n, curves=False) for n in (1, 3))
    write_site(more, tmp_path / "site")
    write_site(few, tmp_path / "site")
    assert len(list((tmp_path / "site" / "methods").iterdir())) == 2


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match="exists and is no earlier report"):
        write_site(made_data(methods=1, most_runs=1), tmp_path)
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", [*NASTY, "a--b", "A", "..", "", "nul", "%2e", "-"])
def test_page_names_are_file_names_that_every_system_takes(name: str) -> None:
    stem = page_name(name, "abmil")
    assert re.fullmatch(r"[a-z0-9._-]{1,150}", stem)
    assert stem[0] not in ".-"


def test_page_names_are_told_apart() -> None:
    pairs = [
        ("a--b", "c"),
        ("a", "b--c"),
        ("A", "c"),
        ("a", "c"),
        ("a/", "c"),
        ("a ", "c"),
        ("x" * 90, "c"),
        ("x" * 91, "c"),
    ]
    assert len({page_name(*pair) for pair in pairs}) == len(pairs)
