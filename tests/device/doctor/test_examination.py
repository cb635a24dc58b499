"""The doctor on ptys and sockets: what answers, at which rate, what is missing, what to do."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.doctor import opening, probing
from device.doctor.examination import Examination
from device.doctor.probing import Patience, listen, probe_host
from device.doctor.report import Answer, Found, Report, Row, as_json, json_schema
from device.doctor.table import as_lines, as_table, todo
from device.doctor.watching import watch
from device.profile import load_profile
from drivers.call_screen.fake import FakeOnbonCard
from drivers.card_reader.fake import FakeSamReader
from drivers.keypad.fake import FakeSerialKeypad
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine
from drivers.transport.fake_udp import UdpLine
from wire.texts import text

QUICK = Patience(bauds=(115200, 9600))
SILENT = Patience(0.2, bauds=(9600,))
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def plug(machine: Any, baud_line: Any) -> AsyncIterator[Callable[..., Any]]:
    """Plug a fake into a USB port, as an adapter at the fake's baud rate."""
    lines: list[Line] = []

    async def plug_(port: str, tty: str, device: FakeDevice, baud: int) -> Line:
        line = baud_line(device, machine.adapter(port, tty), baud)
        await line.plug()
        lines.append(line)
        return line

    yield plug_
    for line in lines:
        await line.unplug()


def examine(machine: Any, **options: Any) -> Examination:
    return Examination(roots=machine.roots, patience=options.pop("patience", QUICK), **options)


def row_at(report: Report, port: str) -> Row:
    (row,) = [row for row in report.rows if row.found.port == port]
    return row


def answer_at(report: Report, port: str) -> Answer:
    answer = row_at(report, port).answer
    assert answer is not None
    return answer


async def test_a_whole_counter_and_kiosk_are_named_each_at_its_own_rate(machine: Any, plug: Any) -> None:
    await plug("1-1.1", "ttyUSB0", FakeEscposPrinter(), 9600)
    await plug("1-1.2", "ttyUSB1", FakeOnbonCard(family="6e"), 9600)
    await plug("1-1.3", "ttyUSB2", FakeSerialKeypad("call-keypad-display"), 9600)
    await plug("1-1.5", "ttyUSB3", FakeSamReader(), 115200)
    report = await examine(machine).look()
    answers = {port: answer_at(report, port) for port in ("1-1.1", "1-1.2", "1-1.3", "1-1.5")}
    assert {port: (a.driver, a.settings, a.confidence) for port, a in answers.items()} == {
        "1-1.1": ("escpos", "9600 8N1", "sure"),
        "1-1.2": ("onbon_bx", "9600 8N1", "sure"),
        "1-1.3": ("serial_keypad", "9600 8N1", "sure"),
        "1-1.5": ("sam_reader", "115200 8N1", "sure"),
    }
    transport = answers["1-1.1"].options["transport"]
    assert transport["path"] == str(machine.folder / "dev/paihao/serial-1-1.1"), "a name that stays"
    assert answers["1-1.3"].options["format"] == "call-keypad-display"
    assert report.status == 0 or answers["1-1.2"].code == "doctor.family_unsure"


@pytest.mark.parametrize(
    ("trouble", "code"), [("paper_out", "printer.paper_out"), ("open_cover", "printer.cover_open")]
)
async def test_a_printer_in_trouble_is_found_and_its_fault_is_told(
    machine: Any, plug: Any, trouble: str, code: str
) -> None:
    printer = FakeEscposPrinter()
    getattr(printer, trouble)()
    await plug("1-1.1", "ttyUSB0", printer, 115200)
    report = await examine(machine).look()
    assert answer_at(report, "1-1.1").code == code
    assert row_at(report, "1-1.1").state == "attention"
    assert report.status == 1
    assert "·" in todo(row_at(report, "1-1.1"), "zh-CN")


async def test_a_line_that_answers_nothing_is_silent_and_says_what_to_check(machine: Any, plug: Any) -> None:
    await plug("1-1.4", "ttyUSB0", FakeSerialKeypad("call-keypad"), 9600)
    report = await examine(machine, patience=SILENT).look()
    row = row_at(report, "1-1.4")
    assert row.state == "silent"
    assert [said.code for said in row.todo] == ["doctor.silent_serial"]
    assert report.status == 0, "without a profile nobody misses it"


