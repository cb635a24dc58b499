"""Where the C library puts the pixels of pictures."""

from __future__ import annotations

import ctypes
import logging
from typing import Final

log = logging.getLogger(__name__)

LARGE: Final = 512 * 1024
"""Bytes. Above it are pictures from files, what is made of them on the way, and the largest lines of text."""
_M_MMAP_THRESHOLD: Final = -3


def large_blocks_apart() -> None:
    """A block of `LARGE` bytes gets pages of its own, which go back to the system when it is freed.

    Left alone, glibc puts all but the first few between the small ones (mallopt(3): its threshold follows
    what is freed, up to 32 MiB), and the holes that they leave there are never given back.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # not glibc
    if not mallopt(_M_MMAP_THRESHOLD, LARGE):
        log.warning("mallopt was refused: memory may grow more than it must")
