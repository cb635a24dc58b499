"""The kinds of loudspeaker of the contract suite, each with its far end and its faults."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

from drivers.voice.fake import FakeLoudspeaker, _look_into

CARD: Final = " 1 [Device         ]: USB-Audio - USB Audio Device\n"
HDMI: Final = " 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi\n"

_PLAYER: Final = """#!/bin/sh
cd {folder}
echo "$*" > arguments
if [ -e busy ]; then echo "aplay: main:831: audio open error: Device or resource busy" >&2; exit 1; fi
if [ -e gone ]; then echo "aplay: main:831: audio open error: No such file or directory" >&2; exit 1; fi
if [ -e stuck ]; then : > playing; exec sleep 600; fi
cat > sound
: > playing
left=$(( $(wc -c < sound) / 22050 + 1 ))
if [ -e slow ]; then left=$(( 10 * left )); fi
while [ $left -gt 0 ]; do
    if [ -e gone ]; then rm playing; echo "aplay: pcm_write:2127: write error: No such device" >&2; exit 1; fi
    if [ -e swallow ]; then left=0; fi
    sleep 0.05; left=$(( left - 1 ))
done
rm playing
mv sound "heard-$(date +%s%N).wav"
"""


class WayOut(ABC):
    """One loudspeaker: `output` are the options. `can` names the faults that it can have."""

    can: tuple[str, ...] = ("unplug",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    @abstractmethod
    def output(self) -> dict[str, Any]: ...

    async def start(self) -> None:
        """Plugged in and well."""

    async def stop(self) -> None:
        """The end of it."""

    @abstractmethod
    async def unplug(self) -> None: ...

    @abstractmethod
    async def plug(self) -> None: ...

    @abstractmethod
    def playing(self) -> bool: ...

    @abstractmethod
    def heard(self) -> list[str]:
        """The words of what was played to its end."""

    def slowly(self) -> None:
        """Play as fast as time from now on, so that something can happen in the middle."""

    def hurt(self, fault: str) -> None:
        """Begin a fault of `can` other than "unplug"."""

    def mend(self) -> None:
        """End all of those."""


class Player(WayOut):
    """A program on PATH; a fake one, 10 times as fast as time until `slowly`."""

    can = ("unplug", "stuck", "busy")
    program = "player"

    async def start(self) -> None:
        script = self.folder / self.program
        script.write_text(_PLAYER.format(folder=self.folder))
        script.chmod(0o755)
        os.environ["PATH"] = f"{self.folder}:{os.environ['PATH']}"

    @property
    def output(self) -> dict[str, Any]:
        return {"type": "command", "argv": [self.program, "-q", "-"]}

    async def unplug(self) -> None:
        (self.folder / "gone").touch()
        (self.folder / self.program).chmod(0o644)

    async def plug(self) -> None:
        (self.folder / "gone").unlink(missing_ok=True)
        (self.folder / self.program).chmod(0o755)

    def playing(self) -> bool:
        return (self.folder / "playing").exists()

    def heard(self) -> list[str]:
        files = sorted(self.folder.glob("heard-*.wav"))
        return [found[0] for found in map(_look_into, (file.read_bytes() for file in files)) if found]

    def slowly(self) -> None:
        (self.folder / "slow").touch()

    def hurt(self, fault: str) -> None:
        (self.folder / fault).touch()

    def mend(self) -> None:
        for fault in (*self.can, "playing", "slow"):
            (self.folder / fault).unlink(missing_ok=True)


class Card(Player):
    """A sound card of ALSA: a fake aplay, and /proc/asound as the kernel writes it."""

    can = ("unplug", "stuck", "busy", "swallow")
    program = "aplay"

    @property
    def output(self) -> dict[str, Any]:
        return {"type": "alsa", "device": "plughw:CARD=Device,DEV=0"}

    @property
    def proc(self) -> Path:
        return self.folder / "proc"

    async def start(self) -> None:
        await super().start()
        for card, device in (("card0", "pcm0p"), ("card1", "pcm0c"), ("card1", "pcm0p")):
            (self.proc / card / device).mkdir(parents=True)
        await self.plug()

    async def unplug(self) -> None:
        (self.folder / "gone").touch()
        (self.proc / "cards").write_text(HDMI + "                      vc4-hdmi\n")

    async def plug(self) -> None:
        (self.folder / "gone").unlink(missing_ok=True)
        (self.proc / "cards").write_text(HDMI + "                      vc4-hdmi\n" + CARD + "   USB\n")


class Network(WayOut):
    can = ("unplug", "stuck", "refuses", "dies")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake = FakeLoudspeaker(speed=10)

    @property
    def output(self) -> dict[str, Any]:
        return {"type": "tcp", "host": "127.0.0.1", "port": self.fake.port}

    async def start(self) -> None:
        await self.fake.plug()

    async def stop(self) -> None:
        await self.fake.unplug()

    async def unplug(self) -> None:
        await self.fake.unplug()

    async def plug(self) -> None:
        await self.fake.plug()

    def playing(self) -> bool:
        return self.fake.playing is not None

    def heard(self) -> list[str]:
        return [played.text for played in self.fake.played if played.complete]

    def slowly(self) -> None:
        self.fake.speed = 1

    def hurt(self, fault: str) -> None:
        self.fake.speed = 10
        self.fake.silent = fault == "stuck"
        self.fake.refusing = fault == "refuses"
        self.fake.dies_at = 0.4 if fault == "dies" else None

    def mend(self) -> None:
        self.hurt("")


class Files(WayOut):
    """A folder of WAV files, for demonstrations."""

    @property
    def output(self) -> dict[str, Any]:
        return {"type": "wav", "directory": str(self.folder / "said"), "pace": 10.0}

    async def unplug(self) -> None:
        said = self.folder / "said"
        if said.is_dir():
            said.rename(self.folder / "away")
        said.write_text("not a folder")

    async def plug(self) -> None:
        said = self.folder / "said"
        said.unlink(missing_ok=True)
        if (self.folder / "away").exists():
            (self.folder / "away").rename(said)

    def playing(self) -> bool:
        return False

    def heard(self) -> list[str]:
        files = sorted((self.folder / "said").glob("*.wav"))
        return [found[0] for found in map(_look_into, (file.read_bytes() for file in files)) if found]


KINDS: Final[dict[str, type[WayOut]]] = {"card": Card, "player": Player, "network": Network, "files": Files}
FAULTS: Final = [(kind, fault) for kind, way in KINDS.items() for fault in way.can]
