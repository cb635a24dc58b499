"""Displays on Modbus RTU: frames, register layouts, and a server that others wrote."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.call_screen.fake_modbus import FakeModbusDisplay
from drivers.call_screen.modbus_display import ModbusDisplay, ModbusDisplayConfig, registers
from drivers.call_screen.modbus_frames import ModbusAnswers, ModbusFrame, read, write, write_one
from drivers.call_screen.protocol import ScreenText, ShowResult
from drivers.errors import FrameError, NoAnswerError
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig

ADDRESS = 7
ANSWERS = st.one_of(
    st.binary(min_size=2, max_size=20)
    .filter(lambda data: len(data) % 2 == 0)
    .map(lambda data: ModbusFrame(ADDRESS, 3, bytes((len(data),)) + data)),
    st.binary(min_size=4, max_size=4).map(lambda data: ModbusFrame(ADDRESS, 6, data)),
    st.binary(min_size=4, max_size=4).map(lambda data: ModbusFrame(ADDRESS, 16, data)),
    st.integers(1, 8).map(lambda error: ModbusFrame(ADDRESS, 0x90, bytes((error,)))),
)


def test_frames_of_the_specification() -> None:
    """The CRC example of Modbus over Serial Line V1.02, and requests of the protocol's chapters."""
    assert ModbusFrame(2, 7, b"").to_bytes().hex(" ") == "02 07 41 12"
    assert read(0x11, 0x6B, 3).to_bytes().hex(" ") == "11 03 00 6b 00 03 76 87"
    assert write_one(0x11, 1, 3).to_bytes().hex(" ") == "11 06 00 01 00 03 9a 9b"
    assert write(0x11, 1, (10, 258)).to_bytes().hex(" ") == "11 10 00 01 00 02 04 00 0a 01 02 c6 f0"


@given(ANSWERS)
def test_an_answer_is_read_as_it_was_written(frame: ModbusFrame) -> None:
    whole = frame.to_bytes()
    assert ModbusFrame.from_bytes(whole) == frame
    for end in range(len(whole)):
        assert ModbusAnswers(ADDRESS).feed(whole[:end]) == []
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            ModbusFrame.from_bytes(bytes(flipped))


@given(st.lists(ANSWERS, min_size=1, max_size=4), st.integers(1, 5))
def test_answers_come_out_of_any_pieces(frames: list[ModbusFrame], piece: int) -> None:
    stream = b"".join(frame.to_bytes() for frame in frames)
    reader = ModbusAnswers(ADDRESS)
    assert [f for at in range(0, len(stream), piece) for f in reader.feed(stream[at : at + piece])] == frames


@given(st.binary(max_size=30).map(lambda noise: noise.translate(None, bytes((ADDRESS,)))), ANSWERS)
def test_noise_and_the_answers_of_others_are_passed_over(noise: bytes, frame: ModbusFrame) -> None:
    other = ModbusFrame(ADDRESS + 1, frame.function, frame.data.replace(bytes((ADDRESS,)), b"\0"))
    stream = noise + other.to_bytes().replace(bytes((ADDRESS,)), b"\1") + frame.to_bytes()
    assert ModbusAnswers(ADDRESS).feed(stream)[-1:] == [frame]


def config(**more: Any) -> ModbusDisplayConfig:
    return ModbusDisplayConfig(transport=SerialConfig(path="/x"), address=ADDRESS, **more)


def test_a_text_in_registers() -> None:
    _, values, _, changed = registers(ScreenText("A05窗"), config(registers=8))
    assert not changed and len(values) == 8
    assert values[:3] == (0x4130, 0x35B4, 0xB020) and set(values[3:]) == {0x2020}
    _, values, _, _ = registers(ScreenText("A05窗"), config(registers=8, low_first=True, fill=0))
    assert values[:4] == (0x3041, 0xB435, 0x00B0, 0)


def test_colour_length_motion_and_apply() -> None:
    layout = msgspec.convert(
        {
            "transport": {"type": "serial", "path": "/x"},
            "width": 8, "text": 100, "registers": 16, "length": 99,
            "colour": {"register": 90, "green": 7}, "flashes": {"register": 91, "on": 2},
            "scrolls": {"register": 92, "on": 4, "off": 1}, "apply": {"register": 200, "value": 9},
        },
        ModbusDisplayConfig,
    )  # fmt: skip
    before, _, after, _ = registers(ScreenText("A005", "green", flash=True), layout)
    assert before == {90: 7, 91: 2, 92: 1, 99: 4} and after == {200: 9}
    before, _, _, _ = registers(ScreenText("请A005到3号窗口"), layout)
    assert before == {90: 1, 91: 0, 92: 4, 99: 15}


