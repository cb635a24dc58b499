"""What can be had now: each service with its queue, and why not where not. Pure: of the agent's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from ui.hall_time import day_in_words, hours_in_words, is_open, next_start, part_and_time
from wire.messages import BoardService, CatalogueGroup, CatalogueService, PriorityClass, Zone

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

WORKS: Final = ("ok", "degraded")
"""Health of a device that can be used."""
SCAN_S: Final = 50.0
"""The agent lets the scanner rest after a minute: who still waits for a code asks again before that."""

Why = Literal["", "closed", "out_of_hours", "quota_reached", "no_numbers"]
"""Why a number cannot be had now; "": it can."""

CODES: Final[dict[Why, str]] = {
    "closed": "ticket.service_closed",
    "out_of_hours": "ticket.out_of_hours",
    "quota_reached": "ticket.quota_reached",
    "no_numbers": "kiosk.no_numbers",
}
"""What the hall would answer: the same words before the tap as after it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`waiting`, `wait_min` None: not known, as whenever the coordinator is away.

    `hours`: of today. `today` False: it is not given today at all. `again`: the next day it is; None: later
    today, or not known.
    """

    service: CatalogueService
    why: Why = ""
    waiting: int | None = None
    wait_min: tuple[int, int] | None = None
    hours: tuple[str, ...] = ()
    today: bool = True
    again: date | None = None


def offer(kiosk: Kiosk, service: CatalogueService) -> Offer:
    state, board = kiosk.state, kiosk.board
    known = None
    if board is not None:
        known = next((one for one in board.services if one.service == service.service), None)
    hours: tuple[str, ...] = ()
    if board is not None and known is not None and known.today:
        hours = known.hours or board.hours
    shown, today, again = (_of_today(kiosk, hours), known.today, known.again) if known else ((), True, None)
    if not service.open:
        return Offer(service, "closed", hours=shown)
    if state is None or not state.online:
        why = _why_offline(kiosk, service, known, hours)
        return Offer(service, why, hours=shown, today=today and not _rests(kiosk, known), again=again)
    if known is None:
        return Offer(service)
    why = "" if known.available == "open" else known.available
    return Offer(service, why, known.waiting, known.wait_min, shown, today, again)


def _of_today(kiosk: Kiosk, hours: tuple[str, ...]) -> tuple[str, ...]:
    """`hours` of the board, but nothing after midnight: they are of the day before."""
    at, board = kiosk.hall_time(kiosk.now), kiosk.board
    return hours if at is None or board is None or at.date() == board.business_date else ()


def _another_day(kiosk: Kiosk) -> date | None:
    """The business date, where the board is not of it: the hall is away since a day before."""
    if kiosk.state is None or kiosk.board is None:
        return None
    day = kiosk.state.business_date
    return day if day != kiosk.board.business_date else None


def _rests(kiosk: Kiosk, known: BoardService | None) -> bool:
    """Whether the board of a day before says that nothing is given today."""
    day = _another_day(kiosk)
    return day is not None and known is not None and known.again is not None and day < known.again


def _why_offline(
    kiosk: Kiosk, service: CatalogueService, known: BoardService | None, hours: tuple[str, ...]
) -> Why:
    """The last that the hall said of today holds where it does not change with the time."""
    at = kiosk.hall_time(kiosk.now)
    if _rests(kiosk, known):
        return "out_of_hours"
    if _another_day(kiosk) is not None:
        known, hours = None, ()
    if known is not None and known.available == "quota_reached":
        return "quota_reached"
    if (known is not None and not known.today) or (at is not None and not is_open(hours, at)):
        return "out_of_hours"
    left = kiosk.state.offline_numbers.get(service.group, 0) if kiosk.state is not None else 0
    return "" if left > 0 else "no_numbers"


def offers(kiosk: Kiosk, group: str | None = None) -> tuple[Offer, ...]:
    """All services, or those of a group, in the catalogue's order."""
    services = kiosk.catalogue.services if kiosk.catalogue is not None else ()
    return tuple(offer(kiosk, one) for one in services if group is None or one.group == group)


