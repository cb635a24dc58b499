"""A small hall: two groups, three services, three counters, two priority classes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.apply import apply
from hall.queue.decide import RefusedError, decide, refusal
from hall.queue.policy import Counter, Group, Limits, Numbers, Policy, Priority, Rule, Service, Zone
from hall.queue.state import State, Ticket, empty

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""09:00 in Shanghai on a Monday."""
TODAY = date(2026, 11, 23)


def text(zh: str) -> dict[str, str]:
    return {"zh-CN": zh, "en": zh}


def make_policy(rules: tuple[Rule, ...] = (), **limits: Any) -> Policy:
    groups = (
        Group(id="general", name=text("综合"), prefix="A"),
        Group(id="tax", name=text("税务"), prefix="B"),
    )
    services = (
        Service(id="id-card", name=text("身份证"), group="general", zone="east"),
        Service(id="house", name=text("不动产"), group="general", zone="east"),
        Service(id="tax", name=text("税务"), group="tax", zone="west"),
    )
    zones = (
        Zone(id="east", name=text("东区"), directions=text("左转")),
        Zone(id="west", name=text("西区"), directions=text("右转")),
    )
    counters = (
        Counter(id="1", name=text("1号窗口"), zone="east", services=("id-card", "house"), clerk="wang"),
        Counter(id="2", name=text("2号窗口"), zone="east", services=("id-card",), transfer_to="1"),
        Counter(id="3", name=text("3号窗口"), zone="west", services=("tax", "id-card")),
    )
    priorities = (
        Priority(id="elderly", name=text("老年人"), minimum_age=60),
        Priority(id="soldier", name=text("军人")),
    )
    return Policy(
        groups={g.id: g for g in groups},
        services={s.id: s for s in services},
        zones={z.id: z for z in zones},
        counters={c.id: c for c in counters},
        priorities={p.id: p for p in priorities},
        rules=rules,
        numbers=Numbers(),
        limits=Limits(**{"recall_pause_s": 0, "next_pause_s": 0, **limits}),
    )


class Hall:
    """Drives decide and apply like the coordinator does, with a clock that the test moves."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or make_policy()
        self.state: State = empty(self.policy)
        self.at = MORNING
        self.log: list[ev.Event] = []
        self._ids = count(1)
        self.do(cmd.OpenDay(id="open", at=self.at, business_date=TODAY))

    def new(self, prefix: str = "x") -> str:
        return f"{prefix}{next(self._ids)}"

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def change(self, service: str = "", **fields: Any) -> None:
        """Other options from now on, of a service or of the policy."""
        if service:
            changed = msgspec.structs.replace(self.policy.services[service], **fields)
            fields = {"services": self.policy.services | {service: changed}}
        self.policy = self.state.policy = msgspec.structs.replace(self.policy, **fields)

    def tomorrow(self, days: int = 1) -> list[ev.Event]:
        """So many days later a business date begins, at the same time of day."""
        self.wait(86_400 * days)
        assert self.state.business_date is not None
        date = self.state.business_date + timedelta(days=days)
        return self.do(cmd.OpenDay(id=self.new("d"), at=self.at, business_date=date))

    def do(self, command: cmd.Command) -> list[ev.Event]:
        try:
            events = decide(self.state, command)
        except RefusedError as error:
            events = [refusal(command, error)]
            self._apply(events)
            raise
        self._apply(events)
        return events

    def _apply(self, events: list[ev.Event]) -> None:
        for event in events:
            self.log.append(event)
            self.state = apply(self.state, event)

    def issue(self, service: str = "id-card", priority: str | None = None, **more: Any) -> Ticket:
        ticket = self.new("t")
        self.do(
            cmd.IssueTicket(
                id=self.new("c"), at=self.at, ticket=ticket, service=service, priority=priority, **more
            )
        )
        return self.state.tickets[ticket]

    def kiosk(self, service: str = "id-card") -> Ticket:
        return self.issue(service, node="kiosk-1", request=self.new("r"), source="kiosk")

    def paper(self, ticket: Ticket, paper: str, **more: Any) -> list[ev.Event]:
        return self.do(
            cmd.RecordPaper(
                id=self.new("c"),
                at=self.at,
                node="kiosk-1",
                ticket=ticket.ticket,
                number=more.pop("number", ticket.number),
                paper=paper,  # type: ignore[arg-type]
                business_date=more.pop("business_date", TODAY),
                printed_at=self.at,
                **more,
            )
        )

    def press(
        self,
        counter: str,
        key: str,
        target: str | None = None,
        shown: str | None = "current",
        pressed_at: datetime | None = None,
        page: str = "",
    ) -> list[ev.Event]:
        if shown == "current":
            shown = self.state.counters[counter].ticket
        return self.do(
            cmd.PressKey(
                id=self.new("c"),
                at=self.at,
                counter=counter,
                key=key,  # type: ignore[arg-type]
                call=self.new("call"),
                prompt=self.new("p"),
                page=page,
                shown_ticket=shown,
                target=target,
                pressed_at=pressed_at,
            )
        )

    def called(self, counter: str) -> str | None:
        """The number that the counter has now."""
        ticket = self.state.counters[counter].ticket
        return self.state.tickets[ticket].number if ticket is not None else None

    def merge(self, number: str, ticket: str | None = None, **more: Any) -> list[ev.Event]:
        return self.do(
            cmd.MergeTicket(
                id=self.new("c"),
                at=self.at,
                node=more.pop("node", "kiosk-1"),
                ticket=ticket or self.new("t"),
                number=number,
                service=more.pop("service", "id-card"),
                business_date=more.pop("business_date", TODAY),
                lease_epoch=1,
                issued_at=more.pop("issued_at", self.at),
                paper=more.pop("paper", "confirmed"),
                **more,
            )
        )

    def lease(self, node: str = "kiosk-1", group: str = "general", more: bool = False) -> list[ev.Event]:
        return self.do(
            cmd.GrantLease(
                id=self.new("c"),
                at=self.at,
                node=node,
                group=group,
                business_date=TODAY,
                epoch=1,
                more=more,
            )
        )

    def tick(self) -> list[ev.Event]:
        return self.do(cmd.Tick(id="", at=self.at))


@pytest.fixture
def policy() -> Policy:
    return make_policy()


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def make_hall() -> Callable[..., Hall]:
    return lambda rules=(), **limits: Hall(make_policy(rules, **limits))


@pytest.fixture
def refused() -> Callable[..., Any]:
    """`with refused("code")`: the block is refused with exactly that code."""
    from contextlib import contextmanager

    @contextmanager
    def expect(code: str) -> Any:
        with pytest.raises(RefusedError) as caught:
            yield
        assert caught.value.code == code

    return expect
