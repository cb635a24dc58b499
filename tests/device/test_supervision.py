from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from device import supervision
from device.clock import Clock
from device.supervision import Supervisor
from drivers.driver import Driver, Health
from drivers.errors import ConfigError, DriverError, LineLostError, NoAnswerError
from wire.messages import DeviceState


class Gadget(Driver):
    """Fails as told: each of `opening` and `serving` is the fate of one attempt, None is none."""

    kind: ClassVar[str] = "keypad"

    def __init__(self) -> None:
        super().__init__()
        self.opening: list[BaseException | None] = []
        self.serving: list[BaseException | None] = []
        self.closing: list[BaseException | None] = []
        self.opened = self.closed = 0
        self.lost = asyncio.Event()

    async def open(self) -> None:
        self.opened += 1
        if self.opening and (error := self.opening.pop(0)) is not None:
            raise error

    async def serve(self) -> None:
        if self.serving and (error := self.serving.pop(0)) is not None:
            raise error
        await self.lost.wait()
        self.lost.clear()
        raise LineLostError("unplugged")

    async def close(self) -> None:
        self.closed += 1
        if self.closing and (error := self.closing.pop(0)) is not None:
            raise error


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "BACK_OFF_MIN_S", 0.001)
    monkeypatch.setattr(supervision, "BACK_OFF_MAX_S", 0.002)


class Watched:
    def __init__(self, clock: Clock) -> None:
        self.gadget = Gadget()
        self.states: list[DeviceState] = []
        self.supervisor = Supervisor("g", self.gadget, clock, self.states.append)

    async def until(self, health: str) -> DeviceState:
        async with asyncio.timeout(5):
            while not self.states or self.states[-1].health != health:
                await asyncio.sleep(0.001)
        return self.states[-1]


@pytest.fixture
async def watched(clock: Clock) -> AsyncIterator[Watched]:
    made = Watched(clock)
    yield made


async def run(watched: Watched) -> asyncio.Task[None]:
    return asyncio.create_task(watched.supervisor.run())


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_a_device_that_is_unplugged_and_back_is_logged_once_each(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "device.supervision")
    task = await run(watched)
    await watched.until("ok")
    watched.gadget.opening = [LineLostError("no such line")] * 5 + [None]
    watched.gadget.lost.set()
    await watched.until("missing")
    await watched.until("ok")
    await end(task)
    assert [r.getMessage().split(":")[0] for r in caplog.records] == ["g is there", "g is gone", "g is back"]
    assert [s.health for s in watched.states] == ["ok", "missing", "missing", "ok"] or [
        s.health for s in watched.states
    ] == ["ok", "missing", "ok"]
    assert watched.gadget.closed >= watched.gadget.opened


@pytest.mark.parametrize(
    ("error", "health", "code"),
    [
        (LineLostError("x"), "missing", "device.unplugged"),
        (NoAnswerError("x"), "missing", "device.no_answer"),
        (DriverError("x", code="printer.jam"), "fault", "printer.jam"),
        (ConfigError(["x"]), "fault", "config.wrong"),
        (KeyError("a bug"), "fault", "device.fault"),
        (TimeoutError(), "missing", "device.no_answer"),
    ],
)
async def test_whatever_goes_wrong_is_a_state_and_it_is_tried_again(
    watched: Watched, error: Exception, health: str, code: str
) -> None:
    watched.gadget.opening = [error]
    task = await run(watched)
    await watched.until("ok")
    assert (watched.states[0].health, watched.states[0].code) == (health, code)
    await end(task)


async def test_a_driver_whose_serve_ends_or_breaks_is_opened_again(watched: Watched) -> None:
    watched.gadget.serving = [RuntimeError("a bug"), LineLostError("gone")]
    task = await run(watched)
    async with asyncio.timeout(5):
        while watched.gadget.opened < 3:
            await asyncio.sleep(0.001)
    await watched.until("ok")
    await end(task)


async def test_a_driver_whose_own_task_was_cancelled_under_it_is_opened_again(watched: Watched) -> None:
    watched.gadget.opening = [asyncio.CancelledError()]
    watched.gadget.serving = [asyncio.CancelledError()]
    watched.gadget.closing = [asyncio.CancelledError()]
    task = await run(watched)
    async with asyncio.timeout(5):
        while watched.gadget.opened < 3:
            await asyncio.sleep(0.001)
    assert (await watched.until("ok")) and not task.done()
    assert "fault" in [state.health for state in watched.states]
    await end(task)
    assert task.cancelled()


async def test_a_driver_that_never_opens_is_given_up(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(supervision, "OPEN_S", 0.01)
    monkeypatch.setattr(watched.gadget, "open", hang)
    task = await run(watched)
    assert (await watched.until("missing")).code == "device.no_answer"
    await end(task)


async def test_health_and_facts_are_published_on_change_with_since_and_seen(
    watched: Watched, hands: Any
) -> None:
    task = await run(watched)
    first = await watched.until("ok")
    hands.forward(60)
    watched.gadget.report(Health("degraded", "printer.paper_low", {"tickets": 12}))
    watched.gadget.report(Health("degraded", "printer.paper_low", {"tickets": 12}))
    low = watched.states[-1]
    assert (low.health, low.code, low.facts) == ("degraded", "printer.paper_low", {"tickets": 12})
    assert low.since is not None and first.since is not None and low.since > first.since
    hands.forward(60)
    watched.gadget.report(Health("degraded", "printer.paper_low", {"tickets": 11}))
    assert watched.states[-1].since == low.since
    assert len(watched.states) == 3
    await end(task)


async def test_being_seen_is_published_now_and_then_only(
    watched: Watched, hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "SEEN_S", 0.02)
    task = await run(watched)
    await watched.until("ok")
    hands.forward(5)
    for _ in range(50):
        watched.gadget.seen()
    assert len(watched.states) == 1
    async with asyncio.timeout(5):
        while len(watched.states) < 2:
            await asyncio.sleep(0.001)
    assert watched.states[1].seen_at != watched.states[0].seen_at
    await end(task)
