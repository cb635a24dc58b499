"""From the lines of a ticket to the bytes of a print job, as text or as dots.

QR codes, cutting and what a model can do come from python-escpos (its `Dummy` printer); text, sizes and
raster from `escpos_frames`, because its `text()` loses Chinese and its `image()` writes to stdout (see
docs/decisions). A job is a list of whole commands, so that a status query never falls inside one.

As text, a line with a character that no printer's font is known to have is dots in the same cells; as
raster, all is dots. Which: `mode` of the printer, see `TicketWriter`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from drivers.errors import ConfigError
from drivers.ticket_printer import escpos_frames as frames
from drivers.ticket_printer.code128 import barcode_command
from drivers.ticket_printer.escpos_frames import DOTS_PER_COLUMN
from drivers.ticket_printer.layout import TicketLine
from drivers.ticket_printer.ticket_dots import pitch, raster_commands
from drivers.transport.serial import SerialConfig
from drivers.transport.table import TransportConfig

logger = logging.getLogger(__name__)

CHUNK: Final = 256
"""A chunk of text is closed when it has so many bytes; the printer is asked after each."""
RASTER_CHUNK: Final = 2048
"""A chunk of dots: about 5 mm of paper, and at 9600 baud 4 s at most, with its last command."""
_END_PITCH: Final = 24
"""Dots of each of the six lines that python-escpos feeds before a cut: 18 mm from the head to the knife."""
QUICK_BAUD: Final = 460_800
"""A raster ticket of 30 kB takes 0.65 s at this rate, 31 s at 9600."""
VOID_SLIP: Final = ("此纸条无效", "This slip is not valid")


Mode: TypeAlias = Literal["text", "raster", "auto"]
"""How a ticket is sent: in the printer's own font, drawn as dots, or whichever suits line and text."""


@dataclass(frozen=True, slots=True)
class Job:
    """A ticket's bytes: all that prints, in chunks of whole commands, and the cut."""

    chunks: tuple[bytes, ...]
    cut: bytes


