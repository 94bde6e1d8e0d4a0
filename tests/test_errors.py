"""What every error says, and where the user's data lie."""

import pickle
from pathlib import Path

import pytest

from hiptbench import errors, rooms
from hiptbench.errors import HiptbenchError, UnknownNameError, name_some


def test_an_unknown_name_tells_what_was_asked_for_the_nearest_and_what_exists() -> None:
    error = UnknownNameError("task", "tcga_lung_subtipe", ["tcga_lung_subtype", "digits_bags"])
    assert str(error) == (
        "There is no task 'tcga_lung_subtipe'. Did you mean 'tcga_lung_subtype'? "
        "What exists: digits_bags, tcga_lung_subtype."
    )


def test_an_unknown_name_like_no_other() -> None:
    assert str(UnknownNameError("head", "xyz", ["knn"])) == "There is no head 'xyz'. What exists: knn."
    assert str(UnknownNameError("head", "xyz", [])) == "There is no head 'xyz'. What exists: none."


@pytest.mark.parametrize("error", [UnknownNameError("task", "a", iter(["b"])), errors.TaskError("broken")])
def test_errors_travel_between_processes(error: HiptbenchError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)


def test_all_errors_are_value_errors_of_one_family() -> None:
    classes = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, Exception)]
    assert len(classes) > 10
    assert all(issubclass(item, HiptbenchError) and issubclass(item, ValueError) for item in classes)


def test_names_are_listed_up_to_five() -> None:
    assert name_some(["a", "b"]) == "a, b"
    assert name_some(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_the_home_is_what_is_given_then_the_variable_then_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIPTBENCH_HOME", str(tmp_path / "variable"))
    assert rooms.home(tmp_path / "given") == tmp_path / "given"
    assert rooms.home() == tmp_path / "variable"
    monkeypatch.delenv("HIPTBENCH_HOME")
    assert rooms.home().name == "hiptbench"
    assert rooms.home().is_absolute()


def test_the_store_lies_in_the_home_unless_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert rooms.store(home_path=tmp_path / "home") == tmp_path / "home" / "store"
    assert rooms.store("results", home_path=tmp_path / "home") == tmp_path / "results"
    assert rooms.store("~/results") == Path.home() / "results"
