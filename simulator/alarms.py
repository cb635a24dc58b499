"""The coordinator's alarms, read over its REST interface as a supervision screen would."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec

from simulator.words import Words
from wire.texts import text

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 2.0
SAID: Final = ("kind", "health")
"""Facts that the alarm's text or its code say already."""

PATH: Final = "/api/v1/alarms"


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm that stands. `code` is a key of the text catalogue, `subject` a device, node or ticket."""

    code: str
    subject: str
    facts: dict[str, str] = field(default_factory=dict)

    def said(self, words: Words) -> str:
        """What is wrong and what to do, in words."""
        return text(self.code, words.language, **{"subject": self.subject, **self.facts})

    def about(self, words: Words) -> str:
        """What else is known of it."""
        known = [words.code(value) for name, value in self.facts.items() if value and name not in SAID]
        return " · ".join(known)


async def fetch_alarms(port: int) -> list[AlarmRow] | None:
    """What stands now; None when the coordinator does not answer."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{port}{PATH}")
            answer.raise_for_status()
        return msgspec.convert(answer.json()["alarms"], list[AlarmRow])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        log.debug("alarms: %s", error)
        return None
