"""Messages between an agent and its screens (kiosk, hall display, counter and rating panel).

A local stream socket carries one JSON object per line, at most `MAX_LINE` bytes, with the kind in `type`.
On connection the screen says `ScreenHello`; the agent answers with the whole present state at once and
sends every change after that. A screen keeps nothing: it can be killed and started at any time.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from wire.codec import BadMessageError
from wire.kiosk_messages import TicketFound
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
from wire.shown import Guide, GuideTitle, PlaylistItem, RatingReasons

MAX_LINE: Final = 1024 * 1024
"""Bytes of one line, newline included. A kiosk's state has a catalogue and a board, each of which may be as
long as a payload of MQTT (`wire.codec.MAX_PAYLOAD`)."""


class LinkMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all that travels between an agent and a screen."""


# ---------------------------------------------------------------- screen → agent


Language = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{2,16}\Z")]
"""What a citizen reads: the name of a file of `wire.texts`, or else Chinese is said."""

ScreenRole = Literal["kiosk", "board", "counter", "rating", "panel"]
"""What a screen is to its station: kiosk, hall display, counter panel, rating panel, or the plain panel over
a counter that is its call screen."""


class ScreenHello(LinkMessage, frozen=True, kw_only=True, tag="hello"):
    """`station` is the id of the station in the node's profile whose screen this is."""

    station: Id
    role: ScreenRole


class TakeTicket(LinkMessage, frozen=True, kw_only=True, tag="take_ticket"):
    """A citizen confirmed a service. `request` is new for each tap that may give a number.

    `card`: the handle of the card that lies there, where the hall calls by name. `paperless`: the printer
    cannot print and the citizen agreed to take the number from the screen.
    """

    request: Id
    service: Id
    priority: Id | None = None
    language: Language = "zh-CN"
    card: Id | None = None
    paperless: bool = False


class TakeAppointment(LinkMessage, frozen=True, kw_only=True, tag="take_appointment"):
    """Check in; goes on as `TicketProgress`. Either the `handle` of a card or code, or a `code` typed in."""

    request: Id
    handle: Id | None = None
    code: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    language: Language = "zh-CN"
    paperless: bool = False


class NumberSeen(LinkMessage, frozen=True, kw_only=True, tag="number_seen"):
    """The number of a paperless `request` stands on the screen: its picture is on the display."""

    request: Id


class AskTicket(LinkMessage, frozen=True, kw_only=True, tag="ask_ticket"):
    """How does this ticket stand? Answered by `ticket_told`."""

    request: Id
    ticket: Id


class AskHelp(LinkMessage, frozen=True, kw_only=True, tag="ask_help"):
    """The help key; `wanted` False takes it back. What became of it: `kiosk_state.help`."""

    wanted: bool = True


class AskGuide(LinkMessage, frozen=True, kw_only=True, tag="ask_guide"):
    """Answered by `guide_shown`."""

    guide: Id


class PrintGuide(LinkMessage, frozen=True, kw_only=True, tag="print_guide"):
    """Print what to bring for a guide. `have`: positions (from 0) of materials that the citizen has ticked.

    Answered by `guide_printed`.
    """

    request: Id
    guide: Id
    have: Annotated[tuple[int, ...], msgspec.Meta(max_length=500)] = ()
    language: Language = "zh-CN"


class Speak(LinkMessage, frozen=True, kw_only=True, tag="speak"):
    """Say this at the kiosk now, in place of what is being said; "" only silences.

    `louder`: by so many steps of about 3 dB than the kiosk's own volume, softer below 0.
    """

    text: Annotated[str, msgspec.Meta(max_length=400)]
    language: Language = "zh-CN"
    louder: Annotated[int, msgspec.Meta(ge=-4, le=4)] = 0


class GiveReasons(LinkMessage, frozen=True, kw_only=True, tag="give_reasons"):
    """Reasons touched after the grade of `prompt`; none: there is nothing to add."""

    prompt: Id
    version: int
    reasons: Annotated[tuple[Id, ...], msgspec.Meta(max_length=16)]


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

    `handle` stands for the card in `TakeTicket` and `TakeAppointment` while it is known, None when the kiosk
    cannot match. `lay_again` asks to lay the card down again; all other fields are None then.
    """

    name: str | None = None
    handle: Id | None = None
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
    """What the kiosk can do now. `online` False: the coordinator is away, numbers come from the lease.

    `voice`: it can speak. `help`: what became of the help key. `business_date`: the node's, to which a number
    given now belongs; a board of another one says nothing of today.
    """

    online: bool
    catalogue: Catalogue | None
    board: Board | None
    printer: DeviceState | None
    card_reader: DeviceState | None
    offline_numbers: dict[Id, int] = {}
    scanner: DeviceState | None = None
    voice: bool = False
    help: Literal["none", "asked", "coming"] = "none"
    business_date: date | None = None


class TimeShown(LinkMessage, frozen=True, kw_only=True, tag="time_shown"):
    """The hall's time now, with its offset; not `trusted`: show no clock. Said on connection and when it
    jumps."""

    at: datetime
    trusted: bool


class TicketProgress(LinkMessage, frozen=True, kw_only=True, tag="ticket_progress"):
    """How a `TakeTicket` goes on. `code` is a key of `wire.texts` for the citizen.

    `outlet`: where the printer says what becomes of its paper after it is out. A retracted one may be printed
    again. `service`: what the number is for, where the screen did not choose it (a check-in). `paperless`:
    the stage `printing` means that the screen is to show the number and say `NumberSeen`. `facts` fill the
    text of `code`. A number that its citizen may not have in hand yet is said again to a screen that has just
    come.
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
    service: Id | None = None
    paperless: bool = False
    facts: dict[Id, str] = {}


