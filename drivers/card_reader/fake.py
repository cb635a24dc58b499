"""A card reader that does not exist: a SAM module's bytes, and a tray on which cards are laid.

Knows nothing of the driver's code. What it does wrong is set by its attributes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import ClassVar, Final

from drivers.card_reader.synthetic_cards import PHOTO, SyntheticCard, synthetic_cards
from drivers.transport.fake import FakeDevice

__all__ = ["FakeSamReader", "SyntheticCard", "synthetic_cards"]

COMMAND_LIMIT: Final = 500
"""So many of the last commands are kept for looking at."""


class FakeSamReader(FakeDevice):
    """`lay` and `take` are what a citizen does; `commands` is what the driver asked (time, code)."""

    actions: ClassVar[tuple[str, ...]] = (
        "lay_next",
        "lay_two",
        "lay_bank_card",
        "take",
        "be_silent",
        "speak",
        "fail_self_test",
        "lose_authorisation",
        "lose_key",
        "recover",
        "spoil_answers",
        "fail_reads",
    )

    def __init__(self) -> None:
        super().__init__()
        self.card: SyntheticCard | None = None
        self.commands: deque[tuple[float, int]] = deque(maxlen=COMMAND_LIMIT)
        self.silent = False
        """Takes commands and answers nothing."""
        self.bad_reads = 0
        """The next n reads fail with status 41."""
        self.bad_checksums = 0
        """The next n replies have a wrong checksum."""
        self.half_frames = 0
        """The next n replies end in the middle."""
        self.missed_finds = 0
        """The next n finds do not see the card that lies there."""
        self.unknown_card = False
        """What lies there is no ID card: select fails with 40."""
        self.self_test_failed = False
        """The module answers everything with 60."""
        self.read_refusal: int | None = None
        """Cards are found, but select and read are refused with this: 0x23 unauthorised, 0x66 no key."""
        self.two_cards = False
        """Two cards lie in the field: none can be selected."""
        self.take_at: int | None = None
        """The card is snatched away while this command is carried out, once."""
        self.newest_address: str | None = None
        """What the chip has besides the printed address."""
        self.report_size = 0
        """Not 0: a HID reader with reports of so many bytes, each with the next two in front."""
        self.report_header = b""
        self.report_count = 0
        self.finds_read_card = True
        """False: a card that was read is not found again until it was lifted, as many modules do."""
        self.text_command: int | None = None
        """The command, e.g. 0x3011, that reads text without photo, where the maker has one."""
        self._pending = b""
        self._stage = "idle"
        self._done = False
        self._turn = 0

    # ---------------------------------------------------------------- what people do, and what goes wrong

    def lay_next(self) -> None:
        cards = synthetic_cards()
        self.unknown_card = self.two_cards = False
        self.lay(cards[self._turn % len(cards)])
        self._turn += 1

    def lay_two(self) -> None:
        self.lay_next()
        self.two_cards = True

    def lay_bank_card(self) -> None:
        self.lay_next()
        self.unknown_card = True

    def be_silent(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def fail_self_test(self) -> None:
        self.self_test_failed = True

    def lose_authorisation(self) -> None:
        self.read_refusal = 0x23

    def lose_key(self) -> None:
        self.read_refusal = 0x66

    def recover(self) -> None:
        self.self_test_failed = False
        self.read_refusal = None

    def spoil_answers(self) -> None:
        self.bad_checksums = 2

    def fail_reads(self) -> None:
        self.bad_reads = 3

    def lay(self, card: SyntheticCard) -> None:
        """Lay a card on the tray; one that lies there is taken first."""
        self.card = card
        self._stage, self._done = "idle", False
        self.changed()

    def take(self) -> None:
        """Take the card away."""
        self.card = None
        self._stage, self._done = "idle", False
        self.changed()

    def plugged(self) -> None:
        self._pending = b""
        self._stage, self._done = "idle", False

    def received(self, data: bytes) -> None:
        self._pending = (self._pending + self._unpacked(data))[-4096:]
        while True:
            head, mark, rest = self._pending.partition(b"\xaa\xaa\xaa\x96\x69")
            if not mark:
                self._pending = head[-4:]
                return
            self._pending = mark + rest
            if len(rest) < 2:
                return
            size = rest[0] << 8 | rest[1]
            if size > 64:
                self._pending = rest
                continue
            if len(rest) < 2 + size:
                return
            body, self._pending = rest[: 2 + size], rest[2 + size :]
            check = 0
            for byte in body:
                check ^= byte
            if check:
                self._reply(0x10)
            elif size < 3:
                self._reply(0x11)
            else:
                self._obey(body[2] << 8 | body[3])

    def _obey(self, code: int) -> None:
        self.commands.append((asyncio.get_running_loop().time(), code))
        if code == self.take_at:
            self.take_at = None
            self.take()
        if self.self_test_failed:
            self._reply(0x60)
        elif code in (0x10FF, 0x11FF):
            self._stage = "idle"
            self._reply(0x90)
        elif code == 0x12FF:
            parts = ((5, 2), (3, 2), (20260101, 4), (1, 4), (2026, 4))
            self._reply(0x90, b"".join(value.to_bytes(size, "little") for value, size in parts))
        elif code == 0x2001:
            found = self.card is not None and (self.finds_read_card or not self._done)
            if found and self.missed_finds:
                self.missed_finds -= 1
                found = False
            self._stage = "found" if found else "idle"
            self._reply(0x9F, bytes(4)) if found else self._reply(0x80)
        elif code == 0x2002:
            self._select()
        elif code == 0x3001:
            self._read(with_photo=True)
        elif code == 0x3003:
            self._address()
        elif code == 0x3005:
            self._reply(0x90, bytes(16)) if self.card is not None else self._reply(0x41)
        elif code == self.text_command:
            self._read(with_photo=False)
        else:
            self._reply(0x21)

    def _select(self) -> None:
        if self.card is None or self._stage != "found" or self.two_cards:
            self._reply(0x81)
        elif self.read_refusal is not None:
            self._reply(self.read_refusal)
        elif self.unknown_card:
            self._reply(0x40)
        else:
            self._stage = "selected"
            self._reply(0x90, bytes(8))

    def _read(self, *, with_photo: bool) -> None:
        if self.card is None or self._stage != "selected":
            self._reply(0x41)
        elif self.bad_reads:
            self.bad_reads -= 1
            self._stage = "idle"
            self._reply(0x41)
        else:
            photo = PHOTO if with_photo else b""
            self._done = True
            self._stage = "read"
            self._reply(0x90, b"\x01\x00" + len(photo).to_bytes(2, "big") + self.card.text() + photo)

    def _address(self) -> None:
        if self.card is None or self._stage != "read":
            self._reply(0x41)
        elif self.newest_address is None:
            self._reply(0x91)
        else:
            self._reply(0x90, self.newest_address.ljust(35)[:35].encode("utf-16-le"))

    def _reply(self, status: int, data: bytes = b"") -> None:
        if self.silent:
            return
        size = len(data) + 4
        body = bytes((size >> 8, size & 0xFF, 0, 0, status)) + data
        check = 0
        for byte in body:
            check ^= byte
        if self.bad_checksums:
            self.bad_checksums -= 1
            check ^= 0x5A
        frame = b"\xaa\xaa\xaa\x96\x69" + body + bytes((check,))
        if self.half_frames:
            self.half_frames -= 1
            frame = frame[: len(frame) // 2]
        for piece in self._packed(frame):
            self.send(piece)

    def _packed(self, frame: bytes) -> list[bytes]:
        if not self.report_size:
            return [frame]
        head = len(self.report_header) + self.report_count
        room = min(self.report_size - head, 255 if self.report_count == 1 else self.report_size)
        parts = [frame[at : at + room] for at in range(0, len(frame), room)]
        return [
            (self.report_header + self._count(part) + part).ljust(self.report_size, b"\0") for part in parts
        ]

    def _count(self, part: bytes) -> bytes:
        return len(part).to_bytes(self.report_count, "big") if self.report_count else b""

    def _unpacked(self, data: bytes) -> bytes:
        """The driver's reports come with the number 0 in front."""
        if not self.report_size:
            return data
        head = 1 + len(self.report_header)
        if len(data) != 1 + self.report_size or data[1:head] != self.report_header:
            return b""
        body = head + self.report_count
        count = int.from_bytes(data[head:body], "big") if self.report_count else self.report_size
        return data[body : body + count]


if __name__ == "__main__":
    from drivers.transport.fake_program import run

    run(FakeSamReader)
