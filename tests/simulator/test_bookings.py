"""Check-in with a card: real agent, coordinator, broker; what is left of the number anywhere on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from simulator.bookings import SERVICE, book, booked_card
from simulator.hall_site import HallSite, number_on
from wire.screen_link import TakeAppointment

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="session")]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_who_is_booked_lays_down_a_card_and_gets_the_number(site: HallSite) -> None:
    card = booked_card()
    await book(site.api_port)
    await until(lambda: site.kiosk.catalogue is not None and site.kiosk.catalogue.appointments)
    site.card_reader.lay(card)
    await until(lambda: site.kiosk.card is not None and site.kiosk.card.handle)
    assert site.kiosk.card is not None and card.number not in str(site.kiosk.card)

    async def check_in(request: str) -> str:
        assert site.kiosk.card is not None
        assert site.kiosk.send(TakeAppointment(request=request, handle=site.kiosk.card.handle))
        await until(
            lambda: (
                (told := site.kiosk.progress(request)) is not None
                and told.stage in ("done", "failed", "refused")
            )
        )
        told = site.kiosk.progress(request)
        assert told is not None
        if told.stage == "refused":
            return f"{told.code} {told.facts.get('number')}"
        assert (told.stage, told.paper, told.service) == ("done", "confirmed", SERVICE)
        return str(told.number)

    number = await check_in("visit-1")
    assert number_on(site.papers[-1][1]) == number
    assert await check_in("visit-2") == f"appointment.checked_in {number}"
    site.card_reader.take()

    base = f"http://127.0.0.1:{site.api_port}/api/v1"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
        state = (await client.get("/state")).json()
        listed = (await client.get(f"/appointments/{state['business_date']}")).json()["appointments"]
        assert [(one["number"], one["checked_in"]) for one in listed] == [(number, True)]
        # the hall is left as it was
        empty = {"Content-Type": "application/json"}
        left = await client.post(f"/tickets/{listed[0]['ticket']}/cancel", headers=empty)
        assert left.status_code == 200

    secrets = [text.encode(code) for text in (card.number, card.name) for code in ("utf-8", "utf-16-le")]
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    assert {"hall.db", "kiosk-1.db"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path
