"""QR codes and Code 128: beside the encoders of others, and read back by an independent decoder."""

from __future__ import annotations

import string

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.ticket_printer.code128 import (
    QUIET,
    BarcodeError,
    barcode_bitmap,
    barcode_command,
    modules,
)
from drivers.ticket_printer.escpos_frames import Bitmap, without_real_time
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.qr_code import (
    VERSIONS,
    QrPayloadError,
    modules_of,
    qr_bitmap,
    qr_rows,
    version_of,
)

PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))
LAST = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666]
"""Bytes that each version holds at level M: ISO/IEC 18004, table 7."""


def payload(length: int) -> str:
    return ("https://hall.example/t/" + string.ascii_letters * 20)[:length]


def picture(bitmap: Bitmap, wide: int, border: int) -> Image.Image:
    """On white paper with a quiet zone."""
    dots = Image.frombytes("1", (bitmap.width_bytes * 8, bitmap.height), bitmap.rows).crop(
        (0, 0, wide, bitmap.height)
    )
    paper = Image.new("L", (wide + 2 * border, bitmap.height + 2 * border), 255)
    paper.paste(0, (border, border), dots)
    return paper


def test_versions_hold_what_the_standard_says() -> None:
    for version, most in enumerate(LAST, 1):
        assert version_of("x" * most) == version
    assert [version_of("x" * (most + 1)) for most in LAST[:-1]] == list(range(2, VERSIONS + 1))
    assert modules_of("x") == 21 and modules_of("x" * 666) == 97


@pytest.mark.parametrize("length", [1, 13, 14, 15, 31, 62, 106, 107, 150, 213])
def test_qr_is_the_one_of_another_encoder_for_some_mask(length: int) -> None:
    import qrcode
    from qrcode.util import MODE_8BIT_BYTE, QRData

    ours = qr_rows(payload(length))
    theirs = []
    for mask in range(8):
        code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M, mask_pattern=mask)
        code.add_data(QRData(payload(length), mode=MODE_8BIT_BYTE))
        code.make(fit=True)
        theirs.append(["".join("01"[cell] for cell in row) for row in code.get_matrix()])
    assert ours in theirs


@pytest.mark.parametrize("length", [1, *LAST])
def test_every_version_is_read_back(length: int) -> None:
    bitmap = qr_bitmap(payload(length), 3)
    (read,) = zxingcpp.read_barcodes(picture(bitmap, modules_of(payload(length)) * 3, 24))
    assert read.text == payload(length)


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from(PRINTABLE), min_size=1, max_size=120))
def test_any_ascii_is_read_back(text: str) -> None:
    (read,) = zxingcpp.read_barcodes(picture(qr_bitmap(text, 4), modules_of(text) * 4, 24))
    assert read.text == text


@pytest.mark.parametrize("text", ["", "排号", "a\nb", "x" * 667])
def test_payloads_that_no_code_holds(text: str) -> None:
    with pytest.raises(QrPayloadError):
        qr_rows(text)


@pytest.mark.parametrize("text", ["A005", "12345678", "1604", "Case-2026/0001", "{a}", "1", "~ !"])
def test_barcode_is_the_one_of_the_standard(text: str) -> None:
    wide = len(modules(text)) * 3
    (read,) = zxingcpp.read_barcodes(picture(barcode_bitmap(text, 3, 60), wide, QUIET * 3))
    assert (read.text, str(read.format)) == (text, "Code 128")


def test_bars_beside_another_encoder() -> None:
    import barcode

    for text in ("A005", "ABC-12", "12345678", "{a}", "00"):
        assert barcode.get("code128", text).build()[0] == modules(text)


def test_command_beside_python_escpos() -> None:
    from escpos.printer import Dummy

    for text, theirs in (("A005", "{BA005"), ("B-12", "{BB-12")):
        dummy = Dummy(profile="default")
        dummy.barcode(theirs, "CODE128", height=80, width=3, pos="OFF", function_type="B", align_ct=False)
        font = b"\x1df\x00"  # python-escpos chooses the font of a text that is not printed
        assert barcode_command(text, 3, 80) == dummy.output.replace(font, b"")


@given(st.text(st.sampled_from(PRINTABLE), min_size=1, max_size=60))
def test_printer_reads_what_was_sent_and_sees_no_question_in_it(text: str) -> None:
    command = barcode_command(text, 2, 80)
    assert without_real_time(command) == command
    fake = FakeEscposPrinter()
    fake.received(b"\x1b@" + command + b"\x1dV\x00")
    assert fake.tickets[0].barcodes == [text]


@pytest.mark.parametrize("text", ["", "号", "x" * 61])
def test_what_is_no_barcode(text: str) -> None:
    with pytest.raises(BarcodeError):
        modules(text)
