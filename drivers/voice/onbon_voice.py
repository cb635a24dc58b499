"""Driver of an Onbon card that speaks by itself (5K/6K -YY, 6th generation with voice): the voice of a zone.

Binds to: serial (on RS-485 with `shared`, beside the `onbon_bx` of the same card), TCP, UDP. Implements:
Voice.
Commands and sources: `drivers.call_screen.onbon_bx_commands` (K protocol 8.25, 6th generation 5.4.4).

- **No call is spoken twice.** Only this driver speaks: the screen's own driver never uses the sound field of
  an area. A command to speak is sent once; when its answer is lost the call has *failed*, though it may have
  been heard. Only a card that says that it was busy, or that the command came spoiled, is told again.
- The card acknowledges when it has understood, not when it has spoken; nothing tells when it ends. So the
  next call waits as long as the text takes at the set speed (an estimate: 0.28 s a syllable at speed 5,
  untried), and `done` is said then.
- Ticket numbers are read digit by digit; a number in the name of a counter is written as a numeral (十二).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.call_screen.dialogue import Dialogue
from drivers.call_screen.onbon_bx_card import OnbonCard, refusal_code, worth_repeating
from drivers.call_screen.onbon_bx_commands import CardError, Command, Reply, Speech
from drivers.call_screen.onbon_bx_frames import ADDRESS_ANY
from drivers.call_screen.text_layout import gb2312
from drivers.driver import Health
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.transport.table import TransportConfig
from drivers.voice.protocol import Announcement, SpeakResult
from drivers.voice.queue import Waiting
from drivers.voice.queued_voice import REPEAT_LIMIT, QueuedVoice
from drivers.voice.reading import reading, zh_numeral

PING_S: Final = 2.0
SYLLABLE_S: Final = 0.28
"""At speed 5; a character of Chinese, a digit or a letter is one."""
PAUSE_S: Final = 0.5
"""Between two times."""
TEXT_LIMIT: Final = 480
"""Bytes of a text to speak."""
_WORTH_A_TRY: Final = 3

Tone = Annotated[int, msgspec.Meta(ge=0, le=10)]


class OnbonVoiceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`family`: "k" 5K/6K -YY; "6e", "6q" cards with voice. `person`: the voice of the card, 0–5. `volume`,
    `speed`: 0–10. `languages`: what the card can speak. `repeat`: in place of the announcement's own."""

    transport: TransportConfig
    family: Literal["k", "6e", "6q"] = "k"
    device_type: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] | None = None
    address: Annotated[int, msgspec.Meta(ge=1, le=0xFFFE)] = ADDRESS_ANY
    languages: Annotated[tuple[Literal["zh-CN", "en"], ...], msgspec.Meta(min_length=1)] = ("zh-CN",)
    person: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    volume: Tone = 5
    speed: Tone = 5
    repeat: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    reply_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.2
    retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2

    @property
    def reaches_all(self) -> bool:
        """Whether every card of the line takes its orders."""
        return self.address == ADDRESS_ANY


