"""What stands round every step: header with the hall and the clock, a line for what is so now, the footer.

The line is always there, so that nothing moves under a finger when it has something to say; on small screens
it takes the place of the hall's name. On them, on upright ones, whose top is beyond the reach of many, and
where controls must lie low, language and modes stand in the footer with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Gap, Page, Text, column, growing, row
from ui.kiosk.services import can_print, card_works, hall_why, halves
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_card import greeting, offered_words
from ui.screen import Screen
from ui.widgets import button

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

LOW_PART: Final = 0.6
"""Share of a large screen, from below, in which controls lie where they must lie low."""
LOW_PART_LARGE: Final = 0.72
"""The same in elder mode: large type needs more room, and a kiosk's screen still ends within reach."""
TARGET_MM: Final = 15.0
KEYS_GAP: Final = 2.0
USUAL: Final = 3.6
"""Units: as small as usual type may get the frame's own may get in elder mode too."""


_LOOKS: Final = {
    "notice": ("warn", "warn_ink"),
    "trouble": ("warn", "warn_ink"),
    "person": ("good", "good_ink"),
    "hint": ("surface", "soft"),
    "": ("surface", "soft"),
}
"""Fill and ink of the line, by what kind of thing it says."""


@dataclass(frozen=True, slots=True)
class _Measures:
    """Heights and margins in units."""

    head: float
    line: float
    above: float
    foot: float
    margin: float
    edge: float


def framed(kiosk: Kiosk, step: Step, screen: Screen, now: float) -> Page:
    """The page of `step` with its frame."""
    low = kiosk.modes.low_reach and not screen.small
    wide, high = screen.width / screen.unit, screen.height / screen.unit
    target = screen.from_mm(TARGET_MM) / screen.unit
    gathered = screen.small or low or screen.portrait
    size = _measures(screen, kiosk.modes.scale, target, low)
    left = high - size.head - size.line - size.above - size.foot - 2 * size.edge
    room = Room(screen, wide - 2 * size.margin, left, target, kiosk.modes.scale)
    left_s = kiosk.left_s(now)
    asks = left_s is not None and kiosk.warns(step) == "page"
    inner = _still_there(kiosk, left_s or 0.0) if asks else step.body(kiosk, room)
    # Shares of the height, not wishes: what has less room than it wants makes its type smaller.
    parts = [growing(_header(kiosk, screen, now, size.head, gathered), size.head)]
    if size.line:
        parts.append(
            growing(
                _band(
                    kiosk, now, size.line, "large" if screen.portrait and kiosk.modes.scale == 1.0 else "body"
                ),
                size.line,
            )
        )
    if low:
        parts.append(growing(_above(kiosk, size.above), size.above))
    parts.append(column(inner, pad=(size.margin, size.edge), grow=left + 2 * size.edge, name="body"))
    if left_s is not None and kiosk.warns(step) == "foot":
        parts.append(growing(_asking_foot(kiosk, left_s, size), size.foot))
    else:
        parts.append(growing(_footer(kiosk, step, screen, size, gathered, asks), size.foot))
    return Page(
        f"{step.name}-asking" if asks else step.name,
        column(*parts),
        language=kiosk.language,
        theme="contrast" if kiosk.modes.contrast else None,
        scale=kiosk.modes.scale,
        speech=kiosk.text("still_there_speech") if left_s is not None else step.speech(kiosk),
    )


def _measures(screen: Screen, scale: float, target: float, low: bool) -> _Measures:
    if screen.small:
        return _Measures(8.0 if scale == 1.0 else 9.0, 0.0, 0.0, target + 1.6, 2.0, 1.0)
    head, line = 11.0 * min(scale, 1.2), 7.0 * min(scale, 1.25)
    foot = max(target, 10.0)
    if screen.portrait:
        line += 4.0 if scale == 1.0 else 7.0
        foot = 2 * foot * min(scale, 1.2) + KEYS_GAP
    part = LOW_PART if scale == 1.0 else LOW_PART_LARGE
    above = max(0.0, screen.height / screen.unit * (1 - part) - head - line) if low else 0.0
    return _Measures(head, line, above, foot + 3.0, 4.0, 2.5)


# ---------------------------------------------------------------- above


def _header(kiosk: Kiosk, screen: Screen, now: float, height: float, gathered: bool) -> Element:
    size = "body" if screen.small or kiosk.modes.elder else "large"
    kind, words = _line(kiosk, now) if screen.small else ("", "")
    said = kind in ("notice", "trouble", "person")
    if not said:
        name = kiosk.catalogue.hall_name if kiosk.catalogue is not None else kiosk.hall_name
        words = kiosk.local(name) or kiosk.text("kiosk")
    fill, ink = ("warn", "warn_ink") if said and kind != "person" else ("accent", "accent_ink")
    parts: list[Element] = []
    if kiosk.logo is not None:
        parts.append(Art("file", height * 0.7, height * 0.7, args=(kiosk.logo,)))
    least = USUAL / kiosk.modes.scale
    parts.append(Text(words, size, ink, grow=1.0, lines=2, least=least, strong=not said))
    if (at := kiosk.hall_time(now)) is not None:
        parts.append(Text(at.strftime("%H:%M"), size, ink))
    if not gathered:
        parts += _switches(kiosk, "body")
    return row(
        *parts, fill=fill, pad=(2.0 if screen.small else 4.0, 0.8), radius=0.0, gap=2.5,
        height=height, align="center", name="header",
    )  # fmt: skip


