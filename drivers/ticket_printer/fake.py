"""A ticket printer that does not exist: ESC/POS bytes in, paper and status bytes out.

Its own interpreter, written from the makers' manuals and independent of the driver: real-time commands
are taken out of the stream and answered at once, even inside image data; everything else waits in the
receive buffer and is worked through at the speed of the paper. While offline (paper, cover, jam) it stops
in its buffer and goes on where it stopped when that is mended, as real printers do.

    python -m drivers.ticket_printer.fake --pty /tmp/printer
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Final

from drivers.ticket_printer.printed_paper import (
    Printed,
    PrintedFeed,
    PrintedLine,
    PrintedQr,
    PrintedRaster,
    PrintedTicket,
    Where,
    half_columns,
)
from drivers.transport.fake import FakeDevice

__all__ = ["FakeEscposPrinter", "PrintedTicket"]

RECEIVE_BUFFER: Final = 64 * 1024
"""Bytes that wait to be printed; more are lost, as without flow control."""
TICKETS_LIMIT: Final = 100
"""So many of the last pieces of paper are kept."""
CUT_S: Final = 0.3
"""How long a cut takes, when paper takes time at all."""
_DOTS_PER_MM: Final = 8
_ALIGN: Final[tuple[Where, ...]] = ("left", "center", "right")
_CLEAR: Final = bytes((1, 3, 20, 1, 6, 2, 8))


class FakeEscposPrinter(FakeDevice):
    """`tickets` is the paper that came out, oldest first. What it does wrong is set by its methods.

    `mm_per_s`: speed of the paper; 0: at once. `clears`: knows DLE DC4 8. `extended`: understands the
    four-byte codes of GB18030.
    """

    actions: ClassVar[tuple[str, ...]] = (
        "paper_out",
        "load_paper",
        "paper_low",
        "open_cover",
        "close_cover",
        "jam",
        "unjam",
        "be_silent",
        "speak",
        "freeze",
        "go_on",
        "power_off",
        "power_on",
    )
    """Methods without arguments by which it misbehaves and is mended, for pages and programs."""

    def __init__(
        self, columns: int = 48, *, mm_per_s: float = 0.0, clears: bool = True, extended: bool = False
    ) -> None:
        super().__init__()
        self.columns = columns
        self.mm_per_s = mm_per_s
        self.clears = clears
        self.extended = extended
        self.tickets: deque[PrintedTicket] = deque(maxlen=TICKETS_LIMIT)
        self.blank_cuts = 0
        self.received_bytes = 0
        self.worked_bytes = 0
        """Bytes worked through, without real-time commands."""
        self.paper = True
        self.near_end = False
        self.cover_open = False
        self.jammed = False
        self.cutter_error = False
        self.frozen = False
        self.silent = False
        self.powered = True
        self._unread = bytearray()
        self._stop_at: int | None = None
        self._watches: list[tuple[int, Callable[[], None]]] = []
        self._pending = bytearray()
        self._buffer = bytearray()
        self._items: list[Printed] = []
        self._broken = False
        self._busy: asyncio.TimerHandle | None = None
        self._automatic = 0
        self._told = b""
        self._reset_modes()

    # ---------------------------------------------------------------- what people do to it

    def paper_out(self) -> None:
        """The roll ends here and now; what was printed of a ticket is torn from the rest."""
        self.paper = False
        self._broken = self._broken or self._has_content()
        self._condition()

    def load_paper(self) -> None:
        self.paper, self.near_end = True, False
        self._condition()

    def paper_low(self) -> None:
        self.near_end = True
        self._condition()

    def open_cover(self) -> None:
        self.cover_open = True
        self._condition()

    def close_cover(self) -> None:
        self.cover_open = False
        self._condition()

    def jam(self) -> None:
        """The next cut jams the cutter."""
        self.jammed = True
        self.changed()

    def unjam(self) -> None:
        self.jammed = self.cutter_error = False
        self._condition()

    def be_silent(self) -> None:
        """It prints and answers nothing."""
        self.silent = True
        self.changed()

    def speak(self) -> None:
        self.silent = False
        self.changed()

    def freeze(self) -> None:
        """It hangs: takes bytes and does nothing, until `go_on`."""
        self.frozen = True
        self.changed()

    def go_on(self) -> None:
        self.frozen = False
        self._stop_at = None
        unread, self._unread = self._unread, bytearray()
        self.received(bytes(unread))
        self._work()
        self.changed()

    def stop_at(self, count: int) -> None:
        """Freeze after so many more bytes from the driver."""
        self._stop_at = self.received_bytes + count

    def at_byte(self, count: int, action: Callable[[], None]) -> None:
        """Do `action` as soon as so many more bytes have been worked through (0: before the next)."""
        self._watches.append((self.worked_bytes + count, action))

    def power_off(self) -> None:
        """Buffers and modes are lost, bytes too until `power_on`; the paper stays where it is."""
        self.powered = False
        self._discard()
        self._reset_modes()
        self._automatic = 0
        self._pending.clear()
        self._unread.clear()
        self.changed()

    def power_on(self) -> None:
        """As after a new start; the line was never lost."""
        self.powered, self.frozen, self._stop_at = True, False, None
        self.cutter_error = False
        self.changed()

    @property
    def offline(self) -> bool:
        return not self.paper or self.cover_open or self.cutter_error

    @property
    def _stopped(self) -> bool:
        return self.offline or self.frozen or not self.powered

    @property
    def hanging(self) -> PrintedTicket | None:
        """What has been printed since the last cut, None when nothing."""
        return self._piece() if self._has_content() else None

    # ---------------------------------------------------------------- bytes in

    def received(self, data: bytes) -> None:
        for byte in data:
            if not self.powered:
                return
            if self._stop_at is not None and self.received_bytes >= self._stop_at:
                self.frozen = True
            if self.frozen:
                if len(self._unread) < RECEIVE_BUFFER:
                    self._unread.append(byte)
                continue
            self.received_bytes += 1
            self._receive(byte)
        self._work()

    def _receive(self, byte: int) -> None:
        """Takes real-time commands out of the stream, as a whole or not at all."""
        pending = self._pending
        pending.append(byte)
        if pending[0] != 0x10:
            self._store(1)
        elif len(pending) == 2 and byte not in (0x04, 0x05, 0x14):
            self._store(1)
            again, self._pending = self._pending, bytearray()
            for rest in again:
                self._receive(rest)
        elif len(pending) >= 3:
            kind, n = pending[1], pending[2]
            if kind == 0x04:
                self._answer_now(n)
                pending.clear()
            elif kind == 0x05:
                if n == 2 and self.cutter_error:
                    self._discard()
                pending.clear()
            elif n != 8:
                self._store(len(pending))
            elif len(pending) == 10:
                if pending[3:] == _CLEAR and self.clears:
                    pending.clear()
                    self._discard()
                    self._send(b"\x37\x25\x00")
                else:
                    self._store(10)

    def _store(self, count: int) -> None:
        if len(self._buffer) < RECEIVE_BUFFER:
            self._buffer += self._pending[:count]
        del self._pending[:count]

    def _answer_now(self, n: int) -> None:
        match n:
            case 1:
                self._send(bytes((0x12 | self.offline << 3,)))
            case 2:
                bits = self.cover_open << 2 | (not self.paper) << 5 | self.cutter_error << 6
                self._send(bytes((0x12 | bits,)))
            case 3:
                self._send(bytes((0x12 | self.cutter_error << 3,)))
            case 4:
                low = 0x0C if self.near_end or not self.paper else 0
                self._send(bytes((0x12 | low | (0 if self.paper else 0x60),)))

    def _send(self, data: bytes) -> None:
        if self.powered and not self.silent and not self.frozen:
            self.send(data)

    def _discard(self) -> None:
        self._buffer.clear()
        self._line.clear()
        if self._has_content():
            self._broken = True
        if self._busy is not None:
            self._busy.cancel()
            self._busy = None

    # ---------------------------------------------------------------- state

    def _condition(self) -> None:
        """Paper, cover or cutter changed."""
        frame = self._automatic_frame()
        if self._automatic and frame != self._told:
            self._told = frame
            self._send(frame)
        self.changed()
        self._work()

    def _automatic_frame(self) -> bytes:
        first = 0x10 | self.offline << 3 | self.cover_open << 5
        third = (0x03 if self.near_end or not self.paper else 0) | (0 if self.paper else 0x0C)
        return bytes((first, self.cutter_error << 3, third, 0))

    def _reset_modes(self) -> None:
        self._line: list[str] = []
        self._columns_used = 0
        self._width = self._height = self._line_width = self._line_height = 1
        self._bold = self._line_bold = False
        self._align: Where = "left"
        self._pitch = 30
        self._chinese = False
        self._qr_module = 3
        self._qr_data = b""

    # ---------------------------------------------------------------- working through the buffer

    def _work(self) -> None:
        while self._busy is None and not self._watch() and not self._stopped:
            before = len(self._buffer)
            cost = self._step(self._buffer)
            used = before - len(self._buffer)
            self.worked_bytes += used
            if not used:
                return
            if cost and self.mm_per_s:
                self._busy = asyncio.get_running_loop().call_later(cost, self._rested)

    def _rested(self) -> None:
        self._busy = None
        self._work()

    def _watch(self) -> bool:
        """Do what is due at this byte; whether something was."""
        due = [watch for watch in self._watches if watch[0] <= self.worked_bytes]
        for watch in due:
            self._watches.remove(watch)
            watch[1]()
        return bool(due) and self._stopped

    def _step(self, buffer: bytearray) -> float:
        """Work through one command or character, if it is all there; the seconds that it takes."""
        if not buffer:
            return 0.0
        match buffer[0]:
            case 0x1B:
                return self._escape(buffer)
            case 0x1D:
                return self._group(buffer)
            case 0x1C:
                return self._chinese_command(buffer)
            case 0x0A:
                del buffer[0]
                return self._print_line()
            case byte if byte < 0x20 or byte == 0x7F:
                del buffer[0]
                return 0.0
            case _:
                return self._character(buffer)

    def _character(self, buffer: bytearray) -> float:
        if self._chinese and buffer[0] >= 0x81:
            size = 2
            if len(buffer) < 2:
                return 0.0
            if self.extended and 0x30 <= buffer[1] <= 0x39:
                size = 4
                if len(buffer) < 4:
                    return 0.0
            code = bytes(buffer[:size])
            char = code.decode("gb18030" if self.extended else "gb2312", "replace")
            if not self.extended:
                char = {b"\xa1\xa4": "·", b"\xa1\xaa": "—"}.get(code, char)[:1]
        else:
            size = 1
            char = bytes(buffer[:1]).decode("cp437")
        del buffer[:size]
        cost = 0.0
        columns = half_columns(char) * self._width
        if self._columns_used + columns > self.columns:
            cost = self._print_line()
        if not self._line:
            self._line_width, self._line_height, self._line_bold = self._width, self._height, self._bold
        elif self._height > self._line_height:
            self._line_width, self._line_height = self._width, self._height
        self._line.append(char)
        self._columns_used += columns
        return cost

    def _print_line(self) -> float:
        text, self._line, self._columns_used = "".join(self._line), [], 0
        if not text:
            return self._feed(self._pitch)
        height = self._line_height
        pitch = max(self._pitch, 24 * height)
        self._items.append(PrintedLine(text, self._line_width, height, self._line_bold, self._align, pitch))
        return self._paper_time(pitch)

    def _feed(self, dots: int) -> float:
        self._items.append(PrintedFeed(dots))
        return self._paper_time(dots)

    def _paper_time(self, dots: int) -> float:
        self.changed()
        return dots / _DOTS_PER_MM / self.mm_per_s if self.mm_per_s else 0.0

    def _escape(self, buffer: bytearray) -> float:
        if len(buffer) < 2:
            return 0.0
        command = chr(buffer[1])
        if command == "@":
            del buffer[:2]
            self._broken = self._broken or self._has_content()
            self._reset_modes()
            self._automatic = 0
            return 0.0
        if command == "2":
            del buffer[:2]
            self._pitch = 30
            return 0.0
        if len(buffer) < 3:
            return 0.0
        n = buffer[2]
        del buffer[:3]
        match command:
            case "a":
                self._align = _ALIGN[n % 48 % 3]
            case "E":
                self._bold = bool(n & 1)
            case "3":
                self._pitch = n
            case "J":
                cost = self._print_line() if self._line else 0.0
                return cost + self._feed(n)
            case "d":
                cost = self._print_line() if self._line else 0.0
                return cost + self._feed(n * self._pitch)
            case _:
                pass
        return 0.0

    def _group(self, buffer: bytearray) -> float:
        if len(buffer) < 3:
            return 0.0
        command, n = chr(buffer[1]), buffer[2]
        match command:
            case "v":
                return self._raster(buffer)
            case "(":
                return self._parameters(buffer)
            case "V":
                return self._cut(buffer)
        del buffer[:3]
        match command:
            case "!":
                self._width, self._height = (n >> 4 & 7) + 1, (n & 7) + 1
            case "a":
                self._automatic = n
                if n:
                    self._told = self._automatic_frame()
                    self._send(self._told)
            case "r":
                self._send(bytes((0x03 if self.near_end else 0,)))
            case _:
                pass
        return 0.0

    def _raster(self, buffer: bytearray) -> float:
        if len(buffer) < 8:
            return 0.0
        width = int.from_bytes(buffer[4:6], "little")
        height = int.from_bytes(buffer[6:8], "little")
        size = width * height
        if len(buffer) < 8 + size:
            return 0.0
        rows = bytes(buffer[8 : 8 + size])
        del buffer[: 8 + size]
        if not size:
            return 0.0
        last = self._items[-1] if self._items else None
        if isinstance(last, PrintedRaster) and (last.width_bytes, last.align) == (width, self._align):
            self._items[-1] = PrintedRaster(width, last.rows + rows, self._align)
        else:
            self._items.append(PrintedRaster(width, rows, self._align))
        return self._paper_time(height)

    def _parameters(self, buffer: bytearray) -> float:
        if len(buffer) < 5:
            return 0.0
        size = 5 + int.from_bytes(buffer[3:5], "little")
        if len(buffer) < size:
            return 0.0
        command, data = chr(buffer[2]), bytes(buffer[5:size])
        del buffer[:size]
        if command != "k" or len(data) < 2 or data[0] != 49:
            return 0.0
        match data[1]:
            case 67 if len(data) > 2:
                self._qr_module = data[2]
            case 80:
                self._qr_data = data[3:]
            case 81 if self._qr_data:
                payload = self._qr_data.decode("ascii", "replace")
                self._items.append(PrintedQr(payload, self._qr_module, self._align))
                return self._paper_time(30 * self._qr_module)
            case _:
                pass
        return 0.0

    def _cut(self, buffer: bytearray) -> float:
        size = 4 if buffer[2] in (65, 66, 97, 98) else 3
        if len(buffer) < size:
            return 0.0
        if self.jammed:
            self.cutter_error = True
            self._condition()
            return 0.0
        del buffer[:size]
        if self._has_content():
            self.tickets.append(self._piece())
        else:
            self.blank_cuts += 1
        self._items.clear()
        self._broken = False
        self.changed()
        return CUT_S

    def _chinese_command(self, buffer: bytearray) -> float:
        if len(buffer) < 2:
            return 0.0
        command = chr(buffer[1])
        if command in "&.":
            self._chinese = command == "&"
            del buffer[:2]
        elif len(buffer) >= 3:
            del buffer[:3]
        return 0.0

    def _has_content(self) -> bool:
        return bool(self._line) or any(not isinstance(item, PrintedFeed) for item in self._items)

    def _piece(self) -> PrintedTicket:
        return PrintedTicket(
            tuple(self._items), self.columns, datetime.now().astimezone(), whole=not self._broken
        )


if __name__ == "__main__":
    from drivers.transport.fake_program import run

    run(FakeEscposPrinter)
