"""`doctor test`: each class through its real driver on a line, to a clear verdict with a code."""

from __future__ import annotations

import asyncio
import fcntl
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from device.doctor import trying
from device.doctor.trying import KINDS, Person, Verdict, key_names, try_device
from drivers.call_screen.fake import FakeOnbonCard
from drivers.card_reader.fake import FakeSamReader, synthetic_cards
from drivers.keypad.fake import FakeSerialKeypad
from drivers.light.fake import FakeLcus
from drivers.table import build, config_type, driver_class
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.transport.fake import FakeDevice, PtyLine
from drivers.voice.fake import FakeLoudspeaker
from wire.checked_toml import convert
from wire.texts import text

Plug = Callable[[FakeDevice], Awaitable[PtyLine]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "_SCREEN_PAUSE_S", 0.0)
    monkeypatch.setattr(trying, "_LIGHT_S", 0.05)
    monkeypatch.setattr(trying, "_READY_S", 2.0)


@pytest.fixture
async def plug(tmp_path: Path) -> AsyncIterator[Plug]:
    lines: list[PtyLine] = []

    async def plug_(device: FakeDevice) -> PtyLine:
        lines.append(PtyLine(device, tmp_path / f"tty{len(lines)}"))
        await lines[-1].plug()
        return lines[-1]

    yield plug_
    for line in lines:
        await line.unplug()


def a_person(said: list[str], answer: bool | None = None) -> Person:
    async def ask(question: str, timeout: float) -> bool | None:
        said.append(question)
        return answer

    return Person("en", said.append, ask if answer is not None else None)


async def verdict_on(
    name: str, options: dict[str, Any], *, timeout: float = 20.0, person: Person | None = None
) -> Verdict:
    driver = driver_class(name)
    config = convert(options, config_type(driver))
    return await try_device(build(driver, config), config, name, person or a_person([]), timeout)


def at(line: PtyLine, baud: int = 9600) -> dict[str, Any]:
    return {"type": "serial", "path": str(line.path), "baud": baud}


async def test_a_printer_prints_one_ticket_and_proves_it(plug: Plug) -> None:
    printer = FakeEscposPrinter()
    line = await plug(printer)
    verdict = await verdict_on("escpos", {"transport": at(line), "start_slip": False})
    assert (verdict.outcome, verdict.code, verdict.status) == ("passed", "doctor.test_printed", 0)
    tickets = [ticket for ticket in printer.tickets if "TEST" in ticket.text]
    assert len(tickets) == 1 and tickets[0].whole
    assert "For testing only" in tickets[0].text
    assert verdict.proved["paper"] == "ok"


async def test_a_printer_without_paper_fails_with_its_code(plug: Plug) -> None:
    printer = FakeEscposPrinter()
    printer.paper_out()
    line = await plug(printer)
    verdict = await verdict_on("escpos", {"transport": at(line)})
    assert (verdict.outcome, verdict.code, verdict.status) == ("failed", "printer.paper_out", 1)
    assert not printer.tickets


async def test_a_printer_that_cannot_prove_it_asks_the_person(plug: Plug) -> None:
    line = await plug(FakeEscposPrinter())
    options = {"transport": at(line), "status": "none"}
    assert (await verdict_on("escpos", options)).outcome == "unclear", "nobody is there"
    said: list[str] = []
    verdict = await verdict_on("escpos", options, person=a_person(said, True))
    assert (verdict.outcome, verdict.code) == ("passed", "doctor.test_seen")
    assert text("doctor.ask_printed", "en") in said
    verdict = await verdict_on("escpos", options, person=a_person([], False))
    assert (verdict.outcome, verdict.code) == ("failed", "doctor.test_not_printed")


async def test_a_screen_shows_every_colour_and_flashes(plug: Plug) -> None:
    card = FakeOnbonCard(width=128)
    seen: set[str] = set()
    card.on_change = lambda: seen.add(card.colour)
    line = await plug(card)
    options = {"transport": at(line), "min_interval_s": 0.0}
    verdict = await verdict_on("onbon_bx", options)
    assert (verdict.outcome, verdict.proved["shown"]) == ("passed", 4)
    assert {"red", "green", "yellow"} <= seen
    verdict = await verdict_on("onbon_bx", options, person=a_person([], False))
    assert verdict.code == "doctor.test_not_shown", "it answers, and somebody sees nothing"


