"""What goes wrong in the middle of a call: it ends, is told, and the next one is spoken."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.clock import Clock
from drivers.voice import alsa, clips, espeak, outputs, playing, speaker
from drivers.voice.alsa import play_by_program
from drivers.voice.espeak import Espeak, SynthesiserError
from drivers.voice.fake import FakeLoudspeaker
from drivers.voice.outlets import Outlet, Outlets
from drivers.voice.outputs import TcpOutput, output
from drivers.voice.playing import Output, OutputLostError
from drivers.voice.protocol import Announcement, SpeakResult
from drivers.voice.reading import Token
from drivers.voice.volume import VolumeStep
from drivers.voice.wav import Clip, silence

PATIENCE_S = 60.0


def call(number: str = "A005", seconds: float = 60, **more: Any) -> Announcement:
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    fields: dict[str, Any] = {"counter": {"zh-CN": "3号窗口"}, "repeat": 1} | more
    return Announcement(id=number, number=number, deadline=deadline, **fields)


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not met():
            await asyncio.sleep(0.002)


async def test_an_error_that_is_no_loudspeakers_fails_the_call(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench() as b:

        async def broken(*_: Any) -> Clip:
            raise SynthesiserError("gone between preparing and speaking")

        with monkeypatch.context() as during:
            during.setattr(b.voice, "_sound", broken)
            result = await asyncio.wait_for(b.voice.say(call()), PATIENCE_S)
        assert result == SpeakResult("failed", "voice.synthesiser_missing")
        assert await b.said(call("A006")) == ["done"]


async def test_a_pack_that_is_replaced_while_a_call_is_prepared_does_not_change_that_call(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    async with bench() as b:
        await b.said(call())
        prepare = b.voice._outlets.prepare

        async def replaced() -> None:
            await prepare()
            b.voice._store = clips.ClipStore(Espeak())  # a pack without a sound that is wanted

        monkeypatch.setattr(b.voice._outlets, "prepare", replaced)
        assert await b.said(call("A006")) == ["done"]


async def test_a_network_loudspeaker_that_takes_no_bytes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (playing, outputs):
        monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        way = output(TcpOutput(host="127.0.0.1", port=deaf.getsockname()[1]))
        await way.prepare()
        with pytest.raises(OutputLostError):
            await asyncio.wait_for(way.play(silence(300), "words"), PATIENCE_S / 3)


async def test_a_network_loudspeaker_whose_cable_is_pulled_is_missed_within_five_seconds() -> None:
    fake = FakeLoudspeaker()
    await fake.plug()
    way = output(TcpOutput(host="127.0.0.1", port=fake.port))
    await way.prepare()
    connection = way._line[1].get_extra_info("socket")  # type: ignore[attr-defined]
    ask = connection.getsockopt
    tcp = socket.IPPROTO_TCP
    assert ask(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    silent = ask(tcp, socket.TCP_KEEPIDLE) + ask(tcp, socket.TCP_KEEPINTVL) * ask(tcp, socket.TCP_KEEPCNT)
    assert silent <= 5 and 0 < ask(tcp, socket.TCP_USER_TIMEOUT) <= 5000
    await way.close()
    await fake.unplug()


async def test_a_player_that_cannot_be_killed_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that waits inside the kernel for a card that is gone."""
    for module in (playing, alsa):
        monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    monkeypatch.setattr(playing, "KILL_S", 0.05)
    monkeypatch.setattr("os.killpg", lambda *_: None)
    with pytest.raises(OutputLostError):
        await asyncio.wait_for(play_by_program(("sleep", "3"), silence(0.1), ""), 2.5)


async def test_what_a_player_has_started_is_killed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (playing, alsa):
        monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    script = f"(sleep 0.6; touch {tmp_path}/goes-on) & touch {tmp_path}/begun; wait"
    with pytest.raises(OutputLostError):
        await play_by_program(("sh", "-c", script), silence(0.1), "")
    await asyncio.sleep(0.6)
    assert [file.name for file in tmp_path.iterdir()] == ["begun"]


async def test_a_synthesiser_whose_child_holds_its_pipe_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\nsleep 20 &\nsleep 20\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(espeak, "TIME_LIMIT_S", 0.2)
    with pytest.raises(SynthesiserError):
        await asyncio.wait_for(Espeak("program").clips(["A"], "en-us"), 10)


