"""What is too long for one page, in parts with 上一页 and 下一页: nobody has to drag anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from ui.elements import Element, Gap, Text, row
from ui.kiosk.step import Room
from ui.widgets import button

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

EARLIER: Final = "earlier"
LATER: Final = "later"

Make: TypeAlias = Callable[[str, bool], Element]
MOST_SPOKEN: Final = 160
"""Characters of one piece: somebody who hears it has to keep it in mind."""


class Pager:
    """Which part is shown. `parts`: how many the page last had, which depends on screen and modes."""

    def __init__(self) -> None:
        self.part = 0
        self.parts = 1

    def first(self) -> None:
        """To the first part: something else is shown now."""
        self.part = 0

    def touched(self, action: str) -> bool:
        """Whether the action was one of the pager's."""
        if action not in (EARLIER, LATER):
            return False
        self.part = min(max(0, self.part + (1 if action == LATER else -1)), self.parts - 1)
        return True

    def of(self, parts: int) -> int:
        """The part to show now that there are so many."""
        self.parts = max(1, parts)
        self.part = min(self.part, self.parts - 1)
        return self.part

    def keys(self, kiosk: Kiosk, room: Room) -> Element:
        """The two keys with "2/5" between them; nothing where there is one part."""
        if self.parts == 1:
            return Gap()
        size = "body" if room.small else "large"
        last = self.part + 1 == self.parts
        return row(
            button(kiosk.text("kiosk_pager.earlier"), EARLIER, grow=2.0, size=size, off=self.part == 0),
            Text(f"{self.part + 1}/{self.parts}", "body", align="center", grow=1.0, lines=1),
            button(kiosk.text("kiosk_pager.later"), LATER, grow=2.0, size=size, off=last),
            gap=2.0, height=room.target, align="center", name="pager",
        )  # fmt: skip

    def place(self, kiosk: Kiosk) -> str:
        """For speech: "第2页，共5页"; "" where there is one part."""
        if self.parts == 1:
            return ""
        return kiosk.text("kiosk_pager.place", part=self.part + 1, parts=self.parts)


def parted(elements: Sequence[Element], room: Room, high: float, gap: float) -> list[tuple[Element, ...]]:
    """`elements` in columns of at most `high` units with `gap` between them; at least one column.

    One that is alone too high stands alone and is made smaller by the layout: cut it with `pieces` before.
    """
    parts: list[tuple[Element, ...]] = []
    now: list[Element] = []
    used = 0.0
    for element in elements:
        needs = room.height_of(element)
        if now and used + gap + needs > high:
            parts.append(tuple(now))
            now, used = [], 0.0
        used += needs + (gap if now else 0.0)
        now.append(element)
    return [*parts, tuple(now)] if now or not parts else parts


def pieces(words: str, make: Make, room: Room, high: float) -> list[Element]:
    """`words` in as many elements as none is higher than `high` units, cut at the end of a sentence if one is
    near. `make(part, first)` makes an element of a part; nothing but spaces is lost."""
    made: list[Element] = []
    while words:
        first = not made
        low, length = 1, min(len(words), MOST_SPOKEN)
        if room.height_of(make(words[:length], first)) > high:
            while low < length:
                middle = (low + length + 1) // 2
                fits = room.height_of(make(words[:middle], first)) <= high
                low, length = (middle, length) if fits else (low, middle - 1)
        if length < len(words):
            length = _sentence(words, length)
        made.append(make(words[:length].strip(), first))
        words = words[length:].strip()
    return made


def _sentence(words: str, length: int) -> int:
    """The end of the last sentence, else of the last clause or word, in the second half of `length`."""
    for marks in (("。", "！", "？", "；", "\n", ". ", "; "), ("，", "、", ", "), (" ",)):
        ends = [at + len(mark) for mark in marks if (at := words.rfind(mark, length // 2, length)) >= 0]
        if ends:
            return max(ends)
    return length