async def test_every_key_is_ticked_off_and_what_is_left_is_said(plug: Plug) -> None:
    keypad = FakeSerialKeypad("rating-keypad")
    line = await plug(keypad)
    said: list[str] = []
    person = a_person(said)
    options = {"transport": at(line), "format": "rating-keypad"}

    async def press(*keys: str) -> None:
        for key in keys:
            async with asyncio.timeout(20):
                while not any(line.startswith("Press:") and key in line for line in said[-1:]):
                    await asyncio.sleep(0.01)
            keypad.press(key)

    pressing = asyncio.create_task(press("3", "1", "2", "4", "5"))
    verdict = await verdict_on("serial_keypad", options, person=person)
    await pressing
    assert (verdict.outcome, verdict.proved["pressed"]) == ("passed", "1 2 3 4 5")
    assert [line for line in said if "✓" in line] == [f"  ✓ {key}" for key in "31245"]
    assert keypad.thanks == 1 and not keypad.prompting and not keypad.lights

    said.clear()
    pressing = asyncio.create_task(press("2"))
    verdict = await verdict_on("serial_keypad", options, person=person, timeout=1.5)
    await pressing
    assert (verdict.code, verdict.proved["left"]) == ("doctor.test_keys_left", "1 3 4 5")
    verdict = await verdict_on("serial_keypad", options, timeout=0.3)
    assert verdict.code == "doctor.test_no_key"


