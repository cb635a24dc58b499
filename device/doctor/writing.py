"""The profile of a node from what was found: TOML with comments in both languages, checked before it is used.

What the technician wrote into an earlier file stays: settings of the node and the broker, and options of
devices that have the same id and driver; only where a device is plugged in is written anew.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from device.doctor.report import Answer, Found, Report, Row
from device.doctor.suggesting import guessed, suggested_options, usable
from device.profile import CheckedProfile, load_profile

StationKind = Literal["kiosk", "counter", "board"]


class _Role(NamedTuple):
    """A place for a device: the station's field, the device's id and class, whether it must be there, whether
    many halls do without."""

    field: str
    device: str
    kind: str
    needed: bool = False
    drivers: tuple[str, ...] = ()
    """Only these, where a class has different uses."""
    optional: bool = False


ROLES: Final[dict[StationKind, tuple[_Role, ...]]] = {
    "kiosk": (
        _Role("printer", "printer", "ticket_printer", needed=True),
        _Role("card_reader", "card-reader", "card_reader", drivers=("sam_reader",)),
        _Role("scanner", "scanner", "card_reader", drivers=("scanner", "pcsc_reader"), optional=True),
    ),
    "counter": (
        _Role("call_screen", "strip", "call_screen"),
        _Role("call_keypad", "call-keypad", "keypad"),
        _Role("rating_keypad", "rating-keypad", "keypad"),
        _Role("light", "light", "light", optional=True),
    ),
    "board": (_Role("voice", "voice", "voice"), _Role("light", "light", "light", optional=True)),
}
_RATING_KEYS: Final = {f"KEY_{n}": str(n) for n in range(1, 6)} | {f"KEY_KP{n}": str(n) for n in range(1, 6)}
_PLACE: Final = ("transport", "path", "output")
"""Options that say where a device is plugged in."""
_NOT_FOUND_PRINTER: Final[dict[str, Any]] = {
    "columns": 48,
    "transport": {"type": "serial", "path": "/dev/paihao/printer", "baud": 115200},
}


class Written(NamedTuple):
    """The text of a profile; `found`: ids of devices that were found; `missing`: of those that were not;
    `optional`: of those that were not and that many halls do without; `udev`: lines that give them names by
    role."""

    text: str
    found: tuple[str, ...]
    missing: tuple[str, ...]
    optional: tuple[str, ...]
    udev: tuple[str, ...]


def profile_text(
    report: Report, station: StationKind, hall: str, node: str, before: Mapping[str, Any] | None = None
) -> Written:
    """The profile of `node` for what answers in `report`; `before` is the file that there was.

    Raises TomlProblems when it does not pass the profile's own check (ids that are none).
    """
    before = before or {}
    given = _given(report, station)
    lines = _head(station, hall, node, before)
    fields: dict[str, str] = {}
    found, missing, udev = [], [], []
    optional: list[str] = []
    kept = {entry["id"]: entry for entry in before.get("device", []) if isinstance(entry.get("id"), str)}
    for role in ROLES[station]:
        row = given.get(role.field)
        old = kept.pop(role.device, None)
        if row is not None and row.answer is not None:
            lines += _device(role, row.found, row.answer, old)
            found.append(role.device)
            if line := udev_line(row.found, role.device):
                udev.append(line)
        elif old is not None:
            lines += _kept(old)
            missing.append(role.device)
        elif role.needed:
            lines += ["", *_comment("没有找到，请核对下面的接口", "not found, check where it is plugged in")]
            lines += _entry(role.device, "escpos", _NOT_FOUND_PRINTER, {})
            missing.append(role.device)
        else:
            (optional if role.optional else missing).append(role.device)
            continue
        fields[role.field] = role.device
    for entry in kept.values():
        lines += _kept(entry)
    lines += _station(station, node, fields, before)
    text = "\n".join(lines) + "\n"
    _check(text)
    return Written(text, tuple(found), tuple(missing), tuple(optional), tuple(udev))


def udev_line(found: Found, role: str) -> str | None:
    """The line of 61-paihao-roles.rules that names a device in its port by what it does."""
    if found.port is None or found.kind not in ("serial", "input"):
        return None
    subsystem = 'SUBSYSTEM=="tty"'
    if found.kind == "input":
        subsystem = 'SUBSYSTEM=="input", KERNEL=="event*", ENV{ID_INPUT_KEY}=="1"'
    return f'{subsystem}, ENV{{PAIHAO_PORT}}=="{found.port}", SYMLINK+="paihao/{role}"'


def _given(report: Report, station: StationKind) -> dict[str, Row]:
    """Which thing found plays which role: sure answers before likely ones, a rating format to the rating."""
    rows = [row for row in report.rows if row.answer is not None and row.answer.driver is not None]
    rows = [row for row in rows if row.answer is not None and row.answer.confidence != "silent"]
    rows.sort(key=lambda row: row.answer is not None and row.answer.confidence != "sure")
    given: dict[str, Row] = {}
    for role in ROLES[station]:
        for row in rows:
            if row in given.values() or row.answer is None or row.answer.device != role.kind:
                continue
            if role.drivers and row.answer.driver not in role.drivers:
                continue
            if not usable(row.answer):
                continue
            if role.kind == "keypad" and (role.field == "rating_keypad") != _is_rating(row.answer):
                continue
            given[role.field] = row
            break
    if station == "counter" and "rating_keypad" not in given:
        # two pads of one kind: the second is the rating keypad
        pads = [row for row in rows if row.answer is not None and row.answer.device == "keypad"]
        left = [row for row in pads if row not in given.values() and row.answer and usable(row.answer)]
        if left:
            given["rating_keypad"] = left[0]
    return given


def _is_rating(answer: Answer) -> bool:
    return str(answer.options.get("format", "")).startswith("rating")


# ---------------------------------------------------------------- the text


def _head(station: StationKind, hall: str, node: str, before: Mapping[str, Any]) -> list[str]:
    lines = [
        *_comment("由 paihao doctor write 写成；改后用 paihao agent --check --config 检查", ""),
        *_comment("", "written by paihao doctor write; check changes with paihao agent --check --config"),
        f"hall = {_value(hall)}",
        f"node = {_value(node)}",
        f"model = {_value(before.get('model', station))}",
        *_comment("数据文件，必须在本机磁盘", "the data file, on a local disk"),
        f"storage = {_value(before.get('storage', '/var/lib/paihao/agent.db'))}",
        f"screen_socket = {_value(before.get('screen_socket', '/run/paihao/screens.sock'))}",
        f"timezone = {_value(before.get('timezone', 'Asia/Shanghai'))}",
    ]
    if "revision" in before:
        lines.append(f"revision = {_value(before['revision'])}")
    broker = before.get("broker") or {
        "host": "paihao-hall.local",
        "port": 8883,
        "tls": {
            "ca_file": "/etc/paihao/tls/ca.pem",
            "certificate_file": "/etc/paihao/tls/node.pem",
            "key_file": "/etc/paihao/tls/node.key",
        },
    }
    lines += ["", *_comment("消息服务器，名字要与它的证书一致", "the broker, named as in its certificate")]
    return [*lines, *_table("broker", broker)]


def _device(role: _Role, found: Found, answer: Answer, old: Mapping[str, Any] | None) -> list[str]:
    driver = answer.driver or ""
    options = suggested_options(answer)
    if role.field == "rating_keypad" and driver == "evdev_keypad":
        options["keys"] = _RATING_KEYS
    unsure = guessed(answer)
    if old is not None and old.get("driver") == driver:
        edited = {key: value for key, value in old.get("options", {}).items() if key not in _PLACE}
        options |= edited
        unsure = {key: value for key, value in unsure.items() if key not in edited}
    named = " ".join(part for part in (found.name, found.usb, found.port and f"@ {found.port}") if part)
    sure = answer.confidence == "sure"
    lines = ["", *_comment(f"{named}：{'已应答' if sure else '请核对'}", "answered" if sure else "make sure")]
    return [*lines, *_entry(role.device, driver, options, unsure)]


def _kept(entry: Mapping[str, Any]) -> list[str]:
    """A device of the earlier file that did not answer now."""
    lines = ["", *_comment("这次没有应答，保留原配置", "did not answer this time; kept as it was")]
    return [*lines, *_entry(entry["id"], entry.get("driver", ""), entry.get("options", {}), {})]


def _entry(
    device: str, driver: str, options: Mapping[str, Any], unsure: Mapping[str, tuple[Any, str, str]]
) -> list[str]:
    lines = ["[[device]]", f"id = {_value(device)}", f"driver = {_value(driver)}"]
    plain = {key: value for key, value in options.items() if not isinstance(value, Mapping)}
    plain |= {key: value for key, (value, _, _) in unsure.items() if key not in options}
    tables = {key: value for key, value in options.items() if isinstance(value, Mapping)}
    if plain or tables:
        lines += ["", "[device.options]"]
    for key, value in plain.items():
        if key in unsure:
            lines += _comment(unsure[key][1], unsure[key][2])
        lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in tables.items():
        lines += ["", *_table(f"device.options.{_key(key)}", value)]
    return lines


def _station(
    station: StationKind, node: str, fields: Mapping[str, str], before: Mapping[str, Any]
) -> list[str]:
    """The station; fields that the technician added to a station of this kind stay."""
    old: Mapping[str, Any] = next(
        (each for each in before.get("station", []) if each.get("kind") == station), {}
    )
    lines = ["", "[[station]]", f"kind = {_value(station)}", f"id = {_value(old.get('id', node))}"]
    if station == "counter":
        lines += _comment("窗口编号，等于 hall.toml 的 [[counter]] id", "the counter's id in hall.toml")
        lines.append(f"counter = {_value(old.get('counter', node.removeprefix('counter-')))}")
    if station == "board" and "zone" not in old:
        lines += _comment('不写 zone 则播全大厅；例 zone = "a"', 'without zone: every call; e.g. zone = "a"')
    for field, device in fields.items():
        lines.append(f"{field} = {_value(device)}")
    written = {"kind", "id", "counter", *fields}
    lines += [f"{_key(key)} = {_value(value)}" for key, value in old.items() if key not in written]
    others = [each for each in before.get("station", []) if each is not old]
    for each in others:
        lines += ["", "[[station]]", *(f"{_key(key)} = {_value(value)}" for key, value in each.items())]
    return lines


def _comment(chinese: str, english: str) -> list[str]:
    return ["# " + " · ".join(part for part in (chinese, english) if part)]


def _table(name: str, table: Mapping[str, Any]) -> list[str]:
    lines = [f"[{name}]"]
    lines += [f"{_key(k)} = {_value(v)}" for k, v in table.items() if not isinstance(v, Mapping)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", *_table(f"{name}.{_key(key)}", value)]
    return lines


def _key(key: str) -> str:
    return key if key and key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    return str(value)


def _check(text: str) -> CheckedProfile:
    """The text as the agent will read it. Raises TomlProblems."""
    with tempfile.TemporaryDirectory(prefix="paihao-doctor-") as folder:
        file = Path(folder) / "node.toml"
        file.write_text(text, "utf-8")
        return load_profile(file)


def read_before(file: Path) -> dict[str, Any]:
    """The tables of the earlier file; empty when there is none. Raises ValueError when it is no TOML."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}


def store(file: Path, text: str, *, force: bool, stamp: str) -> tuple[Path, Path | None]:
    """Write the profile; where it went, and where the earlier file is now.

    Without `force` a file that is there stays, and the new one lies beside it as `NAME.new`. With it the
    earlier one is kept as `NAME.STAMP`. Written whole or not at all.
    """
    there = file.exists()
    target = file.with_name(file.name + ".new") if there and not force else file
    backup = file.with_name(f"{file.name}.{stamp}") if there and force else None
    part = target.with_name(f".{target.name}.part")
    part.write_text(text, "utf-8")
    if backup is not None:
        backup.unlink(missing_ok=True)
        backup.hardlink_to(file)  # at no time is there no profile
    part.replace(target)
    return target, backup
