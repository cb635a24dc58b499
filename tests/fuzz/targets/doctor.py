"""What devices answer to the doctor's questions, and what keypads send by themselves."""

from __future__ import annotations

from collections.abc import Callable

from device.doctor.finding import _ieee1284
from device.doctor.keypad_questions import heard_key, keypad_formats, keypad_poll
from device.doctor.questions import (
    KIOSK_PRINTER,
    MODBUS,
    ONBON_K,
    ONBON_MATRIX,
    PRINTER,
    SAM,
    Question,
    Reading,
)

_POLLS = [poll for name, format in keypad_formats().items() if (poll := keypad_poll(name, format, 1))]
_QUESTIONS: list[Question] = [PRINTER, KIOSK_PRINTER, SAM, ONBON_K, ONBON_MATRIX, MODBUS, *_POLLS]


def answers(data: bytes) -> None:
    """The first byte chooses the question, the second where the answer is cut into two."""
    if len(data) < 3:
        return
    question = _QUESTIONS[data[0] % len(_QUESTIONS)]
    rest = data[2:]
    cut = data[1] % (len(rest) + 1)
    parts = [part for part in (rest[:cut], rest[cut:]) if part]
    reading = question.read(parts)
    assert reading is None or (isinstance(reading, Reading) and reading.device and reading.driver)
    # an echo of the question is no answer to it
    assert question.read([question.parts[0]]) is None


def keys(data: bytes) -> None:
    reading = heard_key(data)
    assert reading is None or reading.options["format"] in keypad_formats()


def device_id(data: bytes) -> None:
    fields = _ieee1284(data.decode("utf-8", "replace"))
    assert all(key and value == value.strip() for key, value in fields.items())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "doctor_answers": answers,
    "doctor_keys": keys,
    "doctor_device_id": device_id,
}
SEEDS: dict[str, list[bytes]] = {
    "doctor_answers": [
        bytes((n, 1)) + answer
        for n, answer in enumerate(
            (
                bytes.fromhex("12 12 12 12"),
                bytes.fromhex("10 0f 00 00 00 00"),
                bytes.fromhex("aa aa aa 96 69 00 04 00 00 90 94"),
                bytes.fromhex(
                    "a5a5a5a5a5a5a5a5a5 00 80 fe ff 00 00 00 00 00 00 fe 02 05 00 a0 00 00 00 00 14 ac 5a"
                ),
                bytes.fromhex(
                    "a5a5 01 80 fe ff f0 00 fe ff 00 00 00 00 09 00 00 00 00 a0 00 00 00 00 00 00 00 5a"
                ),
                bytes.fromhex("01 83 02 c0 f1"),
            )
        )
    ],
    "doctor_keys": [bytes.fromhex("01 05 31 07"), bytes.fromhex("01 01 33 33 07")],
    "doctor_device_id": [b"\x00\x40MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;CLS:PRINTER;"],
}
