"""Themes that ship can be read by old eyes and touched by old hands; a hall's own is checked whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ui.command import main
from ui.layout import pressed_colour
from ui.screen import STATED, Screen
from ui.theme import FOLDER, READ, contrast, load_theme
from ui.widgets import KINDS
from wire.checked_toml import TomlProblems

SHIPPED = sorted(file.stem for file in FOLDER.glob("*.toml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_pair_that_pages_write_with_can_be_read(name: str) -> None:
    theme = load_theme(name)
    for ink, ground in READ:
        assert contrast(theme.colour(ink), theme.colour(ground)) >= 7, (ink, ground)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_button_can_be_read_while_it_is_pressed(name: str) -> None:
    theme = load_theme(name)
    for fill, ink, _ in KINDS.values():
        assert contrast(theme.colour(ink), pressed_colour(theme.colour(fill))) >= 4.5, (ink, fill)


@pytest.mark.parametrize("name", ["day", "contrast"])
def test_the_edge_of_a_button_and_the_focus_are_seen(name: str) -> None:
    """Either ring of the focus against what is beside it."""
    theme = load_theme(name)
    for fill, _, line in KINDS.values():
        for ground in ("ground", "surface"):
            shades = [theme.colour(shade) for shade in (fill, line) if shade is not None]
            assert max(contrast(shade, theme.colour(ground)) for shade in shades) >= 3 or fill == "warn"
        rings = (theme.colour("focus"), theme.colour("ground"))
        assert max(contrast(ring, theme.colour(fill)) for ring in rings) >= 3


@pytest.mark.parametrize("name", SHIPPED)
def test_targets_are_large_enough_on_every_stated_screen(name: str) -> None:
    theme = load_theme(name)
    for size, inches in STATED.items():
        screen = Screen(*size, inches)
        assert screen.from_mm(theme.target_mm) * screen.mm_per_px >= 15


def hall(tmp_path: Path, words: str) -> str:
    file = tmp_path / "hall.toml"
    file.write_text(words, "utf-8")
    return str(file)


def test_a_hall_says_only_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = hall(tmp_path, 'base = "day"\n[hall_name]\nzh-CN = "清河区"\n[colours]\naccent = "#5a0f0f"\n')
    theme = load_theme(file)
    assert theme.colour("accent") == (0x5A, 0x0F, 0x0F) and theme.file.hall_name == {"zh-CN": "清河区"}
    assert theme.colour("ink") == load_theme("day").colour("ink")
    assert main(["theme", file]) == 0


def test_a_theme_that_cannot_be_read_is_refused_with_the_pair(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = hall(tmp_path, 'base = "day"\n[colours]\naccent = "#4a90d9"\nsoft = "#777777"\n')
    with pytest.raises(TomlProblems) as raised:
        load_theme(file)
    told = "\n".join(raised.value.problems)
    assert "accent_ink" in told and "soft" in told and "7" in told
    assert main(["theme", file]) == 1
    assert "accent_ink" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('base = "day"\n[colours]\nink = "black"\n', "#rrggbb"),
        ('base = "day"\ntarget_mm = 10\n', "target_mm"),
        ('base = "day"\ncolour = "red"\n', "colour"),
        ('base = "day"\nlogo = "/nowhere/logo.png"\n', "logo"),
        ('base = "day"\nfonts = ["/nowhere"]\n', "fonts"),
        ('base = "nothing"\n', "nothing"),
        ("= 3", "hall.toml"),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, words: str, told: str) -> None:
    with pytest.raises((TomlProblems, OSError)) as raised:
        load_theme(hall(tmp_path, words))
    assert told in str(raised.value)
