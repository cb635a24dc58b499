"""Commands to nodes, what screens show, and the reason of a call as text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hall.dispatch import Dispatch
from hall.intake import to_command
from hall.journal import JournalError
from hall.nodes import Nodes
from hall.projections import Projections, touched_counters
from hall.queue import commands as cmd
from hall.queue.events import Skipped, Why
from hall.queue.policy import CallFrom, Rule
from hall.runtime import Runtime, business_date_of
from hall.why import explain
from wire import codec
from wire.kiosk_messages import TicketEnquired, TicketFound
from wire.messages import (
    CounterClerk,
    GrantLease,
    KeyPressed,
    NodeCommand,
    NodeDescription,
    NodeState,
    PrintTicket,
    PromptRating,
    RefuseTicket,
    TicketPrinted,
    TicketRequested,
)


class Desk:
    """Dispatch with its nodes, and what it has published."""

    def __init__(self, hall: Any) -> None:
        self.hall = hall
        self.nodes = Nodes()
        self.sent: list[tuple[str, NodeCommand]] = []
        self.connected = True
        self.dispatch = Dispatch(hall.policy, self.nodes, self._publish)
        self.seen = 0

    def _publish(self, node: str, command: NodeCommand, left: float) -> bool:
        if self.connected:
            self.sent.append((node, command))
        return self.connected

    def follow(self) -> None:
        """Take up what has happened since the last time, and send it."""
        events, self.seen = self.hall.log[self.seen :], len(self.hall.log)
        self.dispatch.send(self.dispatch.on_events(events), 7, self.hall.at)

    def take(self) -> list[tuple[str, str]]:
        """(node, command id) of what was sent since the last time."""
        sent = [(node, command.id) for node, command in self.sent]
        self.sent.clear()
        return sent

    def online(self, node: str, counter: str | None = None) -> None:
        self.nodes.on_state(node, NodeState(state="online", session="s"), self.hall.at)
        counters = (counter,) if counter else ()
        self.nodes.on_description(
            node, NodeDescription(model="m", software="1", stations=(), devices=(), counters=counters)
        )


@pytest.fixture
def desk(hall: Any) -> Desk:
    return Desk(hall)


def test_a_print_is_sent_until_its_paper_is_known(hall: Any, desk: Desk) -> None:
    desk.online("kiosk-1")
    ticket = hall.kiosk()
    desk.follow()
    (node, command) = desk.sent[0]
    body = codec.command_body(command)
    assert isinstance(body, PrintTicket) and body.number == ticket.number and node == "kiosk-1"
    assert command.deadline - command.at == timedelta(seconds=20) and command.epoch == 7
    desk.take()
    hall.wait(5)
    desk.dispatch.send_due(7, hall.at)
    assert desk.take() == [("kiosk-1", f"print-{ticket.ticket}")], "repeated with the same id"
    hall.paper(ticket, "unknown")
    desk.follow()
    desk.dispatch.send_to("kiosk-1", 7, hall.at)
    assert desk.take() == []


def test_a_paperless_ticket_is_printed_only_when_it_is_asked_for_again(hall: Any, desk: Desk) -> None:
    desk.online("kiosk-1")
    ticket = hall.issue(node="kiosk-1", request="r", paperless=True)
    desk.follow()
    hall.paper(ticket, "confirmed", code="ticket.on_screen")
    hall.do(cmd.ReprintTicket(id="again", at=hall.at, ticket=ticket.ticket))
    desk.follow()
    bodies = [codec.command_body(command) for _, command in desk.sent]
    shown = [(b.paperless, b.reprint) for b in bodies if isinstance(b, PrintTicket)]
    assert shown == [(True, False), (False, True)]


def test_a_question_is_answered_to_its_kiosk_while_somebody_waits(hall: Any, desk: Desk) -> None:
    desk.online("kiosk-1")
    ticket = hall.issue()
    for request, asked in (("r1", ticket.ticket), ("r2", "none")):
        hall.do(
            cmd.EnquireTicket(id=request, at=hall.at, node="kiosk-1", request=request, ticket=asked),
        )
    desk.follow()
    known, unknown = (codec.command_body(command) for _, command in desk.sent)
    assert known == TicketFound(
        request="r1",
        ticket=ticket.ticket,
        number=ticket.number,
        state="waiting",
        service_name=hall.policy.services["id-card"].name,
        zone="east",
        ahead=0,
    )
    assert unknown == TicketFound(request="r2", ticket="none", code="ticket.unknown")
    assert {command.deadline - command.at for _, command in desk.sent} == {timedelta(seconds=10)}
    hall.press("3", "next")
    hall.do(cmd.EnquireTicket(id="r3", at=hall.at, node="kiosk-1", request="r3", ticket=ticket.ticket))
    desk.follow()
    called = codec.command_body(desk.sent[-1][1])
    assert isinstance(called, TicketFound) and (called.zone, called.counter_name) == (
        "west",
        hall.policy.counters["3"].name,
    )
    hall.do(cmd.EndCommand(id="e", at=hall.at, node="kiosk-1", command="found-r1", outcome="done"))
    hall.wait(10)
    desk.follow()
    desk.dispatch.send_due(7, hall.at)
    assert desk.dispatch.outstanding == []


def test_nothing_is_sent_past_its_deadline(hall: Any, desk: Desk) -> None:
    desk.connected = False
    hall.kiosk()
    desk.follow()
    desk.connected = True
    hall.wait(20)
    desk.online("kiosk-1")
    desk.dispatch.send_to("kiosk-1", 7, hall.at)
    desk.dispatch.send_due(7, hall.at)
    assert desk.take() == [] and desk.dispatch.outstanding == []


def test_a_replay_finds_what_is_outstanding(hall: Any, desk: Desk, refused: Any) -> None:
    hall.lease()
    ticket = hall.kiosk()
    done = hall.kiosk()
    hall.paper(done, "confirmed")
    with refused("ticket.service_unknown"):
        hall.issue("none", node="kiosk-1", request="r-9")
    again = Desk(hall)
    again.dispatch.on_events(hall.log)
    kinds = {type(found.body) for found in again.dispatch.outstanding}
    assert kinds == {GrantLease, PrintTicket, RefuseTicket}
    again.dispatch.send_to("kiosk-1", 8, hall.at)
    assert ("kiosk-1", f"print-{ticket.ticket}") in again.take()


def test_a_prompt_goes_to_the_node_of_its_counter(hall: Any, desk: Desk) -> None:
    hall.issue()
    hall.press("1", "next")
    hall.press("1", "finish")
    desk.follow()
    assert desk.take() == [], "no node is known yet"
    desk.online("counter-1", counter="1")
    desk.dispatch.send_due(7, hall.at)
    assert isinstance(codec.command_body(desk.sent[0][1]), PromptRating)
    hall.wait(20 + 30 + 300)
    hall.tick()
    desk.follow()
    assert desk.dispatch.outstanding == []


def test_a_command_is_ended_by_its_own_node_only(hall: Any, desk: Desk) -> None:
    hall.lease()
    desk.follow()
    (lease,) = desk.dispatch.outstanding
    for node, left in (("kiosk-2", 1), ("kiosk-1", 0)):
        ended = cmd.EndCommand(
            id=hall.new("c"), at=hall.at, node=node, command=lease.id, outcome="done", code=None
        )
        hall.do(ended)
        desk.follow()
        assert len(desk.dispatch.outstanding) == left


def test_leases_of_yesterday_are_not_sent_any_more(hall: Any, desk: Desk) -> None:
    hall.lease()
    desk.follow()
    hall.wait(86_400)
    hall.do(cmd.OpenDay(id="d2", at=hall.at, business_date=hall.state.business_date + timedelta(days=1)))
    desk.follow()
    assert desk.dispatch.outstanding == []


@pytest.fixture
def screens(hall: Any) -> Projections:
    return Projections(hall.policy, {"zh-CN": "大厅", "en": "Hall"})


def test_snapshots_get_a_revision_only_when_they_change(hall: Any, screens: Projections) -> None:
    def follow() -> Any:
        screens.on_events(hall.log, hall.state)
        return screens.board(hall.state, 3, hall.at), screens.counter("1", hall.state, 3)

    board, counter = follow()
    assert (board.rev, counter.rev, counter.state) == (1, 1, "closed")
    assert screens.board(hall.state, 3, hall.at).rev == 1
    hall.issue("tax")
    board, counter = follow()
    assert (board.rev, counter.rev) == (2, 1), "counter 1 does not serve it"
    hall.issue("house")
    board, counter = follow()
    assert (board.rev, counter.rev, counter.waiting) == (3, 2, 1)


def test_a_counter_says_who_sits_there_and_when_it_is_open(hall: Any) -> None:
    screens = Projections(hall.policy, {"zh-CN": "大厅"}, clerks={"li": CounterClerk(number="012")})
    before = screens.counter("1", hall.state, 3)
    hall.do(cmd.SetClerk(id="k", at=hall.at, counter="1", clerk="li"))
    assert touched_counters(hall.log[-1:]) == ["1"]
    after = screens.counter("1", hall.state, 3)
    assert (before.clerk, after.clerk, after.rev) == (None, CounterClerk(number="012"), before.rev + 1)
    hall.do(cmd.SetClerk(id="k2", at=hall.at, counter="1", clerk="nobody-knows"))
    assert screens.counter("1", hall.state, 3).clerk is None
    own = msgspec.structs.replace(hall.policy.counters["1"], hours=("09:00-12:00",))
    policy = msgspec.structs.replace(
        hall.policy, issue_times=("08:30-17:00",), counters=hall.policy.counters | {"1": own}
    )
    screens = Projections(policy, {"zh-CN": "大厅"})
    assert screens.counter("1", hall.state, 3).hours == ("09:00-12:00",)
    assert screens.counter("2", hall.state, 3).hours == ("08:30-17:00",)


def test_the_board_shows_the_newest_call_first_and_what_became_of_it(hall: Any, screens: Projections) -> None:
    for _ in range(3):
        hall.issue()
    for counter in ("1", "2", "3"):
        hall.press(counter, "next")
    hall.press("1", "recall")
    hall.press("2", "finish")
    hall.press("3", "park")
    screens.on_events(hall.log, hall.state)
    calls = screens.board(hall.state, 1, hall.at).calls
    assert [(c.number, c.counter, c.state) for c in calls] == [
        ("A001", "1", "called"),
        ("A002", "2", "finished"),
    ]
    hall.press("1", "no_show")
    screens.on_events(hall.log[-1:], hall.state)
    board = screens.board(hall.state, 1, hall.at)
    assert board.calls[0].state == "no_show" and board.missed == ("A001",)


def test_a_transferred_ticket_waits_at_its_target_only(hall: Any, screens: Projections) -> None:
    hall.issue("house")
    hall.press("1", "next")
    hall.press("1", "transfer", target="3")
    assert screens.counter("3", hall.state, 1).waiting == 1
    assert screens.counter("1", hall.state, 1).waiting == 0
    assert touched_counters(hall.log) == ["1"]


def test_the_reason_reads_well_in_both_languages(make_hall: Any) -> None:
    rule = Rule(name="优先群体", call_from=CallFrom(priorities=("elderly",)), ratio=3)
    hall = make_hall(rules=(rule,))
    hall.issue()
    hall.wait(75)
    hall.issue(priority="elderly")
    why = next(e.why for e in hall.press("1", "next") if hasattr(e, "why"))
    assert explain(why, "A002") == [
        "规则“优先群体”连叫第 1/3 位，A002 是其中等候最久的（0秒）",
        "等候更久的有：A001",
    ]
    other = Why(kind="starvation", wait_s=2750, skipped=(Skipped(rule="x", reason="ratio"),))
    assert explain(other, "A001", "en")[0].startswith("A001 has waited 45 min 50 s")


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        (datetime(2026, 11, 22, 19, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 20, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1)),
    ],
)
def test_a_business_date_begins_at_four_in_the_morning(utc: datetime, day: date) -> None:
    assert business_date_of(utc, "Asia/Shanghai", 240) == day


async def test_a_new_business_date_opens_once_and_never_goes_back(tmp_path: Path, policy: Any) -> None:
    at = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    runtime = Runtime("h", policy, str(tmp_path / "h.db"), day_start_minute=240, now=lambda: at)
    await runtime.start()
    await runtime.issue("tax")
    assert not await runtime.open_day()
    at += timedelta(days=1)
    assert await runtime.open_day()
    assert not runtime.state.tickets
    at -= timedelta(days=3)
    assert not await runtime.open_day()
    assert runtime.state.business_date == date(2026, 11, 24)
    again = await runtime.issue("tax")
    assert again.ticket is not None and runtime.state.tickets[again.ticket].number == "B001"
    await runtime.stop()
    with pytest.raises(JournalError):
        await runtime.issue("tax")


def test_times_that_no_calendar_has_are_taken_for_the_epoch() -> None:
    at = datetime.now(UTC)
    body = TicketPrinted(ticket="t", number="A001", paper="confirmed")
    event = codec.event(
        body, id="e", stream="s", seq=1, session="x", at=datetime.fromisoformat("0001-01-01T00:00:00+08:00")
    )
    command = to_command("k", event, body, at=at, epoch=1, date_of=lambda _: date(1970, 1, 1))
    assert isinstance(command, cmd.RecordPaper) and command.printed_at.year == 1970


def test_what_a_kiosk_asks_for_becomes_a_command() -> None:
    at = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    def taken(body: Any) -> Any:
        event = codec.event(body, id="e", stream="s", seq=1, session="s", at=at)
        return to_command("k", event, body, at=at, epoch=1, date_of=lambda _: date(1970, 1, 1))

    asked = taken(TicketRequested(request="r", service="tax", paperless=True, name="王*明"))
    assert isinstance(asked, cmd.IssueTicket)
    assert (asked.node, asked.request, asked.paperless, asked.name) == ("k", "r", True, "王*明")
    question = taken(TicketEnquired(request="r", ticket="t"))
    assert question == cmd.EnquireTicket(id="k:e", at=at, node="k", request="r", ticket="t")


def test_a_key_of_a_node_carries_when_it_was_pressed() -> None:
    at = datetime.now(UTC)
    body = KeyPressed(counter="1", key="next")
    pressed = at - timedelta(minutes=5)
    event = codec.event(body, id="e", stream="s", seq=1, session="x", at=pressed)
    command = to_command("k", event, body, at=at, epoch=1, date_of=lambda _: date(1970, 1, 1))
    assert isinstance(command, cmd.PressKey) and command.pressed_at == pressed
