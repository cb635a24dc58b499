"""Guides, playlist, photos and reasons: read whole, every mistake told, pictures made small."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from hall.config import HallConfig, load_config
from hall.guides import MAX_BYTES as MAX_GUIDE
from hall.guides import load_guides
from hall.pictures import MAX_BYTES, PictureError, publishable
from wire.checked_toml import TomlProblems
from wire.codec import MAX_PAYLOAD, encode
from wire.texts import LANGUAGES

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
GUIDE = """
name = { zh-CN = "重庆户口迁移", en = "Moving house" }
services = ["id-card"]
keywords = [" 迁移 ", "迁移"]
steps = [{ zh-CN = "取号", en = "Take a number" }]
"""


def text(more: str = "", **hall: str) -> str:
    """The shipped configuration with keys of [hall] replaced and tables added."""
    found = SHIPPED.read_text("utf-8")
    for key, value in hall.items():
        lines = [f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in found.split("\n")]
        found = "\n".join(lines)
    return found + "\n" + more


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., HallConfig]:
    def loaded(more: str = "", **hall: str) -> HallConfig:
        file = tmp_path / "hall.toml"
        file.write_text(text(more, **hall), "utf-8")
        return load_config(file)

    return loaded


@pytest.fixture
def problems(loaded: Callable[..., HallConfig]) -> Callable[..., list[str]]:
    def problems(more: str = "", **hall: str) -> list[str]:
        with pytest.raises(TomlProblems) as caught:
            loaded(more, **hall)
        return caught.value.problems

    return problems


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """A picture that no format makes small."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, random.Random(4).randbytes(size[0] * size[1] * channels))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


# ---------------------------------------------------------------- guides


def test_the_shipped_guides_are_whole_and_can_be_found() -> None:
    shown = load_config(SHIPPED).shown
    assert len(shown.guides) >= 6
    assert {title.guide for title in shown.titles} == {guide.guide for guide in shown.guides}
    titles = {title.guide: title for title in shown.titles}
    assert titles["id-card-replacement"].initials == "jmsfzdsbl"
    for guide in shown.guides:
        assert guide.materials and guide.steps and guide.conditions and guide.phone
        for said in (guide.time_limit, guide.fee, guide.basis):
            assert set(said) == set(LANGUAGES)
        assert len(encode(guide)) < MAX_GUIDE < MAX_PAYLOAD


def test_a_folder_that_is_not_there_is_no_mistake_unless_it_was_named(
    loaded: Callable[..., HallConfig], problems: Callable[..., list[str]]
) -> None:
    assert loaded().shown.guides == ()
    assert any(problem.startswith("hall.guides:") for problem in problems(guides='"zhinan"'))


