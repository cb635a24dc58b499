"""The other end of the Acme strip, as a program of its own: `python -m acme_led.fake --pty PATH`.

Says what it shows: `shows TEXT`, one line for each change.
"""

from __future__ import annotations

import sys

from acme_led.frames import Command, Question
from drivers.errors import FrameError
from drivers.transport.fake import FakeDevice
from drivers.transport.fake_program import run

_LONGEST = 261


class FakeAcmeLed(FakeDevice):
    """`shown`: the text on it. `be_silent` and `speak`: the controller hangs and comes back."""

    actions = ("be_silent", "speak")

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self._silent = False
        self._held = b""

    def be_silent(self) -> None:
        self._silent = True

    def speak(self) -> None:
        self._silent = False

    def received(self, data: bytes) -> None:
        self._held = (self._held + data)[-_LONGEST:]
        while (start := self._held.find(b"\x02")) >= 0:
            self._held = self._held[start:]
            if len(self._held) < 4 or len(self._held) < 6 + self._held[3]:
                return
            frame = self._held[: 6 + self._held[3]]
            try:
                question = Question.from_bytes(frame)
            except FrameError:
                self._held = self._held[1:]
                continue
            self._held = self._held[len(frame) :]
            self._take(question)

    def _take(self, question: Question) -> None:
        if self._silent:
            return
        if question.command is Command.TEXT:
            self.shown = question.text.decode("gb2312", "replace")
            sys.stdout.write(f"shows {self.shown}\n")
            sys.stdout.flush()
            self.changed()
        self.send(bytes((6, question.address)))


if __name__ == "__main__":
    run(FakeAcmeLed)
