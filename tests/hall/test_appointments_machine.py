"""Appointments under random imports, check-ins and paper results: one appointment, one number."""

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
from hall.queue.policy import Appointments
from hall.queue.state import Appointment, empty

PROOFS = [letter * 64 for letter in "abc"]
GONE = ("void", "cancelled")


class Visits(RuleBasedStateMachine):
    make_hall: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.hall = Visits.make_hall()
        rules = Appointments(early_min=20, late_min=10)
        self.hall.policy = msgspec.structs.replace(self.hall.policy, appointments=rules)
        self.hall.state.policy = self.hall.policy
        self.sent: list[cmd.Command] = []

    def try_(self, command: cmd.Command) -> list[ev.Event]:
        before = len(self.hall.log)
        try:
            self.hall.do(command)
        except (RefusedError, AlreadyDecidedError):
            pass
        if command.id:
            self.sent.append(command)
        return self.hall.log[before:]

    @rule(
        data=st.data(),
        ids=st.lists(st.sampled_from("vwxyz"), max_size=4, unique=True),
        tomorrow=st.booleans(),
    )
    def import_(self, data: Any, ids: list[str], tomorrow: bool) -> None:
        day = self.hall.state.business_date + timedelta(days=int(tomorrow))
        held = dict(self.held(day))
        appointments = []
        for id_ in ids:
            start = self.hall.at + timedelta(days=int(tomorrow), minutes=data.draw(st.integers(-60, 60)))
            appointments.append(
                Appointment(
                    id=id_,
                    business_date=day,
                    service=data.draw(st.sampled_from(["id-card", "house", "tax"])),
                    start=start,
                    end=start + timedelta(minutes=10),
                    proofs=tuple(data.draw(st.lists(st.sampled_from(PROOFS), min_size=1, max_size=2))),
                )
            )
        self.try_(
            cmd.ImportAppointments(
                id=self.hall.new("c"), at=self.hall.at, business_date=day, appointments=tuple(appointments)
            )
        )
        known = self.hall.state.appointments[day]
        assert set(known) == set(ids) | set(held)
        assert dict(self.held(day)) == held

    def held(self, day: Any) -> list[tuple[str, str]]:
        """Appointments of a date with the number that holds for them."""
        known = self.hall.state.appointments.get(day, {})
        pairs = [(id_, self.hall.state.checked_in(one)) for id_, one in known.items()]
        return [(id_, ticket.ticket) for id_, ticket in pairs if ticket is not None]

    @rule(proof=st.sampled_from(PROOFS))
    def check_in(self, proof: str) -> None:
        today = self.hall.state.business_date
        held = dict(self.held(today))
        new = self.try_(
            cmd.CheckIn(
                id=self.hall.new("c"),
                at=self.hall.at,
                ticket=self.hall.new("t"),
                proof=proof,
                node="kiosk-1",
                request=self.hall.new("r"),
            )
        )
        (event,) = new
        if isinstance(event, ev.TicketIssued):
            assert event.appointment is not None and event.appointment not in held
            appointment = self.hall.state.appointments[today][event.appointment]
            assert proof in appointment.proofs
            assert appointment.start - timedelta(minutes=20) <= self.hall.at
            assert self.hall.at <= appointment.end + timedelta(minutes=10)
        else:
            assert isinstance(event, ev.Refused) and event.code.startswith("appointment.")
            known = self.hall.state.appointments.get(today, {}).values()
            assert (event.code == "appointment.none") == (not any(proof in one.proofs for one in known))

    @precondition(lambda self: self.hall.state.tickets)
    @rule(data=st.data(), paper=st.sampled_from(["confirmed", "failed", "unknown"]))
    def paper(self, data: Any, paper: Any) -> None:
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
            )
        )

    @precondition(lambda self: self.hall.state.tickets)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.hall.state.tickets)))
        self.try_(cmd.CancelTicket(id=self.hall.new("c"), at=self.hall.at, ticket=ticket))

    @rule(key=st.sampled_from(["next", "finish", "park"]))
    def key(self, key: Any) -> None:
        self.try_(
            cmd.PressKey(
                id=self.hall.new("c"),
                at=self.hall.at,
                counter="1",
                key=key,
                call=self.hall.new("call"),
                prompt=self.hall.new("p"),
                shown_ticket=self.hall.state.counters["1"].ticket,
            )
        )

    @rule(seconds=st.sampled_from([1, 130, 600]))
    def time(self, seconds: int) -> None:
        self.hall.wait(seconds)
        self.try_(cmd.Tick(id="", at=self.hall.at))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        command = data.draw(st.sampled_from(self.sent))
        before = len(self.hall.log)
        try:
            self.hall.do(command)
        except AlreadyDecidedError:
            pass
        else:
            raise AssertionError(f"{command.id} was decided twice")
        assert len(self.hall.log) == before

    @precondition(lambda self: len(self.hall.log) > 25)
    @rule()
    def tomorrow(self) -> None:
        self.hall.wait(86_400)
        date = self.hall.state.business_date + timedelta(days=1)
        self.try_(cmd.OpenDay(id=self.hall.new("d"), at=self.hall.at, business_date=date))
        self.sent.clear()
        assert all(day >= date for day in self.hall.state.appointments)

    @invariant()
    def one_number_for_one_appointment(self) -> None:
        state = self.hall.state
        live: dict[str, str] = {}
        for id_, ticket in self.held(state.business_date):
            assert state.tickets[ticket].state not in GONE
            live[id_] = ticket
        for ticket in state.tickets.values():
            if ticket.appointment in live and ticket.state not in GONE:
                assert live[ticket.appointment] == ticket.ticket

    @invariant()
    def proofs_find_what_a_search_of_all_would(self) -> None:
        state = self.hall.state
        known = state.appointments.get(state.business_date, {}).values()
        for proof in PROOFS:
            searched = {one.id for one in known if proof in one.proofs}
            assert set(state.proofs.get(proof, ())) == searched
        assert set(state.proofs) <= set(PROOFS)

    @invariant()
    def replay_gives_the_same_state(self) -> None:
        if len(self.hall.log) % 7:
            return
        state = empty(self.hall.policy)
        for event in self.hall.log:
            state = apply(state, ev.decode(ev.encode(event)))
        assert state == self.hall.state


def test_one_appointment_gives_one_number(make_hall: Any) -> None:
    Visits.make_hall = staticmethod(make_hall)
    run_state_machine_as_test(
        Visits,
        settings=settings(
            max_examples=80,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
