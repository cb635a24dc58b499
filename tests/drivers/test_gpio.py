"""The header's pins: found by label, claimed or refused with a code, edges handed to the loop."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import gpio
from drivers.errors import LineLostError
from drivers.fake_gpio import FakeHeader
from drivers.gpio import ChipFound, GpioError, Pins

PATIENCE_S = 20.0


def _needs_lgpio() -> None:
    """Looks for it without importing it: that would leave its pipe in the working directory."""
    if importlib.util.find_spec("lgpio") is None:
        pytest.skip("lgpio is not installed")


@pytest.fixture
def header() -> Iterator[FakeHeader]:
    made = FakeHeader("test-header")
    made.plug()
    yield made
    made.remove()


def chip(number: int, label: str | None) -> ChipFound:
    return ChipFound(Path(f"/dev/gpiochip{number}"), label, 54 if label else None)


PI5_NEW = [chip(0, "pinctrl-rp1"), chip(10, "gpio-brcmstb@107d508500")]
PI5_OLD = [chip(0, "gpio-brcmstb@107d508500"), chip(4, "pinctrl-rp1")]
PI4 = [chip(0, "pinctrl-bcm2711"), chip(1, "raspberrypi-exp-gpio")]
PI3 = [chip(0, "pinctrl-bcm2835"), chip(1, "raspberrypi-exp-gpio")]
VIRTUAL = [chip(0, "9030000.pl061"), chip(1, "paihao-keys")]


@pytest.mark.parametrize(
    "found, label, number",
    [
        (PI5_NEW, gpio.HEADER, 0),
        (PI5_OLD, gpio.HEADER, 4),
        (PI4, gpio.HEADER, 0),
        (PI3, gpio.HEADER, 0),
        (VIRTUAL, "paihao-keys", 1),
    ],
)
def test_the_chip_is_found_by_its_label(
    monkeypatch: pytest.MonkeyPatch, found: list[ChipFound], label: str, number: int
) -> None:
    monkeypatch.setattr(gpio, "chips", lambda folder: found)
    assert gpio.find_chip(label).path.name == f"gpiochip{number}"


@pytest.mark.parametrize(
    "found, code",
    [
        ([], "gpio.no_chip"),
        (VIRTUAL, "gpio.no_chip"),
        ([chip(0, None)], "gpio.no_permission"),
    ],
)
def test_no_chip_is_an_error_with_a_code(
    monkeypatch: pytest.MonkeyPatch, found: list[ChipFound], code: str
) -> None:
    monkeypatch.setattr(gpio, "chips", lambda folder: found)
    with pytest.raises(GpioError) as caught:
        gpio.find_chip()
    assert caught.value.code == code


def test_what_is_no_chip_has_no_label_and_the_link_of_old_kernels_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").write_bytes(b"")
    (tmp_path / "gpiochip4").symlink_to("gpiochip0")
    assert gpio.chips(tmp_path) == [ChipFound(tmp_path / "gpiochip0", None, None)]


async def test_a_header_that_does_not_exist_is_an_error_and_no_other_library_is_tried() -> None:
    with pytest.raises(GpioError) as caught:
        await Pins("no-such-label").open()
    assert caught.value.code in ("gpio.no_chip", "gpio.no_permission")


async def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpio, "find_chip", lambda label: chip(0, "pinctrl-rp1"))
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)
    with pytest.raises(GpioError) as caught:
        await Pins().open()
    assert caught.value.code == "gpio.library_missing"


def test_importing_lgpio_leaves_no_file_and_the_folder_as_it_was(tmp_path: Path) -> None:
    _needs_lgpio()
    program = (
        "import os\nfrom drivers import gpio\n"
        "gpio._blocking_import_lgpio()\nprint(os.getcwd(), os.listdir('.'), os.environ.get('LG_WD'))"
    )
    root = Path(gpio.__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "LG_WD": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == f"{tmp_path} [] /nowhere"


# ---------------------------------------------------------------- pins


async def test_inputs_and_outputs(header: FakeHeader) -> None:
    pins = Pins(header.label)
    await pins.open()
    button = pins.input(17)
    plain = pins.input(27, pull="down", active_low=False)
    lamp = pins.output(22, active_low=True)
    assert (button.read(), plain.read(), header.level(22)) == (False, False, True)
    header.drive(17, False)
    header.drive(27, True)
    lamp.write(True)
    assert (button.read(), plain.read(), header.level(22)) == (True, True, False)
    await pins.close()
    assert not header.is_output(22)


async def test_changes_come_in_order_in_the_loop_with_its_time(header: FakeHeader) -> None:
    loop = asyncio.get_running_loop()
    seen: list[tuple[bool, float, bool]] = []
    enough = asyncio.Event()

    def changed(active: bool, at: float) -> None:
        seen.append((active, at, threading.current_thread() is threading.main_thread()))
        if len(seen) == 4:
            enough.set()

    pins = Pins(header.label)
    await pins.open()
    pins.input(17, on_change=changed)
    begun = loop.time()

    def press() -> None:
        for high in (False, True, False, True):
            header.drive(17, high)

    thread = threading.Thread(target=press)
    thread.start()
    async with asyncio.timeout(PATIENCE_S):
        await enough.wait()
    thread.join()
    assert [(active, main) for active, _, main in seen] == [
        (True, True),
        (False, True),
        (True, True),
        (False, True),
    ]
    times = [at for _, at, _ in seen]
    assert times == sorted(times) and times[0] >= begun
    await pins.close()


async def test_changes_that_the_loop_has_no_time_for_are_bounded(header: FakeHeader) -> None:
    seen: list[bool] = []
    pins = Pins(header.label)
    await pins.open()
    pins.input(17, on_change=lambda active, at: seen.append(active))
    for n in range(10 * gpio.EDGES):
        header.drive(17, bool(n % 2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(seen) == gpio.EDGES
    await pins.close()


async def test_nothing_is_heard_after_closing(header: FakeHeader) -> None:
    seen: list[bool] = []
    pins = Pins(header.label)
    await pins.open()
    pins.input(17, on_change=lambda active, at: seen.append(active))
    header.drive(17, False)
    await pins.close()
    header.drive(17, True)
    await asyncio.sleep(0)
    assert seen == []


@pytest.mark.parametrize("pin, code", [(17, "gpio.pin_busy"), (99, "gpio.wrong_pin")])
async def test_a_pin_that_cannot_be_had(header: FakeHeader, pin: int, code: str) -> None:
    header.busy.add(17)
    pins = Pins(header.label)
    await pins.open()
    with pytest.raises(GpioError) as caught:
        pins.input(pin)
    assert caught.value.code == code
    await pins.close()


async def test_a_pull_that_the_pin_cannot_have(header: FakeHeader) -> None:
    pins = Pins(header.label)
    await pins.open()
    with pytest.raises(GpioError) as caught:
        pins.input(2, pull="down")  # GPIO2 has a resistor to 3.3 V
    assert caught.value.code == "gpio.wrong_pin"
    await pins.close()


async def test_two_drivers_share_the_chip_and_not_a_pin(header: FakeHeader) -> None:
    keys, lamp = Pins(header.label), Pins(header.label)
    await keys.open()
    await lamp.open()
    button = keys.input(17)
    lamp.output(22, on=True)
    with pytest.raises(GpioError) as caught:
        lamp.input(17)
    assert caught.value.code == "gpio.pin_busy"
    await lamp.close()
    header.drive(17, False)
    assert button.read()  # the other's closing took nothing away
    await lamp.open()
    lamp.output(22)
    await keys.close()
    await lamp.close()


async def test_a_chip_that_is_gone_is_opened_anew_by_all(header: FakeHeader) -> None:
    one, two = Pins(header.label), Pins(header.label)
    await one.open()
    await two.open()
    button, lamp = one.input(17), two.output(22)
    header.unplug()
    with pytest.raises(LineLostError) as caught:
        button.read()
    assert caught.value.code == "gpio.no_chip"
    with pytest.raises(LineLostError):
        lamp.write(True)
    with pytest.raises(GpioError):
        await one.open()
    header.plug()
    await one.open()
    assert not one.input(17).read()
    await two.open()
    two.output(22, on=True)
    assert header.level(22)
    await one.close()
    await two.close()
    await two.close()


# ---------------------------------------------------------------- through lgpio


CALLS = (
    *("gpiochip_open", "gpiochip_close", "gpio_claim_input", "gpio_claim_output", "gpio_free", "gpio_read"),
    *("gpio_write", "gpio_get_mode", "gpio_set_debounce_micros", "gpio_claim_alert", "callback"),
)


class Wire:
    """The calls of lgpio that a header needs, without a kernel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lgpio = gpio._blocking_import_lgpio()
        self.error = lgpio.error
        self.levels: dict[tuple[int, int], int] = {}
        self.outputs: set[tuple[int, int]] = set()
        self.busy: set[int] = set()
        self.closed: list[int] = []
        self.callbacks: dict[tuple[int, int], object] = {}
        for name in CALLS:
            monkeypatch.setattr(lgpio, name, getattr(self, name))

    def gpiochip_open(self, chip: int) -> int:
        return 100 + chip

    def gpiochip_close(self, handle: int) -> None:
        self.closed.append(handle)

    def gpio_claim_input(self, handle: int, pin: int, flags: int = 0) -> None:
        if pin in self.busy:
            raise self.error("GPIO busy")
        self.outputs.discard((handle, pin))
        self.levels.setdefault((handle, pin), 1)

    def gpio_claim_output(self, handle: int, pin: int, level: int = 0) -> None:
        self.outputs.add((handle, pin))

    def gpio_free(self, handle: int, pin: int) -> None: ...

    def gpio_read(self, handle: int, pin: int) -> int:
        return self.levels[handle, pin]

    def gpio_write(self, handle: int, pin: int, level: int) -> None:
        self.levels[handle, pin] = int(level)

    def gpio_get_mode(self, handle: int, pin: int) -> int:
        return 2 if (handle, pin) in self.outputs else 0

    def gpio_set_debounce_micros(self, handle: int, pin: int, micros: int) -> None: ...
    def gpio_claim_alert(self, handle: int, pin: int, edges: int, flags: int) -> None: ...

    def callback(self, handle: int, pin: int, edges: int, function: object) -> object:
        self.callbacks[handle, pin] = function
        wire = self

        class Registered:
            def cancel(self) -> None:
                wire.callbacks.pop((handle, pin), None)

        return Registered()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    _needs_lgpio()
    found = {"one": chip(0, "one"), "two": chip(3, "two")}
    monkeypatch.setattr(gpio, "find_chip", lambda label: found[label])
    return Wire(monkeypatch)


