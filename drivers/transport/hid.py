"""A kernel input device (/dev/input/event…), read as it is, grabbed so that no one else sees its keys.

EVIOCGRAB is `_IOW('E', 0x90, int)` of <linux/input.h>, EVIOCGKEY `_IOC(_IOC_READ, 'E', 0x18, size)`; the grab
ends when the descriptor is closed. A path that is no input device (a fake's pty) is read without either.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
from typing import Final

import msgspec

from drivers.errors import DriverError
from drivers.transport.descriptor import DescriptorTransport

log = logging.getLogger(__name__)

_EVIOCGRAB: Final = 0x40044590
_KEY_BYTES: Final = 0x300 // 8
_EVIOCGKEY: Final = 2 << 30 | _KEY_BYTES << 16 | ord("E") << 8 | 0x18
_INPUT_MAJOR: Final = 13


class HidConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hid"):
    """`path` should be a stable name (/dev/paihao/… by udev), never event0."""

    path: str
    grab: bool = True


class HidTransport(DescriptorTransport):
    """Reads only: writing to it fails with LineLostError."""

    def __init__(self, config: HidConfig) -> None:
        super().__init__()
        self._config = config

    @property
    def name(self) -> str:
        return self._config.path

    def held(self) -> set[int]:
        """Codes of the keys that are down now; none for what is no input device."""
        try:
            bits = fcntl.ioctl(self._descriptor(), _EVIOCGKEY, bytes(_KEY_BYTES))
        except OSError as error:
            log.debug("%s: held keys: %s", self.name, error)
            return set()
        return {code for code in range(8 * _KEY_BYTES) if bits[code // 8] >> code % 8 & 1}

    async def _open(self) -> int:
        fd = os.open(self._config.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            mode = os.fstat(fd).st_mode
            if not stat.S_ISCHR(mode) and not stat.S_ISFIFO(mode):
                raise DriverError(f"{self.name} is no input device", code="keypad.not_a_keypad")
            if self._config.grab:
                self._grab(fd)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _grab(self, fd: int) -> None:
        status = os.fstat(fd)
        if not stat.S_ISCHR(status.st_mode) or os.major(status.st_rdev) != _INPUT_MAJOR:
            log.debug("%s is no input device: not grabbed", self.name)
            return
        try:
            fcntl.ioctl(fd, _EVIOCGRAB, 1)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise DriverError(f"{self.name} is held by another program", code="keypad.grabbed") from error
            raise
