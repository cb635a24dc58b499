"""Messages of the Internet Printing Protocol, as CUPS and network printers speak it over HTTP. No I/O.

    version 02 00 · operation or status (2) · request (4) · groups … · 03 · document
    group      01 operation, 02 job, 04 printer, then its attributes
    attribute  tag, name length (2), name, value length (2), value; a further value has name length 0

All integers are big-endian. A collection is a row of further values (34 … 4A member … 37), so that reading
them flat loses nothing.

Sources: RFC 8010 (encoding), RFC 8011 (operations, states, status codes), RFC 3998 and PWG 5100.9
(printer-state-reasons).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from drivers.errors import FrameError

VERSION: Final = b"\x02\x00"
ATTRIBUTES_LIMIT: Final = 4096
"""Values in one message; more is no printer's answer."""
_END: Final = 0x03
_FIRST_VALUE_TAG: Final = 0x10


class Operation(IntEnum):
    PRINT_JOB = 0x0002
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class Status(IntEnum):
    """Those that are told apart here; below 0x0100 is success."""

    OK = 0x0000
    NOT_POSSIBLE = 0x0404
    NOT_FOUND = 0x0406


class Tag(IntEnum):
    """Groups and kinds of values."""

    OPERATION = 0x01
    JOB = 0x02
    PRINTER = 0x04
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49


class JobState(IntEnum):
    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its tag and its bytes."""

    tag: int
    data: bytes

    @classmethod
    def text(cls, tag: Tag, text: str) -> Value:
        return cls(tag, text.encode("utf-8"))

    @classmethod
    def integer(cls, number: int) -> Value:
        return cls(Tag.INTEGER, number.to_bytes(4, "big", signed=True))


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and its values, at least one."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Group:
    tag: int
    attributes: tuple[Attribute, ...]

    def texts(self, name: str) -> list[str]:
        """The values of `name` as text; empty when it is not there."""
        return [value.data.decode("utf-8", "replace") for value in self._values(name) if value.data]

    def number(self, name: str) -> int | None:
        """The first value of `name` when it is an integer, an enum or a boolean."""
        for value in self._values(name):
            if value.tag in (Tag.INTEGER, Tag.ENUM) and len(value.data) == 4:
                return int.from_bytes(value.data, "big", signed=True)
            if value.tag == Tag.BOOLEAN and len(value.data) == 1:
                return value.data[0]
        return None

    def _values(self, name: str) -> tuple[Value, ...]:
        return next((each.values for each in self.attributes if each.name == name), ())


@dataclass(frozen=True, slots=True)
class IppMessage:
    """A request (`code` is its operation) or an answer (`code` is its status)."""

    code: int
    request: int
    groups: tuple[Group, ...]
    document: bytes = b""

    @property
    def good(self) -> bool:
        return self.code < 0x0100

    def all(self, tag: Tag) -> list[Group]:
        """The groups of that kind."""
        return [group for group in self.groups if group.tag == tag]

    def to_bytes(self) -> bytes:
        out = bytearray(VERSION + self.code.to_bytes(2, "big") + self.request.to_bytes(4, "big"))
        for group in self.groups:
            out.append(group.tag)
            for attribute in group.attributes:
                name = attribute.name.encode("utf-8")
                for value in attribute.values:
                    out.append(value.tag)
                    out += len(name).to_bytes(2, "big") + name
                    out += len(value.data).to_bytes(2, "big") + value.data
                    name = b""
        out.append(_END)
        return bytes(out) + self.document

    @classmethod
    def from_bytes(cls, data: bytes) -> IppMessage:
        """Raises FrameError for anything that is no whole message."""
        if len(data) < 9 or data[0] not in (1, 2):
            raise FrameError("no IPP message")
        groups: list[tuple[int, list[tuple[str, list[Value]]]]] = []
        at, count = 8, 0
        while True:
            if at >= len(data):
                raise FrameError("an IPP message ends early")
            tag = data[at]
            at += 1
            if tag == _END:
                break
            if tag < _FIRST_VALUE_TAG:
                groups.append((tag, []))
                continue
            name, at = _piece(data, at)
            value, at = _piece(data, at)
            count += 1
            if not groups or count > ATTRIBUTES_LIMIT:
                raise FrameError("an IPP value outside of its group, or too many")
            attributes = groups[-1][1]
            if name:
                try:
                    attributes.append((name.decode("utf-8"), []))
                except UnicodeDecodeError as error:
                    raise FrameError("the name of an IPP attribute is no text") from error
            elif not attributes:
                raise FrameError("a further IPP value with nothing before it")
            attributes[-1][1].append(Value(tag, value))
        return cls(
            int.from_bytes(data[2:4], "big"),
            int.from_bytes(data[4:8], "big"),
            tuple(
                Group(tag, tuple(Attribute(name, tuple(values)) for name, values in attributes))
                for tag, attributes in groups
            ),
            data[at:],
        )


def _piece(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    if at + 2 > len(data) or end > len(data):
        raise FrameError("an IPP message ends early")
    return data[at + 2 : end], end


def request(
    operation: Operation,
    number: int,
    uri: str,
    user: str,
    more: Iterable[Attribute] = (),
    *,
    job: int | None = None,
    document: bytes = b"",
) -> IppMessage:
    """An operation on the printer or queue `uri`, or on its `job`; `more` goes into the operation group."""
    target = () if job is None else (Attribute("job-id", (Value.integer(job),)),)
    attributes = (
        attribute("attributes-charset", Tag.CHARSET, "utf-8"),
        attribute("attributes-natural-language", Tag.LANGUAGE, "en"),
        attribute("printer-uri", Tag.URI, uri),
        *target,
        attribute("requesting-user-name", Tag.NAME, user),
        *more,
    )
    return IppMessage(operation, number, (Group(Tag.OPERATION, attributes),), document)


def attribute(name: str, tag: Tag, *texts: str) -> Attribute:
    return Attribute(name, tuple(Value.text(tag, text) for text in texts))
