"""A kiosk printer that does not exist: as the ESC/POS fake, with a cutter inside and an outlet in front.

Written from the makers' documents named in `kiosk_frames`, independent of the driver: what is cut goes to the
presenter; a command presents it, takes it back into a bin or pushes it out. People take it or leave it.

    python -m drivers.ticket_printer.fake_kiosk --pty /tmp/printer
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from drivers.ticket_printer.fake import COMMANDS, TICKETS_LIMIT, FakeEscposPrinter
from drivers.ticket_printer.printed_paper import PrintedTicket

EJECTOR_COMMANDS: Final[dict[bytes, int]] = {
    b"\x1bi": 2,
    b"\x1bm": 2,
    b"\x1dP": 4,
    **{bytes((0x1D, 0x65, n)): 3 for n in (1, 2, 5, 6, 18, 20)},
    b"\x1de\x03": 4,
    b"\x1de\x20": 5,
}
_RELIANCE_UNKNOWN: Final = (b"\x1bJ", b"\x1bd", b"\x1c&", b"\x1c.", b"\x1d(", b"\x1da", b"\x1dV", b"\x1cP")
"""Not in the command table of the Reliance."""


class FakeKioskPrinter(FakeEscposPrinter):
    """`outlet` is what lies in the outlet, `bin` what was retracted, `taken` and `dropped` what was taken or
    pushed out. `tickets` is all that was cut off. `retracts`: as in the printer's own set-up."""

    actions: ClassVar[tuple[str, ...]] = (
        *FakeEscposPrinter.actions,
        "take",
        "jam_presenter",
        "clear_jam",
        "overheat",
        "cool_down",
        "low_voltage",
        "good_voltage",
        "virtual_end",
        "break_memory",
        "mend_memory",
        "forbid_retract",
        "allow_retract",
        "empty_bin",
    )
    commands: ClassVar[Mapping[bytes, int]] = {
        **COMMANDS,
        **EJECTOR_COMMANDS,
        b"\x1cP": 6,
        b"\x1d\xe4": 2,
    }

    def __init__(
        self,
        columns: int = 48,
        *,
        model: Literal["vkp80ii", "vkp80iii", "reliance"] = "vkp80ii",
        mm_per_s: float = 0.0,
    ) -> None:
        super().__init__(columns, mm_per_s=mm_per_s, clears=False)
        self.model = model
        self.outlet: PrintedTicket | None = None
        self.steps = 0
        """So far the ticket in the outlet stands out, in the presenter's steps."""
        self.blinking = False
        self.bin: deque[PrintedTicket] = deque(maxlen=TICKETS_LIMIT)
        self.taken: deque[PrintedTicket] = deque(maxlen=TICKETS_LIMIT)
        self.dropped: deque[PrintedTicket] = deque(maxlen=TICKETS_LIMIT)
        self.retractions = 0
        """As the printer counts them, over its life."""
        self.retracts = True
        self.presenter_jams = False
        """The next paper that moves in the presenter jams."""
        self.paper_jam = False
        self.hot = False
        self.voltage_error = False
        self.virtual_paper_end = False
        self.memory_error = False
        self.holds = model == "vkp80iii"
        self.not_understood: list[bytes] = []
        """Commands that this model's documents do not name."""
        self._cut_off: PrintedTicket | None = None
        """Cut, and still in the presenter."""
        self.second = 1.0
        """How long one second of the printer's own clock takes; less for quick tests."""
        self._timer: asyncio.TimerHandle | None = None
        if model == "reliance":
            self._head.foreign = frozenset(_RELIANCE_UNKNOWN)
            self._head.on_foreign = self.not_understood.append

    # ---------------------------------------------------------------- what people do to it

    def take(self) -> None:
        """Somebody takes the ticket out of the outlet."""
        if self.outlet is not None:
            self.taken.append(self.outlet)
            self._clear_outlet()

    def jam_presenter(self) -> None:
        self.presenter_jams = True
        self.changed()

    def clear_jam(self) -> None:
        """Somebody opens it and pulls the paper out."""
        self.presenter_jams = self.paper_jam = False
        self._cut_off = None
        self._clear_outlet()
        self._condition()

    def overheat(self) -> None:
        self.hot = True
        self._condition()

    def cool_down(self) -> None:
        self.hot = False
        self._condition()

    def low_voltage(self) -> None:
        self.voltage_error = True
        self._condition()

    def good_voltage(self) -> None:
        self.voltage_error = False
        self._condition()

    def virtual_end(self) -> None:
        """The length that the printer counts has run out; there is paper all the same."""
        self.virtual_paper_end = True
        self._condition()

    def break_memory(self) -> None:
        self.memory_error = True
        self._condition()

    def mend_memory(self) -> None:
        self.memory_error = False
        self._condition()

    def forbid_retract(self) -> None:
        self.retracts = False

    def allow_retract(self) -> None:
        self.retracts = True

    def empty_bin(self) -> None:
        self.bin.clear()
        self.changed()

    def load_paper(self) -> None:
        self.virtual_paper_end = False
        super().load_paper()

    @property
    def offline(self) -> bool:
        broken = self.paper_jam or self.hot or self.voltage_error or self.memory_error
        return super().offline or broken

    # ---------------------------------------------------------------- answers

    def _answer_now(self, n: int) -> None:
        if self.model == "reliance" and self._busy is not None:
            return  # silent while paper is fed
        if n == 20:
            self._send(self._full_status())
        elif self.model == "reliance":
            sent: list[int] = []
            send, self.send = self.send, lambda data: sent.extend(data)
            super()._answer_now(n)
            self.send = send
            self._send(bytes(byte & ~0x12 for byte in sent))
        else:
            super()._answer_now(n)

    def _full_status(self) -> bytes:
        paper = (
            (not self.paper)
            | (self.near_end or not self.paper) << 2
            | (self.outlet is not None) << 5
            | self.virtual_paper_end << 6
        )
        user = self.cover_open * 0x03 | (self._busy is not None) << 3
        recoverable = self.hot | self.voltage_error << 3 | self.paper_jam << 6
        fatal = self.cutter_error | self.memory_error << 2
        return bytes((0x10, 0x0F, paper, user, recoverable, fatal))

    # ---------------------------------------------------------------- presenter

    def _do(self, command: bytes) -> float | None:
        match command[0], command[1]:
            case 0x1B, (0x69 | 0x6D):
                return self._cut()
            case 0x1D, 0x65:
                return self._eject(command)
            case 0x1D, 0xE4:
                self._send(b"%dret" % self.retractions)
                return 0.0
            case 0x1D, 0x50:
                return 0.0
            case 0x1C, 0x50:
                return self._present_for(command)
            case _:
                return super()._do(command)

    def _came_out(self, piece: PrintedTicket) -> None:
        super()._came_out(piece)
        self._cut_off = piece

    def _eject(self, command: bytes) -> float | None:
        n = command[2]
        if n in (18, 20):
            self.holds = n == 18
        elif n == 6:
            self._send(bytes((self.near_end | self.paper << 2 | (self.outlet is not None) << 3,)))
        elif n in (2, 3, 5, 32):
            seconds = self._cut_if_needed()
            if seconds is None or not self._moves():
                return seconds
            if n in (3, 32):
                self._present(command[3])
                if n == 32 and command[4]:
                    self._start_timer(command[4], retract=self.retracts)
            elif n == 5:
                self._push_out()
            else:
                self._retract()
            return seconds
        return 0.0

    def _present_for(self, command: bytes) -> float | None:
        _, _, steps, blink, action, seconds = command
        took = self._cut_if_needed()
        if took is not None and self._moves():
            self._present(steps)
            self.blinking = bool(blink & 1)
            if seconds and self.outlet is not None:
                self._start_timer(seconds, retract=action == ord("R") and self.retracts)
        return took

    def _cut_if_needed(self) -> float | None:
        return self._cut() if self._head.has_ink else 0.0

    def _moves(self) -> bool:
        """Whether paper moves in the presenter; else it jams there."""
        if self.presenter_jams and (self._cut_off or self.outlet) is not None:
            self.paper_jam = True
            self._condition()
        return not self.paper_jam

    def _present(self, steps: int) -> None:
        if self._cut_off is None:
            return  # a blank is not presented
        if self.outlet is not None:
            self.dropped.append(self.outlet)
            self._clear_outlet()
        self.outlet, self._cut_off = self._cut_off, None
        self.steps = steps
        self.changed()

    def _push_out(self) -> None:
        self.dropped.extend(paper for paper in (self.outlet, self._cut_off) if paper is not None)
        self._cut_off = None
        self._clear_outlet()

    def _retract(self) -> None:
        if not self.retracts:
            return
        papers = [paper for paper in (self.outlet, self._cut_off) if paper is not None]
        self.bin.extend(papers)
        self.retractions += len(papers)
        self._cut_off = None
        self._clear_outlet()

    def _start_timer(self, seconds: int, *, retract: bool) -> None:
        done = self._retract if retract else self._push_out
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds * self.second, done)

    def _clear_outlet(self) -> None:
        self.outlet = None
        self.steps = 0
        self.blinking = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.changed()


if __name__ == "__main__":
    from drivers.transport.fake_program import run

    run(FakeKioskPrinter)
