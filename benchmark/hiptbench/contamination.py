"""Contamination: whether the encoder behind a number was trained on the slides that the number is computed on.

An encoder that has seen the evaluated slides, even without labels, may do better on them than on new patients. What it
was trained on stands in its features' card (``pretrained_on``), which lists what was used and nothing else; where the
slides come from follows from the task.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Literal

from hiptbench.errors import UnknownNameError
from hiptbench.sources.barcodes import patient
from hiptbench.task_spec import CheckoutData, OwnData, TaskSpec
from hiptbench.task_store import load_spec, registered

State = Literal["yes", "same programme", "none known", "unknown"]
Collections = tuple[str, ...]
"""Collections of slides as "PROGRAMME-PROJECT" (TCGA-BRCA), or programmes as a whole (TCGA)."""

NOTHING = "nothing"
"""What a card lists under ``pretrained_on`` where nothing was trained, as with clinical data."""

_SILENT_ENCODER = "the encoder does not say what it was trained on"
_SILENT_TASK = "the task does not say where its slides come from"

# The projects of TCGA in the GDC, https://portal.gdc.cancer.gov/projects.
_PROJECTS = frozenset(
    re.findall(
        r"\w+",
        "acc blca brca cesc chol coad dlbc esca gbm hnsc kich kirc kirp laml lgg lihc luad lusc meso ov paad pcpg prad "
        "read sarc skcm stad tgct thca thym ucec ucs uvm",
    )
)
_LEFT_OUT = frozenset({"without", "no", "not", "non", "except", "excluding", "excl", "minus"})

# The first words of the label tables' names. Of colon and rectum, lung and kidney they hold several projects.
_LABEL_TABLES: Mapping[str, Collections] = {
    "tcga_brca": ("TCGA-BRCA",),
    "tcga_coadread": ("TCGA-COAD", "TCGA-READ"),
    "tcga_kidney": ("TCGA-KICH", "TCGA-KIRC", "TCGA-KIRP"),
    "tcga_kirc": ("TCGA-KIRC",),
    "tcga_kirp": ("TCGA-KIRP",),
    "tcga_luad": ("TCGA-LUAD",),
    "tcga_lung": ("TCGA-LUAD", "TCGA-LUSC"),
    "tcga_stad": ("TCGA-STAD",),
}

# The authors' patch features are published as numbers computed from them, so tasks/features has no card of them.
# Source: Chen et al., CVPR 2022: pretrained on 10,678 slides of 33 cancer types from TCGA.
_WITHOUT_CARD: Mapping[str, Collections] = {"hipt_vit256_patch": ("TCGA",)}


@dataclass(frozen=True)
class Contamination:
    """Whether an encoder was trained on a task's slides.

    Attributes:
        state: "yes": on a collection that holds slides of the task. "same programme": on another part of the programme,
            or a part of it where the task names no part: other slides perhaps, but of the same sites and scanners.
            "none known": on neither, as far as is stated; or the task is simulated. "unknown": not stated, or stated
            by what was left out.
        reason: The collections that it was trained on, or what is not stated; None where there is none known.
    """

    state: State
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else self.state


def contamination(pretrained_on: Collections | None, collections: Collections | None) -> Contamination:
    """Hold what an encoder was trained on against where a task's slides come from.

    Case and punctuation do not count. Of what an encoder was trained on, "PROGRAMME" covers all projects of it, and
    "PROGRAMME-PROJECT" that one, if it is a project of TCGA in the GDC. Any other name ("TCGA, 33 cancer types",
    "TCGA-RCC") is taken to cover all of the programme that it mentions, since a flag too many does less harm than one
    too few. A name that says what was left out ("without TCGA") does not say what was used, and is unknown.

    Args:
        pretrained_on: As in the features' card; empty or None where it does not say, ``NOTHING`` where nothing was
            trained.
        collections: See ``collections_of``.
    """
    if collections == ():
        return Contamination("none known")
    if not pretrained_on:
        return Contamination("unknown", _SILENT_ENCODER)
    if pretrained_on == (NOTHING,):
        return Contamination("none known")
    if collections is None:
        return Contamination("unknown", _SILENT_TASK)
    states: tuple[State, ...] = ("yes", "same programme")
    for state in states:
        found = [name for name in pretrained_on if any(_state(name, one) == state for one in collections)]
        if found:
            return Contamination(state, ", ".join(found))
    negated = [name for name in pretrained_on if any(_state(name, one) == "unknown" for one in collections)]
    if negated:
        return Contamination("unknown", f"'{negated[0]}' says what was left out, not what was used")
    return Contamination("none known")


def collections_of(spec: TaskSpec, slides: Iterable[str] = ()) -> Collections | None:
    """Return the collections that a task's slides come from.

    Tasks made from checkouts name a label table, and those are known. Of anybody's own task a TCGA barcode among the
    slides tells that they are of TCGA. What is simulated, or no slide, comes from no collection.

    Args:
        spec: The task.
        slides: Its slides.

    Returns:
        The collections; None where they are not known.
    """
    if isinstance(spec.data, CheckoutData):
        cohort = re.match(r"[a-z]+_[a-z]+", PurePosixPath(spec.data.labels.path).name)
        return _LABEL_TABLES.get(cohort[0]) if cohort else None
    if isinstance(spec.data, OwnData):
        return ("TCGA",) if any(patient(slide) for slide in slides) else None
    return ()


@cache
def registered_pretraining(features: str) -> Collections | None:
    """Return what the encoder of published features was trained on; None for other features."""
    from hiptbench.sources.importing import load_published_features

    try:
        return load_published_features(features).card.pretrained_on
    except UnknownNameError:
        return _WITHOUT_CARD.get(features)


@cache
def registered_collections(task: str) -> Collections | None:
    """Return the collections of a task of the registry; None for other tasks."""
    return collections_of(load_spec(task)) if task in registered() else None


def _state(name: str, collection: str) -> State:
    programme, *project = _words(collection)
    said = _words(name)
    if programme not in said:
        return "none known"
    if not _LEFT_OUT.isdisjoint(said):
        return "unknown"
    names_one_part = len(said) == 2 and said[0] == programme and said[1] in _PROJECTS
    return "same programme" if names_one_part and said[1:] != project else "yes"


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.casefold().replace("the cancer genome atlas", "tcga"))
