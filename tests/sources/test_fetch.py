"""Fetching from real git repositories, served over file://."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hiptbench.errors import SourceError
from hiptbench.sources.fetch import CHECKOUTS, Checkout, fetch

REPOSITORY = "mahmoodlab/HIPT"
URL = f"https://github.com/{REPOSITORY}"
MANY = 1005  # more than one batch


@pytest.fixture(autouse=True)
def own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's git configuration out; return the file that stands in for it."""
    config = tmp_path / "gitconfig"
    config.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")
    return config


@pytest.fixture
def mirror(tmp_path: Path) -> str:
    return (tmp_path / "mirror").as_uri()


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with folders to fetch, folders to leave, and files under a Git LFS attribute."""
    repo = tmp_path / "mirror" / REPOSITORY
    repo.mkdir(parents=True)
    git(repo, "init", "--quiet")
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(repo, "config", "uploadpack.allowAnySHA1InWant", "true")
    write(repo, ".gitattributes", "*.pt filter=lfs diff=lfs merge=lfs -text\n")
    write(repo, "splits/fold_0.csv", "train,val\n")
    write(repo, "splits/deep/fold_1.csv", "train,val\r\n")
    write(repo, "labels/one.csv", "slide,label\n")
    write(repo, "labels/two.csv", "not wanted\n")
    write(repo, "weights/large.bin", "never wanted\n")
    write(repo, "embeddings/a.pt", "features of a\n")
    return repo


@pytest.fixture
def checkout(upstream: Path) -> Checkout:
    return Checkout("HIPT", URL, commit(upstream), ("splits", "labels/one.csv"))


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout


def write(repo: Path, name: str, text: str) -> None:
    path = repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def commit(repo: Path) -> str:
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message=change")
    return git(repo, "rev-parse", "HEAD").strip()


def files(folder: Path) -> dict[str, bytes]:
    """Every file outside .git, with its bytes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if ".git" not in path.relative_to(folder).parts
    }


def everything(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Every file, .git included, with its time and bytes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def absent(folder: Path, upstream: Path) -> set[str]:
    """The paths at HEAD whose contents were not downloaded."""
    listed = git(folder, "rev-list", "--objects", "--missing=print", "HEAD").splitlines()
    missing = {line.removeprefix("?") for line in listed if line.startswith("?")}
    head = git(folder, "rev-parse", "HEAD").strip()
    entries = [re.split(r"[ \t]", line, maxsplit=3) for line in git(upstream, "ls-tree", "-r", head).splitlines()]
    return {path for _, _, blob, path in entries if blob in missing}


WANTED = {
    "splits/fold_0.csv": b"train,val\n",
    "splits/deep/fold_1.csv": b"train,val\r\n",
    "labels/one.csv": b"slide,label\n",
}


def test_only_the_wanted_files_are_there_and_downloaded(
    tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str
) -> None:
    folders = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)

    assert folders == {"HIPT": tmp_path / "data" / "HIPT"}
    assert files(folders["HIPT"]) == WANTED
    assert git(folders["HIPT"], "rev-parse", "HEAD").strip() == checkout.commit
    assert absent(folders["HIPT"], upstream) == {"labels/two.csv", "weights/large.bin", "embeddings/a.pt"}


def test_history_is_not_downloaded(tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str) -> None:
    write(upstream, "splits/fold_0.csv", "train,val,test\n")
    newer = Checkout("HIPT", URL, commit(upstream), checkout.patterns)

    folder = fetch(tmp_path / "data", checkouts=(newer,), mirror=mirror)["HIPT"]

    assert git(folder, "rev-list", "--count", "HEAD").strip() == "1"


def test_two_commits_of_one_repository_lie_side_by_side(
    tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str
) -> None:
    write(upstream, "splits/fold_0.csv", "changed later\n")
    git(upstream, "rm", "--quiet", "-r", "embeddings")
    newer = Checkout("newer", URL, commit(upstream), ("splits",))
    older = Checkout("older", URL, checkout.commit, ("embeddings",))

    folders = fetch(tmp_path / "data", checkouts=(newer, older), mirror=mirror)

    assert files(folders["newer"])["splits/fold_0.csv"] == b"changed later\n"
    assert files(folders["older"]) == {"embeddings/a.pt": b"features of a\n"}


