"""Driver of LED displays that take GB2312 text by Modbus RTU holding registers ("LED-485").

Binds to: serial (RS-485, several displays on one line with `shared = true`), TCP serial servers. Implements:
CallScreen. Frames and sources: `modbus_frames`.

No two makers lay out their registers alike, so the layout is configured: see the display's manual and
`ModbusDisplayConfig`. Colour, flash and motion are written before the text, `apply` after it. A display that
is told the same again is told nothing: only what changed is written, and all of it after a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.call_screen.brightness import Brightness, scaled
from drivers.call_screen.line_screen import LineScreen
from drivers.call_screen.modbus_frames import (
    MOST_READ,
    MOST_REGISTERS,
    ModbusAnswers,
    ModbusException,
    ModbusFrame,
    read,
    write,
    write_one,
)
from drivers.call_screen.paced_screen import Pace, RefusalError
from drivers.call_screen.protocol import Colour, ScreenText
from drivers.call_screen.text_layout import Layout, cells, gb2312, lay_out
from drivers.transport.table import TransportConfig

Register = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Value = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]

_REFUSALS: Final[dict[int, str]] = {
    ModbusException.BUSY: "screen.refused_busy",
    ModbusException.FUNCTION: "screen.refused_model",
    ModbusException.REGISTER: "screen.refused_model",
    ModbusException.VALUE: "screen.refused_model",
}


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A register that is one of two values, such as blinking or not."""

    register: Register
    on: Value = 1
    off: Value = 0


