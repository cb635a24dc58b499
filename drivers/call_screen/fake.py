"""A fake Onbon card: knows only the bytes of the wire, keeps what it shows, and draws it as dots.

Its decoder is written apart from the driver's frames, from the same vendor's documents, so that a mistake in
one does not hide in the other. It speaks all families of the driver: font cards ("k") and the matrix cards
"5e", "6e", "6q". Areas live in RAM, as on the real card: a power cycle clears them. As a program:
`python -m drivers.call_screen.fake --pty /tmp/screen`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from drivers.call_screen.fake_strip import PALETTE, Run, ShownArea, picture
from drivers.transport.fake import FakeDevice

__all__ = ["PALETTE", "FakeOnbonCard", "ShownArea"]

FRAME_LIMIT: Final = 64 * 1024
REFRESHES_KEPT: Final = 64
BUFFER_K: Final = 1024
"""Bytes of text that a dynamic area of a 6K card takes."""

_COLOUR_CODES: Final = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 6, "6": 5, "7": 7}
_COLOUR_NAMES: Final = {1: "red", 2: "green", 3: "yellow", 4: "blue", 5: "magenta", 6: "cyan", 7: "white"}
_FONT_PX: Final = {"000": 16, "001": 24, "002": 32}


class FakeOnbonCard(FakeDevice):
    """The far end of an `OnbonBx`. Set the public attributes to let it misbehave."""

    actions = ("print_text", "print_dots", "silence", "speak", "be_busy", "be_ready", "spoil_answer")
    """What the fake as a program can be told."""

    def __init__(
        self,
        *,
        width: int = 128,
        height: int = 16,
        family: Literal["k", "5e", "6e", "6q"] = "k",
        address: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.width, self.height, self.family, self.address = width, height, family, address
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
        self.areas: dict[int, ShownArea] = {}
        self.brightness = 15
        self.frames = 0
        self.bad_frames = 0
        self.pings = 0
        self.refreshes: deque[float] = deque(maxlen=REFRESHES_KEPT)
        self._clock = clock
        self._frame: bytearray | None = None
        self._escape = 0

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

    def spoil_answer(self) -> None:
        self.bad_crc += 1

    # ------------------------------------------------------------ what people see

    @property
    def text(self) -> str:
        """What the first area of a font card says now; a second, blank page (flash) is left out."""
        for _, area in sorted(self.areas.items()):
            return area.text.split("\n")[0]
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
            return "flash" if area.mode == 7 or len(area.lines) > 1 else "static"
        return "none"

    def dots(self, at: float | None = None) -> list[bytes]:
        """The strip at clock time `at` (default now): `height` rows of `width` values of `PALETTE`."""
        now = self._clock() if at is None else at
        canvas = [bytearray(self.width) for _ in range(self.height)]
        for _, area in sorted(self.areas.items()):
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
        self._frame = None
        self.areas.clear()
        self.changed()

    def received(self, data: bytes) -> None:
        for byte in data:
            self._take(byte)

    def _take(self, byte: int) -> None:
        if byte == 0xA5:
            self._frame, self._escape = bytearray(), 0
        elif self._frame is None:
            return
        elif byte == 0x5A:
            frame, self._frame = bytes(self._frame), None
            self._complete(frame)
        elif self._escape:
            self._frame.append(self._escape if byte == 1 else self._escape - 1)
            self._escape = 0
        elif byte in (0xA6, 0x5B):
            self._escape = byte
        else:
            self._frame.append(byte)
            if len(self._frame) > FRAME_LIMIT:
                self._frame = None

    def _complete(self, frame: bytes) -> None:
        header = 14 if self.family == "k" else 16
        if len(frame) < header + 5:
            self.bad_frames += 1
            return
        to, source = _u16(frame, 0), _u16(frame, 2)
        if to not in (self.address, 0xFFFE, 0xFFFF) and to < 0x8000:
            return
        if _checksum(frame[:-2]) != _u16(frame, len(frame) - 2):
            self.bad_frames += 1
            self._answer(to, source, 0xA0, 1, 5)
            return
        length = _u16(frame, 12) if self.family == "k" else int.from_bytes(frame[12:16], "little")
        body = frame[header:-2]
        if length != len(body) or (frame[4] == 0xF0) == (self.family == "k"):
            self.bad_frames += 1
            return
        self.frames += 1
        if self.family == "k":
            group, command, wanted, payload = body[0], body[1], body[2] == 1, body[5:]
        else:
            group, command, wanted, payload = body[1], body[2], body[0] == 1, body[5:]
        try:
            error = self._obey(group, command, payload)
        except (IndexError, UnicodeDecodeError, ValueError):
            error = 2
        if wanted and to != 0xFFFF:
            self._answer(to, source, 0xA0, 1 if error else 0, error)

    def _answer(self, to: int, source: int, group: int, command: int, error: int) -> None:
        if self.silent:
            return
        back = 0x8000 if self.fixed_source else source
        head = back.to_bytes(2, "little") + (to if to == 0xFFFE else self.address).to_bytes(2, "little")
        if self.family == "k":
            head += bytes(6) + b"\xfe\x02"
            data = bytes((group, command, error, 0, 0))
            head += len(data).to_bytes(2, "little")
        else:
            head += b"\xf0\0\xfe\xff" + bytes(4)
            data = bytes((0, group, command, 1 if error else 0, 0, error, 0, 0, 0))
            head += len(data).to_bytes(4, "little")
        check = _checksum(head + data)
        if self.bad_crc > 0:
            self.bad_crc -= 1
            check ^= 0x0101
        wire = bytearray(b"\xa5" * 9)
        for byte in head + data + check.to_bytes(2, "little"):
            if byte in (0xA5, 0x5A):
                wire += bytes((byte + 1, 2))
            elif byte in (0xA6, 0x5B):
                wire += bytes((byte, 1))
            else:
                wire.append(byte)
        wire.append(0x5A)
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, self.send, bytes(wire))
        else:
            self.send(bytes(wire))

    def _obey(self, group: int, command: int, payload: bytes) -> int:
        """Do it; the error number of the answer."""
        match (self.family == "k", group, command):
            case (_, 0xA2, 0):
                self.pings += 1
                return 0
            case (True, 0xA3, 0x02):
                self.brightness = payload[1]
            case (False, 0xA2, 0x07):
                self.brightness = payload[1]
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

    def _refresh(self, payload: bytes, take: Callable[[bytes], int]) -> int:
        if self.busy:
            return 3
        if self.no_font:
            return 12
        error = take(payload)
        if not error:
            self.refreshes.append(self._clock())
            self.changed()
        return error

    def _text_areas(self, payload: bytes) -> int:
        at = 1
        if payload[0] == 0xFF:
            self.areas.clear()
        else:
            for number in payload[1 : 1 + payload[0]]:
                self.areas.pop(number, None)
            at += payload[0]
        count, at = payload[at], at + 1
        for _ in range(count):
            size = _u16(payload, at)
            area = payload[at + 2 : at + 2 + size]
            if len(area) != size:
                return 2
            if error := self._text_area(area):
                return error
            at += 2 + size
        return 0

    def _text_area(self, area: bytes) -> int:
        x, y, width, height = (_u16(area, offset) for offset in (1, 3, 5, 7))
        x = x & 0x7FFF if x & 0x8000 else x * 8
        width = width & 0x7FFF if width & 0x8000 else width * 8
        number, run_mode, timeout, sound = area[9], area[11], _u16(area, 12), area[14]
        at = 15 + (3 if sound else 0)
        if sound == 2:
            at += 4 + int.from_bytes(area[at : at + 4], "little")
        at += 1 + area[at]
        align, single, _, mode, _, speed, stay = area[at : at + 7]
        size = int.from_bytes(area[at + 7 : at + 11], "little")
        raw = area[at + 11 :]
        if size != len(raw):
            return 2
        if size > BUFFER_K:
            return 4
        lines, font_px = _parse(raw.decode("gb2312"))
        if font_px > height:
            return 12
        self.areas[number] = ShownArea(
            x, y, width, height, mode, speed, stay / 2, self._clock(), align, font_px, single == 1,
            timeout, run_mode, tuple(lines),
        )  # fmt: skip
        return 0

    def _dot_area(self, payload: bytes) -> int:
        sixth = self.family != "5e"
        if sixth and _u16(payload, 0) != 1:
            return 2
        at = 2 if sixth else 0
        size, at = int.from_bytes(payload[at : at + 4], "little"), at + 4
        area, dots = payload[at : at + size], payload[at + size :]
        number, run_mode, timeout = area[0], area[1], _u16(area, 2)
        at = 7 + 2 * _u16(area, 5) + 1 + 4 + 1
        x, y, width, height = (_u16(area, at + offset) for offset in (0, 2, 4, 6))
        at += 9 + (9 if sixth else 0)
        count, at = _u16(area, at), at + 2
        pages: list[list[bytes]] = []
        mode = speed = stay = 0
        for _ in range(count):
            size = int.from_bytes(area[at : at + 4], "little")
            page = area[at + 4 : at + 4 + size]
            mode, speed, stay = page[1], page[3], _u16(page, 4)
            if sixth:
                offset, length = (int.from_bytes(page[i : i + 4], "little") for i in (18, 22))
                data = dots[offset : offset + length]
            else:
                data = page[13:]
            pages.append(self._decode_dots(data, x, width, height))
            at += 4 + size
        if not pages or at != len(area):
            return 2
        self.areas[number] = ShownArea(
            x, y, width, height, mode, speed, stay / 100, self._clock(),
            timeout_s=timeout, run_mode=run_mode, pages=tuple(pages),
        )  # fmt: skip
        return 0

    def _decode_dots(self, data: bytes, x: int, width: int, height: int) -> list[bytes]:
        rows = [bytearray(width) for _ in range(height)]
        if self.family == "6q":
            if len(data) != 3 * width * height:
                raise ValueError("dots do not fill the area")
            for y in range(height):
                for column in range(width):
                    at = 3 * (y * width + column)
                    rows[y][column] = sum(1 << k for k in range(3) if data[at + k] > 127)
            return [bytes(row) for row in rows]
        unit = 8 if self.family == "5e" else 32
        units = (x % unit + width + unit - 1) // unit
        plane = units * unit // 8 * height
        if len(data) != 2 * plane:
            raise ValueError("dots do not fill the area")
        for y in range(height):
            for column in range(width):
                place = x % unit + column
                for colour in (0, 1):
                    if self.family == "5e":
                        byte = data[2 * (y * units + place // 8) + colour]
                    else:
                        word = colour * plane + 4 * (y * units + place // 32)
                        byte = data[word + 3 - place % 32 // 8]  # words come low byte first
                    if not byte >> (7 - place % 8) & 1:
                        rows[y][column] |= 1 << colour
        return [bytes(row) for row in rows]


def _u16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _checksum(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def _parse(text: str) -> tuple[list[Run], int]:
    """Text with the card's escapes → lines of coloured characters, and the height of the font."""
    lines: list[Run] = [[]]
    colour, font_px, at = 1, 16, 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "\\F":
            font_px = _FONT_PX[text[at + 3 : at + 6]]
            at += 6
        elif two == "\\C":
            colour = _COLOUR_CODES[text[at + 2]]
            at += 3
        elif two == "\\n":
            lines.append([])
            at += 2
        else:
            lines[-1].append((text[at], colour))
            at += 1
    return lines, font_px


if __name__ == "__main__":
    from drivers.transport.fake_program import run

    run(FakeOnbonCard)
