from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device.agent import Agent
from device.profile import BoardStation, load_profile
from device.stations.board import BoardStationRunner
from drivers.voice.protocol import SpeakResult
from wire.messages import Board, Call, CallReported
from wire.screen_link import BoardShown


@pytest.fixture
async def board(room: Any) -> BoardStationRunner:
    station = BoardStationRunner(BoardStation(id="b", zone="east", voice="voice"), room.node, room.voice)
    room.device("voice", "voice")
    room.add(station)
    return station


def call(room: Any, seconds: float = 30, **more: Any) -> Call:
    fields: dict[str, Any] = {"call": "call-5", "zone": "east", "attempt": 1}
    return Call(
        epoch=1,
        number="A005",
        counter="3",
        counter_name={"zh-CN": "3号窗口"},
        deadline=room.clock.now() + timedelta(seconds=seconds),
        languages=("zh-CN", "en"),
        **(fields | more),
    )


async def test_a_call_of_the_zone_is_said_once_and_reported(room: Any, board: BoardStationRunner) -> None:
    for zone in ("east", "east", "west"):
        board.on_call(call(room, zone=zone))
    assert await room.event(CallReported) == [
        CallReported(call="call-5", device="voice", how="heard", outcome="done")
    ]
    (said,) = room.voice.said
    assert (said.number, said.languages, said.priority) == ("A005", ("zh-CN", "en"), 0)
    board.on_call(call(room, attempt=2))
    await room.event(CallReported, 2)
    assert room.voice.said[1].priority > 0


async def test_a_call_past_its_deadline_is_not_said(room: Any, board: BoardStationRunner) -> None:
    board.on_call(call(room, seconds=-1))
    (reported,) = await room.event(CallReported)
    assert (reported.outcome, room.voice.said) == ("expired", [])


async def test_the_deadline_is_given_in_the_time_that_the_voice_knows(
    room: Any, board: BoardStationRunner, hands: Any
) -> None:
    hands.wall = 0.0
    room.clock.learn(datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
    board.on_call(call(room, seconds=30))
    await room.until(lambda: bool(room.voice.said))
    left = room.voice.said[0].deadline - datetime.now(UTC)
    assert timedelta(seconds=25) < left <= timedelta(seconds=30)


@pytest.mark.parametrize("outcome", ["failed", "expired", "superseded"])
async def test_what_the_voice_really_did_is_reported(
    room: Any, board: BoardStationRunner, outcome: Any
) -> None:
    room.voice.result = SpeakResult(outcome, "voice.queue_full")
    board.on_call(call(room))
    (reported,) = await room.event(CallReported)
    assert (reported.outcome, reported.code) == (outcome, "voice.queue_full")


async def test_a_voice_that_is_missing_is_reported_at_once(room: Any, board: BoardStationRunner) -> None:
    room.device("voice", "voice", "missing", "voice.output_lost")
    board.on_call(call(room))
    (reported,) = await room.event(CallReported)
    assert (reported.outcome, reported.code, room.voice.said) == ("failed", "voice.output_lost", [])


async def test_a_call_before_the_voice_was_ever_there_is_reported(
    room: Any, board: BoardStationRunner
) -> None:
    room.node.devices.clear()
    board.on_call(call(room))
    (reported,) = await room.event(CallReported)
    assert (reported.outcome, reported.code) == ("failed", "device.no_answer")


async def test_the_board_is_marked_when_it_is_old(room: Any, board: BoardStationRunner) -> None:
    room.node.board = Board(epoch=1, rev=1, business_date=date(2026, 11, 20), calls=(), services=())
    room.coordinator()
    board.on_board(room.node.board)
    room.coordinator(online=False)
    assert [m.stale for m in room.screen.of(BoardShown)] == [False, False, True]
    assert board.whole()[0] == BoardShown(board=room.node.board, stale=True, zone="east")


async def test_a_coordinator_that_hangs_makes_the_board_old_within_10_s(
    room: Any, board: BoardStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real, later = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + later)
    room.coordinator()  # the broker stays connected; no heartbeat after this one
    later = 8.9
    await asyncio.sleep(0)
    assert room.screen.of(BoardShown)[-1].stale is False
    later = 9.9
    await room.until(lambda: room.screen.of(BoardShown)[-1].stale)


def test_a_voice_goes_by_the_halls_time(tmp_path: Path) -> None:
    profile = tmp_path / "node.toml"
    profile.write_text(
        f"""
hall = "h"
node = "n"
storage = "{tmp_path}/a.db"
timezone = "Asia/Shanghai"
broker = {{ host = "x" }}
[[device]]
id = "v"
driver = "speaker"
options = {{ output = {{ type = "wav", directory = "{tmp_path}" }} }}
[[station]]
kind = "board"
id = "b"
voice = "v"
"""
    )
    voice: Any = Agent(load_profile(profile)).supervisors["v"].driver
    assert voice.local_time().utcoffset() == timedelta(hours=8)
