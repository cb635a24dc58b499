"""Calls for help on the demo's page: two buttons, told to the coordinator over its REST interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from hall.api import Api
from hall.config import load_config
from hall.coordinator import Coordinator
from hall.queue import commands as cmd
from hall.server import ApiServer
from simulator.alarms import AlarmRow, answer_help, fetch_alarms
from simulator.page_bench import alarms
from simulator.words import Words
from wire.texts import LANGUAGES

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Of a coordinator without a broker, at whose kiosk-1 somebody asked for help."""
    config = load_config(SHIPPED)
    hall = msgspec.structs.replace(config.hall, storage=str(tmp_path / "hall.db"))
    coordinator = Coordinator(msgspec.structs.replace(config, hall=hall))
    await coordinator.runtime.start()
    server = ApiServer(Api(coordinator).app, "127.0.0.1", 0)
    await server.start()
    await coordinator.runtime.submit(
        cmd.AskHelp(id="h", at=datetime.now(UTC), node="kiosk-1", station="front")
    )
    yield server.port
    await server.stop()
    await coordinator.runtime.stop()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_call_is_shown_answered_and_ended(port: int, language: str) -> None:
    words = Words(language)
    (row,) = await fetch_alarms(port) or []
    shown = alarms([row], words)
    assert 'data-act="help.answer" data-arg="kiosk-1/front"' in shown
    assert row.about(words) == ""
    await answer_help(port, "kiosk-1/front", "answer")
    (row,) = await fetch_alarms(port) or []
    shown = alarms([row], words)
    assert "help.answer" not in shown and words("help_coming") in shown and "help.done" in shown
    await answer_help(port, "kiosk-1/front", "done")
    assert await fetch_alarms(port) == []


def test_other_alarms_have_no_buttons() -> None:
    assert "data-act" not in alarms([AlarmRow("hall.node_lost", "kiosk-1")], Words("en"))
