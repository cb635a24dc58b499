"""Clerks' keys, ratings, waits: behaviour at the counters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hall.queue import commands as cmd
from hall.queue import events as ev


def of(events: list[ev.Event], kind: type[ev.Event]) -> Any:
    return next((event for event in events if type(event) is kind), None)


def test_next_opens_the_counter_and_calls_the_longest_waiting(hall: Any) -> None:
    first = hall.issue()
    hall.issue()
    events = hall.press("1", "next")
    assert hall.called("1") == first.number
    assert hall.state.counters["1"].state == "open"
    assert of(events, ev.TicketCalled).clerk == "wang"


def test_next_finishes_the_current_one_and_asks_for_a_rating(hall: Any) -> None:
    hall.issue()
    hall.wait(30)
    hall.press("1", "next")
    hall.wait(100)
    second = hall.issue()
    events = hall.press("1", "next")
    finished = of(events, ev.TicketFinished)
    assert (finished.wait_s, finished.serve_s) == (30, 100)
    assert of(events, ev.RatingPrompted).ticket == finished.ticket
    assert hall.called("1") == second.number


def test_a_key_pressed_twice_acts_once(hall: Any, refused: Any) -> None:
    for _ in range(3):
        hall.issue()
    hall.press("1", "next", shown=None)
    with refused("hall.key_stale"):
        hall.press("1", "next", shown=None)
    shown = hall.state.counters["1"].ticket
    hall.press("1", "next", shown=shown)
    for key in ("next", "recall", "no_show", "finish", "park", "transfer", "unpark"):
        with refused("hall.key_stale"):
            hall.press("1", key, shown=shown)
    assert sum(type(event) is ev.TicketCalled for event in hall.log) == 2


def test_a_key_that_arrives_late_calls_nobody(make_hall: Any, refused: Any) -> None:
    hall = make_hall(key_deadline_s=10)
    hall.issue()
    for seconds in (11, 3 * 86_400):
        with refused("hall.key_late"):
            hall.press("1", "next", pressed_at=hall.at - timedelta(seconds=seconds))
        with refused("hall.key_late"):
            hall.press("1", "open", pressed_at=hall.at - timedelta(seconds=seconds))
    assert hall.called("1") is None and hall.state.counters["1"].state == "closed"
    hall.press("1", "next", pressed_at=hall.at - timedelta(seconds=9))
    assert hall.called("1") is not None
    hall.press("1", "recall", pressed_at=datetime(1970, 1, 1, tzinfo=UTC))
    hall.press("1", "recall", pressed_at=hall.at + timedelta(hours=1))


def test_next_with_nobody_left_only_finishes(hall: Any, refused: Any) -> None:
    hall.issue()
    hall.press("1", "next")
    assert of(hall.press("1", "next"), ev.TicketCalled) is None
    with refused("hall.nobody_waiting"):
        hall.press("1", "next")


def test_no_show_needs_its_recalls(make_hall: Any, refused: Any) -> None:
    hall = make_hall(recalls_before_no_show=2)
    ticket = hall.issue()
    hall.press("1", "next")
    with refused("hall.recall_first"):
        hall.press("1", "no_show")
    calls = {ticket.call}
    for _ in range(2):
        hall.press("1", "recall")
        calls.add(ticket.call)
    assert len(calls) == 3, "each call has an id of its own"
    hall.press("1", "no_show")
    assert ticket.state == "no_show" and hall.called("1") is None
    assert not hall.state.prompts, "nobody was served"


def test_a_recall_pressed_twice_acts_once(make_hall: Any, refused: Any) -> None:
    hall = make_hall(recall_pause_s=0.2)
    ticket = hall.issue()
    hall.press("1", "next")
    hall.wait(10)
    hall.press("1", "recall")
    hall.wait(0.1)
    with refused("hall.recall_soon"):
        hall.press("1", "recall")
    hall.wait(0.1)
    hall.press("1", "recall")
    assert ticket.attempt == 3


def test_next_pressed_twice_calls_one_ticket(make_hall: Any, refused: Any) -> None:
    hall = make_hall(next_pause_s=1.0)
    first, second = hall.issue(), hall.issue()
    hall.press("1", "next")
    hall.wait(0.4)
    with refused("hall.next_soon"):
        hall.press("1", "next")
    assert hall.called("1") == first.number
    hall.wait(0.6)
    hall.press("1", "next")
    assert hall.called("1") == second.number


def test_a_missed_citizen_who_comes_back_is_called_again(hall: Any) -> None:
    ticket = hall.issue()
    hall.press("1", "next")
    hall.press("1", "recall")
    hall.press("1", "no_show")
    assert hall.state.missed == [ticket.ticket]
    hall.press("2", "unpark", target=ticket.ticket)
    assert hall.called("2") == ticket.number and hall.state.missed == []


def test_park_and_back_longest_parked_first(hall: Any, refused: Any) -> None:
    first, second = hall.issue(), hall.issue()
    hall.press("1", "next")
    hall.press("1", "park")
    hall.press("1", "next")
    with refused("hall.counter_busy"):
        hall.press("1", "unpark")
    hall.press("1", "park")
    with refused("hall.parked_elsewhere"):
        hall.press("2", "unpark", target=first.ticket)
    with refused("hall.nobody_parked"):
        hall.press("2", "unpark")
    hall.press("1", "unpark")
    assert hall.called("1") == first.number
    hall.press("1", "finish")
    hall.press("1", "unpark")
    assert hall.called("1") == second.number


def test_transfer_keeps_the_place_by_time(hall: Any) -> None:
    moved = hall.issue("id-card")
    hall.wait(60)
    hall.issue("tax")
    hall.press("1", "next")
    hall.press("1", "transfer", target="tax")
    assert moved.state == "transferred" and hall.called("1") is None
    hall.press("3", "next")
    assert hall.called("3") == moved.number


def test_transfer_to_a_counter_is_called_there_only(hall: Any, refused: Any) -> None:
    moved = hall.issue("house")
    hall.press("1", "next")
    hall.press("1", "transfer", target="3")
    with refused("hall.nobody_waiting"):
        hall.press("1", "next")
    hall.press("3", "next")
    assert hall.called("3") == moved.number


def test_a_ticket_for_a_counter_that_closed_is_not_lost(hall: Any) -> None:
    moved = hall.issue("house")
    hall.press("1", "next")
    hall.press("1", "transfer", target="3")
    hall.wait(hall.policy.limits.starvation_bound_s)
    hall.press("1", "next")
    assert hall.called("1") == moved.number


def test_a_keypad_without_a_target_uses_the_configured_one(hall: Any, refused: Any) -> None:
    ticket = hall.issue()
    hall.press("2", "next")
    hall.press("2", "transfer")
    assert ticket.target == "1"
    hall.press("1", "next")
    for target in (None, "1", "nowhere"):
        with refused("hall.transfer_target"):
            hall.press("1", "transfer", target=target)


@pytest.mark.parametrize("key", ["recall", "no_show", "transfer", "park", "finish"])
def test_keys_without_a_ticket_are_refused(hall: Any, refused: Any, key: str) -> None:
    with refused("hall.no_ticket_here"):
        hall.press("1", key)


def test_open_pause_close(hall: Any, refused: Any) -> None:
    hall.press("1", "open")
    assert type(hall.press("1", "open")[0]) is ev.NothingToDo
    hall.press("1", "pause")
    assert hall.state.counters["1"].state == "paused"
    hall.issue()
    hall.press("1", "next")
    for key in ("pause", "close"):
        with refused("hall.counter_busy"):
            hall.press("1", key)
    hall.press("1", "finish")
    hall.press("1", "close")
    assert hall.state.counters["1"].state == "closed"
    with refused("hall.counter_unknown"):
        hall.do(cmd.PressKey(id="z", at=hall.at, counter="9", key="next", call="c", prompt="p"))


def test_a_called_ticket_is_served_after_a_while_where_configured(make_hall: Any) -> None:
    hall = make_hall(serving_after_s=15)
    ticket = hall.issue()
    hall.press("1", "next")
    hall.wait(14)
    assert hall.tick() == []
    hall.wait(1)
    hall.tick()
    assert ticket.state == "serving"
    hall.press("1", "recall")
    assert ticket.state == "called"


def test_the_clerk_of_a_rating_is_who_sat_there(hall: Any) -> None:
    hall.do(cmd.SetClerk(id="k", at=hall.at, counter="1", clerk="li"))
    hall.issue()
    hall.press("1", "next")
    prompt = of(hall.press("1", "finish"), ev.RatingPrompted)
    hall.do(cmd.SetClerk(id="k2", at=hall.at, counter="1", clerk="zhao"))
    given = of(rate(hall, prompt, 5), ev.RatingGiven)
    assert (given.clerk, given.service, given.counter, given.ticket) == ("li", "id-card", "1", prompt.ticket)


def served(hall: Any) -> Any:
    hall.issue()
    hall.press("1", "next")
    return of(hall.press("1", "finish"), ev.RatingPrompted)


def rate(hall: Any, prompt: Any, grade: int, ticket: str | None = None) -> list[ev.Event]:
    events: list[ev.Event] = hall.do(
        cmd.Rate(
            id=hall.new("c"),
            at=hall.at,
            prompt=prompt.prompt,
            ticket=ticket or prompt.ticket,
            counter="1",
            grade=grade,
        )
    )
    return events


def test_one_service_one_rating(hall: Any) -> None:
    prompt = served(hall)
    rate(hall, prompt, 2)
    assert of(rate(hall, prompt, 5), ev.RatingRepeated).grade == 5
    assert hall.state.prompts[prompt.prompt].grade == 2


def test_a_prompt_without_an_answer_is_unrated_and_a_late_grade_counts(hall: Any) -> None:
    prompt = served(hall)
    hall.wait(20 + 30 + 300)
    assert of(hall.tick(), ev.RatingMissed).reason == "expired"
    assert hall.tick() == []
    assert of(rate(hall, prompt, 4), ev.RatingGiven).late


def test_unanswered_is_recorded_with_its_reason(hall: Any) -> None:
    prompt = served(hall)
    command = cmd.LeaveUnrated(
        id="u", at=hall.at, prompt=prompt.prompt, ticket=prompt.ticket, counter="1", reason="timeout"
    )
    assert of(hall.do(command), ev.RatingMissed).reason == "timeout"
    assert hall.state.prompts[prompt.prompt].grade is None


def test_a_grade_without_a_prompt_is_kept_as_it_came(hall: Any) -> None:
    prompt = served(hall)
    assert of(rate(hall, prompt, 1, ticket="other"), ev.RatingUnmatched).grade == 1
    assert hall.state.prompts[prompt.prompt].result == "open"


def test_a_grade_after_midnight_finds_its_prompt(hall: Any) -> None:
    prompt = served(hall)
    date = hall.state.business_date
    hall.wait(86_400)
    hall.do(cmd.OpenDay(id="d2", at=hall.at, business_date=date + timedelta(days=1)))
    assert of(rate(hall, prompt, 5), ev.RatingGiven).business_date == date


def test_long_waits_raise_an_alarm_and_clear_it(hall: Any) -> None:
    ticket = hall.issue("tax")
    hall.wait(1800)
    raised = of(hall.tick(), ev.AlarmRaised)
    assert (raised.code, raised.subject, raised.facts) == ("hall.long_wait", "tax", {"number": ticket.number})
    assert hall.tick() == []
    hall.press("3", "next")
    assert of(hall.tick(), ev.AlarmCleared).subject == "tax"
