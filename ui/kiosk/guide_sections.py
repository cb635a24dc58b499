"""What the sections of a guide hold, as rows that a page is parted into."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Axis, Box, Element, Gap, Text, column, row
from ui.kiosk.pager import Make, pieces
from ui.kiosk.parts import GAP
from ui.kiosk.step import Room

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk
    from wire.shown import Guide, GuideMaterial

SECTIONS: Final = {
    "conditions": "person",
    "materials": "paper",
    "steps": "arrow",
    "terms": "clock",
    "more": "info",
}
"""In the order that they are shown, with their icons."""


WIDE: Final = 120.0
"""Units of width, at usual type, from which what to bring stands in two columns."""


def sections_of(guide: Guide) -> tuple[str, ...]:
    """Those of which the guide says something: an empty one is not offered."""
    said = {
        "conditions": bool(guide.conditions),
        "materials": bool(guide.materials),
        "steps": bool(guide.steps),
        "terms": bool(guide.time_limit or guide.fee),
        "more": bool(guide.basis or guide.phone),
    }
    return tuple(section for section in SECTIONS if said[section])


def content(
    kiosk: Kiosk, guide: Guide, section: str, have: set[int], room: Room, high: float
) -> list[Element]:
    """The rows of a section, none higher than `high` units at full type.

    While voice guidance leads by the key pad, rows of text can be moved to, and are then said.
    """
    rows = _Rows(kiosk, room, high)
    if section == "materials":
        for n, material in enumerate(guide.materials):
            rows.material(n, material, n in have)
    elif section == "terms":
        rows.named("time_limit", kiosk.local(guide.time_limit))
        rows.named("fee", kiosk.local(guide.fee))
    elif section == "more":
        rows.named("phone", guide.phone)
        rows.named("basis", kiosk.local(guide.basis))
    elif section == "steps":
        for n, words in enumerate(guide.steps):
            rows.step(n, kiosk.local(words), len(guide.steps))
    else:
        for words in guide.conditions:
            rows.condition(kiosk.local(words))
    return rows.made


class _Rows:
    def __init__(self, kiosk: Kiosk, room: Room, high: float) -> None:
        self._kiosk = kiosk
        self._room = room
        self._high = high
        self._comma = "，" if kiosk.language.startswith("zh") else ", "
        self._size = "body" if room.small else "large"
        self._two = room.wide / room.scale > WIDE
        self._wide = (room.wide - GAP) / 2 if self._two else room.wide
        self.made: list[Element] = []

    def condition(self, words: str) -> None:
        def make(part: str, first: bool) -> Element:
            mark = Art("tick", 4.0, 4.0, "accent") if first else Gap(4.0)
            return self._row(mark, part, part)

        self._add(words, make)

    def step(self, n: int, words: str, count: int) -> None:
        spoken = self._kiosk.text("kiosk_guide.say_step", position=n + 1, count=count)

        def make(part: str, first: bool) -> Element:
            number = Text(f"{n + 1}." if first else "", self._size, "accent", strong=True)
            return self._row(
                Box((number,), width=7.0 * self._room.scale), part, f"{spoken}{self._comma}{part}"
            )

        self._add(words, make)

    def named(self, name: str, words: str) -> None:
        title = self._kiosk.text(f"kiosk_guide.{name}")

        def make(part: str, first: bool) -> Element:
            head = (Text(title, "body" if self._room.small else self._size, "soft"),) if first else ()
            return self._spoken(
                (*head, Text(part, self._size, strong=name == "phone")),
                "column",
                f"{title}{self._comma}{part}",
            )

        self._add(words, make)

    def material(self, n: int, material: GuideMaterial, have: bool) -> None:
        """A box to tick. A note that makes it too high goes under it as text."""
        kiosk = self._kiosk
        name, note = kiosk.local(material.name), kiosk.local(material.note)
        papers = self._papers(material)
        label = self._comma.join(
            part
            for part in (name, papers, note, kiosk.text("kiosk_guide.has" if have else "kiosk_guide.has_not"))
            if part
        )

        def box(under: str) -> Box:
            texts: list[Element] = [Text(name, self._size, strong=True)]
            small = self._comma.join(part for part in (papers, under) if part)
            if small:
                texts.append(Text(small, "small" if self._room.small else "body", "soft"))
            return row(
                Art("check_box", 7.0, 7.0, "good" if have else "ink", (have,)),
                column(*texts, justify="center", grow=1.0),
                gap=2.4, pad=(2.0, 1.0), fill="surface", line="good" if have else "line",
                line_width=0.6 if have else 0.3, align="center", touch=f"have:{n}", label=label,
            )  # fmt: skip

        whole = box(note)
        if note and self._room.height_of(whole, self._wide) > self._high:
            self._beside(box(""))
            self._add(note, lambda part, first: self._row(Gap(7.0), part, part))
        else:
            self._beside(whole)

    def _beside(self, box: Box) -> None:
        """In two columns, where there is room for them."""
        last = self.made[-1] if self.made else None
        if not self._two:
            self.made.append(box)
        elif isinstance(last, Box) and len(last.children) == 2 and isinstance(last.children[1], Gap):
            self.made[-1] = replace(last, children=(last.children[0], replace(box, grow=1.0)))
        else:
            self.made.append(row(replace(box, grow=1.0), Gap(grow=1.0), gap=GAP))

    def _papers(self, material: GuideMaterial) -> str:
        text = self._kiosk.text
        if material.original and material.copies:
            return text("kiosk_guide.both", count=material.copies)
        if material.original:
            return text("kiosk_guide.original")
        return text("kiosk_guide.copies", count=material.copies) if material.copies else ""

    # ---------------------------------------------------------------- rows of text

    def _add(self, words: str, make: Make) -> None:
        if words:
            for piece in pieces(words, make, self._room, self._high):
                if isinstance(piece, Box) and piece.touch is not None:
                    piece = replace(piece, touch=f"read:{len(self.made)}")
                self.made.append(piece)

    def _row(self, mark: Element, words: str, label: str) -> Element:
        return self._spoken((mark, Text(words, self._size, grow=1.0)), "row", label)

    def _spoken(self, inside: tuple[Element, ...], axis: Axis, label: str) -> Element:
        guided = self._kiosk.modes.guided
        return Box(
            inside, axis=axis, gap=2.0 if axis == "row" else 0.4,
            align="start" if axis == "row" else "stretch",
            touch="read" if guided else None, label=label,
        )  # fmt: skip
