"""What is too long for one page, in parts with 上一页 and 下一页: nobody has to drag anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ui.elements import Element, Gap, Text, row
from ui.kiosk.step import Room
from ui.layout import height_of
from ui.theme import load_theme
from ui.widgets import button

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

EARLIER: Final = "earlier"
LATER: Final = "later"


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
        return row(
            button(kiosk.text("kiosk_pager.earlier"), EARLIER, grow=2.0, size=size, off=self.part == 0),
            Text(f"{self.part + 1}/{self.parts}", "body", align="center", grow=1.0, lines=1),
            button(kiosk.text("kiosk_pager.later"), LATER, grow=2.0, size=size, off=self.part + 1 == self.parts),
            gap=2.0, height=room.target, align="center", name="pager",
        )  # fmt: skip

    def place(self, kiosk: Kiosk) -> str:
        """For speech: "第2页，共5页"; "" where there is one part."""
        if self.parts == 1:
            return ""
        return kiosk.text("kiosk_pager.place", part=self.part + 1, parts=self.parts)


def parted(
    elements: Sequence[Element], wide: float, high: float, gap: float, room: Room, theme: str = "day"
) -> list[tuple[Element, ...]]:
    """`elements` in columns of at most `high` units with `gap` between them; at least one column.

    One that is alone too high stands alone and is made smaller by the layout.
    """
    look = load_theme(theme)
    parts: list[tuple[Element, ...]] = []
    now: list[Element] = []
    used = 0.0
    for element in elements:
        needs = height_of(element, wide, room.screen, look, room.scale)
        if now and used + gap + needs > high:
            parts.append(tuple(now))
            now, used = [], 0.0
        used += needs + (gap if now else 0.0)
        now.append(element)
    return [*parts, tuple(now)] if now or not parts else parts
