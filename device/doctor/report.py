"""What the doctor found, as it is printed with `--json`: one `Report`, whose schema is in docs/doctor.md.

Readers ignore fields that they do not know. Nothing here is personal data.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from drivers.driver import Fact
from wire.texts import LANGUAGES, text

SCHEMA_VERSION: Final = 1

FoundKind = Literal["serial", "usb_printer", "usb", "input", "hidraw", "gpio", "sound", "display", "network"]
Confidence = Literal["sure", "likely", "silent"]
"""`sure`: it answered in its own protocol; `likely`: what it is called says so, or its answer fits several
models; `silent`: asked, and nothing came."""
RowState = Literal["ok", "attention", "silent", "in_use", "seen"]
"""`ok`: answers and works; `attention`: a person has something to do; `silent`: asked without an answer;
`in_use`: another program holds it, not asked; `seen`: there, nothing to ask."""


class Said(msgspec.Struct, frozen=True):
    """A sentence: a key of the text catalogue and what it is filled with."""

    code: str
    values: dict[str, str] = {}

    def text(self, language: str) -> str:
        return text(self.code, language, **self.values)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The program that has a device open. `agent`: it is the agent of this node."""

    pid: int | None
    name: str
    agent: bool = False


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is plugged in, before it was asked anything.

    `key` is the same in every report while it stays plugged in. `path`: what is opened now; `stable`: the
    name for the profile, the same after a restart. `usb`: "1a86:7523"; `port`: the USB port as the kernel
    names it, "1-1.2"; `driver`: the kernel's driver. `what`: the kind of thing by its number or description;
    `hint`: what to know of it. `skip`: why it is not asked.
    """

    key: str
    kind: FoundKind
    name: str
    path: str | None = None
    stable: str | None = None
    usb: str | None = None
    port: str | None = None
    driver: str | None = None
    what: str | None = None
    hint: dict[str, str] | None = None
    holder: Holder | None = None
    skip: Said | None = None
    facts: dict[str, Fact] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What asking brought. `device`: the class as in messages (ticket_printer …); `driver` and `options`:
    what to write in the profile; `settings`: the line, for people; `code`: what is wrong with the device."""

    confidence: Confidence
    device: str | None = None
    driver: str | None = None
    options: dict[str, Any] = {}
    settings: str = ""
    facts: dict[str, Fact] = {}
    code: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `profile_device`: the device of the profile that it is."""

    found: Found
    answer: Answer | None = None
    state: RowState = "seen"
    todo: tuple[Said, ...] = ()
    profile_device: str | None = None


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the profile that is not there. `where`: its path or address."""

    device: str
    driver: str
    where: str
    todo: tuple[Said, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one time. `status` is the exit status: 0 all well, 1 something is missing or wrong."""

    schema: int = SCHEMA_VERSION
    at: datetime
    machine: str
    profile: str | None
    rows: tuple[Row, ...]
    missing: tuple[Missing, ...]
    status: int


def as_json(report: Report) -> bytes:
    """One line. Every sentence carries its text in every language, for a page without the catalogue."""
    return msgspec.json.encode(with_texts(msgspec.to_builtins(report)))


def with_texts(tree: Any) -> Any:
    """The same with `text = {language: …}` beside every `Said` and fault code of a builtins tree."""
    if isinstance(tree, list | tuple):
        return [with_texts(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    copy = {key: with_texts(value) for key, value in tree.items()}
    code = copy.get("code")
    if isinstance(code, str):
        values = copy.get("values") or {}
        copy["text"] = {language: text(code, language, **values) for language in LANGUAGES}
    return copy


def json_schema() -> dict[str, Any]:
    """JSON Schema of `Report`, as docs/doctor.md prints it (without the texts that `as_json` adds)."""
    return msgspec.json.schema(Report)