class Stage(Output):
    """A loudspeaker that does as it is told."""

    def __init__(self) -> None:
        self.there = True
        self.asking = 0
        self.most_asking = 0
        self.end = asyncio.Event()

    async def check(self) -> None:
        self.asking += 1
        self.most_asking = max(self.most_asking, self.asking)
        await asyncio.sleep(0.01)
        self.asking -= 1
        await self.prepare()

    async def prepare(self) -> None:
        if not self.there:
            raise OutputLostError("away")

    async def play(self, sound: Clip, text: str) -> None:
        await self.end.wait()
        await self.prepare()

    async def close(self) -> None:
        return


def staged() -> tuple[Stage, Stage, Outlets]:
    first, second = Stage(), Stage()
    pair = Outlets(
        [Outlet("main", first, 100, ()), Outlet("corridor", second, 0, ())], lambda: datetime.min.time()
    )
    return first, second, pair


async def test_one_of_two_that_breaks_off_is_told_while_the_other_still_speaks() -> None:
    first, second, pair = staged()
    pair._all[1]._volume = 50

    async def sound(_: int) -> Clip:
        return silence(0.1)

    playing = asyncio.create_task(pair.play(sound, ""))
    await asyncio.sleep(0.01)
    second.there = False
    second.end.set()
    await until(lambda: pair.lost == {"corridor": "voice.output_lost"})
    assert not playing.done()
    first.end.set()
    assert await playing


async def test_a_loudspeaker_is_not_asked_twice_at_once() -> None:
    first, second, pair = staged()
    second.there = False
    await pair.check()
    await asyncio.gather(pair.check(), pair.find(), pair.find())
    assert first.most_asking == second.most_asking == 1


async def test_nothing_is_loud_when_only_the_muted_one_is_there() -> None:
    first, _, pair = staged()
    assert pair.volume == 100
    first.there = False
    await pair.check()
    assert pair.volume == 0


async def test_a_call_that_waited_for_a_lost_loudspeaker_says_so(bench: Any) -> None:
    async with bench() as b:
        await b.fake.unplug()
        assert await b.voice.say(call(seconds=0.3)) == SpeakResult("expired", "voice.output_lost")


async def test_being_busy_ends_when_nobody_waits(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker, "CHECK_S", 0.02)
    async with bench() as b:
        await b.said(call())
        assert await b.voice.say(call("A006", seconds=-1)) == SpeakResult("expired", "voice.busy")
        await until(lambda: b.voice.health.state == "ok")
        assert b.voice.health.facts["expired"] == 1


async def test_a_synthesiser_that_comes_late_mends_the_state(
    bench: Any, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker, "CHECK_S", 0.02)
    made = Espeak._made
    lame = True

    async def perhaps(self: Espeak, *arguments: Any) -> list[Clip]:
        if lame:
            raise SynthesiserError("the machine is just starting")
        return await made(self, *arguments)

    monkeypatch.setattr(Espeak, "_made", perhaps)
    manifest = pack / "pack.toml"
    entry = manifest.read_text("utf-8").split("[[clip]]")
    manifest.write_text("[[clip]]".join(entry[:-1]), "utf-8")  # one sound is the synthesiser's
    async with bench() as b:
        await until(lambda: b.voice.health.code == "voice.synthesiser_missing")
        lame = False
        await until(lambda: b.voice.health.state == "ok")


async def test_volumes_follow_the_halls_zone(bench: Any) -> None:
    steps = [{"from": "09:00", "volume": 80}, {"from": "21:00", "volume": 20}]
    async with bench(volume_schedule=msgspec.convert(steps, tuple[VolumeStep, ...]), start=False) as b:
        at = datetime(2026, 11, 22, 2, 0, tzinfo=UTC).timestamp()
        for zone, volume in (("Asia/Shanghai", 80), ("America/New_York", 20)):
            b.voice.local_time = Clock(wall=lambda: at).in_zone(zone)
            assert b.voice._outlets.volume == volume


async def test_sounds_that_are_kept_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "CLIP_BYTES_LIMIT", 60_000)

    async def long(self: Espeak, texts: list[str], *_: Any, **__: Any) -> list[Clip]:
        return [silence(0.3) for _ in texts]

    monkeypatch.setattr(Espeak, "clips", long)
    store = clips.ClipStore(Espeak())
    for n in range(50):
        await store.prepare([("zh-CN", Token(f"name_{n}", f"name {n}"))])
    assert sum(len(clip.pcm) for clip in store._clips.values()) <= 60_000
    assert store._bytes == sum(len(clip.pcm) for clip in store._clips.values())
