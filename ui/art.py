"""Drawings by name: icons, faces, QR codes and pictures from files; drawn large, scaled down, kept.

A drawing is a function (surface, colour, args) on a square of `CANVAS` pixels, or one that makes its own
surface. A page names it in `ui.elements.Art`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any, Final

import pygame

from ui.elements import ABOUT
from ui.kept import Pictures
from ui.theme import Colour

if TYPE_CHECKING:
    from ui.items import Drawing

CANVAS: Final = 256
# Each kind has its own store, as large as it needs. One for all would fill all day with what is shown once.
ICONS_BYTES: Final = 6 * 1024 * 1024
"""A kiosk's icons at all their sizes and in all its colours have about 5 MB."""
FILES_BYTES: Final = 8 * 1024 * 1024
"""Of pictures from files: one that fills 1920×1080, or some that stand beside the calls, of 1 to 2 MB."""
CODES_BYTES: Final = 2 * 1024 * 1024
"""Of QR codes: each is shown to one citizen, and as many as there is room for would push out all else."""

Draw = Callable[[pygame.Surface, Colour, tuple[Any, ...]], None]


def picture(item: Drawing) -> pygame.Surface:
    """The picture of a drawing, for the middle of its place: as large as that, or a file's picture."""
    _, _, wide, high = item.rect
    if ABOUT in item.args:
        wide, high = _even(wide), _even(high)
    key = (item.name, wide, high, item.colour, item.args)
    try:
        return _stores.get(item.name, _icons).get(key, lambda: _picture(*key))
    except _GoneError:  # between two pages; not kept, for the same file may come again
        return pygame.Surface((1, 1), pygame.SRCALPHA)


class _GoneError(Exception):
    """A picture's file is not there, or is none."""


def _even(side: int) -> int:
    """At most a sixty-fourth less."""
    step = 1 << max(0, side.bit_length() - 7)
    return side // step * step


_icons: Final = Pictures(ICONS_BYTES)
_files: Final = Pictures(FILES_BYTES)
_codes: Final = Pictures(CODES_BYTES)
_stores: Final = {"file": _files, "qr": _codes}


def _picture(name: str, wide: int, high: int, colour: Colour, args: tuple[Any, ...]) -> pygame.Surface:
    if name in OWN_SURFACE:
        return OWN_SURFACE[name](wide, high, colour, args)
    canvas = pygame.Surface((CANVAS, CANVAS), pygame.SRCALPHA)
    canvas.fill((*colour, 0))
    ICONS[name](canvas, colour, args)
    return pygame.transform.smoothscale(canvas, (wide, high))


# ---------------------------------------------------------------- icons, on a square of 256


