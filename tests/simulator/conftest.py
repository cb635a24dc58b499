"""A hall on this machine, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator.hall_site import HallSite


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[HallSite]:
    """A whole hall, ready, all devices well."""
    hall = HallSite(tmp_path / "hall")
    try:
        await hall.start()
        await hall.wait_ready()
        await hall.wait_devices()
        yield hall
    finally:
        await hall.stop()
