"""Code 128 barcodes: as ESC/POS commands and as dots. No I/O.

    start B or C, one symbol for each character (C: for each two digits), checksum, stop
    checksum = (start + Σ position × value) mod 103

    1D 68 h   height in dots      1D 77 w   dots of a module      1D 48 p   text: 0 none, 2 below
    1D 6B 49 n  7B 42 … or 7B 43 …          n bytes, `{B` or `{C` first; `{` itself is `{{`

Sources: ISO/IEC 15417:2007, table 1 (patterns) and annex A; Seiko Epson, ESC/POS command reference (GS k,
function B, m = 73).
"""

from __future__ import annotations

from typing import Final

from drivers.ticket_printer.escpos_frames import Bitmap, without_real_time

LONGEST: Final = 60
"""Characters of one barcode."""
QUIET: Final = 10
"""White modules that a reader wants on either side."""
_START_B: Final = 104
_START_C: Final = 105
_STOP: Final = "2331112"
_PATTERNS: Final = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132
122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212
322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311
112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214
112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212
124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113
411311 113141 114131 311141 411131 211412 211214 211232
""".split()  # noqa: SIM905
"""Widths of bar, space, bar, space, bar, space of each value, 0 to 105."""


class BarcodeError(ValueError):
    """Not printable ASCII, empty, or too long."""


def modules(payload: str) -> str:
    """The bars as "1" (black) and "0", without the quiet zones. Raises BarcodeError."""
    values = _values(payload)
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    widths = "".join([*(_PATTERNS[value] for value in (*values, check)), _STOP])
    return "".join(("0" if place % 2 else "1") * int(width) for place, width in enumerate(widths))


def barcode_command(payload: str, module: int, height: int) -> bytes:
    """For the printer to draw, without text. `module` 2–6 dots, `height` 1–255. Raises BarcodeError."""
    values = _values(payload)
    if values[0] == _START_C:
        data = b"{C" + bytes(values[1:])
    else:
        data = b"{B" + payload.encode("ascii").replace(b"{", b"{{")
    return bytes((0x1D, 0x68, height, 0x1D, 0x77, module, 0x1D, 0x48, 0, 0x1D, 0x6B, 73, len(data))) + data


def barcode_bitmap(payload: str, module: int, height: int, left: int = 0) -> Bitmap:
    """The bars as dots, `left` white dots before them. Raises BarcodeError."""
    dots = "0" * left + "".join(bar * module for bar in modules(payload))
    width = (len(dots) + 7) // 8
    return Bitmap(width, int(dots.ljust(width * 8, "0"), 2).to_bytes(width, "big") * height)


def _values(payload: str) -> list[int]:
    """Start and characters."""
    if not payload or len(payload) > LONGEST or not (payload.isascii() and payload.isprintable()):
        raise BarcodeError(f"a barcode has to be 1 to {LONGEST} characters of printable ASCII")
    if payload.isdigit() and len(payload) % 2 == 0:
        pairs = bytes(int(payload[n : n + 2]) for n in range(0, len(payload), 2))
        if pairs == without_real_time(pairs):  # 16 04 would be a question to the printer
            return [_START_C, *pairs]
    return [_START_B, *(ord(char) - 32 for char in payload)]
