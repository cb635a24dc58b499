"""From what arrived to a typed message: bad ones are counted and logged once, and never raise."""

from __future__ import annotations

import logging
from typing import Final

from wire.codec import BadMessageError, command_body, decode, event_body
from wire.messages import Message, NodeCommand, NodeEvent
from wire.mqtt import Received
from wire.topics import BadTopicError, Topic, parse_topic

logger = logging.getLogger(__name__)

SOURCES: Final = 1024
"""Bad topics that are remembered, so that each is logged once; further ones are only counted."""


class Intake:
    """Parses what a reader of one hall receives. `bad` counts what could not be read, over all topics.

    A topic that sends something bad is logged once, and again only after something good came from it.
    """

    def __init__(self, hall: str) -> None:
        self._hall = hall
        self._bad_sources: set[str] = set()
        self.bad = 0

    def parse(self, received: Received) -> tuple[Topic, Message] | None:
        """The topic and its message.

        None when it is not of the contract, of another hall, or empty. An empty payload is not bad: it is
        how a retained state is cleared. The caller acknowledges in every case; otherwise the broker delivers
        it for ever.
        """
        try:
            topic = parse_topic(received.topic)
            if topic.hall != self._hall:
                raise BadTopicError(f"not of hall {self._hall}")
            if not received.payload:
                return None
            message = decode(received.payload, topic.kind.message)
        except (BadTopicError, BadMessageError) as error:
            self._reject(received.topic, error)
            return None
        self._bad_sources.discard(received.topic)
        return topic, message

    def body(self, received: Received, envelope: NodeEvent | NodeCommand) -> Message | None:
        """The typed body of an envelope that `parse` gave; None when it is bad or of an unknown kind."""
        source = f"{received.topic} body"
        try:
            body = event_body(envelope) if isinstance(envelope, NodeEvent) else command_body(envelope)
        except BadMessageError as error:
            self._reject(source, error)
            return None
        self._bad_sources.discard(source)
        return body

    def _reject(self, source: str, error: ValueError) -> None:
        self.bad += 1
        if source not in self._bad_sources and len(self._bad_sources) < SOURCES:
            self._bad_sources.add(source)
            logger.warning("bad message on %.200s: %s", source, error)