async def test_a_card_is_shown_masked_and_nowhere_else(plug: Plug, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    card = synthetic_cards()[0]
    reader = FakeSamReader()
    reader.lay(card)
    line = await plug(reader)
    said: list[str] = []
    verdict = await verdict_on("sam_reader", {"transport": at(line, 115200)}, person=a_person(said))
    assert (verdict.outcome, verdict.code) == ("passed", "doctor.test_read")
    everything = repr(verdict) + "".join(said) + caplog.text
    assert "*" in str(verdict.proved["number"])
    for secret in (card.number, card.name):
        assert secret not in everything


async def test_without_a_card_the_reader_is_there_and_nothing_is_read(plug: Plug) -> None:
    line = await plug(FakeSamReader())
    verdict = await verdict_on("sam_reader", {"transport": at(line, 115200)}, timeout=0.8)
    assert verdict.code == "doctor.test_no_card"


async def test_a_call_is_spoken_to_its_last_sample() -> None:
    loudspeaker = FakeLoudspeaker(speed=100.0)
    await loudspeaker.plug()
    try:
        output = {"type": "tcp", "host": "127.0.0.1", "port": loudspeaker.port}
        verdict = await verdict_on("speaker", {"output": output}, timeout=60.0)
        assert (verdict.outcome, verdict.code) == ("passed", "doctor.test_spoken")
        assert loudspeaker.count == 1
    finally:
        await loudspeaker.unplug()


async def test_a_light_flashes_and_is_dark_again(plug: Plug) -> None:
    board = FakeLcus()
    line = await plug(board)
    options = {"transport": at(line), "format": "lcus", "lamps": {"beacon": 1}}
    verdict = await verdict_on("serial_light", options)
    assert verdict.outcome == "passed", verdict
    assert board.switched and board.lamps[1] == "off"


@pytest.mark.parametrize("kind", ["escpos", "onbon_bx", "sam_reader", "serial_keypad"])
async def test_a_device_that_is_not_there_fails_with_a_code_that_has_a_text(
    kind: str, tmp_path: Path
) -> None:
    transport = {"type": "serial", "path": str(tmp_path / "none")}
    verdict = await verdict_on(kind, {"transport": transport})
    assert (verdict.outcome, verdict.code) == ("failed", "device.unplugged")
    assert text(verdict.code, "en") != verdict.code


async def test_a_line_that_is_pulled_ends_in_a_verdict(plug: Plug) -> None:
    line = await plug(FakeSerialKeypad("call-keypad"))
    trial = asyncio.create_task(verdict_on("serial_keypad", {"transport": at(line)}, timeout=30.0))
    await asyncio.sleep(0.2)
    await line.unplug()
    assert (await trial).code == "device.unplugged"


async def test_ctrl_c_lets_go_of_the_line(plug: Plug) -> None:
    keypad = FakeSerialKeypad("rating-keypad")
    line = await plug(keypad)
    said: list[str] = []
    options = {"transport": at(line), "format": "rating-keypad"}
    trial = asyncio.create_task(verdict_on("serial_keypad", options, person=a_person(said)))
    while not said:
        await asyncio.sleep(0.01)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    # the port is free for the next, and the keypad does not ask any more
    verdict = await verdict_on("serial_keypad", options, timeout=0.3)
    assert verdict.code == "doctor.test_no_key" and not keypad.prompting


def test_every_kind_of_the_command_is_a_class_that_has_a_driver() -> None:
    from drivers.table import DRIVERS

    kinds = {driver_class(name).kind for name in DRIVERS}
    assert set(KINDS.values()) <= kinds


def test_keys_are_asked_for_once_each() -> None:
    config = convert(
        {"path": "/dev/x", "keys": {"KEY_1": "next", "KEY_KP1": "next", "KEY_2": "recall"}},
        config_type(driver_class("evdev_keypad")),
    )
    assert key_names(config) == ("next", "recall")


# ---------------------------------------------------------------- the program


async def test_the_command_tests_what_answers(machine: Any, baud_line: Any, doctor: Any) -> None:
    printer = FakeEscposPrinter()
    line = baud_line(printer, machine.adapter("1-1.1", "ttyUSB0"), 115200)
    await line.plug()
    try:
        status, said = await doctor("test", "printer", "--json")
    finally:
        await line.unplug()
    verdict = json.loads(said.splitlines()[-1])
    assert (status, verdict["outcome"]) == (0, "passed")
    assert set(verdict["text"]) == {"zh-CN", "en"}
    assert any("TEST" in ticket.text for ticket in printer.tickets)


async def test_the_command_refuses_what_makes_no_sense(doctor: Any) -> None:
    status, said = await doctor("test", "screen", "--driver", "escpos", "--option", "transport.type=file")
    assert status == 2 and "option" in said
    status, said = await doctor("test", "printer", "--driver", "no_such")
    assert status == 2 and "no_such" in said
    status, said = await doctor("test", "screen")
    assert status == 1 and "No such device answers" in said


async def test_a_light_that_is_lost_while_it_flashes_has_not_passed(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "_LIGHT_S", 20.0)
    line = await plug(FakeLcus())

    async def pull() -> None:
        while line.bytes_in == 0:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await line.unplug()

    pulling = asyncio.create_task(pull())
    options = {"transport": at(line), "format": "lcus", "lamps": {"beacon": 1}}
    verdict = await verdict_on("serial_light", options)
    await pulling
    assert (verdict.outcome, verdict.code) == ("failed", "device.unplugged")


async def test_a_muted_voice_has_not_passed() -> None:
    verdict = await verdict_on("speaker", {"output": {"type": "command", "argv": ["cat"]}, "volume": 0})
    assert (verdict.outcome, verdict.code) == ("failed", "voice.muted")


async def test_a_bug_in_a_driver_is_a_verdict(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    line = await plug(FakeEscposPrinter())

    async def fails(self: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(driver_class("escpos"), "open", fails)
    verdict = await verdict_on("escpos", {"transport": at(line)})
    assert (verdict.outcome, verdict.code) == ("failed", "device.fault")


async def test_a_port_of_another_program_is_not_called_unplugged(doctor: Any, plug: Plug) -> None:
    line = await plug(FakeEscposPrinter())
    options = ("transport.type=serial", f"transport.path={line.path}")
    words = [word for option in options for word in ("--option", option)]
    with line.path.open("rb+", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        status, said = await doctor("test", "printer", "--driver", "escpos", *words, "--json")
    assert status == 1 and json.loads(said)["code"] == "doctor.test_held"
    assert line.bytes_in == 0


def test_a_fake_that_runs_as_a_program_is_tested_like_a_device(tmp_path: Path) -> None:
    """As the pages of the devices say it; the fake has its end of the pty open, which is no hindrance."""
    fake = subprocess.Popen(
        [sys.executable, "-m", "drivers.ticket_printer.fake", "--pty", str(tmp_path / "printer")],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert fake.stdout is not None
        assert "FakeEscposPrinter on" in fake.stdout.readline()
        done = subprocess.run(
            [sys.executable, "-m", "paihao", "doctor", "test", "printer", "--driver", "escpos", "--json",
             "--option", "transport.type=serial", "--option", f"transport.path={tmp_path / 'printer'}"],
            text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        said = json.loads(done.stdout)
        assert (said["driver"], said["outcome"], said["code"]) == ("escpos", "passed", "doctor.test_printed")
    finally:
        fake.terminate()
        fake.communicate(timeout=20)
