"""The fuzz targets: every module of `targets/` has `TARGETS` (name → function of bytes) and `SEEDS`.

A target feeds bytes to one parser and asserts what must always hold. It raises only on a defect. An input
that once was one stands as a file in `regressions/TARGET/` and is tried in every ordinary test run.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Target:
    """One parser. `seeds`: inputs to begin with, those of `regressions/` among them."""

    name: str
    module: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def modules() -> list[str]:
    """The target modules by name."""
    return sorted(path.stem for path in (HERE / "targets").glob("*.py"))


def targets(module: str) -> list[Target]:
    """The targets of one module; imports what they try."""
    loaded = _load(module)
    return [
        Target(name, module, run, (*loaded.SEEDS.get(name, ()), *regressions(name)))
        for name, run in loaded.TARGETS.items()
    ]


def regressions(name: str) -> list[bytes]:
    """The inputs that once broke a parser."""
    return [path.read_bytes() for path in sorted((HERE / "regressions" / name).glob("*"))]


def _load(module: str) -> ModuleType:
    name = f"fuzz_targets_{module}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "targets" / f"{module}.py")
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[name] = loaded
        spec.loader.exec_module(loaded)
    return sys.modules[name]
