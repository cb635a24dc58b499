"""Buttons on a Modbus module, which a program of others (pymodbus) is: polls, presses and lamps."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.checksums import checksum
from drivers.keypad.frames import KeyFrame, Layout
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.tcp import TcpConfig

PATIENCE_S = 20.0
ADDRESS = 7


class Module:
    """Eight inputs and eight coils in pymodbus' server."""

    def __init__(self) -> None:
        self.inputs = 0
        self.coils: list[bool] = []
        self.port = 0
        self.changed = asyncio.Event()

    async def action(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: Any
    ) -> None:
        if function == 2:
            registers[0] = self.inputs
        elif function == 15:
            self.coils = [bool(value) for value in values]
            self.changed.set()


@pytest.fixture
async def module() -> AsyncIterator[Module]:
    from pymodbus import FramerType
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    made = Module()
    blocks = [SimData(0, count=4, values=0, datatype=DataType.REGISTERS)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made.port = free.getsockname()[1]
    server = ModbusTcpServer(
        SimDevice(id=ADDRESS, simdata=blocks, action=made.action),
        framer=FramerType.RTU,
        address=("127.0.0.1", made.port),
    )
    await server.serve_forever(background=True)
    yield made
    await server.shutdown()


async def test_pymodbus_as_the_buttons(module: Module) -> None:
    keypad = SerialKeypad(
        SerialKeypadConfig(
            transport=TcpConfig(host="127.0.0.1", port=module.port),
            format="modbus-buttons",
            address=ADDRESS,
            debounce_ms=60,
            lost_after_s=10,
        )
    )
    await keypad.open()
    serving = asyncio.create_task(keypad.serve())
    try:
        async with asyncio.timeout(PATIENCE_S):
            for bit, key in ((0, "next"), (3, "finish"), (7, "open")):
                module.inputs = 1 << bit
                assert (await keypad.next_key()).key == key
                module.inputs = 0
            await keypad.light("recall", "open")
            while module.coils != [bit in (1, 7) for bit in range(8)]:
                module.changed.clear()
                await module.changed.wait()
            module.inputs = 2
            assert (await keypad.next_key()).key == "recall", "the module's answer to the lamps was no harm"
        assert keypad.health.state == "ok"
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        await keypad.close()


@given(st.binary(min_size=1, max_size=60))
def test_the_crc_is_that_of_pymodbus(data: bytes) -> None:
    from pymodbus.framer.rtu import FramerRTU

    assert checksum("crc16", data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


def test_the_answer_of_the_specification() -> None:
    """Modbus Application Protocol V1.1b3, 6.2: function 02, one byte of inputs."""
    layout = Layout.of(load_format("modbus-buttons"))
    frame = KeyFrame(b"\x04", 1).to_bytes(layout)
    assert frame[:4] == bytes.fromhex("01 02 01 04")
    assert KeyFrame.from_bytes(frame, layout).payload == b"\x04"
