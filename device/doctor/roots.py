"""Where the kernel shows its devices. Another root shows a made-up machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Roots:
    """The three trees that are read. Nothing below them is written."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")

    @classmethod
    def below(cls, folder: Path) -> Roots:
        """A made-up machine in one folder."""
        return cls(folder / "sys", folder / "proc", folder / "dev")


def word(path: Path) -> str:
    """The text of a small file of sysfs; "" where there is none or it may not be read."""
    try:
        return path.read_bytes()[:4096].decode("utf-8", "replace").strip("\0\n ")
    except OSError:
        return ""


def linked(path: Path) -> str:
    """The last part of where a link of sysfs points, e.g. a driver's name; "" where there is none."""
    try:
        return path.readlink().name
    except OSError:
        return ""


def entries(folder: Path) -> list[Path]:
    """What is in a folder, by name with numbers in their order; nothing where there is none."""
    try:
        found = list(folder.iterdir())
    except OSError:
        return []
    return sorted(found, key=lambda path: (len(path.name), path.name))
