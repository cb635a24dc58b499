"""TOML files to typed structs, with every problem found at once.

`msgspec.convert` stops at the first mistake; a technician wants the whole list. `load` and `convert` walk
the struct field by field, collect every mistake with its path (`counter[2].services`) and refuse keys that
nobody reads. What they check is what the types say: ranges and patterns of `Annotated[…, msgspec.Meta]`,
tagged unions by their tag, and `__post_init__` of a struct whose fields are all right.
"""

from __future__ import annotations

import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

MAX_FILE: Final = 1024 * 1024
"""Bytes; a longer file is no configuration."""


class TomlProblems(ValueError):
    """A configuration with mistakes. `problems`: one sentence each, zh-CN · en, with its path in front."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: str | Path, type: type[T]) -> T:
    """The file at `path` as `type`. Raises TomlProblems, also for a file that cannot be read."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise TomlProblems([f"{path}: 无法读取 · cannot be read: {error.strerror or error}"]) from error
    if len(raw) > MAX_FILE:
        raise TomlProblems([f"{path}: 文件过大 · {len(raw)} bytes, at most {MAX_FILE}"])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TomlProblems([f"{path}: 第 {line} 行不是 UTF-8 · line {line} is not UTF-8"]) from error
    return loads(text, type)


def loads(text: str, type: type[T]) -> T:
    """TOML text as `type`. Raises TomlProblems."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TomlProblems([f"不是有效的 TOML · not valid TOML: {error}"]) from error
    return convert(data, type)


def convert(data: object, type: type[T], path: str = "") -> T:
    """`data` (as TOML gives it) as `type`; `path` stands before each problem. Raises TomlProblems."""
    problems: list[str] = []
    value = _convert(data, type, path, problems)
    if problems:
        raise TomlProblems(problems)
    return typing.cast(T, value)


def _convert(data: object, type_: Any, path: str, problems: list[str]) -> object:
    """The converted value; meaningless when something was added to `problems`."""
    kind = _plain(type_)
    if (struct := _struct_for(kind, data, path, problems)) is not None:
        return _struct(data, struct, path, problems)
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (list, tuple, set, frozenset) and isinstance(data, list) and _has_struct(arguments):
        inner = arguments[0]
        if origin is not tuple or (len(arguments) == 2 and arguments[1] is Ellipsis):
            before = len(problems)
            items = [_convert(item, inner, f"{path}[{n}]", problems) for n, item in enumerate(data)]
            return _leaf_length(data, items, origin, type_, path, problems, before)
    if origin is dict and isinstance(data, dict) and (_has_struct(arguments) or _is_tuple(arguments[1])):
        return {
            _leaf(key, arguments[0], _join(path, key), problems): _convert(
                value, arguments[1], _join(path, key), problems
            )
            for key, value in data.items()
        }
    return _leaf(data, type_, path, problems)


def _plain(type_: Any) -> Any:
    """The type without Annotated."""
    while typing.get_origin(type_) is typing.Annotated:
        type_ = typing.get_args(type_)[0]
    return type_


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _has_struct(arguments: tuple[Any, ...]) -> bool:
    return any(_is_struct(_plain(a)) or _has_struct(typing.get_args(_plain(a))) for a in arguments)


def _is_tuple(type_: Any) -> bool:
    return typing.get_origin(_plain(type_)) is tuple


def _struct_for(kind: Any, data: object, path: str, problems: list[str]) -> Any:
    """The struct that `data` should become, chosen by its tag in a union; None where there is none."""
    if _is_struct(kind):
        return kind
    if typing.get_origin(kind) not in (typing.Union, types.UnionType) or not isinstance(data, dict):
        return None
    structs = [_plain(a) for a in typing.get_args(kind) if _is_struct(_plain(a))]
    if len(structs) == 1:
        return structs[0]
    tags = {s.__struct_config__.tag: s for s in structs}
    fields = {s.__struct_config__.tag_field for s in structs}
    if len(fields) != 1 or len(tags) != len(structs):
        return None
    (field,) = fields
    return tags.get(data.get(field)) if isinstance(data.get(field), str | int) else None


def _struct(data: object, struct: Any, path: str, problems: list[str]) -> object:
    if not isinstance(data, dict):
        problems.append(f"{path or '(file)'}: 应为一个表 · a table is expected, got {_kind(data)}")
        return None
    before = len(problems)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    config = struct.__struct_config__
    known = [*fields] + ([config.tag_field] if config.tag_field else [])
    values: dict[str, object] = {}
    for key, value in data.items():
        if key in fields:
            values[fields[key].name] = _convert(value, fields[key].type, _join(path, key), problems)
        elif key != config.tag_field:
            problems.append(
                f"{_join(path, key)}: 没有这个键 · unknown key; known are {', '.join(sorted(known))}"
            )
        elif value != config.tag:
            problems.append(f"{_join(path, key)}: 应为 · expected {config.tag!r}")
    for name, field in fields.items():
        if field.required and name not in data:
            problems.append(f"{_join(path, name)}: 缺少这个键 · this key is missing")
    if len(problems) > before:
        return None
    try:
        return struct(**values)
    except (ValueError, TypeError) as error:
        problems.append(f"{path or '(file)'}: 值不对 · {error}")
        return None


def _leaf_length(
    data: list[object],
    items: list[object],
    origin: Any,
    type_: Any,
    path: str,
    problems: list[str],
    before: int,
) -> object:
    """A sequence of structs: its length limits (`Meta`) are checked on plain values."""
    if len(problems) > before:
        return None
    metas = typing.get_args(type_)[1:] if typing.get_origin(type_) is typing.Annotated else ()
    for meta in metas:
        if isinstance(meta, msgspec.Meta):
            _leaf(data, typing.Annotated[list[Any], meta], path, problems)
    return origin(items)


def _leaf(data: object, type_: Any, path: str, problems: list[str]) -> object:
    try:
        return msgspec.convert(data, type_, strict=True)
    except msgspec.ValidationError as error:
        problems.append(f"{path or '(file)'}: 值不对 · {error}")
        return None


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _kind(data: object) -> str:
    names = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(data), type(data).__name__)
