"""`make faults`: the promises under faults, printed and written to build/results/faults-*.json.

    python tests/faults [--short] [storm plain races bad_input screen_kills screen_day]

Ends with status 1 when a promise was broken, or when the checker found no loss where there must be one.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

import bad_input
import kill_storm
import plain_qos
import races
import screen_day
import screen_hours
import screen_kills
from checker import Verdict
from results import Results, percentile


def _report(results: Results, name: str, verdict: Verdict, *, must_find: bool = False) -> bool:
    """Print what was seen; True when it is as it must be."""
    for kind, count in verdict.counts.items():
        results.add(f"{name}: {kind.replace('_', ' ')}", count, "")
    results.add(f"{name}: problems found by the checker", len(verdict.problems), "")
    for problem in verdict.problems[: 3 if must_find else 20]:
        print(f"    {problem}")
    return bool(verdict.problems) is must_find


async def _storm(results: Results, folder: Path, short: bool) -> bool:
    size = {"kills": 4, "people": 120, "speed": 200.0, "pause_s": 6.0} if short else {
        "kills": 20, "people": 600, "speed": 60.0, "pause_s": 7.0
    }  # fmt: skip
    verdict, storm, _ = await kill_storm.run(folder, **size)
    for kind, seconds in storm.back_s.items():
        results.add(
            f"kill -9 of {kind}: ready again after", statistics.median(seconds), "s", n=len(seconds),
            longest=max(seconds),
        )  # fmt: skip
    return _report(results, "kill storm", verdict)


async def _plain(results: Results, folder: Path, short: bool) -> bool:
    verdict = await plain_qos.run(folder, kills=3 if short else 10)
    return _report(results, "the same with plain QoS 1, no outbox", verdict, must_find=True)


async def _races(results: Results, folder: Path, short: bool) -> bool:
    verdict, _ = await races.run(folder, races=60 if short else 1000)
    return _report(results, "races", verdict)


async def _bad_input(results: Results, folder: Path, short: bool) -> bool:
    return _report(results, "bad input", await bad_input.run(folder, rounds=3 if short else 25))


async def _screen_kills(results: Results, folder: Path, short: bool) -> bool:
    kills, others = (10, 4) if short else (100, 50)
    verdict, back = await screen_kills.run(folder, kills=kills, others=others)
    late = []
    for what, times in (("first picture", back.ready_s), ("right page", back.page_s)):
        for screen, seconds in times.items():
            results.add(
                f"kill -9 of the {screen}'s program: {what} after", statistics.median(seconds), "s",
                n=len(seconds), p99=percentile(seconds, 0.99), longest=max(seconds),
            )  # fmt: skip
            late += [
                f"{screen}: {what} after {each:.1f} s" for each in seconds if each > screen_kills.BACK_IN_S
            ]
    verdict.problems += late
    for page, count in back.killed_on["kiosk"].most_common():
        results.add(f"kiosk killed while the page was {page or 'not there yet'}", count, "")
    return _report(results, "killed screens", verdict)


async def _screen_day(results: Results, folder: Path, short: bool) -> bool:
    hours = 1.0 if short else 24.0
    alone = await asyncio.to_thread(screen_hours.run, hours)
    for screen, seen in alone.items():
        results.add(f"{screen} by itself, {hours:g} h of simulated time: pages laid out", seen.pictures, "")
    results.add("minutes whose time stood on the hall display", alone["board"].clock, "")
    day = await screen_day.run(folder, hours=hours)
    results.add(f"{hours:g} h replayed in", day.seconds, "s", calls=day.calls, messages=day.messages)
    results.add("touches", day.touches, "", numbers=sum(day.ends.values()), ways=len(day.ends))
    for screen in screen_day.SIZES:
        results.add(f"{screen}: pictures drawn", day.pictures[screen], "", pages=len(day.pages[screen]))
        for what, samples in (("PSS", day.pss[screen]), ("RSS", day.rss[screen])):
            results.add(
                f"{screen}: {what} at the end", samples[-1], "MiB", n=len(samples), most=max(samples),
                growth=screen_day.growth(samples),
            )  # fmt: skip
    problems = day.problems + [problem for seen in alone.values() for problem in seen.problems]
    for problem, count in Counter(problems).most_common(20):
        print(f"    {count} × {problem}")
    results.add("blank, cut, never asleep, or memory not flat", len(problems), "")
    return not problems


PARTS: dict[str, Callable[[Results, Path, bool], Awaitable[bool]]] = {
    "races": _races,
    "bad_input": _bad_input,
    "storm": _storm,
    "plain": _plain,
    "screen_kills": _screen_kills,
    "screen_day": _screen_day,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few minutes, as CI runs it")
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)  # that a killed broker is missed is no news here
    good = True
    for name in options.parts:
        command = f".venv/bin/python tests/faults {'--short ' if options.short else ''}{name}"
        results = Results(f"faults-{name}", command)
        with tempfile.TemporaryDirectory(prefix="paihao-faults-") as folder:
            held = asyncio.run(PARTS[name](results, Path(folder), options.short))
        results.add(f"{name}: as promised", held, "")
        results.write()
        good = good and held
    print("every promise held" if good else "a promise was broken")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
