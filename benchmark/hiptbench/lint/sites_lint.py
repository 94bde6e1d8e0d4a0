"""Whether the tissue source site, which a network sees in the staining, gives the class away.

TCGA's codes name an institution anew for each study, so that a code tells the study, too; institutions are looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hiptbench.lint.findings import Finding, Severity
from hiptbench.lint.subject import Subject
from hiptbench.splits import Split


@dataclass(frozen=True)
class SiteClasses:
    """How the classes lie over the tissue source sites.

    Attributes:
        shared: Sites with slides of several classes, sorted.
        sites: Number of sites.
        slides: Number of slides whose site is known.
        alone: Number of those whose site has one class only.
        institutions: Number of institutions behind the sites.
        institutions_shared: Number of those with slides of several classes.
    """

    shared: tuple[str, ...]
    sites: int
    slides: int
    alone: int
    institutions: int
    institutions_shared: int


def site_classes(subject: Subject) -> SiteClasses | None:
    """Return how the classes lie over the sites; None without class labels, or where no id tells its site."""
    labels: dict[str, list[str]] = {}
    behind: dict[str, set[str]] = {}
    for slide in subject.slides:
        if slide.site and slide.label is not None:
            labels.setdefault(slide.site, []).append(slide.label)
            behind.setdefault(slide.institution or slide.site, set()).add(slide.label)
    if not labels:
        return None
    shared = tuple(sorted(site for site, found in labels.items() if len(set(found)) > 1))
    alone = sum(len(found) for site, found in labels.items() if site not in shared)
    several = sum(len(found) > 1 for found in behind.values())
    return SiteClasses(shared, len(labels), sum(map(len, labels.values())), alone, len(behind), several)


def site_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what the sites and the institutions behind them mean for the numbers.

    - ``site_tells_class`` (warning, note where no fold trains on a site that it tests): no site has slides of two
      classes, so that the site alone tells the class of every slide from a site that was trained on.
    - ``site_of_one_class`` (note): some sites have one class only; names are the sites that have several.
    - ``institution_under_two_codes`` (warning): folds that keep codes apart train on institutions under one code and
      test them under another; where the code tells the class, a network is led to the wrong one.
    """
    yield from _class_told(subject)
    yield from _under_two_codes(subject)


def _class_told(subject: Subject) -> Iterator[Finding]:
    found = site_classes(subject)
    if found is None or len(subject.classes) < 2 or not found.alone:
        return
    numbers = {
        "sites": found.sites,
        "sites_shared_between_classes": len(found.shared),
        "slides": found.slides,
        "slides_at_sites_of_one_class": found.alone,
        "institutions": found.institutions,
        "institutions_shared_between_classes": found.institutions_shared,
    }
    if found.shared:
        message = (
            f"{found.sites - len(found.shared)} of {found.sites} tissue source sites, with {found.alone} of "
            f"{found.slides} slides ({found.alone / found.slides:.1%}), have one class only; these have several."
        )
        yield Finding("site_of_one_class", "note", message, numbers, found.shared)
    else:
        message = (
            f"The site alone tells the class: none of {found.sites} tissue source sites has slides of two classes. Of "
            f"the {found.institutions} institutions behind them {found.institutions_shared} have."
        )
        apart = not any(_shared_site(subject, split) for split in subject.folds)
        severity: Severity = "note" if apart else "warning"
        yield Finding("site_tells_class", severity, message + " No tested site is trained on." * apart, numbers, ())


def _under_two_codes(subject: Subject) -> Iterator[Finding]:
    apart = [split for split in subject.folds if not _shared_site(subject, split)]
    shared = [name for split in apart for name in _in_both(subject, split, "institution")]
    if shared:
        names = tuple(sorted(set(shared)))
        message = (
            f"No tissue source site is in train and {subject.tested}, in {len(apart)} of {len(subject.folds)} folds, "
            f"but {len(names)} institutions are, under another code."
        )
        numbers = {"institutions": len(names), "fold_institutions": len(shared), "folds": len(apart)}
        yield Finding("institution_under_two_codes", "warning", message, numbers, names)


def _shared_site(subject: Subject, split: Split) -> bool:
    return bool(_in_both(subject, split, "site"))


def _in_both(subject: Subject, split: Split, what: Literal["site", "institution"]) -> set[str]:
    """Return the sites, or institutions, that a fold trains on and tests."""
    train, tested = subject.part(split, "train"), subject.part(split, subject.tested)
    return {getattr(slide, what) for slide in train} & {getattr(slide, what) for slide in tested} - {None}
