"""Driver for one loudspeaker: reads calls aloud, one at a time (`queue`), from clips or the synthesiser.

An announcement is *begun* when it leaves the queue, which happens only when its sound is made and the way
out is open; *done* only when the output says that the last sample was played. While the output is lost
the queue stays: what its deadline allows is spoken when the output is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.driver import Fact, Health
from drivers.errors import DriverError
from drivers.voice.clips import ClipStore
from drivers.voice.espeak import Engine, Espeak, SynthesiserError
from drivers.voice.outputs import OutputConfig, OutputLostError, output
from drivers.voice.protocol import Announcement, SpeakResult, Voice
from drivers.voice.queue import AnnouncementQueue, Dropped, Waiting
from drivers.voice.reading import DigitOne, common_tokens, reading
from drivers.voice.wav import Clip, chime, joined, silence

log = logging.getLogger(__name__)

CHECK_S: Final = 5.0
"""How often a loudspeaker that has nothing to say is asked whether it is there."""
DEADLINE_LIMIT_S: Final = 300.0
"""No announcement waits longer, whatever a clock that was set wrong makes of its deadline."""
REPEAT_LIMIT: Final = 5


class SpeakerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`languages`: what this loudspeaker may speak; of an announcement's languages the others are left out.

    `repeat`: in place of the announcement's own. `gap_s`: silence between repetitions and languages.
    `voice_speed`: words a minute of the synthesiser. `volume`: per cent.
    `clip_pack`: a folder as described in `clips`; None: all is synthesised.
    """

    output: OutputConfig
    languages: Annotated[tuple[Literal["zh-CN", "en"], ...], msgspec.Meta(min_length=1)] = ("zh-CN", "en")
    repeat: Annotated[int, msgspec.Meta(ge=1, le=REPEAT_LIMIT)] | None = None
    gap_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.5
    digit_one: DigitOne = "yao"
    clip_pack: str | None = None
    voice_speed: Annotated[int, msgspec.Meta(ge=80, le=400)] = 160
    volume: Annotated[int, msgspec.Meta(ge=0, le=100)] = 100
    chime: bool = False
    engine: Engine = "auto"


