"""The driver that docs/adding-a-driver.md shows as an example works as it stands there."""

from __future__ import annotations

import asyncio
import functools
import operator
from pathlib import Path
from typing import Any

import pytest

from drivers.call_screen.paced_screen import PacedScreen
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.transport.fake import FakeDevice, PtyLine
from drivers.transport.serial import SerialConfig

PAGE = Path(__file__).parents[3] / "docs" / "adding-a-driver.md"


class FakeStrip(FakeDevice):
    """`02 address kind text 03 xor`, answered `06 address kind` or `15 address kind`."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.refuses = self.silent = False
        self._frame = bytearray()

    def received(self, data: bytes) -> None:
        for byte in data:
            self._frame.append(byte)
            if len(self._frame) > 3 and self._frame[-2] == 3:
                start, address, kind, *text, _, check = self._frame
                assert start == 2 and check == functools.reduce(operator.xor, self._frame[1:-1])
                if kind == ord("T") and not self.refuses and not self.silent:
                    self.text = bytes(text).decode("gb2312")
                if not self.silent:
                    self.send(bytes((0x15 if self.refuses and kind == ord("T") else 6, address, kind)))
                self._frame.clear()
                self.changed()


async def test_the_example_of_the_page_is_a_call_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PacedScreen, "PING_S", 0.05)
    monkeypatch.setattr(PacedScreen, "RETRY_S", 0.05)
    source = PAGE.read_text("utf-8").split("# A new LED model", 1)[1].split("```python\n", 1)[1]
    example: dict[str, Any] = {"__name__": "example"}
    exec("from __future__ import annotations\n" + source.split("```", 1)[0], example)  # our own page
    fake = FakeStrip()
    line = PtyLine(fake, tmp_path / "strip")
    line.faults.piece = 1
    await line.plug()
    transport = SerialConfig(path=str(line.path), baud=115200)
    screen: CallScreen = example["Strip"](example["StripConfig"](transport=transport))
    async with asyncio.timeout(20):
        await screen.open()
        serving = asyncio.ensure_future(screen.serve())
        call = ScreenText("请A005号到3号窗口", shorter=("A005 3号窗口",))
        assert await screen.show(call) == ShowResult("done")
        assert fake.text == "A005 3号窗口"
        fake.refuses = True
        assert await screen.show(ScreenText("A006")) == ShowResult("failed", "screen.refused")
        fake.refuses = False
        while fake.text != "A006":
            await asyncio.sleep(0.01)
        fake.silent = True
        vars(screen)["_answer_s"] = 0.1
        await asyncio.wait({serving})
        assert serving.exception() is not None
        assert screen.health.code == "screen.no_answer"
    await screen.close()
    await line.unplug()
