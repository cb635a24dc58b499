"""A hall on this machine, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from simulator.hall_site import HallSite


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HallSite]:
    """A whole hall, ready, all devices well; every test leaves it so."""
    hall = HallSite(tmp_path_factory.mktemp("site") / "hall")
    try:
        await hall.start()
        await hall.wait_ready()
        await hall.wait_devices()
        yield hall
    finally:
        await hall.stop()
