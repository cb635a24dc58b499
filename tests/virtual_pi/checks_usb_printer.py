"""A printer of the USB printer class: through the kernel's usblp, and past it through libusb."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import Bench, check, stopwatch
from checks_serial import PAPER
from lines import UsbPrinterLine

from drivers.ticket_printer.fake import FakeEscposPrinter


@asynccontextmanager
async def usb_printer(bench: Bench, fake: FakeEscposPrinter) -> AsyncIterator[UsbPrinterLine]:
    await bench.machine.hardware.do("gadgets")
    line = UsbPrinterLine(bench.machine, fake)
    async with bench.plugged(line):
        yield line


@check("a USB printer through usblp: tickets arrive whole, paper out, unplugged, plugged in again")
async def usblp_printer(bench: Bench) -> None:
    fake = FakeEscposPrinter()
    async with usb_printer(bench, fake) as line:
        await bench.inside("udevadm wait --timeout=20 /dev/paihao/printer")
        transport = {"type": "file", "path": "/dev/paihao/printer"}
        async with bench.driver("printer", "escpos", transport=transport) as printer:
            await printer.until("ok")
            took = stopwatch()
            result = await printer.call("print_ticket", PAPER)
            bench.note(f"ticket in {took():.1f} s")
            assert result["outcome"] == "confirmed", result
            fake.paper_out()
            await bench.in_time("paper out seen after", printer.until("fault", "printer.paper_out"))
            fake.load_paper()
            await bench.in_time("mended after", printer.until("ok"))
            gone = asyncio.create_task(printer.until("missing"))
            await line.unplug()
            await bench.in_time("missing after", gone)
            await line.plug()
            await printer.until("ok")
            assert (await printer.call("print_ticket", {**PAPER, "number": "A018"}))["outcome"] == "confirmed"
    for number in ("A017", "A018"):
        assert [ticket.whole for ticket in fake.tickets if number in ticket.text] == [True], number


@check("a USB printer through libusb: usblp lets go of it, tickets arrive whole, unplugged, plugged in again")
async def libusb_printer(bench: Bench) -> None:
    fake = FakeEscposPrinter()
    async with usb_printer(bench, fake) as line:
        await bench.inside("udevadm wait --timeout=20 /dev/usb/lp0")
        transport = {"type": "usb", "vendor": 0x04B8, "product": 0x0202, "serial": "PRN001"}
        async with bench.driver("printer", "escpos", transport=transport) as printer:
            await printer.until("ok")
            assert "lp0" not in await bench.inside("ls /dev/usb", check=False)
            took = stopwatch()
            result = await printer.call("print_ticket", PAPER)
            bench.note(f"ticket in {took():.1f} s")
            assert result["outcome"] == "confirmed", result
            fake.open_cover()
            await bench.in_time("cover seen after", printer.until("fault", "printer.cover_open"))
            fake.close_cover()
            await bench.in_time("mended after", printer.until("ok"))
            gone = asyncio.create_task(printer.until("missing"))
            await line.unplug()
            await bench.in_time("missing after", gone)
            await line.plug()
            await printer.until("ok")
            assert (await printer.call("print_ticket", {**PAPER, "number": "A018"}))["outcome"] == "confirmed"
    for number in ("A017", "A018"):
        assert [ticket.whole for ticket in fake.tickets if number in ticket.text] == [True], number
