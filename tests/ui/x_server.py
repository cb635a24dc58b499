"""A real X server for tests: its screen as a file of pixels, and fingers by its XTEST extension.

X11 protocol, "Requests"; X Test Extension Protocol 2.2, "XTestFakeInput". Numbers little-endian.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Final

import pygame

MOTION, PRESS, RELEASE = 6, 4, 5
_XWD_WORDS: Final = 25


class XServer:
    """Xvfb of one screen; `name` is for DISPLAY."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._size = size
        self._pixels = folder / "Xvfb_screen0"
        read, write = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp",
             "-fbdir", str(folder)],
            pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read, "rb") as told:
            number = told.readline().decode().strip()
        self.name = f":{number}"
        self._line = self._connected(f"/tmp/.X11-unix/X{number}")
        self._test = self._extension(b"XTEST")

    def _connected(self, path: str) -> socket.socket:
        """It tells its number a little before it wants anybody."""
        end = time.monotonic() + 20
        while True:
            line = self._line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(path)
                line.sendall(struct.pack("<BxHHHHxx", 0x6C, 11, 0, 0, 0))
                status, extra = struct.unpack("<BxHHH", self._read(8))[::3]
                self._read(extra * 4)
                assert status == 1, "the X server wants nobody"
                return line
            except OSError:
                line.close()
                assert time.monotonic() < end, "the X server does not answer"
                time.sleep(0.05)

    def close(self) -> None:
        self._line.close()
        self._server.terminate()
        self._server.wait()

    def touch(self, x: int, y: int) -> None:
        """A short press there."""
        self.finger(MOTION, 0, x, y)
        self.finger(PRESS, 1)
        time.sleep(0.03)  # a finger is not lifted in no time
        self.finger(RELEASE, 1)

    def picture(self) -> pygame.Surface:
        """What the screen shows now."""
        data = self._pixels.read_bytes()
        words = struct.unpack(f">{_XWD_WORDS}I", data[: 4 * _XWD_WORDS])
        start, colours, line = words[0], words[19], words[12]
        start += colours * 12
        wide, high = self._size
        whole = pygame.image.frombuffer(data[start : start + line * high], (line // 4, high), "BGRA")
        # Its fourth byte says nothing: without it.
        opaque = pygame.image.frombytes(pygame.image.tobytes(whole, "RGB"), whole.get_size(), "RGB")
        return opaque.subsurface((0, 0, wide, high))

    def finger(self, what: int, detail: int, x: int = 0, y: int = 0) -> None:
        """One event: MOTION (detail 0) to a place, PRESS or RELEASE of button `detail`."""
        self._line.sendall(
            struct.pack("<BBHBBxxIIxxxxxxxxhhxxxxxxxx", self._test, 2, 9, what, detail, 0, 0, x, y)
        )

    def _extension(self, name: bytes) -> int:
        padded = name + bytes(-len(name) % 4)
        self._line.sendall(struct.pack("<BxHHxx", 98, 2 + len(padded) // 4, len(name)) + padded)
        reply = self._read(32)
        assert reply[8], f"no extension {name.decode()}"
        return reply[9]

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self._line.recv(length - len(data))
            assert more, "the X server has gone"
            data += more
        return data
