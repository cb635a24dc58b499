"""What stands on the broker besides the queue: guides, playlist, pictures and reasons of ratings.

Published when a connection is made. The broker first says what stands there from before: pictures and guides
that stand there already are not sent again to the whole hall, and those that are no longer used are cleared
with an empty payload.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from hall.shown import Shown
from wire.codec import BadMessageError, decode, encode
from wire.messages import Message
from wire.mqtt import Received
from wire.shown import GuideList, Playlist, RatingReasons
from wire.topics import subscription, topic

logger = logging.getLogger(__name__)

SETTLE_S: Final = 1.0
"""After a connection the broker says what it has kept; pictures and guides wait for that."""
MAX_OLD: Final = 5_000
"""Topics from before that are remembered until they are cleared; the rest is cleared at the next start."""

NO_REASONS: Final = RatingReasons(version=0)

Publish = Callable[[str, Message | bytes], Awaitable[bool]]


class Retained:
    """One for the life of the coordinator; `keep` runs once for each connection."""

    def __init__(self, hall: str, shown: Shown) -> None:
        self._hall = hall
        self._shown = shown
        self._wanted: dict[str, tuple[bytes, str]] = {}
        """Topic → payload and its digest."""
        self._stands: dict[str, str] = {}
        """Topic → digest of what the broker has there."""
        self._news = asyncio.Event()
        self._reasons = topic(hall, "rating_reasons")
        self._prefixes = tuple(subscription(hall, name)[:-1] for name in ("guide", "picture"))

    def subscriptions(self) -> list[tuple[str, int]]:
        """What has to be read for it."""
        return [
            (self._reasons, 1),
            (subscription(self._hall, "guide"), 0),
            (subscription(self._hall, "picture"), 0),
        ]

    def small(self, epoch: int) -> list[tuple[str, Message]]:
        """What is published at once, on every connection and for every epoch."""
        shown = self._shown
        return [
            (topic(self._hall, "guides"), GuideList(epoch=epoch, rev=1, guides=shown.titles)),
            (topic(self._hall, "playlist"), Playlist(epoch=epoch, rev=1, items=shown.playlist)),
            # Never cleared: nodes keep the last list that they heard, and would go on offering it.
            (self._reasons, shown.reasons if shown.reasons is not None else NO_REASONS),
        ]

    def heard(self, received: Received) -> bool:
        """Whether the message is about what stands here; what had been kept is then taken note of."""
        if received.topic == self._reasons:
            if received.retained and received.payload:
                self._compare(received.payload)
            return True
        if not received.topic.startswith(self._prefixes):
            return False
        # What is not retained is our own publish, coming back.
        if received.retained and received.payload and len(self._stands) < MAX_OLD:
            self._stands[received.topic] = _digest(received.payload)
            self._news.set()
        return True

    def disconnected(self) -> None:
        """What stands there is said anew on the next connection."""
        self._stands.clear()

    async def keep(self, publish: Publish) -> None:
        """Bring the broker to what is wanted, and keep it there; returns when `publish` fails.

        One message after the other, so that calls find room between pictures.
        """
        if not self._wanted:
            self._wanted = await asyncio.to_thread(self._blocking_encoded)
        await asyncio.sleep(SETTLE_S)
        while True:
            self._news.clear()
            for where, (payload, digest) in self._wanted.items():
                if self._stands.get(where) != digest:
                    if not await publish(where, payload):
                        return
                    self._stands[where] = digest
            for where in [where for where in self._stands if where not in self._wanted]:
                if not await publish(where, b""):
                    return
                del self._stands[where]
            await self._news.wait()

    def _blocking_encoded(self) -> dict[str, tuple[bytes, str]]:
        messages: dict[str, Message] = {
            topic(self._hall, "guide", guide=guide.guide): guide for guide in self._shown.guides
        }
        for picture in self._shown.pictures:
            messages[topic(self._hall, "picture", picture=picture.picture)] = picture
        payloads = {where: encode(message) for where, message in messages.items()}
        return {where: (payload, _digest(payload)) for where, payload in payloads.items()}

    def _compare(self, payload: bytes) -> None:
        """Ratings name reasons by version and id: a version must mean one list for ever."""
        ours = self._shown.reasons
        try:
            before = decode(payload, RatingReasons)
        except BadMessageError:
            return
        if ours is not None and before.reasons != ours.reasons and before.version >= ours.version:
            logger.warning(
                "rating_reasons: the reasons were changed but version %d is not above %d: "
                "raise it, or old ratings will be read wrongly",
                ours.version,
                before.version,
            )


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
