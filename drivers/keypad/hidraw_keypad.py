"""Driver of keypads that are raw HID devices (/dev/hidraw…), for calls and for ratings.

Binds to: hidraw. Implements: Keypad. The protocol is a format (`reports`, `outputs`): a report's bytes to
keys, output reports for lights, display and voice. The kernel's own driver of a keyboard sees its keys, too:
take such a pad as an input device (`evdev_keypad`), which can be grabbed.
"""

from __future__ import annotations

import asyncio
import logging
from functools import cache
from typing import ClassVar, Final

import msgspec

from drivers.errors import DriverError, FrameError, LineLostError
from drivers.format_file import read_format
from drivers.keypad.gestures import GestureConfig
from drivers.keypad.reports import ReportFormat, ReportReader
from drivers.keypad.told_keypad import ToldKeypad
from drivers.transport.hidraw import HidrawConfig, HidrawTransport

log = logging.getLogger(__name__)

OUTPUT_TIMEOUT_S: Final = 1.0


@cache
def load_reports(path: str) -> ReportFormat:
    """The format in a TOML file. Raises ValueError."""
    return read_format(ReportFormat, path, "report format")


class HidrawKeypadConfig(GestureConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`format`: path of a TOML file, or `inline` in its place."""

    transport: HidrawConfig
    format: str = ""
    inline: ReportFormat | None = None

    def __post_init__(self) -> None:
        if problems := self.problems(self.report_format.key_names):
            raise ValueError("; ".join(problems))

    @property
    def report_format(self) -> ReportFormat:
        return self.inline or load_reports(self.format)


class HidrawKeypad(ToldKeypad):
    """One raw HID device. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = HidrawKeypadConfig

    def __init__(self, config: HidrawKeypadConfig) -> None:
        super().__init__(config, config.report_format)
        self._line = HidrawTransport(config.transport)
        self._reader = ReportReader(config.report_format)
        self._now_down: frozenset[str] = frozenset()
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
            self._now_down = frozenset()
            self._keys_open()
            self._is_open = True
            await self._tell_again()
        except DriverError as error:
            await self.close()
            self._line_is("missing", error.code)
            raise
        self._line_is("ok")

    async def serve(self) -> None:
        try:
            while True:
                self._take_report(await self._line.read())
                if not self._is_open:
                    raise LineLostError(f"{self._line.name}: closed")
        except DriverError as error:
            self._is_open = False
            self._line_is("missing", error.code)
            raise

    async def close(self) -> None:
        await self._stop_telling()
        await self._line.close()
        self._keys_lost()

    def _take_report(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        try:
            reports = [self._reader.keys(report) for report in self._reader.split(data)]
        except FrameError as error:
            log.debug("%s: %s: %s", self._line.name, error, data.hex(" "))
            self._line_is("degraded", FrameError.code)
            return
        self.seen()
        for down in reports:
            for key in sorted(self._now_down - down):
                self._up(key, now)
            for key in sorted(down - self._now_down):
                self._down(key, now)
            self._now_down = down
        if self._line_health.state == "degraded":
            self._line_is("ok")

    async def _write_frame(self, frame: bytes) -> None:
        async with self._writing:
            await self._line.write(frame, OUTPUT_TIMEOUT_S)