async def test_pins_through_gpiozeros_lgpio_factory_on_a_machine_that_is_no_pi(wire: Wire) -> None:
    seen: asyncio.Queue[bool] = asyncio.Queue()
    pins = Pins("one")
    await pins.open()
    button = pins.input(17, on_change=lambda active, at: seen.put_nowait(active))
    lamp = pins.output(22, on=True)
    assert not button.read() and wire.levels[100, 22] == 1
    function = wire.callbacks[100, 17]
    wire.levels[100, 17] = 0
    thread = threading.Thread(target=function, args=(0, 17, 0, 5))  # type: ignore[arg-type]
    thread.start()
    async with asyncio.timeout(PATIENCE_S):
        assert await seen.get() is True
    thread.join()
    assert button.read()
    lamp.write(False)
    assert wire.levels[100, 22] == 0
    await pins.close()
    assert wire.closed == [100] and not wire.callbacks


async def test_two_chips_have_pins_of_their_own(wire: Wire) -> None:
    one, two = Pins("one"), Pins("two")
    await one.open()
    await two.open()
    one.output(17, on=True)
    two.output(17, on=False)
    assert (wire.levels[100, 17], wire.levels[103, 17]) == (1, 0)
    await one.close()
    two.output(22, on=True)
    assert wire.levels[103, 22] == 1
    await two.close()


async def test_a_pin_that_the_kernel_gave_to_another_is_busy(wire: Wire) -> None:
    wire.busy.add(17)
    pins = Pins("one")
    await pins.open()
    with pytest.raises(GpioError) as caught:
        pins.input(17)
    assert caught.value.code == "gpio.pin_busy"
    wire.busy.clear()
    assert not pins.input(17).read()
    await pins.close()
