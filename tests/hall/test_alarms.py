"""Calls that nobody saw or heard, devices and nodes that are gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hall.alarms import Alarms
from hall.nodes import Nodes
from hall.queue import events as ev
from hall.queue.state import Alarm
from wire.messages import DeviceDescription, DeviceState, NodeDescription, NodeState


@pytest.fixture
def nodes() -> Nodes:
    nodes = Nodes()
    nodes.on_description("c1", describe(("strip", "call_screen", "1", None)))
    nodes.on_description("b1", describe(("voice", "voice", None, None)))
    return nodes


def describe(*devices: tuple[str, Any, str | None, str | None], zones: Any = ()) -> NodeDescription:
    return NodeDescription(
        model="m",
        software="1",
        stations=(),
        devices=tuple(
            DeviceDescription(device=d, kind=kind, driver="x", counter=counter, zone=zone)
            for d, kind, counter, zone in devices
        ),
        zones=zones,
    )


@pytest.fixture
def alarms(hall: Any, nodes: Nodes) -> Alarms:
    return Alarms(hall.policy, nodes)


def call(hall: Any, alarms: Alarms, counter: str = "1") -> str:
    hall.issue("id-card")
    events = hall.press(counter, "next")
    alarms.on_events(events)
    return next(e.call for e in events if isinstance(e, ev.TicketCalled))


def report(hall: Any, alarms: Alarms, call: str, who: str, how: str, outcome: str = "done") -> None:
    node, device = who.split("/")
    alarms.on_events(
        [ev.CallReported(at=hall.at, node=node, call=call, device=device, how=how, outcome=outcome)]
    )


def wanted(hall: Any, alarms: Alarms, after: float = 0) -> set[tuple[str, str]]:
    hall.wait(after)
    return set(alarms.wanted(hall.at))


def test_a_call_that_was_shown_and_heard_is_well(hall: Any, alarms: Alarms) -> None:
    made = call(hall, alarms)
    report(hall, alarms, made, "c1/strip", "shown")
    report(hall, alarms, made, "b1/voice", "heard")
    assert wanted(hall, alarms, 100) == set()


def test_a_call_without_a_report_is_an_alarm_until_a_later_one_is_reported(hall: Any, alarms: Alarms) -> None:
    made = call(hall, alarms)
    report(hall, alarms, made, "c1/strip", "shown")
    assert wanted(hall, alarms, 39) == set()
    assert wanted(hall, alarms, 1) == {("hall.call_not_heard", "1 b1/voice")}
    made = call(hall, alarms)
    report(hall, alarms, made, "c1/strip", "shown")
    report(hall, alarms, made, "b1/voice", "heard")
    assert wanted(hall, alarms) == set()


@pytest.mark.parametrize(("outcome", "bad"), [("failed", True), ("expired", True), ("superseded", False)])
def test_what_a_device_says_counts_at_once(hall: Any, alarms: Alarms, outcome: str, bad: bool) -> None:
    made = call(hall, alarms)
    report(hall, alarms, made, "c1/strip", "shown", outcome)
    assert (("hall.call_not_shown", "1 c1/strip") in wanted(hall, alarms)) == bad


def test_a_counter_without_screen_and_voice_is_silent(hall: Any, alarms: Alarms, nodes: Nodes) -> None:
    nodes.all.clear()
    call(hall, alarms, "2")
    assert wanted(hall, alarms) == {("hall.call_silent", "2")}


def test_a_voice_of_another_zone_is_not_waited_for(hall: Any, nodes: Nodes) -> None:
    nodes.on_description("b2", describe(("voice", "voice", None, "west")))
    nodes.on_description("b3", describe(("voice", "voice", None, None), zones=("west",)))
    assert {e.node for e in nodes.expected("1", "east")} == {"c1", "b1"}
    assert {e.node for e in nodes.expected("3", "west")} == {"b1", "b2", "b3"}


def test_devices_and_nodes(hall: Any, alarms: Alarms, nodes: Nodes) -> None:
    fault = DeviceState(device="strip", kind="call_screen", health="missing", code="device.unplugged")
    nodes.on_device("c1", fault)
    nodes.on_state("c1", NodeState(state="online", session="s1"), hall.at)
    nodes.on_state("b1", NodeState(state="online", session="s1"), hall.at)
    nodes.on_state("b1", NodeState(state="lost", session="s0"), hall.at)
    assert wanted(hall, alarms) == {("hall.device_fault", "c1/strip")}
    nodes.on_device("c1", DeviceState(device="strip", kind="call_screen", health="degraded"))
    nodes.on_state("b1", NodeState(state="lost", session="s1"), hall.at)
    nodes.on_state("c1", NodeState(state="offline", session="s1"), hall.at)
    assert wanted(hall, alarms, 119) == {("hall.node_lost", "b1")}
    assert wanted(hall, alarms, 1) == {("hall.node_lost", "b1"), ("hall.node_lost", "c1")}
    assert nodes.on_state("b1", NodeState(state="online", session="s2"), hall.at)


def test_the_difference_raises_and_clears_only_what_is_watched_here(
    hall: Any, alarms: Alarms, nodes: Nodes
) -> None:
    nodes.on_state("b1", NodeState(state="lost", session="s1"), hall.at)
    old = Alarm(code="hall.device_fault", subject="gone/x", raised_at=hall.at)
    other = Alarm(code="hall.long_wait", subject="tax", raised_at=hall.at)
    standing = {(a.code, a.subject): a for a in (old, other)}
    raised, cleared = alarms.difference(standing, hall.at + timedelta(seconds=1))
    assert [(a.code, a.subject) for a in raised] == [("hall.node_lost", "b1")]
    assert not cleared, "it may come back at once"
    _, cleared = alarms.difference(standing, hall.at + timedelta(seconds=5))
    assert cleared == (("hall.device_fault", "gone/x"),)


def test_a_device_that_comes_and_goes_is_one_alarm(hall: Any, alarms: Alarms, nodes: Nodes) -> None:
    standing: dict[tuple[str, str], Alarm] = {}
    changes = 0
    for second in range(100):
        health: Any = "ok" if second % 2 or second > 60 else "fault"
        nodes.on_device("c1", DeviceState(device="strip", kind="call_screen", health=health))
        raised, cleared = alarms.difference(standing, hall.at + timedelta(seconds=second))
        standing |= {(alarm.code, alarm.subject): alarm for alarm in raised}
        for key in cleared:
            del standing[key]
        changes += len(raised) + len(cleared)
        assert second > 62 or ("hall.device_fault", "c1/strip") in standing
    assert (changes, standing) == (2, {})


def test_a_node_that_invents_devices_cannot_fill_memory_and_journal(
    hall: Any, alarms: Alarms, nodes: Nodes
) -> None:
    for n in range(1_000):
        nodes.on_device("c1", DeviceState(device=f"d{n}", kind="light", health="fault"))
    assert len(nodes.all["c1"].devices) == len(wanted(hall, alarms)) == 100
    nodes.on_description("c1", describe(("strip", "call_screen", "1", None)))
    nodes.on_device("c1", DeviceState(device="strip", kind="call_screen", health="ok"))
    assert list(nodes.all["c1"].devices) == ["strip"]


def test_alarms_about_calls_survive_a_restart(hall: Any, alarms: Alarms) -> None:
    stands = Alarm(code="hall.call_not_heard", subject="1 b1/voice", raised_at=hall.at)
    alarms.keep([stands])
    assert wanted(hall, alarms) == {("hall.call_not_heard", "1 b1/voice")}


def test_a_device_that_was_taken_away_is_not_waited_for(hall: Any, alarms: Alarms, nodes: Nodes) -> None:
    call(hall, alarms)
    assert len(wanted(hall, alarms, 100)) == 2
    nodes.on_description("b1", describe())
    assert wanted(hall, alarms) == {("hall.call_not_shown", "1 c1/strip")}
