"""Codes on a line and typed codes: what was scanned is what is read, or nothing is."""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.card_reader.fake_scanner import FakeTypingScanner
from drivers.card_reader.key_text import US_LAYOUT, KeyText
from drivers.card_reader.scanned_text import ScannedText, TextFormat, TextSplitter, read_code

PLAIN = TextFormat()
words = st.text(st.sampled_from("abcXYZ019 :/?&=._-样例甲乙號碼龍"), min_size=1, max_size=60).filter(
    lambda text: text.strip() == text
)
formats = st.builds(
    TextFormat,
    terminators=st.sampled_from(["\r\n", "\r", "\t", "\x03"]),
    prefix=st.sampled_from(["", "\x02", "<<"]),
    suffix=st.sampled_from(["", ">>"]),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
    symbology=st.sampled_from(["none", "aim"]),
)


def line_of(text: str, format: TextFormat) -> bytes:
    mark = "]Q1" if format.symbology == "aim" else ""
    return (format.prefix + mark + text + format.suffix + format.terminators).encode(format.encoding)


@given(st.lists(words, max_size=5), formats, st.integers(1, 50))
def test_codes_come_out_of_any_pieces(texts: list[str], format: TextFormat, step: int) -> None:
    stream = b"".join(line_of(text, format) for text in texts)
    splitter = TextSplitter(format)
    codes = [code for at in range(0, len(stream), step) for code in splitter.feed(stream[at : at + step])]
    assert [code.text for code in codes] == texts
    assert {code.symbology for code in codes} <= {"qr" if format.symbology == "aim" else None}
    assert not splitter.waiting


@given(words, st.integers(0, 200))
def test_a_code_that_is_cut_off_is_not_read_between_prefix_and_suffix(text: str, size: int) -> None:
    format = TextFormat(prefix="\x02", suffix="\x03", symbology="aim", encoding="utf-8")
    whole = line_of(text, format)
    cut = whole[: min(size, len(whole) - 3)]
    splitter = TextSplitter(format)
    assert splitter.feed(cut) == []
    assert [code.text for code in splitter.pause()] == [None] * bool(cut)
    assert [code.text for code in splitter.feed(whole)] == [text]


@given(words, st.data())
def test_a_flipped_bit_never_raises_and_costs_one_code_at_most(text: str, data: st.DataObject) -> None:
    format = TextFormat(prefix="<", suffix=">", encoding="utf-8")
    whole = bytearray(line_of(text, format))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    splitter = TextSplitter(format)
    splitter.feed(bytes(whole))
    splitter.pause()
    assert [code.text for code in splitter.feed(line_of(text, format))] == [text]


@given(st.binary(max_size=5000), st.integers(1, 900), formats)
def test_any_bytes_leave_the_buffer_bounded(data: bytes, step: int, format: TextFormat) -> None:
    splitter = TextSplitter(format)
    for at in range(0, len(data), step):
        for code in splitter.feed(data[at : at + step]):
            assert code.text is None or 0 < len(code.text) <= 2 * format.longest
        assert len(splitter._buffer) <= splitter._limit


def test_silence_ends_a_code_where_the_scanner_sends_no_terminator() -> None:
    splitter = TextSplitter(TextFormat(terminators=""))
    assert splitter.feed(b"one\r\ntwo") == []
    assert splitter.pause() == [ScannedText("one\r\ntwo")]
    assert splitter.pause() == []


def test_what_is_too_long_is_one_unread_code() -> None:
    splitter = TextSplitter(TextFormat(longest=8))
    assert [code.text for code in splitter.feed(b"x" * 5000 + b"\r\nshort\r\n")] == [None, "short"]


def test_both_chinese_encodings_are_told_apart_where_they_can_be() -> None:
    text = "样例预约"
    for encoding in ("utf-8", "gbk"):
        assert read_code(text.encode(encoding), PLAIN).text == text
    assert read_code(b"\xff\xfe\xfa", PLAIN).text is None
    assert read_code(text.encode("gbk"), TextFormat(encoding="utf-8")).text is None
    assert read_code(b"a\0b", PLAIN).text is None


