"""Where benchmarks work: a temporary folder, the real data if there are any, and homes that several share."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .processes import hiptbench

VARIABLE = "HIPTBENCH_TEST_DATA"
REPOSITORY = Path(__file__).resolve().parents[2]
_REAL = ("tcga_brca_subtype", "tcga_lung_subtype", "tcga_kidney_subtype")
_SYNTHETIC = ("synthetic_brca_subtype", "synthetic_lung_subtype", "synthetic_kidney_subtype")


@dataclass(frozen=True)
class Prepared:
    """A data home with the three subtyping tasks and their features, and what they are."""

    home: Path
    tasks: tuple[str, ...]
    told: str


@dataclass(frozen=True)
class Workspace:
    """The folder that all benchmarks of one invocation work in.

    Attributes:
        folder: A temporary folder.
        real_data: A folder with HIPT/ and PORPOISE/ checkouts, if there is one.
    """

    folder: Path
    real_data: Path | None

    @classmethod
    def here(cls, folder: Path) -> "Workspace":
        """Take the real data from the environment."""
        named = os.environ.get(VARIABLE)
        return cls(folder, Path(named) if named else None)

    def fresh(self) -> Path:
        """Return a new, empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    @cached_property
    def subtyping(self) -> Prepared:
        """The three subtyping tasks: the real ones if there are data, else the simulated ones."""
        home = self.fresh()
        if self.real_data:
            prepare = hiptbench("data", "import", *checkouts(self.real_data), "--home", home)
            prepared = Prepared(home, _REAL, "real data, 2,738 slides")
        else:
            made = [word for task in _SYNTHETIC for word in ("--task", task)]
            prepare = hiptbench("data", "make", *made, "--home", home)
            prepared = Prepared(home, _SYNTHETIC, f"simulated data ({VARIABLE} is not set)")
        subprocess.run(prepare, check=True, capture_output=True, text=True)
        return prepared


def checkouts(real_data: Path) -> tuple[object, ...]:
    """Return the options that name the checkouts in a folder of real data."""
    return ("--hipt", real_data / "HIPT", "--porpoise", real_data / "PORPOISE")
