"""Values back to TOML, for configurations that were read, changed and are written for a program to read.

The standard library only reads TOML. What `tomllib` gives can be written: tables, arrays, text, numbers,
booleans and dates. Comments are lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any


def toml_text(tables: Mapping[str, Any]) -> str:
    """TOML of `tables`: plain values first, then each table and array of tables under its own heading.

    Raises TypeError for what TOML cannot hold (None among them).
    """
    plain = [f"{_key(key)} = {_value(value)}" for key, value in tables.items() if not _has_heading(value)]
    blocks = ["\n".join(plain)] if plain else []
    for key, value in tables.items():
        if isinstance(value, Mapping):
            blocks.append("\n".join([f"[{_key(key)}]", *_pairs(value)]))
        elif _has_heading(value):
            blocks += ["\n".join([f"[[{_key(key)}]]", *_pairs(table)]) for table in value]
    return "\n\n".join(blocks) + "\n"


def _has_heading(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(key: str) -> str:
    return (
        key
        if key and all(char.isascii() and (char.isalnum() or char in "-_") for char in key)
        else _text(key)
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _text(text: str) -> str:
    # JSON escapes are TOML escapes, except that JSON leaves DEL as it is and writes no surrogates here
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
