"""The station profile: what a node is, from one TOML file, checked whole before anything is opened.

hall = "demo"
node = "counter-1"
storage = "/var/lib/paihao/agent.db"
screen_socket = "/run/paihao/screens.sock"

[broker]
host = "127.0.0.1"

[[device]]
id = "screen-1"
driver = "onbon_bx"
[device.options]          # the driver's own struct

[[station]]
kind = "counter"          # kiosk | counter | board
id = "counter-1"
counter = "1"
call_screen = "screen-1"
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from device.stations import counter_text
from drivers.driver import Driver
from drivers.table import DriverNotFoundError, config_type, driver_class
from wire.checked_toml import TomlProblems, convert, load
from wire.messages import DeviceDescription, DeviceKind, Id
from wire.mqtt_options import BrokerOptions

Language = Literal["zh-CN", "en"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the tables of a profile."""


class DeviceEntry(_Part, frozen=True, kw_only=True):
    """One device. `options` are checked against the driver's own `Config`."""

    id: Id
    driver: str
    options: dict[str, Any] = {}


class KioskStation(_Part, frozen=True, kw_only=True, tag_field="kind", tag="kiosk"):
    """Takes numbers. `online_wait_s`: how long a citizen waits for the coordinator before the lease is used;
    `lease_low`: ask for numbers when fewer are left. `scanner`: of codes, or a reader of IC cards.
    `match_key_file`: the hall's secret key, the same on all kiosks, under which codes and cards are hashed to
    be matched; at least 32 bytes, mode 600 (`head -c 32 /dev/urandom`). `voice` reads the screen aloud;
    `pad`: keys for people who do not see it, named up, down, ok, back, help, repeat, louder, softer in the
    keypad's key map; `light` shows that somebody asked for help."""

    id: Id
    printer: Id
    card_reader: Id | None = None
    scanner: Id | None = None
    voice: Id | None = None
    pad: Id | None = None
    light: Id | None = None
    match_key_file: str | None = None
    online_wait_s: Annotated[float, msgspec.Meta(gt=0, le=30)] = 2.0
    lease_low: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    screens: tuple[Literal["kiosk"], ...] = ()


class CounterStation(_Part, frozen=True, kw_only=True, tag_field="kind", tag="counter"):
    """One counter. `flash_s`: how long screen and light draw the eye to a call; `lock_keypad`: the states in
    which the call keypad is locked, for a counter that citizens can reach. `idle`, `idle_closed`: what the
    screen shows when nobody is called, and when the counter is paused, closed or cut off; templates, see
    `device.stations.counter_text`. `screens`: as for a kiosk; the panel overhead is a `call_screen`."""

    id: Id
    counter: Id
    call_keypad: Id | None = None
    rating_keypad: Id | None = None
    call_screen: Id | None = None
    light: Id | None = None
    language: Language = "zh-CN"
    flash_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 10.0
    lock_keypad: tuple[Literal["closed", "paused"], ...] = ()
    screens: tuple[Literal["counter", "rating"], ...] = ()
    idle: counter_text.Templates = counter_text.IDLE
    idle_closed: counter_text.Templates = counter_text.IDLE_CLOSED

    def __post_init__(self) -> None:
        for templates in (self.idle, self.idle_closed):
            if not templates:
                raise ValueError("idle: 至少要有一个模板 · at least one template is needed")
            if wrong := counter_text.wrong_fields(templates):
                raise ValueError(
                    f"idle: 没有字段 {', '.join(wrong)} · no such field; there are "
                    + ", ".join(counter_text.FIELDS)
                )


class BoardStation(_Part, frozen=True, kw_only=True, tag_field="kind", tag="board"):
    """The hall display, the voice and the light of a zone; without `zone` for every call of the hall.

    `flash_s`: how long the light flashes for a call. `screens`: as for a kiosk."""

    id: Id
    zone: Id | None = None
    screens: tuple[Literal["board"], ...] = ()
    voice: Id | None = None
    light: Id | None = None
    flash_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 10.0


Station = KioskStation | CounterStation | BoardStation