def _face(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """args: grade 1 (very unhappy) … 5 (very happy)."""
    grade = int(args[0])
    pygame.draw.circle(canvas, colour, (128, 128), 118, 14)
    for x in (88, 168):
        pygame.draw.circle(canvas, colour, (x, 102), 15)
    bend = {1: -46, 2: -24, 3: 0, 4: 26, 5: 50}[grade]
    points = [(64 + n * 4, 170 + bend * sin(pi * n / 32)) for n in range(33)]
    points = [(x, y - bend * 0.5) for x, y in points]
    pygame.draw.lines(canvas, colour, False, points, 13)
    for end in (points[0], points[-1]):
        pygame.draw.circle(canvas, colour, end, 6)


def _arrow(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """args: degrees, 0 to the right, 90 up."""
    turn = float(args[0]) * pi / 180 if args else 0.0

    def at(x: float, y: float) -> tuple[float, float]:
        return 128 + x * cos(turn) + y * sin(turn), 128 - x * sin(turn) + y * cos(turn)

    pygame.draw.polygon(canvas, colour, [at(-90, -22), at(10, -22), at(10, -80), at(100, 0), at(10, 80),
                                         at(10, 22), at(-90, 22)])  # fmt: skip


def _tick(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.polygon(canvas, colour, [(30, 138), (62, 104), (106, 148), (194, 56), (226, 90), (106, 212)])


def _cross(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    for a, b in (((52, 52), (204, 204)), ((204, 52), (52, 204))):
        pygame.draw.line(canvas, colour, a, b, 40)


def _check_box(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """args: ticked."""
    pygame.draw.rect(canvas, colour, (24, 24, 208, 208), 18, border_radius=26)
    if args and args[0]:
        pygame.draw.polygon(
            canvas, colour, [(62, 134), (84, 110), (114, 142), (178, 72), (200, 96), (114, 188)]
        )


def _card(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.rect(canvas, colour, (14, 52, 228, 152), 14, border_radius=20)
    pygame.draw.circle(canvas, colour, (78, 112), 24)
    pygame.draw.ellipse(canvas, colour, (42, 144, 72, 40))
    for y in (96, 128, 160):
        pygame.draw.line(canvas, colour, (142, y), (214, y), 12)


def _paper(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.polygon(canvas, colour, [(60, 24), (160, 24), (200, 64), (200, 232), (60, 232)], 14)
    for y in (98, 138, 178):
        pygame.draw.line(canvas, colour, (90, y), (170, y), 12)


def _search(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.circle(canvas, colour, (108, 108), 76, 20)
    pygame.draw.line(canvas, colour, (162, 162), (226, 226), 30)


def _bell(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.ellipse(canvas, colour, (62, 40, 132, 150))
    pygame.draw.rect(canvas, colour, (62, 112, 132, 70))
    pygame.draw.rect(canvas, colour, (38, 178, 180, 22), border_radius=11)
    pygame.draw.circle(canvas, colour, (128, 214), 20)
    pygame.draw.circle(canvas, colour, (128, 38), 16)


def _info(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.circle(canvas, colour, (128, 128), 112, 16)
    pygame.draw.circle(canvas, colour, (128, 78), 17)
    pygame.draw.line(canvas, colour, (128, 116), (128, 190), 28)


def _warning(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.polygon(canvas, colour, [(128, 24), (238, 222), (18, 222)], 18)
    pygame.draw.line(canvas, colour, (128, 92), (128, 156), 22)
    pygame.draw.circle(canvas, colour, (128, 190), 14)


def _clock(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.circle(canvas, colour, (128, 128), 110, 18)
    pygame.draw.line(canvas, colour, (128, 128), (128, 62), 18)
    pygame.draw.line(canvas, colour, (128, 128), (176, 152), 18)


def _person(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.circle(canvas, colour, (128, 84), 52)
    pygame.draw.ellipse(canvas, colour, (36, 148, 184, 168))


def _pin(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.circle(canvas, colour, (128, 100), 76)
    pygame.draw.polygon(canvas, colour, [(66, 142), (190, 142), (128, 240)])
    pygame.draw.circle(canvas, (0, 0, 0, 0), (128, 100), 30)


def _sound(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.polygon(canvas, colour, [(28, 96), (76, 96), (136, 44), (136, 212), (76, 160), (28, 160)])
    for radius in (36, 72):
        box = pygame.Rect(0, 0, 2 * radius, 2 * radius)
        box.center = (146, 128)
        pygame.draw.arc(canvas, colour, box, -pi / 3.2, pi / 3.2, 16)


def _large(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    from ui import fonts

    for text, size, place in (("字", 170, (84, 14)), ("字", 84, (6, 122))):
        canvas.blit(fonts.line(text, size, colour), place)


def _half(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """High contrast: half a disc."""
    pygame.draw.circle(canvas, colour, (128, 128), 104, 16)
    pygame.draw.circle(canvas, colour, (128, 128), 104, draw_top_right=True, draw_bottom_right=True)


def _low(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """Low reach: a person in a wheelchair."""
    pygame.draw.circle(canvas, colour, (104, 40), 26)
    pygame.draw.lines(canvas, colour, False, [(104, 78), (108, 140), (172, 140), (196, 208), (226, 200)], 20)
    pygame.draw.line(canvas, colour, (106, 104), (160, 104), 18)
    pygame.draw.arc(canvas, colour, (40, 104, 128, 128), pi * 0.72, pi * 1.98, 18)


def _touch(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """A hand that points at a screen."""
    pygame.draw.circle(canvas, colour, (112, 76), 62, 12)
    pygame.draw.circle(canvas, (0, 0, 0, 0), (112, 130), 60)
    pygame.draw.rect(canvas, colour, (94, 52, 36, 130), border_radius=18)
    for left, top in ((128, 116), (160, 124), (192, 134)):
        pygame.draw.rect(canvas, colour, (left, top, 30, 80), border_radius=15)
    palm = [(94, 150), (222, 156), (222, 190), (196, 244), (122, 244), (94, 210)]
    pygame.draw.polygon(canvas, colour, palm)
    pygame.draw.line(canvas, colour, (62, 150), (106, 204), 30)
    pygame.draw.circle(canvas, colour, (62, 150), 15)


def _phone(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    pygame.draw.rect(canvas, colour, (66, 14, 124, 228), 16, border_radius=24)
    pygame.draw.line(canvas, colour, (110, 40), (146, 40), 8)
    pygame.draw.rect(canvas, colour, (98, 90, 60, 60), 12)
    pygame.draw.rect(canvas, colour, (118, 110, 20, 20))
    pygame.draw.circle(canvas, colour, (128, 206), 12)


def _keys(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """A keyboard."""
    pygame.draw.rect(canvas, colour, (8, 60, 240, 140), 14, border_radius=18)
    for y in (92, 124):
        for x in range(36, 212, 30):
            pygame.draw.rect(canvas, colour, (x, y, 20, 18))
    pygame.draw.rect(canvas, colour, (72, 158, 112, 18))


def _code(canvas: pygame.Surface, colour: Colour, args: tuple[Any, ...]) -> None:
    """A QR code as a sign, not to be read."""
    for x, y in ((20, 20), (148, 20), (20, 148)):
        pygame.draw.rect(canvas, colour, (x, y, 88, 88), 16)
        pygame.draw.rect(canvas, colour, (x + 31, y + 31, 26, 26))
    for x, y in ((148, 148), (204, 148), (176, 176), (148, 204), (212, 212), (204, 180)):
        pygame.draw.rect(canvas, colour, (x, y, 28, 28))


ICONS: Final[dict[str, Draw]] = {
    "face": _face,
    "arrow": _arrow,
    "tick": _tick,
    "cross": _cross,
    "check_box": _check_box,
    "card": _card,
    "paper": _paper,
    "search": _search,
    "bell": _bell,
    "info": _info,
    "warning": _warning,
    "clock": _clock,
    "person": _person,
    "pin": _pin,
    "sound": _sound,
    "large": _large,
    "half": _half,
    "low": _low,
    "touch": _touch,
    "phone": _phone,
    "keys": _keys,
    "code": _code,
}


# ---------------------------------------------------------------- what makes its own surface


def _qr(wide: int, high: int, colour: Colour, args: tuple[Any, ...]) -> pygame.Surface:
    """args: the text. Black on white with four modules of quiet zone, whatever the theme: readers want it."""
    import segno

    rows = list(segno.make(str(args[0]), error="m", micro=False).matrix_iter(border=4))
    code = pygame.Surface((len(rows), len(rows)))
    code.fill((255, 255, 255))
    for y, cells in enumerate(rows):
        for x, dark in enumerate(cells):
            if dark:
                code.set_at((x, y), (0, 0, 0))
    times = max(1, min(wide, high) // len(rows))
    surface = pygame.Surface((wide, high))
    surface.fill((255, 255, 255))
    scaled = pygame.transform.scale_by(code, times)
    surface.blit(scaled, scaled.get_rect(center=(wide // 2, high // 2)))
    return surface


def _file(wide: int, high: int, colour: Colour, args: tuple[Any, ...]) -> pygame.Surface:
    """args: a path, and `ABOUT` or nothing. All of the picture, as large as it has room."""
    try:
        found = pygame.image.load(str(args[0]))
    except (pygame.error, OSError) as error:
        raise _GoneError from error
    scale = min(wide / found.get_width(), high / found.get_height())
    size = (max(1, round(found.get_width() * scale)), max(1, round(found.get_height() * scale)))
    return pygame.transform.smoothscale(found.convert_alpha(), size)


OWN_SURFACE: Final[dict[str, Callable[[int, int, Colour, tuple[Any, ...]], pygame.Surface]]] = {
    "qr": _qr,
    "file": _file,
}
