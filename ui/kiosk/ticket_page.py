"""The page with a number on it: being printed, to be taken from the outlet, or to be photographed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Art, Box, Element, Text, column, growing, row
from ui.kiosk.parts import GAP, ask, choices
from ui.kiosk.services import offer, place_words, service_of, wait_words
from ui.kiosk.step import Room
from ui.widgets import rest
from wire.screen_link import TicketProgress

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk
    from ui.kiosk.steps_ticket import TicketStep


def number_page(kiosk: Kiosk, room: Room, step: TicketStep, progress: TicketProgress) -> Element:
    """The number as large as may be, what to do now, and where to go."""
    so, do = headline(kiosk, step)
    number = _number(kiosk, room, step, progress)
    words: list[Element] = [
        Text(so, "title", strong=True, colour="good" if progress.stage == "done" else "ink")
    ]
    if do:
        words.append(Text(do, "large"))
    words += _where(kiosk, step, progress)
    buttons = _buttons(kiosk, step, progress)
    below = [choices(room, *buttons)] if buttons else []
    url = qr_of(kiosk, progress)
    if progress.paperless and url:
        code = column(
            Art("qr", 30.0, 30.0, args=(url,), grow=1.0),
            Text(kiosk.text("scan_to_follow"), "body", align="center"),
            gap=1.0, grow=1.0,
        )  # fmt: skip
    else:
        code = None
    if room.tall:
        middle = [growing(code, 0.8)] if code is not None else [rest()]
        return column(number, column(*words, gap=2.0), *middle, *below, gap=3.0, grow=1.0)
    sides: list[Element] = [growing(number, 1.1), column(rest(), *words, rest(), gap=GAP, grow=1.0)]
    if code is not None:
        sides.append(growing(code, 0.75))
    return column(row(*sides, gap=3.0, grow=1.0), *below, gap=GAP, grow=1.0)


def _number(kiosk: Kiosk, room: Room, step: TicketStep, progress: TicketProgress) -> Element:
    service = service_of(kiosk, step.service)
    parts: list[Element] = [
        Text(kiosk.text("your_number"), "large", "soft", align="center", lines=1),
        Text(progress.number or "", "giant", "accent", align="center", strong=True, lines=1, least="title"),
    ]
    if service is not None:
        parts.append(Text(kiosk.local(service.name), "large", align="center"))
    return column(
        *parts, gap=1.0, pad=(3.0, 2.0), fill="surface", line="line", justify="center", name="number"
    )


def headline(kiosk: Kiosk, step: TicketStep) -> tuple[str, str]:
    """What is so with the ticket, and what to do now."""
    progress = step.progress
    assert progress is not None
    if progress.paperless:
        key = "photograph"
    elif step.stuck:
        key = "paper_stuck"
    elif progress.stage == "printing" or step.reprinting:
        key = "printing"
    elif progress.outlet == "retracted":
        key = "retracted"
    elif progress.outlet == "taken":
        key = "taken"
    elif progress.paper == "unknown":
        key = "paper_unknown"
    else:
        key = "take_paper"
    return kiosk.text(key), kiosk.text(f"{key}_what")


def _where(kiosk: Kiosk, step: TicketStep, progress: TicketProgress) -> list[Element]:
    """How many are before, how long, and where it is."""
    parts: list[Element] = []
    if progress.offline:
        parts.append(Text(kiosk.text("issued_offline"), "large"))
    elif progress.waiting_ahead is not None:
        words = kiosk.text("ahead", count=progress.waiting_ahead)
        service = service_of(kiosk, step.service)
        wait = wait_words(kiosk, offer(kiosk, service).wait_min) if service is not None else ""
        parts.append(Text(f"{words} · {wait}" if wait else words, "large"))
    service = service_of(kiosk, step.service)
    if service is not None:
        where, how = place_words(kiosk, service)
        if where:
            parts.append(Text(kiosk.text("place", place=where), "large"))
        if how:
            parts.append(Text(how, "large", "soft"))
    return parts


def _buttons(kiosk: Kiosk, step: TicketStep, progress: TicketProgress) -> list[Box]:
    if step.may_reprint:
        return [ask(kiosk, "reprint", "reprint", main=True), ask(kiosk, "have_ticket", "finish")]
    if (progress.stage == "done" and not step.reprinting) or step.stuck:
        return [ask(kiosk, "noted" if progress.paperless else "finish", "finish", main=True)]
    return []


def qr_of(kiosk: Kiosk, progress: TicketProgress) -> str:
    """The address at which a telephone follows this ticket; "" where the hall has none."""
    catalogue = kiosk.catalogue
    if catalogue is None or not catalogue.ticket_url or progress.ticket is None:
        return ""
    return catalogue.ticket_url.replace("{ticket}", progress.ticket)


def number_words(kiosk: Kiosk, progress: TicketProgress) -> str:
    return kiosk.text("number_speech", number=progress.number)
