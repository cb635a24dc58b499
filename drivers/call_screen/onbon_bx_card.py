"""The address, the family and the dialogue of one Onbon card: requests out, answers that belong to them.

The answers of a card carry no number, so each request uses another source address, which the card sends back:
an answer that came too late cannot be taken for that of a newer request. All drivers of the process count
together, so this holds on a line that several cards share, too. A card that does not send it back is found
out by its driver, and asked with 0x8000 from then on (`echoes`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from drivers.call_screen.onbon_bx_areas import Family
from drivers.call_screen.onbon_bx_commands import (
    CardError,
    Command,
    Reply,
    k_request,
    matrix_request,
)
from drivers.call_screen.onbon_bx_frames import (
    SOURCE,
    FrameSplitter,
    KFrame,
    MatrixFrame,
)
from drivers.errors import FrameError

_LAST_SOURCE: Final = 0xDFFF
_sources = itertools.cycle(range(SOURCE + 1, _LAST_SOURCE + 1))

_REFUSALS: Final[dict[int, str]] = {
    CardError.BUSY: "screen.refused_busy",
    CardError.MEMORY: "screen.refused_memory",
    CardError.CHECKSUM: "screen.refused_checksum",
    CardError.NO_FONT: "screen.refused_font",
    CardError.FIRMWARE_TYPE: "screen.refused_model",
    CardError.CONTROLLER_TYPE: "screen.refused_model",
}


def refusal_code(error: int) -> str:
    """The text code of an error that a card answered."""
    return _REFUSALS.get(error, "screen.refused")


def worth_repeating(error: int) -> bool:
    """Whether the same request may be taken a moment later."""
    return error in (CardError.BUSY, CardError.CHECKSUM)


class Answer(msgspec.Struct, frozen=True):
    """What came, to whom (`dst`: the source address of the request) and from which card (`src`)."""

    dst: int
    src: int
    reply: Reply


class Request(msgspec.Struct, frozen=True):
    """The bytes to write, and which answers are those to it."""

    wire: bytes
    mine: Callable[[Answer], bool]


class OnbonCard:
    """One card. `device_type` None is the wildcard. `alone`: what is shown lies over stored programmes."""

    def __init__(
        self, family: Family, address: int, device_type: int | None = None, *, alone: bool = True
    ) -> None:
        self.family: Family = family
        self.address = address
        self._alone = alone
        self._device_type = device_type
        self.echoes = True
        """Whether it sends back the source address of a request."""
        self._splitter: FrameSplitter[KFrame] | FrameSplitter[MatrixFrame] = (
            FrameSplitter(KFrame.from_bytes) if family == "k" else FrameSplitter(MatrixFrame.from_bytes)
        )

    @property
    def font_card(self) -> bool:
        return self.family == "k"

    def reset(self) -> None:
        """The line was opened anew: forget half a frame, and what was thought of the card."""
        self._splitter.clear()
        self.echoes = True

    def request(self, command: Command, payload: bytes = b"", *, length: int = 0) -> Request:
        """`length`: of the two bytes before a matrix card's payload, where they are one."""
        source = next(_sources) if self.echoes else SOURCE
        if self.font_card:
            device = 0xFE if self._device_type is None else self._device_type
            data = k_request(command, payload)
            wire = KFrame(data, self.address, source, device, int(self._alone)).to_bytes()
        else:
            device = 0xFFFE if self._device_type is None else self._device_type
            data = matrix_request(command, payload, length=length)
            wire = MatrixFrame(data, self.address, source, device).to_bytes()
        return Request(wire, lambda answer: self._is_to(source, answer))

    def answers(self, data: bytes) -> Iterable[Answer]:
        """The whole answers that end in these bytes, of this card and others on the line."""
        for frame in self._splitter.feed(data):
            try:
                reply = Reply.from_k(frame.data) if self.font_card else Reply.from_matrix(frame.data)
            except FrameError:
                continue
            yield Answer(frame.dst, frame.src, reply)

    def _is_to(self, source: int, answer: Answer) -> bool:
        # a card that was asked by a wildcard says the wildcard or its address: then it is alone on its line
        if self.address < 0x8000 and answer.src < 0x8000 and answer.src != self.address:
            return False
        if answer.dst == source:
            return True
        if self.echoes and answer.dst == SOURCE:
            self.echoes = False
            return True
        return False
