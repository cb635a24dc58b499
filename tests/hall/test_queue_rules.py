"""Which ticket next, and the reason that is given."""

from __future__ import annotations

from typing import Any

from hall.queue import events as ev
from hall.queue.policy import CallFrom, Rule, When, in_spans


def next_why(hall: Any, counter: str = "1") -> Any:
    events = hall.press(counter, "next")
    return next(event for event in events if type(event) is ev.TicketCalled).why


def numbers(hall: Any, counter: str, count: int) -> list[str | None]:
    called = []
    for _ in range(count):
        hall.press(counter, "next")
        called.append(hall.called(counter))
    return called


def test_without_rules_the_longest_wait_decides(hall: Any) -> None:
    hall.issue("house")
    hall.wait(5)
    hall.issue("id-card", "elderly")
    why = next_why(hall)
    assert (why.kind, why.wait_s, why.waiting) == ("longest_wait", 5, 2)
    assert hall.called("1") == "A001"


PRIORITY_FIRST = Rule(name="priority", call_from=CallFrom(priorities=("elderly", "soldier")))


def test_a_rule_calls_its_classes_first_and_says_who_had_waited_longer(make_hall: Any) -> None:
    hall = make_hall(rules=(PRIORITY_FIRST,))
    hall.issue()
    hall.wait(10)
    hall.issue(priority="elderly")
    why = next_why(hall)
    assert hall.called("1") == "A002"
    assert (why.kind, why.rule, why.index, why.longer) == ("rule", "priority", 1, ("A001",))


def test_a_ratio_lets_others_through(make_hall: Any) -> None:
    rule = Rule(name="priority", call_from=PRIORITY_FIRST.call_from, ratio=2)
    hall = make_hall(rules=(rule,))
    for _ in range(3):
        hall.issue()
    for _ in range(5):
        hall.issue(priority="elderly")
    assert numbers(hall, "1", 8) == ["A004", "A005", "A001", "A006", "A007", "A002", "A008", "A003"]
    calls = [event.why for event in hall.log if type(event) is ev.TicketCalled]
    assert [(why.position, why.ratio) for why in calls[:2]] == [(1, 2), (2, 2)]
    assert calls[2].kind == "longest_wait"
    assert [(skip.rule, skip.reason) for skip in calls[2].skipped] == [("priority", "ratio")]


def test_a_row_ends_when_others_were_called(make_hall: Any) -> None:
    """Not only when the rule gave way: three others went first, so nobody has to stand back again."""
    rule = Rule(name="priority", call_from=PRIORITY_FIRST.call_from, ratio=2)
    hall = make_hall(rules=(rule,))
    for _ in range(2):
        hall.issue(priority="elderly")
        assert next_why(hall).position
    for _ in range(4):
        hall.issue()
    for _ in range(3):
        assert next_why(hall).kind == "longest_wait"
    elderly = hall.issue(priority="elderly")
    why = next_why(hall)
    assert hall.called("1") == elderly.number
    assert (why.kind, why.position, why.ratio) == ("rule", 1, 2)


def test_a_ratio_without_others_goes_on(make_hall: Any) -> None:
    hall = make_hall(rules=(Rule(name="p", call_from=PRIORITY_FIRST.call_from, ratio=1),))
    for _ in range(3):
        hall.issue(priority="soldier")
    assert numbers(hall, "1", 3) == ["A001", "A002", "A003"]


def test_a_spent_rule_gives_way_to_the_next_rule_too(make_hall: Any) -> None:
    rules = (
        Rule(name="old", call_from=CallFrom(priorities=("elderly",)), ratio=1),
        Rule(name="cards", call_from=CallFrom(services=("id-card",))),
    )
    hall = make_hall(rules=rules)
    for _ in range(2):
        hall.issue("id-card", "elderly")
    hall.issue("house")
    hall.issue("id-card")
    assert numbers(hall, "1", 3) == ["A001", "A004", "A002"]


def test_conditions(make_hall: Any) -> None:
    rules = (
        Rule(name="west", when=When(zones=("west",)), call_from=CallFrom(services=("house",))),
        Rule(name="two", when=When(counters=("2",))),
        Rule(name="noon", when=When(times=("12:00-13:30",))),
        Rule(name="many", when=When(waiting_at_least=3), call_from=CallFrom(services=("house",))),
        Rule(name="long", when=When(longest_wait_at_least_s=60), call_from=CallFrom(services=("house",))),
    )
    hall = make_hall(rules=rules)
    hall.issue("id-card")
    hall.wait(1)
    hall.issue("house")
    why = next_why(hall)
    assert why.kind == "longest_wait"
    assert [skip.reason for skip in why.skipped] == ["zone", "counter", "time", "waiting", "wait"]
    hall.issue("id-card")
    hall.wait(60)
    assert next_why(hall).rule == "long"
    hall.wait(3 * 3600)
    hall.issue("id-card")
    assert next_why(hall).kind == "starvation"
    assert next_why(hall).rule == "noon"


def test_nobody_starves_whatever_the_rules_say(make_hall: Any) -> None:
    hall = make_hall(rules=(PRIORITY_FIRST,), starvation_bound_s=600)
    forgotten = hall.issue()
    hall.wait(599)
    hall.issue(priority="elderly")
    hall.issue(priority="elderly")
    assert next_why(hall).kind == "rule"
    hall.wait(1)
    why = next_why(hall)
    assert (why.kind, hall.called("1")) == ("starvation", forgotten.number)


def test_normal_names_tickets_without_a_class(make_hall: Any) -> None:
    hall = make_hall(rules=(Rule(name="n", call_from=CallFrom(priorities=("normal",))),))
    hall.issue(priority="elderly")
    hall.issue()
    assert numbers(hall, "1", 2) == ["A002", "A001"]


def test_spans_of_the_day() -> None:
    assert in_spans(8 * 60 + 30, ("08:30-12:00",))
    assert not in_spans(12 * 60, ("08:30-12:00",))
    assert in_spans(30, ("22:00-01:00",)) and in_spans(23 * 60, ("22:00-01:00",))
