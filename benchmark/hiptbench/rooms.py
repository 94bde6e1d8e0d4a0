"""Where the data rooms (tasks, baselines, published results) and the user's data home are.

The only file that knows. The rooms lie beside the package in a wheel and at the repository root in a checkout, at a
fixed depth: walking up in search of a marker file would find somebody else's project.
"""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent
_WHEEL_ROOMS = _PACKAGE / "_rooms"
_ROOT = _WHEEL_ROOMS if _WHEEL_ROOMS.is_dir() else _PACKAGE.parents[1]

TASKS = _ROOT / "tasks"
SUITES = TASKS / "suites"
BASELINES = _ROOT / "baselines"
PUBLISHED = _ROOT / "results" / "published"


def home(path: str | Path | None = None) -> Path:
    """Return the data home: imported tasks, packed features and the default results store.

    Args:
        path: An explicit home, as from ``--home``. Otherwise ``HIPTBENCH_HOME``, otherwise the platform's folder for
            user data.

    Returns:
        An absolute path; the folder need not exist yet.
    """
    chosen = path or os.environ.get("HIPTBENCH_HOME") or platformdirs.user_data_dir("hiptbench")
    return Path(chosen).expanduser().absolute()


def store(path: str | Path | None = None, *, home_path: str | Path | None = None) -> Path:
    """Return the folder of the results store: ``path``, otherwise ``store`` inside the data home."""
    return Path(path).expanduser().absolute() if path else home(home_path) / "store"
