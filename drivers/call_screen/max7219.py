"""Driver of panels of MAX7219 modules (8 × 8 red dots each) on the Pi's SPI, through luma.led_matrix.

Binds to: /dev/spidevPORT.DEVICE. Implements: CallScreen; red only, brightness in 16 steps. The extra
`max7219` and, on the Pi, python3-spidev of its Debian are needed. A panel for Chinese has two rows of
modules, 16 dots: 8 characters take 2 × 16 modules.

Source: Maxim MAX7219/MAX7221 data sheet (19-4452); the order of modules is luma's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from drivers.call_screen.brightness import TOP, Brightness
from drivers.call_screen.dot_screen import DotScreen, DotSize, Picture
from drivers.errors import DriverError

Side = Annotated[int, msgspec.Meta(ge=8, le=1024, multiple_of=8)]


class Max7219Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`orientation`, `reverse`: how the modules are mounted, see luma's manual (most red four-module boards:
    -90). `speed_hz`: long cables need less."""

    port: Annotated[int, msgspec.Meta(ge=0, le=6)] = 0
    device: Annotated[int, msgspec.Meta(ge=0, le=2)] = 0
    speed_hz: Literal[500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000] = 1_000_000
    width_px: Side = 128
    height_px: Side = 16
    font_px: Literal[8, 16, 24, 32] = 16
    orientation: Literal[0, 90, -90, 180] = 0
    reverse: bool = False
    scroll_px_s: Annotated[float, msgspec.Meta(gt=0, le=200)] = 40
    brightness: Brightness | None = None

    def __post_init__(self) -> None:
        if self.font_px > self.height_px:
            raise ValueError("the characters are higher than the panel")


def _spi(config: Max7219Config) -> Any:
    from luma.core.error import DeviceNotFoundError, DevicePermissionError
    from luma.core.interface.serial import noop, spi

    try:
        return spi(port=config.port, device=config.device, bus_speed_hz=config.speed_hz, gpio=noop())
    except (DeviceNotFoundError, DevicePermissionError) as error:
        raise OSError(f"/dev/spidev{config.port}.{config.device}: {error}") from error


class Max7219Panel(DotScreen):
    """One panel. `bus` makes luma's serial interface; tests give their own."""

    Config: ClassVar[type[msgspec.Struct]] = Max7219Config

    def __init__(self, config: Max7219Config, *, bus: Callable[[Max7219Config], Any] = _spi) -> None:
        size = DotSize(config.width_px, config.height_px, config.font_px, config.scroll_px_s)
        super().__init__(size, config.brightness)
        self._config = config
        self._bus = bus
        self._panel: Any = None
        self._contrast = 0x70

    def _blocking_open(self) -> None:
        config = self._config
        try:
            from luma.led_matrix.device import max7219

            serial = self._bus(config)
        except ImportError as error:  # luma, or the spidev that it wants
            raise DriverError(f"not installed: {error.name}", code="screen.library_missing") from error
        self._panel = max7219(
            serial,
            width=config.width_px,
            height=config.height_px,
            block_orientation=config.orientation,
            blocks_arranged_in_reverse_order=config.reverse,
            contrast=self._contrast,
        )
        self._panel.persist = True  # luma would blank it when the program ends

    def _blocking_draw(self, picture: Picture) -> None:
        from PIL import Image

        panel = self._panel
        if panel is None:
            raise OSError("not open")
        size = picture.width, len(picture.rows)
        dots = b"".join(row.to_bytes(picture.width // 8, "big") for row in picture.rows)
        const = panel._const
        # as after power-on: scan limit, no decoding, no test, intensity, awake
        for register, value in ((const.SCANLIMIT, 7), (const.DECODEMODE, 0), (const.DISPLAYTEST, 0)):
            panel.data([register, value] * panel.cascaded)
        panel.contrast(self._contrast)
        panel.display(Image.frombytes("1", size, dots))
        panel.show()

    def _blocking_close(self) -> None:
        panel, self._panel = self._panel, None
        if panel is not None:
            panel.cleanup()

    async def _dim(self, level: int) -> None:
        self._contrast = level * 255 // TOP
        await self._ping()