class TicketTold(LinkMessage, frozen=True, kw_only=True, tag="ticket_told"):
    """The answer to `AskTicket`. `found` None: `code` says why, as a key of `wire.texts`."""

    request: Id
    found: TicketFound | None = None
    code: str | None = None


class GuidesShown(LinkMessage, frozen=True, kw_only=True, tag="guides_shown"):
    """Which guides there are; the list has names only."""

    guides: tuple[GuideTitle, ...]


class GuideShown(LinkMessage, frozen=True, kw_only=True, tag="guide_shown"):
    """None: there is no such guide any more."""

    guide: Guide | None


class GuidePrinted(LinkMessage, frozen=True, kw_only=True, tag="guide_printed"):
    """`code` is a key of `wire.texts` when it is not out."""

    request: Id
    paper: PaperOutcome
    code: str | None = None


class PadKey(LinkMessage, frozen=True, kw_only=True, tag="pad_key"):
    """A key of the kiosk's key pad for people who do not see the screen."""

    key: Literal["up", "down", "ok", "back", "help", "repeat", "louder", "softer"]


class ShownPicture(LinkMessage, frozen=True, kw_only=True):
    """A page of the playlist; `file` is a path on this node, None while the picture has not come."""

    item: PlaylistItem
    file: str | None = None


class PlaylistShown(LinkMessage, frozen=True, kw_only=True, tag="playlist_shown"):
    """All pages for this station, in order; the screen follows their times."""

    pages: tuple[ShownPicture, ...]


class BoardShown(LinkMessage, frozen=True, kw_only=True, tag="board_shown"):
    """`stale`: nothing was heard of the coordinator for 10 s; mark what is shown as old.

    `zone`: what the display is for; None: the whole hall.
    """

    board: Board | None
    stale: bool
    zone: Id | None = None


class CounterShown(LinkMessage, frozen=True, kw_only=True, tag="counter_shown"):
    """`photo`: path of the clerk's picture on this node."""

    counter: CounterState | None
    prompt: PromptRating | None
    stale: bool
    photo: str | None = None


class RatingShown(LinkMessage, frozen=True, kw_only=True, tag="rating_shown"):
    """What the rating panel asks now. `grade`: what was given to `prompt`, which then stands for reasons and
    thanks; `left_s`: seconds until it is over. `reasons`: those of the grade, None where there are none to
    choose from (any more). `reasons_given`: they were taken; a keypad gives none.

    `works` False: no grade could be kept now (storage), the panel must not ask.
    """

    prompt: PromptRating | None = None
    left_s: float = 0.0
    grade: Grade | None = None
    reasons: RatingReasons | None = None
    reasons_given: bool = False
    works: bool = True


class PanelShow(LinkMessage, frozen=True, kw_only=True, tag="panel_show"):
    """What stands on the panel over a counter, in place of an LED strip; answered by `panel_drawn`.

    `wordings`: the same text, the fullest first; the first that fits is shown. A newline is where one is
    broken if it needs several lines. Said again with the same `show`, it is answered again.
    """

    show: int
    wordings: tuple[str, ...]
    colour: Literal["red", "green", "yellow"] = "red"
    flash: bool = False


ToAgent: TypeAlias = (
    ScreenHello
    | TakeTicket
    | TakeAppointment
    | NumberSeen
    | ReprintTicket
    | AskTicket
    | AskHelp
    | AskGuide
    | PrintGuide
    | Speak
    | RateService
    | GiveReasons
    | PanelDrawn
    | ScanWanted
)
ToScreen: TypeAlias = (
    CardShown
    | CardGone
    | CodeScanned
    | KioskState
    | TimeShown
    | TicketProgress
    | TicketTold
    | GuidesShown
    | GuideShown
    | GuidePrinted
    | PadKey
    | PlaylistShown
    | BoardShown
    | CounterShown
    | RatingShown
    | PanelShow
)

MAY_SAY: Final[dict[ScreenRole, tuple[type[LinkMessage], ...]]] = {
    "kiosk": (
        TakeTicket,
        TakeAppointment,
        NumberSeen,
        ReprintTicket,
        ScanWanted,
        AskTicket,
        AskHelp,
        AskGuide,
        PrintGuide,
        Speak,
    ),
    "board": (),
    "counter": (),
    "rating": (RateService, GiveReasons),
    "panel": (PanelDrawn,),
}
"""What a screen may say after its hello: only the rating panel can grade."""


_encoder = msgspec.json.Encoder()


# Each is built when it is first used: no program reads both, and a node without screens neither.
@cache
def _to_agent() -> msgspec.json.Decoder[ToAgent]:
    return msgspec.json.Decoder(ToAgent)


@cache
def _to_screen() -> msgspec.json.Decoder[ToScreen]:
    return msgspec.json.Decoder(ToScreen)


def encode_line(message: LinkMessage) -> bytes:
    """One line with its newline."""
    return _encoder.encode(message) + b"\n"


def decode_to_agent(line: bytes) -> ToAgent:
    """A line that a screen wrote. Raises BadMessageError."""
    try:
        return _to_agent().decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"not a line of a screen: {type(error).__name__}") from error


def decode_to_screen(line: bytes) -> ToScreen:
    """A line that an agent wrote. Raises BadMessageError."""
    try:
        return _to_screen().decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"not a line of an agent: {type(error).__name__}") from error
