"""Large blocks have pages of their own, also after many have come and gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1 << 20
ASKS = """
import ctypes, sys

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if sys.argv[1] == "apart":
    from ui.heap import large_blocks_apart
    large_blocks_apart()
for size in (4, 8, 16):
    bytearray(size << 20)
before = libc.mallinfo2().hblkhd
held = bytearray(3 << 20), bytearray(1 << 18)
print(libc.mallinfo2().hblkhd - before)
"""


def _apart(way: str) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", ASKS, way], cwd=Path(__file__).parents[2], capture_output=True, text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")},
    )  # fmt: skip
    if "mallinfo2" in ran.stderr:
        pytest.skip("not glibc 2.33 or later")
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


def test_a_large_block_stays_apart_and_a_line_of_text_does_not() -> None:
    assert 3 * MIB <= _apart("apart") < 4 * MIB


def test_left_alone_it_would_lie_between_the_small_ones() -> None:
    """Otherwise nothing of `ui.heap` is needed."""
    assert _apart("alone") == 0
