"""The queue under random commands: what must hold whatever is pressed, repeated, delayed or lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.apply import apply
from hall.queue.decide import AlreadyDecidedError, RefusedError
from hall.queue.policy import CallFrom, Rule
from hall.queue.state import QUEUED, empty

BOUND = 900.0
QUOTA = 4
RULES = (Rule(name="priority", call_from=CallFrom(priorities=("elderly", "soldier")), ratio=2),)
KEYS = ["next", "next", "next", "recall", "no_show", "transfer", "park", "unpark", "finish", "open", "pause"]


class Queue(RuleBasedStateMachine):
    make_hall: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.hall = Queue.make_hall(RULES, starvation_bound_s=BOUND, serving_after_s=20)
        house = msgspec.structs.replace(self.hall.policy.services["house"], quota=QUOTA)
        services = self.hall.policy.services | {"house": house}
        self.hall.policy = msgspec.structs.replace(self.hall.policy, services=services, call_by_name=True)
        self.hall.state.policy = self.hall.policy
        self.policy = self.hall.policy
        self.sent: list[cmd.Command] = []
        self.called: list[ev.TicketCalled] = []

    def try_(self, command: cmd.Command) -> None:
        """Send it; what it refuses must change nothing but the record."""
        before = len(self.hall.log)
        overdue = self.overdue(command)
        full = isinstance(command, cmd.IssueTicket) and command.service == "house" and self.taken() >= QUOTA
        try:
            self.hall.do(command)
            assert not full, "a number beyond the quota"
        except RefusedError as error:
            assert full or error.code != "ticket.quota_reached"
        except AlreadyDecidedError:
            pass
        if command.id:
            self.sent.append(command)
        for event in self.hall.log[before:]:
            if isinstance(event, ev.TicketCalled):
                self.check_call(event, overdue)

    def taken(self) -> int:
        """Numbers for the service with a quota that somebody may come with."""
        tickets = self.hall.state.tickets.values()
        return sum(t.taken_for == "house" and t.state not in ("void", "cancelled") for t in tickets)

    def overdue(self, command: cmd.Command) -> list[str]:
        """Tickets that the counter of a `next` may not pass over any more, longest waiting first."""
        if not isinstance(command, cmd.PressKey) or command.key != "next":
            return []
        counter = self.policy.counters[command.counter]
        waiting = [
            ticket
            for ticket in self.hall.state.tickets.values()
            if ticket.state in QUEUED
            and (
                ticket.target == counter.id or (ticket.target is None and ticket.service in counter.services)
            )
            and (command.at - ticket.issued_at).total_seconds() >= BOUND
        ]
        return [t.ticket for t in sorted(waiting, key=lambda t: (t.issued_at, t.order))]

    def check_call(self, event: ev.TicketCalled, overdue: list[str]) -> None:
        self.called.append(event)
        if overdue and event.why.kind in ("rule", "longest_wait"):
            raise AssertionError(f"{event.number} was called before {overdue[0]}")

    @rule(
        service=st.sampled_from(["house", "id-card", "tax"]),
        priority=st.sampled_from([None, None, "elderly", "soldier"]),
        kiosk=st.booleans(),
        paperless=st.booleans(),
        name=st.sampled_from([None, "王*明"]),
    )
    def issue(
        self, service: str, priority: str | None, kiosk: bool, paperless: bool, name: str | None
    ) -> None:
        new = self.hall.new
        self.try_(
            cmd.IssueTicket(
                id=new("c"),
                at=self.hall.at,
                ticket=new("t"),
                service=service,
                priority=priority,
                node="kiosk-1" if kiosk else None,
                request=new("r") if kiosk else None,
                paperless=paperless,
                name=name,
            )
        )

    @precondition(lambda self: self.hall.state.tickets)
    @rule(data=st.data(), paper=st.sampled_from(["confirmed", "failed", "unknown"]), seen=st.booleans())
    def paper(self, data: Any, paper: Any, seen: bool) -> None:
        ticket = data.draw(st.sampled_from(list(self.hall.state.tickets.values())))
        self.try_(
            cmd.RecordPaper(
                id=self.hall.new("c"),
                at=self.hall.at,
                node="kiosk-1",
                ticket=ticket.ticket,
                number=ticket.number,
                paper=paper,
                business_date=self.hall.state.business_date,
                printed_at=self.hall.at,
                code="ticket.on_screen" if seen and ticket.paperless else None,
            )
        )

    @rule(
        counter=st.sampled_from(["1", "2", "3"]),
        key=st.sampled_from(KEYS),
        stale=st.integers(0, 5),
        to=st.sampled_from([None, "1", "3", "tax", "house"]),
    )
    def key(self, counter: str, key: Any, stale: int, to: str | None) -> None:
        shown = self.hall.state.counters[counter].ticket if stale else "t1"
        self.try_(
            cmd.PressKey(
                id=self.hall.new("c"),
                at=self.hall.at,
                counter=counter,
                key=key,
                call=self.hall.new("call"),
                prompt=self.hall.new("p"),
                shown_ticket=shown,
                target=to if key != "unpark" else None,
            )
        )

    @precondition(lambda self: self.hall.state.tickets)
    @rule(data=st.data())
    def enquire(self, data: Any) -> None:
        """Asking changes nothing for anybody."""
        ticket = data.draw(st.sampled_from(sorted(self.hall.state.tickets)))
        was = self.hall.state.tickets[ticket].state
        id_ = self.hall.new("q")
        before = {counter.counter: counter.ticket for counter in self.hall.state.counters.values()}
        self.try_(cmd.EnquireTicket(id=id_, at=self.hall.at, node="kiosk-1", request=id_, ticket=ticket))
        told = self.hall.log[-1]
        assert isinstance(told, ev.TicketEnquired) and told.number == self.hall.state.tickets[ticket].number
        assert (told.ahead is not None) == (was in QUEUED)
        assert before == {c.counter: c.ticket for c in self.hall.state.counters.values()}

    @rule(node=st.sampled_from(["kiosk-1", "kiosk-2"]), more=st.booleans())
    def lease(self, node: str, more: bool) -> None:
        self.try_(
            cmd.GrantLease(
                id=self.hall.new("c"),
                at=self.hall.at,
                node=node,
                group="general",
                business_date=self.hall.state.business_date,
                epoch=1,
                more=more,
            )
        )

    @precondition(lambda self: self.hall.state.leases)
    @rule(data=st.data(), back=st.integers(0, 2000))
    def merge(self, data: Any, back: int) -> None:
        lease = data.draw(st.sampled_from(self.hall.state.leases))
        n = data.draw(st.integers(lease.first, lease.last))
        number = self.policy.number(lease.group, n)
        if number in self.hall.state.used:
            return
        self.try_(
            cmd.MergeTicket(
                id=self.hall.new("c"),
                at=self.hall.at,
                node=lease.node,
                ticket=self.hall.new("t"),
                number=number,
                service="id-card",
                business_date=self.hall.state.business_date,
                lease_epoch=1,
                issued_at=self.hall.at - timedelta(seconds=back),
                paper="confirmed",
            )
        )

    @precondition(lambda self: self.hall.state.tickets)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.hall.state.tickets)))
        self.try_(cmd.CancelTicket(id=self.hall.new("c"), at=self.hall.at, ticket=ticket))

    @precondition(lambda self: self.hall.state.prompts)
    @rule(data=st.data(), grade=st.integers(1, 5))
    def rate(self, data: Any, grade: int) -> None:
        prompt = data.draw(st.sampled_from(list(self.hall.state.prompts.values())))
        self.try_(
            cmd.Rate(
                id=self.hall.new("c"),
                at=self.hall.at,
                prompt=prompt.prompt,
                ticket=prompt.ticket,
                counter=prompt.counter,
                grade=grade,
            )
        )

    @rule(seconds=st.sampled_from([1, 30, 200, 1000]))
    def time(self, seconds: int) -> None:
        self.hall.wait(seconds)
        self.try_(cmd.Tick(id="", at=self.hall.at))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        """A command that comes again, at any time later, does nothing."""
        command = data.draw(st.sampled_from(self.sent))
        before = len(self.hall.log)
        try:
            self.hall.do(command)
        except AlreadyDecidedError:
            pass
        else:
            raise AssertionError(f"{command.id} was decided twice")
        assert len(self.hall.log) == before

    @precondition(lambda self: len(self.hall.log) > 30)
    @rule()
    def tomorrow(self) -> None:
        self.hall.wait(86_400)
        date = self.hall.state.business_date + timedelta(days=1)
        self.try_(cmd.OpenDay(id=self.hall.new("d"), at=self.hall.at, business_date=date))
        self.sent.clear()

    @invariant()
    def no_number_twice_a_date(self) -> None:
        numbers = [ticket.number for ticket in self.hall.state.tickets.values()]
        assert len(numbers) == len(set(numbers))

    @invariant()
    def quotas_count_the_numbers_that_somebody_may_come_with(self) -> None:
        counts: dict[str, int] = {}
        for ticket in self.hall.state.tickets.values():
            if ticket.state not in ("void", "cancelled"):
                counts[ticket.taken_for] = counts.get(ticket.taken_for, 0) + 1
        assert counts == {service: n for service, n in self.hall.state.taken.items() if n}

    @invariant()
    def nobody_waits_for_a_number_that_was_neither_printed_nor_seen(self) -> None:
        for ticket in self.hall.state.tickets.values():
            if ticket.node is not None and ticket.state not in ("reserved", "void", "cancelled", "expired"):
                assert ticket.paper in ("confirmed", "unknown")

    @invariant()
    def tickets_and_counters_agree(self) -> None:
        state = self.hall.state
        at_counters = [counter.ticket for counter in state.counters.values() if counter.ticket is not None]
        assert len(at_counters) == len(set(at_counters))
        for counter in state.counters.values():
            if counter.ticket is not None:
                ticket = state.tickets[counter.ticket]
                assert ticket.state in ("called", "serving") and ticket.counter == counter.counter
        here = sum(ticket.state in ("called", "serving") for ticket in state.tickets.values())
        assert here == len(at_counters)

    @invariant()
    def queues_hold_exactly_the_waiting(self) -> None:
        state = self.hall.state
        queued = [entry[2] for queue in state.queues.values() for entry in queue]
        assert sorted(queued) == sorted(t.ticket for t in state.tickets.values() if t.state in QUEUED)
        for queue in state.queues.values():
            assert queue == sorted(queue)
        counts: dict[str, int] = {}
        for ticket_id in queued:
            service = state.tickets[ticket_id].service
            counts[service] = counts.get(service, 0) + 1
        assert counts == {service: n for service, n in state.waiting.items() if n}

    @invariant()
    def nobody_is_called_who_may_not_be(self) -> None:
        ended: set[str] = set()
        for event in self.hall.log:
            if isinstance(event, ev.TicketFinished | ev.TicketCancelled | ev.TicketExpired | ev.TicketVoided):
                ended.add(event.ticket)
            elif isinstance(event, ev.PaperRecorded) and event.becomes == "waiting":
                ended.discard(event.ticket)
            elif isinstance(event, ev.TicketCalled):
                assert event.ticket not in ended

    @invariant()
    def replay_gives_the_same_state(self) -> None:
        if len(self.hall.log) % 7:
            return
        state = empty(self.policy)
        for event in self.hall.log:
            state = apply(state, ev.decode(ev.encode(event)))
        assert state == self.hall.state


def test_the_queue_keeps_its_promises(make_hall: Any) -> None:
    Queue.make_hall = staticmethod(make_hall)
    run_state_machine_as_test(
        Queue,
        settings=settings(
            max_examples=100,
            stateful_step_count=60,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
