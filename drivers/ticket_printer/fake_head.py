"""The print head of a fake: bytes of the receive buffer, one command at a time, to ink on paper.

It knows what prints. What the printer itself has to do (cut, answer, start anew, present) it hands back as
a command. Written from the makers' manuals, independent of the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.ticket_printer.printed_paper import (
    Printed,
    PrintedBarcode,
    PrintedFeed,
    PrintedLine,
    PrintedQr,
    PrintedRaster,
    Where,
    half_columns,
)

_ALIGN: Final[tuple[Where, ...]] = ("left", "center", "right")
_SPECIAL: Final[dict[bytes, str]] = {b"\xa1\xa4": "·", b"\xa1\xaa": "—"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing worked through: bytes used, dots of paper fed, and a command for the printer itself."""

    used: int
    dots: int = 0
    command: bytes = b""


class PrintHead:
    """`items` is what stands on the paper since the last `tear`. `commands`: the printer's own, each with
    its whole length; a key of three bytes goes before one of two."""

    def __init__(self, columns: int, extended: bool, commands: Mapping[bytes, int]) -> None:
        self.columns = columns
        self.extended = extended
        self.items: list[Printed] = []
        self.broken = False
        """Something broke off what is on the paper: it is no whole ticket."""
        self.foreign: frozenset[bytes] = frozenset()
        """First two bytes of commands that this make does not know; `on_foreign` is told, nothing is done."""
        self.on_foreign: Callable[[bytes], None] | None = None
        self._commands = commands
        self._prefixes = {key[:2] for key in commands if len(key) == 3}
        self.reset()

    def reset(self) -> None:
        """Power-on modes; an unprinted line is lost."""
        self.line: list[str] = []
        self._columns_used = 0
        self._width = self._height = self._line_width = self._line_height = 1
        self._bold = self._line_bold = False
        self._align: Where = "left"
        self._pitch = 30
        self._chinese = False
        self._qr_module = 3
        self._qr_data = b""
        self._bar_height, self._bar_module = 162, 3

    @property
    def has_ink(self) -> bool:
        return bool(self.line) or any(not isinstance(item, PrintedFeed) for item in self.items)

    def tear(self) -> None:
        """The paper is cut: what follows stands on a new piece."""
        self.items.clear()
        self.broken = False

    def step(self, buffer: bytearray) -> Step | None:
        """The next command or character of `buffer`, which stays as it is; None: it is not all there."""
        if not buffer:
            return None
        if (two := bytes(buffer[:2])) in self.foreign:
            if self.on_foreign is not None:
                self.on_foreign(two)
            return Step(2)
        if (whole := self._own(buffer)) is not None:
            return Step(whole, command=bytes(buffer[:whole])) if whole and len(buffer) >= whole else None
        match buffer[0]:
            case 0x1B:
                return self._escape(buffer)
            case 0x1D:
                return self._group(buffer)
            case 0x1C:
                return self._chinese_command(buffer)
            case 0x0A:
                return Step(1, self._print_line())
            case byte if byte < 0x20 or byte == 0x7F:
                return Step(1)
            case _:
                return self._character(buffer)

    def _own(self, buffer: bytearray) -> int | None:
        """The length of a command of the printer itself, 0: it cannot be told yet; None: it is none."""
        two, three = bytes(buffer[:2]), bytes(buffer[:3])
        if two in self._prefixes and len(three) < 3:
            return 0
        return self._commands.get(three) or self._commands.get(two)

    def _character(self, buffer: bytearray) -> Step | None:
        size = 1
        if self._chinese and buffer[0] >= 0x81:
            size = 2
            if len(buffer) > 1 and self.extended and 0x30 <= buffer[1] <= 0x39:
                size = 4
            if len(buffer) < size:
                return None
            code = bytes(buffer[:size])
            char = code.decode("gb18030" if self.extended else "gb2312", "replace")
            if not self.extended:
                char = _SPECIAL.get(code, char)[:1]
        else:
            char = bytes(buffer[:1]).decode("cp437")
        dots = 0
        columns = (half_columns(char) if size > 1 else 1) * self._width
        if self._columns_used + columns > self.columns:
            dots = self._print_line()
        if not self.line:
            self._line_width, self._line_height, self._line_bold = self._width, self._height, self._bold
        elif self._height > self._line_height:
            self._line_width, self._line_height = self._width, self._height
        self.line.append(char)
        self._columns_used += columns
        return Step(size, dots)

    def _print_line(self) -> int:
        text, self.line, self._columns_used = "".join(self.line), [], 0
        if not text:
            return self._feed(self._pitch)
        height = self._line_height
        pitch = max(self._pitch, 24 * height)
        self.items.append(PrintedLine(text, self._line_width, height, self._line_bold, self._align, pitch))
        return pitch

    def _feed(self, dots: int) -> int:
        self.items.append(PrintedFeed(dots))
        return dots

    def _escape(self, buffer: bytearray) -> Step | None:
        if len(buffer) < 2:
            return None
        command = chr(buffer[1])
        if command == "2":
            self._pitch = 30
            return Step(2)
        if len(buffer) < 3:
            return None
        n, dots = buffer[2], 0
        match command:
            case "a":
                self._align = _ALIGN[n % 48 % 3]
            case "E":
                self._bold = bool(n & 1)
            case "3":
                self._pitch = n
            case "J" | "d":
                dots = self._print_line() if self.line else 0
                dots += self._feed(n if command == "J" else n * self._pitch)
            case _:
                pass
        return Step(3, dots)

    def _group(self, buffer: bytearray) -> Step | None:
        if len(buffer) < 3:
            return None
        command, n = chr(buffer[1]), buffer[2]
        match command:
            case "v":
                return self._raster(buffer)
            case "(":
                return self._parameters(buffer)
            case "k":
                return self._barcode(buffer)
            case "h" if n:
                self._bar_height = n
            case "w" if 2 <= n <= 6:
                self._bar_module = n
            case "!":
                self._width, self._height = (n >> 4 & 7) + 1, (n & 7) + 1
            case _:
                pass
        return Step(3)

    def _raster(self, buffer: bytearray) -> Step | None:
        if len(buffer) < 8:
            return None
        width = int.from_bytes(buffer[4:6], "little")
        height = int.from_bytes(buffer[6:8], "little")
        size = width * height
        if len(buffer) < 8 + size:
            return None
        if not size:
            return Step(8)
        rows = bytes(buffer[8 : 8 + size])
        last = self.items[-1] if self.items else None
        if isinstance(last, PrintedRaster) and (last.width_bytes, last.align) == (width, self._align):
            self.items[-1] = PrintedRaster(width, last.rows + rows, self._align)
        else:
            self.items.append(PrintedRaster(width, rows, self._align))
        return Step(8 + size, height)

    def _parameters(self, buffer: bytearray) -> Step | None:
        if len(buffer) < 5:
            return None
        size = 5 + int.from_bytes(buffer[3:5], "little")
        if len(buffer) < size:
            return None
        command, data = chr(buffer[2]), bytes(buffer[5:size])
        if command != "k" or len(data) < 2 or data[0] != 49:
            return Step(size)
        match data[1]:
            case 67 if len(data) > 2 and 1 <= data[2] <= 16:
                self._qr_module = data[2]
            case 80:
                self._qr_data = data[3:]
            case 81 if self._qr_data:
                item = PrintedQr(self._qr_data.decode("ascii", "replace"), self._qr_module, self._align)
                self.items.append(item)
                return Step(size, 30 * self._qr_module)
            case _:
                pass
        return Step(size)

    def _barcode(self, buffer: bytearray) -> Step | None:
        """GS k: function A ends with 00, function B has its length; of the kinds only Code 128 is drawn."""
        kind = buffer[2]
        if kind < 65:
            end = buffer.find(0, 3, 256)
            return Step(end + 1) if end >= 0 else Step(256) if len(buffer) >= 256 else None
        if len(buffer) < 4 or len(buffer) < 4 + buffer[3]:
            return None
        data = bytes(buffer[4 : 4 + buffer[3]])
        if kind != 73 or (text := _code128_text(data)) is None:
            return Step(4 + len(data))
        self.items.append(PrintedBarcode(text, self._bar_module, self._bar_height, self._align))
        return Step(4 + len(data), self._bar_height)

    def _chinese_command(self, buffer: bytearray) -> Step | None:
        if len(buffer) < 2:
            return None
        if chr(buffer[1]) in "&.":
            self._chinese = buffer[1] == ord("&")
            return Step(2)
        return Step(3) if len(buffer) >= 3 else None


def _code128_text(data: bytes) -> str | None:
    """What `{A`, `{B` or `{C` and characters stand for; None when a printer would not take it."""
    code, text = "", ""
    at = 0
    while at < len(data):
        if data[at] == ord("{"):
            sign = chr(data[at + 1]) if at + 1 < len(data) else ""
            if sign in ("A", "B", "C"):
                code = sign
            elif sign == "{" and code:
                text += sign
            else:
                return None
            at += 2
            continue
        if not code or (code == "C" and data[at] > 99) or data[at] > 127:
            return None
        text += f"{data[at]:02}" if code == "C" else chr(data[at])
        at += 1
    return text or None