def test_a_relative_destination_gives_absolute_folders(
    tmp_path: Path, checkout: Checkout, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fetch(Path("data"), checkouts=(checkout,), mirror=mirror + "/") == {"HIPT": tmp_path / "data" / "HIPT"}


def test_an_empty_folder_is_used(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    (tmp_path / "data" / "HIPT").mkdir(parents=True)
    assert files(fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]) == WANTED


def test_lines_of_progress_are_passed_on(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    lines: list[str] = []
    fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror, on_line=lines.append)

    assert lines[0] == f"HIPT: fetching commit {checkout.commit} from {mirror}/{REPOSITORY}"
    assert any("Receiving objects: 100%" in line for line in lines)
    assert "HIPT: 3 files to fetch" in lines
    assert lines[-1] == f"HIPT: complete in {tmp_path / 'data' / 'HIPT'}"
    assert not any("\r" in line or "\n" in line or "FETCH_HEAD" in line for line in lines)


def test_a_second_run_does_nothing(tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str) -> None:
    folder = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]
    before = everything(folder)
    upstream.rename(upstream.with_name("offline"))
    lines: list[str] = []

    fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror, on_line=lines.append)

    assert lines == [f"HIPT: already complete at commit {checkout.commit}; nothing to do"]
    assert everything(folder) == before


def test_lost_and_changed_files_are_restored_and_untracked_ones_kept(
    tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str
) -> None:
    folder = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]
    (folder / "splits" / "fold_0.csv").unlink()
    (folder / "labels" / "one.csv").write_text("edited\n")
    (folder / "splits" / "mine.txt").write_text("mine")

    fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)

    assert files(folder) == {**WANTED, "splits/mine.txt": b"mine"}


def test_new_patterns_and_a_new_commit_are_followed(
    tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str
) -> None:
    folder = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]
    wider = Checkout("HIPT", URL, checkout.commit, (*checkout.patterns, "embeddings"))
    fetch(tmp_path / "data", checkouts=(wider,), mirror=mirror)
    assert files(folder)["embeddings/a.pt"] == b"features of a\n"

    write(upstream, "splits/fold_0.csv", "changed later\n")
    newer = Checkout("HIPT", URL, commit(upstream), wider.patterns)
    fetch(tmp_path / "data", checkouts=(newer,), mirror=mirror)
    assert files(folder)["splits/fold_0.csv"] == b"changed later\n"
    assert git(folder, "rev-parse", "HEAD").strip() == newer.commit


KILLED = """
import os, signal, sys
from pathlib import Path
from hiptbench.sources.fetch import Checkout, fetch

dest, mirror, name, url, commit, moment, *patterns = sys.argv[1:]

def on_line(line):
    if moment in line:
        os.kill(os.getpid(), signal.SIGKILL)

fetch(Path(dest), checkouts=(Checkout(name, url, commit, tuple(patterns)),), mirror=mirror, on_line=on_line)
"""


def fetch_killed_at(moment: str, dest: Path, checkout: Checkout, mirror: str) -> None:
    """Fetch in another process that is killed at the first line holding ``moment``."""
    args = [str(dest), mirror, checkout.name, checkout.url, checkout.commit, moment, *checkout.patterns]
    code = subprocess.run([sys.executable, "-c", KILLED, *args], check=False).returncode
    assert code == -signal.SIGKILL, "the process was meant to be killed"


