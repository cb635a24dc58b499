"""Devices on serial lines: USB adapters with unplug and replug, and a port that stops taking bytes."""

from __future__ import annotations

import asyncio

from bench import Bench, check, stopwatch
from lines import StallingLine, UsbSerialLine

from drivers.call_screen.fake import FakeOnbonCard
from drivers.card_reader.fake import FakeSamReader, synthetic_cards
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.transport.fake import FakeDevice

SOCKETS = {"printer": 1, "strip": 2, "card": 5}
"""The sockets of the hub that 61-paihao-roles.rules gives to these roles."""
PAPER = {"number": "A017", "values": {"service": "户籍业务"}, "qr": "HTTPS://PAIHAO.EXAMPLE/T/A017"}
LONG_LAYOUT = '[[line]]\ntext = { zh-CN = "{number}" }\n' + (
    '[[line]]\ntext = { zh-CN = "{service}" }\nwidth = 2\nheight = 2\n' * 12
)
"""Rare characters are printed as dots: a ticket of some 40 KB."""


def adapter(bench: Bench, role: str, fake: FakeDevice) -> UsbSerialLine:
    return UsbSerialLine(bench.machine, role, SOCKETS[role], fake)


def serial(role: str, baud: int) -> dict[str, object]:
    return {"type": "serial", "path": f"/dev/paihao/{role}", "baud": baud}


@check("a USB serial adapter has its stable names, the agent's group and no waiting time")
async def serial_adapter_names(bench: Bench) -> None:
    async with bench.plugged(adapter(bench, "printer", FakeEscposPrinter())):
        names = (
            "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_PRINTER-if00-port0",
            "/dev/paihao/serial-1-1.1",
            "/dev/paihao/printer",
        )
        for name in names:
            await bench.inside(f"udevadm wait --timeout=20 {name}")
        real = {await bench.inside(f"readlink -f {name}") for name in names}
        assert len(real) == 1, real
        (tty,) = real
        assert (await bench.inside(f"stat -c '%G %a' {tty}")).split() == ["dialout", "660"]
        latency = f"cat /sys/class/tty/{tty.strip().removeprefix('/dev/')}/device/latency_timer"
        assert (await bench.inside(latency)).strip() == "1"
    await bench.inside("udevadm wait --timeout=20 --removed /dev/paihao/printer")


@check("ESC/POS on a USB serial adapter: a ticket is printed, proved and whole")
async def serial_printer_prints(bench: Bench) -> None:
    fake = FakeEscposPrinter()
    async with (
        bench.plugged(adapter(bench, "printer", fake)),
        bench.driver("printer", "escpos", transport=serial("printer", 115200)) as printer,
    ):
        await printer.until("ok")
        took = stopwatch()
        result = await printer.call("print_ticket", PAPER)
        bench.note(f"ticket in {took():.1f} s")
        assert result == {"outcome": "confirmed", "code": None}, result
        fake.paper_out()
        await bench.in_time("paper out seen after", printer.until("fault", "printer.paper_out"))
        fake.load_paper()
        await bench.in_time("mended after", printer.until("ok"))
    tickets = [ticket for ticket in fake.tickets if "A017" in ticket.text]
    assert len(tickets) == 1 and tickets[0].whole and tickets[0].qr == [PAPER["qr"]], fake.tickets
    assert "户籍业务" in tickets[0].text


@check("unplugged in the middle of a ticket: unknown, missing in time, works by itself when plugged in again")
async def serial_printer_pulled_in_a_ticket(bench: Bench) -> None:
    fake = FakeEscposPrinter()
    line = adapter(bench, "printer", fake)
    async with (
        bench.plugged(line),
        bench.driver("printer", "escpos", transport=serial("printer", 115200)) as printer,
    ):
        await printer.until("ok")
        assert (await printer.call("print_ticket", PAPER))["outcome"] == "confirmed"
        middle = asyncio.Event()

        def hang() -> None:
            fake.freeze()
            middle.set()

        fake.at_byte(60, hang)
        printing = asyncio.create_task(printer.call("print_ticket", {**PAPER, "number": "A018"}))
        await asyncio.wait_for(middle.wait(), 30)
        pulled = asyncio.create_task(printer.until("missing", "device.unplugged"))
        await line.unplug()
        await bench.in_time("missing after", pulled)
        result = await printing
        assert result["outcome"] == "unknown", result
        fake.go_on()
        took = stopwatch()
        await line.plug()
        await printer.until("ok")
        bench.note(f"back after {took():.1f} s")
        result = await printer.call("print_ticket", {**PAPER, "number": "A019"})
        assert result["outcome"] == "confirmed", result
    whole = [ticket for ticket in fake.tickets if ticket.whole and not ticket.text.isspace()]
    assert not any("A018" in ticket.text and "A019" in ticket.text for ticket in fake.tickets)
    assert sum("A019" in ticket.text for ticket in whole) == 1


@check("an ID card is read over USB serial, masked; the reader is unplugged and plugged in again")
async def serial_card_reader(bench: Bench) -> None:
    fake = FakeSamReader()
    line = adapter(bench, "card", fake)
    card = synthetic_cards()[0]
    async with (
        bench.plugged(line),
        bench.driver("card", "sam_reader", transport=serial("card", 115200)) as reader,
    ):
        await reader.until("ok")
        took = stopwatch()
        fake.lay(card)
        event = await reader.call("next_event")
        bench.note(f"read in {took():.1f} s")
        assert event["what"] == "read" and "*" in event["card"]["number"], event["what"]
        fake.take()
        assert (await reader.call("next_event"))["what"] == "removed"
        gone = asyncio.create_task(reader.until("missing"))
        await line.unplug()
        await bench.in_time("missing after", gone)
        await line.plug()
        await reader.until("ok")
        fake.lay(card)
        assert (await reader.call("next_event"))["what"] == "read"


