"""Get the public checkouts that the tasks are made of: by git, only the folders needed, at pinned commits.

A checkout is blobless, shallow and sparse: one commit, all of its folder listings, and the contents of only
the files that are asked for. Those come in batches, each of which is kept, so that a fetch that was cut off
goes on from there. The bytes on disk are those in the repository: no filter (Git LFS), line-end conversion or
hook takes part.
"""

import dataclasses
import fcntl
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from hiptbench.errors import SourceError
from hiptbench.files import write_text

GITHUB = "https://github.com"
OLDEST_GIT = (2, 25)

_FETCH = ("fetch", "--progress", "--no-tags", "--filter=blob:none")
_BATCH = 1000  # files per request: 30 MB of embeddings, and short enough for one command line
_TAIL = 5  # lines of git's own words in an error
_MARK = "# Made by hiptbench, which restores the files below whenever it fetches.\n"
_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding\n"
_SETTINGS = {
    "core.sparseCheckout": "true",
    "core.sparseCheckoutCone": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",  # its daemon, like a background gc, would outlive the call and hold the lock
    "gc.auto": "0",
    "advice.detachedHead": "false",
    "protocol.version": "2",
}
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
# Set inside a git hook, where they would point our commands at the user's repository.
_REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)
_REFUSED = "Nothing in it was changed; move it away or choose another destination."


@dataclass(frozen=True)
class Checkout:
    """Part of one commit of a public repository.

    Args:
        name: The folder it gets inside the destination.
        url: The repository.
        commit: The full hash of the commit.
        patterns: The folders and files wanted, as plain paths from the repository's root.
    """

    name: str
    url: str
    commit: str
    patterns: tuple[str, ...]


_SLIDE_LIBRARY = "3-Self-Supervised-Eval/embeddings_slide_lib/embeddings_slide_lib"

CHECKOUTS = (
    Checkout(
        name="HIPT",
        url=f"{GITHUB}/mahmoodlab/HIPT",
        commit="780fafaed2e5b112bc1ed6e78852af1fe6714342",
        patterns=(
            "2-Weakly-Supervised-Subtyping/dataset_csv",
            "2-Weakly-Supervised-Subtyping/splits",
            "2-Weakly-Supervised-Subtyping/results_cvpr2022_class",
            "2-Weakly-Supervised-Subtyping/results_Issue25",
            "2-Weakly-Supervised-Survival/splits",
            "2-Weakly-Supervised-Survival/results_2022_surv",
            f"{_SLIDE_LIBRARY}/tcga_wsi_labels.csv",
        ),
    ),
    Checkout(
        name="HIPT-embeddings",
        url=f"{GITHUB}/mahmoodlab/HIPT",
        commit="d1afe0fb98f605240fba2f1f952d7cab2d9f789d",  # later commits hold Git LFS pointers instead
        patterns=(f"{_SLIDE_LIBRARY}/vit256mean_tcga_slide_embeddings",),
    ),
    Checkout(
        name="PORPOISE",
        url=f"{GITHUB}/mahmoodlab/PORPOISE",
        commit="3390dc40e15995ba852d7a561faf0e996cf20501",
        patterns=("datasets_csv_mutsig",),
    ),
)


def fetch(
    dest: Path,
    *,
    checkouts: tuple[Checkout, ...] = CHECKOUTS,
    mirror: str | None = None,
    on_line: Callable[[str], None] | None = None,
) -> dict[str, Path]:
    """Bring every checkout to its pinned commit; called again after an interruption, go on where it stopped.

    Args:
        dest: The folder that holds the checkouts, one subfolder each; made if it is missing.
        checkouts: What to fetch.
        mirror: An address that stands in for ``https://github.com``.
        on_line: Called with every line of progress, ours and git's.

    Returns:
        Name -> absolute folder of each checkout.

    Raises:
        SourceError: If git is missing or too old, if a subfolder is something else than such a checkout (it
            is left as it is), if another fetch is at work in ``dest``, or if git fails.
    """
    _require_git()
    dest = dest.absolute()
    with _exclusive(dest) as lock:
        return {
            checkout.name: _fetch_one(
                _Repository(
                    checkout=checkout,
                    folder=dest / checkout.name,
                    url=_mirrored(checkout.url, mirror),
                    lock=lock,
                    say=on_line or _ignore,
                )
            )
            for checkout in checkouts
        }


