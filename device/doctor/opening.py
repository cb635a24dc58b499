"""Why a device file does not open, tried in a thread of its own.

The kernel may keep an open waiting, when an adapter has hung itself up: that must not stop the other answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import threading
from typing import Final

OPEN_S: Final = 6.0
"""A healthy adapter opens in far less; a hung one is given up by the kernel after 5 s for each message."""
HELD: Final = "doctor.test_held"
_CODES: Final = {
    errno.EBUSY: HELD,
    errno.EWOULDBLOCK: HELD,
    errno.EACCES: "doctor.open_no_right",
    errno.EPERM: "doctor.open_no_right",
}
_trying: dict[str, threading.Thread] = {}
"""One for each path at most; what hangs stays until the kernel lets go of it."""


async def hindrance(path: str) -> str | None:
    """The code of what keeps `path` from being opened; None when it opens, or for another fault, which
    the transport tells by itself. Takes no longer than `OPEN_S`."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[str | None] = loop.create_future()

    def told(code: str | None) -> None:
        if not opened.done():
            opened.set_result(code)

    def try_it() -> None:
        code = _blocking_try(path)
        _trying.pop(path, None)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(told, code)

    if path in _trying:
        return "doctor.open_hangs"
    _trying[path] = thread = threading.Thread(target=try_it, name=f"open {path}", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(OPEN_S):
            return await opened
    except TimeoutError:
        return "doctor.open_hangs"


def _blocking_try(path: str) -> str | None:
    try:
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        return _CODES.get(error.errno or 0)
    try:
        if os.isatty(fd):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as the drivers lock a port
    except OSError as error:
        return _CODES.get(error.errno or 0)
    finally:
        os.close(fd)
    return None
