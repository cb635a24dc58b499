"""Making a clip pack: from a folder of recordings, or from the synthesiser. docs/clip-pack.md.

The recordings: `SOURCE/zh-CN/please.wav` or `请.wav` …, `SOURCE/chime.wav`, and `SOURCE/recordings.toml` with
`name`, `source`, `licence`, `consent`, `[say]`, all optional. Sounds that were recorded by nobody stay out of
the pack (the synthesiser says them in the hall) unless `fill` is asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Final, get_args

import msgspec

from drivers.voice.cleaning import MARGIN_MS, Cleaned, cleaned
from drivers.voice.espeak import Espeak
from drivers.voice.loudness import TARGET_LUFS
from drivers.voice.pack import CLIPS, FORMAT, MANIFEST, PackClip, PackError, PackManifest
from drivers.voice.reading import VOICES, DigitOne, reading, zh_spoken
from drivers.voice.script import LETTERS, ToRecord, to_record, token_of
from drivers.voice.wav import RATE, Recording, WavError, recording_from_wav, wav_from_clip

RECORDINGS: Final = "recordings.toml"
RECORDING_BYTES: Final = 64 << 20
"""Of one file of the source: ten minutes at most."""
SYNTHESISER: Final = "espeak-ng"


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """recordings.toml: what the manifest says of the recordings."""

    name: str = ""
    source: str = ""
    licence: str = ""
    consent: str = ""
    say: Annotated[dict[str, str], msgspec.Meta(max_length=CLIPS)] = {}


@dataclass(frozen=True, slots=True)
class Made:
    """One clip of the pack to be."""

    row: ToRecord
    cleaned: Cleaned
    source: str


@dataclass(slots=True)
class Built:
    """What was made, what is missing (a reading script), and files that cannot be used, with the reason."""

    about: About
    made: list[Made] = field(default_factory=list)
    missing: list[ToRecord] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Order:
    """How a pack is to be made. `speed`: words a minute of the synthesiser. Others as in `script`."""

    languages: tuple[str, ...] = ("zh-CN", "en")
    counters: int = 20
    names: tuple[str, ...] = ()
    letters: str = LETTERS
    loudness_lufs: float = TARGET_LUFS
    margin_ms: int = MARGIN_MS
    speed: int = 160

    def rows(self) -> list[ToRecord]:
        """All recordings of a whole pack."""
        return [
            row
            for language in self.languages
            for row in to_record(language, counters=self.counters, names=self.names, letters=self.letters)
        ]


def blocking_recorded(source: Path, order: Order) -> Built:
    """Clean every recording of a folder. Raises PackError when there is no such folder."""
    if not source.is_dir():
        raise PackError(f"{source}: no such folder")
    built = Built(_about(source))
    for folder, language in (*((source / language, language) for language in order.languages), (source, "")):
        for file in sorted(folder.glob("*.[wW][aA][vV]")):
            shown = str(file.relative_to(source))
            token = file.stem if language == "" else token_of(language, file.stem)
            if token is None or (language == "" and token != "chime"):
                built.unusable.append((shown, "文件名不是所需录音 · the name is no token"))
                continue
            words = next(
                (row.words for row in order.rows() if row.token == token), token.removeprefix("name_")
            )
            try:
                made = _from_file(
                    file, ToRecord(language, token, words), order, built.about.source or "recorded"
                )
            except (OSError, WavError) as error:
                built.unusable.append((shown, str(error)))
                continue
            if "empty" in made.cleaned.remarks:
                built.unusable.append((shown, "没有声音 · no speech in it"))
            else:
                built.made.append(made)
    there = {(made.row.language, made.row.token) for made in built.made}
    built.missing = [row for row in order.rows() if (row.language, row.token) not in there]
    return built


def _from_file(file: Path, row: ToRecord, order: Order, source: str) -> Made:
    if file.stat().st_size > RECORDING_BYTES:
        raise WavError(f"more than {RECORDING_BYTES} bytes")
    return _made(recording_from_wav(file.read_bytes()), row, order, source)


def _made(recording: Recording, row: ToRecord, order: Order, source: str) -> Made:
    is_name = row.token.startswith("name_") or row.language == ""
    return Made(row, cleaned(recording, order.loudness_lufs, order.margin_ms, name=is_name), source)


async def synthesised(rows: Sequence[ToRecord], order: Order, say: dict[str, str]) -> list[Made]:
    """The same rows from espeak-ng. Raises SynthesiserError."""
    espeak = Espeak(speed=order.speed)
    made = []
    for language in order.languages:
        mine = [row for row in rows if row.language == language]
        spoken = [_spoken(row, say) for row in mine]
        for row, clip in zip(mine, await espeak.clips(spoken, VOICES[language], trim=False), strict=True):
            recording = Recording(clip.floats, RATE, 0)
            made.append(await asyncio.to_thread(_made, recording, row, order, SYNTHESISER))
    return made


def _spoken(row: ToRecord, say: dict[str, str]) -> str:
    """What the synthesiser is given for a row: as in a call, where it comes from the same token."""
    name = row.token.removeprefix("name_") if row.token.startswith("name_") else ""
    counters = (
        (name or "10号窗口",) if row.language == "zh-CN" else (name or f"Counter {row.words}", "Counter 5")
    )
    for digit_one in get_args(DigitOne):
        for counter in counters:
            tokens = reading("0123456789" + LETTERS, counter, row.language, digit_one, say).tokens
            for token in (*tokens, *(piece for whole in tokens for piece in whole.pieces)):
                if token.name == row.token:
                    return token.spoken
    return zh_spoken(row.words, say) if row.language == "zh-CN" else row.words


def blocking_write(built: Built, output: Path, order: Order) -> PackManifest:
    """Write the pack, a folder or a file that ends in .zip; whole or not at all. Raises OSError."""
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as temporary:
        folder = Path(temporary) / "pack"
        entries = [_write_clip(folder, made) for made in built.made]
        manifest = PackManifest(
            format=FORMAT,
            name=built.about.name or output.stem,
            made=date.today().isoformat(),
            rate=RATE,
            loudness_lufs=order.loudness_lufs,
            source=built.about.source,
            licence=built.about.licence,
            consent=built.about.consent,
            say=built.about.say,
            clip=tuple(entries),
        )
        folder.mkdir(exist_ok=True)
        (folder / MANIFEST).write_bytes(manifest.to_bytes())
        if output.suffix == ".zip":
            packed = Path(temporary) / "pack.zip"
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(folder.rglob("*")):
                    archive.write(file, file.relative_to(folder))
            packed.replace(output)
        else:
            if (output / MANIFEST).is_file():
                output.replace(Path(temporary) / "older")
            folder.replace(output)  # fails when that is a folder with something else in it
    return manifest


def _write_clip(folder: Path, made: Made) -> PackClip:
    name = "/".join(part for part in (made.row.language, f"{_safe(made.row.token)}.wav") if part)
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    data = wav_from_clip(made.cleaned.clip)
    file.write_bytes(data)
    before, after = made.cleaned.before, made.cleaned.after
    return PackClip(
        language=made.row.language,  # type: ignore[arg-type]  # one of the languages
        token=made.row.token,
        file=name,
        words=made.row.words,
        seconds=round(after.seconds, 3),
        loudness_lufs=round(after.loudness_lufs, 1),
        peak_db=round(after.peak_db, 1),
        sha256=hashlib.sha256(data).hexdigest(),
        source=made.source,
        recorded_seconds=round(before.seconds, 3),
        recorded_loudness_lufs=round(before.loudness_lufs, 1),
    )


def _safe(token: str) -> str:
    return "".join("_" if character in '/\\:*?"<>|\0' else character for character in token)


def _about(source: Path) -> About:
    file = source / RECORDINGS
    if not file.exists():
        return About()
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), About)
    except (OSError, ValueError) as error:
        raise PackError(f"{file.name}: {error}") from error
