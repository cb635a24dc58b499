"""Asks what is plugged in who it is, with `questions` only, and stops at the first sure answer.

A serial line is asked in two rounds, each from the fastest baud rate down (docs/decisions/0034): first, with
three bytes that are nothing to anybody else, whether it is a printer; then what would be text to a printer. A
device that answers has then heard nothing slower than its own rate, and what is faster reaches it as a few
bytes without meaning. A port that another program holds is not touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import msgspec

from device.doctor.keypad_questions import heard_key, keypad_formats, keypad_poll
from device.doctor.naming import as_named
from device.doctor.opening import hindrance
from device.doctor.questions import (
    ERASE,
    KIOSK_PRINTER,
    MODBUS,
    ONBON_K,
    ONBON_MATRIX,
    PRINTER,
    SAM,
    Question,
    Reading,
    has_presenter,
)
from device.doctor.report import Answer, Found
from drivers.driver import Fact
from drivers.errors import DriverError, WriteStalledError
from drivers.transport.file import FileConfig
from drivers.transport.hidraw import HidrawConfig
from drivers.transport.serial import SerialConfig
from drivers.transport.table import TransportConfig, transport
from drivers.transport.tcp import TcpConfig
from drivers.transport.transport import Transport
from drivers.transport.udp import UdpConfig
from drivers.transport.usb import UsbConfig

logger = logging.getLogger(__name__)

BAUDS: Final = (115200, 57600, 38400, 19200, 9600)
"""From the fastest down; see the module."""
NETWORK_PORTS: Final = (("tcp", 9100), ("tcp", 5005), ("udp", 5007))
"""Where a host that was given is asked: ticket printers, call screens."""
_BY_CLASS: Final = {
    "ticket_printer": [PRINTER, KIOSK_PRINTER],
    "call_screen": [ONBON_K, ONBON_MATRIX],
    "card_reader": [SAM],
}
"""What a device of a class is asked where its class is known."""
_GAP_S: Final = 0.08
"""A silence so long after some bytes ends one answer."""
_FRAME_SILENCE_S: Final = 0.01
"""Between two questions: more than 3.5 characters of Modbus at 9600 baud."""
_STALE_READS: Final = 8
_WRITE_S: Final = 1.0
_CONNECT_S: Final = 1.5
_ANSWER_LIMIT: Final = 4096
_CODE: Final = re.compile(rb"(?:[\x20-\x7e]{4,}[\r\n]{1,2})*(?:[\x20-\x7e]{4,})?")
"""What a scanner sends: printed characters, most often with a line's end. One way to match, no search."""
_SHOWN: Final = 8
"""Bytes of something unknown that are shown: too few to be a person's number."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait. `factor` stretches every wait; `addresses`: of polled keypads; `bauds`: to try;
    `careful`: only what not even a printer that cannot answer could print."""

    factor: float = 1.0
    addresses: Sequence[int] = (1,)
    bauds: Sequence[int] = BAUDS
    careful: bool = False


def serial_plan(patience: Patience) -> list[tuple[int, Question]]:
    """What a serial line is asked, in order: baud rate and question."""
    rates = sorted(patience.bauds, reverse=True)
    plan = [(baud, PRINTER) for baud in rates]
    if 115200 in rates:
        plan.append((115200, SAM))
    if patience.careful:
        return plan
    for baud in (57600, 9600):
        if baud in rates:
            plan += [(baud, ONBON_K), (baud, ONBON_MATRIX)]
    if 9600 in rates:
        plan.append((9600, MODBUS))
        for name, format in keypad_formats().items():
            polls = (keypad_poll(name, format, address) for address in patience.addresses)
            plan += [(9600, poll) for poll in polls if poll is not None]
    return plan


async def probe(found: Found, patience: Patience | None = None) -> Answer | None:
    """What answers at `found`; None when there is nothing to ask."""
    patience = patience or Patience()
    if found.skip is not None:
        return None
    match found.kind:
        case "serial" if found.path is not None:
            return await _probe_serial(found, found.path, patience)
        case "usb_printer":
            return await _probe_usb_printer(found, patience)
        case "usb" | "hidraw" if found.what == "card_reader":
            return await _probe_usb_reader(found, patience)
    return as_named(found)


async def probe_host(
    host: str,
    patience: Patience | None = None,
    ports: Sequence[tuple[str, int]] = NETWORK_PORTS,
    device: str | None = None,
) -> list[tuple[Found, Answer]]:
    """What answers at the ports of a host. A port that refuses is left out, the host itself is not.

    `device`: the class that is expected there; else a port is asked for what is usual on it.
    """
    patience = patience or Patience()
    asked = await asyncio.gather(*(_probe_port(host, kind, port, patience, device) for kind, port in ports))
    rows = [row for row in asked if row is not None]
    if not rows:
        found = Found(key=f"network {host}", kind="network", name=host, path=host, facts={"open": False})
        rows = [(found, Answer(confidence="silent"))]
    return rows


