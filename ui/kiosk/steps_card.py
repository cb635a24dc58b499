"""What a card or code that is laid down leads to, on whatever page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element, Text, column
from ui.kiosk.parts import ask, choices
from ui.kiosk.services import priority_of, so_and_do
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_enquiry import EnquiryStep
from ui.widgets import rest
from wire.screen_link import CardGone, CardShown, CodeScanned, LinkMessage

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


def laid_down(kiosk: Kiosk, message: CardShown | CodeScanned, now: float) -> None:
    """A card or code that the step on top had no use for."""
    if isinstance(message, CodeScanned):
        _scanned(kiosk, message, now)
    elif not message.lay_again and len(kiosk.stack) <= 2:
        _card(kiosk, now)


def _card(kiosk: Kiosk, now: float) -> None:
    """At the beginning of a way: ask what is wanted, if there is something to ask."""
    catalogue = kiosk.catalogue
    if catalogue is not None and catalogue.appointments and kiosk.handle(now) is not None:
        kiosk.go(CardStep(), now)
    elif len(kiosk.stack) == 1:
        from ui.kiosk.steps_start import StartStep

        kiosk.go(StartStep(), now)


def _scanned(kiosk: Kiosk, message: CodeScanned, now: float) -> None:
    catalogue = kiosk.catalogue
    if message.kind == "ticket" and message.ticket is not None:
        kiosk.go(EnquiryStep(message.ticket), now)
    elif message.kind == "unreadable" or message.handle is None:
        kiosk.tell(" · ".join(so_and_do(kiosk, message.code or "scanner.unreadable")), now)
    elif catalogue is not None and catalogue.appointments:
        from ui.kiosk.steps_ticket import check_in

        check_in(kiosk, now, handle=message.handle)
    else:
        kiosk.tell(kiosk.text("no_appointments"), now)


class CardStep(Step):
    """A number now, or the appointment that this card has?"""

    name = "card"
    idle_s = 25.0

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        card, parts = kiosk.card, list[Element]()
        if card is not None:
            parts.append(Text(greeting(kiosk), "title", align="center", strong=True))
            if card.number:
                parts.append(Text(card.number, "large", "soft", align="center"))
        if (offered := offered_words(kiosk)) != "":
            parts.append(Text(offered, "large", "good", align="center"))
        if card is None:
            parts.append(Text(kiosk.text("take_card"), "large", align="center"))
        return column(
            rest(),
            *parts,
            rest(),
            choices(
                room, ask(kiosk, "take_now", "now", main=True), ask(kiosk, "have_appointment", "appointment")
            ),
            rest(),
            gap=2.0, grow=1.0,
        )  # fmt: skip

    def speech(self, kiosk: Kiosk) -> str:
        return "\n".join((greeting(kiosk), offered_words(kiosk), kiosk.text("card_speech")))

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "now":
            kiosk.back(now)
        elif action == "appointment":
            from ui.kiosk.steps_checkin import CheckInStep
            from ui.kiosk.steps_ticket import check_in

            handle = kiosk.handle(now)
            if handle is not None:
                check_in(kiosk, now, handle=handle)
            else:
                kiosk.go(CheckInStep(), now)

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        return isinstance(message, CardShown | CardGone)


def greeting(kiosk: Kiosk) -> str:
    """王*明，您好; "" where no card lies there."""
    card = kiosk.card
    if card is None:
        return ""
    return kiosk.text("greeting", person=card.name) if card.name else kiosk.text("greeting_no_name")


def offered_words(kiosk: Kiosk) -> str:
    """What the card gives: 可按“老年人优先”取号; "" where it gives nothing."""
    one = priority_of(kiosk, kiosk.offered)
    return kiosk.text("offered", priority=kiosk.local(one.name)) if one is not None else ""
