"""Gives every element of a page its place: a flat list of things to draw, and the targets of touch.

A box that gets less room than its content wants makes the type inside smaller, step by step, but no text
smaller than its `least`. What then still does not fit is told in `Layout.problems`; tests let no page have
any.
"""

from __future__ import annotations

from math import fsum
from typing import Final

from ui import fonts
from ui.elements import Art, Box, Element, Gap, Grid, Page, Text
from ui.ems import LEADING
from ui.items import Drawing, Fill, Layout, Rect, Target, Words
from ui.screen import Screen
from ui.text import broken
from ui.theme import Colour, Theme

SHRINKS: Final = (1.0, 0.92, 0.85, 0.78, 0.7, 0.62, 0.55, 0.47, 0.4, 0.33, 0.27, 0.22, 0.18, 0.14)
"""Steps by which the type of a box gets smaller."""


def lay_out(
    page: Page, screen: Screen, theme: Theme, *, pressed: str | None = None, focus: str | None = None
) -> Layout:
    """`pressed`: the action that a finger is on; `focus`: the one that keys are on."""
    work = _Work(page, screen, theme, pressed, focus)
    work.place(page.body, (0, 0, screen.width, screen.height), 1.0)
    return work.made


def height_of(element: Element, width: float, screen: Screen, theme: Theme, scale: float = 1.0) -> float:
    """Units that it needs at full type when it may be `width` units wide: to part what is too long."""
    work = _Work(Page("", element, scale=scale), screen, theme, None, None)
    return work.want(element, screen.px(width), 1.0)[1] / screen.unit


