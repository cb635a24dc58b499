"""Raster tickets: what is drawn is what comes out, in commands that leave room for questions."""

from __future__ import annotations

from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageChops
from printing_bench import VALUES, bench_of

from drivers.ticket_printer import ticket_dots
from drivers.ticket_printer.escpos_frames import LONGEST_COMMAND, without_real_time
from drivers.ticket_printer.escpos_ticket import TicketWriter
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.layout import TicketLine
from drivers.ticket_printer.layout_file import SHIPPED, load_layout
from drivers.ticket_printer.layout_trial import SAMPLE, with_values
from drivers.ticket_printer.printed_paper import MARGIN, TOP, PrintedTicket
from drivers.ticket_printer.protocol import Paper
from drivers.ticket_printer.ticket_dots import raster_commands, ticket_image

RARE = with_values(SAMPLE, {"service": "王𠮷的业务"}, reprint=True)


def printed(
    lines: list[TicketLine], columns: int, mode: str = "raster", profile: str = "default"
) -> PrintedTicket:
    fake = FakeEscposPrinter(columns)
    writer = TicketWriter(profile, "full", columns=columns, mode=mode)  # type: ignore[arg-type]
    job = writer.job(lines)
    for part in (*job.chunks, job.cut):
        fake.received(part)
    return fake.tickets[0]


def ink(ticket: PrintedTicket, columns: int) -> Image.Image:
    """What is black, without margins and the end of the paper."""
    picture = ticket.render().point(lambda value: 255 if value < 128 else 0)
    return picture.crop((MARGIN, TOP, MARGIN + columns * 12, picture.height))


@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("name", SHIPPED)
def test_printer_makes_of_the_bytes_what_was_drawn(name: str, columns: int) -> None:
    lines = load_layout(name).lines(RARE, columns)
    drawn = ImageChops.invert(ticket_image(lines, columns).convert("L"))
    out = ink(printed(lines, columns), columns)
    assert out.width == drawn.width and out.height >= drawn.height
    out = out.crop((0, 0, *drawn.size))
    assert ImageChops.subtract(drawn, out).getbbox() is None, "no dot is missing"
    more = sum(ImageChops.subtract(out, drawn).histogram()[128:])
    assert more <= 8, "a dot more only where the image would have been a question to the printer"


def test_the_same_paper_as_from_python_escpos() -> None:
    """Its `image()` of the drawn ticket and our commands, printed by the same fake."""
    from escpos.printer import Dummy

    lines = load_layout("standard").lines(SAMPLE, 48)
    picture = ticket_image(lines, 48)
    dummy = Dummy(profile="default")
    dummy.image(picture, impl="bitImageRaster", fragment_height=24)
    fake = FakeEscposPrinter(48)
    # it leaves real-time commands in its images, which a printer takes out of them
    output = without_real_time(dummy.output)
    for start in range(0, len(output), 1000):
        fake.received(output[start : start + 1000])
    fake.received(b"\x1dV\x00")
    theirs = ink(fake.tickets[0], 48).crop((0, 0, *picture.size))
    ours = ink(printed(lines, 48), 48).crop((0, 0, *picture.size))
    differs = ImageChops.difference(theirs, ours)
    assert sum(differs.histogram()[128:]) <= 8, "a dot more in place of a real-time command"


@pytest.mark.parametrize("columns", [24, 32, 48, 80])
@pytest.mark.parametrize("name", SHIPPED)
def test_commands_are_short_and_stay_on_the_paper(name: str, columns: int) -> None:
    for command in raster_commands(load_layout(name).lines(RARE, columns), columns):
        assert len(command) <= LONGEST_COMMAND
        if command[:2] == b"\x1dv":
            assert int.from_bytes(command[4:6], "little") * 8 <= columns * 12 + 7


@pytest.mark.parametrize("mode", ["text", "raster"])
@pytest.mark.parametrize("name", SHIPPED)
def test_qr_code_is_read_from_the_picture_of_the_paper(name: str, mode: str) -> None:
    for profile in ("default", "NT-5890K"):  # with and without codes of its own
        paper = Paper("A005", VALUES, "https://hall.example/t/7f3k9q2m")
        fake = FakeEscposPrinter(32)
        job = TicketWriter(profile, "full", columns=32, mode=mode).job(  # type: ignore[arg-type]
            load_layout(name).lines(paper, 32)
        )
        for part in job.chunks:
            fake.received(part)
        assert fake.hanging is not None
        read = zxingcpp.read_barcodes(fake.hanging.render())
        assert [code.text for code in read] == [paper.qr]


@pytest.mark.parametrize("mode", ["text", "raster"])
def test_barcode_is_read_from_the_picture_of_the_paper(mode: str) -> None:
    lines = [TicketLine("text", "A005"), TicketLine("barcode", "A005", align="center", module=3, dots=80)]
    read = zxingcpp.read_barcodes(printed(lines, 48, mode).render())
    assert [code.text for code in read] == ["A005"]


def test_text_and_raster_stand_at_the_same_places() -> None:
    lines = load_layout("standard").lines(SAMPLE, 48)
    text, raster = (ink(printed(lines, 48, mode), 48) for mode in ("text", "raster"))
    assert text.size == raster.size
    both = sum(ImageChops.darker(text, raster).histogram()[128:])
    either = sum(ImageChops.lighter(text, raster).histogram()[128:])
    assert both / either > 0.75


