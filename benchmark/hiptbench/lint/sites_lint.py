"""Whether the tissue source site, which a network sees in the staining, gives the class away.

TCGA's codes name an institution anew for each study, so that a code tells the study, too; institutions are looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hiptbench.lint.findings import Finding
from hiptbench.lint.subject import Slide, Subject
from hiptbench.sources.institutions import institution


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
            behind.setdefault(institution(slide.site) or slide.site, set()).add(slide.label)
    if not labels:
        return None
    shared = tuple(sorted(site for site, found in labels.items() if len(set(found)) > 1))
    alone = sum(len(found) for site, found in labels.items() if site not in shared)
    several = sum(len(found) > 1 for found in behind.values())
    return SiteClasses(shared, len(labels), sum(map(len, labels.values())), alone, len(behind), several)


def institution_of(slide: Slide) -> str | None:
    """Return the institution behind a slide's site, or the site where that is not known; None without a barcode."""
    return slide.site and (institution(slide.site) or slide.site)


def site_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what the sites and the institutions behind them mean for the numbers.

    - ``site_tells_class`` (warning): no site has slides of two classes, so that the site alone tells the class of
      every slide from a site that was trained on.
    - ``site_of_one_class`` (note): some sites have one class only; names are the sites that have several.
    - ``institution_under_two_codes`` (warning): the folds keep codes apart, but institutions are trained on under one
      code and tested under another; where the code tells the class, a network is led to the wrong one.
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
        yield Finding("site_tells_class", "warning", message, numbers, ())


def _under_two_codes(subject: Subject) -> Iterator[Finding]:
    shared: list[str] = []
    for split in subject.folds:
        train, tested = subject.part(split, "train"), subject.part(split, subject.tested)
        if {slide.site for slide in train} & {slide.site for slide in tested} - {None}:
            return
        both = {institution_of(slide) for slide in train} & {institution_of(slide) for slide in tested}
        shared += [name for name in both if name]
    if shared:
        names = tuple(sorted(set(shared)))
        message = (
            f"No tissue source site is in train and {subject.tested} of a fold, but {len(names)} institutions are, "
            "under another code."
        )
        numbers = {"institutions": len(names), "fold_institutions": len(shared)}
        yield Finding("institution_under_two_codes", "warning", message, numbers, names)
