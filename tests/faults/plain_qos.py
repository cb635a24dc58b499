"""The proof that the checker can see a loss: the usual way (`plain.py`) under the same kills."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from checker import PaperSeen, Verdict, check
from evidence import journal_rows

from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.transport.fake import PtyLine
from simulator.broker import Broker
from simulator.hall_site import number_on
from simulator.parts import Part
from simulator.ports import accepts


async def run(folder: Path, *, kills: int, seed: int = 1) -> Verdict:
    """`kills` each of kiosk, broker and receiver; the verdict's problems are the loss."""
    chance = random.Random(seed)
    printer = FakeEscposPrinter()
    line = PtyLine(printer, folder / "printer")
    await line.plug()
    papers: dict[str, PaperSeen] = {}

    def collect() -> None:
        for piece in list(printer.tickets)[-5:]:
            number = number_on(piece)
            if number is not None and piece.qr:
                papers[number] = PaperSeen(number, piece.qr[0].rsplit("/", 1)[1])

    printer.on_change = collect
    broker = Broker(folder / "broker")
    command = await broker.prepare()
    port = str(broker.port)
    program = [sys.executable, str(Path(__file__).with_name("plain.py"))]
    parts = [
        Part("broker", command, folder, environment=broker.environment, probe=lambda: accepts(broker.port)),
        Part("receiver", [*program, "receiver", port, str(folder)], folder, probe=_always),
        Part("kiosk", [*program, "kiosk", port, str(folder / "printer"), str(folder)], folder, probe=_always),
    ]
    try:
        for part in parts:
            await part.start()
            await part.wait_ready()
            await asyncio.sleep(1)  # the receiver has subscribed before the first ticket
        await asyncio.sleep(2)
        order = parts * kills
        chance.shuffle(order)
        for part in order:
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            if part.state == "ready":
                part.kill()
        await asyncio.sleep(2)
        await parts[2].stop()
        await asyncio.sleep(5)  # whatever the broker still has gets its time to arrive
    finally:
        for part in reversed(parts):
            await part.stop()
        await line.unplug()
    return check(list(papers.values()), [], journal_rows(folder / "plain.db"))


async def _always() -> bool:
    return True
