"""Fake relays and light towers: what the lamps show, and the bytes that the makers document.

Nothing here knows the driver's templates. As a program: `python -m drivers.light.fake modbus --pty PATH` (or
`lcus`, `lcus-answering`, `tower`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Final

from drivers.transport.fake import FakeDevice

KEPT: Final = 256
"""So many of the last switchings are kept."""


class FakeLamps(FakeDevice):
    """Outputs by number, from 1. `lamps`: what a person sees ("off", "on", "blink")."""

    actions: tuple[str, ...] = ("silence", "speak", "power_cycle", "weld", "mend")

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lamps: dict[int, str] = dict.fromkeys(range(1, channels + 1), "off")
        self.switched: deque[tuple[int, str]] = deque(maxlen=KEPT)
        """What changed, in order."""
        self.frames = 0
        """Good frames that came."""
        self.silent = False
        """Does nothing and answers nothing, as without power."""
        self.welded: str | None = None
        """The contacts do not move; all lamps stay like this."""
        self._held = b""

    def silence(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def power_cycle(self) -> None:
        """Without power for a moment: all off."""
        self._held = b""
        for number in self.lamps:
            self._switch(number, "off")

    def weld(self) -> None:
        self.welded = "on"
        for number in self.lamps:
            self._move(number, "on")

    def mend(self) -> None:
        self.welded = None

    def received(self, data: bytes) -> None:
        if self.silent:
            self._held = b""
            return
        self._held = (self._held + data)[-KEPT:]
        while used := self._obey(self._held):
            self._held = self._held[used:]

    @abstractmethod
    def _obey(self, held: bytes) -> int:
        """Obey what stands at the beginning of the bytes; how many of them are done with, 0: wait."""

    def _switch(self, number: int, state: str) -> None:
        if self.welded is None:
            self._move(number, state)

    def _move(self, number: int, state: str) -> None:
        if self.lamps[number] != state:
            self.lamps[number] = state
            self.switched.append((number, state))
            self.changed()


class FakeLcus(FakeLamps):
    """LC Technology relay: A0 channel operation sum. `answers`: the firmware with feedback."""

    def __init__(self, channels: int = 1, *, answers: bool = False) -> None:
        super().__init__(channels)
        self.answers = answers

    def _obey(self, held: bytes) -> int:
        if held[:1] not in (b"", b"\xa0"):
            return 1
        if len(held) < 4:
            return 0
        _, channel, operation, total = held[:4]
        if (0xA0 + channel + operation) % 256 != total or channel not in self.lamps or operation > 5:
            return 1
        self.frames += 1
        if operation in (0, 1) or (self.answers and operation in (2, 3)):
            self._switch(channel, ("off", "on")[operation % 2])
        if operation == 4 and self.answers:
            self._switch(channel, "off" if self.lamps[channel] == "on" else "on")
        if operation >= 2 and self.answers:
            state = int(self.lamps[channel] == "on")
            self.send(bytes((0xA0, channel, state, (0xA0 + channel + state) % 256)))
        return 4


class FakeModbusRelay(FakeLamps):
    """Modbus-RTU server with coils: functions 01, 05 and 0F, exceptions 01 to 03."""

    def __init__(self, channels: int = 8, *, address: int = 1) -> None:
        super().__init__(channels)
        self.address = address
        self.refusing = False
        """Answers every order with exception 04, device failure."""
        self.actions = (*FakeLamps.actions, "refuse", "accept")

    def refuse(self) -> None:
        self.refusing = True

    def accept(self) -> None:
        self.refusing = False

    def _obey(self, held: bytes) -> int:
        if len(held) < 8:
            return 0
        size = 8 if held[1] != 0x0F else 9 + held[6]
        if len(held) < size and size <= 64:
            return 0
        frame = held[:size]
        if held[0] != self.address or held[1] not in (1, 5, 15) or _crc(frame[:-2]) != frame[-2:]:
            return 1  # of somebody else on the line, or spoilt: look one byte further
        self.frames += 1
        function, first, value = held[1], int.from_bytes(held[2:4], "big"), int.from_bytes(held[4:6], "big")
        if self.refusing and function != 1:
            self._answer(bytes((function | 0x80, 4)))
        elif function == 5 and value not in (0, 0xFF00):
            self._answer(bytes((0x85, 3)))
        elif first + (1 if function == 5 else value) > len(self.lamps):
            self._answer(bytes((function | 0x80, 2)))
        elif function == 5:
            self._switch(first + 1, "on" if value else "off")
            self._answer(frame[1:6])
        elif function == 1:
            bits = sum(1 << n for n in range(value) if self.lamps[first + n + 1] == "on")
            size_of_bits = -(-value // 8)
            self._answer(bytes((1, size_of_bits)) + bits.to_bytes(size_of_bits, "little"))
        else:
            bits = int.from_bytes(frame[7:-2], "little")
            for n in range(value):
                self._switch(first + n + 1, "on" if bits >> n & 1 else "off")
            self._answer(frame[1:6])
        return size

    def _answer(self, body: bytes) -> None:
        frame = bytes((self.address,)) + body
        self.send(frame + _crc(frame))


class FakeUsbTower(FakeLamps):
    """One byte per order: high half 1 on, 2 off, 4 blink; low half 1 red, 2 yellow, 4 green, 8 buzzer."""

    def __init__(self) -> None:
        super().__init__(4)

    def _obey(self, held: bytes) -> int:
        if not held:
            return 0
        state = {1: "on", 2: "off", 4: "blink"}.get(held[0] >> 4)
        lamp = {1: 1, 2: 2, 4: 3, 8: 4}.get(held[0] & 15)
        if state is not None and lamp is not None:
            self.frames += 1
            self._switch(lamp, state)
        return 1


def _crc(data: bytes) -> bytes:
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            carry, register = register & 1, register >> 1
            if carry:
                register ^= 0xA001
    return bytes((register & 255, register >> 8))


if __name__ == "__main__":
    import sys

    from drivers.transport.fake_program import run

    models: dict[str, Callable[[], FakeLamps]] = {
        "lcus": lambda: FakeLcus(8),
        "lcus-answering": lambda: FakeLcus(8, answers=True),
        "modbus": FakeModbusRelay,
        "tower": FakeUsbTower,
    }
    run(models[sys.argv[1]], sys.argv[2:])
