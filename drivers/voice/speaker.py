"""Driver of one voice: reads calls aloud, one at a time (`queue`), from clips or the synthesiser.

An announcement is *begun* when it leaves the queue, which happens only when its sound is made and a
loudspeaker is there; *done* only when a loudspeaker (`outlets`) says that the last sample was played, at a
volume above 0. While all are lost the queue stays: what its deadline allows is spoken when one is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.driver import Fact, Health
from drivers.errors import DriverError
from drivers.voice.clips import ClipStore
from drivers.voice.espeak import Engine, Espeak, SynthesiserError
from drivers.voice.free_text import pieces
from drivers.voice.outlets import CHECK_S, OutletConfig, outlets
from drivers.voice.outputs import OutputConfig
from drivers.voice.pack import PackError, blocking_load, blocking_stamp
from drivers.voice.playing import OutputLostError
from drivers.voice.protocol import NO_FREE_TEXT, Announcement, SpeakResult
from drivers.voice.queue import EXPIRED, SUPERSEDED, Dropped, Waiting
from drivers.voice.queued_voice import REPEAT_LIMIT, FreeText, QueuedVoice
from drivers.voice.reading import DigitOne, Reading, common_tokens, reading
from drivers.voice.volume import Volume, VolumeStep
from drivers.voice.wav import Clip, WavError, joined, silence

log = logging.getLogger(__name__)

PROBLEMS_LOGGED: Final = 20
MUTED: Final = "voice.muted"


class SpeakerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`languages`: what this voice may speak; of an announcement's languages the others are left out.

    `also`: further loudspeakers, such as that of the corridor. `volume_schedule` takes the place of `volume`
    by time of day. `repeat`: in place of the announcement's own. `gap_s`: silence between repetitions and
    languages. `say`: names of counters and words in them → how the synthesiser says them. `clip_pack`: a pack
    of `paihao voice build`; None: all is synthesised. `voice_speed`: words a minute of the synthesiser.
    """

    output: OutputConfig
    also: Annotated[tuple[OutletConfig, ...], msgspec.Meta(max_length=8)] = ()
    languages: Annotated[tuple[Literal["zh-CN", "en"], ...], msgspec.Meta(min_length=1)] = ("zh-CN", "en")
    repeat: Annotated[int, msgspec.Meta(ge=1, le=REPEAT_LIMIT)] | None = None
    gap_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.5
    digit_one: DigitOne = "yao"
    say: Annotated[dict[str, str], msgspec.Meta(max_length=500)] = {}
    clip_pack: str | None = None
    voice_speed: Annotated[int, msgspec.Meta(ge=80, le=400)] = 160
    volume: Volume = 100
    volume_schedule: tuple[VolumeStep, ...] = ()
    chime: bool = False
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        names = [outlet.name for outlet in self.also]
        if len({"main", *names}) <= len(names):
            raise ValueError("also: every loudspeaker needs a name of its own, and not main")


