"""Numbers, paper, merges and leases: what `decide` says and what `apply` makes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.decide import AlreadyDecidedError, decide
from hall.queue.policy import Numbers


def of(events: list[ev.Event], kind: type[ev.Event]) -> Any:
    return next((event for event in events if type(event) is kind), None)


def test_numbers_run_per_group_and_are_never_used_again(hall: Any) -> None:
    assert [hall.issue("id-card").number, hall.issue("house").number] == ["A001", "A002"]
    assert hall.issue("tax").number == "B001"
    hall.do(cmd.CancelTicket(id="c", at=hall.at, ticket=hall.issue().ticket))
    assert hall.issue().number == "A004"


def test_online_numbers_leap_over_the_lease_range(hall: Any) -> None:
    hall.state.numbers["general"] = 599
    assert [hall.issue().number for _ in range(3)] == ["A599", "A1000", "A1001"]


def test_a_full_counter_is_refused(hall: Any, refused: Any) -> None:
    hall.state.numbers["general"] = 1_000_000
    with refused("ticket.numbers_full"):
        hall.issue()


def test_the_same_command_is_decided_once(hall: Any) -> None:
    command = cmd.IssueTicket(id="same", at=hall.at, ticket="t", service="tax")
    hall.do(command)
    with pytest.raises(AlreadyDecidedError) as caught:
        decide(hall.state, command)
    assert caught.value.outcome.ticket == "t"
    assert len(hall.state.tickets) == 1


def test_a_refused_command_stays_refused(hall: Any, refused: Any) -> None:
    command = cmd.IssueTicket(id="same", at=hall.at, ticket="t", service="none")
    with refused("ticket.service_unknown"):
        hall.do(command)
    with pytest.raises(AlreadyDecidedError) as caught:
        hall.do(command)
    assert caught.value.outcome.code == "ticket.service_unknown"


def test_people_ahead_are_those_waiting_for_the_service(hall: Any) -> None:
    hall.issue("id-card")
    hall.issue("house")
    hall.issue("id-card")
    assert hall.log[-1].ahead == 1


def test_a_reserved_number_joins_only_with_its_paper(hall: Any, refused: Any) -> None:
    ticket = hall.kiosk()
    assert ticket.state == "reserved"
    with refused("hall.nobody_waiting"):
        hall.press("1", "next")
    hall.paper(ticket, "confirmed")
    assert ticket.state == "waiting"
    hall.press("1", "next")
    assert hall.called("1") == ticket.number


def test_failed_paper_makes_it_void_and_a_confirmed_reprint_revives_it(hall: Any) -> None:
    ticket = hall.kiosk()
    hall.paper(ticket, "failed", code="printer.paper_out")
    assert ticket.state == "void"
    asked = of(hall.do(cmd.ReprintTicket(id="r", at=hall.at, ticket=ticket.ticket)), ev.ReprintAsked)
    assert (asked.number, asked.node, asked.count) == (ticket.number, "kiosk-1", 1)
    hall.paper(ticket, "confirmed")
    assert ticket.state == "waiting"


def test_unknown_paper_waits_because_the_citizen_may_hold_it(hall: Any) -> None:
    ticket = hall.kiosk()
    hall.paper(ticket, "unknown")
    assert (ticket.state, ticket.paper) == ("waiting", "unknown")
    hall.paper(ticket, "failed")
    assert ticket.state == "waiting", "a failed reprint says nothing about the first paper"


def test_a_reservation_without_word_runs_out_and_a_late_word_revives_it(hall: Any) -> None:
    ticket = hall.kiosk()
    other = hall.issue()
    hall.wait(119)
    assert hall.tick() == []
    hall.wait(1)
    assert of(hall.tick(), ev.TicketVoided).reason == "timeout"
    hall.paper(ticket, "confirmed")
    hall.press("1", "next")
    assert hall.called("1") == ticket.number, "at its place by the time of issue"
    assert other.state == "waiting"


@pytest.mark.parametrize("outcome", ["expired", "failed", "not_understood"])
def test_a_print_that_the_node_did_not_do_is_void(hall: Any, outcome: str) -> None:
    ticket = hall.kiosk()
    hall.do(
        cmd.EndCommand(id="e", at=hall.at, node="kiosk-1", command=f"print-{ticket.ticket}", outcome=outcome)
    )
    assert ticket.state == "void"


def test_a_paper_with_another_number_raises_an_alarm_and_changes_nothing(hall: Any) -> None:
    ticket = hall.kiosk()
    hall.paper(ticket, "confirmed", number="A777")
    assert ticket.state == "reserved"
    assert ("hall.number_mismatch", ticket.number) in hall.state.alarms


def test_a_request_that_nobody_waits_for_is_refused(hall: Any, refused: Any) -> None:
    with refused("ticket.request_late"):
        hall.issue(node="k", request="r", requested_at=hall.at - timedelta(seconds=61))
    hall.issue(node="k", request="r", requested_at=hall.at - timedelta(days=20_000))


def test_leases_are_blocks_of_a_range_of_their_own(hall: Any, refused: Any) -> None:
    grant = of(hall.lease(), ev.LeaseGranted)
    assert (grant.first, grant.last) == (600, 639)
    assert of(hall.lease("kiosk-2"), ev.LeaseGranted).first == 640
    assert of(hall.lease(group="tax"), ev.LeaseGranted).first == 600
    assert of(hall.lease(), ev.LeaseGranted) is None, "a kiosk that comes back keeps its block"
    assert of(hall.lease(more=True), ev.LeaseGranted) is None, "its block is still on the way"
    hall.do(cmd.EndCommand(id="e", at=hall.at, node="kiosk-1", command=grant.lease, outcome="done"))
    assert of(hall.lease(more=True), ev.LeaseGranted).first == 680


def test_a_full_lease_range_is_refused_with_an_alarm(hall: Any) -> None:
    for n in range(10):
        assert of(hall.lease(f"kiosk-{n}"), ev.LeaseGranted) is not None
    assert of(hall.lease("kiosk-x"), ev.Refused).code == "hall.lease_full"
    assert ("hall.lease_full", "general") in hall.state.alarms


def test_offline_tickets_join_by_the_time_of_issue(hall: Any) -> None:
    hall.lease()
    hall.wait(60)
    early = hall.at
    hall.wait(60)
    online = hall.issue()
    hall.wait(60)
    hall.merge("A600", issued_at=early)
    hall.press("1", "next")
    assert hall.called("1") == "A600"
    assert online.state == "waiting"
    assert not hall.state.alarms


def test_an_offline_number_that_stood_on_the_screen_has_no_paper(hall: Any) -> None:
    hall.lease()
    hall.merge("A600", paper="confirmed", code="ticket.on_screen")
    hall.merge("A601", paper="confirmed")
    assert {t.number: t.paperless for t in hall.state.tickets.values()} == {"A600": True, "A601": False}


def test_a_foreign_number_is_kept_flagged_and_never_issued_again(hall: Any) -> None:
    merged = of(hall.merge("A001", node="kiosk-9"), ev.TicketMerged)
    assert merged.flags == ("foreign",) and merged.joins
    assert ("hall.ticket_flagged", "A001") in hall.state.alarms
    assert hall.issue().number == "A002"


def test_the_rest_of_a_lease_that_a_backup_lost_goes_to_nobody_else(hall: Any) -> None:
    """The kiosk goes on with its block; journal and broker of the hall were restored together."""
    hall.merge("A601")
    granted = next(e for e in hall.lease("kiosk-2") if isinstance(e, ev.LeaseGranted))
    assert granted.first >= 640


def test_a_lease_of_a_group_that_the_configuration_dropped_stops_no_merge(hall: Any) -> None:
    hall.lease(group="tax")
    policy = hall.state.policy
    groups = {group.id: group for group in policy.groups.values() if group.id != "tax"}
    services = {s.id: s for s in policy.services.values() if s.group != "tax"}
    hall.state.policy = msgspec.structs.replace(policy, groups=groups, services=services)
    hall.merge("A601", ticket="paper")
    assert hall.state.tickets["paper"].state == "waiting"


def test_a_number_used_twice_is_kept_flagged(hall: Any) -> None:
    hall.lease()
    hall.merge("A600")
    again = of(hall.merge("A600"), ev.TicketMerged)
    assert again.flags == ("duplicate",)
    assert hall.state.tickets[again.ticket].state == "waiting"
    assert ("hall.number_duplicate", "A600") in hall.state.alarms


def test_the_same_offline_ticket_merges_once(hall: Any) -> None:
    hall.lease()
    hall.merge("A600", ticket="t-off")
    assert type(hall.merge("A600", ticket="t-off")[0]) is ev.NothingToDo


def test_an_offline_ticket_of_another_date_is_recorded_only(hall: Any) -> None:
    merged = of(
        hall.merge("A600", business_date=hall.state.business_date - timedelta(days=1)), ev.TicketMerged
    )
    assert not merged.joins and merged.flags == ("other_date",)
    assert not hall.state.tickets


def test_offline_paper_that_failed_is_void(hall: Any) -> None:
    hall.lease()
    hall.merge("A600", paper="failed", ticket="t-off")
    assert hall.state.tickets["t-off"].state == "void"


def test_a_service_that_is_gone_goes_to_its_group(hall: Any) -> None:
    hall.lease(group="tax")
    merged = of(hall.merge("B600", service="gone"), ev.TicketMerged)
    assert (merged.service, merged.flags) == ("tax", ("unknown_service",))


def test_a_kiosk_clock_that_is_wrong_does_not_jump_the_queue(hall: Any) -> None:
    hall.lease()
    hall.wait(600)
    merged = of(hall.merge("A600", issued_at=hall.at - timedelta(days=20_000)), ev.TicketMerged)
    assert merged.issued_at == hall.state.opened_at and "clock" in merged.flags


def test_paper_of_a_ticket_that_a_backup_lost_joins_flagged(hall: Any) -> None:
    lost = hall.kiosk()
    del hall.state.tickets[lost.ticket]
    hall.state.used.clear()
    merged = of(hall.paper(lost, "confirmed"), ev.TicketMerged)
    assert merged.flags == ("unknown_ticket",)
    hall.press("1", "next")
    assert hall.called("1") == lost.number


def test_paper_of_yesterday_is_recorded_only(hall: Any) -> None:
    lost = hall.kiosk()
    del hall.state.tickets[lost.ticket]
    recorded = of(
        hall.paper(lost, "confirmed", business_date=hall.state.business_date - timedelta(days=1)),
        ev.PaperRecorded,
    )
    assert recorded.becomes is None and not hall.state.tickets


def test_a_restored_hall_skips_what_was_printed(hall: Any) -> None:
    hall.do(cmd.SkipNumbers(id="s", at=hall.at, online={"general": 150, "gone": 3}, leases={"general": 719}))
    assert hall.issue().number == "A151"
    assert of(hall.lease(), ev.LeaseGranted).first == 720


def test_a_new_date_closes_open_tickets_and_restarts_numbers(hall: Any, refused: Any) -> None:
    waiting = hall.issue()
    hall.issue()
    hall.press("1", "next")
    hall.wait(86_400)
    tomorrow = hall.state.business_date + timedelta(days=1)
    events = hall.do(cmd.OpenDay(id="d2", at=hall.at, business_date=tomorrow))
    assert [event.was for event in events[:-1]] == ["called", "waiting"]
    assert waiting.state == "expired"
    assert hall.issue().number == "A001"
    assert hall.state.counters["1"].ticket is None
    with refused("hall.date_back"):
        hall.do(cmd.OpenDay(id="d1", at=hall.at, business_date=tomorrow - timedelta(days=1)))


def test_nothing_is_issued_before_the_day_is_open(refused: Any, hall: Any) -> None:
    from hall.queue.state import empty

    hall.state = empty(hall.policy)
    with refused("hall.not_open_yet"):
        hall.issue()


def test_hours_closed_services_and_unknown_classes_are_refused(make_hall: Any, refused: Any) -> None:
    import msgspec

    hall = make_hall()
    with refused("ticket.priority_unknown"):
        hall.issue(priority="king")
    services = dict(hall.policy.services)
    services["tax"] = msgspec.structs.replace(services["tax"], open=False)
    hall.state.policy = msgspec.structs.replace(
        hall.policy, services=services, issue_times=("08:30-12:00",), numbers=Numbers(digits=2, lease_from=60)
    )
    with refused("ticket.service_closed"):
        hall.issue("tax")
    assert hall.issue().number == "A01"
    hall.wait(3 * 3600)
    with refused("ticket.hall_closed"):
        hall.issue()
