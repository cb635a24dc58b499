"""Driver for ESC/POS ticket printers on a serial line, TCP 9100, usblp or USB.

How a ticket is proved stands in `proved_printer`. Sources: see `escpos_frames`.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from drivers.driver import Health
from drivers.ticket_printer.escpos_frames import AUTOMATIC_ON, PrinterStatus
from drivers.ticket_printer.escpos_line import EscposLine
from drivers.ticket_printer.escpos_ticket import TicketWriter, quick
from drivers.ticket_printer.proved_printer import ProvedConfig, ProvedPrinter
from drivers.transport.transport import Transport

LISTEN_POLLS: Final = 10
"""With automatic status the printer is asked only every so many polls, to see that it is there."""


class EscposConfig(ProvedConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of an ESC/POS printer, besides those of `ProvedConfig`.

    `status`: "dle_eot" asks every `poll_s`, "automatic" listens besides; "none" is for lines that cannot
    be read: every ticket's outcome is then "unknown".
    """

    status: Literal["dle_eot", "automatic", "none"] = "dle_eot"
    cut: Literal["full", "partial"] = "full"


class EscposPrinter(ProvedPrinter):
    """An ESC/POS printer that drops its tickets: cut means out."""

    Config: ClassVar = EscposConfig

    def __init__(self, config: EscposConfig, *, line: Transport | None = None) -> None:
        super().__init__(config, line=line)
        self._config: EscposConfig = config
        self._polls = 0

    @property
    def _watched(self) -> bool:
        return self._config.status != "none"

    def _line_on(self, transport: Transport) -> EscposLine:
        config = self._config
        line = EscposLine(transport, answer_s=config.answer_s, write_s=config.write_s, owed=self._owed)
        line.on_automatic = self._automatic
        return line

    def _blocking_writer(self) -> TicketWriter:
        prelude = AUTOMATIC_ON if self._config.status == "automatic" else b""
        config = self._config
        return TicketWriter(
            config.profile,
            config.cut,
            prelude,
            columns=config.columns,
            mode=config.mode,
            quick=quick(config.transport),
        )

    async def _greet(self, line: EscposLine) -> None:
        self._polls = 0
        if self._config.status == "none":
            self.report(Health("ok", facts={"watched": False}))
            return
        if self._config.status == "automatic":
            await line.write(AUTOMATIC_ON)
        await super()._greet(line)

    async def _poll(self, line: EscposLine) -> None:
        self._polls += 1
        if self._misses or self._config.status == "dle_eot" or self._polls % LISTEN_POLLS == 1:
            await self._look(line)

    def _automatic(self, status: PrinterStatus) -> None:
        if self._config.status == "automatic" and self._line is not None:
            self._tell(status)
            self._changed.set()
