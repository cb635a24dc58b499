"""docs/screens.md: every page of every program, small, in one language and size each in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pictures import ROOT, small
from screen_pages import SIZES, Shown, every_page

PAGE: Final = ROOT / "docs" / "screens.md"
FOLDER: Final = ROOT / "docs" / "pictures" / "screens"
TITLES: Final = {
    "kiosk": "Kiosk · 取号机",
    "board": "Hall display · 综合屏",
    "counter": "Counter panel · 窗口屏",
    "rating": "Rating panel · 评价器",
    "panel": "Plain panel over a counter · 窗口文字屏",
}
HEAD: Final = """\
# Screens

Every page that a screen program can show, as the tests bring it about (`tests/ui/pages_*.py`): by messages
and touches only. Most are shown once, in the size that shows most; each is tested in Chinese and English at
1920×1080, 1080×1920, 1024×600 and 800×480. Made by `python tests/ui/pictures.py --gallery`.
"""


def write() -> int:
    """The page and its pictures; what belongs to no page any more goes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [HEAD]
    kept: set[Path] = set()
    for role, title in TITLES.items():
        pages = [shown for shown in every_page() if shown.role == role]
        if not pages:
            continue
        lines.append(f"## {title}\n")
        for shown in pages:
            pictures = [_picture(shown, language, size, kept) for language, size in _views(shown, pages)]
            shown_as = " ".join(f"![{shown.name}](pictures/screens/{file.name})" for file in pictures)
            lines.append(f"**{shown.about}**\n\n{shown_as}\n")
    PAGE.write_text("\n".join(lines), "utf-8")
    for file in set(FOLDER.glob("*.webp")) - kept:
        file.unlink()
    size = sum(file.stat().st_size for file in kept) / 1024 / 1024
    print(f"{PAGE.relative_to(ROOT)}: {len(kept)} pictures, {size:.1f} MB")
    return 0


def _views(shown: Shown, pages: list[Shown]) -> list[tuple[str, tuple[int, int]]]:
    """The first page of a program in all sizes and languages; the others upright for kiosks, else wide."""
    if shown is pages[0] or shown is pages[min(1, len(pages) - 1)]:
        return [("zh-CN", size) for size in SIZES] + [("en", SIZES[0])]
    usual = {"kiosk": SIZES[1], "rating": SIZES[2]}.get(shown.role, SIZES[0])
    return [("zh-CN", usual)]


def _picture(shown: Shown, language: str, size: tuple[int, int], kept: set[Path]) -> Path:
    file = FOLDER / f"{shown.role}-{shown.name}-{language}-{size[0]}x{size[1]}.webp"
    picture = small(shown.picture(language, size))
    picture.save(file, "WEBP", lossless=True, quality=50, method=4)
    kept.add(file)
    return file
