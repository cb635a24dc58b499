"""What careless, curious and unlucky people do, and what must not come of it."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pages_kiosk as pages
import pygame
import pytest
from pages_kiosk import CARD, GUIDES, NO_PAPER, STATE, TICKET, TIME, YOUNG, Visit, told

from ui.elements import Page, column
from ui.elements import Text as Words
from ui.layout import lay_out
from ui.program import Program
from ui.runner import Runner
from ui.screen import Screen
from ui.snapshot import covered
from ui.theme import load_theme
from ui.turned import Turned
from wire.messages import Zone
from wire.screen_link import (
    CardGone,
    CodeScanned,
    NumberSeen,
    TakeAppointment,
    TakeTicket,
)

UPRIGHT = Screen.of((1080, 1920))


def start(*things: Any) -> Visit:
    return Visit("zh-CN").do(STATE, GUIDES, TIME, "start").do(*things)


def page(kiosk: Visit) -> Page:
    made: Page = kiosk.page(UPRIGHT, kiosk.clock)
    return made


def seen(kiosk: Visit) -> str:
    def words(element: Any) -> str:
        return getattr(element, "words", "") or " ".join(
            words(one) for one in getattr(element, "children", ())
        )

    return words(page(kiosk).body)


def twice(kiosk: Visit, action: str) -> None:
    """As a trembling hand does it."""
    kiosk.do(action)
    kiosk.touched(action, kiosk.clock + 0.3)


@pytest.mark.parametrize("action", ["mode:elder", "mode:contrast", "mode:low_reach"])
def test_a_mode_tapped_twice_is_on(action: str) -> None:
    kiosk = start("modes")
    twice(kiosk, action)
    assert kiosk.modes == kiosk.usual.turned(action.removeprefix("mode:"), True)
    kiosk.do(1.0, action)
    assert kiosk.modes == kiosk.usual


def test_the_language_tapped_twice_is_the_other_one() -> None:
    kiosk = start()
    twice(kiosk, "language")
    assert kiosk.language == "en"


def test_letters_may_be_typed_as_fast_as_a_hand_can() -> None:
    kiosk = start("checkin", "type")
    twice(kiosk, "key:a")
    assert "AA" in seen(kiosk)


def test_the_offer_of_one_card_is_not_made_to_the_holder_of_the_next() -> None:
    kiosk = start("group:marriage", CARD, CardGone())
    assert kiosk.offered == "elderly"
    kiosk.do(YOUNG)
    assert kiosk.offered is None and "老年人优先" not in seen(kiosk)
    kiosk.do("take")
    assert [one for one in kiosk.heard if isinstance(one, TakeTicket)][-1].priority is None


def test_a_card_that_lies_there_is_not_asked_for_again() -> None:
    kiosk = start(YOUNG, "now", "checkin")
    wishes = [one for one in kiosk.heard if isinstance(one, TakeAppointment)]
    assert [one.handle for one in wishes] == [YOUNG.handle]


def test_a_card_that_lies_there_and_shows_no_age_is_told_at_once() -> None:
    kiosk = start("group:marriage", YOUNG, "priority", "class:elderly")
    assert kiosk.top.name == "priority"
    assert "不属于这一类" in seen(kiosk)


def test_a_code_with_a_slip_is_put_right_and_not_typed_anew() -> None:
    kiosk = start("checkin", "type", "key:2", "key:8", "key:7", "take")
    kiosk.progress("refused", code="appointment.none", number=None).do("retype")
    assert kiosk.top.name == "checkin-code" and "287" in seen(kiosk)
    kiosk.do("erase", "key:6", "take")
    wishes = [one for one in kiosk.heard if isinstance(one, TakeAppointment)]
    assert [one.code for one in wishes] == ["287", "286"]
    assert wishes[0].request != wishes[1].request


@pytest.mark.parametrize("over", ["help", "modes"])
def test_home_does_not_lead_away_from_a_number_that_is_under_way(over: str) -> None:
    kiosk = Visit("zh-CN").do(
        NO_PAPER, GUIDES, TIME, "start", "group:marriage", "take", "agree", over, "home"
    )
    kiosk.progress("printing", paperless=True)
    kiosk.shown(page(kiosk), kiosk.clock)
    assert "A023" in seen(kiosk)
    assert NumberSeen(request=kiosk.own[-1]) in kiosk.heard


def test_an_agent_that_comes_and_goes_keeps_nobody_for_ever() -> None:
    kiosk = start("group:marriage", "take")
    for _ in range(4):
        kiosk.do(None, 5.0, STATE, 5.0)
    assert "暂时没有取到号" in seen(kiosk)
    kiosk.do("finish")
    assert kiosk.top.name == "attract"


def test_a_code_after_the_end_does_not_greet_the_one_before() -> None:
    kiosk = start(CARD, "now", "group:marriage", "take").progress("done", outlet="taken")
    kiosk.do(5.5, CodeScanned(kind="ticket", ticket=TICKET))
    assert kiosk.top.name == "enquiry" and kiosk.card is None and "王*明" not in seen(kiosk)


def test_a_number_of_another_screen_of_the_kiosk_is_not_shown() -> None:
    kiosk = Visit("zh-CN").do(STATE, GUIDES, TIME)
    kiosk.do(told("of-the-other", "requested"), told("of-the-other", "printing", paperless=True))
    assert kiosk.top.name == "attract"
    kiosk.do(20.0, told("offline-of-the-other", "printing"))
    assert kiosk.top.name == "attract"
    kiosk.do(None, STATE, told("of-the-one-before", "printing"))
    assert "A023" in seen(kiosk)


def test_who_has_chosen_a_mode_is_asked_before_it_is_forgotten() -> None:
    kiosk = start("modes", "mode:contrast", "back", 41.0)
    assert page(kiosk).name == "start-asking"
    kiosk.do("stay")
    assert page(kiosk).name == "start" and kiosk.modes.contrast
    kiosk.do(52.0)
    assert page(kiosk).name == "attract" and not kiosk.modes.contrast
    kiosk.do("start", "language", 41.0, "home")
    assert page(kiosk).name == "attract"


def test_the_floor_is_said_once() -> None:
    zones = (Zone(zone="west", name={"zh-CN": "一楼西区"}, directions={}, floor={"zh-CN": "一楼"}),)
    catalogue = msgspec.structs.replace(pages.CATALOGUE, zones=zones)
    kiosk = start(msgspec.structs.replace(STATE, catalogue=catalogue), "group:marriage")
    assert seen(kiosk).count("一楼") == 1


def test_a_picture_of_the_screen_has_no_name_and_no_code_on_it() -> None:
    for kiosk in (start(CARD), start("checkin", "type", "key:2", "key:8")):
        layout = lay_out(page(kiosk), UPRIGHT, load_theme("day"))
        surface = pygame.Surface((1080, 1920))
        surface.fill((1, 99, 1))
        made = covered(surface, layout)
        private = [one.rect for one in layout.items if any("*" in line for line in getattr(one, "lines", ()))]
        private += [layout.boxes["field"]] if "field" in layout.boxes else []
        assert private
        for left, top, wide, high in private:
            assert tuple(made.get_at((left + wide // 2, top + high // 2))) != (1, 99, 1, 255)
        assert tuple(surface.get_at((5, 5))) == (1, 99, 1, 255)


def test_a_name_too_long_for_its_place_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Long(Program):
        role = "kiosk"

        def said(self, message: object, now: float) -> None: ...

        def page(self, screen: Screen, now: float) -> Page:
            return Page("long", column(*(Words("王*明" * 900, "giant") for _ in range(3))))

    pygame.display.init()
    display = Turned(pygame.display.set_mode((800, 480)), 0)
    with caplog.at_level(logging.WARNING):
        Runner(Long(), display, _Link(), None, Screen.of((800, 480))).draw()  # type: ignore[arg-type]
    assert "page long" in caplog.text and "王" not in caplog.text


class _Link:
    def send(self, message: object) -> bool:
        return False


def test_on_an_upright_screen_everything_but_lists_lies_low() -> None:
    """Who sits in a wheelchair can reach the key that brings the controls low."""
    for kiosk in (start(), start("checkin", "type"), start("group:marriage"), Visit("zh-CN").do(STATE)):
        targets = lay_out(page(kiosk), UPRIGHT, load_theme("day")).targets
        places = {target.action: target.rect[1] for target in targets}
        wanted = {"language", "modes", "help", "back", "take", "key:1"} & set(places)
        assert {"language", "modes", "help"} <= wanted
        assert all(places[action] > UPRIGHT.height / 2 for action in wanted)


def test_what_to_do_begins_like_a_sentence() -> None:
    kiosk = Visit("en").do(STATE, GUIDES, TIME, "start", pages.CardShown(lay_again=True))
    assert "The card could not be read. Lay it flat" in seen(kiosk)
