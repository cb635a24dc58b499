"""`paihao ticket`: a picture that is true, and every mistake in the technician's language."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from device.ticket_command import main, preview
from drivers.ticket_printer.layout_file import SHIPPED, load_layout
from drivers.ticket_printer.layout_trial import SAMPLE, with_values
from wire.texts import LANGUAGES, texts

ROOM = "ticket_layout."


@pytest.mark.parametrize("name", SHIPPED)
def test_check_of_what_ships(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name, "--language", "en"]) == 0
    assert "no problems" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "zh-CN",
            ["3 个问题", "第 2 行", "没有“servce”", "第 3 行", "应为 1–8"],
        ),
        ("en", ["3 problems", "line 2", "no name “servce”", "known: service", "line 3", "expected 1–8"]),
    ],
)
def test_mistakes_are_said_in_the_technicians_language(
    language: str, parts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[[line]]\ntext = { zh-CN = "{servce}" }\nwidth = 9\n', "utf-8")
    assert main(["check", str(path), "--language", language]) == 1
    said = capsys.readouterr().err
    assert all(part in said for part in parts), said
    assert main(["preview", "--layout", str(path), "--output", str(tmp_path / "x.png")]) == 1


def test_language_of_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    for lang, part in (("en_GB.UTF-8", "no problems"), ("zh_CN.UTF-8", "没有问题"), ("C", "没有问题")):
        monkeypatch.setenv("LANG", lang)
        assert main(["check", "standard"]) == 0
        assert part in capsys.readouterr().out


def test_text_that_would_be_cut_off_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '[[line]]\ntext = { zh-CN = "{number}" }\n[[line]]\ntext = { zh-CN = "{service}" }\nlines = 1\n',
        "utf-8",
    )
    assert main(["check", str(path), "--columns", "32", "--language", "en"]) == 1
    assert re.search(r"line 3: 32 columns, zh-CN: .* cut off", capsys.readouterr().err)


@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_preview_writes_a_picture(columns: int, language: str, tmp_path: Path) -> None:
    path = tmp_path / "ticket.png"
    arguments = ["preview", "--layout", "large", "--columns", str(columns), "--language", language]
    assert main([*arguments, "--value", "service=护照", "--reprint", "--output", str(path)]) == 0
    with Image.open(path) as picture:
        assert picture.width == columns * 12 + 56
        assert sum(picture.convert("L").histogram()[:128]) > 5000


def test_preview_is_drawn_from_the_bytes_that_would_be_sent() -> None:
    layout = load_layout("standard")
    plain = preview(layout, SAMPLE, 48)
    assert plain == preview(layout, SAMPLE, 48)
    rare = preview(layout, with_values(SAMPLE, {"service": "王𠮷"}, reprint=False), 48)
    assert rare[0] > 10 * plain[0], "dots"
    assert preview(layout, SAMPLE, 48, mode="raster")[0] > 10 * plain[0]
    without_cutter = preview(layout, SAMPLE, 32, profile="NT-5890K")
    with Image.open(io.BytesIO(without_cutter[1])) as picture:
        assert picture.width == 32 * 12 + 56


@pytest.mark.parametrize(
    "arguments",
    [
        ["--value", "service"],
        ["--profile", "no-such-model"],
        ["--output", "/missing/x.png"],
        ["--layout", "/missing.toml"],
    ],
)
def test_wrong_requests(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = [] if "--output" in arguments else ["--output", str(tmp_path / "x.png")]
    assert main(["preview", *arguments, *output]) == 1
    assert capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["preview"], ["check", "large", "--columns", "20"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_every_problem_has_its_text_in_every_language() -> None:
    folder = Path("drivers/ticket_printer")
    source = "".join(
        (Path(__file__).parents[2] / folder / name).read_text("utf-8")
        for name in ("layout_file.py", "layout_trial.py")
    )
    codes = set(re.findall(r'Problem\((?:[^()"]|\([^()]*\))*?,\s*"([a-z_]+)"', source))
    assert len(codes) > 15
    said = {"good", "problems", "line", "drawn", "no_value"}
    for language in LANGUAGES:
        known = {key.removeprefix(ROOM) for key in texts(language) if key.startswith(ROOM)}
        assert known == codes | said
