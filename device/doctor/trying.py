"""One device by hand, through its real driver: what it proved, and a verdict with what to do.

A person is told what to do and asked what they see; without one (`Person` of a pipe) only what the driver
itself can prove counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeVar

import msgspec

from drivers.call_screen.protocol import CallScreen, ScreenText
from drivers.card_reader.protocol import CardEvent, CardReader
from drivers.driver import Driver, Fact
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.keypad.protocol import Keypad
from drivers.light.protocol import Light
from drivers.ticket_printer.protocol import Paper, TicketPrinter
from drivers.voice.protocol import Announcement, Voice
from wire.texts import text

logger = logging.getLogger(__name__)

T = TypeVar("T")

_CLOSE_S: Final = 5.0
_READY_S: Final = 5.0
"""How long a printer that has just been opened may take to say that it is ready."""
_SCREEN_PAUSE_S: Final = 1.5
"""How long each colour stays, so that a person sees it."""
_LIGHT_S: Final = 3.0
_SENT_S: Final = 0.5
"""The last order has left the line by then; closing it drops what has not."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`passed`: the device proved it, or a person saw it; `failed`: `code` says why and what to do;
    `unclear`: everything was sent and nothing can be proved. `proved`: what the driver knows, for people."""

    device: str
    driver: str
    outcome: Literal["passed", "failed", "unclear"]
    code: str
    proved: dict[str, Fact] = {}

    @property
    def status(self) -> int:
        """The exit status."""
        return 0 if self.outcome == "passed" else 1


class Person:
    """Who stands at the device. `tell` shows a line; `confirm` asks yes or no, None when nobody answers."""

    def __init__(
        self,
        language: str,
        write: Callable[[str], None],
        ask: Callable[[str, float], Awaitable[bool | None]] | None = None,
    ) -> None:
        self.language = language
        self._write = write
        self._ask = ask

    def tell(self, code: str, **values: object) -> None:
        self._write(text(code, self.language, **values))

    def mark(self, line: str) -> None:
        """A line that has no language, such as a key's name."""
        self._write(line)

    async def confirm(self, code: str, timeout: float, **values: object) -> bool | None:
        if self._ask is None:
            return None
        return await self._ask(text(code, self.language, **values), timeout)


async def try_device(
    driver: Driver, config: msgspec.Struct, name: str, person: Person, timeout: float
) -> Verdict:
    """Open the driver, do what its class can do, close it. Never raises for a fault of the device."""
    try:
        async with _running(driver, timeout) as serving:
            outcome, code, proved = await _try(driver, config, person, timeout, serving)
    except DriverError as error:
        outcome, code, proved = "failed", error.code, {}
    except Exception:
        logger.exception("driver %s", name)  # a bug of its own
        outcome, code, proved = "failed", DriverError.code, {}
    facts: dict[str, Fact] = {key: fact for key, fact in driver.health.facts.items() if fact is not None}
    return Verdict(device=driver.kind, driver=name, outcome=outcome, code=code, proved=facts | proved)


Result = tuple[Literal["passed", "failed", "unclear"], str, dict[str, Fact]]


async def _try(
    driver: Driver, config: msgspec.Struct, person: Person, timeout: float, serving: asyncio.Task[None]
) -> Result:
    match driver:
        case TicketPrinter():
            return await _try_printer(driver, person, timeout)
        case CallScreen():
            return await _try_screen(driver, person, timeout)
        case Keypad():
            return await _try_keypad(driver, key_names(config), person, timeout, serving)
        case CardReader():
            return await _try_card(driver, person, timeout, serving)
        case Voice():
            return await _try_voice(driver, person, timeout)
        case Light():
            return await _try_light(driver, person, timeout, serving)
    return "failed", "doctor.test_no_such", {}


