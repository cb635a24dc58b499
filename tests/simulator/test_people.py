"""The plan of a busy day: counts, the curve, and that a seed always gives the same day."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.people import DAY_S, arrival_density, plan_day

SERVICES = [f"service-{n}" for n in range(12)]
PRIORITIES = ["elderly", "disabled", "soldier"]


@given(st.integers(0, 2**32), st.integers(0, 700), st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_a_plan_holds_what_was_asked_for(seed: int, people: int, counters: int) -> None:
    plan = plan_day(SERVICES, PRIORITIES, seed=seed, people=people, counters=counters)
    assert len(plan.visits) == people
    assert sum(visit.priority is not None for visit in plan.visits) == round(people * 0.2)
    assert [visit.at for visit in plan.visits] == sorted(visit.at for visit in plan.visits)
    assert all(0 <= visit.at <= DAY_S for visit in plan.visits)
    assert all(visit.grade is None or 1 <= visit.grade <= 5 for visit in plan.visits)
    assert all(visit.service_s > 0 and visit.service in SERVICES for visit in plan.visits)
    if people >= len(SERVICES):
        assert {visit.service for visit in plan.visits} == set(SERVICES)


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_day(seed: int) -> None:
    assert plan_day(SERVICES, PRIORITIES, seed=seed) == plan_day(SERVICES, PRIORITIES, seed=seed)
    assert plan_day(SERVICES, PRIORITIES, seed=seed) != plan_day(SERVICES, PRIORITIES, seed=seed + 1)


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_the_morning_is_the_peak_and_the_afternoon_a_small_one(seed: int) -> None:
    plan = plan_day(SERVICES, PRIORITIES, seed=seed)
    hours = [0] * 8
    for visit in plan.visits:
        hours[min(7, int(visit.at // 3600))] += 1
    assert max(hours) == max(hours[:2])
    assert hours[5] > hours[3]
    assert max(hours[4:]) < max(hours[:2])
    assert hours[7] < hours[5]


def test_nobody_comes_outside_the_day() -> None:
    assert arrival_density(-0.01) == arrival_density(1.01) == 0.0
    assert arrival_density(0.11) > arrival_density(0.45)


def test_clerks_can_serve_the_day() -> None:
    plan = plan_day(SERVICES, PRIORITIES, seed=7, counters=4)
    work = sum(visit.service_s for visit in plan.visits)
    assert 0.6 < work / (4 * DAY_S) < 0.95


def test_a_hall_without_priority_classes_has_no_priority() -> None:
    assert all(visit.priority is None for visit in plan_day(SERVICES, [], seed=1).visits)