_KINDS: dict[str, DeviceKind] = {
    "printer": "ticket_printer",
    "card_reader": "card_reader",
    "scanner": "card_reader",
    "call_keypad": "keypad",
    "rating_keypad": "keypad",
    "pad": "keypad",
    "call_screen": "call_screen",
    "voice": "voice",
    "light": "light",
}
"""Which fields of a station name a device, and of which kind it must be."""


class Profile(_Part, frozen=True, kw_only=True):
    """The whole file. `timezone` is the hall's; `model` is said in the node's description."""

    hall: Id
    node: Id
    storage: Annotated[str, msgspec.Meta(min_length=1)]
    broker: BrokerOptions
    device: tuple[DeviceEntry, ...] = ()
    station: Annotated[tuple[Station, ...], msgspec.Meta(min_length=1)]
    screen_socket: str | None = None
    timezone: str = "Asia/Shanghai"
    model: str = ""
    revision: int = 0


def screen_device(station: str, role: str) -> str:
    """The id of a station's screen as a device of the node."""
    return f"{station}-{role}-screen"


class CheckedDevice(msgspec.Struct, frozen=True):
    """A device whose driver was found and whose options are right."""

    id: str
    driver_name: str
    driver: type[Driver]
    config: msgspec.Struct
    description: DeviceDescription


class CheckedProfile(msgspec.Struct, frozen=True):
    """A profile that can be run."""

    profile: Profile
    devices: tuple[CheckedDevice, ...]


def load_profile(path: str | Path) -> CheckedProfile:
    """The profile at `path` with its drivers. Raises TomlProblems with everything that is wrong in it."""
    try:
        return check(load(path, Profile))
    except TomlProblems as error:
        # A mistake elsewhere must not hide those in the options of the drivers.
        more = [problem for problem in _option_problems(path) if problem not in error.problems]
        raise TomlProblems(error.problems + more) from error


def _option_problems(path: str | Path) -> list[str]:
    problems: list[str] = []
    try:
        entries = load(path, dict[str, Any]).get("device", [])
    except TomlProblems:
        return []
    for n, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and isinstance(entry.get("driver"), str):
            _driver(n, entry["driver"], entry.get("options", {}), problems)
    return problems


def check(profile: Profile) -> CheckedProfile:
    """Find the drivers, check their options and every cross reference. Raises TomlProblems."""
    problems: list[str] = []
    devices = [
        found for n, entry in enumerate(profile.device) if (found := _device(n, entry, profile, problems))
    ]
    _unique([entry.id for entry in profile.device], "device", problems)
    _unique([station.id for station in profile.station], "station", problems)
    _unique(
        [s.counter for s in profile.station if isinstance(s, CounterStation)], "station counter", problems
    )
    if sum(isinstance(s, KioskStation) for s in profile.station) > 1:
        problems.append("station: 一个节点最多一台取号机 · a node has one kiosk at most")
    problems += _screens(profile)
    problems += _lines(devices)
    declared = {entry.id for entry in profile.device}
    kinds = {device.id: device.driver.kind for device in devices}
    used: dict[str, str] = {}
    for n, station in enumerate(profile.station):
        for field, device in _references(station):
            path = f"station[{n}].{field}"
            if device not in declared:
                problems.append(f"{path}: 没有设备 {device!r} · there is no device {device!r}")
            elif device in kinds and kinds[device] != _KINDS[field]:
                problems.append(
                    f"{path}: {device!r} 是 {kinds[device]}，应为 {_KINDS[field]} · "
                    f"{device!r} is a {kinds[device]}, a {_KINDS[field]} is needed"
                )
            if device in used:
                problems.append(
                    f"{path}: {device!r} 已用于 {used[device]} · {device!r} is used by {used[device]}"
                )
            used[device] = path
    if problems:
        raise TomlProblems(problems)
    return CheckedProfile(profile, tuple(devices))


