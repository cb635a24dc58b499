"""A fake LED display on Modbus RTU: holding registers of which some are its text.

It knows only bytes and its own registers; frames are told apart by silence on a real line and by their length
here. As a program: `python -m drivers.call_screen.fake_modbus --pty /tmp/display`.
"""

from __future__ import annotations

import sys
from typing import Final

from drivers.transport.fake import FakeDevice
from drivers.transport.fake_program import run

_LONGEST: Final = 512


class FakeModbusDisplay(FakeDevice):
    """`text` is what people see: GB2312 in `registers` registers from `text_at`. `broken_at`: registers that
    do not exist."""

    actions = ("print_text", "silence", "speak", "be_busy", "be_ready", "lose_power", "spoil_answer")

    def __init__(
        self, *, address: int = 1, text_at: int = 0, registers: int = 32, low_first: bool = False
    ) -> None:
        super().__init__()
        self.address, self.text_at, self.registers, self.low_first = address, text_at, registers, low_first
        self.holding: dict[int, int] = {}
        self.broken_at: set[int] = set()
        self.silent = False
        self.busy = False
        self.bad_crc = 0
        """So many more answers are sent with a wrong checksum."""
        self.writes = 0
        self._held = b""

    @property
    def text(self) -> str:
        order = "little" if self.low_first else "big"
        values = (self.holding.get(self.text_at + n, 0) for n in range(self.registers))
        shown = b"".join(value.to_bytes(2, order) for value in values)  # type: ignore[arg-type]
        return shown.decode("gb2312", "replace").rstrip(" \0")

    def print_text(self) -> None:
        sys.stdout.write(f"{self.text!r}\n")

    def silence(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def be_busy(self) -> None:
        self.busy = True

    def be_ready(self) -> None:
        self.busy = False

    def spoil_answer(self) -> None:
        self.bad_crc += 1

    def lose_power(self) -> None:
        """Off and on again: everything that was written is gone."""
        self.holding.clear()
        self._held = b""
        self.changed()

    def plugged(self) -> None:
        self._held = b""

    def received(self, data: bytes) -> None:
        self._held = (self._held + data)[-_LONGEST:]
        while len(self._held) >= 8:
            size = 9 + self._held[6] if self._held[1] == 16 else 8
            frame = self._held[:size]
            if self._held[1] not in (3, 6, 16) or (len(frame) == size and _checksum(frame) != 0):
                self._held = self._held[1:]
                continue
            if len(frame) < size:
                # a length spoiled on the way would hold up all that follows
                if self._held[1] == 16 and self._held[6] != 2 * int.from_bytes(self._held[4:6], "big"):
                    self._held = self._held[1:]
                    continue
                return
            self._held = self._held[size:]
            if frame[0] == self.address:
                self._asked(frame[1], frame[2:-2])

    def _asked(self, function: int, body: bytes) -> None:
        start, word = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
        wanted = range(start, start + (1 if function == 6 else word))
        if self.busy:
            self._answer(bytes((function | 0x80, 6)))
        elif self.broken_at & set(wanted):
            self._answer(bytes((function | 0x80, 2)))
        elif function == 3:
            values = b"".join(self.holding.get(n, 0).to_bytes(2, "big") for n in wanted)
            self._answer(bytes((3, len(values))) + values)
        else:
            values = body[2:4] if function == 6 else body[5:]
            for n, register in enumerate(wanted):
                self.holding[register] = int.from_bytes(values[2 * n : 2 * n + 2], "big")
            self.writes += 1
            self._answer(bytes((function,)) + body[:4])
            self.changed()

    def _answer(self, body: bytes) -> None:
        if self.silent:
            return
        body = bytes((self.address,)) + body
        crc = _checksum(body)
        if self.bad_crc:
            self.bad_crc -= 1
            crc ^= 0x5555
        self.send(body + bytes((crc & 255, crc >> 8)))


def _checksum(data: bytes) -> int:
    """The register of the division, bit by bit; 0 over a frame with its own checksum."""
    register = 0xFFFF
    for bit in (byte >> n & 1 for byte in data for n in range(8)):
        register = register >> 1 ^ (0xA001 if (register ^ bit) & 1 else 0)
    return register


if __name__ == "__main__":
    run(FakeModbusDisplay)