# ---------------------------------------------------------------- lines


async def _probe_serial(found: Found, path: str, patience: Patience) -> Answer:
    if code := await hindrance(path):
        return Answer(confidence="silent", code=code)
    echoes = False
    for baud, steps in groupby(serial_plan(patience), key=lambda step: step[0]):
        line = transport(SerialConfig(path=path, baud=baud))
        async with _opened(line) as error:
            if error is not None:
                return Answer(confidence="silent", code=error.code)
            talk = _Talk(line, patience.factor, erases=True)
            reading = await talk.first_of([question for _, question in steps])
            echoes = echoes or talk.echoes
            if reading is not None:
                if reading.device == "ticket_printer":
                    # what it heard at other rates may stand in its line
                    await talk.say(ERASE)
                config = {"type": "serial", "path": found.stable or path, "baud": baud}
                return _answer(reading, config, f"{baud} 8N1", echoes)
            if talk.lost is not None:
                return Answer(confidence="silent", code=talk.lost.code)
    return Answer(confidence="silent", facts={"echo": True} if echoes else {})


async def _probe_usb_printer(found: Found, patience: Patience) -> Answer:
    config: dict[str, Any]
    if found.path is not None and (code := await hindrance(found.path)):
        return Answer(confidence="silent", code=code)
    if found.path is not None:
        line = transport(FileConfig(path=found.path))
        config, settings = {"type": "file", "path": found.stable or found.path}, "usblp"
    else:
        vendor, _, product = (found.usb or ":").partition(":")
        serial = found.facts.get("serial")
        name = serial if isinstance(serial, str) else None
        line = transport(UsbConfig(vendor=int(vendor, 16), product=int(product, 16), serial=name))
        config, settings = {"type": "usb", "vendor": int(vendor, 16), "product": int(product, 16)}, "usb"
        config |= {"serial": name} if name else {}
    async with _opened(line) as error:
        if error is not None:
            return Answer(confidence="silent", code=error.code)
        reading = await _Talk(line, patience.factor).first_of([PRINTER, KIOSK_PRINTER])
    if reading is None:
        # by its USB class it is a printer; whether it knows ESC/POS it does not say
        reading = Reading("ticket_printer", "escpos", code="doctor.printer_mute", sure=False)
    return _answer(reading, config, settings)


async def _probe_usb_reader(found: Found, patience: Patience) -> Answer:
    """A reader that is known by its number; other HID devices are sent nothing: some are relays."""
    config: dict[str, Any]
    if found.path is not None and (code := await hindrance(found.path)):
        return Answer(confidence="silent", code=code)
    if found.path is not None:
        line = transport(HidrawConfig(path=found.path))
        config, settings = {"type": "hidraw", "path": found.stable or found.path}, "HID"
    else:
        vendor, _, product = (found.usb or ":").partition(":")
        config = {"type": "usb", "vendor": int(vendor, 16), "product": int(product, 16)}
        config |= {"endpoint_out": 0x02, "endpoint_in": 0x81}
        line, settings = transport(msgspec.convert(config, UsbConfig)), "usb"
    async with _opened(line) as error:
        if error is not None:
            return Answer(confidence="silent", code=error.code)
        reading = await _Talk(line, patience.factor).first_of([SAM])
    return Answer(confidence="silent") if reading is None else _answer(reading, config, settings)


async def _probe_port(
    host: str, kind: str, port: int, patience: Patience, device: str | None
) -> tuple[Found, Answer] | None:
    config: TransportConfig
    if kind == "udp":
        config = UdpConfig(host=host, port=port)
    else:
        config = TcpConfig(host=host, port=port, connect_timeout_s=_CONNECT_S * patience.factor)
    place = f"{host}:{port}" + ("/udp" if kind == "udp" else "")
    found = Found(key=f"network {place}", kind="network", name=place, path=place)
    # a printer's port gets the printer's question and no other
    questions = _BY_CLASS.get(device or ("ticket_printer" if port == 9100 else "call_screen"), [])
    line = transport(config)
    async with _opened(line) as error:
        if error is not None:
            return None
        talk = _Talk(line, patience.factor)
        reading = await talk.first_of(questions)
    if reading is None:
        return None if kind == "udp" else (found, Answer(confidence="silent", settings=kind.upper()))
    return found, _answer(reading, {"type": kind, "host": host, "port": port}, kind.upper())


def _answer(reading: Reading, config: dict[str, Any], settings: str, echoes: bool = False) -> Answer:
    return Answer(
        confidence="sure" if reading.sure else "likely",
        device=reading.device,
        driver=reading.driver,
        options=reading.options | {"transport": config},
        settings=settings,
        facts=reading.facts | ({"echo": True} if echoes else {}),
        code=reading.code,
    )