def _driver(
    n: int, name: str, options: object, problems: list[str]
) -> tuple[type[Driver], msgspec.Struct] | None:
    try:
        driver = driver_class(name)
        return driver, convert(options, config_type(driver), f"device[{n}].options")
    except DriverNotFoundError as error:
        problems.append(f"device[{n}].driver: 驱动不可用 · {error}")
    except TomlProblems as error:
        problems.extend(error.problems)
    except ValueError as error:
        problems.append(f"device[{n}].options: 值不对 · {error}")
    return None


def _device(n: int, entry: DeviceEntry, profile: Profile, problems: list[str]) -> CheckedDevice | None:
    found = _driver(n, entry.driver, entry.options, problems)
    if found is None:
        return None
    driver, config = found
    counter, zone = None, None
    for station in profile.station:
        if any(device == entry.id for _, device in _references(station)):
            counter = getattr(station, "counter", None)
            zone = getattr(station, "zone", None)
    kind = driver.kind
    description = DeviceDescription(
        device=entry.id,
        kind=kind,  # type: ignore[arg-type]  # the class's own word, one of DeviceKind
        driver=entry.driver,
        counter=counter,
        zone=zone,
    )
    return CheckedDevice(entry.id, entry.driver, driver, config, description)


def _lines(devices: list[CheckedDevice]) -> list[str]:
    """Serial ports and connections that several devices use, and may not or with other settings."""
    problems: list[str] = []
    first: dict[str, tuple[str, Any]] = {}
    for device in devices:
        line: Any = getattr(device.config, "transport", None)
        name = getattr(line, "line", None)  # only lines that can be shared have one
        if name is None:
            continue
        other, before = first.setdefault(name, (device.id, line))
        if other == device.id:
            continue
        if not (line.shared and before.shared):
            problems.append(
                f"device {device.id!r}: {name} 已被 {other!r} 使用，共线须两边都写 shared = true · "
                f"{name} is used by {other!r}; to share it, both need shared = true"
            )
        elif line != before:
            problems.append(
                f"device {device.id!r}: {name} 的设置与 {other!r} 不同 · "
                f"its settings of {name} differ from those of {other!r}"
            )
    return problems + _addresses(devices)


def _addresses(devices: list[CheckedDevice]) -> list[str]:
    """Devices of one line that would take each other's orders."""
    problems: list[str] = []
    for number, device in enumerate(devices):
        config = device.config
        address = getattr(config, "address", None)
        for other in devices[:number] if address is not None else ():
            if getattr(other.config, "transport", None) != getattr(config, "transport", None):
                continue
            same_address = getattr(other.config, "address", None) == address
            # `area`: two parts of one screen
            same_area = getattr(other.config, "area", None) == getattr(config, "area", None)
            all_of_both = [getattr(one, "reaches_all", None) for one in (config, other.config)]
            if (same_address and same_area and device.driver is other.driver) or (
                not same_address and None not in all_of_both and any(all_of_both)
            ):
                problems.append(
                    f"device {device.id!r}: 与 {other.id!r} 同线，地址须各不相同 · "
                    f"on the line of {other.id!r}: each needs an address of its own"
                )
    return problems


def _screens(profile: Profile) -> list[str]:
    problems: list[str] = []
    devices = {entry.id for entry in profile.device}
    for n, station in enumerate(profile.station):
        path = f"station[{n}].screens"
        if station.screens and profile.screen_socket is None:
            problems.append(f"{path}: 须写 screen_socket · screen_socket is needed")
        _unique(list(station.screens), path, problems)
        for screen in station.screens:
            device = screen_device(station.id, screen)
            if device in devices:
                problems.append(
                    f"{path}: 设备编号 {device!r} 留给屏幕 · the device id {device!r} is the screen's"
                )
            if len(device) > 64:
                problems.append(f"station[{n}].id: 太长，屏幕编号 · too long for the screen's id {device!r}")
    return problems


def _references(station: Station) -> list[tuple[str, str]]:
    return [(field, device) for field in _KINDS if (device := getattr(station, field, None)) is not None]


def _unique(ids: list[str], what: str, problems: list[str]) -> None:
    for repeated in sorted({i for i in ids if ids.count(i) > 1}):
        problems.append(f"{what} {repeated!r}: 重复 · appears more than once")
