"""The options of an `OnbonBx`, checked whole."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from drivers.call_screen.onbon_bx_frames import ADDRESS_ANY
from drivers.transport.table import TransportConfig

Pixels = Annotated[int, msgspec.Meta(ge=0, le=0x7FFF)]


class OnbonBxConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`family`: "k" font cards 5K/6K; "5e", "6e", "6q" dot-matrix cards of these series.

    The area is the whole screen unless given. `device_type` None is the wildcard; `address` 0xFFFE reaches
    the only card of a line. `brightness` 0–15, None leaves it. `scroll_speed` 0 is fastest.
    """

    transport: TransportConfig
    family: Literal["k", "5e", "6e", "6q"] = "k"
    device_type: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] | None = None
    address: Annotated[int, msgspec.Meta(ge=1, le=0xFFFE)] = ADDRESS_ANY
    width_px: Pixels = 128
    height_px: Pixels = 16
    area: Annotated[int, msgspec.Meta(ge=0, le=31)] = 0
    area_x: Pixels = 0
    area_y: Pixels = 0
    area_width: Pixels | None = None
    area_height: Pixels | None = None
    font_px: Literal[16, 24, 32] = 16
    brightness: Annotated[int, msgspec.Meta(ge=0, le=15)] | None = None
    scroll_speed: Annotated[int, msgspec.Meta(ge=0, le=24)] = 4
    reply_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 2.0
    retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2
    min_interval_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.0

    def __post_init__(self) -> None:
        if self.area_x + self.shown_width > self.width_px or self.area_y + self.shown_height > self.height_px:
            raise ValueError("the area is not inside the screen")
        if self.shown_width < self.font_px or self.shown_height < self.font_px:
            raise ValueError("the area is smaller than one character")
        if self.family == "k" and (self.device_type or 0) > 0xFF:
            raise ValueError("the device type of a font card is one byte")

    @property
    def shown_width(self) -> int:
        return self.width_px - self.area_x if self.area_width is None else self.area_width

    @property
    def shown_height(self) -> int:
        return self.height_px - self.area_y if self.area_height is None else self.area_height
