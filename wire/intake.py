"""From what arrived to a typed message: bad ones are counted and logged once, and never raise."""

from __future__ import annotations

import logging
from typing import Final

from wire.codec import BadMessageError, decode
from wire.messages import Message
from wire.mqtt import Received
from wire.topics import BadTopicError, Topic, parse_topic

logger = logging.getLogger(__name__)

SOURCES: Final = 1024
"""Bad topics that are remembered, so that each is logged once; further ones are only counted."""


class Intake:
    """Parses what a reader of one hall receives. `bad` counts what could not be read, over all topics."""

    def __init__(self, hall: str) -> None:
        self._hall = hall
        self._bad_sources: set[str] = set()
        self.bad = 0

    def parse(self, received: Received) -> tuple[Topic, Message] | None:
        """The topic and its message.

        None when it is not of the contract, of another hall, or empty. An empty payload is not bad: it is how
        a retained state is cleared. The caller acknowledges in every case, or the broker delivers it for ever.
        """
        try:
            topic = parse_topic(received.topic)
            if topic.hall != self._hall:
                raise BadTopicError(f"not of hall {self._hall}")
            if not received.payload:
                return None
            message = decode(received.payload, topic.kind.message)
        except (BadTopicError, BadMessageError) as error:
            self.reject(received, str(error))
            return None
        self._bad_sources.discard(received.topic)
        return topic, message

    def reject(self, received: Received, reason: str) -> None:
        """Count a message as bad; log it unless its topic is bad already.

        Also for what a reader finds wrong later, such as the body of an envelope (BadMessageError).
        """
        self.bad += 1
        if received.topic not in self._bad_sources and len(self._bad_sources) < SOURCES:
            self._bad_sources.add(received.topic)
            logger.warning("bad message on %.200s: %s", received.topic, reason)
