from __future__ import annotations

import asyncio
import hashlib
import math
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from drivers.errors import DriverError
from drivers.voice.fake import FakeLoudspeaker
from drivers.voice.outputs import TcpOutput
from drivers.voice.pack import MANIFEST, PackClip, PackManifest
from drivers.voice.protocol import Announcement
from drivers.voice.reading import common_tokens
from drivers.voice.speaker import Speaker, SpeakerConfig
from drivers.voice.wav import RATE, Clip, wav_from_clip

PATIENCE = 60.0

settings.register_profile(
    "drivers", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("drivers")


def tone(seconds: float, hertz: float = 440, rate: int = RATE) -> Clip:
    count = round(seconds * rate)
    return Clip(
        array("h", (int(9000 * math.sin(math.tau * hertz * n / rate)) for n in range(count))).tobytes()
    )


def write_pack(root: Path, clips: dict[tuple[str, str], Clip], **manifest: Any) -> Path:
    """A pack with these clips as they are."""
    entries = []
    for (language, token), clip in clips.items():
        file = root / language / f"{token}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wav_from_clip(clip))
        entries.append(
            PackClip(
                language=language,  # type: ignore[arg-type]
                token=token,
                file=str(file.relative_to(root)),
                words=token,
                seconds=clip.seconds,
                loudness_lufs=-18,
                peak_db=-6,
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            )
        )
    made = PackManifest(format=1, name="test", made="2026-11-22", rate=RATE, clip=tuple(entries), **manifest)
    (root / MANIFEST).write_bytes(made.to_bytes())
    return root


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A clip pack with every sound as a short tone, so that a call takes a few hundred ms."""
    sound = tone(0.03)
    names = {(language, token.name) for language, token in common_tokens(["zh-CN", "en"], "yao")}
    names |= {(language, token.name) for language, token in common_tokens(["zh-CN", "en"], "yi")}
    names |= {("zh-CN", "counter"), ("zh-CN", "ten"), ("en", "counter")}
    names = {name for name in names if name[1] != "name_"}
    return write_pack(tmp_path / "pack", dict.fromkeys(sorted(names), sound))


@dataclass
class Bench:
    fake: FakeLoudspeaker
    voice: Speaker
    errors: list[DriverError] = field(default_factory=list)
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    async def supervise(self) -> None:
        while True:
            try:
                await self.voice.open()
                await self.voice.serve()
            except DriverError as error:
                self.errors.append(error)
                self.failed.set()
            await self.voice.close()
            await asyncio.sleep(0.01)

    async def until(self, true: Callable[[], bool]) -> None:
        """Until the loudspeaker has changed so that it is true."""
        seen = asyncio.Event()
        self.fake.on_change = lambda: seen.set() if true() else None
        if not true():
            await asyncio.wait_for(seen.wait(), PATIENCE)
        self.fake.on_change = None

    async def said(self, *announcements: Announcement) -> list[str]:
        results = await asyncio.wait_for(asyncio.gather(*map(self.voice.say, announcements)), PATIENCE)
        return [result.outcome for result in results]


@pytest.fixture
def bench(pack: Path) -> Any:
    """`async with bench(**config) as b`: a driver, a network loudspeaker, short clips."""

    @asynccontextmanager
    async def make(*, start: bool = True, speed: float = 20.0, **config: Any) -> AsyncIterator[Bench]:
        fake = FakeLoudspeaker(speed=speed)
        await fake.plug()
        settings: dict[str, Any] = {"clip_pack": str(pack), "gap_s": 0.05} | config
        output = TcpOutput(host="127.0.0.1", port=fake.port)
        made = Bench(fake, Speaker(SpeakerConfig(output=output, **settings)))
        task = asyncio.create_task(made.supervise()) if start else None
        try:
            yield made
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await made.voice.close()
            await fake.unplug()

    return make
