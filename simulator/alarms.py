"""The coordinator's alarms, read over its REST interface as a supervision screen would."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final, Literal

import httpx
import msgspec

from simulator.words import Words
from wire.texts import text

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 2.0
SAID: Final = ("kind", "health", "node", "station", "answered")
"""Facts that the alarm's text or its code say already."""

PATH: Final = "/api/v1/alarms"
HELP: Final = "kiosk.help"
"""The alarm of a kiosk's help key: people answer it."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm that stands. `code` is a key of the text catalogue, `subject` a device, node or ticket."""

    code: str
    subject: str
    facts: dict[str, str] = field(default_factory=dict)

    def said(self, words: Words) -> str:
        """What is wrong and what to do, in words."""
        return text(self.code, words.language, **{"subject": self.subject, **self.facts})

    @property
    def help_wanted(self) -> bool:
        """Whether it is a call for help, at the station `subject`."""
        return self.code == HELP

    @property
    def answered(self) -> bool:
        """Whether somebody is on the way."""
        return "answered" in self.facts

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


async def answer_help(port: int, subject: str, what: Literal["answer", "done"]) -> None:
    """Tell the coordinator that somebody goes to a kiosk that asked for help, or has been there."""
    node, _, station = subject.partition("/")
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            await client.post(f"http://127.0.0.1:{port}/api/v1/help/{node}/{station}/{what}", json={})
    except httpx.HTTPError as error:
        log.debug("help: %s", error)
