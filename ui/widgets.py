"""The parts that pages share, so that all of them look and speak alike."""

from __future__ import annotations

from ui.elements import Art, Box, Element, Gap, Text, column, row

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
    icon_args: tuple[str | int | float | bool, ...] = (),
    under: str = "",
    size: str = "large",
    grow: float = 0.0,
    height: float = 0.0,
    width: float = 0.0,
    off: bool = False,
    align: str = "center",
    label: str = "",
) -> Box:
    """A target with words, an icon before them, and a smaller line `under` them."""
    fill, ink, line = KINDS["off" if off else kind]
    texts: list[Element] = [Text(words, size, ink, align=align)]  # type: ignore[arg-type]
    if under:
        texts.append(Text(under, "small", ink if kind != "plain" else "soft", align=align))  # type: ignore[arg-type]
    if icon is None:
        inside: tuple[Element, ...] = (column(*texts, justify="center", grow=1.0),)
        axis = "column"
    else:
        inside = (
            Art(icon, 6.0, 6.0, ink, icon_args),
            column(*texts, justify="center", grow=1.0),
        )
        axis = "row"
    return Box(
        inside, axis=axis, gap=1.8, pad=(2.0, 1.2), fill=fill, line=line, grow=grow, height=height,  # type: ignore[arg-type]
        width=width, touch=action, off=off, label=label, justify="center",
    )  # fmt: skip


def notice(words: str, *, kind: str = "plain", icon: str = "info", size: str = "body") -> Box:
    """A message in a band of its own: what is so, and what to do now."""
    fill, ink, line = KINDS[kind]
    return row(
        Art(icon, 6.0, 6.0, ink),
        Text(words, size, ink, grow=1.0),
        gap=2.0, pad=(2.4, 1.6), fill=fill, line=line, align="center",
    )  # fmt: skip


def space(units: float = 2.0) -> Gap:
    return Gap(units)


def rest(share: float = 1.0) -> Gap:
    """All that is left."""
    return Gap(grow=share)
