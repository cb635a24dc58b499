"""Colours, type sizes and the hall's own look, from a TOML file: `ui/themes/*.toml`, or a hall's own.

A hall's file may `base` itself on one that ships and say only what differs, for example::

    base = "day"
    logo = "/etc/paihao/logo.png"
    [hall_name]
    zh-CN = "清河区政务服务中心"
    [colours]
    accent = "#8c1d18"
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from wire.checked_toml import TomlProblems, convert

Colour = tuple[int, int, int]

FOLDER: Final = Path(__file__).parent / "themes"
READ: Final = (
    *((ink, ground) for ink in ("ink", "soft") for ground in ("ground", "surface")),
    *((f"{role}_ink", role) for role in ("accent", "good", "warn", "bad", "call")),
)
"""What is written on what: pairs of roles whose contrast is at least `LEAST_CONTRAST`."""
LEAST_CONTRAST: Final = 7.0
_HEX: Final = re.compile(r"#([0-9a-fA-F]{6})\Z")

Units = Annotated[float, msgspec.Meta(gt=0, le=100)]


class Colours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each `#rrggbb`. `…_ink` is written on the colour of that name, `ink` and `soft` on ground, surface."""

    ground: str
    surface: str
    ink: str
    soft: str
    line: str
    accent: str
    accent_ink: str
    good: str
    good_ink: str
    warn: str
    warn_ink: str
    bad: str
    bad_ink: str
    call: str
    call_ink: str
    focus: str


class Sizes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Heights of type in units (hundredths of the screen's shorter side)."""

    small: Units = 3.6
    body: Units = 4.6
    large: Units = 5.8
    title: Units = 7.2
    number: Units = 16.0
    giant: Units = 26.0


class ThemeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says. `target_mm`: the least width and height of what is touched.

    `fonts`: files, or folders of them, for characters that Noto Sans CJK lacks.
    """

    colours: Colours
    sizes: Sizes = Sizes()
    target_mm: Annotated[float, msgspec.Meta(ge=15, le=40)] = 15.0
    radius: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.6
    logo: str | None = None
    hall_name: dict[str, str] = {}
    fonts: tuple[str, ...] = ()


class Theme:
    """A theme that can be drawn with."""

    def __init__(self, name: str, file: ThemeFile) -> None:
        self.name = name
        self.file = file
        self.target_mm = file.target_mm
        self.radius = file.radius
        self._colours = {role: _colour(value) for role, value in msgspec.structs.asdict(file.colours).items()}
        self._sizes: dict[str, float] = msgspec.structs.asdict(file.sizes)

    def colour(self, role: str) -> Colour:
        """By the names of `Colours`. Raises KeyError."""
        return self._colours[role]

    def size(self, name: str | float) -> float:
        """Units, by the names of `Sizes`; units stay what they are. Raises KeyError."""
        return self._sizes[name] if isinstance(name, str) else name


def _colour(value: str) -> Colour:
    """Of a value that is known to be `#rrggbb`."""
    red, green, blue = bytes.fromhex(value[1:])
    return red, green, blue


@cache
def load_theme(name: str) -> Theme:
    """A theme that ships, by its name, or a file by its path, checked whole. Raises TomlProblems, OSError."""
    file = convert(_values(name, 0), ThemeFile, Path(name).name)
    problems = [f"{Path(name).name}: {problem}" for problem in _problems(file)]
    if problems:
        raise TomlProblems(problems)
    return Theme(name, file)


def _problems(file: ThemeFile) -> list[str]:
    """What its types do not say; every mistake at once."""
    colours: dict[str, str] = msgspec.structs.asdict(file.colours)
    problems = [
        f"colours.{role}: {value!r} 不是 #rrggbb · is not #rrggbb"
        for role, value in colours.items()
        if not _HEX.match(value)
    ]
    if not problems:
        for ink, ground in READ:
            found = contrast(_colour(colours[ink]), _colour(colours[ground]))
            if found < LEAST_CONTRAST:
                problems.append(
                    f"colours: {ground} 上的 {ink} 看不清，对比度 {found:.1f}，应至少为 {LEAST_CONTRAST:g} · "
                    f"{ink} on {ground} is hard to read: contrast {found:.1f}, at least {LEAST_CONTRAST:g}"
                )
    if file.logo is not None and not Path(file.logo).is_file():
        problems.append(f"logo: 没有这个文件 · there is no such file: {file.logo}")
    for place in file.fonts:
        if not Path(place).exists():
            problems.append(f"fonts: 没有这个文件或文件夹 · there is no such file or folder: {place}")
    return problems


def _values(name: str, depth: int) -> dict[str, Any]:
    path = FOLDER / f"{name}.toml" if re.fullmatch(r"[a-z_]+", name) else Path(name)
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TomlProblems([f"{path.name}: {error}"]) from error
    base = values.pop("base", None)
    if base is None:
        return values
    if depth > 3 or not isinstance(base, str):
        raise TomlProblems([f"{path.name}: base 不对 · base is wrong"])
    return _merged(_values(base, depth + 1), values)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(both.get(key), dict):
            both[key] = _merged(both[key], value)
        else:
            both[key] = value
    return both


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio, 1 to 21, by WCAG 2.2, "contrast ratio" and "relative luminance"."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