def _line(kiosk: Kiosk, now: float) -> tuple[str, str]:
    """What is so now, the most urgent of it, and its kind: notice, trouble, person or hint."""
    state = kiosk.state
    if notice := kiosk.notice(now):
        return "notice", _joined(kiosk, *halves(notice))
    if state is None or not kiosk.connected:
        return "", ""
    if state.help != "none":
        return "notice", kiosk.text(f"kiosk_help.{state.help}")
    gives = kiosk.showing.to_number and not hall_why(kiosk)
    if not state.online:
        return "trouble", kiosk.text("offline" if gives else "offline_closed")
    if not can_print(kiosk):
        return "trouble", kiosk.text("no_printing")
    if kiosk.card is not None or kiosk.offered is not None:
        return "person", _joined(kiosk, greeting(kiosk), offered_words(kiosk))
    return ("hint", kiosk.text("card_any_time")) if gives and card_works(kiosk) else ("", "")


def _joined(kiosk: Kiosk, *parts: str) -> str:
    """In one line, as sentences of the language are joined."""
    return ("，" if kiosk.language.startswith("zh") else ". ").join(part for part in parts if part)


def _switches(kiosk: Kiosk, size: str) -> list[Box]:
    return [
        button(kiosk.text("other_language"), "language", size=size, width=14.0),
        button(kiosk.text("modes"), "modes", size=size, width=14.0),
    ]


def _band(kiosk: Kiosk, now: float, height: float, size: str) -> Element:
    kind, words = _line(kiosk, now)
    fill, ink = _LOOKS[kind]
    parts: list[Element] = [
        Text(words, size, ink, align="left", lines=3, grow=1.0, least=USUAL / kiosk.modes.scale)
    ]
    if kind in ("hint", "person"):
        parts.insert(0, Art("card", 5.0, 5.0, ink))
    return row(
        *parts, fill=fill, radius=0.0, pad=(4.0, 0.6), gap=1.5, align="center", height=height, name="line"
    )  # fmt: skip


def _above(kiosk: Kiosk, height: float) -> Element:
    """What fills the part of the screen that is out of reach: nothing to touch."""
    if height < 16.0 * kiosk.modes.scale:
        return Gap(height)
    return column(
        Gap(grow=1.0),
        Text(kiosk.text("look_below"), "large", "soft", align="center"),
        Art("arrow", 7.0, 7.0, "soft", (270,)),
        Gap(grow=1.0),
        gap=1.0, height=height, name="above",
    )  # fmt: skip


# ---------------------------------------------------------------- below


def _footer(kiosk: Kiosk, step: Step, screen: Screen, size: _Measures, gathered: bool, asks: bool) -> Element:
    if asks:
        return row(
            button(kiosk.text("home"), "home", grow=1.0),
            button(kiosk.text("stay"), "stay", kind="main", grow=2.0),
            gap=2.0, pad=(size.margin, 0.8), height=size.foot, name="footer",
        )  # fmt: skip
    names = []
    if step.can_back:
        names.append(("back", "back"))
    if step.can_home:
        names.append(("home", "home"))
    switches = [("other_language", "language"), ("modes", "modes")] if gathered else []
    if not screen.portrait:
        names, switches = [*names, *switches], []
    if step.can_help:
        names.append(("help", "help"))
    lines = [line for line in (switches, names) if line]
    if not lines:
        return Gap(size.foot)
    rows = [_keys(kiosk, screen, line) for line in lines]
    return column(*rows, gap=KEYS_GAP, pad=(size.margin, 0.8), height=size.foot, name="footer")


def _keys(kiosk: Kiosk, screen: Screen, names: list[tuple[str, str]]) -> Box:
    """Keys in one row, all in one type: that of modes, which has the longest name, is wider among many."""
    crowded = not screen.portrait and ("modes", "modes") in names
    size = "body" if crowded and kiosk.modes.elder else "large"
    # Who needs the controls low looks for the wheelchair, not for a word.
    icons = {"modes": "low"} if screen.portrait else {}
    wide = {"modes": 1.5} if crowded else {}
    keys = [
        button(kiosk.text(name), action, size=size, icon=icons.get(name), grow=wide.get(name, 1.0))
        for name, action in names
    ]
    return row(*keys, gap=KEYS_GAP, grow=1.0)


def _asking_foot(kiosk: Kiosk, left_s: float, size: _Measures) -> Element:
    return row(
        Text(kiosk.text("ends_in", seconds=_whole(left_s)), "large", "warn_ink", grow=1.0, lines=2),
        button(kiosk.text("stay"), "stay", kind="main", width=40.0),
        gap=2.0, pad=(size.margin, 0.8), height=size.foot, fill="warn", radius=0.0, name="footer",
    )  # fmt: skip


def _still_there(kiosk: Kiosk, left_s: float) -> Box:
    return column(
        Gap(grow=1.0),
        Text(kiosk.text("still_there"), "title", align="center", strong=True),
        Text(str(_whole(left_s)), "number", "accent", align="center", strong=True),
        Text(kiosk.text("ends_in", seconds=_whole(left_s)), "large", align="center"),
        Gap(grow=1.0),
        gap=2.0, grow=1.0, touch="stay", label=kiosk.text("stay"), name="still_there",
    )  # fmt: skip


def _whole(seconds: float) -> int:
    return int(seconds + 0.999)