class _Work:
    def __init__(
        self, page: Page, screen: Screen, theme: Theme, pressed: str | None, focus: str | None
    ) -> None:
        self.screen = screen
        self.theme = theme
        self.scale = page.scale
        self.pressed = pressed
        self.focus = focus
        self.target = screen.from_mm(theme.target_mm)
        self.made = Layout(theme.colour("ground"))
        self._sizes: dict[tuple[int, int, float], tuple[int, int]] = {}

    # ---------------------------------------------------------------- how much room is wanted

    def type_size(self, text: Text, shrink: float) -> int:
        """Pixels; never under `least`."""
        full = self.theme.size(text.size)
        units = max(full * shrink, min(self.theme.size(text.least), full))
        return max(1, self.screen.px(units * self.scale))

    def want(self, element: Element, width: int, shrink: float) -> tuple[int, int]:
        """Pixels that it needs when it may be `width` wide."""
        key = (id(element), width, shrink)
        found = self._sizes.get(key)
        if found is None:
            found = self._sizes[key] = self._want(element, width, shrink)
        return found

    def _want(self, element: Element, width: int, shrink: float) -> tuple[int, int]:
        px = self.screen.px
        if isinstance(element, Text):
            size = self.type_size(element, shrink)
            lines = broken(element.words, width, size, element.strong)
            wide = max(fonts.line_size(line, size, element.strong)[0] for line in lines)
            return wide, fonts.line_height(size) * len(lines)
        if isinstance(element, Art):
            return min(width, px(element.width)), px(element.height)
        if isinstance(element, Gap):
            return px(element.length), px(element.length)
        if isinstance(element, Grid):
            return self._want_grid(element, width, shrink)
        return self._want_box(element, width, shrink)

    def _want_grid(self, grid: Grid, width: int, shrink: float) -> tuple[int, int]:
        gap = self.screen.px(grid.gap)
        cell = self._cell_width(grid, width)
        rows = self._rows(grid)
        high = max((self.want(child, cell, shrink)[1] for child in grid.children), default=0)
        return width, rows * high + max(0, rows - 1) * gap

    def _rows(self, grid: Grid) -> int:
        return max(grid.rows, -(-len(grid.children) // grid.columns))

    def _cell_width(self, grid: Grid, width: int) -> int:
        gap = self.screen.px(grid.gap)
        return (width - (grid.columns - 1) * gap) // grid.columns

    def _want_box(self, box: Box, width: int, shrink: float) -> tuple[int, int]:
        px = self.screen.px
        pad_x, pad_y = self._pad(box)
        inner = max(1, width - 2 * pad_x)
        gaps = px(box.gap) * max(0, len(box.children) - 1)
        if box.axis == "row":
            widths = self._row_widths(box, inner, shrink)
            wide = sum(widths) + gaps
            high = max(
                (self.want(c, w, shrink)[1] for c, w in zip(box.children, widths, strict=True)), default=0
            )
        else:
            sizes = [self.want(child, inner, shrink) for child in box.children]
            wide = max((w for w, _ in sizes), default=0)
            high = sum(h for _, h in sizes) + gaps
        wide, high = wide + 2 * pad_x, high + 2 * pad_y
        least = self.target if box.touch is not None else 0
        return min(width, max(wide, px(box.width), least)), max(high, px(box.height), least)

    def _pad(self, box: Box) -> tuple[int, int]:
        pad = box.pad if isinstance(box.pad, tuple) else (box.pad, box.pad)
        return self.screen.px(pad[0]), self.screen.px(pad[1])

    def _row_widths(self, box: Box, inner: int, shrink: float) -> list[int]:
        """Widths of the children of a row: those that grow share what the others leave."""
        gaps = self.screen.px(box.gap) * max(0, len(box.children) - 1)
        left = max(0, inner - gaps)
        widths = [0] * len(box.children)
        for n, child in enumerate(box.children):
            if not _grow(child):
                widths[n] = min(left, self.want(child, left, shrink)[0])
                left -= widths[n]
        self._share(box, widths, left)
        return widths

    def _share(self, box: Box, lengths: list[int], left: int) -> None:
        shares = [(n, _grow(child)) for n, child in enumerate(box.children) if _grow(child)]
        # fsum wherever lengths are added: the sum() of floats moved in Python 3.12, and a pixel with it
        whole = fsum(share for _, share in shares)
        for n, share in shares:
            part = int(left * share / whole)
            lengths[n] = part
            left, whole = left - part, whole - share

    # ---------------------------------------------------------------- places

    def place(self, element: Element, rect: Rect, shrink: float) -> None:
        if rect[2] <= 0 or rect[3] <= 0:
            if not isinstance(element, Gap):
                self.made.problems.append(f"no room: {_texts(element)[:40] or type(element).__name__!r}")
            return
        if isinstance(element, Text):
            self._place_text(element, rect, shrink)
        elif isinstance(element, Art):
            self._place_art(element, rect)
        elif isinstance(element, Grid):
            self._place_grid(element, rect, shrink)
        elif isinstance(element, Box):
            self._place_box(element, rect, shrink)

    def _place_text(self, text: Text, rect: Rect, shrink: float) -> None:
        if not text.words:
            return
        left, top, wide, high = rect
        for step in SHRINKS:
            size = self.type_size(text, shrink * step)
            lines = broken(text.words, wide, size, text.strong)
            if self._fits(lines, size, rect, text):
                break
        else:
            self.made.problems.append(f"cut: {text.words[:40]!r} in {wide}×{high}")
            lines, size = self._cut(lines, size, rect, text)
        drawn = fonts.line_height(size) * len(lines)
        self.made.items.append(
            Words(
                (left, top + (high - drawn) // 2, wide, drawn),
                lines,
                size,
                self.theme.colour(text.colour),
                text.align,
                text.strong,
            )
        )

    def _fits(self, lines: tuple[str, ...], size: int, rect: Rect, text: Text) -> bool:
        wide = max(fonts.line_size(line, size, text.strong)[0] for line in lines)
        enough = not text.lines or len(lines) <= text.lines
        return enough and wide <= rect[2] and fonts.line_height(size) * len(lines) <= rect[3]

    def _cut(self, lines: tuple[str, ...], size: int, rect: Rect, text: Text) -> tuple[tuple[str, ...], int]:
        """What of a text that is too long can be shown: whatever a hall writes, it stays in its place."""
        size = max(1, min(size, int(rect[3] / LEADING)))
        while size > 1 and fonts.line_height(size) > rect[3]:
            size -= 1
        most = max(1, rect[3] // fonts.line_height(size))
        kept = list(lines[: min(most, text.lines or most)])
        if len(kept) < len(lines):
            kept[-1] += "…"
        return tuple(self._shortened(line, size, rect[2], text.strong) for line in kept), size

    def _shortened(self, line: str, size: int, wide: int, strong: bool) -> str:
        while len(line) > 1 and fonts.line_size(line, size, strong)[0] > wide:
            line = line.rstrip("…")[:-1] + "…"
        return line

    def _place_art(self, art: Art, rect: Rect) -> None:
        left, top, wide, high = rect
        scale = min(wide / max(1, self.screen.px(art.width)), high / max(1, self.screen.px(art.height)))
        if not art.grow:
            scale = min(1.0, scale)
        w, h = int(self.screen.px(art.width) * scale), int(self.screen.px(art.height) * scale)
        if w < 4 or h < 4:
            self.made.problems.append(f"cut: art {art.name} in {wide}×{high}")
            return
        place = (left + (wide - w) // 2, top + (high - h) // 2, w, h)
        self.made.items.append(Drawing(place, art.name, self.theme.colour(art.colour), art.args))

    def _place_grid(self, grid: Grid, rect: Rect, shrink: float) -> None:
        left, top, wide, high = rect
        gap = self.screen.px(grid.gap)
        rows = self._rows(grid)
        if not rows:
            return
        cell_wide = self._cell_width(grid, wide)
        cell_high = (high - (rows - 1) * gap) // rows
        for n, child in enumerate(grid.children):
            x = left + (n % grid.columns) * (cell_wide + gap)
            y = top + (n // grid.columns) * (cell_high + gap)
            self.place(child, (x, y, cell_wide, cell_high), shrink)

    def _place_box(self, box: Box, rect: Rect, shrink: float) -> None:
        if box.name:
            self.made.boxes[box.name] = rect
        self._draw_box(box, rect)
        pad_x, pad_y = self._pad(box)
        inner = (
            rect[0] + pad_x, rect[1] + pad_y, max(0, rect[2] - 2 * pad_x), max(0, rect[3] - 2 * pad_y)
        )  # fmt: skip
        shrink = self._shrink(box, inner, shrink)
        self._place_line(box, inner, shrink)
        if box.touch is not None and box.touch == self.focus and not box.off:
            self._ring(box, rect)

    def _ring(self, box: Box, rect: Rect) -> None:
        """The focus: two rings, one of which is seen on any colour."""
        radius = self._radius(box)
        wide = max(3, self.screen.px(0.7))
        self.made.items.append(Fill(rect, None, radius, self.theme.colour("focus"), wide))
        left, top, w, h = rect
        if w > 4 * wide and h > 4 * wide:
            small = (left + wide, top + wide, w - 2 * wide, h - 2 * wide)
            thin = max(2, wide // 2)
            self.made.items.append(
                Fill(small, None, max(0, radius - wide), self.theme.colour("ground"), thin)
            )

    def _radius(self, box: Box) -> int:
        return self.screen.px(self.theme.radius if box.radius is None else box.radius)

    def _draw_box(self, box: Box, rect: Rect) -> None:
        pressed = box.touch is not None and box.touch == self.pressed and not box.off
        fill = "ground" if pressed and box.fill is None else box.fill
        if fill is not None or box.line is not None:
            radius = self._radius(box)
            colour = self.theme.colour(fill) if fill is not None else None
            if pressed and colour is not None:
                colour = pressed_colour(colour)
            line = self.theme.colour(box.line) if box.line is not None else None
            self.made.items.append(
                Fill(rect, colour, radius, line, max(1, self.screen.px(box.line_width)) if line else 0)
            )
        if box.touch is not None:
            self.made.targets.append(Target(rect, box.touch, box.label or _texts(box), box.off))
            if rect[2] < self.target or rect[3] < self.target:
                self.made.problems.append(f"small target: {box.touch} {rect[2]}×{rect[3]} < {self.target}")

    def _shrink(self, box: Box, inner: Rect, shrink: float) -> float:
        """The greatest type at which the content fits, if it does not at `shrink`."""
        for step in SHRINKS:
            if self._content_fits(box, inner, shrink * step):
                return shrink * step
        self.made.problems.append(
            f"cut: box {box.name or box.touch or _texts(box)[:30]!r} in {inner[2]}×{inner[3]}"
        )
        return shrink * SHRINKS[-1]

    def _content_fits(self, box: Box, inner: Rect, shrink: float) -> bool:
        gaps = self.screen.px(box.gap) * max(0, len(box.children) - 1)
        if box.axis == "row":
            widths = self._row_widths(box, inner[2], shrink)
            if sum(widths) + gaps > inner[2]:
                return False
            pairs = zip(box.children, widths, strict=True)
            return all(self.want(c, w, shrink)[1] <= inner[3] for c, w in pairs if not _flexible(c))
        sizes = [(c, self.want(c, inner[2], shrink)) for c in box.children]
        if any(w > inner[2] for c, (w, _) in sizes if not _flexible(c)):
            return False
        return sum(h for c, (_, h) in sizes if not _grow(c)) + gaps <= inner[3]

    def _place_line(self, box: Box, inner: Rect, shrink: float) -> None:
        if not box.children:
            return
        along = 0 if box.axis == "row" else 1
        gap = self.screen.px(box.gap)
        room = inner[2 + along]
        if along == 0:
            lengths = self._row_widths(box, inner[2], shrink)
        else:
            lengths = [0 if _grow(c) else self.want(c, inner[2], shrink)[1] for c in box.children]
            self._share(box, lengths, max(0, room - sum(lengths) - gap * (len(lengths) - 1)))
        left = room - sum(lengths) - gap * (len(lengths) - 1)
        at, end = inner[along], inner[along] + room
        if left < 0:
            pass  # too much: from the start, and what is left of the last
        elif box.justify == "center":
            at += left // 2
        elif box.justify == "end":
            at += left
        for child, wanted in zip(box.children, lengths, strict=True):
            length = min(wanted, max(0, end - at))
            given = (at, inner[1], length, inner[3]) if along == 0 else (inner[0], at, inner[2], length)
            self.place(child, self._across(box, child, given, shrink), shrink)
            at += length + gap

    def _across(self, box: Box, child: Element, given: Rect, shrink: float) -> Rect:
        """The part of `given` that a child gets across the axis."""
        if box.align == "stretch":
            return given
        left, top, wide, high = given
        wanted = self.want(child, wide, shrink)
        if box.axis == "row":
            length = min(wanted[1], high)
            return left, top + _offset(box.align, high - length), wide, length
        length = min(wanted[0], wide)
        return left + _offset(box.align, wide - length), top, length, high


def _offset(align: str, left: int) -> int:
    return {"start": 0, "center": left // 2, "end": left}[align]


def _grow(element: Element) -> float:
    return element.grow


def _flexible(element: Element) -> bool:
    """Whether it makes itself smaller when it gets less than it wants: its own shrinking is enough."""
    return isinstance(element, Box | Grid) and bool(element.grow)


def pressed_colour(colour: Colour) -> Colour:
    """Of a target while a finger is on it: darker, and so little that what is written there can be read."""
    if sum(colour) <= 120:
        red, green, blue = (min(255, part + 60) for part in colour)
    else:
        share = 0.87 if sum(colour) > 384 else 0.75
        red, green, blue = (int(part * share) for part in colour)
    return red, green, blue


def _texts(element: Element) -> str:
    if isinstance(element, Text):
        return element.words
    if isinstance(element, Box | Grid):
        return " ".join(words for child in element.children if (words := _texts(child)))
    return ""
