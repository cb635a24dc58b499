"""Layout templates, the renderer of printed paper, answers of print queues, and the codes on a ticket."""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import FrameError
from drivers.ticket_printer.code128 import BarcodeError, barcode_command, modules
from drivers.ticket_printer.escpos_frames import text_width
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.ipp_frames import Group, IppMessage, Operation, Tag, attribute, request
from drivers.ticket_printer.layout_file import SHIPPED, LayoutError, load_layout, read_layout
from drivers.ticket_printer.layout_trial import SAMPLE
from drivers.ticket_printer.line_breaking import fitted
from drivers.ticket_printer.print_queue import QueueState, server_of
from drivers.ticket_printer.printed_paper import MARGIN, PrintedFeed
from drivers.ticket_printer.qr_code import QrPayloadError, modules_of, qr_rows

_LONGEST = 300
"""Bytes of an input that are used where more only cost time."""
_FEED_LIMIT, _WIDE_LIMIT, _QR_LIMIT = 4000, 2000, 100
"""Larger pictures are not drawn: they cost time and find nothing new."""


def layout_toml(data: bytes) -> None:
    """A template or its mistakes; what it makes fits the paper."""
    text = data[:_LONGEST].decode("utf-8", "replace")
    try:
        layout = read_layout(text)
    except LayoutError as error:
        assert error.found and all(0 <= problem.line <= text.count("\n") + 1 for problem in error.found)
        return
    for line in layout.lines(SAMPLE, 32):
        if line.kind == "text":
            assert text_width(line.text) * line.width <= 32
        elif line.kind == "qr":
            assert modules_of(line.text) * line.module <= 384


def layout_text(data: bytes) -> None:
    """The first bytes choose the rule; whatever the text, its lines fit."""
    columns, size, most = (data[:3] + b"\x20\x02\x03")[:3]
    columns, size, most = 24 + columns % 57, 1 + size % 8, 1 + most % 12
    text = data[3:_LONGEST].decode("utf-8", "replace")
    width, lines = fitted(text, columns, size=size, least=1, fit=bool(most & 1), most=most)
    assert width <= size and len(lines) <= most
    assert all(text_width(line) * width <= columns for line in lines)


def printed_paper(data: bytes) -> None:
    """Any bytes are some paper, in whatever pieces they come, and it can be drawn (an eighth of them is)."""
    whole, parts = FakeEscposPrinter(32), FakeEscposPrinter(32)
    stream, cut = data[1:_LONGEST], data[0] if data else 0
    whole.received(stream + b"\x1dV\x00")
    parts.received(stream[:cut])
    parts.received(stream[cut:] + b"\x1dV\x00")
    assert [ticket.items for ticket in whole.tickets] == [ticket.items for ticket in parts.tickets]
    for ticket in whole.tickets if cut % 8 == 0 else ():
        fed = sum(item.dots for item in ticket.items if isinstance(item, PrintedFeed))
        wide = max((item.width_bytes * 8 for item in ticket.rasters), default=0)
        if fed < _FEED_LIMIT and wide < _WIDE_LIMIT and sum(map(len, ticket.qr)) < _QR_LIMIT:
            assert ticket.render().width == 32 * 12 + 2 * MARGIN


def ipp_message(data: bytes) -> None:
    try:
        message = IppMessage.from_bytes(data)
    except FrameError:
        return
    again = IppMessage.from_bytes(message.to_bytes())
    assert again == message
    for group in message.groups:
        state = QueueState.from_group(group)
        assert state.fault is None or "." in state.fault
        server_of(state.device)


def qr_payload(data: bytes) -> None:
    text = data.decode("latin-1")
    try:
        rows = qr_rows(text)
    except QrPayloadError:
        assert not (text.isascii() and text.isprintable() and 0 < len(text) <= 666)
        return
    assert len(rows) == modules_of(text) and {len(row) for row in rows} == {len(rows)}
    assert rows[0].startswith("1111111") and rows[6].startswith("1111111")


def code128_payload(data: bytes) -> None:
    text = data.decode("latin-1")
    try:
        command = barcode_command(text, 2, 80)
    except BarcodeError:
        return
    fake = FakeEscposPrinter()
    fake.received(b"\x1b@" + command + b"\x1dV\x00")
    assert fake.tickets[0].barcodes == [text] and modules(text).endswith("1100011101011")


_ANSWER = IppMessage(
    0,
    1,
    (
        Group(Tag.OPERATION, (attribute("attributes-charset", Tag.CHARSET, "utf-8"),)),
        Group(
            Tag.PRINTER,
            (
                attribute("printer-state-reasons", Tag.KEYWORD, "media-empty-error", "none"),
                attribute("device-uri", Tag.URI, "ipp://10.0.0.9/ipp/print"),
            ),
        ),
    ),
).to_bytes()


def _toml(name: str) -> bytes:
    layout = load_layout(name)
    rows = (
        f'[[line]]\ntext = {{ zh-CN = "{line.text.get("zh-CN", "{number}")}" }}\n' for line in layout.template
    )
    return "".join(rows).encode()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "layout_toml": layout_toml,
    "layout_text": layout_text,
    "printed_paper": printed_paper,
    "ipp_message": ipp_message,
    "qr_payload": qr_payload,
    "code128_payload": code128_payload,
}

SEEDS: dict[str, list[bytes]] = {
    "layout_toml": [
        *(_toml(name) for name in SHIPPED),
        b'[[line]]\ntext = { zh-CN = "{number}", en = "No {number}" }\nboth = "beside"\nfit = true\n'
        b'when = ["waiting > 0", "!reprint"]\n[[line]]\nqr = true\nmm = 40\n[[line]]\nbarcode = "{number}"\n',
    ],
    "layout_text": ["\x08\x02\x03居民身份证申领、换领 Zone A 5号".encode()],
    "printed_paper": [
        b"\x04\x1b@\x1ba\x01\x1d!\x11A005\n\x1dv0\x00\x02\x00\x02\x00\xaa\xbb\xcc\xdd\x1bJ\x20",
        b"\x02"
        + barcode_command("A005", 2, 80)
        + b"\x1d(k\x03\x001C\x06\x1d(k\x06\x001P0abc\x1d(k\x03\x001Q0",
    ],
    "ipp_message": [_ANSWER, request(Operation.GET_JOBS, 7, "ipp://localhost/printers/x", "a").to_bytes()],
    "qr_payload": [b"https://hall.example/t/7f3k9q2m", b"1234567890"],
    "code128_payload": [b"A005", b"1604", b"{a}"],
}