def fetch_when_free(dest: Path, checkout: Checkout, mirror: str, on_line: Callable[[str], None]) -> Path:
    """Fetch as soon as the git that outlived a killed process has ended and released the lock."""
    with (dest / ".fetch.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
    return fetch(dest, checkouts=(checkout,), mirror=mirror, on_line=on_line)[checkout.name]


@pytest.mark.parametrize("moment", ["fetching commit", "Receiving objects", "files to fetch", "HEAD is now"])
def test_a_killed_fetch_is_resumed(tmp_path: Path, checkout: Checkout, mirror: str, moment: str) -> None:
    fetch_killed_at(moment, tmp_path / "data", checkout, mirror)
    assert files(fetch_when_free(tmp_path / "data", checkout, mirror, print)) == WANTED


def test_batches_that_arrived_are_not_fetched_again(tmp_path: Path, upstream: Path, mirror: str) -> None:
    for number in range(MANY):
        write(upstream, f"embeddings/{number}.pt", f"features of {number}\n")
    many = Checkout("HIPT-embeddings", URL, commit(upstream), ("embeddings",))
    fetch_killed_at(": 6 files to fetch", tmp_path / "data", many, mirror)
    lines: list[str] = []

    folder = fetch_when_free(tmp_path / "data", many, mirror, lines.append)

    assert [line for line in lines if "to fetch" in line] == ["HIPT-embeddings: 6 files to fetch"]
    assert files(folder) == {name: data for name, data in files(upstream).items() if name.startswith("embeddings")}


def test_what_a_killed_git_leaves_behind_is_overcome(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    folder = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]
    head = folder / ".git" / "HEAD"
    head.write_text("ref: refs/heads/main\n")  # as before the first checkout
    (folder / ".git" / "index").unlink()
    for name in ("index.lock", "shallow.lock", "HEAD.lock", "config.lock", "objects/pack/tmp_pack_x"):
        (folder / ".git" / name).touch()
    (folder / "splits" / "fold_0.csv").write_text("tra")  # cut off
    (folder / "labels" / "one.csv").unlink()

    fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)

    assert files(folder) == WANTED
    assert git(folder, "status", "--porcelain") == ""
    assert not list((folder / ".git").glob("**/tmp_pack_*"))


def test_a_fetch_killed_between_new_patterns_and_checkout_is_not_complete(
    tmp_path: Path, checkout: Checkout, mirror: str
) -> None:
    fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)
    wider = Checkout("HIPT", URL, checkout.commit, (*checkout.patterns, "embeddings"))
    fetch_killed_at("fetching commit", tmp_path / "data", wider, mirror)

    folder = fetch_when_free(tmp_path / "data", wider, mirror, print)

    assert files(folder) == {**WANTED, "embeddings/a.pt": b"features of a\n"}


def test_a_half_written_file_of_a_new_commit_is_overcome(
    tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str
) -> None:
    folder = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]
    write(upstream, "splits/fold_2.csv", "train,val,test\n")
    newer = Checkout("HIPT", URL, commit(upstream), checkout.patterns)
    write(folder, "splits/fold_2.csv", "tra")

    fetch(tmp_path / "data", checkouts=(newer,), mirror=mirror)

    assert files(folder) == {**WANTED, "splits/fold_2.csv": b"train,val,test\n"}


def test_the_lock_holds_until_git_has_ended_too(
    tmp_path: Path, checkout: Checkout, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, end = shutil.which("git"), tmp_path / "end"
    wait = f"while [ ! -e {end} ]; do sleep 0.05; done"
    write(
        tmp_path,
        "bin/git",
        f'#!/bin/sh\n"{real}" "$@"; code=$?\ncase "$*" in *fetch*) {wait};; esac\nexit $code\n',
    )
    (tmp_path / "bin" / "git").chmod(0o755)
    with monkeypatch.context() as slow:
        slow.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        fetch_killed_at("Receiving objects", tmp_path / "data", checkout, mirror)

    with pytest.raises(SourceError, match="Another fetch is at work"):
        fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)
    end.touch()
    assert files(fetch_when_free(tmp_path / "data", checkout, mirror, print)) == WANTED


def test_a_half_made_repository_is_made_anew(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    part = tmp_path / "data" / ".HIPT.part"
    part.mkdir(parents=True)
    git(part, "init", "--quiet")
    (part / ".git" / "config.lock").touch()

    assert files(fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]) == WANTED
    assert not part.exists()


