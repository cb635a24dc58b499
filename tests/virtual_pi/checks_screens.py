"""Screen programs through KMS, without X: first pages, touches, crashes, and the console under them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from bench import Bench, check, stopwatch
from checks_keypad import keyboard
from host_hall import HostHall
from image import ROOT
from screens import COUNTER, display, picture, screens_node, touch_screen

from drivers.ticket_printer.fake import FakeEscposPrinter
from simulator.hall_site import number_on
from wire.screen_link import ScreenRole

sys.path.insert(0, str(ROOT / "tests" / "faults"))
from evidence import journal_rows

SERVICE = "id-card"
"""One that counter 1 serves."""
GETTY = "getty@tty1"


async def until(condition: Callable[[], object], what: str, timeout: float = 30.0) -> None:
    try:
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise TimeoutError(f"no {what} within {timeout:.0f} s") from None


async def call(hall: HostHall) -> str:
    """A number is taken at the desk, and the next one called to counter 1; the number called."""
    before = hall.observer.counters[COUNTER].call
    await hall.ask("tickets", {"service": SERVICE})
    await key(hall, "next")
    await hall.observer.until(lambda: hall.observer.counters[COUNTER].call not in (None, before), 30)
    return str(hall.observer.counters[COUNTER].number)


async def key(hall: HostHall, name: str) -> None:
    """A key of the clerk's, for the ticket that the counter shows."""
    now = hall.observer.counters[COUNTER].ticket
    await hall.ask(f"counters/{COUNTER}/keys", {"key": name, "shown_ticket": now})


@check("the kiosk by its unit through KMS: first page, then touches until the number is on paper; each page")
async def screen_kiosk_ticket(bench: Bench) -> None:
    printer = FakeEscposPrinter(mm_per_s=200.0)
    async with screens_node(bench, printer), touch_screen(bench):
        took = stopwatch()
        async with display(bench, "kiosk") as screen:
            await screen.shows()
            bench.note(f"first page after {took():.1f} s")
            pages, times = [screen.page], []
            for wanted in ("start", "group:", "service:", "take"):
                times.append(await screen.touch_shows(screen.action(wanted)))
                pages.append(screen.page)
            await screen.shows_page("ticket-done")
            # a printer that has just come begins with a slip that is not valid
            numbers = [number for piece in printer.tickets if (number := number_on(piece))]
            assert pages[:2] == ["attract", "start"], pages
            assert len(numbers) == 1, printer.tickets
            bench.note(f"touched to {numbers[0]}: {' → '.join([*pages, screen.page])}")
            bench.note(f"a touch shows in {max(times):.1f} s")


@check("the rating panel by its unit: a clerk's key asks, a grade touched (plugged in late) is recorded")
async def screen_rating_touched(bench: Bench) -> None:
    async with screens_node(bench) as hall, display(bench, "rating") as screen:
        await screen.shows()
        async with touch_screen(bench):
            number = await call(hall)
            await key(hall, "finish")
            await screen.shows_page("rating_ask")
            took = await screen.touch_shows("grade:4")
            bench.note(f"graded: {screen.page} in {took:.1f} s")

        def graded() -> list[int]:
            rows = journal_rows(hall.journal)
            return [row["grade"] for row in rows if row["type"] == "rating_given"]

        await until(graded, "grade in the journal")
        assert graded() == [4], graded()
        hall.grades.append((COUNTER, number, 4))


@check("hall display, counter panel and plain panel by their units: first page, then a call, as their twins")
async def screens_show_calls(bench: Bench) -> None:
    roles: tuple[ScreenRole, ...] = ("board", "counter", "panel")
    async with screens_node(bench) as hall:
        for role in roles:
            async with display(bench, role) as screen:
                await screen.shows()
                number = await call(hall)
                took = await screen.shows_words(number)
                bench.note(f"{role} shows {number} in {took:.1f} s")
                if role == "panel":
                    await hall.until_device("over", "ok")


@check(
    "a kiosk's screen is killed, hangs, loses its agent: back by itself each time, the agent goes on",
    short=False,
)
async def screen_crashes(bench: Bench) -> None:
    async with screens_node(bench), display(bench, "kiosk") as screen:
        await screen.shows()
        agent = await agent_pid(bench)
        for signal, what in (("KILL", "killed"), ("STOP", "hung")):
            before = await screen.property("MainPID")
            took = stopwatch()
            await bench.inside(f"kill -{signal} {before}")
            await screen.restarts(before)
            bench.note(f"{what}, back after {took():.1f} s")
        assert await agent_pid(bench) == agent, "the agent was restarted, too"
        assert "watchdog" in (await bench.inside(f"journalctl -u {screen.unit} -o cat --since -2min")).lower()

        before = await screen.property("MainPID")
        took = stopwatch()
        await bench.inside(f"kill -KILL {agent}")
        await screen.shows_page("away")
        bench.note(f"said {took():.1f} s after the agent was killed")
        await screen.shows_page("attract")
        bench.note(f"gone again {took():.1f} s after")
        assert await screen.property("MainPID") == before, "the screen was restarted, too"


async def agent_pid(bench: Bench) -> str:
    return (await bench.inside("systemctl show -P MainPID paihao-agent")).strip()


@check("the console: its login gives way to a screen, which no key and no message disturbs, and comes back")
async def screen_console(bench: Bench) -> None:
    await bench.inside(f"systemctl unmask {GETTY}; systemctl start {GETTY}")
    try:
        async with keyboard(bench), screens_node(bench), display(bench, "board", start=False) as screen:
            await login(bench)
            await screen.start()
            await screen.shows()
            assert await state(bench, GETTY) == "inactive", "the login is still there"
            await bench.inside("echo written on the console >/dev/tty1; echo a kernel message >/dev/kmsg")
            await bench.machine.press("a")
            await bench.machine.press("ret")
            await asyncio.sleep(2)
            await screen.shows()
            await screen.stop()
            await bench.inside(f"systemctl start {GETTY}")
            await login(bench)
            await bench.machine.press("q")
            await until_console(bench, "login: q")
            seen = await picture(bench)
            assert seen not in screen.twin.pictures() and len(set(seen)) > 1, "the display does not show it"
    finally:
        await bench.inside(f"systemctl stop {GETTY}; systemctl mask --quiet {GETTY}")


async def login(bench: Bench) -> None:
    """Until the console asks who logs in."""
    await until_console(bench, "login:")
    assert await state(bench, GETTY) == "active"


async def until_console(bench: Bench, words: str) -> None:
    """Until these stand on the text console. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while words not in await bench.inside("cat /dev/vcs1"):
            await asyncio.sleep(0.2)


async def state(bench: Bench, unit: str) -> str:
    return (await bench.inside(f"systemctl is-active {unit}", check=False)).strip()
