"""Our frames against the vendor's published samples and against frames that other programs made."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.onbon_bx_areas import (
    Dots,
    MatrixArea,
    Mode,
    RunMode,
    Sound,
    TextArea,
    dynamic_areas,
    encode_dots,
    read_dynamic_areas,
)
from drivers.call_screen.onbon_bx_commands import (
    CardError,
    Command,
    Reply,
    k_request,
    lock,
    matrix_request,
    on_off,
)
from drivers.call_screen.onbon_bx_frames import KFrame, MatrixFrame
from drivers.errors import FrameError

HERE = Path(__file__).parent
SAMPLES = [
    line.partition("#")[0].strip()
    for line in (HERE / "onbon_k_samples.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
GOOD = [bytes.fromhex(sample) for sample in SAMPLES if not sample.startswith("WRONG")]
WRONG = [bytes.fromhex(sample.removeprefix("WRONG")) for sample in SAMPLES if sample.startswith("WRONG")]
OTHERS = {
    name.strip(): bytes.fromhex(frame)
    for name, _, frame in (
        line.partition("|")
        for line in (HERE / "onbon_other_programs.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
}


def gb(text: str) -> bytes:
    return text.encode("gb2312")


def name(sample: bytes) -> str:
    """Group and command."""
    return KFrame.from_bytes(sample).data[:2].hex()


# ---------------------------------------------------------------- the vendor's document


@pytest.mark.parametrize("sample", GOOD, ids=name)
def test_vendor_samples_are_read_and_written_the_same(sample: bytes) -> None:
    assert KFrame.from_bytes(sample).to_bytes().lstrip(b"\xa5") == sample.lstrip(b"\xa5")


def test_all_of_them_are_here_and_the_two_that_the_vendor_got_wrong_are_refused() -> None:
    """The document has 28 frames: 24 different ones, two of them with a wrong checksum or length."""
    assert (len({bytes(s) for s in GOOD}), len(WRONG)) == (22, 2)
    for sample in WRONG:
        with pytest.raises(FrameError):
            KFrame.from_bytes(sample)


def test_what_stands_in_the_samples_is_what_we_would_write() -> None:
    """Every command of ours that the document has a sample of, made from its meaning."""
    area = TextArea(gb("欢迎光临"), width=128, height=32, timeout_s=10)
    ours = {
        KFrame(k_request(Command.DYNAMIC_AREA, dynamic_areas((area,)))),
        KFrame(k_request(Command.PING), dst=1),
        KFrame(k_request(Command.LOCK, lock("P000", True)), dst=1),
        KFrame(k_request(Command.LOCK, lock("P000", False)), dst=1),
    }
    assert {frame.to_bytes() for frame in ours} <= set(GOOD)


def test_the_dynamic_area_of_the_sample_is_taken_apart_and_put_together() -> None:
    payload = KFrame.from_bytes(GOOD[0]).data[5:]
    delete, areas = read_dynamic_areas(payload)
    assert (delete, areas) == (
        (),
        (TextArea(gb("欢迎光临"), width=128, height=32, timeout_s=10),),
    )
    assert dynamic_areas(areas, delete=delete) == payload


def test_the_areas_of_the_stored_programmes_are_taken_apart_and_put_together() -> None:
    """A programme file holds areas of the same form, each after its length.

    The length counts itself in all samples but the last.
    """
    texts = []
    for sample in (sample for sample in GOOD if name(sample) == "a106"):
        file = KFrame.from_bytes(sample).data[5 + 4 + 1 + 2 + 2 + 4 :]
        at = 1 + 4 + 4 + 1 + 2 + 1 + 8 + 1 + 1 + 1  # without play times
        count, at = file[at], at + 1
        for _ in range(count):
            size = int.from_bytes(file[at : at + 4], "little")
            end = at + size + (4 if sample is GOOD[-1] else 0)
            area = file[at + 4 : end]
            assert TextArea.from_bytes(area).to_bytes() == area
            texts.append(TextArea.from_bytes(area).text.decode("gb2312"))
            at = end
        assert at == len(file) - 2, "and the checksum of the file"
    assert texts == ["欢迎光临Onbon", "欢迎光临", "1234", "www.onbonbx.com"]


def test_answers_of_the_samples() -> None:
    answers = [KFrame.from_bytes(sample) for sample in GOOD if name(sample) in ("a000", "a001")]
    replies = [Reply.from_k(answer.data) for answer in answers]
    assert replies == [Reply(Command.ACK, CardError.NONE), Reply(Command.NACK, CardError.CHECKSUM)]
    assert {answer.dst for answer in answers} == {0x8000}


# ---------------------------------------------------------------- other programs


def test_our_frames_are_those_of_the_vendors_java_package_for_font_cards() -> None:
    text = TextArea(
        gb("\\FO000\\FE000\\C1A005 请到3号窗口"),
        120,
        16,
        x=8,
        align=0b1010,
        mode=Mode.STATIC,
        speed=4,
        eights=True,
    )
    other = TextArea(
        gb("ZZ[[\\nB"), 1440, 91, y=165, id=90, line_gap=2, run_mode=RunMode.DELETE_ON_TIMEOUT, timeout_s=300,
        sound=Sound(gb("请A005号"), person=3, repeats=2, volume=7, speed=6),
        single_line=True, mode=Mode.LEFT, speed=24, stay=0, eights=True,
    )  # fmt: skip
    area = Command.DYNAMIC_AREA
    ours = {
        "k 5k area at 8,0 120x16 text": KFrame(k_request(area, dynamic_areas((text,))), 1, 0x8001, 0x51),
        "k 5k two areas, the second with sound and bytes to escape": KFrame(
            k_request(area, dynamic_areas((text, other))), 0xA55A, 0x805B, 0x54
        ),
        "k delete areas 0 and 5": KFrame(k_request(area, dynamic_areas((), delete=(0, 5)))),
        "k clear": KFrame(k_request(Command.CLEAR), 2, 0x8002),
        "k on": KFrame(k_request(Command.ON_OFF, on_off(True)), 2, 0x8003),
        "k off": KFrame(k_request(Command.ON_OFF, on_off(False)), 2, 0x8004),
    }
    for what, frame in ours.items():
        assert frame.to_bytes() == OTHERS[what], what


def test_our_frames_are_those_of_the_vendors_java_package_for_6q_cards() -> None:
    rows = tuple(sum(1 << (9 - x) for x in range(10) if (x * 7 + y * 3) % 4 == 0) for y in range(3))
    page = encode_dots(Dots(10, rows), "red", "6q", 33)
    area = MatrixArea((page, page), 10, 3, x=33, y=5, id=4)
    sent = matrix_request(Command.MATRIX_DYNAMIC_AREA, area.payload("6q"))
    assert (
        MatrixFrame(sent, 0xFFFF, device_type=0x0266).to_bytes()
        == OTHERS["6q area 4 at 33,5 10x3, two pages"]
    )
    delete = matrix_request(Command.MATRIX_DELETE_AREA, b"\xff")
    assert MatrixFrame(delete, 0xFFFF, device_type=0x0266).to_bytes() == OTHERS["6q delete all"]


def test_the_fake_card_understands_other_programs_as_they_meant_it() -> None:
    card = FakeOnbonCard(width=1440, height=256)
    card.received(OTHERS["k 5k area at 8,0 120x16 text"])
    shown = card.areas[0]
    assert (shown.text, shown.x, shown.width) == ("A005 请到3号窗口", 8, 120)
    card.received(OTHERS["k delete areas 0 and 5"])
    assert card.areas == {}
    matrix = FakeOnbonCard(width=64, height=16, family="6q")
    matrix.received(OTHERS["6q area 4 at 33,5 10x3, two pages"])
    assert [x for x, dot in enumerate(matrix.dots()[5]) if dot] == [33, 37, 41]
    assert (card.bad_frames, matrix.bad_frames) == (0, 0)