def test_no_filter_conversion_or_hook_takes_part(tmp_path: Path, upstream: Path, mirror: str, own_git: Path) -> None:
    spoil, hooks = tmp_path / "smudged", tmp_path / "hooks"
    write(hooks, "post-checkout", f"#!/bin/sh\ntouch {tmp_path / 'hooked'}\n")
    (hooks / "post-checkout").chmod(0o755)
    pinned = Checkout("HIPT", URL, commit(upstream), ("splits", "embeddings"))
    own_git.write_text(
        f'[filter "lfs"]\n\tsmudge = touch {spoil}; tr a-z A-Z\n\tclean = touch {spoil}; cat\n'
        "\trequired = true\n"
        f"[core]\n\tautocrlf = true\n\thooksPath = {hooks}\n"
    )
    lines: list[str] = []

    folder = fetch(tmp_path / "data", checkouts=(pinned,), mirror=mirror)["HIPT"]
    fetch(tmp_path / "data", checkouts=(pinned,), mirror=mirror, on_line=lines.append)

    assert files(folder)["embeddings/a.pt"] == b"features of a\n"
    assert files(folder)["splits/fold_0.csv"] == b"train,val\n"
    assert lines == [f"HIPT: already complete at commit {pinned.commit}; nothing to do"]
    assert not spoil.exists()
    assert not (tmp_path / "hooked").exists()


def test_a_repository_around_the_destination_is_left_alone(
    tmp_path: Path, checkout: Checkout, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet")
    before = everything(project)
    with monkeypatch.context() as hook:  # as inside one of its hooks
        hook.chdir(project)
        hook.setenv("GIT_DIR", str(project / ".git"))
        hook.setenv("GIT_INDEX_FILE", str(project / ".git" / "index"))
        folder = fetch(project / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]

    assert files(folder) == WANTED
    after = everything(project)
    assert {path: after[path] for path in after if not path.is_relative_to(project / "data")} == before


def a_plain_folder(folder: Path, upstream: Path) -> None:
    write(folder, "notes.txt", "mine")


def a_file(folder: Path, upstream: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("mine")


def another_repository(folder: Path, upstream: Path) -> None:
    write(folder, "notes.txt", "mine")
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", "https://example.org/other")


def a_repository_of_no_origin(folder: Path, upstream: Path) -> None:
    write(folder, "notes.txt", "mine")
    git(folder, "init", "--quiet")


def a_full_clone(folder: Path, upstream: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    git(folder.parent, "clone", "--quiet", upstream.as_uri(), str(folder))


def a_sparse_clone(folder: Path, upstream: Path) -> None:
    a_full_clone(folder, upstream)
    git(folder, "sparse-checkout", "set", "splits")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (a_plain_folder, "is not a git repository"),
        (a_file, "is not a git repository"),
        (
            another_repository,
            "is a checkout of 'https://example.org/other', not of 'file://.*/mahmoodlab/HIPT'",
        ),
        (a_repository_of_no_origin, "is a checkout of '', not of"),
        (a_full_clone, "is a clone of .* that hiptbench did not make"),
        (a_sparse_clone, "is a clone of .* that hiptbench did not make"),
    ],
)
def test_what_is_not_ours_is_refused_and_untouched(
    tmp_path: Path,
    upstream: Path,
    checkout: Checkout,
    mirror: str,
    make: Callable[[Path, Path], None],
    message: str,
) -> None:
    folder = tmp_path / "data" / "HIPT"
    make(folder, upstream)
    before = everything(folder.parent)

    with pytest.raises(SourceError, match=f"{re.escape(str(folder))} .*{message}.* Nothing in it was changed; move"):
        fetch(folder.parent, checkouts=(checkout,), mirror=mirror)

    after = everything(folder.parent)
    assert {path: after[path] for path in after if path.name != ".fetch.lock"} == before


def test_a_fetch_from_elsewhere_is_refused(tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str) -> None:
    fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)
    with pytest.raises(SourceError, match=f"is a checkout of '{mirror}/{REPOSITORY}', not of 'file:///elsewhere/"):
        fetch(tmp_path / "data", checkouts=(checkout,), mirror="file:///elsewhere")


