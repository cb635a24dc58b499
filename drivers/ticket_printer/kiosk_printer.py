"""Driver for kiosk printers that present a ticket and take it back: Custom VKP80II/III, Pyramid Reliance.

Proved as every ticket (`proved_printer`); the presenting command stands for the cut. After that the printer
is asked often enough to say when the paper is taken. One that is left is retracted (or ejected) after
`retract_s`, and at the latest before the next ticket. A slip that is void is never presented.

Sources: see `kiosk_frames`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.driver import Fact
from drivers.errors import NoAnswerError
from drivers.ticket_printer import escpos_frames as frames
from drivers.ticket_printer import kiosk_frames as kiosk
from drivers.ticket_printer.escpos_line import EscposLine, Status
from drivers.ticket_printer.escpos_ticket import Job, Mode, TicketWriter
from drivers.ticket_printer.kiosk_frames import Ejector, FullStatus
from drivers.ticket_printer.kiosk_line import KioskLine
from drivers.ticket_printer.kiosk_outlet import RETRACT_S, Outlet
from drivers.ticket_printer.layout import TicketLine
from drivers.ticket_printer.paper_length import DOTS_PER_MM
from drivers.ticket_printer.protocol import OutletEvent, Paper
from drivers.ticket_printer.proved_printer import ProvedConfig, ProvedPrinter
from drivers.transport.transport import Transport

logger = logging.getLogger(__name__)

ModelName = Literal["vkp80ii", "vkp80iii", "reliance"]
WATCH_S: Final = 0.25
"""Between two looks at a paper in the outlet."""
SETTLE_S: Final = 0.4
"""The outlet is empty when nothing was seen in it for so long: a hand there makes the sensor flicker."""
TIMER_SLACK_S: Final = 1.0
"""The printer's own clock may be so much ahead."""
LINE_MM: Final = 3


@dataclass(frozen=True, slots=True)
class Model:
    """What differs between the makes.

    `step_mm`: of the presenter. `own_timer`: the printer itself retracts after the time in the presenting
    command, and knows no retraction at once. `patient`: it does not answer while paper moves.
    `shortest_mm`: shorter tickets are filled up with blank paper.
    """

    step_mm: float
    own_timer: bool = False
    patient: bool = False
    shortest_mm: float = 0.0


MODELS: Final[dict[ModelName, Model]] = {
    # step: as the makers' tables give it for the presenter of this family; not seen in the manual itself
    "vkp80ii": Model(step_mm=7.3, shortest_mm=70),
    # step 5 mm, shortest ticket 70 mm (its default): commands manual
    "vkp80iii": Model(step_mm=5.0, own_timer=True, shortest_mm=70),
    # step 7 mm, silent while paper is fed: documentation; its shortest ticket is not given
    "reliance": Model(step_mm=7.0, patient=True),
}

Millimetres = Annotated[float, msgspec.Meta(gt=0, le=500)]


