"""Whether the tissue source site, which a network sees in the staining, gives the class away."""

from collections.abc import Iterator
from dataclasses import dataclass

from hiptbench.lint.findings import Finding
from hiptbench.lint.subject import Subject


@dataclass(frozen=True)
class SiteClasses:
    """How the classes lie over the tissue source sites.

    Attributes:
        shared: Sites with slides of several classes, sorted.
        sites: Number of sites.
        slides: Number of slides whose site is known.
        alone: Number of those whose site has one class only.
    """

    shared: tuple[str, ...]
    sites: int
    slides: int
    alone: int


def site_classes(subject: Subject) -> SiteClasses | None:
    """Return how the classes lie over the sites; None without class labels, or where no id tells its site."""
    labels: dict[str, list[str]] = {}
    for slide in subject.slides:
        if slide.site and slide.label is not None:
            labels.setdefault(slide.site, []).append(slide.label)
    if not labels:
        return None
    shared = tuple(sorted(site for site, found in labels.items() if len(set(found)) > 1))
    alone = sum(len(found) for site, found in labels.items() if site not in shared)
    return SiteClasses(shared, len(labels), sum(map(len, labels.values())), alone)


def site_findings(subject: Subject) -> Iterator[Finding]:
    """Yield how far the site alone tells the class.

    - ``site_tells_class`` (warning): no site has slides of two classes, so that the site alone tells the class of
      every slide from a site that was trained on.
    - ``site_of_one_class`` (note): some sites have one class only; names are the sites that have several.
    """
    found = site_classes(subject)
    if found is None or len(subject.classes) < 2 or not found.alone:
        return
    numbers = {
        "sites": found.sites,
        "sites_shared_between_classes": len(found.shared),
        "slides": found.slides,
        "slides_at_sites_of_one_class": found.alone,
    }
    if found.shared:
        message = (
            f"{found.sites - len(found.shared)} of {found.sites} tissue source sites, with {found.alone} of "
            f"{found.slides} slides ({found.alone / found.slides:.1%}), have one class only; these have several."
        )
        yield Finding("site_of_one_class", "note", message, numbers, found.shared)
    else:
        message = (
            f"The site alone tells the class: none of {found.sites} tissue source sites has slides of two classes."
        )
        yield Finding("site_tells_class", "warning", message, numbers, ())
