"""The ways in which each device of the demo can be made to misbehave, as a technician would meet them.

A way is on or off, or happens once. All act on the far end of a line: on the fake or on the line itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from simulator.hall_site import HallSite

NOISE: Final = 0.03
"""A byte in about 33 is another one."""
SLOW_S: Final = 0.25
"""Before each 16 bytes of an answer."""
STOP_AFTER: Final = 60
"""Bytes of the next ticket that still come through."""


@dataclass(frozen=True, slots=True)
class Way:
    """One button. `is_on` None: it happens once and does not stay. `key`: text `demo.way_<key>`."""

    key: str
    act: Callable[[HallSite, str], None]
    is_on: Callable[[HallSite, str], bool] | None = None


def ways(site: HallSite, name: str) -> list[Way]:
    """The ways of the device "node/device"."""
    driver = site.driver_of(name)
    own = _OWN.get(driver, [])
    if name in site.lines:
        return [*own, *_LINE]
    return [*own, _VOICE_UNPLUG]


def misbehave(site: HallSite, name: str, key: str) -> None:
    """Press the button `key` of a device. KeyError for one that it does not have."""
    found = {way.key: way for way in ways(site, name)}[key]
    found.act(site, name)
    site.changed(f"device:{name}")


def _flag(key: str, attribute: str) -> Way:
    """A boolean of the fake."""

    def act(site: HallSite, name: str) -> None:
        fake: Any = site.fakes[name]
        setattr(fake, attribute, not getattr(fake, attribute))
        fake.changed()

    return Way(key, act, lambda site, name: bool(getattr(site.fakes[name], attribute)))


def _once(key: str, attribute: str) -> Way:
    """A count of the fake: the next time it does it wrong."""

    def act(site: HallSite, name: str) -> None:
        fake: Any = site.fakes[name]
        setattr(fake, attribute, 0 if getattr(fake, attribute) else 1)

    return Way(key, act, lambda site, name: bool(getattr(site.fakes[name], attribute)))


def _pair(key: str, begin: str, end: str, is_on: Callable[[Any], bool]) -> Way:
    """Two methods of the fake, the trouble and its mending."""

    def act(site: HallSite, name: str) -> None:
        fake: Any = site.fakes[name]
        getattr(fake, end if is_on(fake) else begin)()

    return Way(key, act, lambda site, name: is_on(site.fakes[name]))


def _stop_at(site: HallSite, name: str) -> None:
    fake: Any = site.fakes[name]
    fake.stop_at(STOP_AFTER)


def _unplug(site: HallSite, name: str) -> None:
    line = site.lines[name]
    site.spawn(line.unplug() if line.plugged_in else line.plug(), f"cable of {name}", name)


def _unplug_voice(site: HallSite, name: str) -> None:
    voice: Any = site.fakes[name]
    site.spawn(voice.unplug() if voice.plugged_in else voice.plug(), f"cable of {name}", name)


def _noise(site: HallSite, name: str) -> None:
    faults = site.lines[name].faults
    faults.noise = 0.0 if faults.noise else NOISE


def _slow(site: HallSite, name: str) -> None:
    faults = site.lines[name].faults
    slow = not faults.delay_s
    faults.delay_s, faults.piece = (SLOW_S, 16) if slow else (0.0, 0)


def _bounce(site: HallSite, name: str) -> None:
    fake: Any = site.fakes[name]
    fake.bounce(fake.key_names[0])


def _breaks_off(site: HallSite, name: str) -> bool:
    return getattr(site.fakes[name], "dies_at", None) is not None


def _break_off(site: HallSite, name: str) -> None:
    fake: Any = site.fakes[name]
    fake.dies_at = None if fake.dies_at is not None else 0.5


_LINE: Final = [
    Way("unplug", _unplug, lambda site, name: not site.lines[name].plugged_in),
    Way("noise", _noise, lambda site, name: bool(site.lines[name].faults.noise)),
    Way("slow", _slow, lambda site, name: bool(site.lines[name].faults.delay_s)),
]
_VOICE_UNPLUG: Final = Way(
    "unplug", _unplug_voice, lambda site, name: not getattr(site.fakes[name], "plugged_in", True)
)
_OWN: Final[dict[str, list[Way]]] = {
    "escpos": [
        _pair("paper_out", "paper_out", "load_paper", lambda fake: not fake.paper),
        _pair("paper_low", "paper_low", "load_paper", lambda fake: fake.near_end),
        _pair("cover", "open_cover", "close_cover", lambda fake: fake.cover_open),
        _pair("jam", "jam", "unjam", lambda fake: fake.jammed or fake.cutter_error),
        _pair("freeze", "freeze", "go_on", lambda fake: fake.frozen),
        Way("stop_at", _stop_at),
        _flag("silent", "silent"),
        _pair("power", "power_off", "power_on", lambda fake: not fake.powered),
    ],
    "onbon_bx": [_flag("silent", "silent"), _flag("busy", "busy"), _once("bad_crc", "bad_crc")],
    "serial_keypad": [_flag("silent", "silent"), Way("bounce", _bounce)],
    "sam_reader": [
        _once("bad_read", "bad_reads"),
        _flag("unknown_card", "unknown_card"),
        _flag("silent", "silent"),
        _flag("self_test", "self_test_failed"),
    ],
    "speaker": [
        _flag("silent", "silent"),
        _flag("refusing", "refusing"),
        Way("breaks_off", _break_off, _breaks_off),
    ],
}
