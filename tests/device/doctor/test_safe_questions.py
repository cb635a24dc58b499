"""No question makes anything print, show, speak, light up or move, on any device, at any baud rate.

Every question is put to every fake, also by those who hear it at another baud rate, in the order in which a
serial line is asked; then the printer's next ticket is looked at, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from device.doctor import probing
from device.doctor.keypad_questions import keypad_formats, keypad_poll
from device.doctor.probing import BAUDS, Patience, probe, serial_plan
from device.doctor.questions import (
    ERASE,
    LONGEST_TEXT,
    NEVER,
    NEVER_AT_9600,
    PRESENTER_QUERY,
    PRINTER,
    is_safe,
)
from device.doctor.report import Found
from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.fake_alpha import FakeAlphaSign
from drivers.call_screen.fake_modbus import FakeModbusDisplay
from drivers.card_reader.fake import FakeSamReader, synthetic_cards
from drivers.card_reader.fake_scanner import FakeScanner
from drivers.keypad.fake import FakeSerialKeypad
from drivers.light import fake as lights
from drivers.light.fake import FakeLamps
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.fake_kiosk import FakeKioskPrinter
from drivers.transport.fake import FakeDevice

Hears = Callable[..., bytes]
PORT = Found(key="serial ttyUSB0", kind="serial", name="", path="/dev/ttyUSB0")
NONSENSE_LINES = {115200: 10, 57600: 10, 38400: 10, 19200: 10, 9600: 0}
"""Lines of 32 columns, by the rate of a printer that hears and cannot answer."""


def with_card() -> FakeSamReader:
    reader = FakeSamReader()
    reader.lay(synthetic_cards()[0])
    return reader


def without_paper() -> FakeEscposPrinter:
    printer = FakeEscposPrinter(32)
    printer.paper_out()
    return printer


def silent_printer() -> FakeEscposPrinter:
    printer = FakeEscposPrinter(32)
    printer.be_silent()
    return printer


def chinese_printer() -> FakeEscposPrinter:
    """Takes two bytes for one character from the beginning, as printers for China do."""
    printer = silent_printer()
    printer.received(b"\x1c&")
    return printer


def a_light(name: str) -> Callable[[], FakeDevice]:
    return getattr(lights, name)


LAMPS = [
    name
    for name, kind in vars(lights).items()
    if isinstance(kind, type) and issubclass(kind, FakeLamps) and kind is not FakeLamps
]

Place = tuple[Callable[[], FakeDevice], tuple[int, ...], str | None]

FAKES: dict[str, Place] = {
    "printer": (lambda: FakeEscposPrinter(32), BAUDS, "escpos"),
    "printer without paper": (without_paper, BAUDS, "escpos"),
    **{
        f"Onbon {family}": (lambda family=family: FakeOnbonCard(family=family), (57600, 9600), "onbon_bx")
        for family in ("k", "5e", "6e", "6q")
    },
    "card reader": (with_card, (115200,), "sam_reader"),
    "card reader at another rate": (with_card, (57600, 9600), None),
    **{
        f"keypad {name}": (
            lambda name=name: FakeSerialKeypad(name),
            (9600,),
            "serial_keypad" if format.poll else None,
        )
        for name, format in keypad_formats().items()
    },
    **{f"light {name}": (a_light(name), (9600,), None) for name in LAMPS},
    "kiosk printer": (FakeKioskPrinter, BAUDS, "kiosk_printer"),
    "Alpha sign": (FakeAlphaSign, (9600, 19200), None),
    "Modbus display": (FakeModbusDisplay, (9600, 19200), None),
    "scanner": (FakeScanner, (9600, 115200), None),
}
"""What may be at the end of a line: how it is made, at which baud rates it may be set, and the driver that it
has to be found as (None: it does not answer)."""

PLACES = [(name, baud) for name in FAKES for baud in FAKES[name][1]]
QUICK = Patience(factor=0.003, addresses=(1, 2))


@pytest.mark.parametrize(("name", "baud"), PLACES)
async def test_every_device_is_found_and_does_nothing_visible(
    name: str, baud: int, instant_line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, _, driver = FAKES[name]
    device = make()
    device.plugged()
    seen: list[str] = []
    device.on_change = lambda: seen.append("something changed")
    monkeypatch.setattr(probing, "transport", lambda config: instant_line(device, config.baud, baud))
    answer = await probe(PORT, QUICK)
    assert answer is not None
    assert not seen
    if driver is not None:
        assert (answer.driver, answer.confidence) == (driver, "sure")
        assert answer.options["transport"]["baud"] == baud
    else:
        assert answer.confidence != "sure"


def whole_plan(patience: Patience) -> list[tuple[int, bytes]]:
    """Everything that a silent serial line is sent: baud rate and bytes, in order. Of a question in parts
    only the first: the next goes out when that was answered."""
    sent: list[tuple[int, bytes]] = []
    for baud, question in serial_plan(patience):
        erase = [(baud, ERASE)] if question.text else []
        sent += [*erase, (baud, question.parts[0]), *erase]
    return sent


EVERYTHING = Patience(addresses=range(256))


@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize(("name", "baud"), [place for place in PLACES if "printer" not in place[0]])
async def test_what_does_not_answer_hears_all_and_does_nothing(
    name: str, baud: int, resync: bool, hears: Hears
) -> None:
    device = FAKES[name][0]()
    device.plugged()
    seen: list[str] = []
    device.on_change = lambda: seen.append("something changed")
    for sent_at, data in whole_plan(EVERYTHING):
        device.received(hears(data, sent_at, baud, resync=resync))
        assert not seen, f"{data.hex(' ')} at {sent_at}, heard at {baud}"


@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize("baud", BAUDS)
@pytest.mark.parametrize("make", [silent_printer, chinese_printer])
async def test_a_printer_that_cannot_answer_prints_nothing_when_asked_with_care(
    make: Callable[[], FakeEscposPrinter], baud: int, resync: bool, hears: Hears
) -> None:
    printer = make()
    for sent_at, data in whole_plan(Patience(careful=True)):
        printer.received(hears(data, sent_at, baud, resync=resync))
    # the driver begins with an empty line, too
    printer.received(ERASE + b"A001\n\x1dV\x00")
    (ticket,) = printer.tickets
    assert ticket.text.strip() == "A001"


@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize("baud", BAUDS)
async def test_a_printer_that_cannot_answer_prints_little_and_no_ticket(
    baud: int, resync: bool, hears: Hears
) -> None:
    """The one exception of docs/decisions/0034: it takes slower questions for text."""
    printer = silent_printer()
    for sent_at, data in whole_plan(Patience()):
        printer.received(hears(data, sent_at, baud, resync=resync))
    assert not printer.tickets, "nothing is cut"
    printer.received(ERASE + b"A001\n\x1dV\x00")
    lines = [line for line in printer.tickets[0].text.splitlines() if line.strip()]
    assert lines[-1].strip() == "A001"
    assert len(lines) - 1 <= NONSENSE_LINES[baud]


@pytest.mark.parametrize("make", [silent_printer, chinese_printer])
async def test_a_question_at_the_printers_own_rate_is_erased_at_once(
    make: Callable[[], FakeEscposPrinter],
) -> None:
    for _, question in serial_plan(Patience()):
        printer = make()
        for part in question.parts:
            printer.received(part)
            if question.text:
                printer.received(ERASE)
        printer.received(b"A001\n\x1dV\x00")
        assert printer.tickets[0].text.strip() == "A001", question.name


async def test_a_card_reader_with_a_card_on_it_only_hears_questions_about_itself() -> None:
    reader = with_card()
    reader.send = lambda data: None
    for baud, question in serial_plan(EVERYTHING):
        for part in question.parts if baud == 115200 else ():
            reader.received(part)
    assert {code for _, code in reader.commands} == {0x11FF, 0x12FF}


def test_no_question_has_anything_in_it_that_others_obey() -> None:
    for baud, question in serial_plan(EVERYTHING):
        for part in question.parts:
            assert is_safe(part, baud), f"{question.name}: {part.hex(' ')}"
            assert len(part.replace(b"\0", b"")) <= LONGEST_TEXT
        assert question.text or question is PRINTER
    assert is_safe(ERASE, 9600)


@pytest.mark.parametrize("resync", [False, True])
def test_nobody_at_another_rate_hears_an_order(resync: bool, hears: Hears) -> None:
    for sent_at, data in whole_plan(Patience()):
        for baud in BAUDS:
            taken_for = hears(data, sent_at, baud, resync=resync)
            assert not any(order in taken_for for order in NEVER), (data.hex(" "), sent_at, baud)
        obeyed = set(hears(data, sent_at, 9600, resync=resync)) & set(NEVER_AT_9600)
        assert not obeyed, f"{data.hex(' ')} at {sent_at}"


def test_printers_are_asked_for_first_and_from_the_fastest_rate_down() -> None:
    plan = serial_plan(Patience())
    assert plan[: len(BAUDS)] == [(baud, PRINTER) for baud in sorted(BAUDS, reverse=True)]
    rest = [baud for baud, _ in plan[len(BAUDS) :]]
    assert rest == sorted(rest, reverse=True)


def test_the_presenters_question_is_in_no_plan() -> None:
    """A light tower takes 14 for "green on": it is only asked of what has answered as a printer."""
    assert all(PRESENTER_QUERY not in data for _, data in whole_plan(EVERYTHING))


def test_a_poll_that_somebody_else_may_obey_is_left_out() -> None:
    format = keypad_formats()["call-keypad-display"]
    polls = [keypad_poll("call-keypad-display", format, address) for address in range(256)]
    assert polls[1] is not None
    assert polls[0x07] is None, "its address is BEL"
    assert all(is_safe(poll.parts[0], 9600) for poll in polls if poll is not None)


@pytest.mark.parametrize(("sent", "hears_at"), [(115200, 9600), (9600, 115200), (57600, 9600), (19200, 9600)])
def test_the_model_of_a_wrong_rate_gives_other_bytes(sent: int, hears_at: int, hears: Hears) -> None:
    data = b"\x10\x04\x01"
    assert hears(data, sent, sent) == data
    assert hears(data, sent, hears_at) != data
    assert len(hears(data, 9600, 115200)) > len(data) > len(hears(data, 115200, 9600))
