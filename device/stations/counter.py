"""A counter: its call screen, its call keypad, its rating keypad, and the panel of the clerk."""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING, Final, get_args

from device.dispatch import Handler
from device.profile import CounterStation, screen_device
from device.stations.call_keypad import CallKeypad
from device.stations.counter_text import calling, idle
from device.stations.lights import StationLight
from device.stations.panel import StationPanel
from device.stations.rating import Rating
from device.stations.station import FRESH_PRESS_S, Node, Recent, Station
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.errors import DriverError
from drivers.keypad.protocol import Keypad, KeyPress
from wire.messages import (
    Call,
    CallReported,
    CounterState,
    DeviceState,
    Key,
    KeyPressed,
    LocalText,
    Message,
    PromptRating,
)
from wire.screen_link import CounterShown, GiveReasons, LinkMessage, RateService, ToAgent
from wire.shown import RatingReasons

if TYPE_CHECKING:
    from drivers.light.protocol import Light

logger = logging.getLogger(__name__)

KEYS: Final = frozenset(get_args(Key))
LEAST_CALL_S: Final = 1.0
"""A call stands on the screen at least this long, whatever the newest state says."""


class CounterStationRunner(Station):
    """Shows the newest state of its counter, never an older one; a key means what was shown."""

    def __init__(
        self,
        station: CounterStation,
        node: Node,
        call_keypad: Keypad | None,
        rating_keypad: Keypad | None,
        call_screen: CallScreen | None,
        light: Light | None = None,
    ) -> None:
        super().__init__(station.id, node)
        self._station = station
        self._keypad = call_keypad
        self._rating_keypad = rating_keypad
        self._screen = call_screen
        self._panel = StationPanel(node, station.id, call_screen)
        self._state: CounterState | None = None
        self._shown_since = -inf
        self._flashing: str | None = None
        self._flash_timer: asyncio.TimerHandle | None = None
        self._shown: tuple[ScreenText, asyncio.Task[ShowResult]] | None = None
        self._calls = Recent()
        self._unknown_keys = Recent(32)
        self._call_keypad = CallKeypad(station, node, call_keypad)
        self._call_light = StationLight(node, station.light, light, station.flash_s)
        self.rating = Rating(
            station.counter,
            node,
            station.rating_keypad,
            rating_keypad,
            self._has_rating_panel,
            self._on_rating,
        )

    @property
    def topics(self) -> list[tuple[str, dict[str, str]]]:
        return [("counter", {"counter": self._station.counter}), ("call", {}), ("rating_reasons", {})]

    @property
    def handlers(self) -> dict[type[Message], Handler]:
        return {PromptRating: self.rating.ask}

    async def start(self) -> None:
        await self.rating.start()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            if self._keypad is not None:
                tasks.create_task(self._read_call_keys(self._keypad), name=f"{self.id} call keys")
            if self._rating_keypad is not None:
                tasks.create_task(self._read_rating_keys(self._rating_keypad), name=f"{self.id} rating keys")

    def whole(self) -> list[LinkMessage]:
        return [self._counter_shown(), self.rating.shown()]

    # ---------------------------------------------------------------- what the hall says

    def on_online(self, online: bool) -> None:
        self._render()
        self._call_keypad.follow(self._state)
        self._show_counter()

    def on_counter(self, counter: CounterState) -> None:
        before = self._state
        if counter.counter != self._station.counter:
            return
        if before is not None and (counter.epoch, counter.rev) <= (before.epoch, before.rev):
            return
        if before is not None and before.ticket != counter.ticket:
            self._shown_since = asyncio.get_running_loop().time()
        self._state = counter
        if counter.state != "called" or counter.number != self._flashing:
            self._flashing = None
            self._call_light.stop()
        self._call_light.is_open(counter.state not in ("closed", "paused"))
        fresh = counter.state == "called" and counter.call is not None and self._is_fresh(counter)
        if fresh and self._calls.new(("flash", counter.call)):
            self._flash(counter.number)
        self._render()
        self._call_keypad.answered()
        self._call_keypad.follow(counter)
        if self.node.pictures is not None:
            photo = counter.clerk.photo if counter.clerk is not None else None
            self.node.pictures.want(self.id, [photo] if photo is not None else [])
        self._show_counter()

    def on_retained(self, name: str, message: Message, ids: dict[str, str]) -> None:
        if isinstance(message, RatingReasons):
            self.rating.on_reasons(message)

    def on_pictures(self) -> None:
        if self._state is not None and self._state.clerk is not None and self._state.clerk.photo is not None:
            self._show_counter()

    def on_call(self, call: Call) -> None:
        if call.counter != self._station.counter or not self._calls.new((call.call, call.attempt)):
            return
        self._call_keypad.answered()
        if self.node.clock.expired(call.deadline):
            if self._screen is not None:
                self.node.spawn(self._report(call, "expired", "call.expired"), "call expired")
            return
        if self._calls.new(("flash", call.call)) or call.attempt > 1:
            self._flash(call.number)
        self._render(call.counter_name)
        if self._shown is not None:
            self._report_when_shown(call, self._shown[1])

    def on_device(self, state: DeviceState) -> None:
        self._call_light.on_device(state)
        if state.device == self._station.call_keypad and state.health in ("ok", "degraded"):
            self._call_keypad.device_back()
        if state.kind == "storage":
            self._show_rating()  # a grade can be kept, or not any more

    async def on_screen(self, message: ToAgent) -> None:
        if isinstance(message, RateService):
            await self.rating.touch(message.prompt, message.grade)
        elif isinstance(message, GiveReasons):
            await self.rating.give_reasons(message)
        self._panel.on_screen(message)

    # ---------------------------------------------------------------- the call screen

    def _is_fresh(self, counter: CounterState) -> bool:
        """Called just now; a state that was retained from long ago does not flash."""
        if counter.called_at is None:
            return False
        age = (self.node.clock.now() - counter.called_at).total_seconds()
        return age < self._station.flash_s

    def _flash(self, number: str | None) -> None:
        self._flashing = number
        self._call_light.flash(number or "")
        if self._flash_timer is not None:
            self._flash_timer.cancel()
        seconds = max(LEAST_CALL_S, self._station.flash_s)
        self._flash_timer = asyncio.get_running_loop().call_later(seconds, self._end_flash)

    def _end_flash(self) -> None:
        self._flashing = None
        self._render()

    def _content(self, name: LocalText | None) -> ScreenText | None:
        state, language = self._state, self._station.language
        names = state.name if state is not None else name
        if names is None:
            return None
        if self._flashing is not None:
            return calling(self._flashing, names, language, flash=True)
        stale = not self.node.link.online
        if state is not None and state.number is not None and state.state in ("called", "serving"):
            return calling(state.number, names, language, flash=False, stale=stale)
        station = self._station
        return idle(state, names, language, station.idle, station.idle_closed, stale=stale)

    def _render(self, name: LocalText | None = None) -> None:
        """Have the screen show what should stand on it, if it does not already."""
        content = self._content(name)
        if self._screen is None or content is None:
            return
        if self._shown is not None and self._shown[0] == content and not self._failed(self._shown[1]):
            return
        showing = asyncio.create_task(self._show(self._screen, content), name=f"{self.id} screen")
        self._shown = (content, showing)

    @staticmethod
    def _failed(showing: asyncio.Task[ShowResult]) -> bool:
        return showing.done() and (showing.cancelled() or showing.result().outcome != "done")

    async def _show(self, screen: CallScreen, content: ScreenText) -> ShowResult:
        try:
            return await screen.show(content)
        except DriverError as error:
            return ShowResult("failed", error.code)
        except Exception:
            # A driver's bug is a failed call, which the coordinator must hear of.
            logger.exception("call screen of counter %s", self._station.counter)
            return ShowResult("failed", DriverError.code)

    def _report_when_shown(self, call: Call, showing: asyncio.Task[ShowResult]) -> None:
        """Report once: what the screen did, or that the call's deadline came first."""
        left = (call.deadline - self.node.clock.now()).total_seconds()

        def shown(_showing: object) -> None:
            timer.cancel()
            result = ShowResult("failed") if showing.cancelled() else showing.result()
            self.node.spawn(self._report(call, result.outcome, result.code), "call shown")

        def expired() -> None:
            showing.remove_done_callback(shown)
            self.node.spawn(self._report(call, "expired", "call.expired"), "call expired")

        timer = asyncio.get_running_loop().call_later(max(LEAST_CALL_S, left), expired)
        showing.add_done_callback(shown)

    async def _report(self, call: Call, outcome: str, code: str | None) -> None:
        if outcome != "done":
            logger.warning("call %s of %s was not shown: %s", call.call, call.number, code or outcome)
        device = self._station.call_screen or ""
        await self.node.report(
            CallReported(call=call.call, device=device, how="shown", outcome=outcome, code=code)  # type: ignore[arg-type]
        )

    # ---------------------------------------------------------------- keys

    async def _read_call_keys(self, keypad: Keypad) -> None:
        while True:
            await self._press(await keypad.next_key())

    async def _press(self, press: KeyPress) -> None:
        if press.key not in KEYS:
            if self._unknown_keys.new(press.key):
                logger.warning(
                    "call keypad of counter %s: key %r means nothing", self._station.counter, press.key
                )
            return
        late = asyncio.get_running_loop().time() - press.monotonic > FRESH_PRESS_S
        # A press that waited while the ticket changed was meant for the one before.
        late = late or press.monotonic < self._shown_since
        if late or not self.node.link.online:
            # Not kept for later: a call an hour after its key would send a citizen to an empty counter.
            logger.info("%s: key %s refused, %s", self.id, press.key, "late" if late else "no coordinator")
            await self._call_keypad.refuse()
            return
        shown = self._state.ticket if self._state is not None else None
        pressed = KeyPressed(counter=self._station.counter, key=press.key, shown_ticket=shown)  # type: ignore[arg-type]
        self._call_keypad.asked()
        if not await self.node.report(pressed):
            self._call_keypad.answered()
            await self._call_keypad.refuse()

    async def _read_rating_keys(self, keypad: Keypad) -> None:
        while True:
            await self.rating.key(await keypad.next_key())

    # ---------------------------------------------------------------- the panels

    def _has_rating_panel(self) -> bool:
        # One that is just being restarted is there as a device still: its prompt is on it in a moment.
        return self.node.has_screen(self.id, "rating") or self.node.healthy(screen_device(self.id, "rating"))

    def _counter_shown(self) -> CounterShown:
        pictures, state = self.node.pictures, self._state
        photo = state.clerk.photo if state is not None and state.clerk is not None else None
        return CounterShown(
            counter=state,
            prompt=self.rating.prompt,
            stale=not self.node.link.online,
            photo=pictures.file(photo) if pictures is not None else None,
        )

    def _show_counter(self) -> None:
        self.node.show(self.id, self._counter_shown())

    def _show_rating(self) -> None:
        self.node.show(self.id, self.rating.shown(), "rating")

    def _on_rating(self) -> None:
        self._show_counter()
        self._show_rating()