def service_of(kiosk: Kiosk, service: str | None) -> CatalogueService | None:
    services = kiosk.catalogue.services if kiosk.catalogue is not None else ()
    return next((one for one in services if one.service == service), None)


def zone_of(kiosk: Kiosk, zone: str | None) -> Zone | None:
    zones = kiosk.catalogue.zones if kiosk.catalogue is not None else ()
    return next((one for one in zones if one.zone == zone), None)


def priority_of(kiosk: Kiosk, priority: str | None) -> PriorityClass | None:
    priorities = kiosk.catalogue.priorities if kiosk.catalogue is not None else ()
    return next((one for one in priorities if one.priority == priority), None)


def groups(kiosk: Kiosk) -> tuple[tuple[CatalogueGroup, tuple[Offer, ...]], ...]:
    """Groups that have services, each with them."""
    if kiosk.catalogue is None:
        return ()
    found = ((group, offers(kiosk, group.group)) for group in kiosk.catalogue.groups)
    return tuple((group, inside) for group, inside in found if inside)


HallWhy = Literal["", "no_catalogue", "closed", "out_of_hours", "quota_reached", "no_numbers"]


def hall_why(kiosk: Kiosk) -> HallWhy:
    """Why nothing at all can be had; "": something can."""
    every = offers(kiosk)
    if kiosk.catalogue is None:
        return "no_catalogue"
    if any(not one.why for one in every):
        return ""
    whys = {one.why for one in every}
    order: tuple[HallWhy, ...] = ("out_of_hours", "no_numbers", "quota_reached")
    return next((why for why in order if why in whys), "closed")


# ---------------------------------------------------------------- in words


def wait_words(kiosk: Kiosk, wait_min: tuple[int, int] | None) -> str:
    """约 10–25 分钟; "" where it is not known."""
    if wait_min is None:
        return ""
    low, high = min(wait_min), max(wait_min)
    if high <= 0:
        return kiosk.text("wait_none")
    if low <= 0:
        return kiosk.text("wait_within", minutes=high)
    if low == high:
        return kiosk.text("wait_about", minutes=low)
    return kiosk.text("wait_range", low=low, high=high)


def queue_words(kiosk: Kiosk, one: Offer) -> str:
    """The line under a service's name: how many wait and how long, or why not now."""
    if one.why:
        return why_words(kiosk, one)
    if one.waiting is None:
        return ""
    if one.waiting == 0 and not (one.wait_min and max(one.wait_min) > 0):
        return kiosk.text("nobody_waits")
    parts = [kiosk.text("waiting", count=one.waiting), wait_words(kiosk, one.wait_min)]
    return " · ".join(part for part in parts if part)


def group_words(kiosk: Kiosk, inside: tuple[Offer, ...]) -> str:
    can = [one for one in inside if not one.why]
    if not can:
        whys = {one.why for one in inside}
        return why_words(kiosk, inside[0]) if len(whys) == 1 else kiosk.text("why_closed")
    if any(one.waiting is None for one in can):
        return ""
    return kiosk.text("waiting", count=sum(one.waiting or 0 for one in can))


def why_words(kiosk: Kiosk, one: Offer) -> str:
    """In a few words: 今日号满."""
    if one.why != "out_of_hours":
        return kiosk.text(f"why_{one.why}")
    return begins_words(kiosk, one) or kiosk.text("why_out_of_hours" if one.today else "why_not_today")


def begins_words(kiosk: Kiosk, one: Offer) -> str:
    """When numbers for a service are given again, today or on another day; "" where that is not known."""
    return opens_words(kiosk, one.hours) or again_words(kiosk, one.again)


def again_words(kiosk: Kiosk, again: date | None) -> str:
    """10月8日 星期四 开始取号; "" where it is not known."""
    at = kiosk.hall_time(kiosk.now)
    if again is None or (at is not None and again < at.date()):
        return ""
    return kiosk.text("opens_on", day=day_in_words(again, kiosk.language))


