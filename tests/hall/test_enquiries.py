"""How does this ticket stand: what is answered, and that it is answered once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.decide import AlreadyDecidedError


def ask(hall: Any, ticket: str) -> ev.TicketEnquired:
    id_ = hall.new("q")
    [event] = hall.do(cmd.EnquireTicket(id=id_, at=hall.at, node="kiosk-1", request=id_, ticket=ticket))
    assert isinstance(event, ev.TicketEnquired) and event.node == "kiosk-1" and event.request == id_
    assert event.answer_by - event.at == timedelta(seconds=10)
    return event


def test_a_waiting_ticket_knows_who_is_before_it_and_how_long_it_takes(hall: Any) -> None:
    hall.press("1", "open")
    hall.issue("id-card")
    hall.issue("house")
    hall.issue("id-card", "elderly")
    mine = hall.issue("id-card")
    hall.issue("id-card")
    told = ask(hall, mine.ticket)
    assert (told.code, told.number, told.state, told.service) == (None, "A004", "waiting", "id-card")
    assert (told.counter, told.ahead) == (None, 2)
    assert told.wait_min is not None and told.wait_min[0] <= 24 <= told.wait_min[1], "3 × 8 min at counter 1"


def test_a_reserved_ticket_that_is_held_before_the_scanner_waits(hall: Any) -> None:
    told = ask(hall, hall.kiosk().ticket)
    assert (told.state, told.ahead, told.wait_min) == ("waiting", None, None)


def test_a_called_ticket_is_told_its_counter(hall: Any) -> None:
    mine = hall.issue()
    hall.press("2", "next")
    told = ask(hall, mine.ticket)
    assert (told.state, told.counter, told.ahead, told.wait_min) == ("called", "2", None, None)
    hall.press("2", "transfer", target="1")
    told = ask(hall, mine.ticket)
    assert (told.state, told.counter, told.ahead) == ("waiting", "1", 0)
    hall.press("1", "next")
    hall.press("1", "park")
    assert (ask(hall, mine.ticket).state, ask(hall, mine.ticket).counter) == ("parked", "1")


def test_a_ticket_that_is_over(make_hall: Any) -> None:
    hall = make_hall(recalls_before_no_show=0)
    missed, done, back = hall.issue(), hall.issue(), hall.issue()
    hall.press("2", "next")
    hall.press("2", "no_show")
    hall.press("2", "next")
    hall.press("2", "finish")
    hall.do(cmd.CancelTicket(id="c", at=hall.at, ticket=back.ticket))
    assert [(told.state, told.counter) for told in (ask(hall, t.ticket) for t in (missed, done, back))] == [
        ("no_show", "2"),
        ("finished", None),
        ("void", None),
    ]


def test_a_ticket_of_yesterday_is_not_known(hall: Any) -> None:
    old = hall.issue()
    hall.tomorrow()
    told = ask(hall, old.ticket)
    assert (told.code, told.number, told.state, told.wait_min) == ("ticket.unknown", None, None, None)


def test_a_question_that_comes_again_is_answered_as_before(hall: Any) -> None:
    command = cmd.EnquireTicket(id="q", at=hall.at, node="kiosk-1", request="r", ticket="t")
    hall.do(command)
    with pytest.raises(AlreadyDecidedError):
        hall.do(command)
    assert sum(isinstance(event, ev.TicketEnquired) for event in hall.log) == 1
