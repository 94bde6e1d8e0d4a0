"""Names of heads, extractors and baselines, with settings; and anybody's own, as "package.module:Object"."""

from pathlib import Path

import pytest

import own_heads
from hiptbench.baselines import baseline_names, load_baseline
from hiptbench.errors import ExtractorError, HeadError, SchemaError, UnknownNameError
from hiptbench.extractors.base import FeatureExtractor
from hiptbench.heads.base import Head
from hiptbench.heads.knn import KNN
from hiptbench.registry import EXTRACTORS, HEADS, make_extractor, make_head, settings_of
from hiptbench.testing import toy_task
from toys import baseline_file


@pytest.mark.parametrize("name", sorted(HEADS))
def test_every_registered_head_is_one(name: str) -> None:
    head = make_head(name)
    assert isinstance(head, Head)
    assert head.kinds


@pytest.mark.parametrize("name", sorted(EXTRACTORS))
def test_every_registered_extractor_is_one(name: str) -> None:
    assert isinstance(make_extractor(name), FeatureExtractor)


def test_settings_are_checked_and_reported_whole() -> None:
    head = make_head("knn", {"n_neighbors": 7})
    assert head == KNN(n_neighbors=7)
    assert settings_of(head) == {"n_neighbors": 7, "weights": "uniform", "metric": "euclidean"}


@pytest.mark.parametrize("setting", [float("inf"), object()])
def test_settings_that_cannot_be_stored_are_refused(setting: object) -> None:
    head = own_heads.Sampled(metric=setting)  # type: ignore[arg-type]
    with pytest.raises(HeadError, match=r"The settings of Sampled\(.*cannot be stored as JSON"):
        settings_of(head)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no head 'kn'\. Did you mean 'knn'\? What exists: cox, knn, logistic"):
        make_head("kn")
    with pytest.raises(UnknownNameError, match=r"no extractor 'resnet51'.*random"):
        make_extractor("resnet51")
    with pytest.raises(UnknownNameError, match=r"no baseline 'mean_kn'.*Did you mean 'mean_knn'"):
        load_baseline("mean_kn")


@pytest.mark.parametrize("name", ["", ":", ":KNN", "own_heads:", "own heads:KNN", ".own_heads:KNN", "a:b:c"])
def test_what_is_no_name_of_an_object_is_an_unknown_name(name: str) -> None:
    with pytest.raises(UnknownNameError, match="There is no head"):
        make_head(name)


def test_an_unknown_setting_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no setting of the head 'knn' 'neighbors'.*mean 'n_neighbors'"):
        make_head("knn", {"neighbors": 3})


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"n_neighbors": "five"}, "n_neighbors: .*valid integer"),
        ({"n_neighbors": 2.5}, "n_neighbors: .*valid integer"),
        ({"weights": "round"}, "weights: .*'uniform' or 'distance'"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(HeadError, match=f"The head 'knn' refuses its settings: {problem}"):
        make_head("knn", settings)


def test_a_head_of_ones_own_is_found_by_its_place() -> None:
    assert make_head("own_heads:Sampled", {"n_neighbors": 3}) == own_heads.Sampled(n_neighbors=3)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no_such_module:Head", "cannot be imported: No module named 'no_such_module'"),
        ("own_heads:Gone", "cannot be imported: .*no attribute 'Gone'"),
        ("own_heads:NoDataclass", "is not a dataclass; its settings are its fields"),
        ("own_heads:SEEN", "is not a dataclass"),
        ("own_heads:NoHead", "is not a head: it needs kinds, stochastic and fit"),
    ],
)
def test_what_is_no_head_is_refused(name: str, problem: str) -> None:
    with pytest.raises(HeadError, match=problem):
        make_head(name)


def test_what_is_no_extractor_is_refused() -> None:
    with pytest.raises(ExtractorError, match="is not an extractor: it needs name, dim, level and extract"):
        make_extractor("own_heads:NoHead")


def test_a_baseline_is_a_name_a_file_or_a_head(tmp_path: Path) -> None:
    assert {"mean_cox", "mean_knn", "mean_logreg"} <= set(baseline_names())
    assert load_baseline("mean_knn").make_head() == KNN()
    mine = load_baseline(baseline_file(tmp_path, "mine", "knn", n_neighbors=3))
    assert (mine.name, mine.make_head()) == ("mine", KNN(n_neighbors=3))
    bare = load_baseline("own_heads:Slow")
    assert (bare.name, bare.make_head()) == ("Slow", own_heads.Slow())


def test_a_baseline_file_that_breaks_the_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="does not exist"):
        load_baseline(str(tmp_path / "gone.yaml"))
    path = Path(baseline_file(tmp_path, "mine", "knn"))
    path.write_text(path.read_text() + "colour: red\n")
    with pytest.raises(SchemaError, match="breaks the schema of Baseline: colour"):
        load_baseline(str(path))


def test_a_baseline_says_what_it_cannot_be_run_on() -> None:
    knn, cox = load_baseline("mean_knn"), load_baseline("mean_cox")
    subtype, survival = toy_task("classification").spec, toy_task("survival").spec
    assert knn.skip(subtype) is None
    assert cox.skip(survival) is None
    assert knn.skip(survival) == "mean_knn predicts classification, toy_survival is a survival task"
    assert cox.skip(subtype) == "mean_cox predicts survival, toy_classification is a classification task"
