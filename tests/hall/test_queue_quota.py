"""Numbers that are given on some days, at some hours, up to a quota; numbers without paper, with a name."""

from __future__ import annotations

from typing import Any

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue import hours
from hall.queue.apply import apply
from hall.queue.state import empty


def left(hall: Any, service: str) -> int | None:
    return hours.left(hall.state, hall.state.policy.services[service])


# ---------------------------------------------------------------- quota


def test_a_quota_ends_the_numbers_of_a_service_for_the_date(hall: Any, refused: Any) -> None:
    hall.change("house", quota=2)
    hall.issue("house")
    assert left(hall, "house") == 1 and left(hall, "id-card") is None
    hall.issue("house")
    with refused("ticket.quota_reached"):
        hall.issue("house")
    assert hall.issue("id-card").number == "A003", "another service of the group goes on"
    hall.tomorrow()
    assert left(hall, "house") == 2


def test_numbers_that_nobody_comes_with_give_their_place_back(hall: Any, refused: Any) -> None:
    hall.change("house", quota=2)
    failed, given_back = hall.kiosk("house"), hall.issue("house")
    with refused("ticket.quota_reached"):
        hall.issue("house")
    hall.paper(failed, "failed")
    hall.do(cmd.CancelTicket(id="c", at=hall.at, ticket=given_back.ticket))
    assert left(hall, "house") == 2
    hall.issue("house")
    hall.issue("house")
    hall.paper(failed, "confirmed")
    assert failed.state == "waiting" and left(hall, "house") == 0, (
        "a paper that is out counts, beyond the quota"
    )
    with refused("ticket.quota_reached"):
        hall.issue("house")


def test_offline_numbers_and_transferred_ones_count_where_they_were_taken(hall: Any, refused: Any) -> None:
    hall.change("id-card", quota=2)
    hall.lease()
    hall.merge("A600")
    hall.merge("A601", paper="failed")
    assert left(hall, "id-card") == 1
    hall.press("1", "next")
    hall.press("1", "transfer", target="house")
    assert left(hall, "id-card") == 1
    hall.issue("id-card")
    with refused("ticket.quota_reached"):
        hall.issue("id-card")
    hall.merge("A602")
    assert left(hall, "id-card") == 0, "what a kiosk gave while it was cut off is valid, beyond the quota too"


def test_no_shows_keep_their_place(make_hall: Any) -> None:
    hall = make_hall(recalls_before_no_show=0)
    hall.change("tax", quota=1)
    hall.issue("tax")
    hall.press("3", "next")
    hall.press("3", "no_show")
    assert left(hall, "tax") == 0


# ---------------------------------------------------------------- hours and days


def test_a_service_has_hours_of_its_own(hall: Any, refused: Any) -> None:
    """It is 09:00."""
    hall.change(issue_times=("08:30-11:45",))
    hall.change("tax", hours=("09:30-11:00", "12:00-13:00"))
    hall.issue("house")
    with refused("ticket.out_of_hours"):
        hall.issue("tax")
    hall.wait(3 * 3600 + 60)
    hall.issue("tax")
    with refused("ticket.hall_closed"):
        hall.issue("house")


def test_a_service_is_open_on_a_saturday(hall: Any, refused: Any) -> None:
    """The hall from Monday to Friday, one service on Saturdays as well, one on Tuesdays only."""
    hall.change(issue_days=(1, 2, 3, 4, 5), issue_times=("08:30-11:45",))
    hall.change("tax", days=(1, 2, 3, 4, 5, 6))
    hall.change("house", days=(2,))
    hall.issue("tax")
    with refused("ticket.out_of_hours"):
        hall.issue("house")
    hall.tomorrow(5)
    hall.issue("tax")
    with refused("ticket.hall_closed"):
        hall.issue("id-card")
    policy, today = hall.state.policy, hall.state.business_date
    assert hours.hall_hours(policy, today) == ()
    assert hours.hours_of(policy, policy.services["tax"], today) == ("08:30-11:45",)
    assert hours.hours_of(policy, policy.services["id-card"], today) == ()


def test_the_day_is_the_business_date_also_after_midnight(hall: Any) -> None:
    hall.change("tax", days=(1,), hours=("22:00-02:00",))
    hall.wait(16 * 3600)
    hall.issue("tax")


# ---------------------------------------------------------------- without paper


def test_a_paperless_number_waits_once_it_was_seen(hall: Any, refused: Any) -> None:
    ticket = hall.issue(node="kiosk-1", request="r", source="kiosk", paperless=True)
    assert (ticket.state, ticket.paperless) == ("reserved", True)
    with refused("hall.nobody_waiting"):
        hall.press("1", "next")
    hall.paper(ticket, "confirmed", code="ticket.on_screen")
    assert (ticket.state, ticket.paperless) == ("waiting", True)
    hall.do(cmd.ReprintTicket(id="again", at=hall.at, ticket=ticket.ticket))
    hall.paper(ticket, "failed", code="printer.paper_out")
    assert (ticket.state, ticket.paperless) == ("waiting", True)
    hall.paper(ticket, "confirmed")
    assert (ticket.state, ticket.paperless) == ("waiting", False), "now it has a paper"


def test_a_paperless_number_that_nobody_saw_is_void(hall: Any) -> None:
    seen, missed = (hall.issue(node="kiosk-1", request=r, paperless=True) for r in ("r1", "r2"))
    hall.paper(missed, "failed", code="ticket.on_screen")
    hall.wait(200)
    hall.tick()
    assert (seen.state, missed.state) == ("void", "void")


def test_without_a_kiosk_nothing_is_paperless(hall: Any) -> None:
    assert not hall.issue(paperless=True).paperless


# ---------------------------------------------------------------- names


def test_a_name_gets_into_the_journal_only_where_the_hall_calls_by_name(hall: Any) -> None:
    assert hall.issue(name="王*明").name is None
    assert b"\xe7\x8e\x8b" not in b"".join(ev.encode(event) for event in hall.log)
    hall.change(call_by_name=True)
    assert hall.issue(name="王*明").name == "王*明"


def test_a_journal_from_before_replays(hall: Any) -> None:
    """An event as an older version wrote it."""
    body = (
        b'{"type":"ticket_issued","at":"2026-11-23T01:00:00Z","command":"c","ticket":"old","number":"A001",'
        b'"n":1,"group":"general","service":"house","state":"reserved","source":"kiosk","ahead":0,'
        b'"node":"kiosk-1","request":"r","reserved_until":"2026-11-23T01:02:00Z"}'
    )
    state = empty(hall.policy)
    for event in [*hall.log, ev.decode(body)]:
        state = apply(state, event)
    ticket = state.tickets["old"]
    assert (ticket.paperless, ticket.name, state.taken) == (False, None, {"house": 1})