@check("an LED strip over USB serial shows a call, and shows it again by itself after it was unplugged")
async def serial_strip(bench: Bench) -> None:
    fake = FakeOnbonCard()
    line = adapter(bench, "strip", fake)
    async with (
        bench.plugged(line),
        bench.driver("strip", "onbon_bx", transport=serial("strip", 57600)) as strip,
    ):
        await strip.until("ok")
        took = stopwatch()
        shown = await strip.call("show", {"text": "请A017号"})
        bench.note(f"shown in {took():.1f} s")
        assert shown["outcome"] == "done" and fake.text == "请A017号", (shown, fake.text)
        gone = asyncio.create_task(strip.until("missing"))
        await line.unplug()
        fake.areas.clear()  # without power its areas are gone
        await bench.in_time("missing after", gone)
        took = stopwatch()
        await line.plug()
        await strip.until("ok")
        async with asyncio.timeout(20):
            while fake.text != "请A017号":
                await asyncio.sleep(0.1)
        bench.note(f"shown again {took():.1f} s after")


async def stalling_port(bench: Bench) -> str:
    (found,) = (await bench.inside("grep -l 0x1b36 /sys/class/tty/*/device/vendor")).split()
    return f"/dev/{found.split('/')[4]}"


@check("a printer that stops in a ticket and takes no more bytes: unknown, a fault in time, then mended")
async def serial_printer_stalls(bench: Bench) -> None:
    fake = FakeEscposPrinter()
    line = StallingLine(bench.machine, fake)
    await bench.machine.agent.put("/etc/paihao/long.toml", LONG_LAYOUT)
    transport = {"type": "serial", "path": await stalling_port(bench), "baud": 115200}
    paper = {"number": "A017", "values": {"service": "𠮷𡈽𠀋"}}
    async with (
        bench.plugged(line),
        bench.driver("printer", "escpos", transport=transport, layout="/etc/paihao/long.toml") as printer,
    ):
        await printer.until("ok")
        line.faults.stop_after = 6000
        took = stopwatch()
        result = await printer.call("print_ticket", paper)
        bench.note(f"given up after {took():.1f} s, {result['code']}")
        assert result["outcome"] == "unknown", result
        await bench.in_time("missing after", printer.until("missing"))
        line.resume()
        await printer.until("ok")
        result = await printer.call("print_ticket", {**paper, "number": "A018"})
        assert result["outcome"] == "confirmed", result
    assert not [ticket for ticket in fake.tickets if ticket.whole and "A017" in ticket.text]
    assert len([ticket for ticket in fake.tickets if ticket.whole and "A018" in ticket.text]) == 1


@check(
    "back-pressure of the kernel: the write limit ends a write, the line is given up and comes back by itself"
)
async def serial_write_limit(bench: Bench) -> None:
    fake = FakeEscposPrinter()
    line = StallingLine(bench.machine, fake)
    transport = {"type": "serial", "path": await stalling_port(bench), "baud": 115200}
    async with (
        bench.plugged(line),
        # a printer that cannot be asked: nothing but the write itself can tell
        bench.driver("printer", "escpos", transport=transport, status="none", write_s=2.0) as printer,
    ):
        await printer.until("ok")
        line.stall()
        took = stopwatch()
        result = await printer.call("print_ticket", PAPER)
        bench.note(f"given up after {took():.1f} s")
        assert result == {"outcome": "unknown", "code": "device.write_stalled"}, result
        assert 2.0 <= took() < 4.0
        stalled = printer.until_state(lambda state: state["code"] == "device.write_stalled")
        await bench.in_time("fault after", stalled)
        line.resume()
        await bench.in_time("back after", printer.until("ok"), 15)
        result = await printer.call("print_ticket", {**PAPER, "number": "A018"})
        assert result == {"outcome": "unknown", "code": "printer.not_watched"}, result
    async with asyncio.timeout(10):
        while not any("A018" in ticket.text for ticket in fake.tickets):
            await asyncio.sleep(0.1)


@check("a line that stays stalled holds up nobody: a strip beside it shows every call", short=False)
async def serial_stall_alone(bench: Bench) -> None:
    fake, strip = FakeEscposPrinter(), FakeOnbonCard()
    line = StallingLine(bench.machine, fake)
    transport = {"type": "serial", "path": await stalling_port(bench), "baud": 115200}
    async with (
        bench.plugged(line),
        bench.plugged(adapter(bench, "strip", strip)),
        bench.driver("strip", "onbon_bx", transport=serial("strip", 57600)) as screen,
        bench.driver("printer", "escpos", transport=transport, write_s=1.0) as printer,
    ):
        await printer.until("ok")
        await screen.until("ok")
        line.stall()
        await printer.call("print_ticket", PAPER)
        slowest = 0.0
        for number in range(8):
            took = stopwatch()
            assert (await screen.call("show", {"text": f"请A{number:03}号"}))["outcome"] == "done"
            slowest = max(slowest, took())
            await asyncio.sleep(0.5)
        bench.note(f"slowest call on the strip meanwhile {slowest:.1f} s")
        assert slowest < 3.0
        line.resume()
        await printer.until("ok")
