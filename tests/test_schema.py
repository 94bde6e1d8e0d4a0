"""Schema-checked YAML: what is refused and how, and every file of the registry."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hiptbench import rooms
from hiptbench.baselines import Baseline, baseline_names, load_baseline
from hiptbench.errors import SchemaError, UnknownNameError
from hiptbench.features import FeatureCard
from hiptbench.schema import dump_yaml, read_yaml
from hiptbench.sources.importing import load_published_features
from hiptbench.suites import Suite, load_suite, suite_names, suite_of
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import load_spec, registered

LINES = st.text(st.characters(codec="utf-8", exclude_characters="\x85"), min_size=1)  # NEL: PyYAML reads a blank
KNN = rooms.BASELINES / "mean_knn.yaml"
TASK = rooms.TASKS / "tcga_lung_subtype" / "task.yaml"


def changed(path: Path, folder: Path, **changes: object) -> Path:
    """Write a copy of a YAML file with other top-level values."""
    data = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    (folder / path.name).write_text(yaml.safe_dump(data), encoding="utf-8")
    return folder / path.name


@given(name=LINES, pretrained_on=st.lists(LINES), dim=st.none() | st.integers(1), source=LINES)
def test_what_is_dumped_reads_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, pretrained_on: list[str], dim: int | None, source: str
) -> None:
    card = FeatureCard(name=name, pretrained_on=tuple(pretrained_on), dim=dim, source=source)
    path = tmp_path_factory.mktemp("card") / "card.yaml"
    path.write_bytes(dump_yaml(card).encode())
    assert read_yaml(path, FeatureCard) == card


def test_models_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        FeatureCard(name="a").name = "b"


def test_unknown_keys_are_named_all_at_once(tmp_path: Path) -> None:
    path = changed(KNN, tmp_path, colour="blue", size=3)
    with pytest.raises(SchemaError, match=r"mean_knn\.yaml breaks the schema of Baseline: ") as caught:
        load_baseline(str(path))
    assert "colour: Extra inputs are not permitted (got 'blue')" in str(caught.value)
    assert "size: Extra inputs are not permitted (got 3)" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": 3}, r"title: Input should be a valid string \(got 3\)"),
        ({"kind": "regression"}, r"kind: Input should be 'classification' or 'survival' \(got 'regression'\)"),
        ({"folds": ["ten"]}, r"folds: Input should be a valid dictionary .* \(got \['ten'\]\)"),
        ({"data": {"origin": "elsewhere"}}, r"data: Input tag 'elsewhere' found using 'origin'"),
        ({"data": {"origin": "own", "made_from": 1}}, r"data\.own\.made_from: Input should be a valid string"),
        ({"name": "Lung subtype"}, r"name: String should match pattern .* \(got 'Lung subtype'\)"),
        ({"classes": ["LUAD"]}, r"\(top\): .*lists at least two classes"),
        ({"kind": "survival"}, r"\(top\): .*names its endpoint"),
        ({"title": ["x" * 99]}, r"got \['x{55}\.\.\.\)"),
    ],
)
def test_wrong_values_are_named_with_their_place(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        read_yaml(changed(TASK, tmp_path, **change), TaskSpec)


@pytest.mark.parametrize("change", [{"values": [0.5, 0.0]}, {"values": [25]}, {"values": [0.25]}])
def test_a_suites_fractions_lie_in_0_to_1_and_need_a_rule(tmp_path: Path, change: dict[str, object]) -> None:
    path = changed(rooms.SUITES / "digits.yaml", tmp_path, fractions={"kinds": ["classification"]} | change)
    with pytest.raises(SchemaError, match=r"fractions(\.values\.\d: Input should be |: .* need a rule)"):
        read_yaml(path, Suite)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"\(top\): Input should be a valid dictionary .* \(got None\)"),
        (b"- a\n- b\n", r"\(top\): Input should be a valid dictionary .* \(got \['a', 'b'\]\)"),
        (b"name: [a\n", r"is not valid YAML: .*line 2"),
        (b"name: \xff\n", r"is not valid YAML: .*utf-8"),
        (b"name: 2022-13-45\n", r"is not valid YAML: month must be in 1\.\.12"),
        (b"name: !!python/object/apply:os.getcwd []\n", r"is not valid YAML: could not determine a constructor"),
    ],
)
def test_what_is_no_mapping_or_no_yaml(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "card.yaml").write_bytes(content)
    with pytest.raises(SchemaError, match=rf"(?s)card\.yaml .*{message}"):
        read_yaml(tmp_path / "card.yaml", FeatureCard)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"mine\.yaml does not exist"):
        load_baseline(str(tmp_path / "mine.yaml"))
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(SchemaError, match=r"mine\.yaml cannot be read: Is a directory"):
        load_baseline(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_task(name: str) -> None:
    spec = load_spec(name)
    assert spec.hashes is not None, "a registered task states its hashes"
    assert set(spec.expected.per_class or ()) == set(spec.classes or ())
    assert (spec.expected.events is not None) == (spec.kind == "survival")
    assert spec.synthetic == name.startswith("synthetic_")
    assert suite_of(name).name in suite_names(), "a registered task is in a suite"


@pytest.mark.parametrize("name", suite_names())
def test_every_suite(name: str) -> None:
    suite = load_suite(name)
    assert suite.name == name
    specs = [load_spec(task) for task in suite.tasks]
    assert {spec.kind for spec in specs} <= set(suite.metrics)
    assert {spec.synthetic for spec in specs} == {suite.synthetic}
    assert suite.features is None or {spec.features for spec in specs} == {suite.features}


@pytest.mark.parametrize("name", [path.stem for path in (rooms.TASKS / "features").glob("*.yaml")])
def test_every_published_feature_set(name: str) -> None:
    entry = load_published_features(name)
    assert entry.card.name == name
    assert {load_spec(task).features for task in entry.content_hashes} == {name}
    assert all(len(bytes.fromhex(value)) == 32 for value in entry.content_hashes.values())


@pytest.mark.parametrize("name", baseline_names())
def test_every_baseline(name: str) -> None:
    baseline = load_baseline(name)
    assert baseline.name == name
    assert baseline.make_head().kinds


def test_no_yaml_of_the_rooms_is_left_out() -> None:
    tasks = {path.relative_to(rooms.TASKS).as_posix() for path in rooms.TASKS.rglob("*.yaml")}
    expected = {f"{name}/task.yaml" for name in registered()} | {f"suites/{name}.yaml" for name in suite_names()}
    assert {path for path in tasks if not path.startswith("features/")} == expected
    assert {path.stem for path in rooms.BASELINES.rglob("*.yaml")} == set(baseline_names())


def test_a_task_of_no_suite_is_one_of_its_own() -> None:
    suite = suite_of("my_task")
    assert (suite.name, suite.tasks, suite.fractions_of(load_spec("digits_bags"))) == (
        "own:my_task",
        ("my_task",),
        (1,),
    )


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no suite 'hipt-2023'\. Did you mean 'hipt-2022'\?"):
        load_suite("hipt-2023")
    with pytest.raises(UnknownNameError, match=r"no published feature set 'hipt_vit4k'\. Did you mean 'hipt_vit4k_reg"):
        load_published_features("hipt_vit4k")


def test_the_json_schema_for_editors_is_that_of_the_model() -> None:
    schema = json.loads((rooms.TASKS / "task.schema.json").read_text(encoding="utf-8"))
    assert schema == json.loads(json.dumps(TaskSpec.model_json_schema()))
    assert schema["additionalProperties"] is False
    assert {"name", "kind", "unit", "data", "expected"} <= set(schema["required"])


def test_a_number_with_an_exponent_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    settings = "{weight: 5e-4, other: 1E6, plain: 2.5, text: e-4}"
    path.write_text(f"name: small\ntitle: t\nhead: knn\nsettings: {settings}\nrecipe: r\n")
    assert read_yaml(path, Baseline).settings == {"weight": 5e-4, "other": 1e6, "plain": 2.5, "text": "e-4"}
