"""A clip pack: written and read whole; nothing in one can hurt, and what cannot be used is said."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.voice import pack as pack_module
from drivers.voice.build import About, Built, Made, Order, blocking_recorded, blocking_write, synthesised
from drivers.voice.cleaning import cleaned
from drivers.voice.pack import (
    MANIFEST,
    PackClip,
    PackError,
    PackManifest,
    blocking_load,
    blocking_stamp,
)
from drivers.voice.pack_check import checked, seconds_of_a_call
from drivers.voice.script import ToRecord, to_record, token_of
from drivers.voice.wav import RATE, Clip, Recording, joined, silence, wav_from_clip

ORDER = Order(languages=("zh-CN",), letters="A", counters=10)


def made(tone: Any, *tokens: str, language: str = "zh-CN") -> list[Made]:
    sound = joined([silence(0.3), tone(0.2), silence(0.4)])
    done = cleaned(Recording(sound.floats, RATE, 0))
    return [Made(ToRecord(language, token, token), done, "测试") for token in tokens]


@pytest.fixture
def tone() -> Any:
    from math import sin, tau

    from drivers.voice.wav import clip_from_samples

    return lambda seconds, hertz=440.0: clip_from_samples(
        0.2 * sin(tau * hertz * n / RATE) for n in range(round(seconds * RATE))
    )


texts = st.text(max_size=20)
decibels = st.floats(-120, 20, allow_nan=False)
entries = st.builds(
    PackClip,
    language=st.sampled_from(["zh-CN", "en", ""]),
    token=st.text(min_size=1, max_size=20),
    file=st.text(min_size=1, max_size=20),
    words=texts,
    seconds=st.floats(0, 60),
    loudness_lufs=decibels,
    peak_db=decibels,
    sha256=st.just("0" * 64),
    source=texts,
)


@given(st.lists(entries, max_size=4), st.dictionaries(texts, texts, max_size=4), texts)
def test_a_manifest_survives_its_file(clips: list[PackClip], say: dict[str, str], name: str) -> None:
    manifest = PackManifest(format=1, name=name, made="2026-11-22", rate=RATE, say=say, clip=tuple(clips))
    assert PackManifest.from_bytes(manifest.to_bytes()) == manifest


@given(st.data())
def test_a_manifest_that_is_cut_off_or_has_a_bit_flipped_is_another_or_an_error(data: st.DataObject) -> None:
    whole = PackManifest(format=1, name="北城", made="2026-11-22", rate=RATE, say={"行": "hang2"}).to_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    for spoilt in (whole[:at], bytes(flipped), b"[" * at):
        try:
            PackManifest.from_bytes(spoilt)
        except PackError as error:
            assert error.code == "voice.bad_pack"


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_a_pack_is_read_as_it_was_written_and_replaced_whole(tmp_path: Path, tone: Any, name: str) -> None:
    path = tmp_path / name
    about = About(
        name="北城大厅", licence="内部使用", consent="王芳 2026-11-20 签署", say={"3号窗口": "san1"}
    )
    built = Built(about, made(tone, "please", "name_综合/窗口") + made(tone, "chime", language=""))
    blocking_write(built, path, ORDER)
    pack = blocking_load(path)
    assert not pack.problems
    assert set(pack.clips) == {("zh-CN", "please"), ("zh-CN", "name_综合/窗口"), ("", "chime")}
    assert (pack.manifest.consent, pack.manifest.say) == (about.consent, about.say)
    assert all(entry.recorded_seconds == pytest.approx(0.9, abs=0.01) for entry in pack.manifest.clip)
    assert pack.clips["zh-CN", "please"].seconds < 0.3
    stamp = blocking_stamp(path)
    blocking_write(Built(About(), made(tone, "to")), path, ORDER)
    assert set(blocking_load(path).clips) == {("zh-CN", "to")}
    assert blocking_stamp(path) != stamp
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_no_pack_is_not_overwritten(tmp_path: Path, tone: Any) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(b"x")
    with pytest.raises(OSError):
        blocking_write(Built(About(), made(tone, "to")), tmp_path / "photos", ORDER)
    assert (tmp_path / "photos" / "one.png").exists()


def test_what_is_spoilt_is_left_out_and_said(
    tmp_path: Path, tone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pack"
    blocking_write(Built(About(), made(tone, "please", "to", "number", "ten", "counter")), path, ORDER)
    (path / "zh-CN" / "please.wav").write_bytes(b"no wav")
    (path / "zh-CN" / "to.wav").unlink()
    stereo = bytearray((path / "zh-CN" / "ten.wav").read_bytes())
    stereo[22] = 2
    (path / "zh-CN" / "ten.wav").write_bytes(stereo)
    (path / "zh-CN" / "counter.wav").write_bytes(wav_from_clip(Clip(bytes(3 << 20))))
    pack = blocking_load(path)
    assert set(pack.clips) == {("zh-CN", "number")}
    assert len(pack.problems) == 4
    monkeypatch.setattr(pack_module, "PACK_BYTES", 100)
    assert not blocking_load(path).clips


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "zh-CN/../../secret.wav", "a\\..\\b", "\0"])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_no_name_leads_out_of_a_pack(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "secret.wav").write_bytes(wav_from_clip(silence(0.1)))
    entry = PackClip(
        language="zh-CN", token="please", file=name, words="", seconds=1, loudness_lufs=0, peak_db=0,
        sha256="0" * 64,
    )  # fmt: skip
    manifest = PackManifest(format=1, name="x", made="x", rate=RATE, clip=(entry,)).to_bytes()
    path = tmp_path / "pack"
    if kind == "folder":
        path.mkdir()
        (path / MANIFEST).write_bytes(manifest)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(MANIFEST, manifest)
    [problem] = blocking_load(path).problems
    assert "not inside" in problem


def test_a_zip_that_swells_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * (50 << 20))
    with pytest.raises(PackError):
        blocking_load(tmp_path / "bomb.zip")


def test_a_clip_without_sound_is_not_taken(tmp_path: Path, tone: Any) -> None:
    """A call would lack a digit."""
    path = tmp_path / "pack"
    names = ("digit_0", "digit_1", "digit_2", "digit_3")
    blocking_write(Built(About(), made(tone, *names)), path, ORDER)
    narrow = bytearray(wav_from_clip(silence(0.2)))
    narrow[34] = 8
    sounds = [wav_from_clip(Clip(b"")), wav_from_clip(silence(0.5)), bytes(narrow)]
    manifest = (path / MANIFEST).read_text("utf-8")
    for name, data in zip(names, sounds, strict=False):
        file = path / "zh-CN" / f"{name}.wav"
        old = hashlib.sha256(file.read_bytes()).hexdigest()
        file.write_bytes(data)
        before, after = manifest.split(f'file = "zh-CN/{name}.wav"')
        new = hashlib.sha256(data).hexdigest()
        manifest = f'{before}file = "zh-CN/{name}.wav"{after.replace(old, new, 1)}'
    (path / MANIFEST).write_text(manifest, "utf-8")
    pack = blocking_load(path)
    assert set(pack.clips) == {("zh-CN", "digit_3")}
    assert [problem.partition(": ")[2] for problem in pack.problems] == [
        "nothing is heard in it", "nothing is heard in it", "not 16 bits, 22050 Hz, mono",
    ]  # fmt: skip


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path, tone: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PackError):
        blocking_load(tmp_path / "pipe")
    blocking_write(Built(About(), made(tone, "to")), tmp_path / "pack", ORDER)
    (tmp_path / "pack" / "zh-CN" / "to.wav").unlink()
    os.mkfifo(tmp_path / "pack" / "zh-CN" / "to.wav")
    assert len(blocking_load(tmp_path / "pack").problems) == 1


def test_a_zip_with_any_wrong_byte_is_another_or_an_error(tmp_path: Path, tone: Any) -> None:
    path = tmp_path / "pack.zip"
    blocking_write(Built(About(), made(tone, "to")), path, ORDER)
    good = path.read_bytes()
    head, directory = good.index(b"zh-CN/to.wav"), good.index(b"PK\1\2")
    for at in (*range(head - 30, head + 12), *range(directory, len(good))):
        for flip in (0x01, 0xFF):
            path.write_bytes(good[:at] + bytes((good[at] ^ flip,)) + good[at + 1 :])
            try:
                blocking_load(path)
            except PackError as error:
                assert error.code == "voice.bad_pack"


def test_what_is_no_pack_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("hello")
    os.mkfifo(tmp_path / "unused")
    for path in (tmp_path / "empty", tmp_path / "text", tmp_path / "none"):
        with pytest.raises(PackError):
            blocking_load(path)
    assert blocking_stamp(tmp_path / "none") is None


def test_recordings_are_found_by_token_or_by_their_words(tmp_path: Path, tone: Any) -> None:
    source = tmp_path / "source"
    (source / "zh-CN").mkdir(parents=True)
    (source / "recordings.toml").write_text('consent = "签署"\n[say]\n"银行" = "yin2 hang2"\n', "utf-8")
    sound = wav_from_clip(joined([silence(0.3), tone(0.2), silence(0.4)]))
    for stem in ("请", "number", "幺", "3", "A", "综合窗口", "plaese"):
        (source / "zh-CN" / f"{stem}.wav").write_bytes(sound)
    (source / "zh-CN" / "到.WAV").write_bytes(wav_from_clip(silence(1)))
    (source / "zh-CN" / "十.wav").write_bytes(b"ID3 mp3")
    (source / "chime.wav").write_bytes(sound)
    (source / "other.wav").write_bytes(sound)
    built = blocking_recorded(source, ORDER)
    tokens = {made.row.token for made in built.made}
    assert tokens == {"please", "number", "digit_yao", "digit_3", "letter_A", "name_综合窗口", "chime"}
    assert {file for file, _ in built.unusable} == {
        "zh-CN/plaese.wav",
        "zh-CN/到.WAV",
        "zh-CN/十.wav",
        "other.wav",
    }
    missing = {row.token for row in built.missing}
    assert missing == {row.token for row in ORDER.rows()} - tokens
    assert built.about.consent == "签署"
    with pytest.raises(PackError):
        blocking_recorded(tmp_path / "nowhere", ORDER)
    (source / "recordings.toml").write_text("consent = 3")
    with pytest.raises(PackError):
        blocking_recorded(source, ORDER)


def test_the_script_names_every_sound_of_every_call() -> None:
    from drivers.voice.reading import reading

    for language, counter in (("zh-CN", "号窗口"), ("en", "Counter ")):
        tokens = {row.token for row in to_record(language, counters=30, names=["综合窗口"])}
        assert {token_of(language, row.words) for row in to_record(language)} <= tokens
        for number in range(1, 31):
            name = f"{number}{counter}" if language == "zh-CN" else f"{counter}{number}"
            for digit_one in ("yao", "yi"):
                for token in reading("AZ0123456789", name, language, digit_one).tokens:  # type: ignore[arg-type]
                    assert token.name in tokens or {piece.name for piece in token.pieces} <= tokens, token
        assert "name_综合窗口" in tokens


async def test_the_synthesiser_fills_a_pack_whole_and_level(tmp_path: Path) -> None:
    order = Order(languages=("zh-CN", "en"), letters="AB", counters=12, names=("综合窗口",))
    built = Built(About(), await synthesised(order.rows(), order, {}))
    blocking_write(built, tmp_path / "pack", order)
    pack = blocking_load(tmp_path / "pack")
    assert {(row.language, row.token) for row in order.rows()} == set(pack.clips)
    result = checked(pack)
    assert not result.problems
    assert (
        result.loudest_lufs - result.quietest_lufs
        < 2
        < max(entry.recorded_loudness_lufs for entry in pack.manifest.clip)
        - min(entry.recorded_loudness_lufs for entry in pack.manifest.clip)
    )
    for language in ("zh-CN", "en"):
        call = seconds_of_a_call(pack, language)
        assert call is not None and call[1] < 0.8 * call[0]


async def test_a_name_is_synthesised_as_the_hall_says_it() -> None:
    order = Order(languages=("zh-CN",), letters="", counters=1)
    row = ToRecord("zh-CN", "name_3号窗口", "3号窗口")
    [plain] = await synthesised([row], order, {})
    [slow] = await synthesised([row], order, {"3号窗口": "san1 hao4 chuang1 kou3 san1 hao4 chuang1 kou3"})
    assert slow.cleaned.after.seconds > 1.5 * plain.cleaned.after.seconds
