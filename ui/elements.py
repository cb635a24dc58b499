"""What a page is made of: a tree of plain, frozen elements. `ui.layout` gives them places, `ui.paint` draws.

Lengths are in units (hundredths of the screen's shorter side), colours are names of `ui.theme.Colours`.
A page is a function of what the program knows; nothing here keeps state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

Axis = Literal["column", "row"]
Align = Literal["start", "center", "end", "stretch"]
Justify = Literal["start", "center", "end"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words that break into lines. `size`, `least`: names of `ui.theme.Sizes`, or units; between them it may
    shrink.

    `lines`: at most so many, 0: any. Words that do not fit even at `least` are told as cut by the layout.
    """

    words: str
    size: str | float = "body"
    colour: str = "ink"
    align: Literal["left", "center", "right"] = "left"
    lines: int = 0
    least: str | float = "small"
    strong: bool = False
    grow: float = 0.0


ABOUT: Final = "about"
"""Of a file's picture whose place changes by a pixel with the numbers beside it: it need not fill all of it,
or the file would be read again, and kept, for each size."""


@dataclass(frozen=True, slots=True)
class Art:
    """A drawing of `ui.art` by name: icons, faces, a QR code, a picture file. `args` go to its function.

    `width` and `height` in units; with `grow` it takes what is left and keeps its shape.
    """

    name: str
    width: float
    height: float
    colour: str = "ink"
    args: tuple[str | int | float | bool, ...] = ()
    grow: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """Children in a column or in a row.

    `grow`: share of what is left along the parent's axis; such a box is shrunk to what it gets. `width`,
    `height`: at least so many units. `align` across the axis, `justify` along it. `touch`: the action that
    a touch gives, which makes it a target (at least the theme's size, both ways). `label`: what voice
    guidance says for it; its texts when empty. `off`: a target that can not be used now, drawn pale.
    `name`: for tests and dirty rectangles.
    """

    children: tuple[Element, ...] = ()
    axis: Axis = "column"
    gap: float = 0.0
    pad: float | tuple[float, float] = 0.0
    fill: str | None = None
    line: str | None = None
    line_width: float = 0.3
    radius: float | None = None
    grow: float = 0.0
    width: float = 0.0
    height: float = 0.0
    align: Align = "stretch"
    justify: Justify = "start"
    touch: str | None = None
    label: str = ""
    off: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Equal cells, row by row. With `grow` the rows share the height; else each row is as high as needs be.

    `rows`: at least so many places are kept, so that a last page has cells of the same size.
    """

    children: tuple[Element, ...]
    columns: int
    gap: float = 0.0
    rows: int = 0
    grow: float = 0.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing, of `length` units along the parent's axis, and a share of what is left."""

    length: float = 0.0
    grow: float = 0.0


Element: TypeAlias = Text | Art | Box | Grid | Gap


@dataclass(frozen=True, slots=True)
class Page:
    """What a program shows now. `name` for tests and pictures; `scale`: of all type (1.5 for elder mode).

    `speech`: what voice guidance says when the page appears. `theme`: None: the program's own.
    """

    name: str
    body: Element
    language: str = "zh-CN"
    theme: str | None = None
    scale: float = 1.0
    speech: str = ""


def column(*children: Element, **options: object) -> Box:
    return Box(tuple(children), axis="column", **options)  # type: ignore[arg-type]


def row(*children: Element, **options: object) -> Box:
    return Box(tuple(children), axis="row", **options)  # type: ignore[arg-type]


def grid(children: Sequence[Element], columns: int, **options: object) -> Grid:
    return Grid(tuple(children), columns, **options)  # type: ignore[arg-type]


def growing(element: Text | Art | Box | Grid | Gap, share: float = 1.0) -> Element:
    """The same, taking what is left; where all that grow beside it have their units for a share, so many."""
    return replace(element, grow=share)
