"""`make virtual-pi`: boots a virtual Pi, installs this checkout in it and drives devices through its kernel.

    python tests/virtual_pi [--only NAME …] [--short] [--keep] [--shell] [--list]

Prints a row for each check as it ends; the same as JSON in build/results/virtual-pi.json. Exit status 1 when
one failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import importlib
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench import CHECKS, Bench, Check, Result
from image import FOLDER, ROOT, BuildError, build
from install import blocking_wheel, install
from machine import Machine
from session import Session

RESULTS: Final = ROOT / "build" / "results" / "virtual-pi.json"
ROOMS: Final = (
    "checks_serial",
    "checks_usb_printer",
    "checks_keypad",
    "checks_gpio",
    "checks_sound",
    "checks_service",
    "checks_screens",
    "checks_doctor",
    "checks_power",
)
CHECK_S: Final = 480.0
"""No check takes longer."""


def main() -> int:
    for room in ROOMS:
        importlib.import_module(room)
    parser = argparse.ArgumentParser(prog="make virtual-pi", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only checks whose name contains NAME"
    )
    parser.add_argument("--short", action="store_true", help="leave out the long ones")
    parser.add_argument(
        "--keep", action="store_true", help="leave the machine running at the end, until Ctrl-C"
    )
    parser.add_argument("--shell", action="store_true", help="run no check; commands typed here run inside")
    parser.add_argument("--list", action="store_true", help="name the checks")
    options = parser.parse_args()
    chosen = [
        each
        for each in sorted(CHECKS.values(), key=lambda each: each.power)
        if (each.short or not options.short)
        and (not options.only or any(word in each.name for word in options.only))
    ]
    if options.list:
        for each in chosen:
            print(f"{each.name:34} {each.about}")
        return 0
    try:
        image = build(_say)
    except BuildError as problem:
        print(problem, file=sys.stderr)
        return 1
    machine = Machine(image, FOLDER / "run")
    lock = (FOLDER / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another run has the machine", file=sys.stderr)
        return 1
    try:
        return asyncio.run(_run(machine, [] if options.shell else chosen, options.keep, options.shell))
    except KeyboardInterrupt:
        return 130


async def _run(machine: Machine, chosen: list[Check], keep: bool, shell: bool) -> int:
    began = time.monotonic()
    artefacts = FOLDER / "artefacts"
    shutil.rmtree(artefacts, ignore_errors=True)
    artefacts.mkdir(parents=True)
    session = Session()
    bench = Bench(machine, session, artefacts)
    results: list[Result] = []
    try:
        machine.new_disk()
        await machine.start()
        making = asyncio.create_task(asyncio.to_thread(blocking_wheel))
        started = await machine.until_up()
        _row("boot", "ok", started, [])
        installed = time.monotonic()
        await install(machine, session, await making)
        _row("install", "ok", time.monotonic() - installed, [])
        for each in chosen:
            result = await _one(bench, each)
            results.append(result)
            _row(result.name, result.outcome, result.seconds, result.notes)
            if result.error:
                print(result.error, flush=True)
        if shell:
            await _shell(machine)
        if keep:
            _say(f"running, sockets in {machine.folder}; Ctrl-C ends it")
            await asyncio.Event().wait()
    finally:
        await bench.close()
        await session.close()
        await machine.end()
        _keep_artefacts(machine, artefacts)
    whole = time.monotonic() - began
    failed = [result.name for result in results if result.outcome == "failed"]
    if chosen:
        _write(results, whole)
        _say(f"{len(results)} checks, {len(failed)} failed, {whole:.0f} s")
    return 1 if failed else 0


async def _one(bench: Bench, each: Check) -> Result:
    bench.notes = []
    began = time.monotonic()
    try:
        async with asyncio.timeout(CHECK_S):
            await each.run(bench)
    except Exception:  # noqa: BLE001 — whatever it is, the next check goes on
        with contextlib.suppress(Exception):
            journal = await bench.inside("journalctl --boot --no-pager --lines=400 --output=short-monotonic")
            (bench.artefacts / f"{each.name}.log").write_text(journal)
        return Result(each.name, "failed", time.monotonic() - began, bench.notes, traceback.format_exc())
    return Result(each.name, "ok", time.monotonic() - began, bench.notes)


async def _shell(machine: Machine) -> None:
    """Lines typed here, run by the shell inside."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            ran = await machine.agent.end(await machine.agent.begin(line), 600)
        except (TimeoutError, RuntimeError) as error:
            print(error, flush=True)
            continue
        print(f"{ran.out}{ran.error}[{ran.status}]", flush=True)


def _keep_artefacts(machine: Machine, artefacts: Path) -> None:
    for path in (*machine.folder.glob("*.wav"), machine.console, machine.folder / "qemu.log"):
        if path.is_file():
            shutil.copyfile(path, artefacts / path.name)


def _write(results: list[Result], seconds: float) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "check": each.name,
            "about": CHECKS[each.name].about,
            "result": each.outcome,
            "seconds": round(each.seconds, 1),
            "notes": each.notes,
            "error": each.error,
        }
        for each in results
    ]
    content = {"seconds": round(seconds, 1), "processors": os.cpu_count(), "checks": rows}
    RESULTS.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _row(name: str, outcome: str, seconds: float, notes: list[str]) -> None:
    print(f"{name:34} {outcome:7} {seconds:6.1f} s   {', '.join(notes)}".rstrip(), flush=True)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
