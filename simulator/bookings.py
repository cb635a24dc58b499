"""Appointments of the demo: the hall has a key, and somebody of the tray an appointment for the whole day."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Final

import httpx

from drivers.card_reader.synthetic_cards import SyntheticCard, synthetic_cards

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 5.0
SERVICE: Final = "passport"


def booked_card() -> SyntheticCard:
    """The card of who has the appointment."""
    return next(card for card in synthetic_cards() if card.kind == "J")


def make_key(path: Path) -> Path:
    """A key of this hall alone, for coordinator and kiosk; one that is there stays."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    return path


async def book(port: int) -> None:
    """Import the appointment for the present business date, as a business system would."""
    card = booked_card()
    row = {"id": "demo", "service": SERVICE, "from": "04:00", "until": "24:00"}
    row |= {"name": card.name, "id_number": card.number, "code": "YY2048"}
    try:
        base = f"http://127.0.0.1:{port}/api/v1"
        async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT_S, trust_env=False) as client:
            state = await client.get("/state")
            answer = await client.put(f"/appointments/{state.json()['business_date']}", json=[row])
            answer.raise_for_status()
    except (httpx.HTTPError, ValueError, KeyError) as error:
        log.warning("no appointments: %s", error)
