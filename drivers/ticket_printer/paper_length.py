"""How much paper a print job takes, read from its bytes.

From the bytes, so that it holds for text, dots and templates alike. Feeding commands and their units: Seiko
Epson, ESC/POS command reference (LF, ESC J, ESC d, ESC 3, ESC 2, GS !, GS v 0, GS ( k, GS k, GS h); one unit
is one dot of 1/8 mm.
"""

from __future__ import annotations

from typing import Final

DOTS_PER_MM: Final = 8
_DEFAULT_PITCH: Final = 30
"""ESC 2, as the makes round it."""
_CELL: Final = 24
_BARCODE_HEIGHT: Final = 162
_LENGTHS: Final[dict[bytes, int]] = {
    **dict.fromkeys((b"\x1b@", b"\x1b2", b"\x1bi", b"\x1bm", b"\x1c&", b"\x1c.", b"\x1d\xe4"), 2),
    b"\x1dP": 4,
    b"\x1cP": 6,
    b"\x1de\x03": 4,
}
"""Commands that feed nothing and have another length than three."""
# Data bytes of a QR code (level M, version 1 upwards), ISO/IEC 18004 table 7.
_QR_BYTES: Final = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450)


def job_mm(*parts: bytes) -> float:
    """Millimetres of paper that whole commands feed. Bytes that are no such commands count as text."""
    return _Meter(b"".join(parts)).dots / DOTS_PER_MM


def qr_modules(size: int) -> int:
    """Modules along a side of a QR code for `size` bytes, level M."""
    version = next((v for v, most in enumerate(_QR_BYTES, 1) if size <= most), len(_QR_BYTES) + 1)
    return 17 + 4 * version


class _Meter:
    def __init__(self, data: bytes) -> None:
        self.dots = 0
        self._data = data
        self._pitch = _DEFAULT_PITCH
        self._height = 1
        self._line_height = 0
        """Of the tallest character of the unprinted line, 0: it is empty."""
        self._barcode_height = _BARCODE_HEIGHT
        self._module = 3
        self._qr_bytes = 0
        at = 0
        while at < len(data):
            at += self._step(at)

    def _step(self, at: int) -> int:
        data = self._data
        first = data[at]
        if first == 0x0A:
            self._line_feed()
            return 1
        if first not in (0x1B, 0x1C, 0x1D):
            if first >= 0x20 and first != 0x7F:
                self._line_height = max(self._line_height, self._height)
            return 1
        two = data[at : at + 2]
        if size := _LENGTHS.get(two) or _LENGTHS.get(data[at : at + 3]):
            if two in (b"\x1b@", b"\x1b2"):
                self._pitch = _DEFAULT_PITCH
            if two == b"\x1b@":
                self._height, self._line_height = 1, 0
            return size
        rest = data[at + 2 : at + 8]
        if not rest:
            return len(two)
        n = rest[0]
        match two:
            case b"\x1b3":
                self._pitch = n
            case b"\x1bJ" | b"\x1bd":
                if self._line_height:
                    self._line_feed()
                self.dots += n if two == b"\x1bJ" else n * self._pitch
            case b"\x1d!":
                self._height = (n & 7) + 1
            case b"\x1dh":
                self._barcode_height = n
            case b"\x1dV":
                return 4 if n in (65, 66, 97, 98) else 3
            case b"\x1dv" if len(rest) == 6:
                rows = int.from_bytes(rest[4:6], "little")
                self.dots += rows
                return 8 + rows * int.from_bytes(rest[2:4], "little")
            case b"\x1dk" if len(rest) > 1:
                self.dots += self._barcode_height
                return 4 + rest[1] if n >= 65 else 3 + max(1, data[at + 3 :].find(0) + 1)
            case b"\x1d(" if len(rest) > 2:
                size = 5 + int.from_bytes(rest[1:3], "little")
                self._parameters(n, data[at + 5 : at + size])
                return size
            case _:
                pass
        return 3

    def _line_feed(self) -> None:
        self.dots += max(self._pitch, _CELL * self._line_height)
        self._line_height = 0

    def _parameters(self, command: int, data: bytes) -> None:
        if command != ord("k") or len(data) < 3 or data[0] != 49:
            return
        match data[1]:
            case 67:
                self._module = data[2]
            case 80:
                self._qr_bytes = len(data) - 3
            case 81:
                self.dots += qr_modules(self._qr_bytes) * self._module
            case _:
                pass
