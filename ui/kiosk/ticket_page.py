"""The page with a number on it: being printed, to be taken from the outlet, or to be photographed."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING

from ui.elements import Art, Box, Element, Text, column, growing, row
from ui.kiosk.parts import GAP, ask, choices, fitting
from ui.kiosk.services import offer, place_words, service_of, wait_words
from ui.kiosk.step import Room
from ui.widgets import rest
from wire.screen_link import TicketProgress

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk
    from ui.kiosk.steps_ticket import TicketStep
    from wire.messages import CatalogueService


def number_page(kiosk: Kiosk, room: Room, step: TicketStep, progress: TicketProgress) -> Element:
    """The number as large as may be, what to do now, and where to go as far as there is room."""
    so, do = headline(kiosk, step)
    fine = progress.stage == "done" and not step.may_reprint and not step.reprinting
    words = [Text(so, "title", "good" if fine else "ink", strong=True)]
    if do:
        words.append(Text(do, "large"))
    code = _code(kiosk, progress)
    wide = room.wide if room.tall else (room.wide - 6.0) * (0.5 if code is None else 0.36)
    words += _where(kiosk, step, progress)
    buttons = _buttons(kiosk, step, progress)
    below = [choices(room, *buttons)] if buttons else []
    left = room.high - fsum(one.height + GAP for one in below)
    if room.tall:
        shares = (0.5, 0.5, 0.0) if code is None else (0.3, 0.36, 0.34)
        kept = fitting(room, words, wide, left * shares[1] - 3.0, 2.0)
        parts: list[Element] = [
            growing(_number(kiosk, room, step, progress, left * shares[0] - 3.0), shares[0])
        ]
        parts.append(column(*kept, rest(), gap=2.0, grow=shares[1]))
        parts += [growing(code, shares[2])] if code is not None else []
        return column(*parts, *below, gap=3.0, grow=1.0)
    kept = fitting(room, words, wide, left - 2 * GAP, GAP)
    number = _number(kiosk, room, step, progress, left)
    sides: list[Element] = [growing(number), column(rest(), *kept, rest(), gap=GAP, grow=1.0)]
    sides += [growing(code, 0.7)] if code is not None else []
    return column(row(*sides, gap=3.0, grow=1.0), *below, gap=GAP, grow=1.0)


def _code(kiosk: Kiosk, progress: TicketProgress) -> Box | None:
    url = qr_of(kiosk, progress)
    if not progress.paperless or not url:
        return None
    words = Text(kiosk.text("scan_to_follow"), "body", align="center")
    return column(Art("qr", 30.0, 30.0, args=(url,), grow=1.0), words, gap=1.0)


def _number(kiosk: Kiosk, room: Room, step: TicketStep, progress: TicketProgress, high: float) -> Box:
    """The number in its card; its label and its service where `high` units leave room for them."""
    service = service_of(kiosk, step.service)
    words = progress.number or ""
    wide = room.wide * (0.9 if room.tall else 0.33)
    number = Text(words, "giant", "accent", align="center", strong=True, lines=1)
    if room.height_of(number, 999.0) * 0.85 + 16.0 * room.scale > high:
        number = replace(number, size="number")
    label = Text(kiosk.text("your_number"), "large", "soft", align="center", lines=1)
    more = [Text(kiosk.local(service.name), "large", align="center")] if service is not None else []
    kept = fitting(room, (number, label, *more), wide, high - 4.0, 1.0)
    ordered = [one for one in (label, number, *more) if one in kept]
    return column(
        *ordered, gap=1.0, pad=(3.0, 2.0), fill="surface", line="line", justify="center", name="number"
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


def _where(kiosk: Kiosk, step: TicketStep, progress: TicketProgress) -> list[Text]:
    """How many are before, how long, and where it is."""
    parts: list[Text] = []
    service = service_of(kiosk, step.service)
    if progress.offline:
        parts.append(Text(kiosk.text("issued_offline"), "large"))
    elif progress.waiting_ahead is not None:
        parts.append(Text(_ahead(kiosk, service, progress.waiting_ahead), "large"))
    if service is not None:
        where, how = place_words(kiosk, service)
        if where:
            parts.append(Text(kiosk.text("place", place=where), "large"))
        if how:
            parts.append(Text(how, "large", "soft"))
    return parts


def _ahead(kiosk: Kiosk, service: CatalogueService | None, count: int) -> str:
    if count == 0:
        return kiosk.text("kiosk_enquiry.ahead_none")  # the wait is that of who comes last
    words = kiosk.text("ahead", count=count)
    wait = wait_words(kiosk, offer(kiosk, service).wait_min) if service is not None else ""
    return f"{words} · {wait}" if wait else words


def _buttons(kiosk: Kiosk, step: TicketStep, progress: TicketProgress) -> list[Box]:
    if step.may_reprint:
        leave = "finish" if progress.outlet == "retracted" else "have_ticket"
        return [ask(kiosk, "reprint", "reprint", main=True), ask(kiosk, leave, "finish")]
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
