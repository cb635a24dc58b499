"""Shared fixtures of the printer's tests; the bench itself is in `printing_bench`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages

from printing_bench import Bench, bench_of

from drivers.ticket_printer.layout_file import load_layout

settings.register_profile("loaded machine", deadline=None)
settings.load_profile("loaded machine")


_loaded = lru_cache(load_layout)


@pytest.fixture(autouse=True)
def one_template_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of printers are opened here, and each would read and check the same file."""
    monkeypatch.setattr("drivers.ticket_printer.proved_printer.load_layout", _loaded)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A bench whose printer is well and tidy, its paper empty."""
    async with bench_of(start_slip=False) as bench:
        await bench.ready()
        yield bench
