"""Where the sounds of a call come from: a hall's own recordings, else the synthesiser. Kept once made.

The recordings are a clip pack (`pack`, docs/clip-pack.md). A name of a counter is taken as a whole when the
pack has it, else from its pieces when it has all of them. Every sound that is missing is synthesised and
brought to the loudness of the pack, so that the two do not jump.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from drivers.voice.espeak import Espeak
from drivers.voice.loudness import TARGET_LUFS, levelled
from drivers.voice.pack import Pack
from drivers.voice.reading import VOICES, Reading, Token
from drivers.voice.wav import Clip, chime, joined, silence

log = logging.getLogger(__name__)

CLIP_LIMIT: Final = 512
"""So many sounds are kept besides the pack, each volume for itself; a hall needs about 100 of 20 kB."""
CLIP_BYTES_LIMIT: Final = 16 << 20
"""Of all of these; the sounds of a pack at another volume are among them."""
CHIME: Final = "chime"

_Key = tuple[str, str, int]
"""Language, name of the token, volume."""


class ClipStore:
    """All sounds by language and name. `pack` may be set later, before it is asked."""

    def __init__(self, synthesiser: Espeak, pack: Pack | None = None) -> None:
        self.pack = pack
        self._synthesiser = synthesiser
        self._clips: OrderedDict[_Key, Clip] = OrderedDict()
        self._bytes = 0

    async def prepare(self, tokens: Sequence[tuple[str, Token]]) -> None:
        """Have these sounds ready. Raises SynthesiserError when one is in neither source."""
        missing: dict[str, list[Token]] = {}
        for language, token in tokens:
            if self._kept(language, token, 100) is None:
                missing.setdefault(language, []).append(token)
        target = self.pack.manifest.loudness_lufs if self.pack is not None else TARGET_LUFS
        for language, wanted in missing.items():
            made = await self._synthesiser.clips([token.spoken for token in wanted], VOICES[language])
            for token, clip in zip(wanted, made, strict=True):
                self._keep((language, token.name, 100), await asyncio.to_thread(levelled, clip, target))

    async def spoken(self, reading: Reading, volume: int = 100) -> Clip:
        """The whole of a reading at a volume (per cent). Raises SynthesiserError."""
        await self.prepare([(reading.language, token) for token in reading.tokens])
        parts: list[Clip] = []
        for token in reading.tokens:
            clip = self._kept(reading.language, token, volume)
            if clip is not None:
                parts += (clip, silence(token.pause_s))
        return joined(parts)

    def chime(self, volume: int = 100) -> Clip:
        """The pack's own, else 叮咚."""
        found = self._kept("", Token(CHIME, ""), volume)
        if found is None:
            made = self._keep(("", CHIME, 100), levelled(chime()))
            found = self._kept("", Token(CHIME, ""), volume) or made
        return found

    def _kept(self, language: str, token: Token, volume: int) -> Clip | None:
        key = (language, token.name, volume)
        if key in self._clips:
            self._clips.move_to_end(key)
            return self._clips[key]
        if volume == 100:
            return self._recorded(language, token)
        whole = self._kept(language, token, 100)
        if whole is None:
            return None
        return self._keep(key, whole.scaled(volume / 100))

    def _recorded(self, language: str, token: Token) -> Clip | None:
        """The pack's, whole or from pieces."""
        if self.pack is None:
            return None
        clips = self.pack.clips
        whole = clips.get((language, token.name))
        pieces = [clips.get((language, piece.name)) for piece in token.pieces]
        if whole is not None or not pieces or None in pieces:
            return whole
        return joined(piece for piece in pieces if piece is not None)

    def _keep(self, key: _Key, clip: Clip) -> Clip:
        self._drop(key)
        self._clips[key] = clip
        self._bytes += len(clip.pcm)
        while len(self._clips) > CLIP_LIMIT or self._bytes > CLIP_BYTES_LIMIT:
            self._drop(next(iter(self._clips)))
        return clip

    def _drop(self, key: _Key) -> None:
        if (old := self._clips.pop(key, None)) is not None:
            self._bytes -= len(old.pcm)
