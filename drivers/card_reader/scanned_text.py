r"""What a scanner of bar codes and QR codes sends for one code: bytes on a line → codes. Pure.

::

    prefix | symbology | text in UTF-8 or GB 18030 | suffix | one or more terminators

All of it is set in the scanner by its maker's configuration codes; a scanner comes with no prefix, no suffix
and CR or CR LF behind the text. The symbology, where it is switched on, is an AIM identifier (ISO/IEC
15424: `]`, a letter, a digit) or a maker's own letters.

There is no checksum: a byte that the line changed makes another text. Prefix and suffix find lost bytes at
the ends; what the text means has to be checked by whoever matches it.

Recovery: what is too long is dropped up to the next terminator; what stays without terminator is dropped
after a silence, which the driver tells by `pause`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec

Encoding = Literal["utf-8", "gb18030", "auto", "ascii"]

AIM_SYMBOLOGIES: Final = {
    "A": "code39",
    "C": "code128",
    "E": "ean",
    "F": "codabar",
    "G": "code93",
    "I": "itf",
    "L": "pdf417",
    "M": "msi",
    "Q": "qr",
    "d": "data_matrix",
    "e": "databar",
    "h": "han_xin",
    "z": "aztec",
}
"""AIM code character → symbology."""
_AIM: Final = re.compile(r"\](.)[0-9A-Za-z]")


class TextFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""`terminators`: each of these characters ends a code; "" when silence ends it.

    `prefix`, `suffix`: must stand around each code, and are cut off.
    `encoding`: "auto" takes UTF-8 where the bytes are UTF-8, else GB 18030 (with it GBK and GB 2312).
    `longest`: bytes of one code; what is longer is not read.
    `symbology`: "aim", or none. `symbology_letters`: what the maker puts in front → name, in place of it.
    """

    terminators: Annotated[str, msgspec.Meta(max_length=8)] = "\r\n"
    prefix: Annotated[str, msgspec.Meta(max_length=16)] = ""
    suffix: Annotated[str, msgspec.Meta(max_length=16)] = ""
    encoding: Encoding = "auto"
    longest: Annotated[int, msgspec.Meta(ge=4, le=4096)] = 1024
    symbology: Literal["none", "aim"] = "none"
    symbology_letters: Annotated[dict[str, str], msgspec.Meta(max_length=64)] = {}

    def __post_init__(self) -> None:
        if not (self.terminators + self.prefix + self.suffix).isascii():
            raise ValueError("terminators, prefix and suffix must be ASCII")
        if any(letter in self.prefix + self.suffix for letter in self.terminators):
            raise ValueError("a terminator cannot stand in prefix or suffix")
        if any(not letters or not letters.isascii() for letters in self.symbology_letters):
            raise ValueError("symbology_letters must be ASCII and not empty")


@dataclass(frozen=True, slots=True)
class ScannedText:
    """One code. `text` is None when it could not be read; it is not in `repr`."""

    text: str | None = field(repr=False)
    symbology: str | None = None


class TextSplitter:
    """Pieces of any size → codes. Holds at most `longest` bytes and the ends of one code."""

    def __init__(self, format: TextFormat) -> None:
        self._format = format
        self._ends = frozenset(format.terminators.encode())
        self._limit = format.longest + len(format.prefix) + len(format.suffix) + 8
        self._buffer = bytearray()
        self._too_long = False

    @property
    def waiting(self) -> bool:
        """Part of a code has come."""
        return bool(self._buffer) or self._too_long

    def feed(self, data: bytes) -> list[ScannedText]:
        codes = []
        for byte in data:
            if byte in self._ends:
                codes += self._end()
            elif not byte and not self._buffer:
                continue  # what fills up a HID report
            elif len(self._buffer) < self._limit and not self._too_long:
                self._buffer.append(byte)
            else:
                self._too_long = True
                self._wipe()
        return codes

    def pause(self) -> list[ScannedText]:
        """Nothing has come for a while: the end of a code without terminator, else of a broken one."""
        if not self.waiting:
            return []
        if not self._ends:
            return self._end()
        self.reset()
        return [ScannedText(None)]

    def reset(self) -> None:
        self._wipe()
        self._too_long = False

    def _wipe(self) -> None:
        self._buffer[:] = bytes(len(self._buffer))
        del self._buffer[:]

    def _end(self) -> list[ScannedText]:
        if not self.waiting:
            return []  # LF after CR
        code = ScannedText(None) if self._too_long else read_code(self._buffer, self._format)
        self.reset()
        return [code]


def read_code(data: bytes | bytearray, format: TextFormat) -> ScannedText:
    """One code without its terminator. Never raises: what does not fit has the text None."""
    head, tail = format.prefix.encode(), format.suffix.encode()
    inner = len(data) - len(head) - len(tail)
    if inner < 1 or not data.startswith(head) or not data.endswith(tail):
        return ScannedText(None)
    text = _decoded(data[len(head) : len(data) - len(tail)], format.encoding)
    if text is None:
        return ScannedText(None)
    symbology = None
    if format.symbology_letters:
        letters = max((key for key in format.symbology_letters if text.startswith(key)), key=len, default="")
        if not letters:
            return ScannedText(None)
        text, symbology = text[len(letters) :], format.symbology_letters[letters]
    elif format.symbology == "aim":
        found = _AIM.match(text)
        if found is None:
            return ScannedText(None)
        text, symbology = text[found.end() :], AIM_SYMBOLOGIES.get(found.group(1), "other")
    if not text or len(text.encode("utf-8", "surrogatepass")) > 2 * format.longest:
        return ScannedText(None)
    return ScannedText(text, symbology)


def _decoded(data: bytes | bytearray, encoding: Encoding) -> str | None:
    """None when the bytes are not in the encoding. No exception leaves: it would carry them."""
    for name in ("utf-8", "gb18030") if encoding == "auto" else (encoding,):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        # a scanner sends what stands on paper: NUL and DEL are noise of the line
        return None if any(letter in "\0\x7f" for letter in text) else text
    return None
