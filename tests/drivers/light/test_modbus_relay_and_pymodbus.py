"""The Modbus light against a server that others wrote: pymodbus at the far end of a real serial line."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from pathlib import Path

import msgspec
import pytest

from drivers.light.serial_light import SerialLight, SerialLightConfig

pymodbus = pytest.importorskip("pymodbus")


class Cable:
    """Two ptys joined: what goes in at one end comes out at the other."""

    def __init__(self) -> None:
        self.ends = [pty.openpty(), pty.openpty()]
        self.names = [os.ttyname(slave) for _, slave in self.ends]

    def plug(self) -> None:
        loop = asyncio.get_running_loop()
        for (master, slave), (other, _) in zip(self.ends, reversed(self.ends), strict=True):
            tty.setraw(slave)
            loop.add_reader(master, lambda here=master, there=other: os.write(there, os.read(here, 4096)))

    def unplug(self) -> None:
        for master, slave in self.ends:
            asyncio.get_running_loop().remove_reader(master)
            os.close(master)
            os.close(slave)


async def test_a_server_of_pymodbus_follows_and_is_read(tmp_path: Path) -> None:
    from pymodbus.framer import FramerType
    from pymodbus.server import ModbusSerialServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    coils = [False] * 8
    cable = Cable()
    cable.plug()
    device = SimDevice(
        id=5,
        simdata=(
            [SimData(0, values=coils, datatype=DataType.BITS)],
            [SimData(0, values=[False], datatype=DataType.BITS)],
            [SimData(0, values=[0], datatype=DataType.REGISTERS)],
            [SimData(0, values=[0], datatype=DataType.REGISTERS)],
        ),
    )
    server = ModbusSerialServer(device, framer=FramerType.RTU, port=cable.names[1], baudrate=9600)
    serving = asyncio.create_task(server.serve_forever())
    light = SerialLight(
        msgspec.convert(
            {
                "transport": {"type": "serial", "path": cable.names[0]},
                "format": "modbus-relay",
                "lamps": {"white": 2, "red": 7},
                "signals": {
                    "call": {"lamps": ["white"], "pattern": "on"},
                    "help": {"lamps": ["red"], "pattern": "on"},
                },
                "address": 5,
                "answer_ms": 1000,
            },
            SerialLightConfig,
        )
    )
    await light.open()
    assert await light._query() == set()
    running = asyncio.create_task(light.serve())
    assert (await light.signal("call", within_s=30)).outcome == "done"
    assert (await light.signal("help", within_s=30)).outcome == "done"
    assert await light._query() == {2, 7}
    light.clear("call")
    async with asyncio.timeout(30):
        while await light._query() != {7}:
            await asyncio.sleep(0.01)
    assert light.health.state == "ok"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await light.close()
    await server.shutdown()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    cable.unplug()
