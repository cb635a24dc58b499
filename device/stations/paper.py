"""What stands on a ticket's paper, and the event of a ticket that the kiosk issues by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from device.storage import PaperEvent
from drivers.ticket_printer.protocol import Paper
from wire.messages import Catalogue, CatalogueService, TicketIssuedOffline
from wire.screen_link import TakeAppointment, TakeTicket
from wire.texts import local


def language_of(wish: TakeTicket | TakeAppointment | None) -> str:
    """The language that the citizen chose; Chinese for a reprint that the hall asked for."""
    return wish.language if wish is not None else "zh-CN"


def offline_event(
    catalogue: Catalogue, service: CatalogueService, wish: TakeTicket, day: date, now: datetime, ticket: str
) -> Callable[[int, int], TicketIssuedOffline]:
    """What makes the event from a burned number and its lease's epoch; paper still unknown."""
    prefix = next((g.prefix for g in catalogue.groups if g.group == service.group), "")

    def make(number: int, epoch: int) -> TicketIssuedOffline:
        return TicketIssuedOffline(
            ticket=ticket,
            number=f"{prefix}{number:0{catalogue.number_digits}d}",
            service=service.service,
            business_date=day,
            lease_epoch=epoch,
            issued_at=now,
            paper="unknown",
            priority=wish.priority,
            code="ticket.interrupted",
        )

    return make


def paper_of(
    catalogue: Catalogue | None,
    ticket: PaperEvent,
    service_id: str,
    priority_id: str | None,
    issued_at: datetime,
    language: str,
    *,
    waiting: int | None = None,
    reprint: bool = False,
) -> Paper:
    """The values for the layout template: language, hall, service, waiting, zone, counters, directions,
    priority, notes, time; `name@en` is the value in another language. What is not known is left out, and
    its line with it."""
    values = {"language": language, "time": f"{issued_at:%Y-%m-%d %H:%M}"}
    if waiting is not None:
        values["waiting"] = str(waiting)
    qr = ""
    if catalogue is not None:
        values |= _said("hall", [catalogue.hall_name], language)
        values |= _said("notes", [catalogue.ticket_notes], language)
        service = next((s for s in catalogue.services if s.service == service_id), None)
        if service is not None:
            values |= _said("service", [service.name], language)
            values |= _said("counters", list(service.counters), language)
            zone = next((z for z in catalogue.zones if z.zone == service.zone), None)
            if zone is not None:
                values |= _said("zone", [zone.name], language)
                values |= _said("directions", [zone.directions], language)
        priority = next((p for p in catalogue.priorities if p.priority == priority_id), None)
        if priority is not None:
            values |= _said("priority", [priority.name], language)
        if catalogue.ticket_url:
            qr = catalogue.ticket_url.replace("{ticket}", ticket.ticket)
    return Paper(
        number=ticket.number,
        values={name: value for name, value in values.items() if value},
        qr=qr,
        reprint=reprint,
    )


def _said(name: str, texts: list[dict[str, str]], language: str) -> dict[str, str]:
    """The value `name` in `language`, and as `name@…` in the others that the texts have."""
    others = dict.fromkeys(other for text in texts for other in text if other != language)
    found = {name: _joined(texts, language)}
    return found | {f"{name}@{other}": _joined(texts, other) for other in others}


def _joined(texts: list[dict[str, str]], language: str) -> str:
    return ("、" if language == "zh-CN" else ", ").join(local(text, language) for text in texts)