@dataclass(frozen=True)
class _Repository:
    """A checkout's folder, and git at work in it and nowhere else."""

    checkout: Checkout
    folder: Path
    url: str
    lock: int
    say: Callable[[str], None]

    @property
    def git_dir(self) -> Path:
        return self.folder / ".git"

    @property
    def sparse_file(self) -> Path:
        return self.git_dir / "info" / "sparse-checkout"

    def tell(self, text: str) -> None:
        self.say(f"{self.checkout.name}: {text}")

    def ask(self, *args: str) -> str:
        """Return what a git command prints."""
        done = subprocess.run(
            self._command(args), env=_environment(), capture_output=True, encoding="utf-8", errors="replace"
        )
        if done.returncode:
            raise self._failure(args, done.stderr.splitlines()[-_TAIL:])
        return done.stdout

    def run(self, *args: str) -> None:
        """Run a git command, passing on its lines while it works."""
        tail: deque[str] = deque(maxlen=_TAIL)
        with subprocess.Popen(
            self._command(args),
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=(self.lock,),  # should we be killed, the lock holds until git has ended too
        ) as process:
            for line in process.stdout or ():
                if line.strip() and not line.endswith("-> FETCH_HEAD\n"):  # one such line per file
                    tail.append(line.strip())
                    self.tell(line.strip())
        if process.returncode:
            raise self._failure(args, tail)

    def _command(self, args: tuple[str, ...]) -> list[str]:
        # Both are named so that git never finds a repository that dest happens to lie in.
        return ["git", f"--git-dir={self.git_dir}", f"--work-tree={self.folder}", *args]

    def _failure(self, args: tuple[str, ...], tail: deque[str] | list[str]) -> SourceError:
        words = " | ".join(tail) or "it was killed, or said nothing"
        return SourceError(
            f"git {args[0]} failed for {self.checkout.name} (commit {self.checkout.commit} of {self.url}) in "
            f"{self.folder}: {words}. Check the network and the address and run again to resume; "
            "should the same come back, delete that folder first."
        )


def _fetch_one(repo: _Repository) -> Path:
    if not _exists(repo):
        _create(repo)
    if _is_complete(repo):
        repo.tell(f"already complete at commit {repo.checkout.commit}; nothing to do")
        return repo.folder
    _clear_interrupted(repo)
    write_text(repo.sparse_file, _sparse_text(repo.checkout))
    repo.tell(f"fetching commit {repo.checkout.commit} from {repo.url}")
    repo.run(*_FETCH, "--depth=1", "origin", repo.checkout.commit)
    _fetch_files(repo)
    repo.run("checkout", "--progress", "--force", "--detach", repo.checkout.commit)
    repo.tell(f"complete in {repo.folder}")
    return repo.folder


def _exists(repo: _Repository) -> bool:
    """Return whether the folder is one that we made; refuse one that somebody else made."""
    folder = repo.folder
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not repo.git_dir.is_dir():
        raise SourceError(f"{folder} exists and is not a git repository. {_REFUSED}")
    origin = repo.ask("config", "--file", str(repo.git_dir / "config"), "--default", "", "--get", "remote.origin.url")
    if origin.strip() != repo.url:
        raise SourceError(f"{folder} is a checkout of '{origin.strip()}', not of '{repo.url}'. {_REFUSED}")
    if not (repo.sparse_file.is_file() and repo.sparse_file.read_text(encoding="utf-8").startswith(_MARK)):
        raise SourceError(f"{folder} is a clone of {repo.url} that hiptbench did not make. {_REFUSED}")
    return True


def _create(repo: _Repository) -> None:
    """Make the repository beside its place and move it there, so that it is set up whole or not at all."""
    part = dataclasses.replace(repo, folder=repo.folder.with_name(f".{repo.folder.name}.part"))
    shutil.rmtree(part.folder, ignore_errors=True)
    part.folder.mkdir()
    part.ask("init", "--quiet", "--template=")
    for key, value in {**_SETTINGS, "remote.origin.url": repo.url}.items():
        part.ask("config", key, value)
    write_text(part.git_dir / "info" / "attributes", _ATTRIBUTES)
    write_text(part.sparse_file, _sparse_text(repo.checkout))
    part.folder.rename(repo.folder)


