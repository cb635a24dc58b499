"""`paihao doctor` on a machine full of devices: what it finds and what it makes of it."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any

from bench import Bench, check, stopwatch
from checks_keypad import keyboard
from checks_serial import adapter

from drivers.call_screen.fake import FakeOnbonCard
from drivers.card_reader.fake import FakeSamReader
from drivers.ticket_printer.fake import FakeEscposPrinter

EXPECTED = {
    "/dev/paihao/printer": "escpos",
    "/dev/paihao/card": "sam_reader",
    "/dev/paihao/strip": "onbon_bx",
    "/dev/paihao/keypad": "evdev_keypad",
}
"""Stable name → the driver that the doctor has to suggest."""


@check(
    "paihao doctor names printer, card reader, strip and keypad, sees pins, sound and display, asks safely"
)
async def doctor_names_everything(bench: Bench) -> None:
    printer, strip = FakeEscposPrinter(), FakeOnbonCard()
    fakes = {"printer": printer, "card": FakeSamReader(), "strip": strip}
    async with AsyncExitStack() as stack:
        for role, fake in fakes.items():
            await stack.enter_async_context(bench.plugged(adapter(bench, role, fake)))
        await stack.enter_async_context(keyboard(bench))
        await bench.inside("udevadm settle")
        took = stopwatch()
        said = await bench.inside("paihao doctor --json 2>/tmp/doctor.log", 200, check=False)
        bench.note(f"{took():.0f} s")
        (bench.artefacts / "doctor.json").write_text(said)
        table = await bench.inside("paihao doctor 2>&1", 200, check=False)
        (bench.artefacts / "doctor.txt").write_text(table)
    rows: list[dict[str, Any]] = json.loads(said)["rows"]
    for name, driver in EXPECTED.items():
        (row,) = [row for row in rows if row["found"]["stable"] == name]
        assert row["answer"] is not None and row["answer"]["driver"] == driver, row
    kinds = {row["found"]["kind"] for row in rows}
    bench.note(f"{len(rows)} rows: {', '.join(sorted(kinds))}")
    assert {"serial", "input", "gpio", "sound", "display"} <= kinds, kinds
    assert not printer.tickets and not printer.hanging, "the doctor printed something"
    assert not strip.areas, "the doctor changed what the strip shows"
