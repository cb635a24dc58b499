"""Everything that can go wrong with a device. One tree; `code` is a key of the text catalogue.

The children that mean a standard error are also that error, so that callers may catch either.
"""

from __future__ import annotations


class DriverError(Exception):
    """Base of all errors of drivers. `code` names the fault for people, e.g. "printer.paper_out"."""

    code = "device.fault"

    def __init__(self, detail: str = "", *, code: str | None = None) -> None:
        super().__init__(detail or code or self.code)
        if code is not None:
            self.code = code


class ConfigError(DriverError, ValueError):
    """A driver's configuration is wrong. `problems` lists all of it, one sentence each."""

    code = "config.wrong"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class LineLostError(DriverError, ConnectionError):
    """The line to the device is gone: unplugged, refused, reset. The supervisor opens it again."""

    code = "device.unplugged"


class NoAnswerError(DriverError, TimeoutError):
    """The line is open and the device does not answer in time."""

    code = "device.no_answer"


class WriteStalledError(DriverError, TimeoutError):
    """The device stopped taking bytes. `written` bytes were taken by the kernel before."""

    code = "device.write_stalled"

    def __init__(self, written: int, total: int) -> None:
        super().__init__(f"stalled after {written} of {total} bytes")
        self.written = written
        self.total = total


class FrameError(DriverError, ValueError):
    """Bytes that are no frame of the device's protocol."""

    code = "device.bad_frame"


class FrameChecksumError(FrameError):
    """A whole frame with a wrong checksum."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"checksum {got:#x}, expected {expected:#x}")
        self.expected = expected
        self.got = got


class RefusedError(DriverError):
    """The device answered that it will not do it. `reply` is its code."""

    code = "device.refused"

    def __init__(self, detail: str, reply: int) -> None:
        super().__init__(detail)
        self.reply = reply
