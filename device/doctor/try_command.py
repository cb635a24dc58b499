"""`paihao doctor test printer|screen|keypad|card|voice|light`: one device by hand, through its real driver.

Which device: `--device ID --profile FILE`, or `--driver NAME --option k=v …`, or neither: then the one that
answers to the doctor's questions. Exit status: 0 passed, 1 not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from device.doctor.command import (
    WRONG_USAGE,
    add_looking,
    checked_profile,
    language_of,
    patience_of,
    roots_of,
    run,
    say,
)
from device.doctor.trying import KINDS, Person, Verdict, try_device
from drivers.table import DriverNotFoundError, build, config_type, driver_class
from wire.checked_toml import TomlProblems, convert
from wire.texts import text

if TYPE_CHECKING:
    import msgspec

    from device.profile import CheckedProfile
    from drivers.driver import Driver


class _Chosen(NamedTuple):
    """The device to try: its driver's name and class, and its options."""

    name: str
    driver: type[Driver]
    config: msgspec.Struct


def main(arguments: list[str]) -> int:
    """Run `paihao doctor test`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="paihao doctor test", description="逐个手动测试设备 · one device by hand, through its driver"
    )
    parser.add_argument("kind", choices=list(KINDS), help="which kind of device")
    parser.add_argument("--device", metavar="ID", help="配置中的设备 · a device of --profile")
    parser.add_argument("--driver", metavar="NAME", help="without a profile: the driver …")
    parser.add_argument(
        "--option", action="append", default=[], metavar="K=V",
        help="… and its options as in the profile, e.g. transport.path=/dev/ttyUSB0",
    )  # fmt: skip
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="default: 60")
    parser.add_argument("--json", action="store_true", help="the verdict as one JSON document")
    add_looking(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    if (
        options.timeout <= 0
        or (options.device and not options.profile)
        or (options.device and options.driver)
    ):
        parser.error("--device belongs to --profile, --driver stands without; --timeout is above 0")
    profile, status = checked_profile(options.profile)
    if status:
        return status
    try:
        return run(_run(options, profile))
    except (TomlProblems, DriverNotFoundError, LookupError) as error:
        say(f"paihao doctor test: {error}", sys.stderr)
        return WRONG_USAGE


async def _run(options: argparse.Namespace, profile: CheckedProfile | None) -> int:
    language = language_of(options)
    out = sys.stderr if options.json else sys.stdout
    person = Person(language, lambda line: say(line, out), _ask if sys.stdin.isatty() else None)
    chosen: _Chosen | Verdict | None
    if options.driver:
        chosen = _from_options(options)
    elif profile is not None:
        chosen = _from_profile(options, profile)
    else:
        chosen = await _from_answers(options, person)
    if isinstance(chosen, _Chosen):
        if chosen.driver.kind != KINDS[options.kind]:
            raise LookupError(f"{chosen.name} is a {chosen.driver.kind}, not a {KINDS[options.kind]}")
        held = await _held(options, profile, chosen)
        chosen = held or await try_device(
            build(chosen.driver, chosen.config), chosen.config, chosen.name, person, options.timeout
        )
    _say(chosen, language, json=options.json)
    return chosen.status


# ---------------------------------------------------------------- which device


def _from_options(options: argparse.Namespace) -> _Chosen:
    return _checked(options.driver, _nested(options.option))


def _checked(name: str, options: dict[str, Any]) -> _Chosen:
    driver = driver_class(name)
    return _Chosen(name, driver, convert(options, config_type(driver), "option"))


def _nested(pairs: list[str]) -> dict[str, Any]:
    """["transport.path=/dev/x", "columns=32"] → {"transport": {"path": …}, "columns": 32}.

    Values are TOML where they are, else text. Raises LookupError for what is no pair.
    """
    tree: dict[str, Any] = {}
    for pair in pairs:
        path, equals, value = pair.partition("=")
        if not equals or not path:
            raise LookupError(f"--option {pair!r}: K=V is expected")
        *tables, key = path.split(".")
        at = tree
        for table in tables:
            at = at.setdefault(table, {})
            if not isinstance(at, dict):
                raise LookupError(f"--option {pair!r}: {table} has a value already")
        try:
            at[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            at[key] = value
    return tree


def _from_profile(options: argparse.Namespace, profile: CheckedProfile) -> _Chosen:
    kind = KINDS[options.kind]
    for device in profile.devices:
        if options.device in (None, device.id) and (options.device or device.driver.kind == kind):
            return _Chosen(device.driver_name, device.driver, device.config)
    raise LookupError(
        f"no device {options.device!r} in the profile" if options.device else f"no {kind} in it"
    )


async def _from_answers(options: argparse.Namespace, person: Person) -> _Chosen | Verdict:
    """The first device of the kind that answers, with what it needs to be used."""
    from device.doctor.examination import Examination
    from device.doctor.suggesting import suggested_options, usable

    person.tell("doctor.asking_still")
    examination = Examination(
        roots=roots_of(options), hosts=options.host, patience=patience_of(options), listen_s=options.listen
    )
    try:
        report = await examination.look()
    finally:
        await examination.close()
    kind = KINDS[options.kind]
    code = "doctor.test_none"
    for confidence in ("sure", "likely"):
        for row in report.rows:
            answer = row.answer
            if answer is None or answer.confidence != confidence or answer.device != kind:
                continue
            if answer.driver is None:
                continue
            if not usable(answer):
                code = answer.code or code
                continue
            person.tell("doctor.test_found", name=answer.driver, where=row.found.stable or row.found.name)
            return _checked(answer.driver, suggested_options(answer))
    return Verdict(device=kind, driver="", outcome="failed", code=code)


async def _held(
    options: argparse.Namespace, profile: CheckedProfile | None, chosen: _Chosen
) -> Verdict | None:
    """The agent or another program has the device, or it may not be opened: nothing is sent."""
    from device.doctor.finding import holder_of
    from device.doctor.opening import HELD, hindrance
    from device.doctor.profile_devices import agent_runs

    roots = roots_of(options)
    config: Any = chosen.config
    line = getattr(config, "transport", config)
    path = getattr(line, "path", None)
    holder = holder_of(path, roots) if isinstance(path, str) else None
    running = profile is not None and agent_runs(profile, roots)
    agent = running or (holder is not None and holder.agent)
    code: str | None = "doctor.test_agent" if agent else HELD if holder is not None else None
    if code is None and line is not config and isinstance(path, str):
        code = await hindrance(path)
    if code is None:
        return None
    return Verdict(
        device=chosen.driver.kind,
        driver=chosen.name,
        outcome="failed",
        code=code,
        proved={"program": holder.name} if holder else {"program": "paihao"} if running else {},
    )


# ---------------------------------------------------------------- talking


async def _ask(question: str, timeout: float) -> bool | None:
    """Yes or no on the terminal; None when nobody answered in time."""
    say(f"{question} [y/n] ", end="")
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def typed() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin.fileno(), typed)
    try:
        async with asyncio.timeout(timeout):
            word = (await line).strip().lower()
    except TimeoutError:
        say("")
        return None
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return {"y": True, "yes": True, "是": True, "n": False, "no": False, "否": False}.get(word)


def _say(verdict: Verdict, language: str, *, json: bool) -> None:
    if json:
        import msgspec

        from device.doctor.report import with_texts

        say(msgspec.json.encode(with_texts(msgspec.to_builtins(verdict))).decode())
        return
    mark = {"passed": "✓", "failed": "✗", "unclear": "?"}[verdict.outcome]
    say(f"{mark} {text(f'doctor.verdict_{verdict.outcome}', language)} · {verdict.driver} [{verdict.code}]")
    say(f"  {text(verdict.code, language)}")
    for name, value in verdict.proved.items():
        say(f"  {name}: {str(value).lower() if isinstance(value, bool) else value}")