def test_every_mistake_of_every_guide_is_told(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(GUIDE, "utf-8")
    (tmp_path / "Bad Name.toml").write_text(GUIDE, "utf-8")
    (tmp_path / "broken.toml").write_text("name = [", "utf-8")
    (tmp_path / "empty.toml").write_text(
        'name = { zh-CN = "空" }\nservices = ["none"]\ncolour = 1\n', "utf-8"
    )
    (tmp_path / "half.toml").write_text(
        'name = { zh-CN = "半" }\nservices = ["none"]\n[[material]]\nname = { en = "Card" }\n', "utf-8"
    )
    (tmp_path / "notes.md").write_text("no guide", "utf-8")
    guides, wrong = load_guides(tmp_path, {"id-card"})
    assert [guide.guide for guide in guides.guides] == ["good"]
    assert guides.titles[0].initials == "cqhkqy" and guides.titles[0].keywords == ("迁移",)
    told = "\n".join(wrong)
    for part in (
        "Bad Name.toml: 文件名",
        "broken.toml: 不是有效的 TOML",
        "empty.toml: colour: 没有这个键",
        "half.toml: services: 不存在 · there is no service 'none'",
        "half.toml: name: 缺少语言 · no text in en",
        "half.toml: material[0].name: 缺少语言 · no text in zh-CN",
    ):
        assert part in told


def test_a_guide_that_no_message_could_hold_is_refused(tmp_path: Path) -> None:
    step = '{ zh-CN = "' + "长" * 5_000 + '", en = "long" },'
    (tmp_path / "long.toml").write_text(
        'name = { zh-CN = "长", en = "Long" }\nsteps = [' + step * 20 + "]\n", "utf-8"
    )
    guides, wrong = load_guides(tmp_path, set())
    assert guides.guides == () and len(wrong) == 1 and "long.toml: 太长" in wrong[0]


# ---------------------------------------------------------------- pictures


def test_a_picture_is_named_by_what_is_published(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.png")
    made = publishable(tmp_path / "a.png")
    assert made.format == "png" and opened(made.data).size == (40, 20)
    assert made.picture == hashlib.sha256(made.data).hexdigest()[:32]
    assert publishable(tmp_path / "a.png") == made


@pytest.mark.parametrize("kind", ["photo.jpg", "photo.png", "photo.webp"])
def test_a_large_one_becomes_small_enough_to_publish(tmp_path: Path, kind: str) -> None:
    noise((2200, 1100)).save(tmp_path / kind, quality=95)
    made = publishable(tmp_path / kind)
    assert len(made.data) <= MAX_BYTES and len(encode(made)) <= MAX_PAYLOAD
    shown = opened(made.data)
    assert made.format == "jpeg" and shown.format == "JPEG"
    assert max(shown.size) <= 1920 and abs(shown.width / shown.height - 2) < 0.01


def test_a_photo_is_turned_upright_and_says_nothing_else(tmp_path: Path) -> None:
    image = Image.new("RGB", (60, 30), "white")
    image.paste("black", (0, 0, 30, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    exif[0x010F] = "a camera"
    image.save(tmp_path / "a.jpg", exif=exif, quality=95, comment=b"somebody's name")
    made = publishable(tmp_path / "a.jpg")
    shown = opened(made.data)
    assert shown.size == (30, 60) and not shown.getexif()
    assert shown.convert("L").getpixel((15, 5)) < 60 and shown.convert("L").getpixel((15, 55)) > 190
    assert b"somebody" not in made.data and b"camera" not in made.data


def test_what_is_clear_gets_a_white_background_only_as_jpeg(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(tmp_path / "logo.png")
    assert opened(publishable(tmp_path / "logo.png").data).mode == "RGBA"
    big = noise((600, 600), "RGBA")
    big.putalpha(0)
    big.save(tmp_path / "big.png")
    made = publishable(tmp_path / "big.png")
    assert made.format == "jpeg" and opened(made.data).getpixel((300, 300)) == (255, 255, 255)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is very large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    for width, height, word in ((10_000, 9_000, "像素过多"), (60_000, 60_000, "not a whole picture")):
        (tmp_path / "bomb.png").write_bytes(bomb(width, height))
        with pytest.raises(PictureError, match=word):
            publishable(tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(PictureError):
        publishable(tmp_path / "a.png")


def test_half_a_picture_is_refused(tmp_path: Path) -> None:
    noise((200, 200)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureError):
        publishable(tmp_path / "a.png")


# ---------------------------------------------------------------- playlist, photos, reasons

PAGE = """
[[playlist]]
item = "flood"
picture = "flood.png"
first = 2026-06-01
last = 2026-09-30
weekdays = [1, 5]
times = ["08:30-12:00"]
zones = ["east"]
[[playlist]]
item = "flood-again"
picture = "flood.png"
"""


def test_a_playlist_has_its_pictures_once(loaded: Callable[..., HallConfig], tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), "blue").save(tmp_path / "flood.png")
    shown = loaded(PAGE).shown
    (picture,) = shown.pictures
    pages = {item.item: item for item in shown.playlist}
    assert pages["flood"].picture == pages["flood-again"].picture == picture.picture
    assert pages["flood"].zones == ("east",) and pages["flood"].weekdays == (1, 5)


def test_more_pictures_than_nodes_keep_are_a_mistake(
    problems: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hall.shown.MAX_PAGES", 2)
    pages = ""
    for n in range(4):
        Image.new("RGB", (20, 20 + n), "blue").save(tmp_path / f"{n}.png")
        pages += f'[[playlist]]\nitem = "p{n}"\npicture = "{n}.png"\n'
    told = problems(pages)
    assert [problem.partition(":")[0] for problem in told] == ["playlist[4].picture", "playlist[5].picture"]


def test_mistakes_of_the_playlist_are_told_together(problems: Callable[..., list[str]]) -> None:
    told = "\n".join(
        problems(
            '[[playlist]]\nitem = "a"\n'
            '[[playlist]]\nitem = "b"\npicture = "none.png"\nzones = ["moon"]\n'
            '[[playlist]]\nitem = "b"\ntext = { zh-CN = "只有中文" }\nfirst = 2026-02-01\nlast = 2026-01-01\n'
        )
    )
    for part in (
        "playlist[2]: 没有文字也没有图片",
        "playlist[3].picture: none.png: 无法读取",
        "playlist[3].zones: 不存在 · there is no zone 'moon'",
        "playlist[4].text: 缺少语言 · no text in en",
        "playlist[4]: first 晚于 last",
        "playlist.item: 'b' 重复",
    ):
        assert part in told


CLERK = (
    '\n[[clerk]]\nid = "clerk-09"\nnumber = "009"\nname = { zh-CN = "赵一", en = "Zhao" }\nphoto = "9.jpg"\n'
)


def test_a_face_is_published_only_where_the_hall_shows_it(
    loaded: Callable[..., HallConfig], tmp_path: Path
) -> None:
    Image.new("RGB", (900, 1200), "green").save(tmp_path / "9.jpg")
    shows = loaded(CLERK, show_clerks='"photo"')
    clerk = shows.shown_clerks()["clerk-09"]
    assert (clerk.number, clerk.name["zh-CN"]) == ("009", "赵一")
    (photo,) = shows.shown.pictures
    assert clerk.photo == photo.picture and opened(photo.data).size == (480, 640)
    for level in ("no", "number", "name"):
        hides = loaded(CLERK, show_clerks=f'"{level}"')
        assert hides.shown.pictures == () and hides.shown.photos == {}
        assert all(clerk.photo is None for clerk in hides.shown_clerks().values())


def test_reasons_stand_under_their_grades_in_every_language() -> None:
    reasons = load_config(SHIPPED).shown.reasons
    assert reasons is not None and reasons.version >= 1
    for grade in range(1, 6):
        assert 3 <= sum(grade in reason.grades for reason in reasons.reasons) <= 9
    for reason in reasons.reasons:
        assert all(reason.text[language] for language in LANGUAGES)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            '[[rating_reason]]\nid = "quick"\ntext = {zh-CN="快",en="q"}\ngrades=[5]',
            "rating_reason: 'quick' 重复",
        ),
        ('[[rating_reason]]\nid = "x"\ntext = {zh-CN="快"}\ngrades=[5]', "no text in en"),
        ('[[rating_reason]]\nid = "x"\ntext = {zh-CN="快",en="q"}\ngrades=[6]', "rating_reason[15].grades"),
        ('[shown]\nphotos = {a = "b"}', "shown: 没有这个键"),
    ],
)
def test_mistakes_are_told(problems: Callable[..., list[str]], more: str, told: str) -> None:
    assert any(told in problem for problem in problems(more))


def test_reasons_need_a_version(tmp_path: Path) -> None:
    file = tmp_path / "hall.toml"
    file.write_text(text().replace("[rating_reasons]\nversion = 1", ""), "utf-8")
    with pytest.raises(TomlProblems) as caught:
        load_config(file)
    assert any(problem.startswith("rating_reasons:") for problem in caught.value.problems)


@pytest.mark.parametrize("url", ["https://hall.example/r/", "https://大厅/{prompt}"])
def test_a_rating_url_has_its_prompt_and_is_ascii(problems: Callable[..., list[str]], url: str) -> None:
    assert any("hall.rating_url" in problem for problem in problems(rating_url=f'"{url}"'))


def test_a_hall_begins_its_day_without_a_file_that_is_wrong(
    loaded: Callable[..., HallConfig], tmp_path: Path
) -> None:
    Image.new("RGB", (20, 20), "blue").save(tmp_path / "flood.png")
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "good.toml").write_text(GUIDE, "utf-8")
    (tmp_path / "guides" / "broken.toml").write_text("name = [", "utf-8")
    (tmp_path / "hall.toml").write_text(
        text(PAGE + '[[playlist]]\nitem = "x"\npicture = "gone.png"\n'), "utf-8"
    )
    left_out: list[str] = []
    shown = load_config(tmp_path / "hall.toml", left_out=left_out).shown
    assert sorted(problem.partition(":")[0] for problem in left_out) == [
        "guides/broken.toml",
        "playlist[4].picture",
    ]
    assert [guide.guide for guide in shown.guides] == ["good"]
    assert [item.item for item in shown.playlist][-1] == "flood-again" and len(shown.pictures) == 1
    with pytest.raises(TomlProblems):
        load_config(tmp_path / "hall.toml")
