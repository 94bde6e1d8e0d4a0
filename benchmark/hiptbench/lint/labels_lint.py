"""What the labels say: contradictions, ids without one, normal tissue, and parts on which no metric is defined."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from hiptbench.lint.findings import Finding, Severity
from hiptbench.lint.subject import Slide, Subject
from hiptbench.metrics import comparable_pairs
from hiptbench.sources import barcodes
from hiptbench.splits import Split
from hiptbench.task_spec import Part


def normal_slides(subject: Subject) -> list[Slide]:
    """Return the slides whose barcode says normal tissue."""
    return [slide for slide in subject.slides if barcodes.is_normal(slide.id)]


def label_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the labels.

    - ``label_conflict`` (error for a slide, and for patients in survival; else warning): the label table lists a slide
      twice with different answers, or slides of one patient have different ones.
    - ``id_without_label`` (warning): ids of the split files that the label table lacks; everything else leaves them
      out.
    - ``normal_tissue`` (warning): barcodes of normal tissue, whose label is that of the patient's tumour.
    - ``undefined_metric`` (error): train or test of a fold is empty, lacks a class, or has no comparable pair.
    """
    yield from _conflicts(subject)
    yield from _unlabelled(subject)
    yield from _normals(subject)
    yield from _undefined(subject)


def _conflicts(subject: Subject) -> Iterator[Finding]:
    slides = subject.contradicted
    if slides:
        message = f"{len(slides)} slides are listed twice in the label table, with different answers."
        yield Finding("label_conflict", "error", message, {"slides": len(slides)}, slides)
    answers: dict[str, set[object]] = {}
    for slide in subject.slides:
        if slide.patient:
            answers.setdefault(slide.patient, set()).add(slide.answer)
    patients = tuple(sorted(patient for patient, found in answers.items() if len(found) > 1))
    if patients:
        severity: Severity = "error" if subject.kind == "survival" else "warning"
        message = f"{len(patients)} patients have slides with different answers."
        yield Finding("label_conflict", severity, message, {"patients": len(patients)}, patients)


def _unlabelled(subject: Subject) -> Iterator[Finding]:
    names = tuple(sorted(subject.unlabelled))
    if names:
        listed = len(names) + len({unit for split in subject.folds for unit in (*split.train, *split.val, *split.test)})
        message = f"{len(names)} of {listed} listed ids have no label; they are left out of everything else here."
        yield Finding("id_without_label", "warning", message, {"ids": len(names), "of": listed}, names)


def _normals(subject: Subject) -> Iterator[Finding]:
    slides = normal_slides(subject)
    if slides:
        labels = Counter(slide.label for slide in slides if slide.label)
        told = f", labelled {', '.join(f'{name} ({count})' for name, count in sorted(labels.items()))}" * bool(labels)
        message = f"{len(slides)} of {len(subject.slides)} slides are of normal tissue by their barcode{told}."
        numbers = {"normal_tissue_slides": len(slides), "slides": len(subject.slides)}
        yield Finding("normal_tissue", "warning", message, numbers, tuple(sorted(slide.id for slide in slides)))


def _undefined(subject: Subject) -> Iterator[Finding]:
    parts: tuple[Part, ...] = ("train", subject.tested)
    problems = [
        f"{part} of fold {split.fold} {problem}"
        for split in subject.folds
        for part in parts
        if (problem := _problem(subject, split, part))
    ]
    if problems:
        message = f"{len(problems)} parts cannot be fitted or scored."
        yield Finding("undefined_metric", "error", message, {"parts": len(problems)}, tuple(problems))


def _problem(subject: Subject, split: Split, part: Part) -> str | None:
    firsts = list({slide.unit: slide for slide in subject.part(split, part)}.values())
    if not firsts:
        return "is empty"
    absent = [name for name in subject.classes if name not in {slide.label for slide in firsts}]
    if absent:
        return f"has no {' and no '.join(absent)}"
    return "has no comparable pair of survival times" if subject.kind == "survival" and not _pairs(firsts) else None


def _pairs(slides: Sequence[Slide]) -> int:
    time = np.array([slide.time for slide in slides], dtype=np.float64)
    return comparable_pairs(time, np.array([slide.event for slide in slides], dtype=bool))