class ColourRegister(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    register: Register
    red: Value = 1
    green: Value = 2
    yellow: Value = 3


class Dimmer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`top`: the display's own greatest value."""

    register: Register
    top: Value = 15


class Fixed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A register that gets this value."""

    register: Register
    value: Value = 1


class ModbusDisplayConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`width`: cells of a line, half as wide as a Chinese character; `text`: first register of the text;
    `registers`: how many there are, two bytes each, the rest filled with `fill`. `length`: register for the
    number of bytes. `low_first`: the first byte of two stands in the low half. `one_by_one`: for displays
    without function 10. `scrolls`, `flashes`, `colour`, `brightness_register`: where it has them. `apply`:
    written last. `ping`: register that is read to see whether it is there, where the text itself cannot be
    read; it is then sent again every minute.
    """

    transport: TransportConfig
    address: Annotated[int, msgspec.Meta(ge=1, le=247)] = 1
    width: Annotated[int, msgspec.Meta(ge=4, le=128)] = 16
    lines: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    text: Register = 0
    registers: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 32
    fill: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0x20
    low_first: bool = False
    one_by_one: bool = False
    length: Register | None = None
    scrolls: Choice | None = None
    flashes: Choice | None = None
    colour: ColourRegister | None = None
    brightness_register: Dimmer | None = None
    brightness: Brightness | None = None
    apply: Fixed | None = None
    ping: Register | None = None
    answer_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 0.5
    retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2
    min_interval_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.3

    def __post_init__(self) -> None:
        if self.text + self.registers > 0x10000:
            raise ValueError("the text ends beyond register 65535")
        if 2 * self.registers < self.width * self.lines:
            raise ValueError(
                "the registers hold less than what the screen shows: 2 × registers < width × lines"
            )
        if self.brightness is not None and self.brightness_register is None:
            raise ValueError("brightness needs brightness_register")


class ModbusDisplay(LineScreen[ModbusFrame]):
    """One display. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = ModbusDisplayConfig

    def __init__(self, config: ModbusDisplayConfig) -> None:
        pace = Pace(config.min_interval_s, config.retries)
        super().__init__(config.transport, pace, config.brightness, answer_s=config.answer_s)
        self._config = config
        self._frames = ModbusAnswers(config.address)
        self._written: dict[int, int] = {}
        """What every register was last given, as far as the display said so."""

    async def _prepare(self) -> None:
        self._frames.clear()
        self._written.clear()

    def _answers(self, data: bytes) -> Iterable[ModbusFrame]:
        return self._frames.feed(data)

    async def _put(self, content: ScreenText) -> str | None:
        before, text, after, changed = registers(content, self._config)
        for register, value in before.items():
            await self._set(register, value)
        await self._write_text(text)
        for register, value in after.items():
            await self._exchange_frame(write_one(self._config.address, register, value))
        return "screen.text_changed" if changed else None

    async def _ping(self) -> None:
        config = self._config
        if config.ping is not None:
            await self._exchange_frame(read(config.address, config.ping))
            return
        count = min(config.registers, -(-config.width * config.lines // 2), MOST_READ)
        answer = await self._exchange_frame(read(config.address, config.text, count))
        for n in range(count):
            shown = int.from_bytes(answer.data[1 + 2 * n : 3 + 2 * n], "big")
            if shown != self._written.get(config.text + n, shown):
                self._forgotten()  # it lost its power meanwhile, or shows an older text
                break

    def _must_renew(self) -> bool:
        return self._config.ping is not None

    def _forgotten(self) -> None:
        self._written.clear()
        super()._forgotten()

    async def _dim(self, level: int) -> None:
        dimmer = self._config.brightness_register
        if dimmer is not None:
            await self._set(dimmer.register, scaled(level, dimmer.top))

    async def _set(self, register: int, value: int) -> None:
        if self._written.get(register) != value:
            self._written.pop(register, None)  # until it answers, nobody knows
            await self._exchange_frame(write_one(self._config.address, register, value))
            self._written[register] = value

    async def _write_text(self, values: tuple[int, ...]) -> None:
        config = self._config
        if config.one_by_one:
            for n, value in enumerate(values):
                await self._set(config.text + n, value)
            return
        for start in range(0, len(values), MOST_REGISTERS):
            part = values[start : start + MOST_REGISTERS]
            for n in range(len(part)):
                self._written.pop(config.text + start + n, None)
            await self._exchange_frame(write(config.address, config.text + start, part))
        self._written |= {config.text + n: value for n, value in enumerate(values)}

    async def _exchange_frame(self, question: ModbusFrame) -> ModbusFrame:
        """Raises RefusalError, NoAnswerError, LineLostError."""
        self._frames.clear()

        def mine(answer: ModbusFrame) -> bool:
            return answer.function & 0x7F == question.function and (
                answer.refusal is not None or _echoes(question, answer)
            )

        answer = await self._ask(question.to_bytes(), mine)
        if answer.refusal is not None:
            code = _REFUSALS.get(answer.refusal, "screen.refused")
            raise RefusalError(code, answer.refusal, again=answer.refusal == ModbusException.BUSY)
        return answer


def _echoes(question: ModbusFrame, answer: ModbusFrame) -> bool:
    """Whether the answer names what the question named; a read answers with as many values."""
    if question.function == 3:
        return bool(answer.data) and answer.data[0] == 2 * int.from_bytes(question.data[2:4], "big")
    return answer.data == question.data[:4]


def registers(
    content: ScreenText, config: ModbusDisplayConfig
) -> tuple[dict[int, int], tuple[int, ...], dict[int, int], bool]:
    """What to write for a text: before it, the text's registers, after it; and whether it had to change."""
    layout = lay_out(content, config.width, config.lines)
    encoded, changed = gb2312(_filled(layout, config), 2 * config.registers)
    order: Literal["little", "big"] = "little" if config.low_first else "big"
    whole = encoded.ljust(2 * config.registers, bytes((config.fill,)))
    values = tuple(int.from_bytes(whole[n : n + 2], order) for n in range(0, len(whole), 2))
    before: dict[int, int] = {}
    if config.colour is not None:
        colours: dict[Colour, int] = {
            "red": config.colour.red,
            "green": config.colour.green,
            "yellow": config.colour.yellow,
        }
        before[config.colour.register] = colours[layout.colour]
    for choice, wanted in ((config.flashes, layout.flashes), (config.scrolls, layout.scrolls)):
        if choice is not None:
            before[choice.register] = choice.on if wanted else choice.off
    if config.length is not None:
        before[config.length] = len(encoded)
    after = {config.apply.register: config.apply.value} if config.apply is not None else {}
    return before, values, after, changed


def _filled(layout: Layout, config: ModbusDisplayConfig) -> str:
    """Several lines stand one behind the other, each filled to the width."""
    if len(layout.lines) == 1:
        return layout.lines[0]
    return "".join(line + " " * (config.width - cells(line)) for line in layout.lines)
