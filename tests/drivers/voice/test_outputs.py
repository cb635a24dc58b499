"""The ways out: done only when played to the end, lost is said in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.voice import alsa
from drivers.voice.fake import FakeLoudspeaker, _look_into
from drivers.voice.outputs import CommandOutput, TcpOutput, WavOutput, output
from drivers.voice.playing import OutputLostError
from drivers.voice.wav import RATE, Clip, wav_from_clip

SOUND = Clip(b"\x10\x27\xf0\xd8" * (RATE // 10))


async def test_a_player_gets_the_wav_on_its_standard_input(tmp_path: Path) -> None:
    target = tmp_path / "heard.wav"
    player = output(CommandOutput(argv=("sh", "-c", f"cat > {target}")))
    await player.check()
    await player.prepare()
    await player.play(SOUND, "请A005号到3号窗口")
    assert _look_into(target.read_bytes()) == ("请A005号到3号窗口", len(SOUND.pcm) // 2, RATE)


@pytest.mark.parametrize("script", ["cat >/dev/null; exit 1", "exec 0<&-; exit 2", "exec sleep 60"])
async def test_a_player_that_fails_or_hangs_is_lost(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alsa, "PATIENCE_S", 0.1)
    with pytest.raises(OutputLostError) as caught:
        await output(CommandOutput(argv=("sh", "-c", script))).play(SOUND, "")
    assert caught.value.code == "voice.output_lost"


async def test_a_player_that_is_not_installed_is_lost() -> None:
    with pytest.raises(OutputLostError):
        await output(CommandOutput(argv=("no-such-player-here",))).check()


async def test_the_folder_keeps_the_newest_files(tmp_path: Path) -> None:
    sink = output(WavOutput(directory=str(tmp_path / "said"), keep=3, pace=0))
    await sink.prepare()
    for number in range(5):
        await sink.play(SOUND, f"A{number}")
    files = sorted((tmp_path / "said").iterdir())
    texts = [found[0] for found in map(_look_into, (file.read_bytes() for file in files)) if found]
    assert texts == ["A2", "A3", "A4"]


async def test_a_folder_that_cannot_be_written_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputLostError):
        await output(WavOutput(directory=str(tmp_path / "file" / "said"))).prepare()


async def _plain_listener(serve: object) -> tuple[asyncio.Server, TcpOutput]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)  # type: ignore[arg-type]
    return server, TcpOutput(host="127.0.0.1", port=server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "played"),
    [
        (b"PLAYED %d\n" % (len(SOUND.pcm) // 2), True),
        (b"PLAYED 5\n", False),
        (b"", False),
        (b"garbage " * 1000, False),
        (b"PLAYED 99999999999999999999\n", False),
        (b"PLAYED x\n", False),
    ],
)
async def test_what_a_loudspeaker_that_closes_at_once_says_decides(answer: bytes, played: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.write(answer)
        writer.close()

    server, config = await _plain_listener(serve)
    way = output(config)
    await way.prepare()
    if played:
        await way.play(SOUND, "")
    else:
        with pytest.raises(OutputLostError):
            await way.play(SOUND, "")
    server.close()


async def test_a_plain_player_that_closes_in_real_time_has_played() -> None:
    fake = FakeLoudspeaker(acknowledges=False)
    await fake.plug()
    way = output(TcpOutput(host="127.0.0.1", port=fake.port))
    await way.prepare()
    await way.play(SOUND, "")
    assert fake.count == 1
    await fake.unplug()


async def test_nobody_listening_is_lost() -> None:
    fake = FakeLoudspeaker()
    await fake.plug()
    await fake.unplug()
    with pytest.raises(OutputLostError):
        await output(TcpOutput(host="127.0.0.1", port=fake.port)).check()


async def test_the_fake_takes_bytes_one_by_one_and_counts_two_at_once() -> None:
    fake = FakeLoudspeaker(speed=5)
    await fake.plug()
    wav = wav_from_clip(Clip(SOUND.pcm[:2000]), "一个一个")

    async def send(step: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
        for at in range(0, len(wav), step):
            writer.write(wav[at : at + step])
            await writer.drain()
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    assert await send(1) == b"PLAYED 1000\n"
    assert fake.overlaps == 0
    await asyncio.gather(send(5000), send(5000))
    assert fake.overlaps == 1
    assert [played.text for played in fake.played] == ["一个一个"] * 3
    await fake.unplug()


@pytest.mark.parametrize("junk", [b"", b"RIFF", bytes(5000), wav_from_clip(SOUND, "x")[:-3]])
async def test_the_fake_plays_no_junk(junk: bytes) -> None:
    fake = FakeLoudspeaker()
    await fake.plug()
    reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
    writer.write(junk)
    writer.write_eof()
    assert await reader.read() == b""
    assert not fake.played
    writer.close()
    await fake.unplug()
