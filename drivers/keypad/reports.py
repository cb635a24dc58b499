"""Reports of raw HID keypads, described by a format: bytes only, no I/O.

A report says which keys are down now. Two kinds::

    kind = "bits"     each key is a bit:          keys = { "0.0" = "next", "0.1" = "recall" }   byte.bit
    kind = "codes"    bytes hold codes of keys:   keys = { "1E" = "1", "1F" = "2" }             as the boot
                      codes_at = [2, 7]           keyboard: modifiers, 00, six codes (HID 1.11, appendix B)

`size` is the bytes of an input report without its number. Outputs are those of `outputs`, each one a report.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from drivers.errors import FrameError
from drivers.keypad.outputs import OutputFormat

MAX_REPORT: Final = 64
Place = Annotated[int, msgspec.Meta(ge=0, lt=MAX_REPORT)]


class ReportFormat(OutputFormat, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A raw HID keypad's reports. `codes_at`: the first and last byte that hold codes."""

    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_REPORT)]
    kind: Literal["bits", "codes"]
    keys: Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=64)]
    codes_at: tuple[Place, Place] | None = None

    def __post_init__(self) -> None:
        problems = self.output_problems(self.key_names)
        if self.kind == "bits":
            wrong = [place for place in self.keys if not _is_bit(place, self.size)]
            if wrong:
                problems.append(f"no bits of the report (byte.bit): {', '.join(wrong)}")
        else:
            wrong = [code for code in self.keys if not re.fullmatch(r"[0-9A-Fa-f]{2}", code) or code == "00"]
            if wrong:
                problems.append(f"no codes in hex: {', '.join(wrong)}")
            if self.codes_at is None or not self.codes_at[0] <= self.codes_at[1] < self.size:
                problems.append("codes_at must be the first and last byte of the report that hold codes")
        if len({place.upper() for place in self.keys}) != len(self.keys):
            problems.append("two keys have the same code")
        if not all(self.keys.values()):
            problems.append("every key needs a name")
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def key_names(self) -> frozenset[str]:
        return frozenset(self.keys.values())


def _is_bit(place: str, size: int) -> bool:
    match = re.fullmatch(r"(\d{1,2})\.([0-7])", place)
    return match is not None and int(match[1]) < size


class ReportReader:
    """Reports → the keys that are down."""

    def __init__(self, format: ReportFormat) -> None:
        self._size = format.size
        self._first, self._last = format.codes_at or (0, 0)
        self._bits: list[tuple[int, int, str]] = []
        self._codes: dict[int, str] = {}
        for place, key in format.keys.items():
            if format.kind == "bits":
                byte, _, bit = place.partition(".")
                self._bits.append((int(byte), int(bit), key))
            else:
                self._codes[int(place, 16)] = key

    def keys(self, report: bytes) -> frozenset[str]:
        """Raises FrameError for what is no report of this size."""
        if len(report) != self._size:
            raise FrameError(f"{len(report)} bytes, not {self._size}")
        if self._bits:
            return frozenset(key for byte, bit, key in self._bits if report[byte] >> bit & 1)
        codes = report[self._first : self._last + 1]
        return frozenset(self._codes[code] for code in codes if code in self._codes)

    def split(self, data: bytes) -> list[bytes]:
        """What one read gave: the kernel gives one report, a fake's line may give several.

        Raises FrameError when that is no whole number of reports.
        """
        if not data or len(data) % self._size:
            raise FrameError(f"{len(data)} bytes, not {self._size}")
        return [data[at : at + self._size] for at in range(0, len(data), self._size)]
