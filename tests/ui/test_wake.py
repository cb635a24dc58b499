"""A sleeping program: woken by its bell and by the window's handles, never spinning."""

from __future__ import annotations

import os
import threading
import time

from ui.sounds import NOTES, RATE, Sounds, samples
from ui.wake import DEAF, Wake
from wire.texts import available, text


def test_a_ring_ends_the_sleep_also_one_that_came_before_it() -> None:
    wake = Wake()
    wake.ring()
    wake.sleep(60)
    threading.Timer(0.01, wake.ring).start()
    wake.sleep(60)
    wake.sleep(0)
    wake.close()
    wake.ring()


def test_a_handle_that_can_be_read_ends_it_and_one_that_is_gone_is_left() -> None:
    wake = Wake()
    read, write = os.pipe()
    wake.watch(frozenset({read}))
    assert wake.watches
    os.write(write, b"x")
    wake.sleep(60)
    os.read(read, 1)
    wake.looked(events=True)
    os.close(write)
    wake.sleep(60)
    assert not wake.watches
    os.close(read)
    wake.close()


def test_a_handle_that_the_window_does_not_read_cannot_make_it_spin() -> None:
    wake = Wake()
    read, write = os.pipe()
    os.write(write, b"x")
    wake.watch(frozenset({read}))
    for _ in range(DEAF):
        wake.sleep(60)
        wake.looked(events=False)
    assert not wake.watches
    begun = time.monotonic()
    wake.sleep(0.05)
    assert time.monotonic() - begun >= 0.04
    for handle in (read, write):
        os.close(handle)
    wake.close()


def test_sounds_are_short_and_as_loud_as_is_said() -> None:
    for name, notes in NOTES.items():
        made = samples(name, 100)
        assert len(made) == 2 * sum(int(seconds * RATE) for _, seconds, _ in notes) < RATE * 2
        loud = max(abs(value) for value in memoryview(made).cast("h"))
        quiet = max(abs(value) for value in memoryview(samples(name, 30)).cast("h"))
        assert 32767 >= loud > 5 * quiet > 0


def test_silence_starts_nothing() -> None:
    sounds = Sounds(0)
    sounds.start()
    for _ in range(100):
        sounds.play("ok")
    sounds.close()
    assert "sounds" not in {thread.name for thread in threading.enumerate()}


def test_playing_never_waits() -> None:
    """With SDL's own stand-in for a loudspeaker: more sounds than can be played are dropped."""
    os.environ["SDL_AUDIODRIVER"] = "dummy"
    sounds = Sounds(40)
    sounds.start()
    try:
        for _ in range(100):
            sounds.play("touch")
    finally:
        sounds.close()
        del os.environ["SDL_AUDIODRIVER"]
    assert "sounds" not in {thread.name for thread in threading.enumerate()}


def test_languages_name_themselves() -> None:
    assert list(available().items())[:2] == [("zh-CN", "中文"), ("en", "English")]
    assert text("language.own_name", "en") == "English"
