"""Reference pictures of all pages: compare (`--diff`), take anew (`--update`), make a gallery (`--gallery`).

    python tests/ui/pictures.py --diff            what differs, as build/pictures/index.html
    python tests/ui/pictures.py --update [WORD …] of pages whose name has one of the words, or of all
    python tests/ui/pictures.py --gallery         docs/screens.md and its pictures

A reference is the picture scaled to a long side of 480 pixels in 12 colours, as WebP without loss. Fonts and
their renderer come with the packages: the same page gives the same pixels. What is forgiven is what another
version of the renderer may change: shades of edges. A changed word is not.
"""

from __future__ import annotations

import argparse
import html
import sys
from pathlib import Path
from typing import Final

import pygame
from PIL import Image, ImageChops, ImageFilter
from screen_pages import FOLDER, SIZES, Shown, every_page

from wire.texts import LANGUAGES

ROOT: Final = FOLDER.parents[1]
REFERENCES: Final = FOLDER / "reference"
DIFFERENCES: Final = ROOT / "build" / "pictures"
LONG_SIDE: Final = 480
BLUR: Final = 1
"""Pixels over which a difference is averaged: shades along edges fall apart, strokes that moved do not."""
FORGIVEN: Final = 40
"""Difference of a colour channel, of 255, after averaging."""


def small(surface: pygame.Surface) -> Image.Image:
    """A picture as it is kept."""
    wide, high = surface.get_size()
    scale = LONG_SIDE / max(wide, high)
    scaled = pygame.transform.smoothscale(surface, (round(wide * scale), round(high * scale)))
    whole = Image.frombytes("RGB", scaled.get_size(), pygame.image.tobytes(scaled, "RGB"))
    # Few colours make small files; this way of choosing them keeps those that are seldom.
    return whole.quantize(12, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).convert("RGB")


def reference_file(shown: Shown, language: str, size: tuple[int, int]) -> Path:
    return REFERENCES / shown.role / f"{shown.name}-{language}-{size[0]}x{size[1]}.webp"


def load_reference(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> Image.Image:
    """Grey: how much they differ, place by place."""
    blurred = ImageChops.difference(one, other).filter(ImageFilter.BoxBlur(BLUR))
    red, green, blue = blurred.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def different(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return True
    low_high: tuple[int, int] = difference(one, other).getextrema()  # type: ignore[assignment]
    return low_high[1] > FORGIVEN


def update(words: list[str]) -> int:
    """Only what differs is written: a picture that is as it was keeps its bytes."""
    wanted = set()
    written = 0
    for shown in every_page():
        for language in LANGUAGES:
            for size in SIZES:
                file = reference_file(shown, language, size)
                wanted.add(file)
                if words and not any(word in f"{shown.role}-{shown.name}" for word in words):
                    continue
                picture = small(shown.picture(language, size))
                if file.is_file() and not different(load_reference(file), picture):
                    continue
                file.parent.mkdir(parents=True, exist_ok=True)
                part = file.with_suffix(".part")
                picture.save(part, "WEBP", lossless=True, quality=50, method=4)
                part.replace(file)
                written += 1
    for file in set(REFERENCES.rglob("*.webp")) - wanted:
        file.unlink()
    size_mb = sum(file.stat().st_size for file in REFERENCES.rglob("*.webp")) / 1024 / 1024
    print(f"{written} written, {size_mb:.1f} MB in all")
    return 0


def diff() -> int:
    """1 when something differs; the page shows reference, picture and difference side by side."""
    rows = []
    DIFFERENCES.mkdir(parents=True, exist_ok=True)
    for old in DIFFERENCES.glob("*.png"):
        old.unlink()
    for shown in every_page():
        for language in LANGUAGES:
            for size in SIZES:
                file = reference_file(shown, language, size)
                now = small(shown.picture(language, size))
                before = load_reference(file) if file.is_file() else Image.new("RGB", now.size)
                if file.is_file() and not different(before, now):
                    continue
                name = f"{shown.role}-{file.stem}"
                _side_by_side(before, now).save(DIFFERENCES / f"{name}.png")
                rows.append(f'<h2>{html.escape(name)}</h2><img src="{html.escape(name)}.png">')
    page = DIFFERENCES / "index.html"
    body = "\n".join(rows) or "<p>nothing differs"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>Pictures that differ</title>\n'
        f"<p>{len(rows)} differ: reference, now, difference\n{body}\n",
        "utf-8",
    )
    print(f"{len(rows)} differ: {page.relative_to(ROOT)}")
    return 1 if rows else 0


def _side_by_side(before: Image.Image, now: Image.Image) -> Image.Image:
    wide, high = max(before.width, now.width), max(before.height, now.height)
    three = Image.new("RGB", (3 * wide + 20, high), "white")
    three.paste(before, (0, 0))
    three.paste(now, (wide + 10, 0))
    if before.size == now.size:
        three.paste(difference(before, now).point(lambda value: min(255, value * 3)), (2 * wide + 20, 0))
    return three


def main() -> int:
    parser = argparse.ArgumentParser(description="reference pictures of all screens")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--diff", action="store_true")
    what.add_argument("--update", nargs="*", metavar="WORD")
    what.add_argument("--gallery", action="store_true")
    options = parser.parse_args()
    if options.diff:
        return diff()
    if options.gallery:
        from gallery import write

        return write()
    return update(options.update)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
