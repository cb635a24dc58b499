"""What screens show besides the queue, read whole at the start: guides, playlist, photos, reasons of ratings.

Texts stand in hall.toml and in the folder of guides; pictures are files beside it. `load` reads all of it and
collects every mistake; nothing is read again while the coordinator runs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from hall.guides import LoadedGuides, load_guides
from hall.languages import missing_languages
from hall.pictures import PHOTO_SIDE, SIDE, PictureError, publishable
from hall.queue.policy import Span, Weekday
from wire.messages import Grade, Id, LocalText
from wire.shown import Guide, GuideTitle, Picture, PlaylistItem, RatingReason, RatingReasons

if TYPE_CHECKING:
    from hall.config import HallConfig


GUIDES: Final = "guides"
"""The folder of guides, where hall.toml names no other."""


MAX_PAGES: Final = 60
"""Pictures of the playlist: every node with a display keeps them; a start takes half a second for each, five
times as long on a busy machine."""
MAX_PHOTOS: Final = 300


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ReasonsTable(_Table, frozen=True, kw_only=True):
    """`version` grows whenever a reason is added, changed or taken away: ratings keep it."""

    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class ReasonRow(_Table, frozen=True, kw_only=True):
    """A tag under a grade; `grades` are those under which it is offered."""

    id: Id
    text: LocalText
    grades: Annotated[tuple[Grade, ...], msgspec.Meta(min_length=1, max_length=5)]


class PlaylistRow(_Table, frozen=True, kw_only=True):
    """A page of the playlist: a text, a picture (a file beside hall.toml), or both. As in `PlaylistItem`."""

    item: Id
    text: LocalText = {}
    picture: str = ""
    seconds: Annotated[float, msgspec.Meta(ge=2, le=3600)] = 12.0
    first: date | None = None
    last: date | None = None
    weekdays: tuple[Weekday, ...] = ()
    times: tuple[Span, ...] = ()
    zones: tuple[Id, ...] = ()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`photos`: clerk → picture. `pictures`: every one that a page or a photo names, once."""

    guides: tuple[Guide, ...] = ()
    titles: tuple[GuideTitle, ...] = ()
    playlist: tuple[PlaylistItem, ...] = ()
    pictures: tuple[Picture, ...] = ()
    photos: dict[str, str] = {}
    reasons: RatingReasons | None = None


def load(config: HallConfig, folder: Path) -> tuple[Shown, list[str]]:
    """All of it, and what is wrong with the files; what is wrong is left out.

    Paths of `config` are below `folder`, where hall.toml lies.
    """
    problems: list[str] = []
    pictures: dict[str, Picture] = {}

    def reader(side: int, most: int) -> Callable[[str, str], str | None]:
        """Reads each file once, at most so many; None for what cannot be shown."""
        done: dict[Path, str | None] = {}

        def picture(path: str, at: str) -> str | None:
            file = folder / path
            if file not in done:
                done[file] = None
                if len(done) > most:
                    problems.append(f"{at}: 图片过多 · more than {most} pictures")
                    return None
                try:
                    made = publishable(file, side)
                except PictureError as error:
                    problems.append(f"{at}: {path}: {error}")
                else:
                    pictures[made.picture] = made
                    done[file] = made.picture
            return done[file]

        return picture

    page = reader(SIDE, MAX_PAGES)
    items = [_item(row, n, page) for n, row in enumerate(config.playlist)]
    items = [item for item in items if item.text or item.picture]
    photo = reader(PHOTO_SIDE, MAX_PHOTOS)
    # A face that the hall does not show is not even read.
    faces = config.clerks if config.hall.show_clerks == "photo" else ()
    photos = {
        clerk.id: face
        for n, clerk in enumerate(faces)
        if clerk.photo and (face := photo(clerk.photo, f"clerk[{n}].photo")) is not None
    }
    guides = LoadedGuides()
    at = folder / config.hall.guides
    if config.hall.guides and (config.hall.guides != GUIDES or at.is_dir()):
        guides, wrong = load_guides(at, {s.id for s in config.services})
        problems += wrong
    return (
        Shown(
            guides=guides.guides,
            titles=guides.titles,
            playlist=tuple(items),
            pictures=tuple(pictures.values()),
            photos=photos,
            reasons=_reasons(config),
        ),
        problems,
    )


def _item(row: PlaylistRow, n: int, picture: Callable[[str, str], str | None]) -> PlaylistItem:
    return PlaylistItem(
        item=row.item,
        text=row.text,
        picture=picture(row.picture, f"playlist[{n}].picture") if row.picture else None,
        seconds=row.seconds,
        first=row.first,
        last=row.last,
        weekdays=row.weekdays,
        times=row.times,
        zones=row.zones,
    )


def _reasons(config: HallConfig) -> RatingReasons | None:
    if config.rating_reasons is None:
        return None
    return RatingReasons(
        version=config.rating_reasons.version,
        reasons=tuple(
            RatingReason(reason=row.id, text=row.text, grades=tuple(sorted(set(row.grades))))
            for row in config.reasons
        ),
    )


def check(config: HallConfig) -> list[str]:
    """What is wrong in hall.toml itself."""
    problems: list[str] = []
    zones = {zone.id for zone in config.zones}
    for n, row in enumerate(config.playlist):
        at = f"playlist[{n}]"
        if not row.text and not row.picture:
            problems.append(f"{at}: 没有文字也没有图片 · neither text nor picture")
        if row.text:
            problems += missing_languages([(f"{at}.text", row.text)])
        if row.first and row.last and row.first > row.last:
            problems.append(f"{at}: first 晚于 last · first is after last")
        problems += [
            f"{at}.zones: 不存在 · there is no zone {zone!r}" for zone in row.zones if zone not in zones
        ]
    problems += missing_languages(
        (f"rating_reason[{n}].text", reason.text) for n, reason in enumerate(config.reasons)
    )
    if bool(config.reasons) != (config.rating_reasons is not None):
        problems.append(
            "rating_reasons: version 和 [[rating_reason]] 须同时有 · a version and reasons go together"
        )
    return problems
