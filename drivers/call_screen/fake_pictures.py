"""Draws what a fake strip shows, dot by dot: `python -m drivers.call_screen.fake_pictures FOLDER` writes the
pictures of docs/hardware/onbon-bx.md, from the driver's own frames as the fake card understands them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.call_screen.fake import PALETTE, FakeOnbonCard
from drivers.call_screen.onbon_bx_card import OnbonCard
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_content import showing
from drivers.call_screen.protocol import ScreenText
from drivers.transport.serial import SerialConfig

if TYPE_CHECKING:
    from PIL.Image import Image

DOT: Final = 5
"""Pixels of a LED and the gap beside it."""
GAP: Final = 14
CAPTION: Final = 20


def strip(content: ScreenText, age_s: float = 0.1, **options: Any) -> list[bytes]:
    """Rows of palette values, `age_s` after a card of these options was told to show `content`."""
    config = OnbonBxConfig(transport=SerialConfig(path="/dev/null"), **options)
    card = FakeOnbonCard(
        width=config.width_px, height=config.height_px, family=config.family, clock=lambda: 0.0
    )
    showed = showing(content, config)
    wire = OnbonCard(config.family, config.address).request(showed.command, showed.payload).wire
    card.received(wire)
    return card.dots(age_s)


def picture(rows: Sequence[bytes]) -> Image:
    """Every LED as a disc, the dark ones too."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (len(rows[0]) * DOT + 8, len(rows) * DOT + 8), "#0b0b0b")
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            left, top = 4 + x * DOT, 4 + y * DOT
            draw.ellipse((left, top, left + DOT - 2, top + DOT - 2), fill=PALETTE[value])
    return image


def sheet(strips: Sequence[tuple[str, Sequence[bytes]]]) -> Image:
    """Strips one under the other, each under its caption."""
    from noto_cjk_sans_otc import FONT_PATH
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(str(FONT_PATH), 13, index=2)
    drawn = [(caption, picture(rows)) for caption, rows in strips]
    width = max(image.width for _, image in drawn) + 2 * GAP
    height = sum(CAPTION + image.height + GAP for _, image in drawn) + GAP
    whole = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(whole)
    top = GAP
    for caption, image in drawn:
        draw.text((GAP, top), caption, fill="#444", font=font)
        whole.paste(image, (GAP, top + CAPTION))
        top += CAPTION + image.height + GAP
    return whole.quantize(32)


def onbon() -> Image:
    """What a hall sees on Onbon strips."""
    call = ScreenText("A005 请到3号窗口", "red", True, ("A005 3号窗口",))
    idle = ScreenText("3号窗口 工号012 王芳", "green", shorter=("3号窗口 工号012", "3号窗口"))
    paused = ScreenText("3号窗口 暂停服务", "green", shorter=("暂停服务",))
    long = ScreenText("3号窗口 工号012 王芳 08:30-11:45 13:30-16:45", "green")
    square = {"width_px": 96, "height_px": 32}
    return sheet(
        [
            ("呼叫，闪烁 · a call, flashing · 128 × 16, 5K/6K", strip(call)),
            ("空闲 · idle: {counter} {clerk}, the wording that fits", strip(idle)),
            ("暂停 · paused", strip(paused)),
            ("太长则滚动 · too long, it scrolls", strip(long, 8.5)),
            ("96 × 16: 较短的说法 · the shorter wording", strip(call, width_px=96)),
            ("96 × 32 双行 · two lines, 6E", strip(call, family="6e", **square)),
            (
                "128 × 32, 24 点阵 · 24 dots high",
                strip(ScreenText("A005", "yellow"), height_px=32, font_px=24),
            ),
        ]
    )


if __name__ == "__main__":
    onbon().save(Path(sys.argv[1]) / "onbon-bx.png", optimize=True)
