"""A whole hall from the repository's own configuration: one way through, faults, and a clean end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.hall_site import ROOT, HallSite, number_on
from simulator.misbehaviour import misbehave, ways
from wire.screen_link import TakeTicket, TicketProgress

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="session")]


async def until(condition: Callable[[], object], timeout: float = 15.0) -> None:
    """Wait for something that a fake shows; fakes have no event for everything."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there and not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(folder: Path) -> list[int]:
    """Processes that have a folder on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in line and runs(int(entry.name)):
                found.append(int(entry.name))
    return found


async def test_a_ticket_goes_from_the_tap_to_paper_call_and_rating(site: HallSite) -> None:
    await until(lambda: site.kiosk.catalogue)
    before, rated = site.tickets_out, site.observer.rated
    request = site.kiosk.take_ticket("business-license", "elderly")
    assert request is not None
    end = await site.kiosk.end_of(request, 20)
    assert end is not None and (end.stage, end.paper, end.offline) == ("done", "confirmed", False)
    assert number_on(site.papers[-1][1]) == end.number

    counter = site.counter_screen("1")
    site.call_keypad("1").press("next")
    await until(lambda: counter.counter is not None and counter.counter.number == end.number)
    strip = site.strip("1")
    await until(lambda: end.number in strip.text)
    await until(
        lambda: site.board.board and [call.number for call in site.board.board.calls][:1] == [end.number]
    )
    voice = site.voice
    assert voice is not None
    spoken = [lambda: voice.playing or "", lambda: voice.played[-1].text if voice.played else ""]
    await until(lambda: any(str(end.number) in said() for said in spoken))

    site.call_keypad("1").press("finish")
    pad = site.rating_keypad("1")
    await until(lambda: pad.prompting and counter.prompt and counter.prompt.number == end.number)
    thanks = pad.thanks
    pad.press("5")
    await until(lambda: pad.thanks > thanks)
    await site.observer.until(lambda: site.observer.rated > rated, 10)
    # one tap, one paper
    assert site.tickets_out == before + 1


async def test_who_is_waited_for_in_vain_is_named(site: HallSite) -> None:
    with pytest.raises(TimeoutError, match="kiosk-1/nothing: not heard of"):
        await site.wait_devices(["kiosk-1/printer", "kiosk-1/nothing"], 0.2)
    printer = site.lines["kiosk-1/printer"]
    await printer.unplug()
    try:
        state = site.observer.devices
        await site.observer.until(lambda: state["kiosk-1", "printer"].health != "ok", 20)
        with pytest.raises(TimeoutError, match=r"kiosk-1/printer: \w+ [a-z]+\.\w+"):
            await site.wait_devices(timeout=0.2)
    finally:
        await printer.plug()
        await site.wait_devices()
    site.parts["board-1"].kill()
    try:
        await until(lambda: site.parts["board-1"].state != "ready")
        with pytest.raises(TimeoutError, match=r"board-1 is (waiting|starting)"):
            await site.wait_ready(0.1)
    finally:
        await site.wait_ready()
        await site.wait_devices()


async def test_an_unplugged_strip_is_reported_and_shows_the_text_again(site: HallSite) -> None:
    name = site.device_of("counter-2", "call_screen")
    key = ("counter-2", name.partition("/")[2])
    await until(lambda: site.strip("2").text)
    misbehave(site, name, "unplug")
    await site.observer.until(lambda: site.observer.devices[key].health == "missing", 20)
    misbehave(site, name, "unplug")
    await site.observer.until(lambda: site.observer.devices[key].health == "ok", 30)
    # a real card has forgotten everything too
    await until(lambda: "2" in site.strip("2").text)


async def test_without_paper_nothing_is_issued_and_the_citizen_is_told(site: HallSite) -> None:
    await until(lambda: site.kiosk.catalogue)
    name = site.device_of("kiosk-1", "printer")
    misbehave(site, name, "paper_out")
    await until(
        lambda: site.kiosk.state and site.kiosk.state.printer and site.kiosk.state.printer.health == "fault"
    )
    request = site.kiosk.take_ticket("pension")
    assert request is not None
    end = await site.kiosk.end_of(request, 20)
    assert end is not None and end.stage == "refused" and end.code == "printer.paper_out"
    misbehave(site, name, "paper_out")
    await until(
        lambda: site.kiosk.state and site.kiosk.state.printer and site.kiosk.state.printer.health == "ok"
    )
    again = site.kiosk.take_ticket("pension")
    assert again is not None
    done = await site.kiosk.end_of(again, 20)
    assert done is not None and done.stage == "done"


async def test_killed_parts_come_back_and_go_on(site: HallSite) -> None:
    for name in ("counter-1", "hall", "broker"):
        part = site.parts[name]
        starts = part.starts
        part.kill()
        await part.wait_ready(30, starts=starts + 1)
    await site.wait_ready()
    request = None
    async with asyncio.timeout(30):
        while True:
            await until(lambda: site.kiosk.state and site.kiosk.state.online)
            request = site.kiosk.take_ticket("tax")
            end = await site.kiosk.end_of(request, 20) if request is not None else None
            if end is not None and end.stage == "done":
                break
    assert end.number is not None and site.numbers[-1] == end.number


async def test_a_kiosk_killed_in_the_middle_of_a_paper_gives_the_wish_no_second_number(
    site: HallSite,
) -> None:
    kiosk, part = site.kiosk, site.parts["kiosk-1"]
    await until(lambda: kiosk.state and kiosk.state.online)
    wish = TakeTicket(request="killed-in-the-middle", service="tax")
    assert kiosk.send(wish)

    def told(*stages: str) -> TicketProgress | None:
        progress = kiosk.progress(wish.request)
        return progress if progress is not None and progress.stage in stages else None

    await until(lambda: told("printing"))
    number, starts = getattr(told("printing"), "number", None), part.starts
    part.kill()
    await part.wait_ready(30, starts=starts + 1)
    await until(lambda: kiosk.connected and kiosk.state)
    assert kiosk.send(wish), "as the kiosk's program says it again"
    await until(lambda: told("done"))
    end = told("done")
    assert end is not None
    assert (end.number, end.paper, end.code) == (number, "unknown", "ticket.interrupted")
    await site.wait_ready()


async def test_every_way_to_misbehave_can_be_mended(site: HallSite) -> None:
    for name in site.devices:
        for way in ways(site, name):
            misbehave(site, name, way.key)
            await asyncio.sleep(0.03)
            if way.is_on is not None and way.is_on(site, name):
                misbehave(site, name, way.key)
                await until(lambda way=way, name=name: not way.is_on(site, name))
    await site.wait_devices(timeout=40)


async def test_the_demo_ends_cleanly_on_ctrl_c_and_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "paihao.py"),
        "demo",
        "--folder",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert demo.stdout is not None
    async with asyncio.timeout(60):
        line = await demo.stdout.readline()
    assert b"http://127.0.0.1:" in line
    assert len(processes_of(folder)) >= 8
    demo.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        _, errors = await demo.communicate()
    assert (demo.returncode, errors) == (0, b"")
    assert processes_of(folder) == []


async def test_a_killed_demo_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "paihao.py"),
        "demo",
        "--folder",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
    )
    assert demo.stdout is not None
    async with asyncio.timeout(60):
        await demo.stdout.readline()
    demo.kill()
    await demo.wait()
    await until(lambda: not processes_of(folder))
