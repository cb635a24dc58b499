"""From the lines of a ticket to the bytes of a print job.

QR codes, cutting and what a model can do come from python-escpos (its `Dummy` printer); text, sizes and
raster from `escpos_frames`, because its `text()` loses Chinese and its `image()` writes to stdout (see
docs/decisions). A job is a list of whole commands, so that a status query never falls inside one.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from drivers.errors import ConfigError
from drivers.ticket_printer import escpos_frames as frames
from drivers.ticket_printer.layout import TicketLine

logger = logging.getLogger(__name__)

CHUNK: Final = 256
"""A chunk is closed when it has so many bytes; the printer is asked after each."""
_END_PITCH: Final = 24
"""Dots of each of the six lines that python-escpos feeds before a cut: 18 mm from the head to the knife."""
VOID_SLIP: Final = ("此纸条无效", "This slip is not valid")


@dataclass(frozen=True, slots=True)
class Job:
    """A ticket's bytes: all that prints, in chunks of whole commands, and the cut."""

    chunks: tuple[bytes, ...]
    cut: bytes


class TicketWriter:
    """Writes jobs for one model of printer, named by its capability profile of python-escpos.

    `prelude` is sent after every initialisation. Raises ConfigError for a profile that does not exist.
    Loads python-escpos (0.2 s): not in the loop.
    """

    def __init__(self, profile: str, cut: Literal["full", "partial"], prelude: bytes = b"") -> None:
        dummy = _dummy(profile)
        self._start = frames.INITIALISE + prelude
        self._dummy = dummy
        self._native_qr = bool(dummy.profile.supports("qrCode"))
        dummy.cut(mode="PART" if cut == "partial" else "FULL")
        self.cut: Final[bytes] = dummy.output
        """Feeds past the cutter and cuts; only feeds on a model without a cutter."""

    def job(self, lines: Iterable[TicketLine]) -> Job:
        """May load Pillow and a font when a character is not in GB2312."""
        chunks: list[bytes] = []
        chunk = bytearray()
        for command in self._commands(lines):
            chunk += command
            if len(chunk) >= CHUNK:
                chunks.append(bytes(chunk))
                chunk.clear()
        if chunk:
            chunks.append(bytes(chunk))
        return Job(tuple(chunks), self.cut)

    def void_slip(self) -> bytes:
        """Marks whatever stands above it as void and cuts it off."""
        lines = [TicketLine("text", text, 1, 2, "center", bold=True) for text in VOID_SLIP]
        return b"".join(self._commands(lines)) + self.cut

    def blank(self) -> bytes:
        """Cuts off whatever hangs in the printer."""
        return self._start + frames.line_spacing(_END_PITCH) + self.cut

    def _commands(self, lines: Iterable[TicketLine]) -> Iterator[bytes]:
        yield self._start
        for line in lines:
            if line.space:
                yield frames.feed_dots(line.space)
            yield frames.align(line.align)
            if line.kind == "qr":
                yield from self._qr(line)
            elif (text := frames.encode_text(line.text)) is not None:
                style = frames.size(line.width, line.height) + frames.bold(line.bold)
                yield frames.line_spacing(_pitch(line)) + style + text + frames.LINE_FEED
            else:
                from drivers.ticket_printer.raster_text import text_bitmap  # loads Pillow: rare names only

                yield from frames.raster(text_bitmap(line.text, line.width, line.height, line.bold))
                yield frames.feed_dots(_pitch(line) - frames.CELL_HEIGHT * line.height)
        yield frames.line_spacing(_END_PITCH) + frames.size(1, 1) + frames.bold(False) + frames.align("left")

    def _qr(self, line: TicketLine) -> Iterator[bytes]:
        if not (line.text.isascii() and line.text.isprintable()):
            # never encode it as something: readers would guess the encoding
            logger.warning("a QR payload that is not printable ASCII was left out")
            return
        if self._native_qr:
            self._dummy.clear()
            self._dummy.qr(line.text, native=True, size=line.module, ec=1)
            yield self._dummy.output
        else:
            yield from frames.raster(_qr_bitmap(line.text, line.module))


def _pitch(line: TicketLine) -> int:
    """Dots from line to line: a quarter of a normal line between, more between larger ones."""
    return frames.CELL_HEIGHT * line.height + 6 * min(line.height, 2)


def _qr_bitmap(payload: str, module: int) -> frames.Bitmap:
    import qrcode  # type: ignore[import-untyped]

    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(payload)
    code.make(fit=True)
    matrix: list[list[bool]] = code.get_matrix()
    width = (len(matrix) * module + 7) // 8
    rows = bytearray()
    for cells in matrix:
        dots = "".join(("1" if cell else "0") * module for cell in cells).ljust(width * 8, "0")
        rows += int(dots, 2).to_bytes(width, "big") * module
    return frames.Bitmap(width, bytes(rows))


def _dummy(profile: str) -> Any:
    import escpos.capabilities
    from escpos.printer import Dummy

    # each import leaves a new folder with a pickle in the temporary directory: not for weeks of running
    shutil.rmtree(escpos.capabilities.pickle_dir, ignore_errors=True)
    if profile not in escpos.capabilities.CAPABILITIES["profiles"]:
        known = ", ".join(sorted(escpos.capabilities.CAPABILITIES["profiles"]))
        raise ConfigError([f"profile {profile!r} is not known to python-escpos; there are {known}"])
    return Dummy(profile=profile)
