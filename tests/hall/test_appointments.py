"""Check-in with an appointment: who is let in when, and that one appointment gives one number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from hall.dispatch import Dispatch
from hall.nodes import Nodes
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.apply import apply
from hall.queue.decide import AlreadyDecidedError
from hall.queue.policy import Appointments
from hall.queue.state import Appointment, empty
from wire.messages import PrintTicket, RefuseTicket

TODAY = date(2026, 11, 23)
LI, WANG = "a1" * 32, "b2" * 32


class Desk:
    """A hall of the conftest in which it is 09:00, with short ways to import and to check in."""

    def __init__(self, hall: Any) -> None:
        self.hall = hall

    def one(
        self, id_: str, after_min: float, proof: str = LI, minutes: float = 30, **more: Any
    ) -> Appointment:
        start = self.hall.at + timedelta(minutes=after_min)
        return Appointment(
            id=id_,
            business_date=more.pop("day", TODAY),
            service=more.pop("service", "id-card"),
            start=start,
            end=start + timedelta(minutes=minutes),
            proofs=(proof,),
            **more,
        )

    def import_(self, *appointments: Appointment, day: date = TODAY) -> list[ev.Event]:
        return self.hall.do(
            cmd.ImportAppointments(
                id=self.hall.new("c"), at=self.hall.at, business_date=day, appointments=appointments
            )
        )

    def check_in(self, proof: str = LI, **more: Any) -> list[ev.Event]:
        return self.hall.do(
            cmd.CheckIn(
                id=more.pop("id", None) or self.hall.new("c"),
                at=self.hall.at,
                ticket=self.hall.new("t"),
                proof=proof,
                node="kiosk-1",
                request=self.hall.new("r"),
                requested_at=self.hall.at,
                **more,
            )
        )

    def stands(self, id_: str, day: date = TODAY) -> Any:
        """The number that holds for the appointment."""
        return self.hall.state.checked_in(self.hall.state.appointments[day][id_])


@pytest.fixture
def desk(make_hall: Callable[..., Any]) -> Desk:
    hall = make_hall()
    rules = Appointments(early_min=30, late_min=15, priority="soldier")
    hall.policy = msgspec.structs.replace(hall.policy, appointments=rules)
    hall.state.policy = hall.policy
    return Desk(hall)


def test_a_check_in_gives_a_reserved_number_of_the_class_and_it_is_printed(desk: Desk) -> None:
    desk.import_(desk.one("a1", 10), desk.one("a2", 10, WANG))
    events = desk.check_in()
    (issued,) = events
    assert isinstance(issued, ev.TicketIssued)
    assert (issued.state, issued.service, issued.priority, issued.source) == (
        "reserved",
        "id-card",
        "soldier",
        "appointment",
    )
    dispatch = Dispatch(desk.hall.policy, Nodes(), lambda *_: True)
    dispatch.on_events(events)
    (command,) = dispatch.outstanding
    assert isinstance(command.body, PrintTicket)
    assert (command.node, command.body.request) == ("kiosk-1", issued.request)
    desk.hall.paper(desk.stands("a1"), "confirmed")
    desk.hall.press("1", "next")
    assert desk.hall.called("1") == issued.number


def test_a_class_of_the_appointment_itself_goes_first(desk: Desk) -> None:
    desk.import_(desk.one("a1", 10, priority="elderly"))
    assert desk.check_in()[0].priority == "elderly"


@pytest.mark.parametrize(
    ("minutes", "code", "facts"),
    [
        (31, "appointment.too_early", {"from": "09:01"}),
        (30, None, {}),
        (0, None, {}),
        (-30, None, {}),
        (-45, None, {}),
        (-46, "appointment.too_late", {"until": "08:59"}),
    ],
)
def test_the_door_opens_before_the_time_and_closes_after_the_end(
    desk: Desk, refused: Any, minutes: float, code: str | None, facts: dict[str, str]
) -> None:
    desk.import_(desk.one("a1", minutes))
    if code is None:
        assert desk.check_in()
        return
    with refused(code):
        desk.check_in()
    said = desk.hall.log[-1]
    assert isinstance(said, ev.Refused) and said.facts == facts
    dispatch = Dispatch(desk.hall.policy, Nodes(), lambda *_: True)
    dispatch.on_events([said])
    (command,) = dispatch.outstanding
    assert command.body == RefuseTicket(request=said.request or "", code=code, facts=facts)


def test_who_has_no_appointment_today_is_told_so(desk: Desk, refused: Any) -> None:
    tomorrow = TODAY + timedelta(days=1)
    desk.import_(desk.one("a1", 24 * 60, day=tomorrow), day=tomorrow)
    with refused("appointment.none"):
        desk.check_in()
    with refused("appointment.none"):
        desk.check_in(WANG)


def test_a_second_check_in_gives_no_second_number(desk: Desk, refused: Any) -> None:
    desk.import_(desk.one("a1", 10))
    number = desk.check_in()[0].number
    # the kiosk may have given it up: it is no number to wait for yet
    with refused("appointment.printing"):
        desk.check_in()
    assert desk.hall.log[-1].facts == {"number": number}
    desk.hall.paper(desk.stands("a1"), "confirmed")
    with refused("appointment.checked_in"):
        desk.check_in()
    assert desk.hall.log[-1].facts == {"number": number}


@pytest.mark.parametrize("how", ["failed", "timeout", "cancelled"])
def test_a_number_that_never_was_can_be_had_again(desk: Desk, how: str) -> None:
    desk.import_(desk.one("a1", 10))
    desk.check_in()
    ticket = desk.stands("a1")
    if how == "failed":
        desk.hall.paper(ticket, "failed")
    elif how == "timeout":
        desk.hall.wait(desk.hall.policy.limits.reservation_timeout_s)
        desk.hall.tick()
    else:
        desk.hall.do(cmd.CancelTicket(id=desk.hall.new("c"), at=desk.hall.at, ticket=ticket.ticket))
    assert desk.stands("a1") is None
    again = desk.check_in()[0]
    assert isinstance(again, ev.TicketIssued) and again.ticket != ticket.ticket


def test_a_late_paper_does_not_make_two_of_one_appointment(desk: Desk, refused: Any) -> None:
    desk.import_(desk.one("a1", 10))
    desk.check_in()
    first = desk.stands("a1")
    desk.hall.paper(first, "failed")
    desk.check_in()
    second = desk.stands("a1")
    desk.hall.paper(first, "confirmed")
    assert (first.state, second.state) == ("void", "reserved")
    with refused("ticket.not_open"):
        desk.hall.do(cmd.ReprintTicket(id=desk.hall.new("c"), at=desk.hall.at, ticket=first.ticket))


def test_a_late_paper_without_another_number_holds_again(desk: Desk, refused: Any) -> None:
    desk.import_(desk.one("a1", 10))
    desk.check_in()
    first = desk.stands("a1")
    desk.hall.paper(first, "failed")
    desk.hall.paper(first, "confirmed")
    assert desk.stands("a1") is first and first.state == "waiting"
    with refused("appointment.checked_in"):
        desk.check_in()


def test_of_several_the_one_that_is_open_and_nearest_counts(desk: Desk, refused: Any) -> None:
    desk.import_(
        desk.one("morning", -20, minutes=10),
        desk.one("now", 5, minutes=10, service="house"),
        desk.one("noon", 180, minutes=10, service="tax"),
    )
    assert desk.check_in()[0].appointment == "now"
    # the morning's is still open: its end and a quarter of an hour
    assert desk.check_in()[0].appointment == "morning"
    with refused("appointment.printing"):
        desk.check_in()
    desk.hall.wait(160 * 60)
    assert desk.check_in()[0].appointment == "noon"


def test_an_import_replaces_what_nobody_has_checked_in_for(desk: Desk, refused: Any) -> None:
    desk.import_(desk.one("a1", 10), desk.one("a2", 10, WANG))
    desk.check_in()
    desk.import_(desk.one("a1", 200, "c3" * 32), desk.one("a3", 10, WANG, service="tax"))
    known = desk.hall.state.appointments[TODAY]
    assert sorted(known) == ["a1", "a3"]
    assert known["a1"].proofs == (LI,) and desk.stands("a1") is not None
    assert desk.check_in(WANG)[0].service == "tax"
    desk.import_()
    assert sorted(desk.hall.state.appointments[TODAY]) == ["a1", "a3"]


def test_an_import_for_a_wrong_date_is_refused(desk: Desk, refused: Any) -> None:
    with refused("appointment.date_past"):
        desk.import_(day=TODAY - timedelta(days=1))
    with refused("appointment.date_far"):
        desk.import_(day=TODAY + timedelta(days=91))


def test_too_many_are_refused_over_all_dates(
    desk: Desk, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hall.queue.appointments.MAX_APPOINTMENTS", 3)
    tomorrow = TODAY + timedelta(days=1)
    desk.import_(desk.one("a1", 10), desk.one("a2", 10))
    with refused("appointment.too_many"):
        desk.import_(desk.one("b1", 10, day=tomorrow), desk.one("b2", 10, day=tomorrow), day=tomorrow)
    desk.import_(desk.one("a3", 10), desk.one("a4", 10), desk.one("a5", 10))
    # a full list once more is no more, whoever is checked in meanwhile
    desk.check_in()
    desk.import_(desk.one("a3", 10), desk.one("a4", 10), desk.one("a5", 10))


def test_the_next_date_has_its_own_and_forgets_the_old(desk: Desk) -> None:
    tomorrow, later = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    desk.import_(desk.one("a1", 10))
    desk.import_(desk.one("b1", 24 * 60 + 10, day=tomorrow), day=tomorrow)
    desk.import_(desk.one("c1", 48 * 60 + 10, day=later), day=later)
    desk.hall.wait(86_400)
    desk.hall.do(cmd.OpenDay(id="d2", at=desk.hall.at, business_date=tomorrow))
    assert sorted(desk.hall.state.appointments) == [tomorrow, later]
    assert desk.check_in()[0].appointment == "b1"
    state = empty(desk.hall.policy)
    for event in desk.hall.log:
        state = apply(state, ev.decode(ev.encode(event)))
    assert state == desk.hall.state


def test_hours_and_quota_do_not_turn_an_appointment_away(desk: Desk, refused: Any) -> None:
    policy = desk.hall.policy
    services = dict(policy.services)
    services["id-card"] = msgspec.structs.replace(services["id-card"], quota=1)
    services["tax"] = msgspec.structs.replace(services["tax"], open=False)
    desk.hall.state.policy = msgspec.structs.replace(policy, services=services, issue_times=("13:00-17:00",))
    desk.import_(desk.one("a1", 5), desk.one("a2", 5, WANG), desk.one("a3", 5, "c3" * 32, service="tax"))
    with refused("ticket.hall_closed"):
        desk.hall.kiosk()
    assert desk.check_in() and desk.check_in(WANG)
    with refused("ticket.service_closed"):
        desk.check_in("c3" * 32)


def test_a_kiosk_cannot_take_the_class_of_appointments(desk: Desk, refused: Any) -> None:
    with refused("ticket.priority_unknown"):
        desk.hall.issue("id-card", "soldier", node="kiosk-1", request="r", source="kiosk")
    assert desk.hall.issue("id-card", "soldier", source="desk").priority == "soldier"


def test_one_command_is_decided_once(desk: Desk, refused: Any) -> None:
    desk.import_(desk.one("a1", 10))
    desk.check_in(id="kiosk-1:e7")
    with pytest.raises(AlreadyDecidedError):
        desk.check_in(id="kiosk-1:e7")
    with refused("appointment.none"):
        desk.check_in(WANG, id="kiosk-1:e8")
    with pytest.raises(AlreadyDecidedError) as known:
        desk.check_in(WANG, id="kiosk-1:e8")
    assert known.value.outcome.code == "appointment.none"


def test_a_masked_name_travels_only_where_the_hall_calls_by_name(desk: Desk) -> None:
    desk.import_(desk.one("a1", 10, name="李*"), desk.one("a2", 10, WANG, name="王*明"))
    assert desk.check_in()[0].name is None
    desk.hall.state.policy = msgspec.structs.replace(desk.hall.policy, call_by_name=True)
    assert desk.check_in(WANG)[0].name == "王*明"


def test_a_list_that_changes_nothing_is_not_written_again(desk: Desk) -> None:
    """A booking system may send all of it every few minutes; the journal of a day is read at every start."""
    first, second = desk.one("a1", 10), desk.one("a2", 10, WANG)
    assert isinstance(desk.import_(first, second)[0], ev.AppointmentsImported)
    assert isinstance(desk.import_(second, first)[0], ev.NothingToDo)
    desk.check_in()
    assert isinstance(desk.import_(first, second)[0], ev.NothingToDo)
    assert isinstance(
        desk.import_(first, msgspec.structs.replace(second, service="tax"))[0], ev.AppointmentsImported
    )
    assert desk.check_in(WANG)[0].service == "tax"
    assert isinstance(desk.import_()[0], ev.NothingToDo), "both are checked in: nothing is left to take back"


def test_who_is_taken_off_the_list_is_not_found_any_more(desk: Desk, refused: Any) -> None:
    desk.import_(desk.one("a1", 10), desk.one("a2", 10, WANG))
    desk.import_(desk.one("a2", 10, WANG))
    with refused("appointment.none"):
        desk.check_in()
    assert desk.check_in(WANG)[0].appointment == "a2"
