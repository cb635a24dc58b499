"""The playlist of one station: kept for a start without the hall, filtered by zone, with its pictures."""

from __future__ import annotations

import logging
from typing import Final

from device.database import StorageError
from device.stations.station import Newest, Node
from wire.codec import BadMessageError, decode, encode
from wire.messages import Message
from wire.screen_link import PlaylistShown, ScreenRole, ShownPicture
from wire.shown import Playlist, PlaylistItem

logger = logging.getLogger(__name__)

KEY: Final = "playlist"
PAGES: Final = 200
"""Pages that a screen gets at most; further ones are dropped."""


class StationPlaylist:
    """For the screens of one role. `zone` None: a station for the whole hall, which shows every page.

    Its station reads the topic `playlist` and hands on `start`, `on_retained` and `on_pictures`.
    """

    topic: Final = ("playlist", dict[str, str]())

    def __init__(self, node: Node, station: str, role: ScreenRole, zone: str | None = None) -> None:
        self._node = node
        self._station = station
        self._role: ScreenRole = role
        self._zone = zone
        self._playlist: Playlist | None = None
        self._newest = Newest()

    async def start(self) -> None:
        """Take up the last playlist. Raises StorageError."""
        if (kept := await self._node.storage.kept(KEY)) is None:
            return
        try:
            self._set(decode(kept, Playlist))
        except BadMessageError as error:
            logger.error("the kept playlist is not readable: %s", error)

    def on_retained(self, message: Message) -> None:
        """Anything but a newer playlist is ignored."""
        if not isinstance(message, Playlist) or not self._newest.newer(message.epoch, message.rev):
            return
        if message != self._playlist:
            self._node.spawn(self._keep(message), "keeping the playlist")
        self._set(message)
        self.on_pictures()

    def on_pictures(self) -> None:
        """A picture came: show it."""
        self._node.show(self._station, self.shown(), self._role)

    def shown(self) -> PlaylistShown:
        """What the screens show now."""
        pictures = self._node.pictures
        return PlaylistShown(
            pages=tuple(
                ShownPicture(item=item, file=pictures.file(item.picture) if pictures is not None else None)
                for item in self._items()
            )
        )

    def _set(self, playlist: Playlist) -> None:
        self._playlist = playlist
        if self._node.pictures is not None:
            wanted = [item.picture for item in self._items() if item.picture is not None]
            self._node.pictures.want(f"{self._station} playlist", wanted)

    def _items(self) -> list[PlaylistItem]:
        items = self._playlist.items if self._playlist is not None else ()
        mine = [i for i in items if self._zone is None or not i.zones or self._zone in i.zones]
        return mine[:PAGES]

    async def _keep(self, playlist: Playlist) -> None:
        try:
            await self._node.storage.keep(KEY, encode(playlist))
        except StorageError as error:
            logger.warning("the playlist is not kept: %s", error)
