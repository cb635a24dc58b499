"""Protocols that are described in TOML: keypads, raw HID pads, lights. One reader for all of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

F = TypeVar("F", bound=msgspec.Struct)


def read_format(kind: type[F], name: str, what: str, shipped: Path | None = None) -> F:
    """The format of `kind` in the file `name` (ends in .toml), else the one of that name in the folder
    `shipped`.

    Raises ValueError for one that does not exist or is wrong; `what` names it to people: "keypad format".
    """
    file = Path(name)
    if shipped is not None and not name.endswith(".toml"):
        file = shipped / f"{name}.toml"
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), kind)
    except OSError as error:
        raise ValueError(f"no {what} {name!r}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ValueError(f"{what} {name!r}: {error}") from error
