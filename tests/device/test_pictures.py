from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from device.profile import BoardStation
from device.stations import pictures as module
from device.stations.board import BoardStationRunner
from device.stations.pictures import BIGGEST, MOST, NOT_KEPT, Pictures
from wire.screen_link import PlaylistShown
from wire.shown import Picture, Playlist, PlaylistItem


def picture(n: int = 1) -> Picture:
    data = b"\x89PNG synthetic %d" % n
    return Picture(picture=hashlib.sha256(data).hexdigest()[:32], format="png", data=data)


class Hall:
    """The topics `picture/{id}`: gives what is retained to whoever subscribes."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.has: dict[str, Picture] = {}
        self.subscribed: set[str] = set()
        self.given: list[str] = []
        pictures.follow = self.follow

    def put(self, *new: Picture) -> None:
        self.has.update({one.picture: one for one in new})

    def follow(self, picture: str, wanted: bool) -> None:
        (self.subscribed.add if wanted else self.subscribed.discard)(picture)
        if wanted and picture in self.has:
            self.given.append(picture)
            self.pictures.take(self.has[picture])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


@pytest.fixture
async def open_pictures(room: Any, folder: Path) -> AsyncIterator[Any]:
    opened: list[Pictures] = []

    def open_() -> Hall:
        made = Pictures(folder, room.node)

        def changed() -> None:
            for station in room.stations:
                station.on_pictures()

        made.on_change = changed
        opened.append(made)
        room.node.pictures = made
        made.start()
        return Hall(made)

    yield open_
    for made in opened:
        made.stop()


@pytest.fixture
async def hall(open_pictures: Any) -> Hall:
    made: Hall = open_pictures()
    return made


async def test_a_wanted_picture_becomes_a_file(room: Any, hall: Hall, folder: Path) -> None:
    one = picture()
    hall.put(one, picture(2))
    hall.pictures.want("board", [one.picture])
    await room.until(lambda: hall.pictures.file(one.picture) is not None)
    path = Path(hall.pictures.file(one.picture) or "")
    assert path.parent == folder and path.read_bytes() == one.data
    assert folder.stat().st_mode & 0o007 == 0
    # nothing that was not wanted came, and what is there is not followed any more
    assert (hall.given, hall.subscribed) == ([one.picture], set())
    assert hall.pictures.file(picture(2).picture) is None and hall.pictures.file(None) is None


async def test_what_cannot_be_removed_hides_no_picture(room: Any, open_pictures: Any, folder: Path) -> None:
    one = picture()
    (folder / "0-somebodys").mkdir(parents=True)
    (folder / f"{one.picture}.png").write_bytes(one.data)
    hall = open_pictures()
    hall.pictures.want("board", [one.picture])
    await room.until(lambda: hall.pictures.file(one.picture) is not None)
    assert hall.given == [] and (folder / "0-somebodys").is_dir()


async def test_a_picture_that_is_not_what_its_id_says_is_refused(
    room: Any, hall: Hall, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    id = picture(1).picture
    hall.put(Picture(picture=id, format="png", data=picture(2).data))
    hall.pictures.want("board", [id])
    await room.until(lambda: "its data is another one" in caplog.text)
    assert hall.pictures.file(id) is None and not folder.exists()
    assert hall.subscribed == {id}
    hall.put(picture(1))
    hall.pictures.take(hall.has[id])
    await room.until(lambda: hall.pictures.file(id) is not None)


async def test_one_that_is_too_big_is_refused(room: Any, hall: Hall) -> None:
    data = bytes(BIGGEST + 1)
    id = hashlib.sha256(data).hexdigest()[:32]
    hall.pictures.want("board", [id])
    await room.until(lambda: id in hall.subscribed)
    hall.pictures.take(Picture(picture=id, format="png", data=data))
    assert not hall.pictures._writing


async def test_no_more_than_the_first_64_are_asked_for(room: Any, hall: Hall) -> None:
    ids = [picture(n).picture for n in range(MOST + 10)]
    hall.pictures.want("board", ids)
    await room.until(lambda: bool(hall.subscribed))
    assert hall.subscribed == set(ids[:MOST])


async def test_what_nobody_wants_any_more_is_removed(room: Any, hall: Hall, folder: Path) -> None:
    one, two = picture(1), picture(2)
    hall.put(one, two)
    hall.pictures.want("a", [one.picture, two.picture])
    hall.pictures.want("b", [two.picture])
    await room.until(lambda: hall.pictures.file(two.picture) is not None)
    hall.pictures.want("a", [])
    await room.until(lambda: len(list(folder.iterdir())) == 1)
    assert hall.pictures.file(one.picture) is None and hall.pictures.file(two.picture) is not None
    hall.pictures.want("a", [one.picture])
    await room.until(lambda: hall.pictures.file(one.picture) is not None)


async def test_files_outlive_the_agent_and_damaged_ones_do_not(
    room: Any, open_pictures: Any, folder: Path
) -> None:
    one, two = picture(1), picture(2)
    first = open_pictures()
    first.put(one, two)
    first.pictures.want("board", [one.picture, two.picture])
    await room.until(lambda: first.pictures.file(two.picture) is not None and not first.subscribed)
    first.pictures.stop()
    (folder / f"{two.picture}.png").write_bytes(b"half")
    (folder / f"{picture(3).picture}.png.new").write_bytes(b"half")
    again = open_pictures()
    again.pictures.want("board", [one.picture, two.picture])
    await room.until(lambda: again.pictures.file(one.picture) is not None)
    assert [path.name for path in folder.iterdir()] == [f"{one.picture}.png"]
    assert again.subscribed == {two.picture}, "only what is missing is asked for"


async def test_what_an_earlier_process_left_and_nobody_wants_goes(
    room: Any, open_pictures: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STRAYS_S", 0.05)
    folder.mkdir()
    for n in (1, 2):
        (folder / f"{picture(n).picture}.png").write_bytes(picture(n).data)
    hall = open_pictures()
    hall.pictures.want("board", [picture(1).picture])
    await room.until(lambda: len(list(folder.iterdir())) == 1)
    assert hall.pictures.file(picture(1).picture) is not None


async def test_pictures_that_come_together_are_told_once(room: Any, hall: Hall) -> None:
    told: list[int] = []
    hall.pictures.on_change = lambda: told.append(len(hall.pictures._files))
    new = [picture(n) for n in range(30)]
    hall.put(*new)
    hall.pictures.want("board", [one.picture for one in new])
    await room.until(lambda: bool(told) and told[-1] == 30)
    assert len(told) < 30


async def test_a_full_disk_costs_the_picture_only(
    room: Any, hall: Hall, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    faults: list[str | None] = []
    hall.pictures.on_fault = lambda: faults.append(hall.pictures.fault)

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        hall.put(picture())
        hall.pictures.want("board", [picture().picture])
        await room.until(lambda: faults == [NOT_KEPT])
        assert hall.pictures.file(picture().picture) is None and not list(folder.iterdir())
    # there is room again: asked for anew, without anybody doing anything
    await room.until(lambda: hall.pictures.file(picture().picture) is not None)
    assert faults == [NOT_KEPT, None]


# ---------------------------------------------------------------- playlist


def playlist(rev: int = 1, *items: PlaylistItem, epoch: int = 1) -> Playlist:
    return Playlist(epoch=epoch, rev=rev, items=items)


EVERYWHERE = PlaylistItem(item="a", text={"zh-CN": "欢迎"})
EAST = PlaylistItem(item="b", picture=picture().picture, zones=("east",))
WEST = PlaylistItem(item="c", picture=picture(2).picture, zones=("west",))


def board(room: Any, zone: str | None = "east") -> BoardStationRunner:
    return BoardStationRunner(BoardStation(id="b", zone=zone), room.node, None)


def pages(room: Any) -> list[tuple[str, bool]]:
    shown = room.screen.of(PlaylistShown)
    return [(page.item.item, page.file is not None) for page in shown[-1].pages] if shown else []


async def test_a_board_gets_the_pages_of_its_zone_and_their_pictures(room: Any, hall: Hall) -> None:
    station = board(room)
    room.add(station)
    hall.put(picture(), picture(2))
    station.on_retained("playlist", playlist(1, EVERYWHERE, WEST, EAST), {})
    assert pages(room) == [("a", False), ("b", False)]
    await room.until(lambda: pages(room) == [("a", False), ("b", True)])
    assert hall.given == [EAST.picture], "the west's picture is not downloaded"
    station.on_retained("playlist", playlist(1), {})
    assert len(pages(room)) == 2, "not newer"
    station.on_retained("playlist", playlist(2, EVERYWHERE), {})
    assert pages(room) == [("a", False)]
    assert hall.pictures.file(EAST.picture) is None


async def test_a_board_of_the_whole_hall_shows_every_page(room: Any, hall: Hall) -> None:
    station = board(room, None)
    room.add(station)
    station.on_retained("playlist", playlist(1, EVERYWHERE, WEST, EAST), {})
    assert [name for name, _ in pages(room)] == ["a", "c", "b"]


async def test_the_last_playlist_is_there_without_the_hall(room: Any, open_pictures: Any) -> None:
    first, before = board(room), open_pictures()
    before.put(picture())
    first.on_retained("playlist", playlist(7, EAST), {})
    await room.until(lambda: before.pictures.file(EAST.picture) is not None)
    async with asyncio.timeout(5):
        while await room.storage.kept("playlist") is None:
            await asyncio.sleep(0.001)
    before.pictures.stop()
    again = open_pictures()
    station = board(room)
    await station.start()
    await room.until(lambda: again.pictures.file(EAST.picture) is not None)
    shown = [message for message in station.whole() if isinstance(message, PlaylistShown)]
    assert [(p.item.item, p.file is not None) for p in shown[0].pages] == [("b", True)]
    assert not again.subscribed
    # a hall that was set up anew counts from 1: what was kept is of no weight
    station.on_retained("playlist", playlist(1, EVERYWHERE), {})
    assert pages(room) == [("a", False)]
