"""What every reader of cards and codes promises (`protocol.py`), on every line that it can have.

The places are made in `card_places.PLACES`; the reader for IC cards runs on a real pcscd.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import pickle
import random
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from card_lines import Pcscd
from card_places import ON_LINES, PLACES, Place

from device import supervision
from device.clock import Clock
from device.supervision import Supervisor
from drivers.card_reader.event_queue import EVENT_LIMIT
from drivers.card_reader.protocol import CardEvent, CardReader, Secret
from drivers.errors import DriverError, LineLostError
from drivers.transport.fake import Line
from wire.messages import DeviceState
from wire.texts import LANGUAGES, texts

PATIENCE = 20.0


@pytest.fixture(params=PLACES)
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    made = await PLACES[request.param](tmp_path, monkeypatch)
    await made.line.plug()
    yield made
    await made.do(made.take)
    await made.line.unplug()
    if isinstance(made.line, Pcscd):
        await made.line.release()


class Desk:
    """A reader under the agent's own supervision. `states` is what the node would publish."""

    def __init__(self, reader: CardReader) -> None:
        self.reader = reader
        self.states: list[DeviceState] = []
        self._changed = asyncio.Event()
        self.supervisor = Supervisor("reader", reader, Clock(UTC), self._publish)

    def _publish(self, state: DeviceState) -> None:
        self.states.append(state)
        self._changed.set()

    async def health(self, state: str, code: str | None = None) -> None:
        """Until the newest state is this."""
        async with asyncio.timeout(PATIENCE):
            while not (self.states and (self.states[-1].health, self.states[-1].code) == (state, code)):
                self._changed.clear()
                await self._changed.wait()

    async def event(self) -> CardEvent:
        return await asyncio.wait_for(self.reader.next_event(), PATIENCE)

    async def reads(self, place: Place, n: int) -> None:
        """The next reading is of the nth thing, whatever was told before."""
        while (event := await self.event()).what in ("lay_again", "removed"):
            pass
        assert place.is_of(event, n), event

    async def taken(self, place: Place) -> None:
        """Take away what lies there; nobody is faster than two polls."""
        await place.do(place.take)
        if place.stays:
            assert (await self.event()).what == "removed"

    async def quiet(self) -> None:
        """Nothing is told in the time of many polls."""
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.reader.next_event(), 0.4)


