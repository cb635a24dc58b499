"""Which alarms should stand, from what nodes and devices say and from calls that nobody reported.

The coordinator compares `wanted` with the alarms of the state and has the difference decided, so every
alarm is raised and cleared once, in the journal. Alarms about waits and numbers are decided in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hall.nodes import Expected, Nodes
from hall.queue import events as ev
from hall.queue.policy import Policy
from hall.queue.state import Alarm

WATCHED: Final = (
    "hall.node_lost",
    "hall.device_fault",
    "hall.call_not_shown",
    "hall.call_not_heard",
    "hall.call_silent",
    "hall.clock_back",
    "hall.rating_page_closed",
)
"""The codes that are decided here."""

OFFLINE_S: Final = 120.0
"""A node that said goodbye is missed after this long: somebody may only be restarting it."""

WELL_S: Final = 3.0
"""A node or device has to be well this long before its alarm is cleared: one that comes and goes every second
would fill the journal and nobody could read the list."""

_MAY_FLAP: Final = ("hall.node_lost", "hall.device_fault")

MAX_CALLS: Final = 500
"""Calls watched at once; the oldest are given up."""

_NOT = {"shown": "hall.call_not_shown", "heard": "hall.call_not_heard"}

Key = tuple[str, str]


@dataclass(slots=True)
class _Watched:
    counter: str
    number: str
    at: datetime
    open: set[Expected] = field(default_factory=set)


class Alarms:
    """Fed with committed events; `wanted` says what should stand at a moment."""

    def __init__(self, policy: Policy, nodes: Nodes) -> None:
        self._policy = policy
        self._nodes = nodes
        self._calls: dict[str, _Watched] = {}
        self._bad: dict[Key, dict[str, str]] = {}
        self._well_since: dict[Key, datetime] = {}
        self.clock_is_back = False
        """The clock is before the open business date: numbers go on, but no new date begins."""
        self.rating_page_is_closed = False
        """The port of the page for texts could not be had."""

    def reset(self) -> None:
        """Before a replay: calls from before are not watched, nobody knows who has reported them."""
        self._calls.clear()
        self._bad.clear()

    def keep(self, alarms: Iterable[Alarm]) -> None:
        """After a replay: alarms about calls stand until a later call is reported."""
        self._bad = {
            (alarm.code, alarm.subject): alarm.facts
            for alarm in alarms
            if alarm.code in WATCHED and alarm.code.startswith("hall.call_")
        }

    def on_events(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            if isinstance(event, ev.TicketCalled | ev.TicketRecalled):
                self._called(event)
            elif isinstance(event, ev.CallReported):
                self._reported(event)

    def _called(self, event: ev.TicketCalled | ev.TicketRecalled) -> None:
        counter = self._policy.counters.get(event.counter)
        if counter is None:
            return
        expected = self._nodes.expected(event.counter, counter.zone)
        silent = ("hall.call_silent", event.counter)
        if not expected:
            self._bad[silent] = {"number": event.number}
            return
        self._bad.pop(silent, None)
        while len(self._calls) >= MAX_CALLS:
            del self._calls[next(iter(self._calls))]
        self._calls[event.call] = _Watched(event.counter, event.number, event.at, set(expected))

    def _reported(self, event: ev.CallReported) -> None:
        watched = self._calls.get(event.call)
        if watched is None or event.how not in _NOT:
            return
        watched.open.discard(Expected(event.node, event.device, event.how))
        key = (_NOT[event.how], f"{watched.counter} {event.node}/{event.device}")
        if event.outcome == "done":
            self._bad.pop(key, None)
        elif event.outcome != "superseded":
            self._bad[key] = {"number": watched.number, "outcome": event.outcome, "cause": event.code or ""}

    def wanted(self, at: datetime) -> dict[Key, dict[str, str]]:
        """Every alarm that should stand now, with its facts."""
        limit = timedelta(seconds=self._policy.limits.call_report_timeout_s)
        for call, watched in list(self._calls.items()):
            if at - watched.at >= limit:
                for missing in watched.open:
                    key = (_NOT[missing.how], f"{watched.counter} {missing.node}/{missing.device}")
                    self._bad[key] = {"number": watched.number, "outcome": "no_report"}
                del self._calls[call]
        self._drop_removed()
        wanted = dict(self._bad)
        if self.clock_is_back:
            wanted["hall.clock_back", "hall"] = {}
        if self.rating_page_is_closed:
            wanted["hall.rating_page_closed", "hall"] = {}
        for node in self._nodes.all.values():
            away = (at - node.changed_at).total_seconds() if node.changed_at is not None else 0.0
            if node.state == "lost" or (node.state == "offline" and away >= OFFLINE_S):
                wanted["hall.node_lost", node.node] = {"state": node.state}
            for device in node.devices.values():
                if device.health in ("fault", "missing"):
                    wanted["hall.device_fault", f"{node.node}/{device.device}"] = {
                        "kind": device.kind,
                        "health": device.health,
                        "cause": device.code or "",
                    }
        return wanted

    def _drop_removed(self) -> None:
        """Nobody waits any more for the report of a device that was taken away."""
        for code, subject in list(self._bad):
            if code in _NOT.values():
                node, _, device = subject.partition(" ")[2].partition("/")
                known = self._nodes.all.get(node)
                devices = known.description.devices if known is not None and known.description else ()
                if not any(described.device == device for described in devices):
                    del self._bad[code, subject]

    def difference(
        self, standing: dict[Key, Alarm], at: datetime
    ) -> tuple[tuple[Alarm, ...], tuple[Key, ...]]:
        """What to raise and what to clear."""
        wanted = self.wanted(at)
        raised = tuple(
            Alarm(code=code, subject=subject, raised_at=at, facts=facts)
            for (code, subject), facts in wanted.items()
            if (code, subject) not in standing
        )
        over = [key for key in standing if key[0] in WATCHED and key not in wanted]
        # A clock that was set back begins to wait anew.
        self._well_since = {key: min(at, self._well_since.get(key, at)) for key in over}
        cleared = tuple(
            key
            for key in over
            if key[0] not in _MAY_FLAP or at - self._well_since[key] >= timedelta(seconds=WELL_S)
        )
        return raised, cleared