async def test_a_port_that_another_program_locked_is_in_use_and_not_unplugged(
    machine: Any, plug: Any
) -> None:
    line = await plug("1-1.4", "ttyUSB0", FakeEscposPrinter(), 115200)
    with line.path.open("rb+", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        report = await examine(machine, patience=SILENT).look()
    row = row_at(report, "1-1.4")
    assert (row.state, [said.code for said in row.todo]) == ("in_use", ["doctor.test_held"])
    assert line.bytes_in == 0


async def test_a_port_that_never_opens_does_not_stop_the_others(
    machine: Any, plug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plug("1-1.1", "ttyUSB0", FakeEscposPrinter(), 115200)
    await plug("1-1.2", "ttyUSB1", FakeEscposPrinter(), 115200)
    let_go = threading.Event()
    real = opening._blocking_try

    def hung(path: str) -> str | None:
        return str(let_go.wait(60)) if path.endswith("ttyUSB0") else real(path)

    monkeypatch.setattr(opening, "_blocking_try", hung)
    monkeypatch.setattr(opening, "OPEN_S", 2.0)
    try:
        report = await examine(machine).look()
        assert [said.code for said in row_at(report, "1-1.1").todo] == ["doctor.open_hangs"]
        assert answer_at(report, "1-1.2").driver == "escpos"
        assert await opening.hindrance(str(machine.folder / "dev/ttyUSB0")) == "doctor.open_hangs"
    finally:
        let_go.set()


async def test_another_device_in_the_same_look_is_asked_and_let_go_of(machine: Any, plug: Any) -> None:
    """Unplugged and something else plugged in under its name between two looks."""
    first = await plug("1-1.1", "ttyUSB0", FakeDevice(), 9600)
    examination = examine(machine)
    others = asyncio.all_tasks()
    await examination.refresh()
    (asking,) = asyncio.all_tasks() - others
    await asyncio.sleep(0)
    await first.unplug()
    machine.remove("1-1.1", "ttyUSB0")
    await plug("1-1.2", "ttyUSB0", FakeEscposPrinter(), 115200)
    await examination.refresh()
    await asyncio.wait([asking])  # what was forgotten ends
    assert examination.is_asking, "the new one is being asked"
    report = await examination.look()
    assert answer_at(report, "1-1.2").driver == "escpos"


class Echo(FakeDevice):
    """An adapter that hears itself, with nothing behind it."""

    def received(self, data: bytes) -> None:
        self.send(data)


async def test_an_echo_is_not_taken_for_a_device(machine: Any, plug: Any) -> None:
    await plug("1-1.4", "ttyUSB0", Echo(), 9600)
    report = await examine(machine, patience=Patience(bauds=(9600,))).look()
    row = row_at(report, "1-1.4")
    assert row.state == "silent"
    assert [said.code for said in row.todo] == ["doctor.silent_echo"]


class EchoingCard(FakeOnbonCard):
    """The same adapter with a card behind it."""

    def received(self, data: bytes) -> None:
        self.send(data)
        super().received(data)


async def test_a_card_behind_an_echo_is_found(machine: Any, plug: Any) -> None:
    await plug("1-1.4", "ttyUSB0", EchoingCard(), 9600)
    report = await examine(machine, patience=Patience(bauds=(9600,))).look()
    assert answer_at(report, "1-1.4").driver == "onbon_bx"
    assert "doctor.echo" in [said.code for said in row_at(report, "1-1.4").todo]


@pytest.mark.parametrize("piece", [1, 3])
async def test_answers_in_pieces_are_put_together(machine: Any, plug: Any, piece: int) -> None:
    line = await plug("1-1.2", "ttyUSB1", FakeSamReader(), 115200)
    line.faults.piece = piece
    report = await examine(machine).look()
    assert answer_at(report, "1-1.2").driver == "sam_reader"


async def test_a_port_of_another_program_is_not_touched(machine: Any, plug: Any) -> None:
    line = await plug("1-1.1", "ttyUSB0", FakeEscposPrinter(), 115200)
    machine.put("proc/99/comm", "minicom")
    machine.put("proc/99/cmdline", "minicom\0")
    (machine.folder / "proc/99/fd").mkdir()
    (machine.folder / "proc/99/fd/3").symlink_to(line.path.resolve())
    report = await examine(machine).look()
    row = row_at(report, "1-1.1")
    assert row.state == "in_use" and row.answer is None
    assert line.bytes_in == 0


# ---------------------------------------------------------------- with a profile


def profile_for(machine: Any, devices: str) -> Any:
    file = machine.put(
        "node.toml",
        f"""
hall = "hall-1"
node = "counter-1"
storage = "{machine.folder}/agent.db"
broker = {{ host = "127.0.0.1" }}
{devices}
[[station]]
kind = "counter"
id = "counter-1"
counter = "1"
call_screen = "strip"
""",
    )
    return load_profile(file)


def strip(path: str) -> str:
    transport = f'{{ type = "serial", path = "{path}", baud = 9600 }}'
    return f'[[device]]\nid = "strip"\ndriver = "onbon_bx"\noptions = {{ transport = {transport} }}\n'


async def test_what_the_profile_wants_and_is_not_there_is_missing(machine: Any, plug: Any) -> None:
    profile = profile_for(machine, strip(f"{machine.folder}/dev/paihao/strip"))
    report = await examine(machine, profile=profile).look()
    assert [(m.device, [said.code for said in m.todo]) for m in report.missing] == [
        ("strip", ["doctor.plug_in"])
    ]
    assert report.status == 1


async def test_a_device_in_the_wrong_port_is_seen(machine: Any, plug: Any) -> None:
    await plug("1-1.4", "ttyUSB0", FakeOnbonCard(), 9600)
    profile = profile_for(machine, strip(f"{machine.folder}/dev/paihao/strip"))
    report = await examine(machine, profile=profile).look()
    (missing,) = report.missing
    assert missing.todo[0].code == "doctor.elsewhere"
    assert "serial-1-1.4" in missing.todo[0].values["found"]


async def test_another_device_in_the_right_port_is_seen(machine: Any, plug: Any) -> None:
    await plug("1-1.4", "ttyUSB0", FakeEscposPrinter(), 9600)
    profile = profile_for(machine, strip(f"{machine.folder}/dev/paihao/serial-1-1.4"))
    report = await examine(machine, profile=profile).look()
    row = row_at(report, "1-1.4")
    assert row.profile_device == "strip"
    assert row.todo[0].code == "doctor.other_device"
    assert report.status == 1


async def test_what_a_running_agent_uses_is_not_touched(machine: Any, plug: Any) -> None:
    line = await plug("1-1.4", "ttyUSB0", FakeOnbonCard(), 9600)
    profile = profile_for(machine, strip(f"{machine.folder}/dev/paihao/serial-1-1.4"))
    lock = machine.put("agent.db.lock", "")
    machine.put("proc/locks", f"1: FLOCK  ADVISORY  WRITE 4711 08:01:{lock.stat().st_ino} 0 EOF\n")
    report = await examine(machine, profile=profile).look()
    row = row_at(report, "1-1.4")
    assert (row.state, row.profile_device) == ("in_use", "strip")
    assert row.todo[0].code == "doctor.skip_agent"
    assert line.bytes_in == 0
    assert report.status == 0


# ---------------------------------------------------------------- the network


async def test_a_printer_on_the_network_is_asked_its_own_question_only() -> None:
    printer = TcpLine(FakeEscposPrinter())
    await printer.plug()
    try:
        ((_, answer),) = await probe_host("127.0.0.1", QUICK, [("tcp", printer.port)], "ticket_printer")
        assert (answer.driver, answer.confidence) == ("escpos", "sure")
        assert answer.options["transport"] == {"type": "tcp", "host": "127.0.0.1", "port": printer.port}
        assert isinstance(printer.device, FakeEscposPrinter)
        assert printer.device.worked_bytes == 0, "nothing that could be printed"
    finally:
        await printer.unplug()


@pytest.mark.parametrize(("kind", "line"), [("tcp", TcpLine), ("udp", UdpLine)])
async def test_a_card_on_the_network_is_found(kind: str, line: type[Any]) -> None:
    card = line(FakeOnbonCard(family="k"))
    await card.plug()
    try:
        ((_, answer),) = await probe_host("127.0.0.1", QUICK, [(kind, card.port)])
        assert answer.options["transport"]["type"] == kind
        assert (answer.driver, answer.options["family"]) == ("onbon_bx", "k")
    finally:
        await card.unplug()


async def test_a_host_that_answers_nowhere_is_said_once() -> None:
    line = TcpLine(FakeOnbonCard())
    await line.plug()
    await line.unplug()
    ((found, answer),) = await probe_host("127.0.0.1", QUICK, [("tcp", line.port)])
    assert answer.confidence == "silent" and found.name == "127.0.0.1"


# ---------------------------------------------------------------- listening


@pytest.mark.parametrize(
    ("sent", "driver", "code"),
    [
        (bytes.fromhex("01 05 31 07"), "serial_keypad", None),
        (b"6901234567892\r\n", "scanner", None),
        (bytes.fromhex("fe dc ba 98"), None, "doctor.heard_unknown"),
        (
            b"temperature 21 degrees, humidity 40 percent" * 3 + b"\xff",
            None,
            "doctor.heard_unknown",
        ),
    ],
)
async def test_a_key_that_is_pressed_names_the_keypad(
    sent: bytes, driver: str | None, code: str | None, tmp_path: Path
) -> None:
    device = FakeDevice()
    line = PtyLine(device, tmp_path / "tty")
    await line.plug()
    found = Found(key="serial x", kind="serial", name="", path=str(line.path))
    try:
        listening = asyncio.create_task(listen(found, 1.0))
        while not listening.done():  # what comes before the port is open is lost
            device.send(sent)
            await asyncio.sleep(0.05)
        answer = await listening
        assert answer is not None
        assert (answer.driver, answer.code) == (driver, code)
        if driver == "serial_keypad":
            assert answer.options["address"] == 5
    finally:
        await line.unplug()


# ---------------------------------------------------------------- what people and pages see


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("width", [80, 120])
async def test_the_table_fits_and_says_everything(machine: Any, plug: Any, language: str, width: int) -> None:
    from rich.cells import cell_len
    from rich.console import Console

    printer = FakeEscposPrinter()
    printer.paper_out()
    await plug("1-1.1", "ttyUSB0", printer, 115200)
    await plug("1-1.4", "ttyUSB1", FakeSerialKeypad("call-keypad"), 9600)
    profile = profile_for(machine, strip("/dev/paihao/strip"))
    report = await examine(machine, profile=profile, patience=Patience(0.2, bauds=(115200,))).look()
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(as_table(report, language))
    lines = out.getvalue().splitlines()
    assert max(cell_len(line) for line in lines) <= width
    flat = "".join(out.getvalue().split())
    assert text("printer.paper_out", language).partition(" ")[0] in flat
    assert "strip" in flat
    plain = list(as_lines(report, language))
    assert len(plain) == len(report.rows) + len(report.missing) + 1
    assert all("doctor." not in line for line in plain), "a key without its text"


async def test_json_carries_every_sentence_in_every_language_and_fits_its_schema(
    machine: Any, plug: Any
) -> None:
    await plug("1-1.4", "ttyUSB1", FakeSerialKeypad("call-keypad"), 9600)
    report = await examine(machine, patience=SILENT).look()
    tree = json.loads(as_json(report))
    said = tree["rows"][0]["todo"][0]
    assert set(said["text"]) == {"zh-CN", "en"} and said["code"] == "doctor.silent_serial"
    again = msgspec.json.decode(as_json(report), type=Report)
    assert again == report
    assert tree["schema"] == 1


def test_the_schema_in_the_documentation_is_the_code_s() -> None:
    page = (ROOT / "docs/doctor.md").read_text("utf-8")
    for name, definition in json_schema()["$defs"].items():
        for field in definition["properties"]:
            assert f"`{field}`" in page, f"{name}.{field}"


# ---------------------------------------------------------------- following


async def test_plugging_and_unplugging_shows_within_two_looks(
    machine: Any, plug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.doctor.watching.LOOK_S", 0.02)
    examination = examine(machine)
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    watching = asyncio.create_task(watch(examination, "en", as_json=True))

    async def last() -> Any:
        lines = [line for line in out.getvalue().splitlines() if line]
        return json.loads(lines[-1]) if lines else None

    async def until(condition: Callable[[Any], bool]) -> None:
        async with asyncio.timeout(30):
            while (tree := await last()) is None or not condition(tree):
                await asyncio.sleep(0.02)

    try:
        await until(lambda tree: tree["rows"] == [])
        line = await plug("1-1.1", "ttyUSB0", FakeEscposPrinter(), 115200)
        await until(lambda tree: bool(tree["rows"]) and tree["rows"][0]["answer"] is not None)
        assert (await last())["rows"][0]["answer"]["driver"] == "escpos"
        await line.unplug()
        machine.remove("1-1.1", "ttyUSB0")
        await until(lambda tree: tree["rows"] == [])
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await examination.close()


async def test_a_second_look_asks_only_at_the_rate_that_answered(
    machine: Any, plug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    printer = FakeEscposPrinter()
    await plug("1-1.1", "ttyUSB0", printer, 9600)
    monkeypatch.setattr("device.doctor.examination.ASK_AGAIN_S", 0.0)
    examination = examine(machine)
    await examination.look()
    opened: list[int] = []
    real = probing.transport

    def noted(config: Any) -> Any:
        opened.append(config.baud)
        return real(config)

    monkeypatch.setattr(probing, "transport", noted)
    printer.paper_out()
    report = await examination.look()
    assert opened == [9600]
    assert answer_at(report, "1-1.1").code == "printer.paper_out"


async def test_a_sound_card_of_the_profile_that_is_gone_is_missing(machine: Any) -> None:
    machine.put("proc/asound/cards", " 1 [Device         ]: USB-Audio - USB Audio Device\n")
    (machine.folder / "proc/asound/card1/pcm0p").mkdir(parents=True)
    output = '{ type = "alsa", device = "plughw:CARD=Device" }'
    file = machine.put(
        "node.toml",
        f"""
hall = "hall-1"
node = "board-1"
storage = "{machine.folder}/agent.db"
broker = {{ host = "127.0.0.1" }}
[[device]]
id = "voice"
driver = "speaker"
options = {{ output = {output} }}
[[station]]
kind = "board"
id = "board-1"
voice = "voice"
""",
    )
    profile = load_profile(file)
    report = await examine(machine, profile=profile).look()
    assert [row.profile_device for row in report.rows] == ["voice"] and not report.missing
    machine.put("proc/asound/cards", "--- no soundcards ---\n")
    report = await examine(machine, profile=profile).look()
    assert [missing.device for missing in report.missing] == ["voice"] and report.status == 1


async def test_an_nfc_reader_says_that_it_needs_pcscd(machine: Any) -> None:
    machine.usb("1-1.5", "ffff:0001")
    machine.interface("1-1.5", "0b", "")
    (row,) = (await examine(machine).look()).rows
    assert [said.code for said in row.todo] == ["doctor.needs_pcscd"]


def test_a_reader_that_has_enough_is_no_fault(machine: Any) -> None:
    """As `paihao doctor --json | head -1` where the answer is longer than a pipe."""
    for n in range(300):
        machine.adapter(f"1-{n}", f"ttyUSB{n}")  # without a device file: nothing to ask
    command = f"{sys.executable} paihao.py doctor --json --roots {machine.folder}"
    words = ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_that_has_no_tick_gets_the_rest(machine: Any) -> None:
    machine.put("sys/class/drm/card1-HDMI-A-1/status", "connected\n")
    words = [sys.executable, "paihao.py", "doctor", "--roots", str(machine.folder), "--language", "zh"]
    environment = {**os.environ, "PYTHONIOENCODING": "gbk"}
    machine.put("proc/asound/cards", " 1 [Device         ]: USB-Audio - USB Audio Device\n")
    (machine.folder / "proc/asound/card1/pcm0p").mkdir(parents=True)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "? plughw:CARD=Device" in done.stdout.decode("gbk")


async def test_what_may_not_be_opened_is_not_all_well(machine: Any) -> None:
    machine.adapter("1-1.1", "ttyUSB0")  # and no device file
    report = await examine(machine).look()
    assert (row_at(report, "1-1.1").state, report.status) == ("attention", 1)


async def test_a_line_that_never_stops_sending_ends_in_no_answer(machine: Any, plug: Any) -> None:
    line = await plug("1-1.4", "ttyUSB0", FakeDevice(), 9600)

    async def pour() -> None:
        while True:
            line.device.send(b"GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9\r\n\xff\x00" * 8)
            await asyncio.sleep(0.005)

    pouring = asyncio.create_task(pour())
    try:
        async with asyncio.timeout(60):
            report = await examine(machine, patience=SILENT, listen_s=1.0).look()
    finally:
        pouring.cancel()
    answer = answer_at(report, "1-1.4")
    assert answer.device is None and answer.code in (None, "doctor.heard_unknown")
