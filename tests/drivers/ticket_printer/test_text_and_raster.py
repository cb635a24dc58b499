"""What we encode is what a printer prints; what it cannot know is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.ticket_printer.escpos_frames import (
    BAND_ROWS,
    LONGEST_COMMAND,
    Bitmap,
    encode_text,
    gb2312,
    printable,
    raster,
    text_width,
    without_real_time,
)
from drivers.ticket_printer.escpos_ticket import Mode, TicketWriter, quick
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.layout import TicketLine
from drivers.ticket_printer.printed_paper import PrintedRaster
from drivers.ticket_printer.raster_text import text_image
from drivers.transport.file import FileConfig
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig

GB2312 = [
    bytes((high, low)).decode("gb18030")
    for high in (*range(0xA1, 0xAA), *range(0xB0, 0xF8))
    for low in range(0xA1, 0xFF)
    if gb2312(bytes((high, low)).decode("gb18030", "replace")) == bytes((high, low))
]
ASCII = [chr(code) for code in range(0x20, 0x7F)]


def test_gb2312_has_all_its_characters() -> None:
    assert len(GB2312) == 7445  # 6763 characters and 682 others


@pytest.mark.parametrize("char", "①℃：〇·—，。￥×ⅠАあ")
def test_signs_of_gb2312_go_as_two_bytes(char: str) -> None:
    if char == "〇":
        assert gb2312(char) is None  # the zero of dates is not in GB2312
        return
    assert encode_text(char) == b"\x1c&" + char.encode("gb18030") + b"\x1c."


@pytest.mark.parametrize("char", ["𠮷", "喆", "镕", "ⅰ", "é̂", "😀", "ñ", "〇", "\ue000"])
def test_characters_outside_gb2312_have_no_bytes(char: str) -> None:
    assert encode_text(char) is None


def test_ascii_and_chinese_are_switched_between() -> None:
    assert encode_text("A区3号") == b"A\x1c&\xc7\xf8\x1c.3\x1c&\xba\xc5\x1c."


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(GB2312 + ASCII * 20), min_size=1, max_size=24))
def test_fake_reads_what_was_encoded(text: str) -> None:
    fake = FakeEscposPrinter()
    code = encode_text(text)
    assert code is not None
    fake.received(b"\x1b@" + code + b"\n\x1dV\x00")
    assert fake.tickets[0].text == text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_no_text_can_be_a_command(text: str) -> None:
    clean = printable(text)
    code = encode_text(clean.replace("\n", ""))
    if code is not None:
        stripped = code.replace(b"\x1c&", b"").replace(b"\x1c.", b"")
        assert all(byte >= 0x20 and byte != 0x7F for byte in stripped)


@pytest.mark.parametrize("name", ["王𠮷", "李喆", "朱镕基"])
def test_rare_name_is_drawn(name: str) -> None:
    fake = FakeEscposPrinter()
    writer = TicketWriter("default", "full")
    lines = [TicketLine("text", "号码"), TicketLine("text", name, 2, 2, "center")]
    job = writer.job(lines)
    fake.received(b"".join(job.chunks) + job.cut)
    (ticket,) = fake.tickets
    assert ticket.text == "号码", "only the rare line is dots"
    (drawn,) = ticket.rasters
    left, _, right, _ = ink_of(drawn)
    width = text_width(name) * 24
    assert 288 - width / 2 <= left < right <= 288 + width / 2 + 8, "in the middle"
    assert right - left > width * 0.8


def ink_of(drawn: PrintedRaster) -> tuple[int, int, int, int]:
    image = Image.frombytes("1", (drawn.width_bytes * 8, len(drawn.rows) // drawn.width_bytes), drawn.rows)
    box = image.getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize(
    ("mode", "quick", "line", "raster"),
    [
        ("text", True, TicketLine("text", "王𠮷"), False),
        ("auto", True, TicketLine("text", "王𠮷"), True),
        ("auto", False, TicketLine("text", "王𠮷"), False),
        ("auto", True, TicketLine("text", "王"), False),
        ("auto", True, TicketLine("text", "王", face="x.otf"), True),
        ("auto", False, TicketLine("text", "王", face="x.otf"), False),
        ("raster", False, TicketLine("text", "王"), True),
    ],
)
def test_mode_that_suits_line_and_text(mode: Mode, quick: bool, line: TicketLine, raster: bool) -> None:
    writer = TicketWriter("default", "full", mode=mode, quick=quick)
    assert writer.as_raster([line]) is raster
    assert writer.draws([line]) is (raster or "𠮷" in line.text)


def test_lines_on_which_a_raster_ticket_is_quick() -> None:
    assert quick(TcpConfig(host="printer", port=9100)) and quick(FileConfig(path="/dev/usb/lp0"))
    assert not quick(SerialConfig(path="/dev/ttyUSB0", baud=115200))
    assert quick(SerialConfig(path="/dev/ttyACM0", baud=921600))


def test_drawn_characters_differ() -> None:
    assert text_image("𠮷").tobytes() != text_image("喆").tobytes() != text_image(" ").tobytes()


@given(st.binary(max_size=400))
def test_no_image_holds_a_real_time_command(data: bytes) -> None:
    safe = without_real_time(data)
    assert len(safe) == len(data)
    assert not any(bytes((0x10, second)) in safe for second in (0x04, 0x05, 0x14))


@given(st.integers(1, 120), st.integers(1, 100))
def test_raster_comes_in_short_commands(width: int, height: int) -> None:
    commands = list(raster(Bitmap(width, bytes(width * height))))
    assert len(commands) >= -(-height // BAND_ROWS)
    assert sum(len(command) - 8 for command in commands) == width * height
    assert max(map(len, commands)) <= LONGEST_COMMAND


async def test_image_data_is_printed_with_questions_in_it() -> None:
    fake = FakeEscposPrinter()
    answers: list[bytes] = []
    fake.send = answers.append
    image = b"\x1dv0\x00\x02\x00\x02\x00\xaa\xbb\xcc\xdd"
    fake.received(image[:9] + b"\x10\x04\x01" + image[9:] + b"\x1dV\x00")
    assert answers == [b"\x12"]
    assert fake.tickets[0].rasters[0].rows == b"\xaa\xbb\xcc\xdd"
