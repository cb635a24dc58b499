"""Rubbish on every device line and every topic of a running hall; then it must work as before.

Each round: random bytes, truncated and bit-flipped frames of the line's own traffic towards every driver;
malformed, truncated, oversized and wrongly typed payloads on every topic of the contract, and topics beside
it. Then a citizen takes a number, is called and rates. No part may have ended, nothing may be lost.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

from checker import RatingSeen, Verdict, check
from evidence import PaperTray, journal_rows, with_ticket_url
from floor import BareMqtt

from simulator.hall_site import HallSite
from wire.codec import MAX_PAYLOAD
from wire.topics import KINDS, ROOT

GOLDEN = Path(__file__).resolve().parent.parent / "wire" / "golden"
GOLDEN_NAMES = {"node_event": "event/ticket_requested", "node_command": "command/print_ticket"}


class Recorder:
    """Keeps what each fake sent to its driver, to be spoiled and sent again."""

    def __init__(self, site: HallSite) -> None:
        self.frames: dict[str, list[bytes]] = {name: [] for name in site.lines}
        for name, line in site.lines.items():
            self._listen(name, line.device)

    def _listen(self, name: str, device: object) -> None:
        send = device.send  # type: ignore[attr-defined]

        def record(data: bytes) -> None:
            kept = self.frames[name]
            kept.append(data)
            del kept[:-50]
            send(data)

        device.send = record  # type: ignore[attr-defined]


def _spoiled(frames: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Random bytes, and each recorded frame cut short and with one bit turned."""
    for size in (1, 7, 64, 4096):
        yield chance.randbytes(size)
    for frame in frames[-8:]:
        yield frame[: chance.randrange(len(frame))]
        spoiled = bytearray(frame)
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
        yield bytes(spoiled)


def _payloads(name: str, chance: random.Random) -> Iterator[bytes]:
    """What no reader should accept, made from the golden sample of the topic."""
    yield from (b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"at": 1}', b"9" * 400, b"[" * 5000)
    yield b'"' + b"x" * (MAX_PAYLOAD + 10) + b'"'
    yield chance.randbytes(200)
    good = (GOLDEN / f"{GOLDEN_NAMES.get(name, name)}.json").read_bytes()
    yield good[: chance.randrange(1, len(good))]
    yield good.replace(b":", b": [", 1)


async def _pollute_broker(site: HallSite, chance: random.Random) -> int:
    client = BareMqtt(f"rubbish-{chance.randrange(1 << 30)}")
    await client.connect(site.broker_port)
    sent = 0
    ids = {"node": chance.choice(site.nodes), "device": "printer", "counter": "1"}
    ids |= {"guide": "id-card", "picture": "0c" * 16}
    for name, kind in KINDS.items():
        where = f"{ROOT}/{site.hall}/" + kind.pattern.format(**ids)
        for payload in _payloads(name, chance):
            await client.publish(where, payload)
            sent += 1
    for where in ("", "/x", "/node", "/node/UPPER/state", "/counter/1/2", "/call/x"):
        await client.publish(f"{ROOT}/{site.hall}{where}", b"{}")
        sent += 1
    client.close()
    return sent


async def _one_citizen(site: HallSite, counter: str, service: str, grade: int) -> RatingSeen:
    """Takes a number, is called, served, and rates. Raises TimeoutError when the hall does not play along."""
    screen, keypad = site.counter_screen(counter), site.rating_keypad(counter)
    request = site.kiosk.take_ticket(service)
    end = await site.kiosk.end_of(request, 15) if request else None
    if end is None or end.stage != "done" or end.number is None:
        raise TimeoutError(f"no number for {service}: {end}")

    async def until_called(number: str) -> None:
        while screen.counter is None or screen.counter.number != number:
            if screen.counter is not None and screen.counter.number is None:
                site.call_keypad(counter).press("next")
            await screen.next_change(2.0)

    async with asyncio.timeout(30):
        await until_called(end.number)
        site.call_keypad(counter).press("finish")
        while not (keypad.prompting and screen.prompt and screen.prompt.number == end.number):
            await screen.next_change(0.05)
        thanks = keypad.thanks
        keypad.press(str(grade))
        while keypad.thanks == thanks:
            await asyncio.sleep(0.02)
    return RatingSeen(counter, end.number, grade, thanked=True)


async def run(folder: Path, *, rounds: int, seed: int = 1) -> Verdict:
    """`rounds` rounds; the verdict has a problem for everything that did not come back."""
    chance = random.Random(seed)
    site = HallSite(folder, settings=with_ticket_url)
    problems: list[str] = []
    sent_bytes = sent_messages = 0
    try:
        await site.start()
        recorder = Recorder(site)
        await site.wait_ready()
        await site.wait_devices()
        tray = PaperTray(site)
        starts = {name: part.starts for name, part in site.parts.items()}
        ratings = []
        for round_ in range(rounds):
            for name, line in site.lines.items():
                for rubbish in _spoiled(recorder.frames[name], chance):
                    line.send(rubbish)
                    sent_bytes += len(rubbish)
            sent_messages += await _pollute_broker(site, chance)
            await site.wait_devices(timeout=20)
            for counter, service in (("1", "id-card"), ("3", "pension")):
                ratings.append(await _one_citizen(site, counter, service, 1 + round_ % 5))
        for name, part in site.parts.items():
            if part.starts != starts[name]:
                problems.append(f"{name} ended and was started again: {part.last_line()}")
    except TimeoutError as error:
        problems.append(f"did not come back: {error}")
    finally:
        await site.stop()
    verdict = check(tray.papers, ratings, journal_rows(folder / "hall.db"))
    verdict.problems += problems
    verdict.counts.update(rounds=rounds, rubbish_bytes=sent_bytes, rubbish_messages=sent_messages)
    return verdict
