"""What stands on Onbon strips of all shapes, what their cards say of themselves, and several on one line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from drivers.call_screen.dialogue import SHARED_PING_ANSWER_S
from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.fake_bus import FakeBus
from drivers.call_screen.onbon_bx import OnbonBx
from drivers.call_screen.onbon_bx_commands import Command, k_request
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_content import showing
from drivers.call_screen.onbon_bx_frames import KFrame
from drivers.call_screen.protocol import ScreenText, ShowResult
from drivers.driver import Health
from drivers.errors import DriverError
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig

PATIENCE_S = 20.0
DONE = ShowResult("done")
CALL = ScreenText("请A005到3号", "red")
Rig = Any
MakeRig = Any
"""`OnbonRig` and what makes one: see `conftest`."""


def colours(rig: Rig) -> set[int]:
    return {value for row in rig.card.dots() for value in row} - {0}


# ---------------------------------------------------------------- lines, colours, places


@pytest.mark.parametrize("family", ["k", "5e", "6e", "6q"])
async def test_two_lines(make_rig: MakeRig, family: str) -> None:
    card = FakeOnbonCard(width=96, height=32, family=family)  # type: ignore[arg-type]
    rig: Rig = await make_rig("tcp", card=card, family=family, width_px=96, height_px=32)
    await rig.start()
    assert await rig.driver.show(ScreenText("A005 请到3号窗口")) == DONE
    if family == "k":
        assert card.text == "A005\n请到3号窗口"
    rows = [any(row) for row in card.dots()]
    assert any(rows[:16]) and any(rows[16:])
    upper = [x for row in card.dots()[:16] for x, value in enumerate(row) if value]
    assert min(upper) >= 30 and max(upper) < 66, "the short line stands in the middle"


async def test_one_line_flashes_in_the_middle_of_a_high_strip(make_rig: MakeRig) -> None:
    card = FakeOnbonCard(width=128, height=32)
    rig: Rig = await make_rig("tcp", card=card, height_px=32)
    await rig.start()
    for flash in (True, False):
        assert await rig.driver.show(ScreenText("A005 请到3号窗口", flash=flash)) == DONE
        assert card.motion == ("flash" if flash else "static")
        since = card.areas[0].since
        lit = [y for y, row in enumerate(card.dots(since + 0.1)) if any(row)]
        assert min(lit) >= 8 and max(lit) < 24
        assert any(map(any, card.dots(since + 0.6))) is not flash


@pytest.mark.parametrize("family", ["k", "5e", "6e"])
async def test_leds_of_one_colour(make_rig: MakeRig, family: str) -> None:
    card = FakeOnbonCard(family=family, colours=1)  # type: ignore[arg-type]
    rig: Rig = await make_rig("tcp", card=card, family=family, colours=1)
    await rig.start()
    for colour in ("red", "green", "yellow"):
        assert await rig.driver.show(ScreenText("A005", colour)) == DONE
        assert colours(rig) == {1}


async def test_places_of_a_5k_card_are_units_of_eight(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig(device_type=0x51, area_x=8)
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    assert (rig.card.areas[0].x, rig.card.areas[0].width) == (8, 120)
    with pytest.raises(ValueError, match="multiples of 8"):
        OnbonBxConfig(transport=SerialConfig(path="/x"), device_type=0x58, area_x=4)


# ---------------------------------------------------------------- the state of the card


async def test_what_others_left_is_cleared_and_a_programme_locked(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig("tcp", clear=True, lock="P003")
    rig.card.plugged = lambda: None  # its power stays
    rig.card.areas[4] = next(iter(await shown_areas(CALL)))
    await rig.start()
    assert (rig.card.areas, rig.card.locked) == ({}, "P003")


async def shown_areas(content: ScreenText) -> list[Any]:
    card = FakeOnbonCard()
    config = OnbonBxConfig(transport=SerialConfig(path="/x"))
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, showing(content, config).payload)).to_bytes())
    return list(card.areas.values())


async def test_a_card_that_is_off_is_switched_on(make_rig: MakeRig, quick: None) -> None:
    rig: Rig = await make_rig()
    rig.card.on = False
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    await rig.until(lambda: rig.card.on)
    assert [health.code for health in rig.health if health.code] == []


async def test_a_card_that_may_not_be_switched_on_says_so(make_rig: MakeRig, quick: None) -> None:
    rig: Rig = await make_rig(switch_on=False)
    rig.card.on = False
    rig._task = asyncio.get_running_loop().create_task(rig._supervise())
    await rig.until(lambda: rig.driver.health.code == "screen.switched_off")
    assert not rig.card.on
    rig.card.on = True
    await rig.until(lambda: rig.driver.health.state == "ok")


async def test_a_card_that_tells_no_status_is_pinged(make_rig: MakeRig, quick: None) -> None:
    rig: Rig = await make_rig()
    rig.card.knows_status = False
    await rig.start()
    await rig.until(lambda: rig.card.pings >= 5)
    assert rig.driver.health == Health("ok")


async def test_a_card_that_lists_no_areas_is_not_sent_the_same_for_ever(
    make_rig: MakeRig, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeOnbonCard, "_status", lambda card: b"\1\5" + bytes(15) + b"\0" + bytes(28))
    rig: Rig = await make_rig()
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    pings = rig.card.pings
    await rig.until(lambda: rig.card.pings >= pings + 6)
    assert len(rig.card.refreshes) == 2


@pytest.mark.parametrize("text, again", [("A005", True), ("请A005号到二楼东侧3号综合窗口办理", False)])
async def test_what_stands_still_on_a_matrix_card_is_sent_again(
    make_rig: MakeRig, quick: None, monkeypatch: pytest.MonkeyPatch, text: str, again: bool
) -> None:
    monkeypatch.setattr("drivers.call_screen.paced_screen.PacedScreen.RENEW_S", 0.05)
    rig: Rig = await make_rig("tcp", family="6q")
    await rig.start()
    assert await rig.driver.show(ScreenText(text)) == DONE
    pings = rig.card.pings
    await rig.until(lambda: rig.card.pings >= pings + 6)
    assert (len(rig.card.refreshes) > 1) is again


# ---------------------------------------------------------------- several cards on one line


async def lived(screen: OnbonBx) -> None:
    """As under a supervisor."""
    while True:
        try:
            await screen.open()
            await screen.serve()
        except DriverError:
            await screen.close()
        await asyncio.sleep(0.01)


async def test_a_dead_card_does_not_hold_up_the_calls_of_the_others(tmp_path: Path, quick: None) -> None:
    """The dead one is asked again and again; each question holds the line only as long as a ping may take."""
    cards = [FakeOnbonCard(address=address) for address in (1, 2, 3)]
    cards[0].silent = True
    bus = FakeBus(cards)
    line = PtyLine(bus, tmp_path / "line")
    await line.plug()
    where = SerialConfig(path=str(line.path), baud=57600, shared=True)
    screens = [
        OnbonBx(OnbonBxConfig(transport=where, address=card.address, min_interval_s=0)) for card in cards
    ]
    tasks = [asyncio.get_running_loop().create_task(lived(screen)) for screen in screens]
    async with asyncio.timeout(PATIENCE_S):
        while any(screen.health.state != "ok" for screen in screens[1:]):
            await asyncio.sleep(0.01)
        slowest = 0.0
        for n in range(6):
            began = asyncio.get_running_loop().time()
            results = await asyncio.gather(*[screen.show(ScreenText(f"A00{n}")) for screen in screens[1:]])
            assert results == [DONE, DONE]
            slowest = max(slowest, asyncio.get_running_loop().time() - began)
    assert [card.text for card in cards] == ["", "A005", "A005"]
    assert screens[0].health.code == "screen.no_answer"
    assert slowest < 2 * SHARED_PING_ANSWER_S + 2.0, "two seconds are the machine's"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for screen in screens:
        await screen.close()
    await line.unplug()
