"""Fuzzes every parser of bytes from outside, and prints executions and crashes: `make fuzz`.

    python tests/fuzz [--runs N] [--seconds S] [--only NAME] [--jobs J]

Each target runs in a process of its own until it has had its runs or its time. The inputs that reached new
code stay in build/fuzz/TARGET/corpus and are where the next run begins. Ends with 1 when anything crashed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import found

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
LONGEST = 256
"""Bytes of an input, unless a seed is longer: most frames are shorter, and long inputs cost a hundredfold."""
SLOW_S = 10
"""One input that takes longer counts as a crash."""


@dataclass(frozen=True)
class Outcome:
    target: str
    executions: int
    seconds: float
    covered: int
    crashes: int
    detail: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="executions of each target")
    parser.add_argument("--seconds", type=int, default=3600, help="the longest time of a target")
    parser.add_argument("--only", default="", help="targets whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    wanted = [
        target
        for module in found.modules()
        for target in found.targets(module)
        if options.only in target.name
    ]
    began = time.monotonic()
    print(f"{'target':<34} {'executions':>12} {'per s':>9} {'branches':>9} {'crashes':>8}", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda target: _fuzz(target, options.runs, options.seconds), wanted))
    crashed = [outcome for outcome in outcomes if outcome.crashes]
    total = sum(outcome.executions for outcome in outcomes)
    print(
        f"{len(outcomes)} targets, {total:,} executions, {len(crashed)} crashes, "
        f"{time.monotonic() - began:.0f} s"
    )
    for outcome in crashed:
        print(f"\n{outcome.target}: {outcome.detail}")
    results = ROOT / "build" / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "fuzz.json").write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")
    return 1 if crashed or not outcomes else 0


def _fuzz(target: found.Target, runs: int, seconds: int) -> Outcome:
    folder = BUILD / target.name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    longest = max(LONGEST, *(len(seed) for seed in target.seeds))
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    began = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, str(Path(__file__).with_name("one.py")), target.module, target.name,
            f"-runs={runs}", f"-max_total_time={seconds}", f"-max_len={longest}", f"-timeout={SLOW_S}",
            f"-artifact_prefix={folder}/", "-print_final_stats=1", "-rss_limit_mb=4096", str(corpus),
        ],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    outcome = Outcome(
        target.name,
        _number(r"stat::number_of_executed_units:\s*(\d+)", done.stderr),
        took,
        max([int(found) for found in re.findall(r"\bcov: (\d+)", done.stderr)], default=0),
        int(done.returncode != 0),
        "" if done.returncode == 0 else _last(done.stderr),
    )
    (folder / "log").write_text(done.stderr)
    print(
        f"{outcome.target:<34} {outcome.executions:>12,} {outcome.executions / max(took, 0.001):>9,.0f} "
        f"{outcome.covered:>9,} {outcome.crashes:>8}",
        flush=True,
    )
    return outcome


def _number(pattern: str, text: str) -> int:
    match = re.search(pattern, text)
    return int(match.group(1)) if match else 0


def _last(log: str) -> str:
    """What went wrong: the traceback and the name of the input."""
    at = log.find("=== Uncaught Python exception")
    return log[at if at >= 0 else -3000 :][:3000]


if __name__ == "__main__":
    sys.exit(main())
