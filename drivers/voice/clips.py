"""Where the sounds of a call come from: a hall's own recordings, else the synthesiser. Kept once made.

A clip pack is a folder with one folder per language and one WAV (16-bit PCM) per sound::

    pack/zh-CN/ please.wav  number.wav  to.wav  counter.wav  ten.wav  digit_0.wav … digit_9.wav
                digit_yao.wav  letter_A.wav … letter_Z.wav  name_综合窗口.wav
    pack/en/    ticket.wav  please_go_to.wav  counter.wav  digit_0.wav …  number_12.wav  letter_A.wav …
    pack/chime.wav

请 / 号 / 到 / 号窗口 are please, number, to and counter. A name of a counter is taken as a whole when the
pack has it, else from its pieces when it has all of them. Every sound that is missing is synthesised.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from drivers.voice.espeak import Espeak
from drivers.voice.reading import VOICES, Reading, Token
from drivers.voice.wav import Clip, WavError, clip_from_wav, joined, silence

log = logging.getLogger(__name__)

CLIP_LIMIT: Final = 512
"""So many sounds are kept; a hall needs about 100. At 20 kB each: 2 MB, at most 10."""
CLIP_BYTES_LIMIT: Final = 4 << 20
"""A recording that is longer than this is refused."""


class ClipStore:
    """All sounds by (language, name), trimmed and at the hall's volume. `volume`: 0–100."""

    def __init__(self, synthesiser: Espeak, pack: Path | None = None, volume: int = 100) -> None:
        self._synthesiser = synthesiser
        self._pack = pack
        self._volume = volume / 100
        self._clips: OrderedDict[tuple[str, str], Clip] = OrderedDict()

    async def prepare(self, tokens: Sequence[tuple[str, Token]]) -> None:
        """Have these sounds ready. Raises SynthesiserError when one is in neither source."""
        missing: dict[str, list[Token]] = {}
        for language, token in tokens:
            if self._kept(language, token) is None:
                missing.setdefault(language, []).append(token)
        for language, wanted in missing.items():
            made = await self._synthesiser.clips([token.spoken for token in wanted], VOICES[language])
            for token, clip in zip(wanted, made, strict=True):
                self._keep((language, token.name), clip.scaled(self._volume))

    async def spoken(self, reading: Reading) -> Clip:
        """The whole of a reading. Raises SynthesiserError."""
        await self.prepare([(reading.language, token) for token in reading.tokens])
        parts: list[Clip] = []
        for token in reading.tokens:
            clip = self._kept(reading.language, token)
            if clip is not None:
                parts += (clip, silence(token.pause_s))
        return joined(parts)

    def own(self, name: str) -> Clip | None:
        """A recording of the pack that belongs to no language, such as the chime."""
        return self._clips.get(("", name)) or self._recorded("", name)

    def _kept(self, language: str, token: Token) -> Clip | None:
        key = (language, token.name)
        if key in self._clips:
            self._clips.move_to_end(key)
            return self._clips[key]
        clip = self._recorded(language, token.name)
        if clip is None and token.pieces and self._pack is not None:
            pieces = [
                self._clips.get((language, p.name)) or self._recorded(language, p.name) for p in token.pieces
            ]
            whole = [piece for piece in pieces if piece is not None]
            if len(whole) == len(pieces):
                clip = joined(whole)
                self._keep(key, clip)
        return clip

    def _recorded(self, language: str, name: str) -> Clip | None:
        if self._pack is None or "/" in name or "\0" in name:
            return None
        file = self._pack / language / f"{name}.wav"
        try:
            if file.stat().st_size > CLIP_BYTES_LIMIT:
                raise WavError("too long")
            clip = clip_from_wav(file.read_bytes()).trimmed().scaled(self._volume)
        except FileNotFoundError:
            return None
        except (OSError, WavError) as error:
            log.warning("clip %s of the pack cannot be used: %s", file.name, error)
            return None
        self._keep((language, name), clip)
        return clip

    def _keep(self, key: tuple[str, str], clip: Clip) -> None:
        self._clips[key] = clip
        while len(self._clips) > CLIP_LIMIT:
            self._clips.popitem(last=False)
