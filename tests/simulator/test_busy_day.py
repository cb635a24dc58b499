"""A short day on a whole hall: everybody who came was printed for, called and served, every grade arrived."""

from __future__ import annotations

import asyncio

import pytest

from simulator.busy_day import BusyDay
from simulator.hall_site import HallSite

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="session")]


async def test_what_people_did_is_what_the_hall_knows(site: HallSite) -> None:
    async with asyncio.timeout(10):
        while site.kiosk.catalogue is None:
            await asyncio.sleep(0.02)
    observer = site.observer
    papers, served, rated = site.tickets_out, observer.served, observer.rated
    day = BusyDay(site, speed=200.0, people=16, day_s=400.0, seed=5)
    await day.start()
    try:
        async with asyncio.timeout(60):
            await day.wait()
    finally:
        await day.stop()
    assert day.plan is not None and day.state == "finished"
    assert (day.arrived, day.gave_up, len(day.numbers)) == (16, 0, 16)
    # the people's numbers are those on the papers, each once
    assert list(site.numbers)[papers:] == day.numbers and len(set(day.numbers)) == 16
    await observer.until(lambda: observer.served - served + day.no_shows == 16, 10)
    assert day.no_shows == sum(not visit.shows_up for visit in day.plan.visits)
    thanked = [rating.grade for rating in day.ratings if rating.thanked]
    await observer.until(lambda: observer.rated - rated >= len(thanked), 10)
    assert thanked and observer.rated - rated == len(thanked)
    for counter in site.counters:
        shown = site.counter_screen(counter).counter
        assert shown is not None and shown.number is None and shown.waiting == 0
