"""A clip pack: the recordings of a hall, trimmed and at one loudness, with a manifest. docs/clip-pack.md.

A folder, or the same in a zip file: `pack.toml`, one folder per language, WAV files of 16-bit mono at `RATE`.
Nothing in a pack is believed: sizes are bounded, names cannot leave it, every file has its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

import msgspec

from drivers.errors import DriverError
from drivers.voice.loudness import TARGET_LUFS
from drivers.voice.wav import RATE, Clip, WavError, clip_from_wav

MANIFEST: Final = "pack.toml"
FORMAT: Final = 1
CLIPS: Final = 2000
"""Clips of one pack; a hall needs about 100."""
CLIP_BYTES: Final = 1 << 20
"""Of one file: 23 s."""
PACK_BYTES: Final = 32 << 20
"""Of all files that are kept in memory."""
MANIFEST_BYTES: Final = 1 << 20

Language = Literal["zh-CN", "en", ""]
"""A language, or none: the chime."""
Text = Annotated[str, msgspec.Meta(max_length=400)]
Decibel = Annotated[float, msgspec.Meta(ge=-120, le=20)]


class PackError(DriverError, ValueError):
    """A pack, or a part of it, cannot be used."""

    code = "voice.bad_pack"


class PackClip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sound. `token` as in `reading`; `words`: what is said; `source`: who said it.

    `seconds`, `loudness_lufs`, `peak_db` are measured after building, the `recorded_…` before.
    """

    language: Language
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    file: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    words: Text
    seconds: Annotated[float, msgspec.Meta(ge=0, le=60)]
    loudness_lufs: Decibel
    peak_db: Decibel
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    source: Text = ""
    recorded_seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    recorded_loudness_lufs: Decibel = -120.0


class PackManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of pack.toml. `consent`: how the speaker agreed; `say`: as in a speaker's options."""

    format: Literal[1]
    name: Text
    made: Text
    rate: Literal[22050]
    loudness_lufs: Annotated[float, msgspec.Meta(ge=-40, le=-6)] = TARGET_LUFS
    source: Text = ""
    licence: Text = ""
    consent: Text = ""
    say: Annotated[dict[str, str], msgspec.Meta(max_length=CLIPS)] = {}
    clip: Annotated[tuple[PackClip, ...], msgspec.Meta(max_length=CLIPS)] = ()

    @property
    def languages(self) -> list[str]:
        return sorted({clip.language for clip in self.clip if clip.language})

    def to_bytes(self) -> bytes:
        """As TOML. A string of JSON is one of TOML, too."""
        values = msgspec.to_builtins(self)
        clips, say = values.pop("clip"), values.pop("say")
        lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
        lines += ["", "[say]", *(f"{_toml(key)} = {_toml(value)}" for key, value in say.items())]
        for clip in clips:
            lines += ["", "[[clip]]", *(f"{key} = {_toml(value)}" for key, value in clip.items())]
        return ("\n".join(lines) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> PackManifest:
        """Raises PackError."""
        if len(data) > MANIFEST_BYTES:
            raise PackError(f"{MANIFEST}: more than {MANIFEST_BYTES} bytes")
        try:
            return msgspec.convert(tomllib.loads(data.decode("utf-8")), cls)
        except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, of a field
            raise PackError(f"{MANIFEST}: {error}") from error


@dataclass(frozen=True, slots=True)
class Pack:
    """What can be used of a pack. `problems`: one sentence for each clip that cannot."""

    manifest: PackManifest
    clips: dict[tuple[str, str], Clip] = field(repr=False)
    problems: tuple[str, ...] = ()


def blocking_stamp(path: Path) -> tuple[int, ...] | None:
    """Changes when the pack is replaced (the manifest is written last); None: there is none."""
    try:
        status = (path / MANIFEST if path.is_dir() else path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def blocking_load(path: Path) -> Pack:
    """Read a pack whole. Raises PackError when nothing of it can be used."""
    with _opened(path) as read:
        manifest = PackManifest.from_bytes(read(MANIFEST, MANIFEST_BYTES))
        clips: dict[tuple[str, str], Clip] = {}
        problems: list[str] = []
        total = 0
        for entry in manifest.clip:
            try:
                data = read(entry.file, CLIP_BYTES)
                total += len(data)
                if total > PACK_BYTES:
                    raise PackError(f"more than {PACK_BYTES} bytes in all")
                clips[entry.language, entry.token] = _clip(entry, data)
            except (PackError, WavError) as error:
                problems.append(f"{entry.file}: {error}")
    return Pack(manifest, clips, tuple(problems))


def _clip(entry: PackClip, data: bytes) -> Clip:
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise PackError("changed since the pack was built")
    form = (1).to_bytes(2, "little") * 2 + RATE.to_bytes(4, "little")
    if data[12:16] != b"fmt " or data[20:28] != form or data[34:36] != b"\x10\0":
        raise PackError(f"not 16 bits, {RATE} Hz, mono")
    clip = clip_from_wav(data)
    if not clip.trimmed().pcm:
        raise PackError("nothing is heard in it")  # a call would lack a digit
    return clip


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[str, int], bytes]]:
    """Reads one file of a pack by its name, at most so many bytes. Raises PackError."""
    if path.is_dir():
        yield lambda name, most: _from_folder(path, name, most)
        return
    if not path.is_file():
        raise PackError(f"{path}: no file and no folder")
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # zipfile has no base of its errors, and a spoilt file raises many
        raise PackError(f"{path}: {error}") from error
    with archive:
        yield lambda name, most: _from_zip(archive, name, most)


def _from_folder(folder: Path, name: str, most: int) -> bytes:
    _inside(name)
    try:
        if not (folder / name).is_file():
            raise PackError(f"{name}: no such file")  # or one that is read for ever
        with (folder / name).open("rb") as file:
            return _bounded(file.read(most + 1), most)
    except (OSError, ValueError) as error:
        raise PackError(str(error)) from error


def _from_zip(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    _inside(name)
    try:
        with archive.open(name) as file:
            return _bounded(file.read(most + 1), most)
    except PackError:
        raise
    except Exception as error:  # as above
        raise PackError(f"{name}: {error}") from error


def _inside(name: str) -> None:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in parts:
        raise PackError(f"{name!r} is not inside the pack")


def _bounded(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise PackError(f"more than {most} bytes")
    return data


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
