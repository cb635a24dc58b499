"""A ticket printer that does not exist: ESC/POS bytes in, paper and status bytes out.

Written from the makers' manuals and independent of the driver: real-time commands are taken out of the
stream and answered at once, even inside image data; everything else waits in the receive buffer and is
worked through (`fake_head`) at the speed of the paper. While offline (paper, cover, jam) it stops in its
buffer and goes on where it stopped when that is mended, as real printers do.

    python -m drivers.ticket_printer.fake --pty /tmp/printer
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final

from drivers.ticket_printer.fake_head import PrintHead
from drivers.ticket_printer.printed_paper import PrintedTicket
from drivers.transport.fake import FakeDevice

__all__ = ["FakeEscposPrinter", "PrintedTicket"]

RECEIVE_BUFFER: Final = 64 * 1024
"""Bytes that wait to be printed; more are lost, as without flow control."""
TICKETS_LIMIT: Final = 100
"""So many of the last pieces of paper are kept."""
CUT_S: Final = 0.3
"""How long a cut takes, when paper takes time at all."""
DOTS_PER_MM: Final = 8
_CLEAR: Final = bytes((1, 3, 20, 1, 6, 2, 8))
COMMANDS: Final[dict[bytes, int]] = {
    b"\x1b@": 2,
    b"\x1dV": 3,
    b"\x1dVA": 4,
    b"\x1dVB": 4,
    b"\x1dVa": 4,
    b"\x1dVb": 4,
    b"\x1da": 3,
    b"\x1dr": 3,
}
"""What the printer itself does, each with its whole length: start anew, cut, tell, answer."""


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

    commands: ClassVar[Mapping[bytes, int]] = COMMANDS

    def __init__(
        self, columns: int = 48, *, mm_per_s: float = 0.0, clears: bool = True, extended: bool = False
    ) -> None:
        super().__init__()
        self.columns = columns
        self.mm_per_s = mm_per_s
        self.cut_s = CUT_S
        self.clears = clears
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
        self._head = PrintHead(columns, extended, self.commands)
        self._busy: asyncio.TimerHandle | None = None
        self._automatic = 0
        self._told = b""

    # ---------------------------------------------------------------- what people do to it

    def paper_out(self) -> None:
        """The roll ends here and now; what was printed of a ticket is torn from the rest."""
        self.paper = False
        self._head.broken = self._head.broken or self._head.has_ink
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
        self._head.reset()
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
        return self._piece() if self._head.has_ink else None

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
        self._head.line.clear()
        if self._head.has_ink:
            self._head.broken = True
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

    # ---------------------------------------------------------------- working through the buffer

    def _work(self) -> None:
        while self._busy is None and not self._watch() and not self._stopped:
            step = self._head.step(self._buffer)
            if step is None:
                return
            seconds = self._paper_time(step.dots)
            if step.command:
                done = self._do(step.command)
                if done is None:
                    return  # it stays in the buffer until what is wrong has been mended
                seconds += done
            del self._buffer[: step.used]
            self.worked_bytes += step.used
            if step.dots:
                self.changed()
            if seconds and self.mm_per_s:
                self._busy = asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._busy = None
        self._work()

    def _watch(self) -> bool:
        """Do what is due at this byte; whether it stopped the printer."""
        due = [watch for watch in self._watches if watch[0] <= self.worked_bytes]
        for watch in due:
            self._watches.remove(watch)
            watch[1]()
        return bool(due) and self._stopped

    def _paper_time(self, dots: int) -> float:
        return dots / DOTS_PER_MM / self.mm_per_s if self.mm_per_s else 0.0

    def _do(self, command: bytes) -> float | None:
        """A command for the printer itself: the seconds that it takes, None when it cannot be done now."""
        match chr(command[1]):
            case "@":
                self._head.broken = self._head.broken or self._head.has_ink
                self._head.reset()
                self._automatic = 0
            case "V":
                return self._cut()
            case "a":
                self._automatic = command[2]
                if self._automatic:
                    self._told = self._automatic_frame()
                    self._send(self._told)
            case "r":
                self._send(bytes((0x03 if self.near_end else 0,)))
            case _:
                pass
        return 0.0

    def _cut(self) -> float | None:
        if self.jammed:
            self.cutter_error = True
            self._condition()
            return None
        if self._head.has_ink:
            self._came_out(self._piece())
        else:
            self.blank_cuts += 1
        self._head.tear()
        self.changed()
        return self.cut_s

    def _came_out(self, piece: PrintedTicket) -> None:
        """A piece of paper was cut off."""
        self.tickets.append(piece)

    def _piece(self) -> PrintedTicket:
        now = datetime.now().astimezone()
        return PrintedTicket(tuple(self._head.items), self.columns, now, whole=not self._head.broken)


if __name__ == "__main__":
    from drivers.transport.fake_program import run

    run(FakeEscposPrinter)
