"""What stands round every step: header with the hall and the clock, a line for what is wrong, the footer.

On small screens, and where controls must lie low, language and modes stand in the footer with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Art, Box, Element, Gap, Page, Text, column, row
from ui.kiosk.step import Room, Step
from ui.screen import Screen
from ui.widgets import button

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

LOW_PART = 0.56
"""Share of a tall or large screen, from below, that somebody in a wheelchair reaches."""
TARGET_MM = 15.0


def framed(kiosk: Kiosk, step: Step, screen: Screen, now: float) -> Page:
    """The page of `step` with its frame."""
    target = screen.from_mm(TARGET_MM) / screen.unit
    thin = screen.small
    low = kiosk.modes.low_reach and not screen.small
    scale = kiosk.modes.scale
    margin = 2.0 if thin else 4.0
    head = _header_height(thin, scale)
    foot = max(target + 1.2, (7.0 if thin else 9.0) * min(scale, 1.25)) + (1.2 if thin else 3.0)
    wide, high = screen.width / screen.unit, screen.height / screen.unit
    banner = _banner(kiosk, thin, scale)
    band = _band_height(banner, wide, scale) if banner is not None else 0.0
    above = 0.0
    if low:
        above = max(0.0, high * (1 - LOW_PART) - head - band)
    left_s = kiosk.left_s(now)
    asking = left_s is not None and step.warns == "page"
    room = Room(
        screen, wide - 2 * margin, high - head - band - above - foot - 2 * margin * 0.6, target, scale
    )
    inner: Element
    if asking:
        assert left_s is not None
        inner = _still_there(kiosk, left_s, room)
    else:
        inner = step.body(kiosk, room)
    parts: list[Element] = [_header(kiosk, screen, now, head, thin or low)]
    if banner is not None:
        parts.append(Box((banner,), height=band))
    if low:
        parts.append(Box((_above(kiosk, step),), height=above, justify="center", align="center"))
    parts.append(column(inner, pad=(margin, margin * 0.6), grow=1.0, name="body"))
    if left_s is not None and step.warns == "foot":
        parts.append(_asking_foot(kiosk, left_s, foot, margin))
    else:
        parts.append(_footer(kiosk, step, foot, margin, thin or low, asking))
    return Page(
        f"{step.name}-asking" if asking else step.name,
        column(*parts),
        language=kiosk.language,
        theme="contrast" if kiosk.modes.contrast else None,
        scale=scale,
        speech=kiosk.text("still_there_speech") if left_s is not None else step.speech(kiosk),
    )


# ---------------------------------------------------------------- above


def _header_height(thin: bool, scale: float) -> float:
    return (8.0 if thin else 11.0) * scale


def _header(kiosk: Kiosk, screen: Screen, now: float, height: float, plain: bool) -> Element:
    catalogue = kiosk.catalogue
    size = "body" if screen.small else "large"
    name = kiosk.local(catalogue.hall_name) if catalogue is not None else kiosk.text("kiosk")
    parts: list[Element] = []
    if kiosk.logo is not None:
        parts.append(Art("file", height * 0.7, height * 0.7, args=(kiosk.logo, "fit")))
    parts.append(Text(name, size, "accent_ink", grow=1.0, lines=1 if screen.small else 2, strong=True))
    if (at := kiosk.hall_time(now)) is not None:
        parts.append(Text(at.strftime("%H:%M"), size, "accent_ink"))
    if not plain:
        parts += [_language(kiosk), _modes(kiosk)]
    return row(
        *parts, fill="accent", pad=(2.0 if screen.small else 4.0, 0.8), radius=0.0, gap=2.5,
        height=height, align="center", name="header",
    )  # fmt: skip


def _language(kiosk: Kiosk) -> Box:
    return button(kiosk.text("other_language"), "language", size="body", width=16.0)


def _modes(kiosk: Kiosk) -> Box:
    return button(kiosk.text("modes"), "modes", size="body", width=16.0)


def _banner(kiosk: Kiosk, thin: bool, scale: float) -> Element | None:
    """The one thing that is wrong and that the citizen should know."""
    words = None
    if kiosk.connected and kiosk.state is not None and not kiosk.state.online:
        words = kiosk.text("offline")
    elif kiosk.state is not None and kiosk.state.help != "none":
        words = kiosk.text(f"help_{kiosk.state.help}")
    if words is None:
        return None
    return row(
        Text(words, "small" if thin else "body", "warn_ink", align="center", grow=1.0),
        fill="warn", radius=0.0, pad=(3.0, 0.6), align="center", name="banner", grow=1.0,
    )  # fmt: skip


def _band_height(banner: Element, wide: float, scale: float) -> float:
    return 6.0 * scale if wide > 120 else 8.0 * scale


def _above(kiosk: Kiosk, step: Step) -> Element:
    """What fills the part of the screen that is out of reach: nothing to touch."""
    return Text(kiosk.text("look_below"), "large", "soft", align="center")


# ---------------------------------------------------------------- below


def _footer(kiosk: Kiosk, step: Step, height: float, margin: float, whole: bool, asking: bool) -> Element:
    if asking:
        return row(
            button(kiosk.text("home"), "home", grow=1.0),
            button(kiosk.text("stay"), "stay", kind="main", grow=2.0),
            gap=2.0, pad=(margin, 0.6), height=height,
        )  # fmt: skip
    size = "body" if whole else "large"
    parts: list[Element] = []
    if step.can_back:
        parts.append(button(kiosk.text("back"), "back", grow=1.0, size=size))
    if step.can_home:
        parts.append(button(kiosk.text("home"), "home", grow=1.0, size=size))
    if whole:
        parts.append(button(kiosk.text("other_language"), "language", grow=1.0, size=size))
        parts.append(button(kiosk.text("modes"), "modes", grow=1.0, size=size))
    if step.can_help:
        parts.append(button(kiosk.text("help"), "help", grow=1.0, size=size))
    if not parts:
        return Gap(height)
    return row(*parts, gap=2.0, pad=(margin, 0.6), height=height, name="footer")


def _asking_foot(kiosk: Kiosk, left_s: float, height: float, margin: float) -> Element:
    return row(
        Text(kiosk.text("ends_in", seconds=int(left_s + 0.999)), "large", "warn_ink", grow=1.0),
        button(kiosk.text("stay"), "stay", kind="main"),
        gap=2.0, pad=(margin, 0.6), height=height, fill="warn", radius=0.0, name="footer", align="center",
    )  # fmt: skip


def _still_there(kiosk: Kiosk, left_s: float, room: Room) -> Element:
    seconds = int(left_s + 0.999)
    return column(
        Gap(grow=1.0),
        Text(kiosk.text("still_there"), "title", align="center", strong=True),
        Text(str(seconds), "number", "accent", align="center", strong=True),
        Text(kiosk.text("ends_in", seconds=seconds), "large", align="center"),
        Gap(grow=1.0),
        gap=2.0, grow=1.0, touch="stay", name="still_there",
    )  # fmt: skip
