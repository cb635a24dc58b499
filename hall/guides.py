"""Guides (办事指南): one TOML file per matter, in a folder beside hall.toml, named for its id.

    name = { zh-CN = "居民身份证补领", en = "Replacing a lost identity card" }
    services = ["id-card"]
    conditions = [{ zh-CN = "…", en = "…" }]
    steps = [ … ]
    [[material]]
    name = { … }

All files are checked whole and every mistake of every file is told.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import msgspec

from hall import pinyin
from hall.languages import missing_languages
from wire.checked_toml import TomlProblems
from wire.checked_toml import load as load_toml
from wire.codec import encode
from wire.messages import Id, LocalText
from wire.shown import Guide, GuideMaterial, GuideTitle

MAX_BYTES: Final = 200 * 1024
"""Of one guide as it is published, and of the list of all."""
MAX_GUIDES: Final = 500

_NAME = re.compile(r"[a-z0-9-]{1,64}")


class Material(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to bring. `copies`: how many to leave; `original` False: a copy is enough."""

    name: LocalText
    note: LocalText = {}
    original: bool = True
    copies: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0


class GuideFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file. `initials`: where those made of the Chinese name are wrong."""

    name: LocalText
    services: tuple[Id, ...] = ()
    keywords: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=24)], ...] = ()
    initials: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,64}\Z")] | None = None
    conditions: tuple[LocalText, ...] = ()
    materials: tuple[Material, ...] = msgspec.field(name="material", default=())
    steps: tuple[LocalText, ...] = ()
    time_limit: LocalText = {}
    fee: LocalText = {}
    basis: LocalText = {}
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""


class LoadedGuides(msgspec.Struct, frozen=True):
    guides: tuple[Guide, ...] = ()
    titles: tuple[GuideTitle, ...] = ()


def load_guides(folder: Path, services: set[str]) -> tuple[LoadedGuides, list[str]]:
    """The guides in `folder`, in the order of their files' names, and every mistake."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        why = error.strerror or type(error).__name__
        return LoadedGuides(), [f"hall.guides: {folder}: 无法读取 · cannot be read: {why}"]
    if len(files) > MAX_GUIDES:
        return LoadedGuides(), [f"hall.guides: {len(files)} 个文件 · files, at most {MAX_GUIDES}"]
    problems: list[str] = []
    guides: list[Guide] = []
    titles: list[GuideTitle] = []
    for path in files:
        at = f"{folder.name}/{path.name}"
        try:
            file = load_toml(path, GuideFile)
        except TomlProblems as error:
            problems += [p if p.startswith(str(path)) else f"{at}: {p}" for p in error.problems]
            continue
        wrong = _check(path.stem, file, services)
        if not wrong:
            guide, title = _guide(path.stem, file)
            size = len(encode(guide))
            if size > MAX_BYTES:
                wrong = [f"太长 · {size} bytes, at most {MAX_BYTES}"]
            else:
                guides.append(guide)
                titles.append(title)
        problems += [f"{at}: {problem}" for problem in wrong]
    size = sum(len(encode(title)) for title in titles)
    if size > MAX_BYTES:
        problems.append(f"hall.guides: 目录太长 · the list has {size} bytes, at most {MAX_BYTES}")
    return LoadedGuides(tuple(guides), tuple(titles)), problems


def _guide(id_: str, file: GuideFile) -> tuple[Guide, GuideTitle]:
    title = GuideTitle(
        guide=id_,
        name=file.name,
        services=file.services,
        initials=file.initials or pinyin.initials_of(file.name),
        keywords=pinyin.keywords(file.keywords),
    )
    guide = Guide(
        guide=id_,
        name=file.name,
        services=file.services,
        conditions=file.conditions,
        materials=tuple(
            GuideMaterial(name=m.name, note=m.note, original=m.original, copies=m.copies)
            for m in file.materials
        ),
        steps=file.steps,
        time_limit=file.time_limit,
        fee=file.fee,
        basis=file.basis,
        phone=file.phone,
    )
    return guide, title


def _check(id_: str, file: GuideFile, services: set[str]) -> list[str]:
    problems: list[str] = []
    if not _NAME.fullmatch(id_):
        problems.append("文件名只能用 a-z 0-9 - · the file's name may only have a-z, 0-9 and -")
    problems += [
        f"services: 不存在 · there is no service {service!r}"
        for service in file.services
        if service not in services
    ]
    named: list[tuple[str, LocalText]] = [("name", file.name)]
    for field in ("conditions", "steps"):
        named += [(f"{field}[{n}]", text) for n, text in enumerate(getattr(file, field))]
    for n, material in enumerate(file.materials):
        named.append((f"material[{n}].name", material.name))
        if material.note:
            named.append((f"material[{n}].note", material.note))
    for field in ("time_limit", "fee", "basis"):
        if getattr(file, field):
            named.append((field, getattr(file, field)))
    problems += missing_languages(named)
    if not file.materials and not file.steps:
        problems.append("没有材料也没有步骤 · neither material nor steps")
    return problems