def test_two_lines_are_filled_to_the_width() -> None:
    _, values, _, _ = registers(ScreenText("A005\n3号窗口"), config(width=8, lines=2, registers=8))
    assert b"".join(value.to_bytes(2, "big") for value in values).decode("gb2312") == "A005    3号窗口 "


@pytest.mark.parametrize(
    "wrong",
    [{"text": 65530, "registers": 10}, {"registers": 7}, {"brightness": 3}, {"address": 0}],
)
def test_a_layout_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"transport": {"type": "serial", "path": "/x"}, **wrong}, ModbusDisplayConfig)


# ---------------------------------------------------------------- on a line


class Rig:
    def __init__(self, folder: Path, **more: Any) -> None:
        self.fake = FakeModbusDisplay(address=ADDRESS, registers=32)
        self.line = PtyLine(self.fake, folder / "tty")
        transport = SerialConfig(path=str(self.line.path), baud=115200)
        self.driver = ModbusDisplay(
            ModbusDisplayConfig(
                transport=transport, address=ADDRESS, answer_s=0.2, retries=1, min_interval_s=0.0, **more
            )
        )

    async def __aenter__(self) -> Rig:
        await self.line.plug()
        await self.driver.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.driver.close()
        await self.line.unplug()


async def test_a_text_is_shown_and_only_changes_are_written(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        assert await rig.driver.show(ScreenText("请A005到3号窗口")) == ShowResult("done")
        assert rig.fake.text == "请A005到3号窗口" and rig.fake.writes == 1


async def test_one_register_at_a_time(tmp_path: Path) -> None:
    async with Rig(tmp_path, one_by_one=True) as rig:
        assert await rig.driver.show(ScreenText("A005")) == ShowResult("done")
        assert rig.fake.text == "A005" and rig.fake.writes == 32
        assert await rig.driver.show(ScreenText("A006")) == ShowResult("done")
        assert rig.fake.text == "A006" and rig.fake.writes == 33


async def test_a_display_that_lost_its_power_gets_its_text_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModbusDisplay, "PING_S", 0.02)
    async with Rig(tmp_path) as rig:
        serving = asyncio.create_task(rig.driver.serve())
        await rig.driver.show(ScreenText("A005"))
        changed = asyncio.Event()
        rig.fake.lose_power()
        rig.fake.on_change = changed.set
        async with asyncio.timeout(10):
            await changed.wait()
        assert rig.fake.text == "A005"
        serving.cancel()


async def test_a_register_that_is_not_there_is_a_wrong_model(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        rig.fake.broken_at = {31}
        assert await rig.driver.show(ScreenText("A005")) == ShowResult("failed", "screen.refused_model")
        assert rig.driver.health.state == "fault"


async def test_a_spoiled_answer_is_asked_for_again_and_silence_is_no_answer(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        rig.fake.bad_crc = 1
        assert await rig.driver.show(ScreenText("A005")) == ShowResult("done")
        rig.fake.silent = True
        assert await rig.driver.show(ScreenText("A006")) == ShowResult("failed", "screen.no_answer")
        with pytest.raises(NoAnswerError):
            await rig.driver.serve()


# ---------------------------------------------------------------- a server that others wrote


@pytest.fixture
async def pymodbus_server() -> AsyncIterator[int]:
    from pymodbus import FramerType
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    display = SimDevice(id=ADDRESS, simdata=[SimData(0, count=200, values=0, datatype=DataType.REGISTERS)])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = ModbusTcpServer(display, framer=FramerType.RTU, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    yield port
    await server.shutdown()


async def test_pymodbus_as_the_display(pymodbus_server: int) -> None:
    from pymodbus import FramerType
    from pymodbus.client import AsyncModbusTcpClient

    driver = ModbusDisplay(
        msgspec.convert(
            {
                "transport": {"type": "tcp", "host": "127.0.0.1", "port": pymodbus_server},
                "address": ADDRESS, "text": 10, "registers": 16, "length": 9,
                "brightness_register": {"register": 5, "top": 100}, "brightness": 15,
            },
            ModbusDisplayConfig,
        )
    )  # fmt: skip
    await driver.open()
    try:
        assert await driver.show(ScreenText("请A005到3号窗口")) == ShowResult("done")
    finally:
        await driver.close()
    async with AsyncModbusTcpClient("127.0.0.1", port=pymodbus_server, framer=FramerType.RTU) as client:
        held = (await client.read_holding_registers(0, count=26, device_id=ADDRESS)).registers
    text = "请A005到3号窗口".encode("gb2312")
    assert b"".join(value.to_bytes(2, "big") for value in held[10:26]) == text.ljust(32)
    assert held[9] == len(text) and held[5] == 100