class Speaker(Voice):
    """One loudspeaker. Implements `Voice`; binds to an `Output`. `now` is the clock of deadlines."""

    Config: ClassVar[type[msgspec.Struct]] = SpeakerConfig

    def __init__(
        self, config: SpeakerConfig, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__()
        self._config = config
        self._now = now
        self._output = output(config.output)
        self._synthesiser = Espeak(config.engine, config.voice_speed)
        pack = Path(config.clip_pack) if config.clip_pack else None
        self._store = ClipStore(self._synthesiser, pack, config.volume)
        self._queue = AnnouncementQueue()
        self._results: dict[int, asyncio.Future[SpeakResult]] = {}
        self._wake = asyncio.Event()
        self._expired = 0
        self._unspoken = False

    # ------------------------------------------------------------------ the interface

    async def open(self) -> None:
        try:
            await self._output.check()
        except DriverError as error:
            self.report(Health("missing", error.code))
            raise
        self._report()

    async def serve(self) -> None:
        warming = asyncio.create_task(self._warm(), name="voice-warm")
        try:
            while True:
                self._wake.clear()
                if not await self._speak_next():
                    await self._idle()
        except OutputLostError as error:
            self.report(Health("missing", error.code))
            raise
        finally:
            warming.cancel()

    async def close(self) -> None:
        await self._output.close()

    async def say(self, announcement: Announcement) -> SpeakResult:
        loop = asyncio.get_running_loop()
        left = min((announcement.deadline - self._now()).total_seconds(), DEADLINE_LIMIT_S)
        deadline = loop.time() + left
        key, dropped = self._queue.put(announcement, deadline, loop.time())
        result: asyncio.Future[SpeakResult] = loop.create_future()
        self._results[key] = result
        self._settle(dropped)
        self._wake.set()
        timer = loop.call_at(deadline, self._expire)
        try:
            return await result
        finally:
            timer.cancel()
            self._queue.withdraw(key)
            self._results.pop(key, None)

    # ------------------------------------------------------------------ speaking

    async def _speak_next(self) -> bool:
        """Speak the first in the queue; False when there is none."""
        first = self._queue.first()
        if first is None:
            return False
        rendered = await self._render(first)
        if rendered is None:
            return True
        await self._output.prepare()
        # a more urgent one, a newer one or the deadline may have come meanwhile
        if not self._queue.begin(first.key, asyncio.get_running_loop().time()):
            self._expire()
            return True
        try:
            await self._output.play(*rendered)
        except OutputLostError as error:
            self._settle([(first.key, SpeakResult("failed", error.code))])
            raise
        except asyncio.CancelledError:
            self._settle([(first.key, SpeakResult("failed", OutputLostError.code))])
            raise
        finally:
            self._queue.end()
        self.seen()
        self._settle([(first.key, SpeakResult("done"))])
        if not len(self._queue):
            self._report()
        return True

    async def _render(self, waiting: Waiting) -> tuple[Clip, str] | None:
        """The sound and the words; None when it cannot be said (then it is settled)."""
        announcement = waiting.announcement
        parts: list[Clip] = []
        texts: list[str] = []
        gap = silence(self._config.gap_s)
        self._unspoken = False
        for language in self._languages(announcement):
            counter = announcement.counter.get(language) or next(iter(announcement.counter.values()), "")
            read = reading(announcement.number, counter, language, self._config.digit_one)
            try:
                spoken = await self._store.spoken(read)
            except SynthesiserError as error:
                log.warning("cannot speak %s: %s", language, error)
                self._unspoken = True
                continue
            parts += (spoken, gap)
            texts.append(read.text)
        if not parts:
            self._queue.withdraw(waiting.key)
            self._settle([(waiting.key, SpeakResult("failed", SynthesiserError.code))])
            self._report()
            return None
        times = max(1, min(self._config.repeat or announcement.repeat, REPEAT_LIMIT))
        whole = (parts * times)[:-1]
        if self._config.chime:
            whole = [self._store.own("chime") or chime().scaled(self._config.volume / 100), *whole]
        return joined(whole), " · ".join(texts)

    def _languages(self, announcement: Announcement) -> list[str]:
        mine: tuple[str, ...] = self._config.languages
        return [language for language in announcement.languages if language in mine] or [mine[0]]

    async def _warm(self) -> None:
        """Make every common sound before it is wanted."""
        try:
            await self._store.prepare(common_tokens(self._config.languages, self._config.digit_one))
        except SynthesiserError as error:
            log.warning("not every sound can be made: %s", error)
            self._unspoken = True
            self._report()

    async def _idle(self) -> None:
        """Wait for something to say, or look after the loudspeaker."""
        try:
            async with asyncio.timeout(CHECK_S):
                await self._wake.wait()
        except TimeoutError:
            await self._output.check()
            self.seen()

    # ------------------------------------------------------------------ what became of it

    def _expire(self) -> None:
        self._settle(self._queue.expire(asyncio.get_running_loop().time()))

    def _settle(self, ended: Dropped) -> None:
        for key, result in ended:
            future = self._results.get(key)
            if future is not None and not future.done():
                future.set_result(result)
            if result.outcome == "expired":
                self._expired += 1
                if self.health.state in ("ok", "degraded"):
                    self.report(Health("degraded", result.code, self._facts()))

    def _facts(self) -> dict[str, Fact]:
        return {"synthesiser": self._synthesiser.found(), "expired": self._expired}

    def _report(self) -> None:
        """The health as far as the voice itself goes: the way out is there."""
        facts = self._facts()
        if facts["synthesiser"] is None and self._config.clip_pack is None:
            self.report(Health("fault", SynthesiserError.code, facts))
        elif self._unspoken:
            self.report(Health("degraded", SynthesiserError.code, facts))
        else:
            self.report(Health("ok", None, facts))
