"""Every fault of every printer ends in a state that a person can read, and clears by itself when mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any

import pytest
from printing_bench import KINDS, TICKET, VALUES, bench_of

from device.clock import Clock
from device.supervision import Supervisor
from drivers.ticket_printer.protocol import Paper, PrintResult
from drivers.ticket_printer.proved_printer import ProvedPrinter
from drivers.transport.pair import PairLine
from wire.messages import DeviceState
from wire.texts import LANGUAGES, text

QUICK = {"answer_s": 0.1, "write_s": 0.3, "print_s": 1.0, "poll_s": 0.02, "start_slip": False}

AT_REST: dict[str, tuple[str, str, str, str]] = {
    # what happens, how it is mended, the code, the health
    "paper out": ("paper_out", "load_paper", "printer.paper_out", "fault"),
    "paper low": ("paper_low", "load_paper", "printer.paper_low", "degraded"),
    "cover": ("open_cover", "close_cover", "printer.cover_open", "fault"),
    "silent": ("be_silent", "speak", "device.no_answer", "missing"),
    "hangs": ("freeze", "go_on", "device.no_answer", "missing"),
    "no power": ("power_off", "power_on", "device.no_answer", "missing"),
}
KIOSK_AT_REST = {
    "head": ("overheat", "cool_down", "printer.head_temperature", "degraded"),
    "voltage": ("low_voltage", "good_voltage", "printer.voltage", "degraded"),
    "memory": ("break_memory", "mend_memory", "printer.error", "fault"),
    "virtual end": ("virtual_end", "load_paper", "printer.paper_low", "degraded"),
}
IN_A_TICKET = {"cutter": ("jam", "unjam", "printer.cutter", "fault")}
KIOSK_IN_A_TICKET = {"presenter": ("jam_presenter", "clear_jam", "printer.jam", "fault")}
"""Show only when a ticket is printed."""

MODELS = list(KINDS)
FAULTS = AT_REST | KIOSK_AT_REST | IN_A_TICKET | KIOSK_IN_A_TICKET


def _fake(model: str) -> Any:
    fake: Any = KINDS[model].fake()
    fake.second = 0.02  # of a presenter's own clock
    return fake


class Watched:
    """A printer under the agent's supervisor, and the states that it publishes."""

    def __init__(self, model: str) -> None:
        self.fake: Any = _fake(model)
        self.line = PairLine(self.fake)
        # a given-up ticket that comes out when the cutter is mended goes by the printer's own clock
        timed = {"retract_s": 1} if model == "vkp80iii" else {}
        self.printer: ProvedPrinter = KINDS[model].printer(self.line.transport, **(QUICK | timed))
        self.states: list[DeviceState] = []
        self.supervisor = Supervisor("printer", self.printer, Clock(UTC), self.states.append)

    async def until(self, health: str, code: str | None) -> DeviceState:
        async with asyncio.timeout(30):
            while not self.states or (self.states[-1].health, self.states[-1].code) != (health, code):
                await asyncio.sleep(0.005)
        return self.states[-1]

    async def well(self) -> None:
        await self.until("ok", None)
        async with asyncio.timeout(30):
            while not (self.printer.can_print and self.printer._clean):
                await asyncio.sleep(0.005)


@asynccontextmanager
async def watched(model: str) -> AsyncIterator[Watched]:
    bench = Watched(model)
    await bench.line.plug()
    running = asyncio.create_task(bench.supervisor.run())
    try:
        await bench.well()
        yield bench
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await bench.line.unplug()


async def on_each(models: list[str], case: Callable[[str], Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for model in models:
            group.create_task(case(model), name=model)


@pytest.mark.parametrize("name", FAULTS)
async def test_fault_is_readable_and_clears_by_itself(name: str) -> None:
    """On every model that can have it, side by side: most of it is waiting."""
    models = MODELS[1:] if name in KIOSK_AT_REST | KIOSK_IN_A_TICKET else MODELS
    await on_each(models, lambda model: fault_comes_and_goes(model, name))


async def fault_comes_and_goes(model: str, name: str) -> None:
    begin, mend, code, health = FAULTS[name]
    async with watched(model) as bench:
        getattr(bench.fake, begin)()
        if name in IN_A_TICKET | KIOSK_IN_A_TICKET:
            result = await bench.printer.print_ticket(TICKET)
            assert (result.outcome, result.code) == ("unknown", code)
        await bench.until(health, code)
        for language in LANGUAGES:
            assert " · " in text(code, language), "what is wrong · what to do now"
        getattr(bench.fake, mend)()
        await bench.well()
        assert (await bench.printer.print_ticket(Paper("A006", VALUES))).outcome == "confirmed"


async def test_unplugged_is_told_and_healed() -> None:
    await on_each(MODELS, unplugged_and_healed)


async def unplugged_and_healed(model: str) -> None:
    async with watched(model) as bench:
        await bench.line.unplug()
        await bench.until("missing", "device.unplugged")
        await bench.line.plug()
        await bench.well()


@pytest.mark.parametrize("model", MODELS[1:])
async def test_facts_tell_each_part(model: str) -> None:
    async with watched(model) as bench:
        bench.fake.overheat()
        bench.fake.low_voltage()
        bench.fake.open_cover()
        state = await bench.until("fault", "printer.cover_open")
        while state.facts["voltage"] == "ok" or state.facts["head"] == "ok":
            await asyncio.sleep(0.005)
            state = bench.states[-1]
        assert {name: state.facts[name] for name in ("cover", "head", "voltage", "cutter", "paper_path")} == {
            "cover": "open",
            "head": "hot",
            "voltage": "fault",
            "cutter": "ok",
            "paper_path": "free",
        }


async def test_a_printer_that_proves_nothing_does_not_eat_its_roll() -> None:
    """Another make: it tells its status and does not know GS r."""
    await on_each(MODELS, nothing_proved)


async def nothing_proved(model: str) -> None:
    bench = Watched(model)
    do = bench.fake._do
    bench.fake._do = lambda command: 0.0 if command[:2] == b"\x1dr" else do(command)
    bench.printer = KINDS[model].printer(bench.line.transport, **(QUICK | {"print_s": 0.1}))
    bench.supervisor = Supervisor("printer", bench.printer, Clock(UTC), bench.states.append)
    await bench.line.plug()
    running = asyncio.create_task(bench.supervisor.run())
    try:
        await bench.until("fault", "printer.no_proof")
        assert not bench.printer.can_print
        worked = bench.fake.worked_bytes
        assert await bench.printer.print_ticket(TICKET) == PrintResult("failed", "printer.no_proof")
        assert bench.fake.worked_bytes == worked, "not one more slip"
        bench.fake._do = do
        await bench.line.unplug()
        await bench.until("missing", "device.unplugged")
        await bench.line.plug()
        await bench.well()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await bench.line.unplug()


async def test_a_printer_whose_power_fails_while_it_tidies_up_is_not_given_up() -> None:
    """Silence is no missing proof: it has the same answer as ever when it is back."""
    async with bench_of(tidy=True, start_slip=False) as bench:
        await bench.ready()
        for _ in range(4):
            bench.fake.at_byte(100, bench.fake.power_off)
            assert (await bench.printer.print_ticket(TICKET)).outcome == "unknown"
            opened = bench.opened
            bench.fake.at_byte(1, bench.fake.power_off)
            bench.fake.power_on()
            await bench.until(lambda opened=opened: bench.opened > opened or not bench.fake.powered)  # type: ignore[misc]
            bench.fake.power_on()
            await bench.ready()
        assert not [health for health in bench.healths if health.code == "printer.no_proof"]
