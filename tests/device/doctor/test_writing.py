"""`doctor write`: a profile that the agent takes, for every station, which keeps what a technician edited."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device.doctor.naming import as_named
from device.doctor.report import Answer, Found, Report, Row
from device.doctor.writing import ROLES, StationKind, profile_text, store, udev_line
from device.profile import load_profile
from drivers.ticket_printer.fake import FakeEscposPrinter
from wire.checked_toml import TomlProblems


def serial(port: str, device: str, driver: str, **options: Any) -> Row:
    path = f"/dev/paihao/serial-{port}"
    found = Found(key=f"serial {port}", kind="serial", name="CH340", path=path, stable=path, port=port)
    transport = {"type": "serial", "path": path, "baud": 9600}
    return Row(
        found=found,
        answer=Answer(
            confidence="sure", device=device, driver=driver, options=options | {"transport": transport}
        ),
        state="ok",
    )


def named(kind: Any, what: str, path: str, port: str | None = None) -> Row:
    found = Found(key=f"{kind} {path}", kind=kind, name="x", path=path, what=what, port=port)
    return Row(found=found, answer=as_named(found), state="ok")


def report(*rows: Row) -> Report:
    return Report(at=datetime.now(UTC), machine="", profile=None, rows=rows, missing=(), status=0)


PRINTER = serial("1-1.1", "ticket_printer", "escpos")
STRIP = serial("1-1.2", "call_screen", "onbon_bx", family="k")
CALL = serial("1-1.3", "keypad", "serial_keypad", format="call-keypad", address=1)
RATING = serial("1-1.4", "keypad", "serial_keypad", format="rating-keypad", address=1)
CARD = serial("1-1.5", "card_reader", "sam_reader")
KIOSK_PRINTER = serial("1-1.1", "ticket_printer", "kiosk_printer", model="vkp80ii")
SCANNER = named("input", "scanner", "/dev/input/event3", "1-1.6")
PAD = named("input", "keypad", "/dev/input/event4", "1-1.7")
SOUND = named("sound", "loudspeaker", "plughw:CARD=Headphones")
MODBUS = Row(
    found=STRIP.found,
    answer=Answer(
        confidence="likely", device="call_screen", driver="modbus_display", code="doctor.modbus_unsure"
    ),
)

CASES: list[tuple[StationKind, tuple[Row, ...], dict[str, str]]] = [
    ("kiosk", (PRINTER, CARD), {"printer": "escpos", "card-reader": "sam_reader"}),
    ("kiosk", (KIOSK_PRINTER, SCANNER), {"printer": "kiosk_printer", "scanner": "scanner"}),
    ("kiosk", (), {"printer": "escpos"}),
    (
        "counter",
        (STRIP, RATING, CALL),
        {"strip": "onbon_bx", "call-keypad": "serial_keypad", "rating-keypad": "serial_keypad"},
    ),
    ("counter", (RATING, PAD), {"call-keypad": "evdev_keypad", "rating-keypad": "serial_keypad"}),
    ("counter", (MODBUS,), {}),
    ("board", (SOUND,), {"voice": "speaker"}),
    ("board", (), {}),
]


@pytest.mark.parametrize(("station", "rows", "devices"), CASES)
def test_what_is_written_can_be_run(
    station: StationKind, rows: tuple[Row, ...], devices: dict[str, str], tmp_path: Path
) -> None:
    written = profile_text(report(*rows), station, "hall-1", f"{station}-3")
    file = tmp_path / "node.toml"
    file.write_text(written.text, "utf-8")
    profile = load_profile(file)
    assert {device.id: device.driver_name for device in profile.devices} == devices
    assert profile.profile.node == f"{station}-3"
    (made,) = profile.profile.station
    for role in ROLES[station]:
        assert getattr(made, role.field) == (role.device if role.device in devices else None)
    assert {*written.found, *written.missing, *written.optional} == {role.device for role in ROLES[station]}
    assert "#" in written.text and any("一" <= char <= "鿿" for char in written.text)


def test_what_the_device_cannot_say_is_written_with_a_comment_in_both_languages() -> None:
    text = profile_text(report(PRINTER), "kiosk", "hall-1", "kiosk-1").text
    assert "# 80 mm 纸为 48，58 mm 纸为 32 · 48 for 80 mm paper, 32 for 58 mm\ncolumns = 48" in text


def test_an_edited_profile_keeps_its_edits_and_gets_the_new_places(tmp_path: Path) -> None:
    before = {
        "hall": "hall-1",
        "node": "counter-1",
        "timezone": "Asia/Urumqi",
        "storage": "/data/agent.db",
        "broker": {"host": "10.0.0.2", "port": 1883},
        "device": [
            {
                "id": "strip",
                "driver": "onbon_bx",
                "options": {"width_px": 256, "transport": {"type": "serial", "path": "/dev/ttyS9"}},
            },
            {"id": "my-lamp", "driver": "speaker", "options": {"output": {"type": "command"}}},
        ],
        "station": [{"kind": "counter", "id": "c", "counter": "7", "call_screen": "strip", "language": "en"}],
    }
    file = tmp_path / "node.toml"
    file.write_text(profile_text(report(STRIP, CALL), "counter", "hall-1", "counter-1", before).text, "utf-8")
    profile = load_profile(file).profile
    assert (profile.timezone, profile.broker.host, profile.storage) == (
        "Asia/Urumqi",
        "10.0.0.2",
        "/data/agent.db",
    )
    strip = profile.device[0].options
    assert strip["width_px"] == 256 and strip["transport"]["path"] == "/dev/paihao/serial-1-1.2"
    assert [entry.id for entry in profile.device] == ["strip", "call-keypad", "my-lamp"]
    (station,) = profile.station
    assert (station.id, getattr(station, "counter", ""), getattr(station, "language", "")) == ("c", "7", "en")


def test_a_device_that_does_not_answer_today_is_kept() -> None:
    options = {"transport": {"type": "serial", "path": "/dev/paihao/strip"}}
    before = {"device": [{"id": "strip", "driver": "onbon_bx", "options": options}]}
    written = profile_text(report(), "counter", "hall-1", "counter-1", before)
    assert 'call_screen = "strip"' in written.text and "/dev/paihao/strip" in written.text
    assert "strip" in written.missing


def test_ids_that_are_none_are_refused() -> None:
    with pytest.raises(TomlProblems):
        profile_text(report(PRINTER), "kiosk", "Hall 1", "kiosk-1")


def test_a_file_is_never_overwritten_unasked_and_the_earlier_one_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    assert store(file, "one", force=False, stamp="s") == (file, None)
    beside, _ = store(file, "two", force=False, stamp="s")
    assert (file.read_text(), beside.name, beside.read_text()) == ("one", "node.toml.new", "two")
    target, backup = store(file, "three", force=True, stamp="20261122")
    assert target == file and backup is not None
    assert (file.read_text(), backup.name, backup.read_text()) == ("three", "node.toml.20261122", "one")


def test_the_udev_line_names_the_port_by_its_role() -> None:
    assert udev_line(STRIP.found, "strip") == (
        'SUBSYSTEM=="tty", ENV{PAIHAO_PORT}=="1-1.2", SYMLINK+="paihao/strip"'
    )
    assert 'KERNEL=="event*"' in str(udev_line(PAD.found, "keypad"))
    assert udev_line(SOUND.found, "voice") is None


async def test_the_command_writes_what_answers_now(machine: Any, baud_line: Any, doctor: Any) -> None:
    line = baud_line(FakeEscposPrinter(), machine.adapter("1-1.1", "ttyUSB0"), 115200)
    await line.plug()
    file = machine.folder / "node.toml"
    words = ["write", "--station", "kiosk", "--hall", "h", "--node", "k", "--output", str(file)]
    try:
        status, said = await doctor(*words)
        assert status == 1, "no card reader"
        again, _ = await doctor(*words)
        assert again == 1 and file.with_name("node.toml.new").exists()
        forced, told = await doctor(*words, "--force")
        assert forced == 1 and "kept as" in told
    finally:
        await line.unplug()
    assert load_profile(file).profile.device[0].options["transport"]["baud"] == 115200
    assert "printer" in said and 'SYMLINK+="paihao/printer"' in said


async def test_wrong_ids_are_wrong_usage(doctor: Any, machine: Any) -> None:
    file = machine.folder / "node.toml"
    words = ["write", "--station", "board", "--hall", "Big Hall", "--node", "b", "--output", str(file)]
    status, said = await doctor(*words)
    assert status == 2 and "hall" in said and not file.exists()


def test_a_hall_without_lights_and_scanners_misses_nothing() -> None:
    written = profile_text(report(), "counter", "hall-1", "counter-3")
    assert written.optional == ("light",)
    assert written.missing == ("strip", "call-keypad", "rating-keypad")


def test_a_file_that_is_replaced_is_there_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "node.toml"
    file.write_text("earlier")

    def fails(self: Path, target: Path) -> Path:
        raise OSError("no power")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="no power"):
        store(file, "later", force=True, stamp="now")
    assert file.read_text() == "earlier"
