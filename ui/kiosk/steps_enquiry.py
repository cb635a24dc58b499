"""How does my ticket stand? By its code: number, state, people ahead, the wait as a range, where to go."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Text, column, growing, row
from ui.kiosk.parts import BESIDE, GAP, fact, in_parts, least, shares, told, told_with
from ui.kiosk.services import SCAN_S, halves, scanner_works, so_and_do, wait_words, zone_of, zone_words
from ui.kiosk.step import Room, Step
from ui.program import NEVER
from ui.widgets import button, rest
from wire.screen_link import AskTicket, CodeScanned, LinkMessage, ScanWanted, TicketTold

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk
    from wire.kiosk_messages import TicketFound

ANSWER_S: Final = 12.0
"""The hall gives its answers up after 10 s."""
LOOKS: Final = {
    "waiting": ("clock", "accent"),
    "called": ("bell", "good"),
    "serving": ("person", "good"),
    "parked": ("clock", "accent"),
    "no_show": ("warning", "bad"),
    "finished": ("tick", "good"),
    "void": ("cross", "bad"),
}
"""Icon and colour of each state: never the colour alone."""


class EnquiryStep(Step):
    """`ticket` None: ask for the code first (the scanner is wanted). `code`: why there is nothing to tell."""

    name = "enquiry"
    to_number = False

    def __init__(self, ticket: str | None = None) -> None:
        self.ticket = ticket
        self.found: TicketFound | None = None
        self.code: str | None = None
        self._request: str | None = None
        self._until = NEVER

    @property
    def _scans(self) -> bool:
        return self.ticket is None

    def entered(self, kiosk: Kiosk, now: float) -> None:
        if self._scans:
            self._want(kiosk, now)
        elif self.found is None and self.code is None:
            self._ask(kiosk, now)

    def left(self, kiosk: Kiosk, now: float) -> None:
        if self._scans:
            kiosk.say(ScanWanted(wanted=False))

    def _want(self, kiosk: Kiosk, now: float) -> None:
        kiosk.say(ScanWanted(wanted=True))
        self._until = now + SCAN_S

    def _ask(self, kiosk: Kiosk, now: float) -> None:
        assert self.ticket is not None
        self.found = self.code = None
        self._request = kiosk.new_request()
        self._until = now + ANSWER_S
        if not kiosk.online or not kiosk.say(AskTicket(request=self._request, ticket=self.ticket)):
            self._cannot("kiosk_enquiry.offline")

    def _cannot(self, code: str) -> None:
        self.code, self._request, self._until = code, None, NEVER

    # ---------------------------------------------------------------- what it hears

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if isinstance(message, CodeScanned):
            return self._scanned(kiosk, message, now)
        if isinstance(message, TicketTold) and message.request == self._request:
            if message.found is not None and message.found.number is not None:
                self._cannot("")
                self.found, self.code = message.found, None
            else:
                told = message.found.code if message.found is not None else None
                self._cannot(message.code or told or "ticket.unknown")
            kiosk.alive(now)
            return True
        return False

    def _scanned(self, kiosk: Kiosk, message: CodeScanned, now: float) -> bool:
        if message.kind == "ticket" and message.ticket is not None:
            if self._scans:
                kiosk.say(ScanWanted(wanted=False))
            self.ticket = message.ticket
            self._ask(kiosk, now)
            return True
        return False

    def lost(self, kiosk: Kiosk, now: float) -> None:
        if self._request is not None:
            self._cannot("kiosk_enquiry.offline")

    def due(self, now: float) -> float:
        return self._until

    def tick(self, kiosk: Kiosk, now: float) -> None:
        if self._scans:
            self._want(kiosk, now)
        else:
            self._cannot("kiosk_enquiry.late")

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "again":
            kiosk.swap(EnquiryStep(), now)

    # ---------------------------------------------------------------- what it shows

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        text = kiosk.text
        if self._scans:
            return told(room, "code", text("kiosk_enquiry.scan"), text("kiosk_enquiry.scan_how"))
        if self.found is not None:
            return self._told(kiosk, room, self.found)
        if self.code is not None:
            so, do = so_and_do(kiosk, self.code)
            if not scanner_works(kiosk):
                return told(room, "info", so, do)
            return told_with(room, "info", so, do, _another(kiosk))
        return told(room, "clock", text("kiosk_enquiry.asking"), "")

    def _told(self, kiosk: Kiosk, room: Room, found: TicketFound) -> Element:
        """The number and its state, what to do, and as much of the rest as there is room for."""
        head = self._head(kiosk, room, found)
        service = kiosk.local(found.service_name) if found.service_name else ""
        facts = [fact(*pair, grow=1.0 + n / 2) for n, pair in enumerate(self._facts(kiosk, found))]
        wanted: list[tuple[str, Element | None]] = [
            ("do", self._do(kiosk, room, found)),
            ("facts", row(*facts, gap=GAP) if facts else None),
            ("again", self._again(kiosk, room)),
        ]
        left = room.high - room.height_of(least(head)) - 0.5
        kept: dict[str, tuple[Element, float]] = {}
        for name, element in wanted:
            if element is not None and (needs := room.height_of(least(element)) + 0.4) + GAP <= left:
                kept[name] = (element, needs)
                left -= needs + GAP
        for name, (element, needs) in kept.items():  # full type where there is room, what is over to the head
            more = min(left, max(0.0, room.height_of(element) - needs))
            kept[name], left = (element, needs + more), left - more
        named = Text(service, "body", "soft", align="center")
        left -= room.height_of(head) - room.height_of(least(head))
        if service and (needs := room.height_of(named)) + GAP <= left:
            kept["service"] = (named, needs)
        lines = [kept[name] for name in ("service", "facts", "do", "again") if name in kept]
        below = fsum(high + GAP for _, high in lines)
        spare = room.high - below - room.height_of(head) - GAP
        return shares((self._head(kiosk, room, found, max(0.0, spare)), room.high - below), *lines)

    def _head(self, kiosk: Kiosk, room: Room, found: TicketFound, spare: float = 0.0) -> Box:
        """Number and state; on an upright page together in the middle of the `spare` units."""
        state = found.state or "void"
        icon, colour = LOOKS[state]
        side = 6.0 if room.small else 9.0
        number = Text(found.number or "", "number", "accent", align="center", strong=True, lines=1, grow=1.0)
        says = row(
            Art(icon, side, side, colour),
            Text(kiosk.text(f"kiosk_enquiry.state_{state}"), "title", colour, strong=True, least="body"),
            gap=2.0, justify="center", align="center", grow=1.3,
        )  # fmt: skip
        if room.wide < BESIDE:
            parts = [growing(one, room.height_of(least(one))) for one in (number, says)]
            if room.tall and spare > 2.0:
                parts = [growing(one, room.height_of(one)) for one in (number, says)]
            free = (rest(spare / 2),) if room.tall and spare > 2.0 else ()
            return column(*free, *parts, *free, name="number")
        return row(number, says, gap=3.0, name="number")

    def _facts(self, kiosk: Kiosk, found: TicketFound) -> list[tuple[str, str]]:
        """People ahead and the wait, where they are known: never a guess."""
        if found.state != "waiting":
            return []
        facts = []
        if found.ahead is not None:
            facts.append((kiosk.text("kiosk_enquiry.ahead"), _ahead(kiosk, found.ahead)))
        if words := wait_words(kiosk, found.wait_min):
            facts.append((kiosk.text("expected_wait"), words))
        return facts

    def _do(self, kiosk: Kiosk, room: Room, found: TicketFound) -> Box:
        """What to do now; the counter large where the number is being called."""
        called = found.state == "called" and bool(found.counter_name)
        lines = (Text(line, "large") for line in self._what_to_do(kiosk, found).split("\n"))
        words = "\n".join(in_parts(room, line, room.wide - 13.0).words for line in lines)
        ink, fill = ("good_ink", "good") if called else ("ink", "surface")
        return row(
            Art("pin" if found.state in ("waiting", "called", "serving") else "info", 6.0, 6.0, ink),
            Text(words, "title" if called else "large", ink, grow=1.0, strong=called, least="body"),
            gap=2.0, pad=(2.4, 1.4), fill=fill, align="center", name="do",
        )  # fmt: skip

    def _what_to_do(self, kiosk: Kiosk, found: TicketFound) -> str:
        state = found.state or "void"
        counter = kiosk.local(found.counter_name) if found.counter_name else ""
        name = f"kiosk_enquiry.do_{state}"
        if state in ("called", "serving", "no_show"):
            return kiosk.text(name, counter=counter) if counter else kiosk.text(f"{name}_nowhere")
        zone = self._zone(kiosk, found) if state == "waiting" else ""
        return "\n".join(part for part in (zone, *halves(kiosk.text(name))) if part)

    def _zone(self, kiosk: Kiosk, found: TicketFound) -> str:
        """Where to wait: zone and floor."""
        zone = zone_of(kiosk, found.zone)
        if zone is None:
            return ""
        return kiosk.text("kiosk_enquiry.wait_in", zone=zone_words(kiosk, zone))

    def _again(self, kiosk: Kiosk, room: Room) -> Box | None:
        """The key for another ticket, where the scanner works."""
        if not scanner_works(kiosk):
            return None
        return row(growing(_another(kiosk)), height=room.target)

    def speech(self, kiosk: Kiosk) -> str:
        if self._scans:
            return f"{kiosk.text('kiosk_enquiry.scan')}\n{kiosk.text('kiosk_enquiry.scan_how')}"
        if self.found is None:
            key = self.code or "kiosk_enquiry.asking"
            return "\n".join(so_and_do(kiosk, key)) if self.code else kiosk.text(key)
        found = self.found
        words = [
            kiosk.text("kiosk_enquiry.say_number", number=found.number),
            kiosk.text(f"kiosk_enquiry.state_{found.state or 'void'}"),
            *(" ".join(pair) for pair in self._facts(kiosk, found)),
            self._what_to_do(kiosk, found),
        ]
        return "\n".join(words)


def _another(kiosk: Kiosk) -> Box:
    return button(kiosk.text("kiosk_enquiry.again"), "again", icon="code")


def _ahead(kiosk: Kiosk, count: int) -> str:
    return kiosk.text("kiosk_enquiry.ahead_none" if count == 0 else "people", count=count)