class OnbonVoice(QueuedVoice):
    """One card's loudspeaker. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = OnbonVoiceConfig

    def __init__(
        self, config: OnbonVoiceConfig, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(now)
        self._config = config
        self._card = OnbonCard(config.family, config.address, config.device_type)
        self._dialogue = Dialogue(config.transport, self._card.answers, self._lost, self.seen)
        self._ping_s = self._dialogue.ping_s(config.reply_timeout_s)
        self._failure: DriverError | None = None
        self._mute = False

    # ------------------------------------------------------------ Driver

    async def open(self) -> None:
        await self.close()
        self._card.reset()
        self._failure = None
        self._mute = False
        try:
            await self._dialogue.open()
            await self._ping()
        except DriverError as error:
            await self.close()
            self.report(Health("missing", error.code))
            raise
        self.report(Health("ok"))

    async def serve(self) -> None:
        """Speak what waits, one after another; ping when it is quiet."""
        while True:
            if self._failure is not None:
                raise self._failure
            self._wake.clear()
            first = self._queue.first()
            try:
                if first is not None:
                    await self._speak(first)
                    continue
                async with asyncio.timeout(PING_S):
                    await self._wake.wait()
                    continue
            except TimeoutError as error:
                if isinstance(error, DriverError):
                    self.report(Health("missing", error.code))
                    raise
            await self._ping()

    async def close(self) -> None:
        await self._dialogue.close()

    # ------------------------------------------------------------ inside

    async def _speak(self, waiting: Waiting) -> None:
        """Raises what ends `serve`; whatever happens, the announcement is settled."""
        loop = asyncio.get_running_loop()
        if not self._queue.begin(waiting.key, loop.time()):
            self._expire()
            return
        speech = self._speech(waiting.announcement)
        result = SpeakResult("failed", LineLostError.code)
        try:
            error = await self._tell(speech)
            if error:
                self._mute = error in (CardError.GROUP, CardError.COMMAND)
                code = "voice.card_mute" if self._mute else refusal_code(error)
                self.report(Health("fault", code))
                result = SpeakResult("failed", code)
                return
            self.report(Health("ok"))
            await self._quiet_for(duration_s(speech))
            result = SpeakResult("done")
        except DriverError as error:
            result = SpeakResult("failed", error.code)
            raise
        finally:
            self._queue.end()
            self._settle([(waiting.key, result)])

    def _speech(self, announcement: Announcement) -> Speech:
        config = self._config
        spoken = [said for said in announcement.languages if said in config.languages] or [
            config.languages[0]
        ]
        texts = []
        for language in spoken:
            counter = announcement.counter.get(language) or next(iter(announcement.counter.values()), "")
            if language == "zh-CN":
                counter = re.sub(r"[0-9]{1,4}", lambda found: zh_numeral(int(found.group())), counter)
            texts.append(reading(announcement.number, counter, language).text)
        text, _ = gb2312("，".join(texts), TEXT_LIMIT)
        times = config.repeat or max(1, min(announcement.repeat, REPEAT_LIMIT))
        return Speech(text, config.person, config.volume, config.speed, times, PAUSE_S)

    async def _tell(self, speech: Speech) -> int:
        """The error of the card's answer. Sent again only when the card says that it was not taken."""
        error = 0
        for _ in range(_WORTH_A_TRY):
            if self._config.family == "k":
                reply = await self._say(Command.SPEAK, speech.k_payload())
            else:
                reply = await self._say(Command.MATRIX_SPEAK, speech.matrix_payload())
            error = reply.error
            if not worth_repeating(error):
                break
            await asyncio.sleep(PAUSE_S)
        return error

    async def _quiet_for(self, seconds: float) -> None:
        """The card is speaking: nothing else is said. A lost line, or a card without an answer, ends it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        ping_at = loop.time() + PING_S
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.2, PING_S))
            if self._failure is not None:
                raise self._failure
            if loop.time() >= ping_at:
                await self._ping()
                ping_at = loop.time() + PING_S
        await self._ping()  # without power it was not heard

    async def _say(self, command: Command, payload: bytes = b"", *, answer_s: float | None = None) -> Reply:
        request = self._card.request(command, payload)
        wait = self._config.reply_timeout_s if answer_s is None else answer_s
        urgent = command is not Command.PING
        return (await self._dialogue.ask(request.wire, wait, request.mine, urgent=urgent)).reply

    async def _ping(self) -> None:
        for left in reversed(range(1 + self._config.retries)):
            try:
                await self._say(Command.PING, answer_s=self._ping_s)
                break
            except NoAnswerError as error:
                if not left:
                    self.report(Health("missing", error.code))
                    raise
        if not self._mute and self.health.state != "unknown":
            self.report(Health("ok"))

    def _lost(self, error: DriverError) -> None:
        self._failure = error
        self.report(Health("missing", error.code))
        self._wake.set()


def duration_s(speech: Speech) -> float:
    """How long the card may take to speak, all times and the pauses between them."""
    syllables = len(speech.text.decode("gb2312").replace(" ", ""))
    once = 0.5 + syllables * SYLLABLE_S * 5 / max(1, speech.speed)
    return speech.times * once + (speech.times - 1) * speech.pause_s
