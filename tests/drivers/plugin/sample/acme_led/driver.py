"""Driver of the Acme strip: three functions on top of `LineScreen`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

import msgspec

from acme_led.frames import Answer, AnswerReader, Command, Question
from drivers.call_screen.line_screen import LineScreen
from drivers.call_screen.paced_screen import Pace, RefusalError
from drivers.call_screen.protocol import ScreenText
from drivers.call_screen.text_layout import gb2312, lay_out
from drivers.transport.table import TransportConfig


class AcmeLedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`width`: in cells, half as wide as a Chinese character."""

    transport: TransportConfig
    address: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1
    width: Annotated[int, msgspec.Meta(ge=4, le=64)] = 16


class AcmeLed(LineScreen[Answer]):
    Config: ClassVar[type[msgspec.Struct]] = AcmeLedConfig

    def __init__(self, config: AcmeLedConfig) -> None:
        super().__init__(config.transport, Pace(min_interval_s=0.2), answer_s=0.5)
        self._config = config
        self._reader_of_answers = AnswerReader()

    async def _prepare(self) -> None:
        self._reader_of_answers.clear()

    def _answers(self, data: bytes) -> Iterable[Answer]:
        return self._reader_of_answers.feed(data)

    async def _put(self, content: ScreenText) -> str | None:
        text, changed = gb2312(lay_out(content, self._config.width).text, 255)
        await self._question(Command.TEXT, text)
        return "screen.text_changed" if changed else None

    async def _ping(self) -> None:
        await self._question(Command.PING)

    async def _question(self, command: Command, text: bytes = b"") -> None:
        address = self._config.address
        wire = Question(address, command, text).to_bytes()
        answer = await self._ask(wire, lambda answer: answer.address == address)
        if answer.refusal is not None:
            raise RefusalError("screen.refused", answer.refusal, again=answer.refusal == 1)
