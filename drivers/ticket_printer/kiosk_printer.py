"""Driver for kiosk printers that present a ticket and take it back: Custom VKP80II/III, Pyramid Reliance.

Proved as every ticket (`proved_printer`); the presenting command stands for the cut. After that the printer
is asked often enough to say when the paper is taken. One that is left is retracted (or ejected) after
`retract_s`, and at the latest before the next ticket, but not under the hand of its citizen. A slip that is
void goes the same way.

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
from drivers.ticket_printer.kiosk_outlet import RETRACT_S, TAKE_S, Outlet
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
SLIP_S: Final = 3.0
"""A void slip is gone after this."""
LINE_MM: Final = 3


@dataclass(frozen=True, slots=True)
class Model:
    """What differs between the makes.

    `step_mm`: of the presenter. `own_timer`: the printer itself retracts after the time in the presenting
    command, and knows no retraction at once. `counts`: it says how many papers it ever retracted.
    `patient`: it does not answer while paper moves. `shortest_mm`: shorter tickets are filled up with blank
    paper.
    """

    step_mm: float
    own_timer: bool = False
    counts: bool = False
    patient: bool = False
    shortest_mm: float = 0.0


MODELS: Final[dict[ModelName, Model]] = {
    # step: as the makers' tables give it for the presenter of this family; not seen in the manual itself
    "vkp80ii": Model(step_mm=7.3, counts=True, shortest_mm=70),
    # step 5 mm, shortest ticket 70 mm (its default): commands manual
    "vkp80iii": Model(step_mm=5.0, own_timer=True, counts=True, shortest_mm=70),
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
        """As the printer counted them before it could retract the paper that lies there; None: not known."""

    # ---------------------------------------------------------------- what the model is

    @property
    def _patient(self) -> bool:
        return self._model.patient

    @property
    def can_print(self) -> bool:
        # a printer with a timer of its own pushes out what is stuck
        return super().can_print and (self._model.own_timer or self._outlet.state != "stuck")

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
        seconds = max(1, round(config.retract_s)) if config.retract_s and config.not_taken != "leave" else 0
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

    async def _greet(self, line: EscposLine) -> None:
        await super()._greet(line)
        assert isinstance(line, KioskLine) and isinstance(self._status, FullStatus)
        if self._outlet.occupied and not self._status.in_outlet and not self._status.moving:
            self._outlet.gone(await self._counted(line))  # nobody watched

    async def _make_room(self, line: EscposLine) -> str | None:
        assert isinstance(line, KioskLine)
        if self._model.own_timer:
            return None  # the printer itself does with the older paper what it was told
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        if self._outlet.state != "stuck":
            deadline += TAKE_S + RETRACT_S
        sent = False
        while True:
            if (status := await self._seen(line, deadline)) is None:
                continue
            if not self._outlet.occupied or status.hindrance:
                return status.hindrance
            now = loop.time()
            if status.in_outlet and not sent and (self._to_go or not self._outlet.fresh(now)):
                sent = True
                await self._take_away(line)
                deadline = min(deadline, now + RETRACT_S)
            if now >= deadline:
                self._report()
                return "printer.outlet_left"
            await asyncio.sleep(min(WATCH_S, self._config.poll_s))

    async def _seen(self, line: KioskLine, deadline: float) -> FullStatus | None:
        """A look at printer and outlet. None: it is silent, as it may be until `deadline`."""
        try:
            status = await self._look(line)
        except NoAnswerError:
            if not self._patient or asyncio.get_running_loop().time() >= deadline:
                raise
            return None
        assert isinstance(status, FullStatus)
        await self._sense(line, status)
        return status

    async def _tidy(self, line: EscposLine) -> str | None:
        if self._model.own_timer and self._outlet.occupied:  # the slip pushes out what lies there
            assert isinstance(line, KioskLine)
            lies = (await line.status()).in_outlet
            self._outlet.gone(None if lies else await self._counted(line))
        code = await super()._tidy(line)
        if code is None and self._model.own_timer:  # its slip lies in the outlet for a second
            loop = asyncio.get_running_loop()
            deadline = loop.time() + SLIP_S
            while loop.time() < deadline:
                status = await self._look(line)
                if isinstance(status, FullStatus) and not status.in_outlet and not status.moving:
                    break
                await asyncio.sleep(min(WATCH_S, self._config.poll_s))
        return code

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
        # asked now: an older paper may have been retracted while this one was printed
        assert isinstance(line, KioskLine)
        self._retractions = await line.retractions() if self._model.own_timer else None
        self._outlet.presented(paper.number, loop.time())
        self._report()
        return None

    # ---------------------------------------------------------------- the outlet

    async def _poll(self, line: EscposLine) -> None:
        assert isinstance(line, KioskLine)
        status = await line.status()
        await self._sense(line, status)
        if self._model.own_timer:
            if self._outlet.due(now := asyncio.get_running_loop().time()):
                self._outlet.retracting(now)
        elif status.in_outlet and self._to_go and status.hindrance is None:
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

    async def _sense(self, line: KioskLine, status: FullStatus) -> None:
        """What the sensor sees, and what became of a paper that it sees no more."""
        if status.moving:
            return
        now = asyncio.get_running_loop().time()
        self._outlet.seen(status.in_outlet, now)
        if self._outlet.emptied(now):
            self._outlet.gone(await self._fate(line, now))

    async def _take_away(self, line: KioskLine) -> None:
        """What lies in the outlet; `Outlet` says what becomes of it."""
        logger.info("the ticket %s was not taken", self._outlet.number)
        if self._model.counts and self._outlet.state != "stuck":
            self._retractions = await line.retractions()
        await line.write(self._away)
        if self._config.not_taken == "retract":
            self._outlet.retracting(asyncio.get_running_loop().time())
        else:
            self._outlet.gone(None)

    async def _fate(self, line: KioskLine, now: float) -> Literal["taken", "retracted"] | None:
        """Who emptied the outlet while it was watched: the printer or a hand."""
        if self._outlet.state == "stuck":
            return None
        retracts = self._config.not_taken == "retract"
        if retracts and self._retractions is not None and (what := await self._counted(line)):
            return what  # a hand may have been quicker than the printer
        if self._model.own_timer:
            gone = self._outlet.state == "retracting" or self._outlet.due(now + TIMER_SLACK_S)
            return None if gone else "taken"  # before its time it was not the printer
        if self._outlet.state != "retracting":
            return "taken"
        return "retracted" if retracts else None

    async def _counted(self, line: KioskLine) -> Literal["taken", "retracted"] | None:
        """The same by the printer's count of retractions, which a hand does not change."""
        if self._retractions is None or (count := await line.retractions()) is None:
            return None
        return "retracted" if count > self._retractions else "taken"

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