def _is_complete(repo: _Repository) -> bool:
    """Return whether commit, patterns and files are as wanted; files that git does not track do not count."""
    head = repo.ask("rev-list", "--max-count=1", "--all").strip()  # empty before the first checkout
    return (
        head == repo.checkout.commit
        and repo.sparse_file.read_text(encoding="utf-8") == _sparse_text(repo.checkout)
        and not repo.ask("status", "--porcelain", "--untracked-files=no")
    )


def _clear_interrupted(repo: _Repository) -> None:
    """Remove what a killed git leaves behind (nobody else is at work: we hold the lock), and the index.

    Without an index the checkout writes every file anew. With one, a fetch that stops between the writing of
    new patterns and the checkout would look complete to ``git status``.
    """
    git_dir = repo.git_dir
    for left in (*git_dir.glob("*.lock"), *git_dir.glob("objects/pack/tmp_*"), git_dir / "index"):
        left.unlink(missing_ok=True)


def _fetch_files(repo: _Repository) -> None:
    """Fetch the contents of the wanted files that are not here yet, in batches.

    The checkout alone would fetch them too, but in one silent request that, cut off, starts from nothing.
    """
    listed = repo.ask("rev-list", "--objects", "--missing=print", repo.checkout.commit).splitlines()
    missing = {line.removeprefix("?") for line in listed if line.startswith("?")}
    wanted = [blob for blob in _wanted_blobs(repo) if blob in missing]
    for start in range(0, len(wanted), _BATCH):
        repo.tell(f"{len(wanted) - start} files to fetch")
        batch = wanted[start : start + _BATCH]
        repo.run(*_FETCH, "origin", *batch)


def _wanted_blobs(repo: _Repository) -> list[str]:
    """Return the object ids of the files under the patterns, each once."""
    blobs: dict[str, None] = {}
    for pattern in repo.checkout.patterns:
        entries = repo.ask("ls-tree", "-r", "--full-tree", repo.checkout.commit, "--", pattern).splitlines()
        if not entries:
            raise SourceError(
                f"Commit {repo.checkout.commit} of {repo.url} has no '{pattern}'. "
                f"Correct the patterns of the checkout '{repo.checkout.name}'."
            )
        blobs.update((entry.split(maxsplit=3)[2], None) for entry in entries)
    return list(blobs)


def _sparse_text(checkout: Checkout) -> str:
    return _MARK + "".join(f"/{pattern}\n" for pattern in checkout.patterns)


def _mirrored(url: str, mirror: str | None) -> str:
    return mirror.rstrip("/") + url.removeprefix(GITHUB) if mirror and url.startswith(GITHUB) else url


def _ignore(line: str) -> None:
    pass


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _REPOSITORY_VARIABLES}
    return {**kept, **_ENVIRONMENT}


def _require_git() -> None:
    needed = ".".join(map(str, OLDEST_GIT))
    remedy = f"Install git {needed} or newer (https://git-scm.com/downloads) and run again."
    try:
        said = subprocess.run(["git", "--version"], capture_output=True, encoding="utf-8", errors="replace").stdout
    except OSError as error:
        raise SourceError(f"git cannot be run ({error.strerror or error}). {remedy}") from error
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < OLDEST_GIT:
        raise SourceError(f"'{said.strip()}' is too old for sparse partial checkouts. {remedy}")


@contextmanager
def _exclusive(dest: Path) -> Iterator[int]:
    """Hold the destination's lock, which the kernel releases when its holders end, however they end."""
    with _open_lock(dest) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceError(f"Another fetch is at work in {dest}. Wait for its end and run again.") from error
        except OSError as error:
            raise SourceError(f"{dest} cannot be locked: {error.strerror}. Choose a folder on a local disk.") from error
        yield handle.fileno()


def _open_lock(dest: Path) -> TextIO:
    try:
        dest.mkdir(parents=True, exist_ok=True)
        return (dest / ".fetch.lock").open("a", encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"Cannot write in {dest}: {error.strerror or error}. Choose a folder you may write to."
        ) from error
