"""`make bench`: every figure, printed and written to build/results/bench-*.json.

python tests/bench [--quick] [latency agent_size …]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from pathlib import Path

from results import Results

BENCHES = ("agent_size", "latency", "whole_way", "issue", "raster", "keypads", "screens")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("benches", nargs="*", default=BENCHES, help=", ".join(BENCHES))
    options = parser.parse_args()
    for name in options.benches:
        results = Results(
            f"bench-{name}", f".venv/bin/python tests/bench {'--quick ' if options.quick else ''}{name}"
        )
        bench = importlib.import_module(name)
        with tempfile.TemporaryDirectory(prefix="paihao-bench-") as folder:
            asyncio.run(bench.run(results, Path(folder), quick=options.quick))
        results.write()


if __name__ == "__main__":
    main()