@asynccontextmanager
async def supervised(place: Place, **options: Any) -> AsyncIterator[Desk]:
    desk = Desk(place.reader(**options))
    running = asyncio.create_task(desk.supervisor.run())
    try:
        await desk.health("ok")
        yield desk
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def desk(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(supervision, "BACK_OFF_MAX_S", 0.3)
    async with supervised(place) as made:
        yield made


async def test_each_thing_is_told_once_and_its_removal_where_it_lies(place: Place, desk: Desk) -> None:
    for n in range(3):
        await place.do(place.show, n)
        assert place.is_of(await desk.event(), n)
        if n == 0:
            await desk.quiet()
        await desk.taken(place)
    await desk.quiet()
    assert desk.states[-1].health == "ok"


@pytest.mark.parametrize("place", ON_LINES, indirect=True)
async def test_one_byte_at_a_time(place: Place) -> None:
    assert isinstance(place.line, Line)
    async with supervised(place, **place.patient) as desk:
        place.line.faults.piece, place.line.faults.delay_s = 1, 0.00001
        await place.do(place.show, 1)
        await desk.reads(place, 1)


@pytest.mark.parametrize("place", ON_LINES, indirect=True)
async def test_slow_and_uneven(place: Place) -> None:
    assert isinstance(place.line, Line)
    chance = random.Random(3)
    async with supervised(place, **place.patient) as desk:
        for n in range(3):
            place.line.faults.piece = chance.randrange(20, 200)
            place.line.faults.delay_s = chance.uniform(0.0002, 0.004)
            await place.do(place.show, n)
            await desk.reads(place, n)
            await desk.taken(place)


@pytest.mark.parametrize("place", ON_LINES, indirect=True)
@pytest.mark.parametrize(("noise", "loss"), [(0.01, 0.0), (0.0, 0.01)])
async def test_a_spoiled_line_gives_no_wrong_card_and_is_got_over(
    place: Place, desk: Desk, noise: float, loss: float
) -> None:
    assert isinstance(place.line, Line)
    place.line.faults.noise, place.line.faults.loss = noise, loss
    await place.do(place.show, 0)
    with contextlib.suppress(TimeoutError):
        event = await asyncio.wait_for(desk.reader.next_event(), 0.5)
        if place.checked:
            assert event.what in ("lay_again", "removed") or place.is_of(event, 0)
    place.line.faults.noise = place.line.faults.loss = 0.0
    await place.do(place.take)
    if not place.stays:
        await asyncio.sleep(0.5)  # what is left of a spoiled code is given up
    with contextlib.suppress(TimeoutError):
        while True:
            await asyncio.wait_for(desk.reader.next_event(), 0.3)
    await place.do(place.show, 2)
    await desk.reads(place, 2)
    await desk.health("ok")


async def test_unplugged_and_plugged_in_again(place: Place, desk: Desk) -> None:
    code = "card.pcscd_stopped" if place.driver == "pcsc_reader" else "device.unplugged"
    await place.do(place.show, 0)
    await desk.reads(place, 0)
    await place.line.unplug()
    await desk.health("missing", code)
    if place.stays:
        assert (await desk.event()).what == "removed"
    await place.line.plug()
    await desk.health("ok")
    await place.do(place.show, 1)
    await desk.reads(place, 1)


async def test_every_fault_is_told_with_a_text_and_goes_by_itself(place: Place, desk: Desk) -> None:
    for name, fault in place.faults.items():
        loop = asyncio.get_running_loop()
        began = loop.time()
        await place.do(fault.begin)
        await desk.health(fault.health, fault.code)
        print(f"{place.driver}: {name} told after {loop.time() - began:.2f} s")
        assert all(fault.code in texts(language) for language in LANGUAGES)
        await place.do(fault.mend)
        if place.stays:  # some faults are known to be mended only by a card that is read
            await place.do(place.show, 2)
        await desk.health("ok")
        if not place.stays:
            await place.do(place.show, 2)
        await desk.reads(place, 2)
        await desk.taken(place)


async def test_what_cannot_be_read_is_asked_for_again_once(place: Place, desk: Desk) -> None:
    await place.do(place.spoil)
    assert (await desk.event()).what == "lay_again"
    await desk.quiet()
    await place.do(place.take)
    await asyncio.sleep(0.3)
    await place.do(place.show, 1)
    await desk.reads(place, 1)


async def test_events_that_nobody_takes_are_few(place: Place, desk: Desk) -> None:
    reader: Any = desk.reader
    for _ in range(EVENT_LIMIT + 2):
        reader._events.put(CardEvent("lay_again"))
    assert len(reader._events) == EVENT_LIMIT


async def test_without_its_line_it_does_not_open_and_closes_at_any_time(place: Place) -> None:
    await place.line.unplug()
    reader = place.reader()
    await reader.close()
    with pytest.raises(LineLostError):
        await reader.open()
    assert reader.health.state == "missing"
    await reader.close()
    await place.line.plug()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await reader.open()
                break
            except DriverError:  # the daemon has not found its reader yet
                await asyncio.sleep(0.05)
    await reader.open()
    assert reader.health.state == "ok"
    await reader.watch(True)
    await reader.close()
    await reader.close()


# ------------------------------------------------------------------ privacy


def forms(text: str) -> list[str]:
    """How a text could stand in a log or a repr."""
    found = [text]
    for encoding in ("utf-16-le", "utf-16-be", "utf-8", "gb18030"):
        data = text.encode(encoding)
        found += [data.hex(), data.hex(" "), data.hex().upper(), data.hex(" ").upper(), repr(data)[2:-1]]
    return found


async def test_nothing_of_a_person_is_in_a_log_a_repr_or_an_exception(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "BACK_OFF_MAX_S", 0.3)
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = (
        0.0  # asyncio says each step, with what it was called with and what came of it
    )
    said: list[str] = []
    async with supervised(place) as desk:
        await place.do(place.show, 0)
        event = await desk.event()
        assert place.is_of(event, 0)
        said += [repr(event), str(event), f"{event.card}{event.code}{event.chip}"]
        for give_away in (pickle.dumps, deepcopy, msgspec.json.encode):
            with pytest.raises(TypeError) as caught:
                give_away(event)
            said.append("".join(traceback.format_exception(caught.value)))
        for thing in reachable(desk.reader):
            said.append(repr(thing))
        await desk.taken(place)
        await place.do(place.spoil)  # fails half way
        while (await desk.event()).what != "lay_again":
            pass
        if isinstance(place.line, Line):
            place.line.faults.noise = 0.05
            await place.do(place.show, 1)
            await asyncio.sleep(0.1)
            place.line.faults.noise = 0.0
        await place.do(place.take)
        await place.do(place.show, 0)
        await place.line.unplug()
        await desk.health(
            "missing", desk.states[-1].code if desk.states[-1].health == "missing" else CODE[place.driver]
        )
        said += [repr(state) for state in desk.states]
        said += [repr(thing) for thing in reachable(desk.reader)]
    loop.set_debug(False)
    text = caplog.text + "\n".join(said)
    assert "Executing" in text
    for secret in place.secrets:
        for form in forms(secret):
            assert form not in text, f"{len(form)} characters leaked: …{_around(text, form)}"


CODE = {"sam_reader": "device.unplugged", "scanner": "device.unplugged", "pcsc_reader": "card.pcscd_stopped"}


def _around(text: str, form: str) -> str:
    at = text.index(form)
    return text[max(0, at - 80) : at]


def reachable(root: object) -> list[object]:
    """Every object that hangs on the driver, but for what a Secret holds inside."""
    seen: set[int] = set()
    stack, found = [root], []
    while stack and len(seen) < 20_000:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, type | type(asyncio) | asyncio.AbstractEventLoop):
            continue
        seen.add(id(thing))
        found.append(thing)
        if isinstance(thing, Secret | asyncio.Future):
            continue
        if type(thing).__module__.startswith(("drivers", "builtins", "collections", "serial", "datetime")):
            stack += gc.get_referents(thing)
    return found


async def test_a_code_or_card_that_was_taken_is_not_kept(place: Place, desk: Desk) -> None:
    await place.do(place.show, 0)
    event = await desk.event()
    assert place.is_of(event, 0)
    await place.do(place.take)
    if place.stays:
        assert (await desk.event()).what == "removed"
    del event
    gc.collect()
    assert not [thing for thing in reachable(desk.reader) if isinstance(thing, Secret)]
    for thing in reachable(desk.reader):
        if isinstance(thing, bytes | bytearray):
            for secret in place.secrets:
                assert secret.encode("utf-16-le") not in thing and secret.encode() not in thing