# ---------------------------------------------------------------- listening


async def listen(found: Found, seconds: float) -> Answer | None:
    """Which keypad somebody presses meanwhile, on a line that is only listened to."""
    if found.kind != "serial" or found.skip is not None or found.path is None:
        return None
    line = transport(SerialConfig(path=found.path, baud=9600))
    heard = b""
    until = time.monotonic() + seconds
    async with _opened(line) as error:
        if error is not None:
            return None
        with contextlib.suppress(DriverError):
            while (left := until - time.monotonic()) > 0:
                heard = (heard + await line.read(min(left, 0.25)))[-_ANSWER_LIMIT:]
                if reading := heard_key(heard):
                    config = {"type": "serial", "path": found.stable or found.path, "baud": 9600}
                    return _answer(reading, config, "9600 8N1")
    if not heard:
        return None
    config = {"type": "serial", "path": found.stable or found.path, "baud": 9600}
    if _CODE.fullmatch(heard):
        return _answer(Reading("card_reader", "scanner", sure=False), config, "9600 8N1")
    facts: dict[str, Fact] = {"bytes": heard[:_SHOWN].hex(" ")}
    return Answer(confidence="likely", settings="9600 8N1", code="doctor.heard_unknown", facts=facts)


# ---------------------------------------------------------------- a conversation


@contextlib.asynccontextmanager
async def _opened(line: Transport) -> AsyncIterator[DriverError | None]:
    """The line open; yields why it cannot be opened instead."""
    try:
        await line.open()
    except DriverError as error:
        logger.debug("%s: %s", line.name, error)
        yield error
    else:
        try:
            yield None
        finally:
            await line.close()


class _Talk:
    """Questions on one open line. `erases`: it may be a printer that cannot answer; `lost`: why it ended
    early; `echoes`: it sends back what it is sent."""

    def __init__(self, line: Transport, factor: float, *, erases: bool = False) -> None:
        self._line = line
        self._erases = erases
        self._factor = factor
        self.lost: DriverError | None = None
        self.echoes = False

    async def first_of(self, questions: Sequence[Question]) -> Reading | None:
        """The first question that is answered."""
        try:
            for question in questions:
                if question.text and self._erases:
                    await self.say(ERASE)
                reading = await self._ask(question)
                if reading is not None:
                    return await self._with_presenter(reading) if question is PRINTER else reading
                if question.text and self._erases:
                    await self.say(ERASE)
        except WriteStalledError as error:
            logger.debug("%s takes no bytes: %s", self._line.name, error)
            self.lost = error
        except DriverError as error:
            logger.debug("%s: %s", self._line.name, error)
            self.lost = error
        return None

    async def say(self, data: bytes) -> None:
        with contextlib.suppress(DriverError):
            await self._line.write(data, _WRITE_S * self._factor)
            await self._line.drained(_WRITE_S * self._factor)
            await asyncio.sleep(_FRAME_SILENCE_S)

    async def _ask(self, question: Question) -> Reading | None:
        answers: list[bytes] = []
        for n, part in enumerate(question.parts):
            last = n == len(question.parts) - 1
            answer = await self._exchange(part, question, answers, last)
            if not answer:
                break
            answers.append(answer)
            if (reading := question.read(answers)) is not None:
                return reading
        return question.read(answers) if answers else None

    async def _exchange(self, part: bytes, question: Question, before: list[bytes], last: bool) -> bytes:
        loop = asyncio.get_running_loop()
        for _ in range(_STALE_READS):
            if not await self._line.read(timeout=0):
                break
        await self._line.write(part, _WRITE_S * self._factor)
        await self._line.drained(_WRITE_S * self._factor)
        deadline = loop.time() + question.wait_s * self._factor
        answer = b""
        while (left := deadline - loop.time()) > 0 and len(answer) < _ANSWER_LIMIT:
            # an answer in one piece is whole after a short silence; the last may use all its time
            patience = min(left, _GAP_S * self._factor) if answer and not last else left
            piece = await self._line.read(patience)
            if not piece and answer and not last:
                break
            answer += piece
            if answer.startswith(part):
                self.echoes = True
                answer = answer[len(part) :]
            if last and answer and question.read([*before, answer]) is not None:
                break
        logger.debug("%s: %s → %s", self._line.name, part.hex(" "), answer.hex(" "))
        return answer

    async def _with_presenter(self, reading: Reading) -> Reading:
        """Ask a printer whether it has a presenter, too."""
        answer = await self._exchange(KIOSK_PRINTER.parts[0], KIOSK_PRINTER, [], True)
        if not has_presenter(answer):
            return reading
        facts = reading.facts | {"presenter": True}
        return replace(reading, driver="kiosk_printer", options={"model": "vkp80ii"}, facts=facts)