def opens_words(kiosk: Kiosk, hours: tuple[str, ...]) -> str:
    """When numbers are given again today; "" where that is not known, or no more today."""
    at = kiosk.hall_time(kiosk.now)
    minute = next_start(hours, at) if at is not None else None
    if minute is None or (at is not None and is_open(hours, at)):
        return ""
    return kiosk.text("opens_at", time=part_and_time(minute, kiosk.language))


def hours_words(kiosk: Kiosk, hours: tuple[str, ...]) -> str:
    """取号时间 08:30–11:45 13:30–16:45; "" where there are none."""
    words = hours_in_words(hours)
    return kiosk.text("hours", hours=words) if words else ""


def place_words(kiosk: Kiosk, service: CatalogueService) -> tuple[str, str]:
    """Zone and floor; directions. Either may be ""."""
    zone = zone_of(kiosk, service.zone)
    if zone is None:
        return "", ""
    return zone_words(kiosk, zone), kiosk.local(zone.directions)


def zone_words(kiosk: Kiosk, zone: Zone) -> str:
    """西区 · 二楼; the floor once only, where the zone's name says it."""
    name, floor = kiosk.local(zone.name), kiosk.local(zone.floor)
    names = [name] if floor.lower() in name.lower() else [name, floor]
    return " · ".join(one for one in names if one)


_FOR_CITIZENS: Final = ("ticket", "kiosk", "kiosk_enquiry", "appointment", "scanner")
"""Tables of the catalogue whose texts say what a citizen does now; those of devices speak to technicians."""


def halves(words: str) -> tuple[str, str]:
    """What is so, and what to do now, each as it stands on a line of its own."""
    so, _, do = words.partition(" · ")
    return so, do[:1].upper() + do[1:]


def so_and_do(kiosk: Kiosk, code: str, **facts: object) -> tuple[str, str]:
    """A text of the catalogue in its two halves: what is so, and what to do now."""
    words = kiosk.text(code, **facts)
    so, do = halves(words)
    if words == code:
        so = kiosk.text("not_now")
    if not do or code.partition(".")[0] not in _FOR_CITIZENS:
        do = kiosk.text("ask_staff")
    return so, do


def closed_words(kiosk: Kiosk, why: HallWhy) -> tuple[str, str]:
    """Why nothing can be had, and what to do."""
    board = kiosk.board
    hours = _of_today(kiosk, board.hours) if board is not None else ()
    so, do = kiosk.text(f"hall_{why}"), kiosk.text(f"hall_{why}_what")
    if why not in ("closed", "out_of_hours"):
        return so, do
    resting = [one for one in offers(kiosk) if one.why == "out_of_hours"]
    if resting and not any(one.today for one in resting):
        so = kiosk.text("hall_not_today")
    days = [one.again for one in resting if one.again is not None]
    if days and len(days) == len(resting) and (again := again_words(kiosk, min(days))):
        return so, again
    if hours:
        opens = opens_words(kiosk, hours)
        do = "\n".join(part for part in (hours_words(kiosk, hours), opens or do) if part)
    return so, do


def card_works(kiosk: Kiosk) -> bool:
    reader = kiosk.state.card_reader if kiosk.state is not None else None
    return reader is not None and reader.health in WORKS


def scanner_works(kiosk: Kiosk) -> bool:
    scanner = kiosk.state.scanner if kiosk.state is not None else None
    return scanner is not None and scanner.health in WORKS


def has_printer(kiosk: Kiosk) -> bool:
    return kiosk.state is not None and kiosk.state.printer is not None


def can_print(kiosk: Kiosk) -> bool:
    """Whether the printer would be tried; what nobody knows of it is left to the agent to refuse."""
    printer = kiosk.state.printer if kiosk.state is not None else None
    return printer is None or printer.health not in ("fault", "missing")
