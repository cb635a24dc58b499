"""Screen programs on the emulated display: started by their unit, touched, compared with their twins."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from bench import Bench, stopwatch
from checks_service import kiosk
from host_hall import NODE, HostHall
from machine import DISPLAY
from PIL import Image, ImageChops
from twin import Twin

from drivers.ticket_printer.fake import FakeEscposPrinter
from wire.screen_link import ScreenRole

STATIONS: Final[dict[ScreenRole, str]] = {
    "kiosk": NODE,
    "board": "board-1",
    "counter": "counter-1",
    "rating": "counter-1",
    "panel": "counter-1",
}
"""The station of each program. All are in one node here: one program after the other has the display."""
COUNTER: Final = "1"
SHOWN_S: Final = 60.0
"""A picture is waited for so long: Mesa draws one in 0.3 s here, and the whole machine is busy then."""
STEADY_S: Final = 0.5
"""A person looks at a page before touching it; `ui.touch.QUIET_S` is shorter."""
HELD_S: Final = 0.15


@asynccontextmanager
async def screens_node(bench: Bench, printer: FakeEscposPrinter | None = None) -> AsyncIterator[HostHall]:
    """The kiosk of `checks_service` that is hall display and counter 1, too; its agent running."""
    hall = await bench.hall()
    await hall.set_up(bench.machine, _with_screens)
    try:
        async with kiosk(bench, printer or FakeEscposPrinter()) as hall:
            yield hall
    finally:
        await hall.set_up(bench.machine)


def _with_screens(tables: dict[str, Any]) -> None:
    # a picture may take its time here
    tables["device"].append({"id": "over", "driver": "panel", "options": {"answer_s": 10.0}})
    tables["station"] += [
        {"kind": "board", "id": STATIONS["board"]},
        {
            "kind": "counter", "id": STATIONS["counter"], "counter": COUNTER, "call_screen": "over",
            "screens": ["rating"],
        },
    ]  # fmt: skip


class Display:
    """A program of the display. `unit` is its systemd unit, `twin` draws what it must show."""

    def __init__(self, bench: Bench, role: ScreenRole, twin: Twin) -> None:
        self.role = role
        self.twin = twin
        self.unit = f"paihao-screen@{role}"
        self._bench = bench

    @property
    def page(self) -> str:
        """The name of the page that must be shown."""
        self.twin.draw()
        return self.twin.page

    def action(self, beginning: str) -> str:
        """The first action of the page that begins so. Raises LookupError."""
        for action in self.twin.actions():
            if action.startswith(beginning):
                return action
        raise LookupError(f"page {self.page} has no {beginning}…: {self.twin.actions()}")

    async def start(self) -> None:
        """By its unit, which waits for the first picture."""
        await self._bench.inside(f"systemctl start {self.unit}")

    async def stop(self) -> None:
        await self._bench.inside(f"systemctl stop {self.unit}")

    async def shows_page(self, name: str) -> float:
        """Wait until it must show the page of this name, and shows it; seconds it took.

        Raises TimeoutError, AssertionError.
        """
        return await self._shows_when(lambda: self.page == name, f"page {name}")

    async def shows_words(self, words: str) -> float:
        """As `shows_page`: a page on which these words stand."""
        return await self._shows_when(lambda: words in self.twin.words(), words)

    async def _shows_when(self, condition: Callable[[], bool], what: str) -> float:
        took = stopwatch()
        try:
            async with asyncio.timeout(SHOWN_S):
                while not condition():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(f"{self.role} has page {self.page}, not {what}") from None
        self.twin.forget()
        await self.shows()
        return took()

    async def shows(self, timeout: float = SHOWN_S) -> float:
        """Wait until the display is the twin's picture, pixel by pixel; seconds it took. AssertionError."""
        took = stopwatch()
        while True:
            seen = await picture(self._bench)
            if seen in self.twin.pictures():
                return took()
            if took() > timeout:
                raise AssertionError(self._differs(seen))
            await asyncio.sleep(0.2)

    async def touch(self, action: str) -> None:
        """A finger at the place of a target, which the page shown must have; up again after `HELD_S`."""
        x, y = self.twin.target(action)
        hardware = self._bench.machine.hardware
        await asyncio.sleep(STEADY_S)
        await hardware.do("finger", x=x, y=y, down=True)
        await asyncio.sleep(HELD_S)
        await hardware.do("finger", x=x, y=y, down=False)
        self.twin.touch(action)

    async def touch_shows(self, action: str) -> float:
        """Touch, and wait for the next page; seconds from the finger's lifting to the picture."""
        before = self.page
        await self.touch(action)
        took = await self.shows()
        assert self.page != before, f"{action} left the page {before}"
        return took

    async def property(self, name: str) -> str:
        """Of its unit."""
        return (await self._bench.inside(f"systemctl show -P {name} {self.unit}")).strip()

    async def restarts(self, before: str) -> None:
        """Wait until the process `before`, its MainPID, has ended, and another shows what it must.

        The kernel takes the picture of a process that ends off the display. Raises AssertionError.
        """
        await self._bench.inside(f"timeout 60 tail --pid={before} -f /dev/null")
        await self.shows()
        assert await self.property("MainPID") not in (before, "0")
        assert await self.property("ActiveState") == "active"

    def _differs(self, seen: bytes) -> str:
        """What the assertion says; the pictures are put with the artefacts."""
        twin = self.twin.pictures()[0]
        images = [Image.frombytes("RGB", DISPLAY, data) for data in (seen, twin)]
        for name, image in zip(("shown", "twin"), images, strict=True):
            image.save(self._bench.artefacts / f"{self.role}-{self.twin.page}-{name}.png")
        box = ImageChops.difference(*images).getbbox()
        return f"{self.role}, page {self.twin.page}: the display differs from the twin's picture within {box}"


@asynccontextmanager
async def display(bench: Bench, role: ScreenRole, *, start: bool = True) -> AsyncIterator[Display]:
    """The program is started by its unit, with its twin; stopped at the end."""
    station = STATIONS[role]
    settings = f"SCREEN={role}\nSTATION={station}\nARGS=\n"
    await bench.machine.agent.put(f"/etc/paihao/screen-{role}.conf", settings)
    twin = Twin(role, station)
    shown = Display(bench, role, twin)
    await twin.start(bench.machine)
    try:
        if start:
            await shown.start()
        yield shown
    finally:
        with contextlib.suppress(Exception):
            await shown.stop()
        await twin.stop()


@asynccontextmanager
async def touch_screen(bench: Bench) -> AsyncIterator[None]:
    """A multitouch screen on USB is plugged in during the block."""
    hardware = bench.machine.hardware
    await hardware.do("gadgets")
    await hardware.do("plug", name="touch")
    await bench.inside("udevadm wait --timeout=20 /dev/input/by-id/usb-eGalax_Touch_TS1-event-if00")
    try:
        yield
    finally:
        await hardware.do("unplug", name="touch")


async def picture(bench: Bench) -> bytes:
    """The emulated display now: RGB, row by row. Empty while it has another size, as a text console may."""
    path = bench.machine.folder / "screen.png"
    await bench.machine.screen(path)
    with Image.open(path) as image:
        return image.convert("RGB").tobytes() if image.size == DISPLAY else b""
