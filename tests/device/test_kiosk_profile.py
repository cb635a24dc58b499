"""The profile of a kiosk as it ships, also with everything in it that is only proposed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.profile import KioskStation, load_profile
from device.stations.guidance import KEYS
from drivers.keypad.evdev_keypad import EvdevKeypadConfig
from wire.checked_toml import TomlProblems

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "profiles" / "kiosk.toml"


def with_everything(text: str) -> str:
    """The `#` taken away from every line that is TOML."""
    return re.sub(r"^# (?=\[|[A-Za-z_0-9]+ = )", "", text, flags=re.MULTILINE)


def test_the_shipped_kiosk_is_right_and_so_is_what_it_proposes(tmp_path: Path) -> None:
    assert load_profile(SHIPPED).profile.station
    full = tmp_path / "node.toml"
    full.write_text(with_everything(SHIPPED.read_text("utf-8")), "utf-8")
    checked = load_profile(full)
    (station,) = checked.profile.station
    assert isinstance(station, KioskStation)
    named = (station.scanner, station.voice, station.pad, station.light)
    assert {device.id for device in checked.devices} == {station.printer, station.card_reader, *named}
    assert station.match_key_file is not None
    (pad,) = [device.config for device in checked.devices if device.id == station.pad]
    assert isinstance(pad, EvdevKeypadConfig) and set(pad.keys.values()) == KEYS


@pytest.mark.parametrize(
    ("field", "device", "needed"),
    [("voice", "printer", "voice"), ("pad", "card-reader", "keypad"), ("light", "printer", "light")],
)
def test_only_a_device_of_the_right_kind_will_do(
    tmp_path: Path, field: str, device: str, needed: str
) -> None:
    wrong = tmp_path / "node.toml"
    text = SHIPPED.read_text("utf-8").replace("lease_low = 20", f'lease_low = 20\n{field} = "{device}"')
    wrong.write_text(text, "utf-8")
    with pytest.raises(TomlProblems, match=f"a {needed} is needed"):
        load_profile(wrong)
