"""A fake panel of MAX7219 modules: knows only the words on its SPI bus.

Each chip takes 16 bits, a register and a value, and hands on what it had before: of one transfer the last
word stays in the first chip. Registers 1–8 are the rows of its dots, 9 decoding, A intensity, B the number of
rows, C awake (1) or shut down (0), F the lamp test (data sheet, tables 2 to 10). Awakes shut down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drivers.call_screen.dot_screen import Picture


class FakeMax7219:
    """Stands in for luma's serial interface. `unplugged`: every transfer fails. `power_cycle` darkens it."""

    def __init__(self, *, width: int = 128, height: int = 16) -> None:
        self.width, self.height = width, height
        self.unplugged = False
        self.chips: list[dict[int, int]] = []
        self.transfers = 0
        self.power_cycle()

    def power_cycle(self) -> None:
        self.chips = [{0xC: 0} for _ in range(self.width * self.height // 64)]

    # ------------------------------------------------------------ luma's serial interface

    def data(self, words: Sequence[int]) -> None:
        if self.unplugged:
            raise OSError("no such bus")
        if len(words) != 2 * len(self.chips):
            raise ValueError(f"{len(words)} bytes for {len(self.chips)} chips")
        self.transfers += 1
        pairs = list(zip(words[::2], words[1::2], strict=True))
        for chip, (register, value) in zip(self.chips, reversed(pairs), strict=True):
            if register & 0xF:
                chip[register & 0xF] = value

    def command(self, *words: Any) -> None:
        raise AssertionError("this chip has no commands")

    def cleanup(self) -> None:
        return

    # ------------------------------------------------------------ what people see

    def dots(self) -> list[list[bool]]:
        """Rows from the top. The first chip is at the top left, each column of a chip a digit register."""
        shown = [[False] * self.width for _ in range(self.height)]
        across = self.width // 8
        for n, chip in enumerate(self.chips):
            lit = chip[0xC] & 1 and chip.get(0xB) == 7 and not chip.get(0x9)
            for digit in range(8) if lit else ():
                for bit in range(8):
                    if chip.get(digit + 1, 0) >> bit & 1:
                        shown[n // across * 8 + bit][n % across * 8 + digit] = True
        return shown

    def shows(self, picture: Picture) -> bool:
        return self.dots() == [
            [picture.lit(x, y) for x in range(picture.width)] for y in range(len(picture.rows))
        ]