class KioskConfig(ProvedConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a kiosk printer, besides those of `ProvedConfig`.

    `mode` is raster unless the printer is known to have a Chinese font. `present_mm`: so far a ticket stands
    out. `feed_mm`: from the head to the knife. `step_mm`, `shortest_mm`: where the unit differs from its
    model. `blink`: the mouth blinks (VKP80III). A ticket that lies there counts as left after `left_s`
    seconds; after `retract_s` (0: never) `not_taken` is done with it, and before the next ticket at the
    latest ("leave": ejected then). Retracting has to be enabled in the printer's own set-up.
    """

    model: ModelName
    mode: Mode = "raster"
    present_mm: Millimetres = 80.0
    feed_mm: Annotated[float, msgspec.Meta(ge=0, le=60)] = 12.0
    step_mm: Millimetres | None = None
    shortest_mm: Annotated[float, msgspec.Meta(ge=0, le=500)] | None = None
    blink: bool = True
    left_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 10.0
    retract_s: Annotated[float, msgspec.Meta(ge=0, le=250)] = 30.0
    not_taken: Literal["retract", "eject", "leave"] = "retract"


class KioskWriter(TicketWriter):
    """Jobs without what these printers do not know: white rows instead of ESC J.

    Void slips end in `away` instead of being presented.
    """

    def __init__(self, config: KioskConfig, feed: bytes, away: bytes) -> None:
        prelude = kiosk.DOT_UNITS
        if not MODELS[config.model].own_timer:
            prelude += kiosk.ejector(Ejector.HOLD)
        super().__init__(
            config.profile, feed + away, prelude, columns=config.columns, mode=config.mode, quick=True
        )

    def _raster(self, lines: Iterable[TicketLine]) -> Iterator[bytes]:
        for command in super()._raster(lines):
            if command[:2] == b"\x1bJ":
                yield from frames.raster(frames.Bitmap(1, bytes(command[2])))
            else:
                yield command


class KioskPrinter(ProvedPrinter):
    """`on_outlet` tells what becomes of each paper; facts `outlet` and `retracted`."""

    Config: ClassVar = KioskConfig

    def __init__(self, config: KioskConfig, *, line: Transport | None = None) -> None:
        super().__init__(config, line=line)
        self._config: KioskConfig = config
        self._model = MODELS[config.model]
        away_s = config.retract_s if config.retract_s and config.not_taken != "leave" else None
        self._outlet = Outlet(config.left_s, away_s, min(SETTLE_S, 2 * config.poll_s), self._became)
        self._retractions: int | None = None
        """As the printer counted them before the paper that lies there."""

    # ---------------------------------------------------------------- what the model is

    @property
    def _patient(self) -> bool:
        return self._model.patient

    @property
    def _pause_s(self) -> float:
        return min(WATCH_S, self._config.poll_s) if self._outlet.occupied else self._config.poll_s

    def _line_on(self, transport: Transport) -> EscposLine:
        config = self._config
        return KioskLine(transport, answer_s=config.answer_s, write_s=config.write_s, owed=self._owed)

    def _blocking_writer(self) -> TicketWriter:
        return KioskWriter(self._config, self._feed, self._away)

    @property
    def _feed(self) -> bytes:
        """From the head to the knife."""
        lines = -(-int(self._config.feed_mm) // LINE_MM)
        return frames.line_spacing(LINE_MM * DOTS_PER_MM) + frames.LINE_FEED * lines

    @property
    def _away(self) -> bytes:
        """Cuts off what is in the printer, or takes what lies in the outlet, and has it out of the way."""
        retract = self._config.not_taken == "retract"
        if self._model.own_timer:
            return kiosk.present_for(1, 1, blink=False, retract=retract)
        return kiosk.ejector(Ejector.RETRACT if retract else Ejector.EJECT)

    @property
    def _present(self) -> bytes:
        config = self._config
        steps = max(1, min(255, round(config.present_mm / (config.step_mm or self._model.step_mm))))
        if not self._model.own_timer:
            return kiosk.present(steps)
        seconds = max(1, round(config.retract_s)) if config.retract_s else 0
        return kiosk.present_for(steps, seconds, blink=config.blink, retract=config.not_taken == "retract")

    # ---------------------------------------------------------------- a ticket

    async def _compose(self, paper: Paper) -> Job:
        return replace(await super()._compose(paper), cut=self._feed + self._present)

    def _length(self, *parts: bytes) -> float:
        shortest = self._config.shortest_mm
        return max(super()._length(*parts), self._model.shortest_mm if shortest is None else shortest)

    @property
    def _may_tidy(self) -> bool:
        return not self._outlet.occupied  # somebody's ticket lies there

    async def _make_room(self, line: EscposLine) -> str | None:
        assert isinstance(line, KioskLine)
        loop = asyncio.get_running_loop()
        if self._model.own_timer:
            self._retractions = await line.retractions()
            return None  # the printer itself does with the older paper what it was told
        deadline = loop.time() + RETRACT_S
        if self._outlet.state == "stuck":
            deadline = loop.time()
        sent = False
        while True:
            status = await line.status()
            self._sensor(status)
            if not self._outlet.occupied:
                return status.hindrance
            if status.in_outlet and not sent:
                sent = True
                await self._take_away(line)
            if loop.time() >= deadline:
                return "printer.outlet_left" if status.in_outlet else status.hindrance
            await asyncio.sleep(min(WATCH_S, self._config.poll_s))

    async def _end(self, line: EscposLine, paper: Paper) -> str | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._config.print_s
        agreed = 0
        while agreed < 2:  # one answer alone could have been spoiled on its way
            try:
                status = await self._look(line)
            except NoAnswerError:
                if not self._patient or loop.time() >= deadline:
                    raise
                continue
            if code := status.hindrance:
                return code
            agreed += 1
        self._outlet.presented(paper.number, loop.time())
        self._report()
        return None

    # ---------------------------------------------------------------- the outlet

    async def _poll(self, line: EscposLine) -> None:
        assert isinstance(line, KioskLine)
        status = await line.status()
        if self._model.own_timer and self._outlet.occupied and not status.in_outlet and self._outlet.going:
            await self._settle_by_count(line)
        else:
            self._sensor(status)
        if status.in_outlet and not self._model.own_timer and self._to_go:
            await self._take_away(line)
        if status.spoiled:
            logger.warning("the printer could not read something: %s", status.to_bytes().hex(" "))
        self._tell(status)

    @property
    def _to_go(self) -> bool:
        """Whether what lies in the outlet has to go: left for too long, or a ticket that was given up and
        came out after all when somebody mended the printer."""
        late = self._spoilt and self._outlet.number is None and self._outlet.state == "presented"
        return late or self._outlet.due(asyncio.get_running_loop().time())

    def _sensor(self, status: FullStatus) -> None:
        if not status.moving:
            self._outlet.seen(status.in_outlet, asyncio.get_running_loop().time())

    async def _take_away(self, line: KioskLine) -> None:
        """What lies in the outlet; `Outlet` says what becomes of it."""
        logger.info("the ticket %s was not taken", self._outlet.number)
        await line.write(self._away)
        if self._config.not_taken == "retract":
            self._outlet.retracting(asyncio.get_running_loop().time())
        else:
            self._outlet.gone(None)

    async def _settle_by_count(self, line: KioskLine) -> None:
        """The outlet of a printer that retracts by itself is empty: was it the printer or a hand?"""
        before, now = self._retractions, await line.retractions()
        if before is not None and now is not None:
            self._outlet.gone("retracted" if now > before else "taken")
        else:  # before its time it was not the printer
            time = asyncio.get_running_loop().time()
            self._outlet.gone(None if self._outlet.due(time + TIMER_SLACK_S) else "taken")

    def _became(self, event: OutletEvent) -> None:
        if event.what == "retracted":
            count = self.kept.get("retracted")
            self.keep("retracted", (count if isinstance(count, int) else 0) + 1)
        if self.on_outlet is not None:
            self.on_outlet(event)

    def _warning(self, status: Status) -> str | None:
        return "printer.outlet_left" if self._outlet.state == "stuck" else super()._warning(status)

    def _facts(self) -> dict[str, Fact]:
        return {"outlet": self._outlet.fact, "retracted": self.kept.get("retracted", 0)}
