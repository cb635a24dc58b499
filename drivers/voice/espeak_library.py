"""espeak-ng as a library in a process of its own: texts on standard input, WAV files on standard output.

::

    python -m drivers.voice.espeak_library VOICE SPEED   < lines of UTF-8   > one WAV per line

For machines without the espeak-ng program: the wheel `espeakng-loader` brings the library and its data.
A crash in C ends this process and not the agent. Its headers are right, so that the files can be parted.

Source: speak_lib.h of espeak-ng 1.52 (synchronous retrieval, callback with samples).
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any, Final

_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_INITIALISE_DONT_EXIT: Final = 0x8000
_POSITION_CHARACTER: Final = 1
_CHARS_UTF8: Final = 1
_PARAMETER_RATE: Final = 1


def _library() -> tuple[Any, int]:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    data_path = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data_path, _INITIALISE_DONT_EXIT)
    return library, rate


def main(arguments: list[str]) -> int:
    voice, speed = arguments
    library, rate = _library()
    if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
        sys.stderr.write(f"no voice {voice}\n")
        return 1
    library.espeak_SetParameter(_PARAMETER_RATE, int(speed), 0)
    samples = bytearray()

    def take(pointer: Any, count: int, _events: Any) -> int:
        if pointer and count > 0:
            samples.extend(ctypes.string_at(pointer, 2 * count))
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    callback = kind(take)  # has to live as long as the library may call it
    library.espeak_SetSynthCallback(callback)
    for line in sys.stdin.buffer.read().splitlines():
        samples.clear()
        text = line + b"\0"
        failed = library.espeak_Synth(text, len(text), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        if failed or library.espeak_Synchronize():
            return 1
        head = struct.pack(
            "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16
        )
        sys.stdout.buffer.write(head + struct.pack("<4sI", b"data", len(samples)) + samples)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
