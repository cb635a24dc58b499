"""Messages between an agent and its screens (kiosk, hall display, counter and rating panel).

A local stream socket carries one JSON object per line, at most `MAX_LINE` bytes, with the kind in `type`.
On connection the screen says `ScreenHello`; the agent answers with the whole present state at once and
sends every change after that. A screen keeps nothing: it can be killed and started at any time.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from wire.codec import BadMessageError
from wire.messages import (
    Board,
    Catalogue,
    CounterState,
    DeviceState,
    Grade,
    Id,
    Number,
    PaperOutcome,
    PromptRating,
)

MAX_LINE: Final = 256 * 1024
"""Bytes of one line, newline included."""


class LinkMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all that travels between an agent and a screen."""


# ---------------------------------------------------------------- screen → agent


ScreenRole = Literal["kiosk", "board", "clerk", "rating", "panel"]
"""What a screen is to its station: kiosk, hall display, the clerk's panel, the rating panel, or the panel
over a counter that is its call screen."""


class ScreenHello(LinkMessage, frozen=True, kw_only=True, tag="hello"):
    """`station` is the id of the station in the node's profile whose screen this is."""

    station: Id
    role: ScreenRole


class TakeTicket(LinkMessage, frozen=True, kw_only=True, tag="take_ticket"):
    """A citizen confirmed a service. `request` is new for each tap that may give a number."""

    request: Id
    service: Id
    priority: Id | None = None
    language: str = "zh-CN"


class ReprintTicket(LinkMessage, frozen=True, kw_only=True, tag="reprint_ticket"):
    """Print the newest ticket of this kiosk again, same number; only after an unknown or retracted paper."""

    ticket: Id


class RateService(LinkMessage, frozen=True, kw_only=True, tag="rate_service"):
    """A grade touched on a rating panel."""

    prompt: Id
    grade: Grade


class PanelDrawn(LinkMessage, frozen=True, kw_only=True, tag="panel_drawn"):
    """The text `show` stands on the panel over the counter: its picture has been handed to the display."""

    show: int


class ScanWanted(LinkMessage, frozen=True, kw_only=True, tag="scan_wanted"):
    """The screen asks for a code: light and trigger of the scanner on, for a minute at most."""

    wanted: bool


# ---------------------------------------------------------------- agent → screen


class CardShown(LinkMessage, frozen=True, kw_only=True, tag="card_shown"):
    """A card lies on the reader. Masked for the screen (王*明, 11****…); `priority` is what the age offers.

    `lay_again` asks to lay the card down again; all other fields are None then.
    """

    name: str | None = None
    number: str | None = None
    priority: Id | None = None
    lay_again: bool = False


class CardGone(LinkMessage, frozen=True, kw_only=True, tag="card_gone"):
    """The card was taken away: forget what was shown."""


class CodeScanned(LinkMessage, frozen=True, kw_only=True, tag="code_scanned"):
    """A code was held before the scanner or an IC card was laid down; said once.

    `ticket`: a ticket of this hall, by its id. `appointment`, `card`: anything else, masked; `handle` stands
    for it for two minutes, None when the kiosk cannot match. `unreadable`: ask for it again.
    `code` is a key of `wire.texts` for the citizen.
    """

    kind: Literal["ticket", "appointment", "card", "unreadable"]
    ticket: Id | None = None
    handle: Id | None = None
    masked: str | None = None
    code: str | None = None


class KioskState(LinkMessage, frozen=True, kw_only=True, tag="kiosk_state"):
    """What the kiosk can do now. `online` False: the coordinator is away, numbers come from the lease."""

    online: bool
    catalogue: Catalogue | None
    board: Board | None
    printer: DeviceState | None
    card_reader: DeviceState | None
    offline_numbers: dict[Id, int] = {}
    scanner: DeviceState | None = None


class TicketProgress(LinkMessage, frozen=True, kw_only=True, tag="ticket_progress"):
    """How a `TakeTicket` goes on. `code` is a key of `wire.texts` for the citizen.

    `outlet`: where the printer says what becomes of its paper after it is out. A retracted one may be printed
    again.
    """

    request: Id
    stage: Literal["requested", "printing", "done", "failed", "refused"]
    ticket: Id | None = None
    number: Number | None = None
    waiting_ahead: int | None = None
    paper: PaperOutcome | None = None
    code: str | None = None
    offline: bool = False
    outlet: Literal["presented", "left", "taken", "retracted"] | None = None


class BoardShown(LinkMessage, frozen=True, kw_only=True, tag="board_shown"):
    """`stale`: nothing was heard of the coordinator for 10 s; mark what is shown as old."""

    board: Board | None
    stale: bool


class CounterShown(LinkMessage, frozen=True, kw_only=True, tag="counter_shown"):
    counter: CounterState | None
    prompt: PromptRating | None
    stale: bool


class PanelShow(LinkMessage, frozen=True, kw_only=True, tag="panel_show"):
    """What stands on the panel over a counter, in place of an LED strip; answered by `panel_drawn`.

    `wordings`: the same text, the fullest first; the first that fits is shown. A newline is where one is
    broken if it needs several lines. Said again with the same `show`, it is answered again.
    """

    show: int
    wordings: tuple[str, ...]
    colour: Literal["red", "green", "yellow"] = "red"
    flash: bool = False


ToAgent: TypeAlias = ScreenHello | TakeTicket | ReprintTicket | RateService | PanelDrawn | ScanWanted
ToScreen: TypeAlias = (
    CardShown | CardGone | CodeScanned | KioskState | TicketProgress | BoardShown | CounterShown | PanelShow
)

MAY_SAY: Final[dict[ScreenRole, tuple[type[LinkMessage], ...]]] = {
    "kiosk": (TakeTicket, ReprintTicket, ScanWanted),
    "board": (),
    "clerk": (),
    "rating": (RateService,),
    "panel": (PanelDrawn,),
}
"""What a screen may say after its hello: the clerk's panel can not grade."""


_encoder = msgspec.json.Encoder()
_to_agent: msgspec.json.Decoder[ToAgent] = msgspec.json.Decoder(ToAgent)
_to_screen: msgspec.json.Decoder[ToScreen] = msgspec.json.Decoder(ToScreen)


def encode_line(message: LinkMessage) -> bytes:
    """One line with its newline."""
    return _encoder.encode(message) + b"\n"


def decode_to_agent(line: bytes) -> ToAgent:
    """A line that a screen wrote. Raises BadMessageError."""
    try:
        return _to_agent.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"not a line of a screen: {type(error).__name__}") from error


def decode_to_screen(line: bytes) -> ToScreen:
    """A line that an agent wrote. Raises BadMessageError."""
    try:
        return _to_screen.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"not a line of an agent: {type(error).__name__}") from error
