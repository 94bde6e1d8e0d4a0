"""A figure of the page: a drawing, the keys of its lines, and a caption with n and interval."""

from dataclasses import dataclass

from markupsafe import Markup

LINES = 7
"""How many line styles the style sheet knows."""


@dataclass(frozen=True)
class Key:
    """What a line style stands for.

    Attributes:
        style: Number of the line style; lines differ in colour and in dashes.
        text: What the line is of.
        href: Where its numbers stand.
    """

    style: int
    text: str
    href: str | None = None


@dataclass(frozen=True)
class Figure:
    """A drawing that can be put on a page.

    Attributes:
        drawing: The SVG.
        caption: What is shown, of how many, and what a band or bar means.
        keys: The lines; none where one line needs no name.
    """

    drawing: Markup
    caption: str
    keys: tuple[Key, ...] = ()