class Speaker(QueuedVoice):
    """One voice. Implements `Voice`; binds to `Output`s. `now` is the clock of deadlines."""

    Config: ClassVar[type[msgspec.Struct]] = SpeakerConfig
    speaks_freely = True

    def __init__(
        self, config: SpeakerConfig, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(now)
        self._config = config
        self._outlets = outlets(
            config.output,
            config.volume,
            config.volume_schedule,
            config.also,
            lambda: self.local_time().time(),
        )
        self._outlets.on_change = self._report
        self._synthesiser = Espeak(config.engine, config.voice_speed)
        self._store = ClipStore(self._synthesiser)
        self._pack_problem: str | None = None
        self._pack_stamp: tuple[int, ...] | None = ()
        self._expired = 0
        self._unspoken = False
        self._warm: ClipStore | None = None
        self._cold = False
        self._busy = False

    # ------------------------------------------------------------------ the interface

    async def open(self) -> None:
        try:
            await self._outlets.check()
        except DriverError as error:
            self.report(Health("missing", error.code))
            raise
        await self._load_pack()
        self._report()

    async def serve(self) -> None:
        beside = [
            asyncio.create_task(self._keep_warm(), name="voice-warm"),
            asyncio.create_task(self._look_again(), name="voice-look"),
        ]
        try:
            while True:
                self._wake.clear()
                if not await self._speak_next() and not await self._speak_freely():
                    await self._idle()
        except OutputLostError as error:
            self.report(Health("missing", error.code))
            raise
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def close(self) -> None:
        await self._outlets.close()

    # ------------------------------------------------------------------ speaking

    async def _speak_next(self) -> bool:
        """Speak the first in the queue; False when there is none."""
        first = self._queue.first()
        if first is None:
            return False
        store = self._store  # a pack that is replaced meanwhile does not change this call
        readings = await self._readings(first, store)
        if not readings:
            return True
        await self._outlets.prepare()
        # a more urgent one, a newer one or the deadline may have come meanwhile
        if not self._queue.begin(first.key, asyncio.get_running_loop().time()):
            self._expire()
            return True
        words = " · ".join(read.text for read in readings)
        times = max(1, min(self._config.repeat or first.announcement.repeat, REPEAT_LIMIT))
        result = SpeakResult("failed", OutputLostError.code)
        try:
            sound = partial(self._sound, store, readings, times)
            heard = await self._outlets.play(sound, words)
            result = SpeakResult("done") if heard else SpeakResult("failed", MUTED)
        except DriverError as error:
            result = SpeakResult("failed", error.code)
            raise
        finally:  # whatever it is that ended it, nobody waits for ever
            self._queue.end()
            self._settle([(first.key, result)])
        self.seen()
        if not len(self._queue):
            self._busy = False
            self._report()
        return True

    async def _readings(self, waiting: Waiting, store: ClipStore) -> list[Reading]:
        """What is to be read, its sounds ready; empty when it cannot be said (then it is settled)."""
        announcement = waiting.announcement
        can: list[Reading] = []
        self._unspoken = False
        for language in self._languages(announcement):
            counter = announcement.counter.get(language) or next(iter(announcement.counter.values()), "")
            read = reading(announcement.number, counter, language, self._config.digit_one, self._say)
            try:
                await store.prepare([(language, token) for token in read.tokens])
            except SynthesiserError as error:
                log.warning("cannot speak %s: %s", language, error)
                self._unspoken = True
                continue
            can.append(read)
        if not can:
            self._queue.withdraw(waiting.key)
            self._settle([(waiting.key, SpeakResult("failed", SynthesiserError.code))])
            self._report()
        return can

    async def _sound(self, store: ClipStore, readings: list[Reading], times: int, volume: int) -> Clip:
        """The whole announcement at a volume."""
        gap = silence(self._config.gap_s)
        parts = [clip for read in readings for clip in (await store.spoken(read, volume), gap)]
        whole = (parts * times)[:-1]
        return joined([store.chime(volume), *whole] if self._config.chime else whole)

    async def _speak_freely(self) -> bool:
        """Say the newest free text, until it is replaced or a call comes; False when there is none."""
        free = self._free
        if free is None:
            return False
        free.begun = True
        result = SpeakResult("failed", OutputLostError.code)
        saying = asyncio.create_task(self._say_freely(free), name="voice-free")
        try:
            while self._wanted(free) and not saying.done():
                self._wake.clear()
                waking = asyncio.create_task(self._wake.wait())
                await asyncio.wait({saying, waking}, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
            if not saying.done() and self._outlets.break_off:
                saying.cancel()
            await asyncio.wait({saying})
            result = SUPERSEDED if saying.cancelled() else saying.result()
        except DriverError as error:
            result = SpeakResult("failed", error.code)
            raise
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
            self._free = None if self._free is free else self._free
            free.end(result)
        self.seen()
        return True

    def _wanted(self, free: FreeText) -> bool:
        return self._free is free and self._queue.first() is None

    async def _say_freely(self, free: FreeText) -> SpeakResult:
        store = self._store
        if free.language not in self._config.languages:
            return SpeakResult("failed", NO_FREE_TEXT)
        for piece in pieces(free.text, free.language, self._config.digit_one, self._say):
            read = Reading(free.language, piece.tokens, piece.text)
            try:
                await store.prepare([(free.language, token) for token in piece.tokens])
            except SynthesiserError as error:
                log.warning("cannot speak %s: %s", free.language, error)
                self._unspoken = True
                self._report()
                return SpeakResult("failed", error.code)
            if not self._wanted(free):
                return SUPERSEDED
            await self._outlets.prepare()
            sound = partial(self._piece, store, read, free.volume)
            if not await self._outlets.play(sound, piece.text):
                return SpeakResult("failed", MUTED)
        return SpeakResult("done")

    async def _piece(self, store: ClipStore, read: Reading, share: int, volume: int) -> Clip:
        return await store.spoken(read, min(100, max(1, volume * share // 100)))

    def _languages(self, announcement: Announcement) -> list[str]:
        mine: tuple[str, ...] = self._config.languages
        return [language for language in announcement.languages if language in mine] or [mine[0]]

    @property
    def _say(self) -> dict[str, str]:
        """The hall's own readings; those of the options before those of the pack."""
        pack = self._store.pack
        return {**(pack.manifest.say if pack is not None else {}), **self._config.say}

    async def _load_pack(self) -> None:
        """Load the pack when it has changed. One that cannot be used is a fault that people see; what was
        loaded before, and the synthesiser, speak meanwhile."""
        if self._config.clip_pack is None:
            return
        path = Path(self._config.clip_pack)
        stamp = await asyncio.to_thread(blocking_stamp, path)
        if stamp == self._pack_stamp:
            return
        self._pack_stamp = stamp
        try:
            pack = await asyncio.to_thread(blocking_load, path)
        except PackError as error:
            log.error("clip pack: %s", error)
            self._pack_problem = error.code
        else:
            for problem in pack.problems[:PROBLEMS_LOGGED]:
                log.error("clip pack: %s", problem)
            self._pack_problem = WavError.code if pack.problems else None
            self._store = ClipStore(self._synthesiser, pack)
        self._report()

    async def _look_again(self) -> None:
        """For loudspeakers that are lost, and for a pack that was replaced."""
        while True:
            await asyncio.sleep(CHECK_S)
            await self._outlets.find()
            await self._load_pack()

    async def _keep_warm(self) -> None:
        """Make every common sound before it is wanted; again after a pack was replaced or it went wrong."""
        while True:
            store = self._store
            if store is not self._warm:
                await self._make_common(store)
            await asyncio.sleep(CHECK_S)

    async def _make_common(self, store: ClipStore) -> None:
        cold = False
        try:
            await store.prepare(common_tokens(self._config.languages, self._config.digit_one))
            self._warm = store
        except SynthesiserError as error:
            log.log(
                logging.DEBUG if self._cold else logging.WARNING, "not every sound can be made: %s", error
            )
            cold = True
        if cold != self._cold:
            self._cold = cold
            self._report()

    async def _idle(self) -> None:
        """Wait for something to say, or look after the loudspeaker."""
        try:
            async with asyncio.timeout(CHECK_S):
                await self._wake.wait()
        except TimeoutError:
            await self._outlets.check()
            self.seen()
            self._busy = False  # nobody waited all the time
            self._report()  # the hour may have changed the volume

    # ------------------------------------------------------------------ what became of it

    def _settle(self, ended: Dropped) -> None:
        for key, result in ended:
            if result.outcome == "expired" and self.health.state in ("missing", "fault"):
                result = SpeakResult("expired", self.health.code)  # it was not talk that it waited for
            super()._settle([(key, result)])
            if result.outcome == "expired":
                self._expired += 1
                if self.health.state in ("ok", "degraded"):
                    self._busy = True
                    self._report()

    def _facts(self) -> dict[str, Fact]:
        facts: dict[str, Fact] = {
            "synthesiser": self._synthesiser.found(),
            "expired": self._expired,
            "volume": self._outlets.volume,
        }
        if lost := self._outlets.lost:
            facts["outputs_lost"] = " ".join(sorted(lost))
        if self._store.pack is not None:
            facts["clips"] = len(self._store.pack.clips)
        return facts

    def _report(self) -> None:
        """The health as far as it is known here; with all loudspeakers lost, `serve` says so."""
        if self._outlets.all_lost:
            return
        facts = self._facts()
        codes = (
            (facts["synthesiser"] is None and self._store.pack is None, SynthesiserError.code),
            (not facts["volume"], MUTED),
            (bool(self._outlets.lost), "voice.output_partly_lost"),
            (self._busy, EXPIRED.code),
            (self._unspoken or self._cold, SynthesiserError.code),
            (self._pack_problem is not None, self._pack_problem),
        )
        code = next((code for wrong, code in codes if wrong), None)
        if code is None:
            self.report(Health("ok", None, facts))
        else:
            self.report(Health("fault" if codes[0][0] else "degraded", code, facts))
