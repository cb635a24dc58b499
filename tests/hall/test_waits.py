"""The expected wait: what it comes to, and what more people and more counters do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from math import log, sqrt
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.policy import CallFrom, Counter, Group, Policy, Rule, Service, Zone
from hall.queue.state import CounterNow, State, Ticket, empty
from hall.queue.waits import KEPT, Range, Waits, after_serving, expected, serve_s

NAME = {"zh-CN": "测", "en": "test"}
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SERVICES = ("s0", "s1", "s2", "s3")


def make_state(counters: list[tuple[str, ...]], busy: list[str | None] | None = None) -> State:
    """Open counters c0… with these services; `busy`: what they serve just now."""
    served = {f"c{n}": services for n, services in enumerate(counters)}
    state = empty(
        Policy(
            groups={"g": Group(id="g", name=NAME, prefix="A")},
            services={id_: Service(id=id_, name=NAME, group="g", zone="z") for id_ in SERVICES},
            zones={"z": Zone(id="z", name=NAME, directions=NAME)},
            counters={id_: Counter(id=id_, name=NAME, zone="z", services=s) for id_, s in served.items()},
            priorities={},
        )
    )
    for n, id_ in enumerate(served):
        now = state.counters[id_] = CounterNow(counter=id_, state="open")
        if busy is not None and busy[n] is not None:
            now.ticket = f"at-{id_}"
            state.tickets[now.ticket] = a_ticket(state, busy[n] or "", now.ticket)
    return state


def a_ticket(state: State, service: str, id_: str) -> Ticket:
    state.orders += 1
    return Ticket(
        ticket=id_,
        order=state.orders,
        number="A001",
        group="g",
        service=service,
        priority=None,
        state="waiting",
        source="api",
        issued_at=MORNING + timedelta(seconds=state.orders),
    )


def put(state: State, service: str, n: int = 1, target: str = "") -> list[Ticket]:
    """Let `n` more wait."""
    added = [a_ticket(state, service, f"t{state.orders + 1}") for _ in range(n)]
    for ticket in added:
        ticket.target = target or None
        state.tickets[ticket.ticket] = ticket
        place = (ticket.issued_at, ticket.order, ticket.ticket)
        state.queues.setdefault((service, "", target), []).append(place)
    return added


def all_of(state: State) -> dict[str, Range | None]:
    waits = Waits(state)
    return {service: waits.of(service) for service in SERVICES}


def test_nobody_waits_and_a_counter_is_free() -> None:
    assert Waits(make_state([("s0",)])).of("s0") == (0, 3)


def test_no_open_counter_serves_it() -> None:
    state = make_state([("s0",)])
    assert Waits(state).of("s1") is None
    state.counters["c0"].state = "paused"
    assert Waits(state).of("s0") is None


def test_ten_ahead_of_one_counter_and_of_two() -> None:
    one, two = make_state([("s0",)]), make_state([("s0",), ("s0",)])
    for state in (one, two):
        put(state, "s0", 10)
    assert Waits(one).of("s0") == (55, 105), "10 × 8 min, ± 0.8 × 8 min × √10"
    assert Waits(two).of("s0") == (25, 55)


def test_what_another_service_takes_of_a_shared_counter_counts() -> None:
    state = make_state([("s0", "s1"), ("s0",)])
    put(state, "s1", 20)
    put(state, "s0", 2)
    shared = Waits(state).of("s0")
    assert shared is not None and shared[1] <= 30, "the second counter takes them alone"
    state.counters["c1"].state = "closed"
    alone = Waits(state).of("s0")
    assert alone is not None and alone[0] > 100


def test_a_ticket_sent_to_a_counter_waits_for_that_one() -> None:
    state = make_state([("s0",), ("s0",)])
    put(state, "s0", 6, target="c1")
    mine = put(state, "s0", 1, target="c1")[0]
    found = expected(state, mine)
    assert found is not None and found[0] >= 25
    assert Waits(state).of("s0") == (0, 3), "the other counter is free"


def test_only_those_before_a_ticket_count_for_it() -> None:
    state = make_state([("s0", "s1")])
    put(state, "s1", 3)
    mine = put(state, "s0")[0]
    before = expected(state, mine)
    put(state, "s1", 9)
    put(state, "s0", 9)
    assert expected(state, mine) == before != Waits(state).of("s0")


def test_today_takes_the_place_of_what_is_usual() -> None:
    state = make_state([("s0",)])
    assert serve_s(state, "s0") == 480
    state.typical["s0"] = 300
    assert serve_s(state, "s0") == 300
    ticket = put(state, "s0")[0]
    for _ in range(3 * KEPT):
        after_serving(state, ticket, 100)
    assert len(state.served["s0"]) == KEPT
    assert serve_s(state, "s0") == pytest.approx((5 * 300 + KEPT * 100) / (5 + KEPT))
    after_serving(state, ticket, 7200)
    assert serve_s(state, "s0") < 200, "a lunch on one ticket is not what a ticket takes"


def test_the_next_date_takes_over_how_long_tickets_take(hall: Any) -> None:
    for _ in range(12):
        hall.issue("tax")
        hall.press("3", "next")
        hall.wait(60)
        hall.press("3", "finish")
    assert hall.state.served["tax"] == [60] * 12
    opened = hall.tomorrow()[-1]
    assert isinstance(opened, ev.DayOpened) and opened.typical == {"tax": round((5 * 480 + 12 * 60) / 17)}
    assert hall.state.typical == opened.typical and hall.state.served == {}


@pytest.mark.parametrize("ratio", [None, 2])
def test_a_class_that_may_go_first_reaches_to_both_ends(make_hall: Any, ratio: int | None) -> None:
    rule = Rule(name="first", call_from=CallFrom(priorities=("elderly", "normal")), ratio=ratio)
    hall = make_hall((rule,))
    hall.press("2", "open")
    for _ in range(10):
        hall.issue()
    early, first = hall.issue(priority="elderly"), hall.issue(priority="elderly")
    soldier, mine = hall.issue(priority="soldier"), hall.issue()
    for _ in range(6):
        hall.issue(priority="elderly")
    told = {t.ticket: expected(hall.state, t) for t in (early, first, soldier, mine)}
    hall.state.policy = msgspec.structs.replace(hall.policy, rules=())
    plain = {t.ticket: expected(hall.state, t) for t in (early, first, soldier, mine)}
    assert told[early.ticket] == (0, plain[early.ticket][1]), "next, or in turn"
    assert told[first.ticket] == (1, plain[first.ticket][1]), "behind one of 8 min, or in turn"
    for other in (soldier, mine):
        assert told[other.ticket][0] == plain[other.ticket][0]
        assert told[other.ticket][1] > plain[other.ticket][1] + 30, "six more may go before"


@st.composite
def states(draw: st.DrawFn) -> State:
    some = st.lists(st.sampled_from(SERVICES), unique=True, min_size=1).map(tuple)
    counters = draw(st.lists(some, min_size=1, max_size=6))
    busy = [draw(st.sampled_from([None, *services])) for services in counters]
    state = make_state(counters, busy)
    for service in SERVICES:
        state.typical[service] = draw(st.integers(30, 1800))
        put(state, service, draw(st.integers(0, 30)))
    if draw(st.booleans()):
        put(state, "s0", draw(st.integers(1, 5)), target="c0")
    if draw(st.booleans()):
        state.counters["c0"].state = "closed"
    return state


@settings(max_examples=150, deadline=None, derandomize=True)
@given(state=states(), service=st.sampled_from(SERVICES), n=st.integers(1, 8), there=st.booleans())
def test_more_people_never_shorten_a_wait(state: State, service: str, n: int, there: bool) -> None:
    before = all_of(state)
    put(state, service, n, target="c0" if there else "")
    for id_, after in all_of(state).items():
        was = before[id_]
        assert (after is None) == (was is None)
        if after is not None and was is not None:
            assert after[0] >= was[0] and after[1] >= was[1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(state=states(), extra=st.lists(st.sampled_from(SERVICES), unique=True, min_size=1).map(tuple))
def test_one_more_counter_never_lengthens_a_wait(state: State, extra: tuple[str, ...]) -> None:
    counter = Counter(id="extra", name=NAME, zone="z", services=extra)
    state.policy.counters["extra"] = counter
    state.counters["extra"] = CounterNow(counter="extra")
    before = all_of(state)
    state.counters["extra"].state = "open"
    for id_, after in all_of(state).items():
        was = before[id_]
        if was is not None:
            assert after is not None and after[0] <= was[0] and after[1] <= was[1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(state=states())
def test_a_range_is_one_and_in_steps(state: State) -> None:
    for found in all_of(state).values():
        if found is not None:
            low, high = found
            assert 0 <= low <= high and high >= 3
            assert (low < 10 or low % 5 == 0) and (high <= 10 or high % 5 == 0)


def a_morning(
    hall: Any, rnd: Random, counters: int, services: int, per_counter: int
) -> list[tuple[Range, float]]:
    """Four hours of a hall that is a little too small: (told, really waited) per person, minutes.

    Services take 3 to 15 minutes on average, and vary as real ones do (log-normal, 60 % of their mean).
    """
    names = [f"s{n}" for n in range(services)]
    served = {str(n): tuple(rnd.sample(names, per_counter)) for n in range(counters)}
    names = sorted({name for some in served.values() for name in some})
    hall.policy = hall.state.policy = msgspec.structs.replace(
        hall.policy,
        services={id_: Service(id=id_, name=NAME, group="general", zone="east") for id_ in names},
        counters={id_: Counter(id=id_, name=NAME, zone="east", services=s) for id_, s in served.items()},
    )
    hall.do(cmd.OpenDay(id="d2", at=hall.at, business_date=hall.state.business_date + timedelta(days=1)))
    takes = {name: rnd.uniform(180, 900) for name in names}
    sigma = sqrt(log(1.36))
    every = sum(takes.values()) / len(takes) / (1.05 * counters)
    start, told, waited = hall.at, {}, []
    happens = [(0.0, n, "free", id_) for n, id_ in enumerate(served)]
    at = 0.0
    while at < 4 * 3600:
        at += rnd.expovariate(1 / every)
        heappush(happens, (at, len(happens), "comes", rnd.choice(names)))
    free: dict[str, None] = {}

    def call(counter: str) -> None:
        free[counter] = None
        if any(key[0] in served[counter] for key in hall.state.queues):
            hall.press(counter, "next")
        elif hall.state.counters[counter].state == "open":
            hall.press(counter, "finish")
        else:
            hall.press(counter, "open")
        current = hall.state.counters[counter].ticket
        if current is not None:
            del free[counter]
            if current in told:
                found, since = told[current]
                waited.append((found, (hall.at - since).total_seconds() / 60))
            takes_now = takes[hall.state.tickets[current].service] * rnd.lognormvariate(
                -(sigma**2) / 2, sigma
            )
            heappush(happens, ((hall.at - start).total_seconds() + takes_now, -len(waited), "free", counter))

    while happens:
        at, _, what, who = heappop(happens)
        hall.at = start + timedelta(seconds=at)
        if what == "free":
            call(who)
        else:
            found = Waits(hall.state).of(who)
            told[hall.issue(who).ticket] = found, hall.at
            for counter in free:
                if who in served[counter]:
                    call(counter)
                    break
    return waited


@pytest.mark.parametrize("size", [(1, 1, 1), (4, 12, 4), (12, 24, 6), (10, 10, 10)])
def test_most_people_are_called_within_what_they_were_told(
    make_hall: Any, size: tuple[int, int, int]
) -> None:
    waited = []
    for seed in range(6):
        waited += a_morning(make_hall(), Random(seed), *size)
    within = sum(low <= minutes <= high for (low, high), minutes in waited) / len(waited)
    assert len(waited) > 100 and within > 0.75
    assert sum(minutes > high for (_, high), minutes in waited) / len(waited) < 0.2, "called later"
