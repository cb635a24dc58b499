"""What must hold of a page in its places, whatever it shows: read by the tests of all pages."""

from __future__ import annotations

from ui import fonts
from ui.items import Drawing, Fill, Item, Layout, Rect, Words
from ui.theme import Colour, contrast

TEXT: float = 7.0
"""Least contrast of words."""
SHAPE: float = 3.0
"""Least contrast of drawings, and of what shows where a target is."""
OWN_GROUND = ("qr", "file")
"""Drawings that bring their own ground."""


def complaints(layout: Layout, size: tuple[int, int]) -> list[str]:
    """Everything that is wrong with it, in words; nothing: []."""
    found = [*layout.problems, *_outside(layout, size), *_overlaps(layout)]
    return found + _contrasts(layout) + _edges(layout)


def inside(inner: Rect, outer: Rect) -> bool:
    """Whether the one rectangle is wholly in the other."""
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[0] + inner[2] <= outer[0] + outer[2]
        and inner[1] + inner[3] <= outer[1] + outer[3]
    )


def crossing(one: Rect, other: Rect) -> bool:
    """Whether they share a pixel."""
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def lines_of(item: Words) -> list[tuple[Rect, str]]:
    """Where each line of a text really is."""
    made = []
    left, top, wide, _ = item.rect
    for n, line in enumerate(item.lines):
        if line:
            w, h = fonts.line_size(line, item.size, item.strong)
            free = wide - w
            x = left + {"left": 0, "center": free // 2, "right": free}[item.align]
            made.append(((x, top + n * h, w, h), line))
    return made


def _outside(layout: Layout, size: tuple[int, int]) -> list[str]:
    whole = (0, 0, *size)
    things = [(item.rect, _name(item)) for item in layout.items]
    things += [(target.rect, target.action) for target in layout.targets]
    return [f"outside: {name}" for rect, name in things if not inside(rect, whole)]


def _name(item: Item) -> str:
    if isinstance(item, Words):
        return repr("".join(item.lines)[:24])
    return item.name if isinstance(item, Drawing) else f"box {item.rect}"


def _pieces(layout: Layout) -> list[tuple[int, Rect, str, Item]]:
    """Lines of words and drawings that are seen, with their places in the order of drawing."""
    made: list[tuple[int, Rect, str, Item]] = []
    for n, item in enumerate(layout.items):
        if isinstance(item, Words):
            made += [(n, rect, repr(line[:24]), item) for rect, line in lines_of(item)]
        elif isinstance(item, Drawing):
            made.append((n, item.rect, item.name, item))
    covers = [
        (n, item.rect)
        for n, item in enumerate(layout.items)
        if isinstance(item, Fill) and item.colour is not None
    ]
    return [piece for piece in made if not any(n > piece[0] and inside(piece[1], rect) for n, rect in covers)]


def _overlaps(layout: Layout) -> list[str]:
    found = []
    pieces = _pieces(layout)
    for k, (n, rect, name, item) in enumerate(pieces):
        for m, other_rect, other_name, other in pieces[k + 1 :]:
            if item is other or not crossing(rect, other_rect):
                continue
            if isinstance(item, Drawing) and item.name in OWN_GROUND and _on_fill(layout, n, m, other_rect):
                continue  # words on a band of their own over a picture
            found.append(f"overlap: {name} and {other_name}")
        for fill in layout.items[n + 1 :]:
            if isinstance(fill, Fill) and fill.colour is not None and crossing(rect, fill.rect):
                found.append(f"half covered: {name}")
        for target in layout.targets:
            if (
                crossing(rect, target.rect)
                and not inside(rect, target.rect)
                and not inside(target.rect, rect)
            ):
                found.append(f"over the edge of {target.action}: {name}")
    for k, target in enumerate(layout.targets):
        for other_target in layout.targets[k + 1 :]:
            one, two = target.rect, other_target.rect
            if crossing(one, two) and not inside(one, two) and not inside(two, one):
                found.append(f"targets overlap: {target.action} and {other_target.action}")
    return found


def _on_fill(layout: Layout, after: int, before: int, rect: Rect) -> bool:
    return any(
        isinstance(item, Fill) and item.colour is not None and inside(rect, item.rect)
        for item in layout.items[after + 1 : before]
    )


def _under(layout: Layout, before: int, rect: Rect) -> list[Colour | str]:
    """Colours on which something in `rect` is drawn; the name of a picture where that is under it."""
    seen: list[Colour | str] = []
    for item in reversed(layout.items[:before]):
        if not crossing(item.rect, rect):
            continue
        if isinstance(item, Drawing) and item.name in OWN_GROUND:
            return [*seen, item.name]
        if isinstance(item, Fill) and item.colour is not None:
            seen.append(item.colour)
            if inside(rect, item.rect):
                return seen
    return [*seen, layout.ground]


def _contrasts(layout: Layout) -> list[str]:
    found = []
    for n, rect, name, item in _pieces(layout):
        assert not isinstance(item, Fill)
        if isinstance(item, Drawing) and item.name in OWN_GROUND:
            continue
        least = TEXT if isinstance(item, Words) else SHAPE
        for ground in _under(layout, n, rect):
            if isinstance(ground, str):
                found.append(f"on a picture: {name}")
            elif contrast(item.colour, ground) < least:
                found.append(f"contrast {contrast(item.colour, ground):.1f} < {least}: {name}")
    return found


def _edges(layout: Layout) -> list[str]:
    """Where a target is must be seen, by its fill or its border."""
    found = []
    for target in layout.targets:
        own = [
            n for n, item in enumerate(layout.items) if isinstance(item, Fill) and item.rect == target.rect
        ]
        if target.off or not own:
            continue
        item = layout.items[own[0]]
        assert isinstance(item, Fill)
        for ground in _under(layout, own[0], target.rect):
            shades = [shade for shade in (item.colour, item.line) if shade is not None]
            if not isinstance(ground, str) and all(contrast(shade, ground) < SHAPE for shade in shades):
                best = max(contrast(shade, ground) for shade in shades)
                found.append(f"edge {best:.1f} < {SHAPE}: {target.action}")
    return found
