"""Driver of HUB75 panels (P2.5 … P10, red, green, yellow) on the header of a Pi.

Binds to: the header's pins, through one of two libraries, whichever is there: piomatter on a Pi 5 (the extra
`hub75`), rpi-rgb-led-matrix (`rgbmatrix`, built from its source) on a Pi up to 4. Implements: CallScreen,
brightness included. rpi-rgb-led-matrix needs real-time rights and the sound chip switched off
(`dtparam=audio=off`); piomatter needs read and write rights on /dev/pio0.

Sources: the libraries' own documentation (hzeller/rpi-rgb-led-matrix, adafruit/Adafruit_Blinka_Raspberry_Pi5_
Piomatter).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from drivers.call_screen.brightness import TOP, Brightness
from drivers.call_screen.dot_screen import DotScreen, DotSize, Picture
from drivers.call_screen.protocol import Colour
from drivers.errors import DriverError

RGB: Final[dict[Colour, tuple[int, int, int]]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "yellow": (255, 160, 0),
}


class Hub75Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`width_px`, `height_px`: of the whole chain; `panel_width_px`: of one panel; `address_lines`: 4 for
    panels scanned 1/16, 5 for 1/32. `pinout`: of the adapter board for piomatter; `mapping`: the same for
    rpi-rgb-led-matrix."""

    width_px: Annotated[int, msgspec.Meta(ge=32, le=1024, multiple_of=8)] = 128
    height_px: Annotated[int, msgspec.Meta(ge=16, le=128, multiple_of=8)] = 32
    panel_width_px: Annotated[int, msgspec.Meta(ge=32, le=256)] = 64
    address_lines: Annotated[int, msgspec.Meta(ge=3, le=5)] = 4
    pinout: Literal["AdafruitMatrixBonnet", "AdafruitMatrixBonnetBGR", "Active3", "Active3BGR"] = (
        "AdafruitMatrixBonnet"
    )
    mapping: Literal["regular", "adafruit-hat", "adafruit-hat-pwm"] = "regular"
    library: Literal["auto", "piomatter", "rgbmatrix"] = "auto"
    font_px: Literal[16, 24, 32] = 16
    scroll_px_s: Annotated[float, msgspec.Meta(gt=0, le=200)] = 50
    brightness: Brightness | None = None

    def __post_init__(self) -> None:
        if self.font_px > self.height_px:
            raise ValueError("the characters are higher than the panel")
        if self.width_px % self.panel_width_px:
            raise ValueError("width_px is not a multiple of panel_width_px")


class _Matrix(ABC):
    """One of the two libraries."""

    @abstractmethod
    def show(self, picture: Picture, light: float) -> None:
        """`light`: 0…1 of the full brightness."""

    @abstractmethod
    def close(self) -> None: ...


class _Piomatter(_Matrix):
    def __init__(self, config: Hub75Config) -> None:
        import adafruit_blinka_raspberry_pi5_piomatter as piomatter
        import numpy

        self._dots: Any = numpy.zeros((config.height_px, config.width_px, 3), dtype=numpy.uint8)
        geometry = piomatter.Geometry(
            width=config.width_px,
            height=config.height_px,
            n_addr_lines=config.address_lines,
            rotation=piomatter.Orientation.Normal,
        )
        self._matrix: Any = piomatter.PioMatter(
            colorspace=piomatter.Colorspace.RGB888Packed,
            pinout=getattr(piomatter.Pinout, config.pinout),
            framebuffer=self._dots,
            geometry=geometry,
        )

    def show(self, picture: Picture, light: float) -> None:
        colour = tuple(round(part * light) for part in RGB[picture.colour])
        self._dots[:] = 0
        for y, row in enumerate(picture.rows):
            for x in range(picture.width) if row else ():
                if picture.lit(x, y):
                    self._dots[y, x] = colour
        self._matrix.show()

    def close(self) -> None:
        self._dots[:] = 0
        self._matrix.show()
        self._matrix = None


class _RgbMatrix(_Matrix):
    def __init__(self, config: Hub75Config) -> None:
        import rgbmatrix

        options = rgbmatrix.RGBMatrixOptions()
        options.rows = config.height_px
        options.cols = config.panel_width_px
        options.chain_length = config.width_px // config.panel_width_px
        options.hardware_mapping = config.mapping
        options.drop_privileges = False  # the agent has none to drop
        self._matrix: Any = rgbmatrix.RGBMatrix(options=options)
        self._canvas: Any = self._matrix.CreateFrameCanvas()

    def show(self, picture: Picture, light: float) -> None:
        red, green, blue = RGB[picture.colour]
        self._matrix.brightness = max(1, round(100 * light))
        self._canvas.Clear()
        for y, row in enumerate(picture.rows):
            for x in range(picture.width) if row else ():
                if picture.lit(x, y):
                    self._canvas.SetPixel(x, y, red, green, blue)
        self._canvas = self._matrix.SwapOnVSync(self._canvas)

    def close(self) -> None:
        self._matrix.Clear()
        self._matrix = None


_LIBRARIES: Final[dict[str, Callable[[Hub75Config], _Matrix]]] = {
    "piomatter": _Piomatter,
    "rgbmatrix": _RgbMatrix,
}


class Hub75Panel(DotScreen):
    """One chain of panels. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = Hub75Config

    def __init__(self, config: Hub75Config) -> None:
        size = DotSize(config.width_px, config.height_px, config.font_px, config.scroll_px_s)
        super().__init__(size, config.brightness)
        self._config = config
        self._matrix: _Matrix | None = None
        self._light = 1.0

    def _blocking_open(self) -> None:
        wanted = self._config.library
        missing: list[str] = []
        for name, library in _LIBRARIES.items():
            if wanted not in ("auto", name):
                continue
            try:
                self._matrix = library(self._config)
                return
            except ImportError as error:
                missing.append(error.name or name)
            except RuntimeError as error:  # both say so when there are no such pins
                raise OSError(f"{name}: {error}") from error
        raise DriverError(f"not installed: {', '.join(missing)}", code="screen.library_missing")

    def _blocking_draw(self, picture: Picture) -> None:
        if self._matrix is None:
            raise OSError("not open")
        self._matrix.show(picture, self._light)

    def _blocking_close(self) -> None:
        matrix, self._matrix = self._matrix, None
        if matrix is not None:
            matrix.close()

    async def _dim(self, level: int) -> None:
        self._light = max(level, 0.5) / TOP  # the lowest level can still be read
        await self._ping()