def test_an_unknown_commit_is_told_in_the_words_of_git(tmp_path: Path, upstream: Path, mirror: str) -> None:
    unknown = Checkout("HIPT", URL, "0123456789" * 4, ("splits",))
    with pytest.raises(
        SourceError,
        match=r"git fetch failed for HIPT \(commit 0123.* of file://.*\) in .*: .*not our ref.* run again",
    ):
        fetch(tmp_path / "data", checkouts=(unknown,), mirror=mirror)


def test_an_address_that_cannot_be_reached_can_be_tried_again(
    tmp_path: Path, upstream: Path, checkout: Checkout, mirror: str
) -> None:
    offline = upstream.rename(upstream.with_name("offline"))
    with pytest.raises(SourceError, match=r"of file://.*/mahmoodlab/HIPT\) .*does not.*run again to resume"):
        fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)

    offline.rename(upstream)
    assert files(fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]) == WANTED


@pytest.mark.parametrize(("name", "message"), [("index", "index file"), ("HEAD", "not a git repository")])
def test_a_damaged_checkout_is_told_with_its_remedy(
    tmp_path: Path, checkout: Checkout, mirror: str, name: str, message: str
) -> None:
    folder = fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)["HIPT"]
    (folder / ".git" / name).write_bytes(b"damaged")
    with pytest.raises(SourceError, match=rf"git .* failed for HIPT .*{message}.* delete that folder first"):
        fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)


def test_a_pattern_that_finds_nothing_is_an_error(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    wrong = Checkout("HIPT", URL, checkout.commit, ("splits", "labels/three.csv"))
    with pytest.raises(SourceError, match=r"has no 'labels/three.csv'\. Correct the patterns of the checkout 'HIPT'"):
        fetch(tmp_path / "data", checkouts=(wrong,), mirror=mirror)


def test_a_second_fetch_at_the_same_time_is_refused(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    refused: list[str] = []

    def again(line: str) -> None:
        if "files to fetch" in line:
            with pytest.raises(SourceError, match=r"Another fetch is at work in .*data\. Wait") as caught:
                fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)
            refused.append(str(caught.value))

    assert files(fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror, on_line=again)["HIPT"]) == WANTED
    assert refused


def test_a_destination_that_cannot_be_written_is_refused(tmp_path: Path, checkout: Checkout, mirror: str) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SourceError, match=r"Cannot write in .*data: .*Choose a folder you may write to"):
        fetch(tmp_path / "data", checkouts=(checkout,), mirror=mirror)


def test_a_missing_git_is_told_with_its_remedy(
    tmp_path: Path, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"git cannot be run \(No such file.*\)\. Install git 2\.25 or newer"):
        fetch(tmp_path / "data", checkouts=(checkout,))


@pytest.mark.parametrize("version", ["git version 2.24.9", "git version 1.30.0", "nonsense"])
def test_an_old_git_is_told_with_its_remedy(
    tmp_path: Path, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    write(tmp_path, "bin/git", f"#!/bin/sh\necho '{version}'\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SourceError, match=rf"'{version}' is too old .* Install git 2\.25 or newer"):
        fetch(tmp_path / "data", checkouts=(checkout,))


def test_the_pinned_checkouts_are_well_formed() -> None:
    assert [checkout.name for checkout in CHECKOUTS] == ["HIPT", "HIPT-embeddings", "PORPOISE"]
    for checkout in CHECKOUTS:
        assert re.fullmatch(r"https://github\.com/mahmoodlab/\w+", checkout.url)
        assert re.fullmatch(r"[0-9a-f]{40}", checkout.commit)
        assert not [pattern for pattern in checkout.patterns if re.search(r"[*?\[\]!#\\ ]|^/|/$", pattern)]


def test_the_pinned_patterns_exist(real_data: Path) -> None:
    for checkout in CHECKOUTS:
        folder = real_data / checkout.name.removesuffix("-embeddings")
        assert [pattern for pattern in checkout.patterns if not (folder / pattern).exists()] == []