@contextlib.asynccontextmanager
async def _running(driver: Driver, timeout: float) -> AsyncIterator[asyncio.Task[None]]:
    """The driver open and served; closed at the end, whatever happens."""
    serving: asyncio.Task[None] | None = None
    try:
        try:
            async with asyncio.timeout(timeout):
                await driver.open()
        except TimeoutError as error:
            if isinstance(error, DriverError):
                raise
            raise NoAnswerError(f"not open within {timeout:.0f} s") from error
        serving = asyncio.get_running_loop().create_task(driver.serve(), name="doctor serve")
        yield serving
    finally:
        if serving is not None:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        with contextlib.suppress(DriverError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await driver.close()


async def _while_served(work: Awaitable[T], serving: asyncio.Task[None], timeout: float) -> T:
    """The result of `work`. Raises DriverError when the device is lost first, TimeoutError when it takes too
    long."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, serving}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if serving.done():
            serving.result()
            raise LineLostError("the driver ended")
        raise TimeoutError
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# ---------------------------------------------------------------- one for each class


async def _try_printer(printer: TicketPrinter, person: Person, timeout: float) -> Result:
    news = asyncio.Event()
    printer.on_health = lambda health: news.set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(timeout, _READY_S)):
            while not printer.can_print:
                news.clear()
                await news.wait()
    if not printer.can_print:
        return "failed", printer.health.code or NoAnswerError.code, {}
    person.tell("doctor.test_printing")
    values = {
        "language": person.language,
        "hall": text("doctor.test_hall", person.language),
        "service": text("doctor.test_service", person.language),
        "time": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
        "notes": text("doctor.test_notes", person.language),
    }
    result = await printer.print_ticket(Paper("TEST", values, qr="PAIHAO-TEST"))
    if result.outcome == "failed":
        return "failed", result.code or DriverError.code, {}
    if result.outcome == "confirmed":
        return "passed", "doctor.test_printed", {"confirmed": True}
    seen = await person.confirm("doctor.ask_printed", timeout)
    if seen is None:
        return "unclear", result.code or "printer.not_watched", {}
    return ("passed", "doctor.test_seen", {}) if seen else ("failed", "doctor.test_not_printed", {})


async def _try_screen(screen: CallScreen, person: Person, timeout: float) -> Result:
    shown: list[str] = []
    changed = False
    contents = [
        ScreenText(text("doctor.test_red", person.language), "red"),
        ScreenText(text("doctor.test_green", person.language), "green"),
        ScreenText(text("doctor.test_yellow", person.language), "yellow"),
        ScreenText(text("doctor.test_flash", person.language), "red", flash=True),
    ]
    for content in contents:
        person.tell("doctor.test_showing", text=content.text)
        result = await screen.show(content)
        if result.outcome == "failed":
            return "failed", result.code or "screen.refused", {"shown": len(shown)}
        shown.append(content.text)
        changed = changed or result.code is not None
        await asyncio.sleep(_SCREEN_PAUSE_S)
    proved: dict[str, Fact] = {"shown": len(shown)}
    seen = await person.confirm("doctor.ask_shown", timeout)
    if seen is False:
        return "failed", "doctor.test_not_shown", proved
    if seen is None and changed:
        return "unclear", "screen.text_changed", proved
    return "passed", "doctor.test_shown" if seen is None else "doctor.test_seen", proved


def key_names(config: Any) -> tuple[str, ...]:
    """The keys of a keypad's configuration, each once, in their order."""
    format = getattr(config, "keypad_format", None) or getattr(config, "report_format", None) or config
    keys = getattr(format, "keys", {})
    names = [value if isinstance(value, str) else key for key, value in keys.items()]
    return tuple(dict.fromkeys(names))


async def _try_keypad(
    keypad: Keypad, wanted: tuple[str, ...], person: Person, timeout: float, serving: asyncio.Task[None]
) -> Result:
    left = list(wanted)
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    await keypad.prompt(True)
    try:
        while left and (seconds := until - loop.time()) > 0:
            await keypad.light(*left)
            person.tell("doctor.test_press", keys=" ".join(left))
            try:
                press = await _while_served(keypad.next_key(), serving, seconds)
            except TimeoutError:
                break
            if press.key in left:
                left.remove(press.key)
                person.mark(f"  ✓ {press.key}")
            else:
                person.mark(f"  · {press.key}")
        pressed = [key for key in wanted if key not in left]
        proved: dict[str, Fact] = {"keys": len(wanted), "pressed": " ".join(pressed)}
        if left:
            proved["left"] = " ".join(left)
            code = "doctor.test_keys_left" if pressed else keypad.health.code or "doctor.test_no_key"
            return "failed", code, proved
        await keypad.thank()
        return "passed", "doctor.test_keys", proved
    finally:
        with contextlib.suppress(DriverError):
            await keypad.light()
            await keypad.prompt(False)
            await asyncio.sleep(_SENT_S)


async def _try_card(
    reader: CardReader, person: Person, timeout: float, serving: asyncio.Task[None]
) -> Result:
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    person.tell("doctor.test_lay")
    await reader.watch(True)
    again = False
    while (seconds := until - loop.time()) > 0:
        try:
            event = await _while_served(reader.next_event(), serving, seconds)
        except TimeoutError:
            break
        if event.what == "lay_again":
            again = True
            person.tell("card.unreadable")
        elif event.what != "removed":
            return "passed", "doctor.test_read", _masked(event)
    return "failed", "card.unreadable" if again else reader.health.code or "doctor.test_no_card", {}


def _masked(event: CardEvent) -> dict[str, Fact]:
    """What may be shown of what was read: kinds and masked text, nothing else."""
    if event.card is not None:
        card = event.card
        return {"layout": card.layout, "name": card.name.masked, "number": card.number.masked}
    if event.code is not None:
        return {"code": event.code.text.masked, "symbology": event.code.symbology}
    if event.chip is not None:
        return {"uid": event.chip.uid.masked if event.chip.uid else None, "model": event.chip.model}
    return {}


async def _try_voice(voice: Voice, person: Person, timeout: float) -> Result:
    person.tell("doctor.test_speaking")
    announcement = Announcement(
        "doctor-test",
        "A001",
        {"zh-CN": "1号窗口", "en": "counter 1"},
        datetime.now(UTC) + timedelta(seconds=timeout),
        (person.language,),
        repeat=1,
    )
    result = await voice.say(announcement)
    if result.outcome != "done":
        return "failed", result.code or voice.health.code or "voice.output_lost", {}
    heard = await person.confirm("doctor.ask_heard", timeout)
    if heard is False:
        return "failed", "doctor.test_not_heard", {}
    return "passed", "doctor.test_spoken" if heard is None else "doctor.test_seen", {}


async def _try_light(light: Light, person: Person, timeout: float, serving: asyncio.Task[None]) -> Result:
    person.tell("doctor.test_flashing")
    result = await light.signal("call", _LIGHT_S, within_s=timeout)
    if result.outcome != "done":
        return "failed", result.code or light.health.code or DriverError.code, {}
    # it goes dark by itself, if it is not lost meanwhile
    with contextlib.suppress(TimeoutError):
        await _while_served(asyncio.Event().wait(), serving, _LIGHT_S + _SENT_S)
    seen = await person.confirm("doctor.ask_flashed", timeout)
    if seen is False:
        return "failed", "doctor.test_not_flashed", {}
    return "passed", "doctor.test_flashed" if seen is None else "doctor.test_seen", {}


KINDS: Final = {
    "printer": "ticket_printer",
    "screen": "call_screen",
    "keypad": "keypad",
    "card": "card_reader",
    "voice": "voice",
    "light": "light",
}
"""Word of the command → device class."""