def test_the_makers_own_letters_name_the_symbology() -> None:
    format = TextFormat(symbology_letters={"Q": "qr", "QA": "data_matrix"})
    assert read_code(b"QAtext", format) == ScannedText("text", "data_matrix")
    assert read_code(b"Qtext", format) == ScannedText("text", "qr")
    assert read_code(b"text", format).text is None
    assert read_code(b"]C0text", TextFormat(symbology="aim")).symbology == "code128"


@pytest.mark.parametrize(
    "wrong",
    [{"prefix": "样"}, {"prefix": "\r"}, {"symbology_letters": {"": "qr"}}, {"longest": 3}, {"unknown": 1}],
)
def test_formats_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, TextFormat)


def test_no_text_in_a_repr() -> None:
    assert "MARKER" not in repr(ScannedText("MARKER", "qr"))


# ------------------------------------------------------------------ typed


def typed(text: str, **how: Any) -> bytes:
    """What the fake keyboard sends."""
    scanner, sent = FakeTypingScanner(), bytearray()
    scanner.send = sent.extend
    for name, value in how.items():
        setattr(scanner, name, value)
    scanner.scan(text)
    return bytes(sent)


@given(st.lists(words, max_size=3), st.integers(1, 100))
def test_typed_codes_come_out_of_any_pieces(texts: list[str], step: int) -> None:
    stream = b"".join(typed(text) for text in texts)
    keys = KeyText(PLAIN)
    codes = [code for at in range(0, len(stream), step) for code in keys.feed(stream[at : at + step])]
    assert [code.text for code in codes] == texts


def test_every_printable_character_of_ascii_can_be_typed() -> None:
    text = "".join(map(chr, range(33, 127)))
    assert [code.text for code in KeyText(PLAIN).feed(typed(text))] == [text]
    assert {letter for keys in US_LAYOUT.values() for letter in keys} >= set(text)


def test_caps_lock_of_the_scanner_changes_case() -> None:
    assert [c.text for c in KeyText(PLAIN).feed(typed("Abc1", caps_lock=True))] == ["aBC1"]
    caps = struct.pack("@llHHi", 0, 0, 1, 58, 1)
    keys = KeyText(PLAIN)
    assert [c.text for c in keys.feed(caps + typed("Abc1"))] == ["aBC1"]


def test_another_layout_and_another_end() -> None:
    format = TextFormat(terminators="\t")
    keys = KeyText(format, {21: ("z", "Z"), 44: ("y", "Y")})
    assert [c.text for c in keys.feed(typed("Xyz", ends_with="tab"))] == ["Xzy"]
    silent = KeyText(TextFormat(terminators=""))
    assert silent.feed(typed("abc", ends_with="nothing")) == []
    assert [c.text for c in silent.pause()] == ["abc"]


def test_events_that_the_kernel_lost_spoil_one_code() -> None:
    keys = KeyText(PLAIN)
    assert [c.text for c in keys.feed(typed("Abcdef", overflows=1))] == [None]
    assert [c.text for c in keys.feed(typed("Abcdef"))] == ["Abcdef"]


def test_autorepeat_and_held_keys_type_nothing() -> None:
    repeat = struct.pack("@llHHi", 0, 0, 1, 30, 2)
    assert [c.text for c in KeyText(PLAIN).feed(repeat * 50 + typed("a"))] == ["a"]


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_any_events_leave_it_bounded_and_a_pause_mends_it(data: bytes, step: int) -> None:
    keys = KeyText(TextFormat(longest=16))
    for at in range(0, len(data), step):
        keys.feed(data[at : at + step])
        assert len(keys._text) <= 16 + 64 and keys._events.partial < 24
    keys.pause()
    assert not keys.waiting
    keys._caps = False  # a lock that noise switched on stays on, as on a keyboard
    assert [c.text for c in keys.feed(typed("Abc"))] == ["Abc"]


@given(words, st.data())
def test_a_cut_off_code_is_given_up_after_a_pause(text: str, data: st.DataObject) -> None:
    whole = typed(text)
    keys = KeyText(PLAIN)
    assert keys.feed(whole[: data.draw(st.integers(0, len(whole) - 24 * 6))]) == []
    assert {code.text for code in keys.pause()} <= {None}
    assert [code.text for code in keys.feed(whole)] == [text]
