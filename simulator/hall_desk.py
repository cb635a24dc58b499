"""The desk at which one site is operated: what is pressed, laid and pulled, and who has to look again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from drivers.card_reader.synthetic_cards import synthetic_cards
from simulator.alarms import AlarmRow, answer_help, fetch_alarms
from simulator.busy_day import BusyDay
from simulator.hall_site import BOARD, KIOSK, HallSite
from simulator.misbehaviour import misbehave

if TYPE_CHECKING:
    from drivers.ticket_printer.fake import PrintedTicket

log = logging.getLogger(__name__)

THANKS_S: Final = 3.0
"""How long a rating keypad shows that it took a key."""

CLOCK_S: Final = 0.5
"""How often the clock of a running busy day is drawn."""

ALARMS_EVERY_S: Final = 2.0
"""The coordinator is asked for its alarms at most so often, and only when something was heard of it."""


SOUNDS_KEPT: Final = 4


class Viewer(Protocol):
    def mark(self, name: str) -> None: ...


class HallDesk:
    """`views` are marked with the names of the regions that may have changed."""

    def __init__(self, site: HallSite, *, speed: float = 20.0) -> None:
        self.site = site
        self.busy = BusyDay(site, speed=speed)
        self.views: set[Viewer] = set()
        self.alarms: list[AlarmRow] = []
        self.thanking: set[str] = set()
        self.sounds = 0
        """Running number of the newest sound; each has its own address."""
        self._thanks: dict[str, int] = {}
        self._wav: dict[int, bytes] = {}
        self._drawer = ThreadPoolExecutor(1, thread_name_prefix="paper")
        self._asking: asyncio.Task[None] | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._work: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self.site.watchers.add(self._heard)
        self.busy.on_change = self._day_changed

    async def stop(self) -> None:
        self.site.watchers.discard(self._heard)
        await self.busy.stop()
        if self._clock is not None:
            self._clock.cancel()
        for task in [*self._work, *([self._asking] if self._asking else [])]:
            task.cancel()
        self._drawer.shutdown(wait=False, cancel_futures=True)

    def mark(self, *names: str) -> None:
        for view in list(self.views):
            for name in names:
                view.mark(name)

    # ------------------------------------------------------------ what was heard

    def _heard(self, what: str) -> None:
        kind, _, name = what.partition(":")
        match kind:
            case "screen":
                self._screen(name)
            case "pane":
                self.mark(f"pane:{name}")
            case "device":
                self._device(name)
            case "part":
                self.mark("parts")
            case "mqtt":
                self._message(name)

    def _screen(self, node: str) -> None:
        if node in (KIOSK, BOARD):
            self.mark("day")
        else:
            counter = node.partition("-")[2]
            self.mark(f"face:{counter}", f"rating:{counter}")

    def _device(self, name: str) -> None:
        node = name.partition("/")[0]
        counter = node.partition("-")[2]
        self.mark(f"devices:{node}")
        match self.site.role_of(name):
            case "printer":
                self.mark("outlet", "day")
            case "card_reader":
                self.mark("tray")
            case "call_screen":
                self.mark(f"strip:{counter}")
            case "call_keypad":
                self.mark(f"keys:{counter}")
            case "rating_keypad":
                self._rating(counter)
            case "voice":
                self._voice()

    def _rating(self, counter: str) -> None:
        """The keypad's display says thanks for a while after the byte that told it to."""
        thanks = self.site.rating_keypad(counter).thanks
        if thanks > self._thanks.get(counter, 0):
            self.thanking.add(counter)
            asyncio.get_running_loop().call_later(THANKS_S, self._end_thanks, counter)
        self._thanks[counter] = thanks
        if self.site.rating_keypad(counter).prompting:
            self.thanking.discard(counter)
        self.mark(f"rating:{counter}")

    def _end_thanks(self, counter: str) -> None:
        self.thanking.discard(counter)
        self.mark(f"rating:{counter}")

    def _voice(self) -> None:
        speaker = self.site.voice
        if speaker is None:
            return
        wav = speaker.sound
        if wav is not None and wav is not self._wav.get(self.sounds):
            self.sounds += 1
            self._wav = {n: old for n, old in self._wav.items() if n > self.sounds - SOUNDS_KEPT}
            self._wav[self.sounds] = wav
            self.mark("sound")
        self.mark("voice")

    def _message(self, name: str) -> None:
        match name:
            case "device_state" | "node_state" | "node_description":
                self.mark("top", *(f"devices:{node}" for node in self.site.nodes))
            case "coordinator_state" | "connection" | "catalogue":
                self.mark("top")
            case "board" | "call" | "node_event":
                self.mark("day")
        if self.views and name in ("coordinator_state", "node_event", "device_state", "node_state"):
            self._ask_alarms()

    def _ask_alarms(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._alarms(), name="alarms")

    async def _alarms(self) -> None:
        await asyncio.sleep(ALARMS_EVERY_S)
        alarms = await fetch_alarms(self.site.api_port)
        if alarms is not None:
            self.alarms = alarms
            self.mark("alarms", "top")

    async def _answer_help(self, subject: str, what: Literal["answer", "done"]) -> None:
        await answer_help(self.site.api_port, subject, what)
        self._ask_alarms()

    def _day_changed(self) -> None:
        self.mark("day", "voice")
        if self.busy.state == "running" and self._clock is None:
            self._tick()

    def _tick(self) -> None:
        self._clock = None
        if self.busy.state == "running":
            self.mark("day")
            self._clock = asyncio.get_running_loop().call_later(CLOCK_S, self._tick)

    # ------------------------------------------------------------ what is done

    def act(self, action: str, argument: str) -> None:
        """Something on the page was clicked. What does not exist (any more) is ignored."""
        kind, _, rest = action.partition(".")
        try:
            self._act(kind, rest, argument)
        except (KeyError, ValueError, IndexError) as error:
            log.debug("%s %s: %r", action, argument, error)

    def _act(self, kind: str, rest: str, argument: str) -> None:
        site = self.site
        match kind, rest:
            case "pane", what:
                name, x, y = argument.split(",")
                site.panes[name].touch(what, float(x), float(y))
            case "key", counter:
                site.call_keypad(counter).press(argument)
            case "rate", counter:
                site.rating_keypad(counter).press(argument)
            case "card", "lay":
                site.card_reader.lay(synthetic_cards()[int(argument)])
            case "card", "take":
                site.card_reader.take()
            case "way", device:
                misbehave(site, device, argument)
            case "help", ("answer" | "done") as what:
                self._do(self._answer_help(argument, what), f"help {what}")
            case "part", "kill":
                site.parts[argument].kill()
            case "part", "restart":
                self._do(site.parts[argument].restart(), f"restart {argument}")
            case "day", "start":
                self._do(self._begin_day(), "begin the day")
            case "day", "stop":
                self._do(self.busy.stop(), "end the day")
            case "day", "speed":
                self.busy.speed = float(argument)

    async def _begin_day(self) -> None:
        if self.busy.state == "running":
            return
        speed = self.busy.speed
        await self.busy.stop()
        self.busy = BusyDay(self.site, speed=speed)
        self.busy.on_change = self._day_changed
        await self.busy.start()

    def _do(self, work: Coroutine[Any, Any, None], what: str) -> None:
        task = asyncio.create_task(work, name=what)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    # ------------------------------------------------------------ pictures and sound

    async def paper_png(self, number: int) -> bytes | None:
        """The picture of a piece of paper, drawn once, in a thread of its own."""
        piece = next((piece for n, piece in self.site.papers if n == number), None)
        if piece is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._drawer, _blocking_png, piece)

    def sound(self, number: int) -> bytes | None:
        """The WAV as it came over the wire."""
        return self._wav.get(number)

    async def font(self) -> bytes | None:
        """A font with Chinese characters for browsers on machines that have none."""
        from simulator.page_font import simplified_chinese

        return await asyncio.get_running_loop().run_in_executor(self._drawer, simplified_chinese)


@lru_cache(maxsize=32)
def _blocking_png(piece: PrintedTicket) -> bytes:
    return piece.png()
