"""A fake Onbon card: knows only the bytes of the wire, keeps what it shows, and draws it as dots.

It speaks all families of the driver: font cards ("k") and the matrix cards "5e", "6e", "6q". Areas live in
RAM, as on the real card: a power cycle clears them. As a program:
`python -m drivers.call_screen.fake --pty /tmp/screen`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from drivers.call_screen.fake_onbon_areas import RefusedAreaError, dot_area, text_area
from drivers.call_screen.fake_onbon_wire import Family, Order, OrderReader, answer, u16, u32
from drivers.call_screen.fake_strip import PALETTE, ShownArea, picture
from drivers.transport.fake import FakeDevice

__all__ = ["PALETTE", "FakeOnbonCard", "ShownArea"]

KEPT: Final = 64
"""Refreshes and speeches that are remembered."""
BUFFER_K: Final = 1024
"""Bytes of text that a dynamic area of a 6K card takes."""

_COLOUR_NAMES: Final = {1: "red", 2: "green", 3: "yellow", 4: "blue", 5: "magenta", 6: "cyan", 7: "white"}


class FakeOnbonCard(FakeDevice):
    """The far end of an `OnbonBx`. Set the public attributes to let it misbehave."""

    actions = (
        "print_text",
        "print_dots",
        "silence",
        "speak",
        "be_busy",
        "be_ready",
        "lose_font",
        "load_font",
        "spoil_answer",
        "power_cycle",
        "switch_off",
        "switch_on",
    )
    """What the fake as a program can be told."""

    def __init__(
        self,
        *,
        width: int = 128,
        height: int = 16,
        family: Family = "k",
        address: int = 1,
        colours: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.width, self.height, self.family, self.address = width, height, family, address
        self.colours = colours
        self.busy = False
        """Refuses every area with error 3."""
        self.no_font = False
        """Refuses every area with error 12."""
        self.silent = False
        """Takes everything and answers nothing."""
        self.bad_crc = 0
        """So many more answers are sent with a wrong checksum."""
        self.delay_s = 0.0
        """Before each answer."""
        self.fixed_source = False
        """An older card: answers 0x8000 whoever asked."""
        self.knows_status = True
        """Else it refuses to tell its status, as the smallest cards may."""
        self.stays_off = False
        """Does not let itself be switched on."""
        self.voice = False
        """Whether it can speak (-YY)."""
        self.areas: dict[int, ShownArea] = {}
        self.brightness = 15
        self.on = True
        self.locked: str | None = None
        self.frames = 0
        self.bad_frames = 0
        self.pings = 0
        self.answering = 0
        """Answers that are on their way."""
        self.refreshes: deque[float] = deque(maxlen=KEPT)
        self.spoken: deque[str] = deque(maxlen=KEPT)
        """What it was told to speak, once for each time."""
        self._clock = clock
        self._reader = OrderReader(family, self._take)

    # ------------------------------------------------------------ as a program

    def print_text(self) -> None:
        sys.stdout.write(f"{self.text!r} {self.colour} {self.motion}\n")

    def print_dots(self) -> None:
        for row in self.dots():
            sys.stdout.write("".join("●" if value else " " for value in row) + "\n")

    def silence(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def be_busy(self) -> None:
        self.busy = True

    def be_ready(self) -> None:
        self.busy = False

    def lose_font(self) -> None:
        self.no_font = True

    def load_font(self) -> None:
        self.no_font = False

    def spoil_answer(self) -> None:
        self.bad_crc += 1

    def power_cycle(self) -> None:
        """Its power fails for a moment; the line stays."""
        self.plugged()

    def switch_off(self) -> None:
        """Somebody switched the screen off, and keeps it so."""
        self.on, self.stays_off = False, True
        self.changed()

    def switch_on(self) -> None:
        self.on, self.stays_off = True, False
        self.changed()

    # ------------------------------------------------------------ what people see

    @property
    def text(self) -> str:
        """What the first area of a font card says now; a second, blank page (flash) is left out."""
        for _, area in sorted(self.areas.items()):
            return "\n".join(line for line in area.text.split("\n") if line.strip())
        return ""

    @property
    def colour(self) -> str:
        for _, area in sorted(self.areas.items()):
            for line in area.lines:
                for _, colour in line:
                    return _COLOUR_NAMES[colour]
        return ""

    @property
    def motion(self) -> Literal["none", "static", "flash", "scroll"]:
        for _, area in sorted(self.areas.items()):
            if area.mode == 3 or (area.mode == 4 and self.family != "k"):
                return "scroll"
            pages = len(area.lines) * area.font_px > max(area.height, area.font_px)
            return "flash" if area.mode == 7 or pages else "static"
        return "none"

    def dots(self, at: float | None = None) -> list[bytes]:
        """The strip at clock time `at` (default now): `height` rows of `width` values of `PALETTE`."""
        now = self._clock() if at is None else at
        canvas = [bytearray(self.width) for _ in range(self.height)]
        for _, area in sorted(self.areas.items()) if self.on else ():
            if area.run_mode == 2 and now - area.since > area.timeout_s:
                continue
            drawn = picture(area, now - area.since)
            for row, line in enumerate(drawn[: max(0, self.height - area.y)]):
                room = max(0, self.width - area.x)
                canvas[area.y + row][area.x : area.x + room] = (
                    line[:room] + canvas[area.y + row][area.x + len(line[:room]) : area.x + room]
                )
        return [bytes(row) for row in canvas]

    # ------------------------------------------------------------ the wire

    def plugged(self) -> None:
        self._reader.clear()
        self.areas.clear()
        self.changed()

    def received(self, data: bytes) -> None:
        self._reader.feed(data)

    def _take(self, order: Order | None) -> None:
        if order is None:
            self.bad_frames += 1
            return
        if order.to not in (self.address, 0xFFFE, 0xFFFF) and order.to < 0x8000:
            return
        if order.bad or order.foreign:
            self.bad_frames += 1
            if order.bad:
                self._answer(order, 0xA0, 1, 5)
            return
        self.frames += 1
        data = b""
        try:
            error = self._obey(order.group, order.command, order.payload)
            if (order.group, order.command) == (0xA1, 0x02) and not error:
                data = self._status()
        except RefusedAreaError as refused:
            error = refused.error
        except (IndexError, UnicodeDecodeError, ValueError, KeyError):
            error = 2
        if order.wanted and order.to != 0xFFFF:
            if data:
                self._answer(order, order.group, order.command, error, data)
            else:
                self._answer(order, 0xA0, 1 if error else 0, error)

    def _answer(self, order: Order, group: int, command: int, error: int, data: bytes = b"") -> None:
        if self.silent:
            return
        spoil = 0x0101 if self.bad_crc > 0 else 0
        self.bad_crc -= 1 if spoil else 0
        back = 0x8000 if self.fixed_source else order.source
        source = order.to if order.to == 0xFFFE else self.address
        wire = answer(self.family, back, source, group, command, error, data, spoil)
        if self.delay_s:
            self.answering += 1
            asyncio.get_running_loop().call_later(self.delay_s, self._send_late, wire)
        else:
            self.send(wire)

    def _send_late(self, wire: bytes) -> None:
        self.answering -= 1
        self.send(wire)

    def _obey(self, group: int, command: int, payload: bytes) -> int:
        """Do it; the error number of the answer."""
        match (self.family == "k", group, command):
            case (_, 0xA2, 0):
                self.pings += 1
                return 0
            case (True, 0xA1, 0x02):
                self.pings += 1
                return 0 if self.knows_status else 2
            case (True, 0xA2, 0x0E):
                return self._speak(payload[7:], 4 + 4 + 4 + 1)
            case (False, 0xA7, 0x07):
                return self._speak(payload[9:], 4 + 4 + 4 + 4 + 3)
            case (True, 0xA3, 0x00):
                self.on = not self.stays_off and payload[0] == 1
            case (True, 0xA3, 0x02):
                self.brightness = payload[1]
            case (False, 0xA2, 0x07):
                self.brightness = payload[1]
            case (True, 0xA3, 0x04):
                self.locked = payload[2:6].decode("ascii") if payload[1] else None
            case (True, 0xA3, 0x10):
                self.areas.clear()
            case (False, 0xA7, 0x01):
                self.areas.clear()
            case (True, 0xA3, 0x06):
                return self._refresh(payload, self._text_areas)
            case (False, 0xA7, 0x00):
                return self._refresh(payload, self._dot_area)
            case _:
                return 2
        self.changed()
        return 0

    def _status(self) -> bytes:
        areas = bytes(sorted(self.areas))
        head = bytes((1 if self.on else 2, self.brightness)) + bytes.fromhex("2620112207120000") + b"\x01P000"
        return head + bytes((0, 0, len(areas))) + areas + b"0123456789ABCDEF" + bytes(12)

    def _refresh(self, payload: bytes, take: Callable[[bytes], None]) -> int:
        if self.busy:
            return 3
        if self.no_font:
            return 12
        take(payload)
        self.refreshes.append(self._clock())
        self.changed()
        return 0

    def _text_areas(self, payload: bytes) -> None:
        at = 1
        if payload[0] == 0xFF:
            self.areas.clear()
        else:
            for number in payload[1 : 1 + payload[0]]:
                self.areas.pop(number, None)
            at += payload[0]
        count, at = payload[at], at + 1
        for _ in range(count):
            size = u16(payload, at)
            area = payload[at + 2 : at + 2 + size]
            if len(area) != size:
                raise RefusedAreaError(2)
            number, shown = text_area(area, self._clock(), BUFFER_K)
            self.areas[number] = shown
            at += 2 + size

    def _dot_area(self, payload: bytes) -> None:
        number, shown = dot_area(payload, self.family, self.colours, self._clock())
        self.areas[number] = shown

    def _speak(self, speech: bytes, before_size: int) -> int:
        """Person, volume, speed, coding, times − 1 (4), pause (4), parameters, length (4), text."""
        if not self.voice:
            return 2
        size = u32(speech, before_size)
        text = speech[before_size + 4 :]
        if speech[0] > 5 or speech[1] > 10 or speech[2] > 10 or speech[3] != 0 or len(text) != size:
            return 2
        self.spoken.extend([text.decode("gb2312")] * (u32(speech, 4) + 1))
        self.changed()
        return 0


if __name__ == "__main__":
    from drivers.transport.fake_program import run

    run(FakeOnbonCard)
