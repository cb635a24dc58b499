"""The parts that pages share, so that all of them look and speak alike."""

from __future__ import annotations

from ui.elements import Art, Box, Element, Gap, Text, column

KINDS = {
    "main": ("accent", "accent_ink", None),
    "plain": ("surface", "ink", "line"),
    "good": ("good", "good_ink", None),
    "bad": ("bad", "bad_ink", None),
    "warn": ("warn", "warn_ink", None),
    "off": ("ground", "soft", "line"),
}
"""Looks of a button: fill, ink, border."""


def button(
    words: str,
    action: str,
    *,
    kind: str = "plain",
    icon: str | None = None,
    size: str = "large",
    grow: float = 0.0,
    height: float = 0.0,
    width: float = 0.0,
    off: bool = False,
) -> Box:
    """A target with words, and an icon before them."""
    fill, ink, line = KINDS["off" if off else kind]
    text = column(Text(words, size, ink, align="center"), justify="center", grow=1.0)
    parts: tuple[Element, ...] = (text,) if icon is None else (Art(icon, 6.0, 6.0, ink), text)
    return Box(
        parts, axis="column" if icon is None else "row", gap=1.8, pad=(2.0, 1.2), fill=fill, line=line,
        grow=grow, height=height, width=width, touch=action, off=off, justify="center",
    )  # fmt: skip


def rest(share: float = 1.0) -> Gap:
    """All that is left."""
    return Gap(grow=share)
