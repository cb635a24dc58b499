"""Writes docs/messages.md from the contract itself: `python -m wire.document > docs/messages.md`."""

from __future__ import annotations

import json
import sys
import tomllib
import types
from datetime import date, datetime
from importlib import resources
from inspect import cleandoc
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from wire.codec import MAX_PAYLOAD, encode
from wire.kinds import COMMANDS, EVENTS
from wire.messages import Grade, Id, LocalText, Message, Number
from wire.samples import SAMPLES, TOPIC_IDS
from wire.topics import KINDS, ROOT, topic

WRITERS: Final = {
    name: "node" if name in ("node_state", "node_description", "device_state", "node_event") else "hall"
    for name in KINDS
}
"""Who writes each row of the contract; firmware_config/broker/acl enforces it."""

WITH_WILL: Final = ("coordinator_state", "node_state")

_NAMED_TYPES: Final[list[tuple[object, str]]] = [
    (Id, "id"),
    (Number, "number"),
    (Grade, "1 … 5"),
    (LocalText, "text per language"),
    (str, "text"),
    (int, "integer"),
    (float, "decimal"),
    (bool, "true, false"),
    (bytes, "base64"),
    (date, "date"),
    (datetime, "time"),
    (type(None), "null"),
    (msgspec.Raw, "object"),
]


def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("wire") / "field_meanings.toml").read_text("utf-8"))


def type_name(hint: Any) -> str:
    """A type of the contract in words."""
    for known, name in _NAMED_TYPES:
        if hint == known:
            return name
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(argument) for argument in arguments)
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        key, value = arguments
        return f"{type_name(value)} by {type_name(key)}" if key == Id else "values by name"
    if isinstance(hint, type) and issubclass(hint, Message):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    raise TypeError(f"no words for {hint!r}")


def parts(message: type[Message]) -> list[type[Message]]:
    """Messages that stand inside `message`."""

    def inside(hint: Any) -> list[type[Message]]:
        if isinstance(hint, type) and issubclass(hint, Message):
            return [hint]
        return [found for argument in get_args(hint) for found in inside(argument)]

    return [found for hint in get_type_hints(message, include_extras=True).values() for found in inside(hint)]


def meaning(message: type[Message], field: str) -> str:
    """What a field means. Raises KeyError for one that nobody described."""
    fields = _tables()["fields"]
    return fields.get(f"{message.__name__}.{field}") or fields[field]


def summary(message: type[Message]) -> str:
    """What a message means. Raises KeyError for one that nobody described."""
    own: str | None = message.__dict__.get("__doc__")
    return cleandoc(own) if own else _tables()["messages"][message.__name__]


def _fields(message: type[Message]) -> list[str]:
    hints = get_type_hints(message, include_extras=True)
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for field in msgspec.structs.fields(message):
        if field.required:
            optional = ""
        else:
            default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
            optional = f", default `{json.dumps(default, ensure_ascii=False)}`"
        rows.append(
            f"| `{field.name}` | {type_name(hints[field.name])}{optional} | {meaning(message, field.name)} |"
        )
    return rows


def _example(name: str) -> list[str]:
    value = json.loads(encode(SAMPLES[name]))
    return ["```json", json.dumps(value, ensure_ascii=False, indent=2), "```"]


def _section(title: str, message: type[Message], example: str | None) -> list[str]:
    return [
        f"### {title}",
        "",
        summary(message),
        "",
        *_fields(message),
        "",
        *([*_example(example), ""] if example else []),
    ]


def _topics() -> list[str]:
    rows = ["| topic | writer | retained | expires | message |", "|---|---|---|---|---|"]
    for name, kind in KINDS.items():
        will = ", will" if name in WITH_WILL else ""
        expires = "yes" if kind.expires else "no"
        retained = f"yes{will}" if kind.retained else "no"
        rows.append(
            f"| `{kind.pattern}` | {WRITERS[name]} | {retained} | {expires} | "
            f"[{kind.message.__name__}](#{kind.message.__name__.lower()}) |"
        )
    return rows


def document() -> str:
    """The whole page."""
    text = (resources.files("wire") / "messages.template.md").read_text("utf-8")
    inner: dict[type[Message], None] = {}
    messages: list[str] = []
    for name, kind in KINDS.items():
        ids = {key: value for key, value in TOPIC_IDS.items() if f"{{{key}}}" in kind.pattern}
        messages += _section(kind.message.__name__, kind.message, name if name in SAMPLES else None)
        messages += [f"For example on `{topic('xinan-1', name, **ids)}`.", ""]
        inner |= dict.fromkeys(parts(kind.message))
    kinds = {"events": EVENTS, "commands": COMMANDS}
    bodies = {
        table: [
            line
            for kind_name, body in entries.items()
            for line in _section(f"`{kind_name}`", body, f"{table.removesuffix('s')}/{kind_name}")
        ]
        for table, entries in kinds.items()
    }
    filled = {
        "root": ROOT,
        "max_payload": f"{MAX_PAYLOAD // 1024} KiB",
        "topics": "\n".join(_topics()),
        "messages": "\n".join(messages).rstrip(),
        "parts": "\n".join(line for part in inner for line in _section(part.__name__, part, None)).rstrip(),
        **{table: "\n".join(lines).rstrip() for table, lines in bodies.items()},
    }
    for key, value in filled.items():
        text = text.replace(f"<!-- {key} -->", value)
    return text


if __name__ == "__main__":
    sys.stdout.write(document())
