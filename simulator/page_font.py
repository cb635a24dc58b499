"""A font with Chinese characters for browsers on machines that have none: one face out of Noto's collection.

Browsers take the first face of an OpenType collection, which is the Japanese one. Here the table directory
of the Simplified Chinese face is written out as a font of its own (OpenType 1.9, "Font Collections"). A
browser asks for it only when its machine has none of the usual Chinese fonts.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import Final

FACE: Final = b"N\0o\0t\0o\0 \0S\0a\0n\0s\0 \0C\0J\0K\0 \0S\0C"
"""Its full name in UTF-16, as it stands in the `name` table without the first zero."""


@lru_cache(maxsize=1)
def simplified_chinese() -> bytes | None:
    """The font, about 15 MB; None when the collection is not installed or has no such face."""
    try:
        from noto_cjk_sans_otc import FONT_PATH
    except ImportError:
        return None
    return face(Path(FONT_PATH).read_bytes(), FACE)


def face(collection: bytes, name: bytes) -> bytes | None:
    """The first font of an OpenType collection whose `name` table has these bytes."""
    if collection[:4] != b"ttcf":
        return None
    (count,) = struct.unpack_from(">I", collection, 8)
    for start in struct.unpack_from(f">{count}I", collection, 12):
        tables = _tables(collection, start)
        _, offset, length = next(entry[1:] for entry in tables if entry[0] == b"name")
        if name in collection[offset : offset + length]:
            return _font(collection, start, tables)
    return None


def _tables(collection: bytes, start: int) -> list[tuple[bytes, int, int, int]]:
    """Tag, checksum, offset and length of each table of the font at `start`."""
    (count,) = struct.unpack_from(">H", collection, start + 4)
    return [struct.unpack_from(">4sIII", collection, start + 12 + 16 * index) for index in range(count)]


def _font(collection: bytes, start: int, tables: list[tuple[bytes, int, int, int]]) -> bytes:
    head = collection[start : start + 12]
    directory, body = b"", bytearray()
    at = 12 + 16 * len(tables)
    for tag, checksum, offset, length in tables:
        directory += struct.pack(">4sIII", tag, checksum, at + len(body), length)
        body += collection[offset : offset + length]
        body += bytes(-len(body) % 4)
    return head + directory + bytes(body)
