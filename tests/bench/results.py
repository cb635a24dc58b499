"""Figures: printed with their distribution and written as JSON under build/results/."""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "results"


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0…1) of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Results:
    """The figures of one command, e.g. "make bench"."""

    def __init__(self, name: str, command: str) -> None:
        self._name = name
        self._command = command
        self._rows: list[dict[str, object]] = []

    def add(
        self,
        name: str,
        value: float | int | bool | str,
        unit: str,
        *,
        n: int = 1,
        floor: float | None = None,
        ratio: float | None = None,
        **more: object,
    ) -> None:
        """Print one figure and keep it for `write`."""
        row = {"name": name, "value": value, "unit": unit, "n": n, "floor": floor, "ratio": ratio}
        self._rows.append({**row, "command": self._command, **more})
        shown = f"{value:,.3f}" if isinstance(value, float) else str(value)
        beside = (
            f"   floor {floor:,.3f}   ratio {ratio:.2f}" if floor is not None and ratio is not None else ""
        )
        extra = "".join(f"   {key} {_short(item)}" for key, item in more.items())
        print(f"{name:<58} {shown:>12} {unit:<8} n={n}{beside}{extra}", flush=True)

    def compare(self, name: str, ours: list[float], floor: list[float], unit: str = "ms") -> None:
        """Two interleaved samples in seconds: p50, p99 and the p50 ratio."""
        mine, least = statistics.median(ours) * 1000, statistics.median(floor) * 1000
        self.add(
            name,
            mine,
            unit,
            n=len(ours),
            floor=least,
            ratio=mine / least,
            p99=percentile(ours, 0.99) * 1000,
            floor_p99=percentile(floor, 0.99) * 1000,
        )

    def write(self) -> None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        path = RESULTS / f"{self._name}.json"
        about = {
            "command": self._command,
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "mosquitto": shutil.which("mosquitto") is not None,
            "figures": self._rows,
        }
        path.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")
        print(f"→ {path.relative_to(ROOT)}")


def _short(item: object) -> str:
    return f"{item:.3f}" if isinstance(item, float) else str(item)
