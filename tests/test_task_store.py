"""Tasks on disk: what is saved reads back the same, and damage is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from hiptbench.errors import SchemaError, StoreError, TaskError, UnknownNameError
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import folder_of, is_imported, known, load_spec, load_task, registered, save_task
from hiptbench.tasks import Task
from hiptbench.testing import toy_task


@pytest.fixture(params=["classification", "survival"])
def task(request: pytest.FixtureRequest) -> Task:
    """A toy task with its hashes, as `task create` makes them."""
    made = toy_task(request.param)
    return replace(made, spec=made.spec.model_copy(update={"hashes": made.hashes}))


@pytest.fixture
def saved(task: Task) -> Path:
    """The folder of a saved toy task."""
    return save_task(task)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_is_saved_reads_back_the_same(task: Task, saved: Path, own_home: Path) -> None:
    assert saved == own_home / "tasks" / task.name
    assert is_imported(task.name)
    again = load_task(task.name)
    assert again.hashes == task.hashes
    assert again.spec == task.spec
    assert (again.units, again.slide_ids, again.splits) == (task.units, task.slide_ids, task.splits)


def test_times_keep_every_bit() -> None:
    task = toy_task("survival")
    save_task(task)
    assert load_task(task.name).target.rows() == task.target.rows()


def test_a_task_that_fails_its_checks_is_not_written_and_the_earlier_stays(task: Task, saved: Path) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    assert set(before) == {"task.yaml", "labels.csv", "splits.csv"}
    with pytest.raises(TaskError, match="these are other data"):
        save_task(replace(task, splits=task.splits[:1]))
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_saving_again_replaces_the_task(task: Task, saved: Path) -> None:
    other = toy_task(task.spec.kind, cases=40, seed=1)
    save_task(other)
    assert load_task(task.name).units == other.units


def test_a_home_that_cannot_be_written(task: Task, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"Cannot write .*/file/tasks/toy_\w+/splits\.csv: Not a directory"):
        save_task(task, tmp_path / "file")


def test_the_home_adds_to_the_registry_and_cannot_shadow_it(task: Task, saved: Path, own_home: Path) -> None:
    assert set(known()) == {*registered(), task.name}
    (own_home / "tasks" / "digits_bags").mkdir()
    (own_home / "tasks" / "digits_bags" / "task.yaml").write_text("name: digits_bags")
    assert known()["digits_bags"] == registered()["digits_bags"]
    assert isinstance(load_spec("digits_bags"), TaskSpec)


def test_an_unknown_task_gets_the_nearest_name(task: Task, saved: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no task 'tcga_lung_subtypes'\. Did you mean 'tcga_lung_subtype'\?"):
        Task.load("tcga_lung_subtypes")
    with pytest.raises(UnknownNameError, match=rf"no task 'toy'\. .*What exists: .*{task.name}"):
        Task.load("toy")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("tcga_lung_subtype", r"Run `hiptbench data import --hipt DIR --porpoise DIR`"),
        ("digits_bags", r"Run `hiptbench data make --task digits_bags`"),
        ("synthetic_lung_subtype", r"Run `hiptbench data make --task synthetic_lung_subtype`"),
    ],
)
def test_a_task_without_data_says_how_to_get_them(name: str, remedy: str, own_home: Path) -> None:
    assert not is_imported(name)
    with pytest.raises(TaskError, match=rf"data of '{name}' are not in {own_home}/tasks/{name}\. {remedy}"):
        load_task(name)


def test_an_own_task_without_labels(task: Task, saved: Path) -> None:
    (saved / "labels.csv").unlink()
    with pytest.raises(TaskError, match=r"not in .*\. Create it again with `hiptbench task create`"):
        load_task(task.name)


def test_an_edited_label_is_found_by_its_hash(saved: Path) -> None:
    survival = saved.name == "toy_survival"
    edit(saved / "labels.csv", *((",1\n", ",0\n") if survival else ("class1", "class0")))
    with pytest.raises(TaskError, match=r"registered with .* but its data have .*: these are other data"):
        load_task(saved.name)


def test_exchanged_labels_are_found_by_their_hash(saved: Path) -> None:
    lines = (saved / "labels.csv").read_text().splitlines()
    first, second = lines[1].split(","), lines[2].split(",")
    lines[1:3] = [",".join(first[:2] + second[2:]), ",".join(second[:2] + first[2:])]
    (saved / "labels.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(TaskError, match=r"The labels of toy_\w+ hash to .* Create it again with `hiptbench task creat"):
        load_task(saved.name)


def test_a_moved_unit_is_found_by_the_splits_hash(task: Task, saved: Path) -> None:
    unit = task.splits[0].train[0]
    edit(saved / "splits.csv", f"0,train,{unit}\n", "")
    with pytest.raises(TaskError, match=r"The splits of toy_\w+ hash to"):
        load_task(saved.name)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("labels.csv", b"slide,case\na,b\n", "'time_months'"),
        ("labels.csv", b"slide_id,case_id,time_months,event\na,b,soon,1\n", "could not convert string to float"),
        ("labels.csv", b"slide_id,case_id,time_months,event\na,b,1.5\n", "NoneType"),
        ("labels.csv", b"slide_id,case_id,label\n\xff,b,c\n", "utf-8"),
        ("splits.csv", b"fold,part\n0,train\n", "'unit'"),
        ("splits.csv", b"fold,part,unit\nzero,train,a\n", "invalid literal"),
        ("splits.csv", b"fold,part,unit\n0,tune,a\n", "not in tuple"),
        ("splits.csv", None, "No such file"),
    ],
)
def test_a_damaged_file_is_named(saved: Path, file: str, content: bytes | None, why: str) -> None:
    if content is None:
        (saved / file).unlink()
    else:
        (saved / file).write_bytes(content)
    with pytest.raises(TaskError, match=rf"{file} is damaged \(.*{why}.*\)\. Import or create the task again"):
        load_task(saved.name)


@pytest.mark.parametrize("file", ["labels.csv", "splits.csv"])
def test_no_truncation_goes_unseen(saved: Path, file: str) -> None:
    content = (saved / file).read_bytes()
    for length in range(0, len(content) - 1, 53):
        (saved / file).write_bytes(content[:length])
        with pytest.raises(TaskError):
            load_task(saved.name)


def test_a_broken_specification(saved: Path) -> None:
    edit(saved / "task.yaml", "unit: slide", "unit: patient")
    with pytest.raises(SchemaError, match=r"task\.yaml .* unit: Input should be 'slide' or 'case' \(got 'patient'\)"):
        load_task(saved.name)


def test_a_folder_and_its_task_have_one_name(saved: Path) -> None:
    saved.rename(folder_of("renamed"))
    with pytest.raises(TaskError, match=r"renamed/task\.yaml calls itself 'toy_\w+'; folder and name must agree"):
        load_task("renamed")
