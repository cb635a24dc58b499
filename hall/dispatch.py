"""Commands to nodes that are not answered yet: made from the events, so a restart finds them again.

A command goes out when its event is committed, again when its node comes online, and again from time to
time until it is answered or its deadline has passed. Nodes answer a repeated id with the stored result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hall.nodes import Nodes
from hall.queue import events as ev
from hall.queue import help_key
from hall.queue.policy import Policy
from wire.codec import command
from wire.kiosk_messages import HelpAnswered, TicketFound
from wire.messages import GrantLease, Message, NodeCommand, PrintTicket, PromptRating, RefuseTicket

REFUSAL_S: Final = 15.0
"""How long a citizen waits at the kiosk for an answer."""
LEASE_S: Final = 20 * 3600.0
"""A lease is useful for the rest of its business date."""
AGAIN_S: Final = 5.0
"""Time between repeats of a command that is not answered …"""
AGAIN_SLOW_S: Final = 60.0
"""… and of one whose deadline is more than a minute away."""


@dataclass(slots=True)
class Outstanding:
    """One command. `node` None: the node of `counter`, whichever that is when it is sent."""

    id: str
    body: Message
    deadline: datetime
    node: str | None = None
    counter: str | None = None
    sent_at: datetime | None = None


class Dispatch:
    """See the module. `publish(node, command, seconds left)` is False when it could not be sent.

    Where a text can be written about a service: `rating_url`, the address of a platform that the hall uses,
    `{prompt}` in it is replaced; else `rating_page`, the address at which phones find the hall's own page.
    """

    def __init__(
        self,
        policy: Policy,
        nodes: Nodes,
        publish: Callable[[str, NodeCommand, float], bool],
        *,
        rating_url: str = "",
        rating_page: str = "",
    ) -> None:
        self._policy = policy
        self._nodes = nodes
        self._publish = publish
        self._rating_url = rating_url
        self.rating_page = rating_page
        self._open: dict[str, Outstanding] = {}

    @property
    def outstanding(self) -> list[Outstanding]:
        return list(self._open.values())

    def reset(self) -> None:
        """Before a replay."""
        self._open.clear()

    def on_events(self, events: Iterable[ev.Event]) -> list[str]:
        """Take up and drop commands; returns the ids of new ones, to be sent."""
        new: list[str] = []
        for event in events:
            added = self._from_event(event)
            if added is not None:
                self._open[added.id] = added
                new.append(added.id)
        return new

    def _from_event(self, event: ev.Event) -> Outstanding | None:
        match event:
            case ev.TicketIssued(node=str(node), print_by=datetime() as print_by):
                return Outstanding(
                    f"print-{event.ticket}",
                    PrintTicket(
                        ticket=event.ticket,
                        number=event.number,
                        service=event.service,
                        request=event.request,
                        issued_at=event.at,
                        waiting_ahead=event.ahead,
                        priority=event.priority,
                        paperless=event.paperless,
                    ),
                    print_by,
                    node=node,
                )
            case ev.ReprintAsked():
                return Outstanding(
                    f"reprint{event.count}-{event.ticket[:48]}",
                    PrintTicket(
                        ticket=event.ticket,
                        number=event.number,
                        service=event.service,
                        request=None,
                        issued_at=event.issued_at,
                        waiting_ahead=event.ahead,
                        priority=event.priority,
                        reprint=True,
                    ),
                    event.print_by,
                    node=event.node,
                )
            case ev.Refused(node=str(node), request=str(request)) if event.what != "EnquireTicket":
                return Outstanding(
                    f"refuse-{request}"[:64],
                    RefuseTicket(request=request, code=event.code, facts=event.facts),
                    event.at + timedelta(seconds=REFUSAL_S),
                    node=node,
                )
            case ev.HelpAnswered():
                self._drop_help(event.node, event.station)
                return Outstanding(
                    event.answer,
                    HelpAnswered(station=event.station, over=event.over),
                    event.answer_by,
                    node=event.node,
                )
            case ev.TicketEnquired():
                return Outstanding(
                    f"found-{event.request}"[:64], self._found(event), event.answer_by, node=event.node
                )
            case ev.LeaseGranted():
                return Outstanding(
                    event.lease,
                    GrantLease(
                        group=event.group,
                        business_date=event.business_date,
                        first=event.first,
                        last=event.last,
                    ),
                    event.at + timedelta(seconds=LEASE_S),
                    node=event.node,
                )
            case ev.RatingPrompted():
                service = self._policy.services.get(event.service)
                return Outstanding(
                    f"rate-{event.prompt}",
                    PromptRating(
                        prompt=event.prompt,
                        ticket=event.ticket,
                        number=event.number,
                        counter=event.counter,
                        service_name=service.name if service is not None else {"zh-CN": event.service},
                        timeout_s=self._policy.limits.rating_timeout_s,
                        url=self._text_url(event),
                    ),
                    event.answer_by,
                    counter=event.counter,
                )
            case ev.PaperRecorded() | ev.TicketVoided() | ev.TicketCancelled():
                self._open.pop(f"print-{event.ticket}", None)
                if isinstance(event, ev.PaperRecorded):
                    for id_ in [
                        i for i in self._open if i.endswith(event.ticket[:48]) and i.startswith("reprint")
                    ]:
                        del self._open[id_]
            case ev.RatingGiven() | ev.RatingMissed():
                self._open.pop(f"rate-{event.prompt}", None)
            case ev.CommandEnded():
                found = self._open.get(event.ended)
                if found is not None and found.node in (None, event.node):
                    # The id of a lease can be guessed: only its own kiosk may say that it has it.
                    del self._open[event.ended]
            case ev.AlarmRaised(code=help_key.CODE) | ev.AlarmCleared(code=help_key.CODE):
                # A new call has no answer yet; one that was taken back needs none.
                node, _, station = event.subject.partition("/")
                self._drop_help(node, station, over=isinstance(event, ev.AlarmRaised))
            case ev.DayOpened():
                self._open = {i: o for i, o in self._open.items() if not isinstance(o.body, GrantLease)}
        return None

    def _text_url(self, event: ev.RatingPrompted) -> str:
        if self._rating_url:
            return self._rating_url.replace("{prompt}", event.prompt)
        return f"{self.rating_page}/rate/{event.page}" if self.rating_page and event.page else ""

    def _found(self, event: ev.TicketEnquired) -> TicketFound:
        policy = self._policy
        service = policy.services.get(event.service or "")
        counter = policy.counters.get(event.counter or "")
        place = counter or service
        return TicketFound(
            request=event.request,
            ticket=event.ticket,
            code=event.code,
            number=event.number,
            state=event.state,  # type: ignore[arg-type]
            service_name=service.name if service is not None else None,
            zone=place.zone if place is not None else None,
            counter_name=counter.name if counter is not None else None,
            ahead=event.ahead,
            wait_min=event.wait_min,
        )

    def _drop_help(self, node: str, station: str, *, over: bool = True) -> None:
        """Forget answers to a station's call for help; `over`: also that it is over."""
        for id_, found in list(self._open.items()):
            if not isinstance(found.body, HelpAnswered):
                continue
            if (found.node, found.body.station) == (node, station) and (over or not found.body.over):
                del self._open[id_]

    def send(self, ids: Iterable[str], epoch: int, at: datetime) -> None:
        """Send these now, where their node is known."""
        for id_ in ids:
            found = self._open.get(id_)
            if found is not None:
                self._send(found, epoch, at)

    def send_to(self, node: str, epoch: int, at: datetime) -> None:
        """Everything that `node` has not answered: it came online."""
        for found in list(self._open.values()):
            if self._node_of(found) == node:
                self._send(found, epoch, at)

    def send_due(self, epoch: int, at: datetime) -> None:
        """Drop what is past its deadline, repeat what has not been answered for a while."""
        for found in list(self._open.values()):
            if found.deadline <= at:
                del self._open[found.id]
                continue
            left = (found.deadline - at).total_seconds()
            pause = AGAIN_S if left <= 60 else AGAIN_SLOW_S
            if found.sent_at is None or (at - found.sent_at).total_seconds() >= pause:
                node = self._node_of(found)
                if node is not None and self._nodes.online(node):
                    self._send(found, epoch, at)

    def _node_of(self, found: Outstanding) -> str | None:
        if found.node is not None or found.counter is None:
            return found.node
        return self._nodes.of_counter(found.counter)

    def _send(self, found: Outstanding, epoch: int, at: datetime) -> None:
        node = self._node_of(found)
        left = (found.deadline - at).total_seconds()
        if node is None or left <= 0:
            return
        envelope = command(found.body, id=found.id, epoch=epoch, at=at, deadline=found.deadline)
        if self._publish(node, envelope, left):
            found.sent_at = at
