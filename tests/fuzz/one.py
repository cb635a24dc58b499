"""Fuzzes one target in this process: `one.py MODULE TARGET [libFuzzer options]`. Coverage guides it.

Ends with libFuzzer's own exit status; its statistics stand on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
    import found

    with atheris.instrument_imports(include=["drivers", "device", "hall", "wire"]):
        target = next(t for t in found.targets(sys.argv[1]) if t.name == sys.argv[2])
    atheris.Setup([sys.argv[0], *sys.argv[3:]], target.run)
    atheris.Fuzz()


main()
