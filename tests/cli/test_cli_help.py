"""Help teaches: every verb has an example, and asking for help costs nothing."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from hiptbench.cli import cli


def _verbs(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _verbs(command, (*path, name))
        else:
            yield (*path, name), command


VERBS = dict(_verbs(cli))


def _examples(help_text: str) -> list[str]:
    return [line.strip() for line in help_text.splitlines() if line.strip().startswith("hiptbench ")]


def test_every_verb_is_there() -> None:
    leaves = {" ".join(path) for path, command in VERBS.items() if not isinstance(command, click.Group)}
    assert leaves == {
        *("data fetch", "data import", "data inspect", "data make", "data pack", "data synth-slides"),
        *("compare", "demo", "extract", "figure", "heatmap", "leaderboard", "lint", "report", "reproduced", "tile"),
        *("results export", "results import-hipt", "results verify", "run", "sync", "table"),
        *("task create", "task list", "task schema", "task show"),
    }


@pytest.mark.parametrize("path", VERBS, ids=lambda path: " ".join(path) or "hiptbench")
def test_help_teaches_with_an_example_of_the_verb(hiptbench: Callable, path: tuple[str, ...]) -> None:
    done = hiptbench(*path, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    examples = _examples(done.stdout)
    assert any(example.startswith(" ".join(("hiptbench", *path))) for example in examples), done.stdout


@pytest.mark.parametrize("path", VERBS, ids=lambda path: " ".join(path) or "hiptbench")
def test_examples_name_verbs_and_options_that_exist(path: tuple[str, ...]) -> None:
    for example in _examples(VERBS[path].help or ""):
        for part in example.partition("#")[0].split("&&"):
            _check_call(shlex.split(part.partition(">")[0]))


def _check_call(words: list[str]) -> None:
    if words[0] != "hiptbench":
        return  # `cat`, after `&&`
    verb = tuple(words[1:3]) if tuple(words[1:3]) in VERBS else (words[1],)
    assert verb in VERBS, f"no verb in {words}"
    options = {name for parameter in VERBS[verb].params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, words


def test_every_option_says_what_it_is_for() -> None:
    mute = {
        f"{' '.join(path)} {option.opts[0]}"
        for path, command in VERBS.items()
        for option in command.params
        if isinstance(option, click.Option) and not (option.help or isinstance(option.type, click.Choice))
    }
    assert mute == set()


def test_without_a_verb_the_help_is_shown(hiptbench: Callable) -> None:
    done = hiptbench()
    assert done.returncode == 2
    assert "hiptbench demo" in done.stderr


def test_version(hiptbench: Callable) -> None:
    assert hiptbench("--version").stdout.startswith("hiptbench, version 0.")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["task", "create", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom hiptbench.cli import main\n"
        f"sys.argv = ['hiptbench', *{arguments}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'mlflow', 'pandas', 'sklearn', 'sksurv', 'pyarrow', 'matplotlib', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