class TicketWriter:
    """Writes jobs for one model of printer, named by its capability profile of python-escpos.

    `cut`: full, partial, or bytes of the model's own. `prelude` is sent after every initialisation.
    `columns`: of the paper. `mode`: "text" in the printer's font, "raster" as dots; "auto" is raster when the
    template has a typeface of its own or a character is not in GB2312, and the line is `quick` (a raster
    ticket is 10 to 50 kB). Raises ConfigError for a profile that does not exist. Loads python-escpos (0.2 s):
    not in the loop.
    """

    def __init__(
        self,
        profile: str,
        cut: Literal["full", "partial"] | bytes,
        prelude: bytes = b"",
        *,
        columns: int = 48,
        mode: Mode = "text",
        quick: bool = False,
    ) -> None:
        dummy = _dummy(profile)
        if problem := too_wide(profile, columns):
            logger.warning("%s", problem)
        self._start = frames.INITIALISE + prelude
        self._dummy = dummy
        self._columns = columns
        self._mode = mode
        self._quick = quick
        self._native_qr = bool(dummy.profile.supports("qrCode"))
        self._native_barcode = bool(dummy.profile.supports("barcodeB"))
        if not isinstance(cut, bytes):
            dummy.cut(mode="PART" if cut == "partial" else "FULL")
        self.cut: Final[bytes] = cut if isinstance(cut, bytes) else dummy.output
        """Feeds past the cutter and cuts; only feeds on a model without a cutter."""
        void = [TicketLine("text", text, 1, 2, "center", bold=True) for text in VOID_SLIP]
        # drawn now, in the worker, where the printer may have no Chinese font
        self._void = b"".join(self._raster(void) if mode == "raster" else self._text(void)) + self.cut

    def as_raster(self, lines: Sequence[TicketLine]) -> bool:
        """Whether the whole ticket is sent as dots."""
        if self._mode == "auto":
            return self._quick and any(line.face or _rare(line) for line in lines)
        return self._mode == "raster"

    def draws(self, lines: Sequence[TicketLine]) -> bool:
        """Whether `job` draws dots, which may load Pillow and a font: not in the loop."""
        return self.as_raster(lines) or any(
            line.kind == "image"
            or _rare(line)
            or (line.kind == "qr" and not self._native_qr)
            or (line.kind == "barcode" and not self._native_barcode)
            for line in lines
        )

    def job(self, lines: Sequence[TicketLine]) -> Job:
        """The ticket of `lines`; see `draws`."""
        chunks: list[bytes] = []
        chunk = bytearray()
        raster = self.as_raster(lines)
        enough = RASTER_CHUNK if raster else CHUNK
        for command in self._raster(lines) if raster else self._text(lines):
            chunk += command
            if len(chunk) >= enough:
                chunks.append(bytes(chunk))
                chunk.clear()
        if chunk:
            chunks.append(bytes(chunk))
        return Job(tuple(chunks), self.cut)

    def void_slip(self) -> bytes:
        """Marks whatever stands above it as void and cuts it off."""
        return self._void

    def blank(self) -> bytes:
        """Cuts off whatever hangs in the printer."""
        return self._start + frames.line_spacing(_END_PITCH) + self.cut

    def _raster(self, lines: Iterable[TicketLine]) -> Iterator[bytes]:
        yield self._start
        yield from raster_commands(lines, self._columns)
        yield frames.line_spacing(_END_PITCH)

    def _text(self, lines: Iterable[TicketLine]) -> Iterator[bytes]:
        yield self._start
        for line in lines:
            if line.kind == "text" and (text := frames.encode_text(line.text)) is not None:
                yield from _space(line)
                style = frames.size(line.width, line.height) + frames.bold(line.bold)
                yield frames.line_spacing(pitch(line)) + style + text + frames.LINE_FEED
            elif line.kind == "qr" and self._native_qr:
                yield from _space(line)
                self._dummy.clear()
                self._dummy.qr(line.text, native=True, size=line.module, ec=1)
                yield self._dummy.output
            elif line.kind == "barcode" and self._native_barcode:
                yield from _space(line)
                yield barcode_command(line.text, line.module, line.dots)
            else:  # dots stand where they are to stand: rare names, pictures, codes the model does not draw
                yield frames.align("left")
                yield from raster_commands((line,), self._columns)
        yield frames.line_spacing(_END_PITCH) + frames.size(1, 1) + frames.bold(False) + frames.align("left")


def too_wide(profile: str, columns: int) -> str | None:
    """What to say when a model prints less wide than `columns`: its lines break, its dots are cut off.

    Raises ConfigError for a profile that does not exist.
    """
    dots = _dummy(profile).profile.profile_data["media"]["width"].get("pixels")
    if not isinstance(dots, int) or columns * DOTS_PER_COLUMN < dots + DOTS_PER_COLUMN:
        return None
    most = dots // DOTS_PER_COLUMN
    return (
        f"profile {profile!r} 只能打印 {most} 列，columns = {columns} 太宽 · "
        f"prints {most} columns, columns = {columns} is too wide"
    )


def quick(line: TransportConfig) -> bool:
    """Whether a raster ticket takes no longer over this line than its paper does."""
    return not isinstance(line, SerialConfig) or line.baud >= QUICK_BAUD


def _space(line: TicketLine) -> Iterator[bytes]:
    if line.space:
        yield frames.feed_dots(line.space)
    yield frames.align(line.align)


def _rare(line: TicketLine) -> bool:
    """A character that is not in GB2312: whether a printer knows it cannot be asked."""
    return line.kind == "text" and frames.encode_text(line.text) is None


def _dummy(profile: str) -> Any:
    import escpos.capabilities
    from escpos.printer import Dummy

    # each import leaves a new folder with a pickle in the temporary directory: not for weeks of running
    shutil.rmtree(escpos.capabilities.pickle_dir, ignore_errors=True)
    if profile not in escpos.capabilities.CAPABILITIES["profiles"]:
        known = ", ".join(sorted(escpos.capabilities.CAPABILITIES["profiles"]))
        raise ConfigError([f"profile {profile!r} is not known to python-escpos; there are {known}"])
    return Dummy(profile=profile)
