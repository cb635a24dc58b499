"""A fake raw HID keypad: the far end of a `HidrawKeypad`, in reports only, written from the format's text.

Stands on a pty, whose driver's end is opened like /dev/hidraw…; an output report arrives with its number in
front, as hidraw takes it.
"""

from __future__ import annotations

import re
from typing import Final

from drivers.keypad.reports import ReportFormat
from drivers.transport.fake import FakeDevice

HELD: Final = 4096


class FakeReportKeypad(FakeDevice):
    """A keypad that sends a report whenever a key goes down or comes up."""

    def __init__(self, format: ReportFormat, *, output_size: int = 8, report_id: int = 0) -> None:
        super().__init__()
        self.format = format
        self.short = False
        """Sends reports that are one byte short."""
        self.lights: frozenset[str] = frozenset()
        self.prompting = False
        self.thanks = 0
        self.beeps = 0
        self.said: list[int] = []
        self.shown: tuple[bytes, bytes] = (b"", b"")
        self.down_now: list[str] = []
        self.actions = ("spoil", "mend", "stick")
        self._output_size = output_size
        self._report_id = report_id
        self._held = b""

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(self.format.keys.values())

    @property
    def thanked(self) -> bool:
        return self.thanks > 0

    def press(self, key: str) -> None:
        """Raises KeyError for a key that it does not have."""
        self.down(key)
        self.up(key)

    def down(self, key: str) -> None:
        if key not in self.key_names:
            raise KeyError(key)
        if key not in self.down_now:
            self.down_now.append(key)
        self.report()

    def up(self, key: str) -> None:
        if key in self.down_now:
            self.down_now.remove(key)
        self.report()

    def bounce(self, key: str, times: int = 5) -> None:
        for _ in range(times):
            self.press(key)

    def stick(self, key: str = "") -> None:
        """A key that stays down until `mend`."""
        self.down(key or self.key_names[0])

    def spoil(self) -> None:
        """Reports of a wrong size: another model under the same name."""
        self.short = True

    def mend(self) -> None:
        self.short = False
        self.down_now.clear()
        self.report()

    def report(self) -> None:
        """Send what is down now."""
        frame = bytearray(self.format.size)
        first, last = self.format.codes_at or (0, 0)
        places = {key: place for place, key in self.format.keys.items()}
        for n, key in enumerate(self.down_now):
            if self.format.kind == "bits":
                byte, bit = places[key].split(".")
                frame[int(byte)] |= 1 << int(bit)
            elif first + n <= last:
                frame[first + n] = int(places[key], 16)
        number = bytes((self._report_id,)) if self._report_id else b""
        self.send(number + bytes(frame[: -1 if self.short else None]))

    def plugged(self) -> None:
        self.lights, self.prompting, self._held = frozenset(), False, b""
        self.shown = (b"", b"")
        self.changed()

    def received(self, data: bytes) -> None:
        self._held = (self._held + data)[-HELD:]
        size = 1 + self._output_size
        while len(self._held) >= size:
            report, self._held = self._held[:size], self._held[size:]
            if report[0] == self._report_id:
                self._obey(report[1:])

    def _obey(self, report: bytes) -> None:
        format = self.format
        for name in ("light", "prompt", "prompt_end", "thank", "show", "refuse", "voice"):
            if not (template := getattr(format, name)):
                continue
            hit = re.match(self._pattern(template), report, re.DOTALL)
            if hit is None:
                continue
            match name:
                case "light":
                    bits = int.from_bytes(hit["lights"], "little")
                    self.lights = frozenset(k for n, k in enumerate(format.light_order) if bits >> n & 1)
                case "prompt" | "prompt_end":
                    self.prompting = name == "prompt"
                case "thank":
                    self.prompting = False
                    self.thanks += 1
                case "show":
                    fields = hit.groupdict()
                    self.shown = (fields.get("number") or b"", fields.get("waiting") or b"")
                case "refuse":
                    self.beeps += 1
                case "voice":
                    self.said.append(hit["index"][0])
            self.changed()
            return

    def _pattern(self, template: str) -> bytes:
        format = self.format
        sizes = {
            "lights": -(-len(format.light_order) // 8),
            "number": format.number.width if format.number is not None else 0,
            "waiting": format.waiting.width if format.waiting is not None else 0,
        }
        pattern = b""
        for part in re.findall(r"[0-9A-Fa-f]{2}|\{\w+\}", template):
            if part.startswith("{"):
                pattern += b"(?P<%s>.{%d})" % (part[1:-1].encode(), sizes.get(part[1:-1], 1))
            else:
                pattern += re.escape(bytes.fromhex(part))
        return pattern
