"""What the screens show, made from the events and the state: counters, hall display, catalogue.

Every snapshot carries (epoch, rev); rev grows with each one that differs from the one before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from hall.pinyin import initials_of, keywords
from hall.queue import events as ev
from hall.queue import hours
from hall.queue.policy import Policy
from hall.queue.state import State
from hall.queue.waits import Waits
from wire.messages import (
    Board,
    BoardCall,
    BoardService,
    Call,
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    CounterClerk,
    CounterState,
    LocalText,
    PriorityClass,
    Zone,
)

_CALLS = (ev.TicketCalled, ev.TicketRecalled)
_ENDS = {ev.TicketFinished: "finished", ev.TicketNoShow: "no_show", ev.TicketServing: "serving"}
_AVAILABLE: Final[dict[str | None, Literal["open", "closed", "out_of_hours", "quota_reached"]]] = {
    None: "open",
    "ticket.service_closed": "closed",
    "ticket.hall_closed": "out_of_hours",
    "ticket.out_of_hours": "out_of_hours",
    "ticket.quota_reached": "quota_reached",
}
"""What screens say where the queue would refuse a number with this code."""
_LEAVES = (ev.TicketTransferred, ev.TicketParked, ev.TicketExpired, ev.TicketCancelled)


class Projections:
    """Fed with every event in order, also at replay. `state` is read when a snapshot is made."""

    def __init__(
        self,
        policy: Policy,
        hall_name: LocalText,
        *,
        languages: tuple[str, ...] = ("zh-CN",),
        repeat: int = 2,
        announcements: tuple[LocalText, ...] = (),
        ticket_url: str = "",
        ticket_notes: LocalText | None = None,
        clerks: Mapping[str, CounterClerk] | None = None,
        appointments: bool = False,
    ) -> None:
        """`clerks`: by id, as citizens may see them. `appointments`: some can be checked in at a kiosk."""
        self._policy = policy
        self._hall_name = hall_name
        self._languages = languages
        self._repeat = repeat
        self._announcements = announcements
        self._ticket_url = ticket_url
        self._ticket_notes = ticket_notes or {}
        self._clerks = clerks or {}
        self._appointments = appointments
        self._calls: dict[str, BoardCall] = {}
        self._counters: dict[str, CounterState] = {}
        self._board: Board | None = None
        self._revs: dict[str, int] = {}

    def reset(self) -> None:
        """Before a replay."""
        self._calls.clear()

    def on_events(self, events: Iterable[ev.Event], state: State) -> None:
        """Keep the recent calls. The newest call is the last of `_calls`."""
        for event in events:
            kind = type(event)
            if isinstance(event, _CALLS):
                self._calls.pop(event.ticket, None)
                self._calls[event.ticket] = BoardCall(
                    number=event.number,
                    counter=event.counter,
                    counter_name=self._counter_name(event.counter),
                    call=event.call,
                    called_at=event.at,
                    state="called",
                    name=self._shown_name(event.ticket, state),
                    zone=self._zone(event.counter),
                )
                while len(self._calls) > 4 * self._policy.limits.board_calls:
                    del self._calls[next(iter(self._calls))]
            elif kind in _ENDS:
                ticket = event.ticket  # type: ignore[attr-defined]
                if ticket in self._calls:
                    self._calls[ticket] = msgspec.structs.replace(self._calls[ticket], state=_ENDS[kind])
            elif isinstance(event, _LEAVES):
                self._calls.pop(event.ticket, None)
            elif kind is ev.DayOpened:
                self._calls.clear()

    def call(self, event: ev.TicketCalled | ev.TicketRecalled, epoch: int) -> Call:
        """The message that says and flashes a call."""
        counter = self._policy.counters[event.counter]
        return Call(
            call=event.call,
            epoch=epoch,
            number=event.number,
            counter=event.counter,
            counter_name=counter.name,
            zone=counter.zone,
            deadline=event.deadline,
            attempt=event.attempt,
            repeat=self._repeat,
            languages=self._languages,
        )

    def counter(self, counter_id: str, state: State, epoch: int) -> CounterState:
        """The snapshot of a counter; the last one where nothing has changed since."""
        counter = self._policy.counters[counter_id]
        now, day = state.counters[counter_id], state.business_date
        ticket = state.tickets[now.ticket] if now.ticket is not None else None
        targeted = sum(len(queue) for key, queue in state.queues.items() if key[2] == counter_id)
        elsewhere = sum(
            len(queue)
            for key, queue in state.queues.items()
            if key[2] and key[2] != counter_id and key[0] in counter.services
        )
        here = sum(
            len(queue)
            for key, queue in state.queues.items()
            if key[2] == counter_id and key[0] in counter.services
        )
        waiting = sum(state.waiting.get(service, 0) for service in counter.services)
        snapshot = CounterState(
            epoch=epoch,
            rev=0,
            counter=counter_id,
            name=counter.name,
            zone=counter.zone,
            state=ticket.state if ticket is not None else now.state,  # type: ignore[arg-type]
            number=ticket.number if ticket is not None else None,
            ticket=ticket.ticket if ticket is not None else None,
            call=ticket.call if ticket is not None else None,
            service_name=self._service_name(ticket.service) if ticket is not None else None,
            called_at=ticket.called_at if ticket is not None else None,
            waiting=waiting - elsewhere - here + targeted,
            parked=len(now.parked),
            clerk=self._clerks.get(now.clerk) if now.clerk is not None else None,
            hours=hours.counter_hours(self._policy, counter, day) if day is not None else (),
            business_date=day,
        )
        last = self._counters.get(counter_id)
        if last is not None and msgspec.structs.replace(last, rev=0) == snapshot:
            return last
        snapshot = msgspec.structs.replace(snapshot, rev=self._next_rev(f"counter {counter_id}"))
        self._counters[counter_id] = snapshot
        return snapshot

    def board(self, state: State, epoch: int, at: datetime) -> Board:
        """The hall display at a moment; the last one where nothing has changed since.

        Without events it changes with whole minutes of the clock only: when hours begin or end.
        """
        assert state.business_date is not None
        limits = self._policy.limits
        today = hours.hall_hours(self._policy, state.business_date)
        shown = state.missed[-limits.missed_shown :] if limits.missed_shown else []
        board = Board(
            epoch=epoch,
            rev=0,
            business_date=state.business_date,
            calls=_newest(self._calls.values(), limits.board_calls),
            services=self._board_services(state, at, today),
            missed=tuple(state.tickets[ticket].number for ticket in shown),
            announcements=self._announcements,
            hours=today,
            hall_name=self._hall_name,
            zone_names={zone.id: zone.name for zone in self._policy.zones.values()},
        )
        if self._board is not None and msgspec.structs.replace(self._board, rev=0) == board:
            return self._board
        self._board = msgspec.structs.replace(board, rev=self._next_rev("board"))
        return self._board

    def _board_services(self, state: State, at: datetime, today: tuple[str, ...]) -> tuple[BoardService, ...]:
        assert state.business_date is not None
        waits = Waits(state)
        shown = []
        for service in self._policy.services.values():
            own = hours.hours_of(self._policy, service, state.business_date)
            shown.append(
                BoardService(
                    service=service.id,
                    name=service.name,
                    waiting=state.waiting.get(service.id, 0),
                    zone=service.zone,
                    available=_AVAILABLE[hours.why_not(state, service, at)],
                    wait_min=waits.of(service.id),
                    left=hours.left(state, service),
                    hours=own if own != today else (),
                    today=hours.is_day_of(self._policy, service, state.business_date),
                    again=hours.again(state, service, at),
                )
            )
        return tuple(shown)

    def _shown_name(self, ticket_id: str, state: State) -> str | None:
        """Also not after a restart that turned calling by name off."""
        ticket = state.tickets.get(ticket_id)
        return ticket.name if ticket is not None and self._policy.call_by_name else None

    def catalogue(self, epoch: int) -> Catalogue:
        """What kiosks offer and print; it changes with the configuration only."""
        policy = self._policy
        return Catalogue(
            epoch=epoch,
            rev=1,
            hall_name=self._hall_name,
            services=tuple(
                CatalogueService(
                    service=service.id,
                    name=service.name,
                    group=service.group,
                    zone=service.zone,
                    counters=tuple(
                        counter.name for counter in policy.counters.values() if service.id in counter.services
                    ),
                    open=service.open,
                    initials=service.initials or initials_of(service.name),
                    keywords=keywords(service.keywords),
                )
                for service in policy.services.values()
            ),
            groups=tuple(
                CatalogueGroup(group=group.id, name=group.name, prefix=group.prefix)
                for group in policy.groups.values()
            ),
            priorities=tuple(
                PriorityClass(
                    priority=p.id,
                    name=p.name,
                    minimum_age=p.minimum_age,
                    needs_card=p.needs_card,
                    offered=p.id != policy.appointments.priority,
                )
                for p in policy.priorities.values()
            ),
            zones=tuple(
                Zone(zone=zone.id, name=zone.name, directions=zone.directions, floor=zone.floor)
                for zone in policy.zones.values()
            ),
            number_digits=policy.numbers.digits,
            ticket_url=self._ticket_url,
            ticket_notes=self._ticket_notes,
            call_by_name=policy.call_by_name,
            appointments=self._appointments,
        )

    def _next_rev(self, of: str) -> int:
        self._revs[of] = self._revs.get(of, 0) + 1
        return self._revs[of]

    def _counter_name(self, counter: str) -> LocalText:
        known = self._policy.counters.get(counter)
        return known.name if known is not None else {"zh-CN": counter, "en": counter}

    def _zone(self, counter: str) -> str | None:
        known = self._policy.counters.get(counter)
        return known.zone if known is not None else None

    def _service_name(self, service: str) -> LocalText:
        known = self._policy.services.get(service)
        return known.name if known is not None else {"zh-CN": service, "en": service}


def _newest(calls: Collection[BoardCall], of_each_zone: int) -> tuple[BoardCall, ...]:
    """Newest first: a busy zone must not push another one's calls off the display that stands there."""
    count: Counter[str | None] = Counter()
    kept = []
    for call in reversed(tuple(calls)):
        count[call.zone] += 1
        if count[call.zone] <= of_each_zone:
            kept.append(call)
    return tuple(kept)


def touched_counters(events: Iterable[ev.Event]) -> list[str]:
    """The counters whose own state (not only how many wait) changed, each once, in order."""
    found: dict[str, None] = {}
    for event in events:
        if isinstance(
            event,
            ev.TicketCalled
            | ev.TicketRecalled
            | ev.TicketServing
            | ev.TicketFinished
            | ev.TicketNoShow
            | ev.TicketParked
            | ev.TicketTransferred
            | ev.CounterChanged
            | ev.ClerkChanged,
        ):
            found[event.counter] = None
    return list(found)
