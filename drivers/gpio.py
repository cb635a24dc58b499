"""Pins of the header: found by the label of their chip, claimed through gpiozero, errors with codes.

gpiozero chooses a pin library by itself and falls through to another one without a word when the first
fails; it also opens chip 4 on a Pi 5, whose number moved in kernel 6.6.45. Here the chip is found by its
label (GPIO_GET_CHIPINFO_IOCTL of <linux/gpio.h>) and handed to gpiozero's LGPIOFactory, or it is an error:

| code | |
|---|---|
| `gpio.library_missing` | gpiozero or lgpio is not installed |
| `gpio.no_chip` | no chip with such a label |
| `gpio.no_permission` | /dev/gpiochip* may not be opened |
| `gpio.pin_busy` | another driver, program or the kernel has the pin |
| `gpio.wrong_pin` | no such pin on the header, or a pull that the pin cannot have |

gpiozero and lgpio are imported when the first chip is opened. lgpio calls back in a thread of its own; what
it says is handed to the loop, at most `EDGES` at a time. Names and numbers of pins are BCM ("GPIO17" = 17).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import importlib
import logging
import os
import re
import struct
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from drivers.errors import DriverError, LineLostError

log = logging.getLogger(__name__)

HEADER: Final = "header"
"""Stands for the chip of a Pi's header, whichever of `HEADER_LABELS` is there."""
HEADER_LABELS: Final = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""Pi 5, Pi 4 and CM4, Pi 3 and older."""
EDGES: Final = 256
"""Changes that wait for the loop; the oldest go (`Input.read` tells the present level)."""

Pull = Literal["up", "down", "none"]
OnChange = Callable[[bool, float], None]
"""Whether the input is active now, and the loop time of the change."""

_CHIPINFO_IOCTL: Final = 0x8044B401
_CHIPINFO: Final = struct.Struct("=32s32sI")
_UNKNOWN_BOARD: Final = 0xC03111
"""A Pi 4B: the header that is assumed where there is no Pi (pins 0 to 27)."""


class GpioError(DriverError):
    """The pins cannot be used; `code` says why."""

    code = "gpio.no_chip"


@dataclass(frozen=True, slots=True)
class ChipFound:
    """One chip of the kernel. `label` and `lines` are None when it may not be opened."""

    path: Path
    label: str | None
    lines: int | None


def chips(folder: Path = Path("/dev")) -> list[ChipFound]:
    """All GPIO chips, by number. Opens each for a moment and changes nothing."""
    found = []
    for path in sorted(folder.glob("gpiochip*"), key=lambda path: _number(path)):
        if path.is_symlink():  # /dev/gpiochip4 of a Pi 5 leads to gpiochip0
            continue
        label, lines = None, None
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                answer = fcntl.ioctl(fd, _CHIPINFO_IOCTL, bytes(_CHIPINFO.size))
            finally:
                os.close(fd)
            _name, raw, lines = _CHIPINFO.unpack(answer)
            label = raw.split(b"\0", 1)[0].decode("utf-8", "replace")
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
                continue  # gone meanwhile
            log.debug("%s: %s", path, error)
        found.append(ChipFound(path, label, lines))
    return found


def find_chip(label: str = HEADER, folder: Path = Path("/dev")) -> ChipFound:
    """The chip with this label, HEADER for the one of the header. Raises GpioError."""
    wanted = HEADER_LABELS if label == HEADER else (label,)
    found = chips(folder)
    for chip in found:
        if chip.label in wanted:
            return chip
    closed = [str(chip.path) for chip in found if chip.label is None]
    if closed:
        raise GpioError(f"{', '.join(closed)} may not be opened", code="gpio.no_permission")
    there = ", ".join(f"{chip.path.name} {chip.label}" for chip in found) or "none"
    raise GpioError(f"no chip {' or '.join(wanted)}; there are: {there}")


class Input:
    """A claimed input; active or not, with `active_low` taken into account."""

    def __init__(self, chip: _Chip, number: int, pull: Pull, active_low: bool) -> None:
        self.number = number
        self._chip = chip
        self._pull: Final = {"up": "up", "down": "down", "none": "floating"}[pull]
        self._active_low = active_low
        self._pin: Any = None
        self._on_change: OnChange | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._edges: deque[tuple[bool, float]] = deque(maxlen=EDGES)
        self._handing = False
        self._guard = threading.Lock()

    def read(self) -> bool:
        """Raises LineLostError when the chip is gone."""
        try:
            return bool(self._pin.state) != self._active_low
        except Exception as error:
            raise self._chip.lost(error) from error

    def claim(self, on_change: OnChange | None) -> None:
        self._pin = self._chip.claim(self.number, self)
        try:
            self._pin.function = "input"
            self._pin.pull = self._pull
            if on_change is not None:
                self._on_change = on_change
                self._loop = asyncio.get_running_loop()
                self._pin.bounce = None  # debounce is ours: the mock has none, and it is tested
                self._pin.edges = "both"
                self._pin.when_changed = self._changed
        except Exception as error:
            raise _named(error, self.number) from error

    def release(self) -> None:
        self._on_change = None
        self._chip.release(self.number, self, self._pin)

    def _conflicts_with(self, other: object) -> bool:
        """Asked by gpiozero before it reserves a pin."""
        return True

    def _changed(self, ticks: float, state: Any) -> None:
        """In the thread of lgpio."""
        loop = self._loop
        if loop is None or self._on_change is None:
            return
        with self._guard:
            self._edges.append((bool(state) != self._active_low, loop.time()))
            handing, self._handing = self._handing, True
        if not handing:
            try:
                loop.call_soon_threadsafe(self._hand_over)
            except RuntimeError:
                pass  # the loop has ended

    def _hand_over(self) -> None:
        with self._guard:
            edges = list(self._edges)
            self._edges.clear()
            self._handing = False
        for active, at in edges:
            if self._on_change is not None:
                self._on_change(active, at)


class Output:
    """A claimed output."""

    def __init__(self, chip: _Chip, number: int, active_low: bool) -> None:
        self.number = number
        self._chip = chip
        self._active_low = active_low
        self._pin: Any = None

    def write(self, on: bool) -> None:
        """Raises LineLostError when the chip is gone."""
        try:
            self._pin.state = on != self._active_low
        except Exception as error:
            raise self._chip.lost(error) from error

    def claim(self, on: bool) -> None:
        self._pin = self._chip.claim(self.number, self)
        try:
            self._pin.output_with_state(on != self._active_low)
        except Exception as error:
            raise _named(error, self.number) from error

    def release(self) -> None:
        """Off, and an input again."""
        try:
            if self._pin is not None and not self._chip.gone:
                self.write(False)
        except DriverError:
            pass  # it is gone
        self._chip.release(self.number, self, self._pin)

    def _conflicts_with(self, other: object) -> bool:
        """Asked by gpiozero before it reserves a pin."""
        return True


class Pins:
    """The pins that one driver uses on one chip. Chips are shared inside the process."""

    def __init__(self, chip: str = HEADER) -> None:
        self._label = chip
        self._chip: _Chip | None = None
        self._claimed: list[Input | Output] = []

    async def open(self) -> None:
        """Find and open the chip. Raises GpioError."""
        await self.close()
        with ThreadPoolExecutor(1, "gpio") as worker:
            self._chip = await asyncio.get_running_loop().run_in_executor(
                worker, _blocking_acquire, self._label
            )

    def input(
        self, pin: int, *, pull: Pull = "up", active_low: bool = True, on_change: OnChange | None = None
    ) -> Input:
        """Claim a pin as input. `on_change` is called in the loop, in order. Raises GpioError."""
        claimed = Input(self._opened(), pin, pull, active_low)
        try:
            claimed.claim(on_change)
        except GpioError:
            claimed.release()
            raise
        self._claimed.append(claimed)
        return claimed

    def output(self, pin: int, *, active_low: bool = False, on: bool = False) -> Output:
        """Claim a pin as output and set it. Raises GpioError."""
        claimed = Output(self._opened(), pin, active_low)
        try:
            claimed.claim(on)
        except GpioError:
            claimed.release()
            raise
        self._claimed.append(claimed)
        return claimed

    async def close(self) -> None:
        """Outputs off, all pins free; at any time, more than once."""
        claimed, self._claimed = self._claimed, []
        for pin in claimed:
            pin.release()
        chip, self._chip = self._chip, None
        if chip is not None:
            chip.leave()

    def _opened(self) -> _Chip:
        if self._chip is None:
            raise LineLostError(f"{self._label}: not open", code="gpio.no_chip")
        return self._chip


# ------------------------------------------------------------------ chips of the process

_lock: Final = threading.Lock()
_chips: Final[dict[str, _Chip]] = {}
_stand_ins: Final[dict[str, Callable[[], Any]]] = {}


def stand_in(label: str, factory: Callable[[], Any] | None) -> None:
    """Have `label` mean a pin factory of this process (gpiozero's MockFactory) instead of a chip of the
    kernel; None ends that. `factory` may raise, as a chip that is not there does."""
    if factory is None:
        _stand_ins.pop(label, None)
    else:
        _stand_ins[label] = factory


class _Chip:
    """A pin factory and how many drivers use it; closed with the last one."""

    def __init__(self, label: str, factory: Any) -> None:
        self.label = label
        self.gone = False
        self.users = 0
        self._factory = factory

    def claim(self, number: int, holder: Input | Output) -> Any:
        try:
            self._factory.reserve_pins(holder, number)
            return self._factory.pin(number)
        except Exception as error:
            raise _named(error, number) from error

    def release(self, number: int, holder: Input | Output, pin: Any) -> None:
        try:
            self._factory.release_pins(holder, number)
            if pin is not None:
                pin.when_changed = None
                pin.function = "input"
        except Exception as error:  # noqa: BLE001 — a chip that was unplugged answers everything with an error
            log.debug("%s: pin %d: %s", self.label, number, error)

    def lost(self, error: Exception) -> DriverError:
        """The error to raise for a read or a write that failed; whoever opens next gets a new chip."""
        self.gone = True
        with _lock:
            if _chips.get(self.label) is self:
                del _chips[self.label]
        return LineLostError(f"{self.label}: {error}", code="gpio.no_chip")

    def leave(self) -> None:
        with _lock:
            self.users -= 1
            if self.users:
                return
            if _chips.get(self.label) is self:
                del _chips[self.label]
            try:
                self._factory.close()
            except Exception as error:  # noqa: BLE001 — as above; it is forgotten either way
                log.debug("closing %s: %s", self.label, error)


def _blocking_acquire(label: str) -> _Chip:
    with _lock:
        chip = _chips.get(label)
        if chip is None:
            if (make := _stand_ins.get(label)) is not None:
                chip = _Chip(label, make())
            else:
                chip = _Chip(label, _blocking_factory(find_chip(label)))
            _chips[label] = chip
        chip.users += 1
        return chip


def _blocking_factory(found: ChipFound) -> Any:
    """gpiozero's factory on this chip. Raises GpioError."""
    try:
        lgpio = _blocking_import_lgpio()
        base: Any = importlib.import_module("gpiozero.pins.lgpio").LGPIOFactory
        unknown: Any = importlib.import_module("gpiozero.exc").PinUnknownPi
    except (ImportError, OSError) as error:
        raise GpioError(str(error), code="gpio.library_missing") from error

    class HeaderFactory(base):  # type: ignore[misc]  # gpiozero has no types
        """One chip, with tables of its own: gpiozero's are one for all chips, and closed with the first."""

        def __init__(self) -> None:
            super().__init__(chip=_number(found.path))
            self.pins: dict[Any, Any] = {}
            self._reservations: defaultdict[Any, list[Any]] = defaultdict(list)

        def _get_revision(self) -> int:
            try:
                return int(super()._get_revision())
            except unknown:
                return _UNKNOWN_BOARD

    try:
        return HeaderFactory()
    except lgpio.error as error:
        code = "gpio.no_permission" if not os.access(found.path, os.R_OK | os.W_OK) else "gpio.no_chip"
        raise GpioError(f"{found.path}: {error}", code=code) from error


def _blocking_import_lgpio() -> Any:
    """lgpio makes a pipe in the working directory when it is imported, and goes to $LG_WD if that is set.
    Neither may be writable or wanted: give it a folder that is gone afterwards, and come back."""
    before, wanted = Path.cwd(), os.environ.get("LG_WD")
    with tempfile.TemporaryDirectory(prefix="lgpio-") as folder:
        os.environ["LG_WD"] = folder
        try:
            return importlib.import_module("lgpio")
        finally:
            os.chdir(before)
            if wanted is None:
                del os.environ["LG_WD"]
            else:
                os.environ["LG_WD"] = wanted


def _named(error: Exception, number: int) -> DriverError:
    """The error of gpiozero or lgpio with a code for people."""
    if isinstance(error, DriverError):
        return error
    kind, said = type(error).__name__, str(error)
    if kind == "GPIOPinInUse" or re.search(r"busy|in use", said):
        code = "gpio.pin_busy"
    elif kind in ("PinInvalidPin", "PinFixedPull", "PinInvalidPull") or re.search(r"bad GPIO", said):
        code = "gpio.wrong_pin"
    else:
        code = "gpio.no_chip"
    return GpioError(f"pin {number}: {said}", code=code)


def _number(path: Path) -> int:
    digits = re.sub(r"\D", "", path.name)
    return int(digits) if digits else 1 << 16
