"""Short sounds that answer a touch, made here and not read from files.

A thread of its own opens the loudspeaker when there is something to play and closes it soon after: an open
one would wake the program forty times a second, and the voice may want the same.
"""

from __future__ import annotations

import array
import logging
import os
import queue
import threading
import time
from math import exp, pi, sin
from pathlib import Path
from typing import Final, Literal, TypeAlias

log = logging.getLogger(__name__)

Sound: TypeAlias = Literal["touch", "ok", "error"]

RATE: Final = 22050
CLOSE_S: Final = 1.0
"""The loudspeaker is let go when so long nothing was played."""
AGAIN_S: Final = 60.0
"""A loudspeaker that could not be opened is tried again after so long."""
KEPT: Final = 4
"""Sounds that wait; more are dropped: they would come too late to answer a touch."""

# Each note: pitch in Hz, seconds, how fast it fades (per second).
NOTES: Final[dict[Sound, tuple[tuple[float, float, float], ...]]] = {
    "touch": ((1250.0, 0.03, 120.0),),
    "ok": ((880.0, 0.09, 12.0), (1318.5, 0.16, 14.0)),
    "error": ((392.0, 0.14, 6.0), (311.1, 0.22, 8.0)),
}


class Sounds:
    """`play` returns at once. `volume` 0 to 100; at 0, or without a loudspeaker, nothing is ever opened."""

    def __init__(self, volume: int) -> None:
        self._volume = volume
        self._wanted: queue.Queue[Sound | None] = queue.Queue(KEPT)
        self._thread: threading.Thread | None = None
        self._not_before = 0.0

    def start(self) -> None:
        if self._volume > 0 and loudspeaker():
            self._thread = threading.Thread(target=self._run, name="sounds", daemon=True)
            self._thread.start()

    def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            while True:
                try:
                    self._wanted.put_nowait(None)
                    break
                except queue.Full:
                    self._wanted.get_nowait()
            thread.join(2)

    def play(self, sound: Sound) -> None:
        if self._thread is not None:
            try:
                self._wanted.put_nowait(sound)
            except queue.Full:
                log.debug("sound %s is too late", sound)

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        import pygame

        mixer = pygame.mixer
        while True:
            try:
                sound = self._wanted.get(timeout=CLOSE_S if mixer.get_init() else None)
            except queue.Empty:
                mixer.quit()
                continue
            if sound is None:
                mixer.quit()
                return
            if time.monotonic() < self._not_before:
                continue
            try:
                if not mixer.get_init():
                    mixer.init(RATE, -16, 1, 512)
                mixer.Sound(buffer=samples(sound, self._volume)).play()
            except pygame.error as error:
                log.warning("no sound: %s", error)
                self._not_before = time.monotonic() + AGAIN_S


def samples(sound: Sound, volume: int) -> bytes:
    """16-bit samples of one channel at `RATE`, its byte order the machine's."""
    made = array.array("h")
    loudness = 32767 * 0.8 * (volume / 100) ** 2  # the ear hears ratios
    for pitch, seconds, fading in NOTES[sound]:
        count = int(seconds * RATE)
        for n in range(count):
            t = n / RATE
            edge = min(1.0, n / 60, (count - n) / 120)  # an edge would crack
            made.append(int(loudness * edge * exp(-fading * t) * sin(2 * pi * pitch * t)))
    return made.tobytes()


def loudspeaker() -> bool:
    """Whether the system has one, or was told what to play on."""
    if os.environ.get("SDL_AUDIODRIVER"):
        return True
    try:
        return any(
            name.name.startswith("pcm") and name.name.endswith("p") for name in Path("/dev/snd").iterdir()
        )
    except OSError:
        return False
