"""The options of an `OnbonBx`, checked whole."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from drivers.call_screen.brightness import Brightness
from drivers.call_screen.onbon_bx_frames import ADDRESS_ANY
from drivers.transport.table import TransportConfig

Pixels = Annotated[int, msgspec.Meta(ge=0, le=0x7FFF)]


class OnbonBxConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`family`: "k" font cards 5K/6K; "5e", "6e", "6q" dot-matrix cards of these series.

    The area is the whole screen unless given. `device_type` None is the wildcard; `address` 0xFFFE reaches
    the only card of a line. `colours` 1: the LEDs have one colour, whatever is asked for. `brightness`: a
    level 0–15 or a schedule (`brightness`), None leaves it. `scroll_speed` 0 is fastest. `alone`: the area
    lies over what is stored in the card. `lock`: show this stored programme ("P000") beside the area, and
    no other. `clear`: delete all areas that others left in the card, at open. `switch_on`: a card that is
    found switched off is switched on.
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
    colours: Literal[1, 2] = 2
    brightness: Brightness | None = None
    scroll_speed: Annotated[int, msgspec.Meta(ge=0, le=24)] = 4
    alone: bool = True
    lock: Annotated[str, msgspec.Meta(pattern=r"^P[0-9]{3}\Z")] | None = None
    clear: bool = False
    switch_on: bool = True
    reply_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.2
    retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2
    min_interval_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.0

    def __post_init__(self) -> None:
        if self.area_x + self.shown_width > self.width_px or self.area_y + self.shown_height > self.height_px:
            raise ValueError("the area is not inside the screen")
        if self.shown_width < self.font_px or self.shown_height < self.font_px:
            raise ValueError("the area is smaller than one character")
        if self.family == "k" and (self.device_type or 0) > 0xFF:
            raise ValueError("the device type of a font card is one byte")
        if self.fifth and (self.area_x % 8 or self.shown_width % 8):
            raise ValueError("the area of a 5K card begins and ends at multiples of 8 dots")
        if self.family != "k" and self.lock is not None:
            raise ValueError("only font cards can lock a programme")

    @property
    def reaches_all(self) -> bool:
        """Whether every card of the line takes its orders."""
        return self.address == ADDRESS_ANY

    @property
    def shown_width(self) -> int:
        return self.width_px - self.area_x if self.area_width is None else self.area_width

    @property
    def shown_height(self) -> int:
        return self.height_px - self.area_y if self.area_height is None else self.area_height

    @property
    def fifth(self) -> bool:
        """Whether it is known to be a font card of the fifth generation."""
        return self.family == "k" and (self.device_type or 0) & 0xF0 == 0x50

    @property
    def cells(self) -> int:
        """Characters of ASCII in one line."""
        return self.shown_width // (self.font_px // 2)

    @property
    def lines(self) -> int:
        return self.shown_height // self.font_px