def test_what_changes_is_drawn_anew_and_the_rest_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = load_layout("standard")
    list(raster_commands(layout.lines(SAMPLE, 48), 48))
    drawn: list[str] = []
    real = ticket_dots.text_image

    def watched(text: str, *arguments: object, **more: object) -> Image.Image:
        drawn.append(text)
        return real(text, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ticket_dots, "text_image", watched)
    other = with_values(SAMPLE, {"number": "A006", "waiting": "13"}, reprint=False)
    again = b"".join(raster_commands(layout.lines(other, 48), 48))
    assert drawn == ["A006", "前面等候 13 人"]
    ticket_dots.forget_drawn()
    assert b"".join(raster_commands(layout.lines(other, 48), 48)) == again, "kept or not, the same bytes"


def test_picture_is_dithered_and_stands_where_it_should(tmp_path: Path) -> None:
    grey = Image.new("RGBA", (100, 50), (0, 0, 0, 128))
    grey.paste((0, 0, 0, 0), (50, 0, 100, 50))  # the right half is transparent
    path = tmp_path / "logo.png"
    grey.save(path)
    line = TicketLine("image", str(path), align="right", dots=200)
    out = ink(printed([line], 48), 48).crop((0, 0, 576, 100))
    box = out.getbbox()
    assert box is not None and 374 <= box[0] <= 378 and 470 <= box[2] <= 480
    half = out.crop((380, 0, 470, 100))
    assert 0.35 < sum(half.histogram()[128:]) / (half.width * half.height) < 0.65
    for size in ((10, 100_000), (20_000, 20_000)):
        Image.new("1", size).save(path)
        ticket_dots.forget_drawn()
        assert printed([line, TicketLine("text", "A005")], 48).rasters, "changed to one that is too large"
    path.unlink()
    ticket_dots.forget_drawn()
    assert printed([line, TicketLine("text", "A005")], 48).rasters, "the ticket comes out without it"


@pytest.mark.parametrize("mode", ["text", "raster"])
@pytest.mark.parametrize("name", SHIPPED)
def test_commands_in_a_value_are_not_sent(name: str, mode: str) -> None:
    evil = (
        "王\x1bp\x00\x19\xfa\x10\x04\x01\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08\x1dV\x00\x1c.\x9bB\n\x00"
        + "长" * 10_000
    )
    values = dict.fromkeys((*SAMPLE.values, "notes", "priority"), evil) | {"language": "zh-CN"}
    lines = load_layout(name).lines(Paper("A0\x1b@05\x1dV\x00", values, "排\x1b@"), 48)
    assert not any(line.kind == "qr" or "扫码" in line.text for line in lines), "no code, nothing to scan"
    fake = FakeEscposPrinter(48)
    job = TicketWriter("default", "full", columns=48, mode=mode).job(lines)  # type: ignore[arg-type]
    for chunk in job.chunks:
        fake.received(chunk)
        assert b"\x1dV" not in chunk and b"\x1bp" not in chunk and b"\x10\x04" not in chunk
    fake.received(job.cut)
    (ticket,) = fake.tickets
    assert ticket.whole and not fake.blank_cuts


@pytest.mark.parametrize("name", SHIPPED)
def test_reprint_says_so_in_every_layout_with_the_same_number(name: str) -> None:
    layout = load_layout(name)
    for language, mark in (("zh-CN", "补打"), ("en", "Reprint")):
        for columns in (32, 48):
            first = Paper("A005", {**SAMPLE.values, "language": language}, SAMPLE.qr)
            again = Paper(first.number, first.values, first.qr, reprint=True)
            lines, marked = layout.lines(first, columns), layout.lines(again, columns)
            assert not any(mark in line.text for line in lines)
            added = [line for line in marked if line not in lines]
            assert any(mark in line.text for line in added)
            assert [line for line in marked if line not in added] == lines
            assert any(line.text.replace(" ", "") == "A005" and line.width >= 4 for line in lines)


async def test_raster_ticket_is_proved_with_questions_between_its_chunks() -> None:
    async with bench_of(start_slip=False, mode="raster") as bench:
        await bench.ready()
        before = bench.line.bytes_out
        result = await bench.printer.print_ticket(RARE)
        assert result.outcome == "confirmed"
        (ticket,) = bench.fake.tickets
        assert ticket.whole and ticket.rasters and not ticket.lines
        assert bench.line.bytes_out - before > 10, "answers to the questions"


async def test_rare_name_makes_the_whole_ticket_raster_on_a_quick_line() -> None:
    async with bench_of(start_slip=False) as bench:
        await bench.ready()
        assert (await bench.printer.print_ticket(SAMPLE)).outcome == "confirmed"
        assert (await bench.printer.print_ticket(RARE)).outcome == "confirmed"
        text, raster = bench.fake.tickets
        assert text.lines and not text.rasters
        assert raster.rasters and not raster.lines


@pytest.mark.parametrize("at", [1, 1000, 9000, 20000])
async def test_raster_ticket_that_the_paper_ended_is_not_out(at: int) -> None:
    async with bench_of(start_slip=False, mode="raster") as bench:
        await bench.ready()
        bench.fake.at_byte(at, bench.fake.paper_out)
        result = await bench.printer.print_ticket(SAMPLE)
        assert (result.outcome, result.code) == ("failed", "printer.paper_out")
        bench.fake.load_paper()
        await bench.ready()
        assert (await bench.printer.print_ticket(RARE)).outcome == "confirmed"
        assert not any(ticket.whole and not ticket.rasters for ticket in bench.fake.tickets)
