"""Beside taking a number: guides, enquiry, help, modes; and that all of it fits however somebody wants it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pages_kiosk as first
import pages_kiosk_more as pages
import pytest
import screen_checks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages_kiosk_more import GUIDE, SMALL, START, Said, enquiry, guide, kiosk, state, touch

from ui.elements import Box, Element, Grid, Text
from ui.kiosk.kiosk import Kiosk
from ui.kiosk.modes import MOST_LOUDER
from ui.kiosk.pager import pieces
from ui.kiosk.search import found
from ui.kiosk.services import halves
from ui.kiosk.step import Room
from ui.layout import lay_out
from ui.screen import STATED, Screen
from ui.theme import load_theme
from wire.kiosk_messages import TicketFound
from wire.screen_link import (
    AskGuide,
    AskHelp,
    AskTicket,
    CodeScanned,
    GuidePrinted,
    GuideShown,
    LinkMessage,
    PrintGuide,
    ScanWanted,
    Speak,
    TicketTold,
)
from wire.texts import LANGUAGES, text

SCREENS = [Screen.of(size) for size in STATED]
LARGE = Screen.of((1920, 1080))


def words(made: Kiosk, screen: Screen = SMALL, now: float = START) -> str:
    def of(element: Element) -> list[str]:
        if isinstance(element, Text):
            return [element.words]
        if isinstance(element, Box | Grid):
            return [one for child in element.children for one in of(child)]
        return []

    return "\n".join(of(made.page(screen, now).body))


def actions(made: Kiosk, screen: Screen = SMALL, now: float = START) -> list[str]:
    page = made.page(screen, now)
    return [t.action for t in lay_out(page, screen, load_theme("day")).targets if not t.off]


# ---------------------------------------------------------------- guides


def test_every_word_of_a_guide_is_on_some_page_of_it() -> None:
    for language in LANGUAGES:
        made = guide(language)
        shown = words(made)
        for section in ("conditions", "materials", "steps", "terms", "more"):
            touch(made, f"section:{section}")
            shown += words(made)
            while "later" in actions(made):
                touch(made, "later")
                shown += words(made)
            made.touched("back", START)
        flat = "".join(shown.split())
        for told in (*GUIDE.conditions, *GUIDE.steps, GUIDE.time_limit, GUIDE.fee, GUIDE.basis):
            assert "".join(told[language].split()) in flat
        for material in GUIDE.materials:
            assert "".join(material.name[language].split()) in flat
        assert "".join(GUIDE.phone.split()) in flat


def test_what_is_ticked_is_printed_as_had_and_counted() -> None:
    made = guide("zh-CN", "section:materials", "have:0", "have:2", "have:0")
    assert text("kiosk_guide.left", count=5) in words(made)
    touch(made, "print")
    asked = made.last(PrintGuide)
    assert isinstance(asked, PrintGuide) and (asked.guide, asked.have) == ("food-permit", (2,))
    made.said(GuidePrinted(request="another", paper="failed"), START)
    assert "\n".join(halves(text("kiosk_guide.printing"))) in words(made)
    made.said(GuidePrinted(request=asked.request, paper="confirmed"), START)
    assert "\n".join(halves(text("kiosk_guide.printed"))) in words(made)
    made.tick(START + 10)
    assert made.top.name == "guide-materials"
    assert text("kiosk_guide.left", count=5) in words(made)


@pytest.mark.parametrize("end", ["failed", "unknown", "agent gone", "no answer", "printer broken"])
def test_a_list_that_is_not_out_is_told_in_plain_words(end: str) -> None:
    broken = pages.device("printer", "ticket_printer", "fault")
    made = guide("zh-CN", "section:materials", **({"printer": broken} if end == "printer broken" else {}))
    made.touched("print", START)
    if end in ("failed", "unknown"):
        request = made.last(PrintGuide).request  # type: ignore[attr-defined]
        made.said(GuidePrinted(request=request, paper=end, code="printer.paper_out"), START)  # type: ignore[arg-type]
    elif end == "agent gone":
        made.said(None, START)
        made.said(state(), START)
    elif end == "no answer":
        made.tick(START + 61)
    key = "print_failed" if end in ("failed", "printer broken") else "print_unknown"
    assert text(f"kiosk_guide.{key}").partition(" · ")[0] in words(made)
    touch(made, "done")
    assert made.top.name == "guide-materials"


def test_a_terminal_without_a_printer_offers_neither_list_nor_number() -> None:
    for section in ((), ("section:materials",)):
        made = guide("zh-CN", *section, printer=None)
        for screen in SCREENS:
            assert not {"print", "take"} & set(actions(made, screen))


def test_from_a_guide_straight_to_its_service() -> None:
    made = guide("zh-CN", "take")
    assert made.top.name == "confirm" and pages.SERVICES[0][2] in words(made)


def test_a_guide_for_several_services_asks_which() -> None:
    made = kiosk("zh-CN", "guides")
    made.touched("guide:food-permit", START)
    made.said(
        GuideShown(guide=msgspec.structs.replace(GUIDE, services=("medical", "gone", "id-card"))), START
    )
    touch(made, "take")
    assert [a for a in actions(made) if a.startswith("service:")] == ["service:medical", "service:id-card"]
    assert touch(made, "service:id-card").top.name == "confirm"


def test_a_guide_that_has_gone_says_so_and_one_is_asked_for_again_after_the_agent_was_away() -> None:
    made = kiosk("zh-CN", "guides")
    made.touched("guide:food-permit", START)
    made.said(None, START)
    made.said(state(), START)
    assert [m for m in made.heard if isinstance(m, AskGuide)] == [AskGuide(guide="food-permit")] * 2
    made.said(GuideShown(guide=None), START)
    assert text("kiosk_guide.gone").partition(" · ")[0] in words(made)


def test_ticks_are_forgotten_when_the_materials_have_changed() -> None:
    made = guide("zh-CN", "section:materials", "have:0")
    made.said(GuideShown(guide=msgspec.structs.replace(GUIDE, materials=GUIDE.materials[1:])), START)
    assert text("kiosk_guide.left", count=5) in words(made)


def test_back_leads_from_a_section_to_the_keys_and_then_to_the_list() -> None:
    made = guide("zh-CN", "section:steps", "back")
    assert made.top.name == "guide"
    assert touch(made, "back").top.name == "guides"
    large = guide("zh-CN")
    large.looked_at(LARGE)
    large.touched("section:steps", START)
    large.looked_at(LARGE)
    large.touched("back", START)
    assert large.top.name == "guides", "tabs have no page above them"


@settings(max_examples=25, deadline=None)
@given(
    st.text("社保登记。，；、一二三四五六七八九十 ", max_size=400),
    st.sampled_from(SCREENS),
    st.sampled_from([1.0, 1.5]),
)
def test_a_long_text_is_cut_into_pieces_that_fit_and_lose_nothing(
    said: str, screen: Screen, scale: float
) -> None:
    room = Room(screen, screen.width / screen.unit - 8, 60.0, 10.0, scale)
    made = pieces(said, lambda part, first: Text(part, "large"), room, 24.0)
    assert all(room.height_of(one) <= 24.0 for one in made)
    assert "".join("".join(one.words for one in made if isinstance(one, Text)).split()) == "".join(
        said.split()
    )


def test_a_text_that_fits_nowhere_still_comes_to_an_end() -> None:
    room = Room(SMALL, 20.0, 60.0, 10.0)
    made = pieces("社保。登 记", lambda part, first: Text(part, "giant"), room, 1.0)
    assert [one.words for one in made if isinstance(one, Text)] == list("社保。登记")


# ---------------------------------------------------------------- search


def test_a_guide_is_found_by_initials_by_keywords_and_by_its_english_name() -> None:
    assert [one.guide for one in found("yl", pages.TITLES)] == ["medical"]
    assert [one.guide for one in found("JM", pages.TITLES)] == ["id-card"]
    assert found("medi", pages.TITLES)[0].guide == "medical"
    named = msgspec.structs.replace(pages.TITLES[0], keywords=("cafe",))
    assert found("caf", (named, *pages.TITLES[1:])) == (named,)
    assert found("", pages.TITLES) == pages.TITLES and found("xq", pages.TITLES) == ()


def test_what_is_typed_can_be_taken_back_and_given_up() -> None:
    made = kiosk("zh-CN", "guides", "search", "key:y", "key:q", "key:erase", "key:l", "see")
    assert made.top.name == "guides-found"
    assert [a for a in actions(made) if a.startswith("guide:")] == ["guide:medical"]
    assert touch(made, "back").top.name == "guides"
    for key in ("search", "x"):
        made.touched(key, START)
    assert made.top.name == "guides-search"
    made.touched("back", START)
    assert made.top.name == "guides"


# ---------------------------------------------------------------- enquiry


def test_the_scanner_is_on_while_a_ticket_is_asked_for_and_no_longer() -> None:
    made = kiosk("zh-CN", "enquiry")
    assert made.last(ScanWanted) == ScanWanted(wanted=True)
    made.heard.clear()
    made.tick(made.due(START))
    assert made.heard == []
    made.touched("stay", START + 49)
    made.tick(START + 51)
    assert made.heard == [ScanWanted(wanted=True)], "the agent lets it rest after a minute"
    made.touched("back", START + 52)
    assert made.heard[-1] == ScanWanted(wanted=False)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"state": "waiting"}, ["A128", "等候中", "6 人", "20–35 分钟", "二楼"]),
        ({"state": "waiting", "ahead": 0, "wait_min": None}, ["下一位就是您"]),
        ({"state": "called", "counter_name": pages.COUNTER}, ["请马上到不动产登记综合受理2号窗口"]),
        ({"state": "called"}, ["马上到所示窗口"]),
        ({"state": "serving", "counter_name": pages.COUNTER}, ["正在办理"]),
        ({"state": "parked"}, ["窗口会再叫您"]),
        ({"state": "no_show", "counter_name": pages.COUNTER}, ["已过号", "2号窗口告诉工作人员"]),
        ({"state": "no_show"}, ["请到导办台"]),
        ({"state": "finished"}, ["已办结"]),
        ({"state": "void"}, ["已作废"]),
    ],
)
def test_each_state_is_told_with_what_to_do(told: dict[str, Any], said: list[str]) -> None:
    made = enquiry("zh-CN", **told)
    for screen in SCREENS:
        assert all(part in words(made, screen) for part in said)


def test_an_answer_that_does_not_come_and_one_that_came_too_late() -> None:
    made = enquiry("zh-CN")
    asked = made.last(AskTicket)
    made.tick(START + 13)
    assert text("kiosk_enquiry.late").partition(" · ")[0] in words(made)
    made.said(TicketTold(request=asked.request, found=pages.FOUND), START + 14)  # type: ignore[attr-defined]
    assert "A128" not in words(made)


def test_a_ticket_of_yesterday_and_a_hall_that_is_away() -> None:
    assert "今天没有这个号码" in words(pages.unknown("zh-CN"))
    made = pages.enquired_offline("zh-CN")
    assert "仍然有效" in words(made) and not any(isinstance(m, AskTicket) for m in made.heard)
    cut_off = enquiry("zh-CN")
    cut_off.said(None, START)
    cut_off.said(state(), START)
    assert "仍然有效" in words(cut_off)


def test_another_ticket_takes_the_place_of_the_first() -> None:
    made = enquiry("zh-CN", state="waiting")
    made.said(CodeScanned(kind="ticket", ticket="t-2"), START)
    assert "A128" not in words(made) and made.last(AskTicket).ticket == "t-2"  # type: ignore[attr-defined]


# ---------------------------------------------------------------- help


def test_help_is_asked_for_once_shown_everywhere_and_taken_back() -> None:
    made = kiosk("zh-CN", "help", "yes", "yes")
    assert [m for m in made.heard if isinstance(m, AskHelp)] == [AskHelp(wanted=True)]
    made.said(state(help="asked"), START)
    touch(made, "no", "guides")
    for screen in SCREENS:
        assert text("kiosk_help.asked") in words(made, screen)
    touch(made, "help")
    assert text("kiosk_help.asked") in words(made)
    touch(made, "take_back")
    assert made.last(AskHelp) == AskHelp(wanted=False) and made.top.name == "guides"


def test_a_curious_finger_calls_nobody() -> None:
    made = kiosk("zh-CN", "help", "no")
    assert made.top.name == "start" and not any(isinstance(m, AskHelp) for m in made.heard)


def test_without_the_hall_it_says_that_nobody_may_see_it() -> None:
    made = kiosk("zh-CN", "help", online=False)
    assert text("kiosk_help.offline") in words(made)
    touch(made, "yes")
    assert made.last(AskHelp) == AskHelp(wanted=True)


# ---------------------------------------------------------------- modes


def test_modes_act_at_once_and_are_forgotten_with_the_citizen() -> None:
    made = kiosk("zh-CN", "modes", "mode:elder", "mode:contrast", "mode:low_reach", "language:en", "louder")
    assert made.looked_at().scale == 1.5 and made.looked_at().theme == "contrast"
    assert (made.modes.voice, made.modes.louder, made.language) == (True, 1, "en")
    touch(made, "back")
    assert made.modes.elder
    made.rest(START)
    assert made.modes == made.usual and made.language == "zh-CN"
    made.looked_at()
    assert made.heard[-1] == Speak(text="", language="zh-CN"), "the voice stops with who wanted it"


def test_the_voice_of_elder_mode_says_the_page_and_not_the_keys() -> None:
    made = kiosk("zh-CN", "modes", "mode:elder", "back")
    made.heard.clear()
    touch(made, "guides")
    made.focused("x", 1, 5, START)
    made.looked_at()
    said = [m.text for m in made.heard if isinstance(m, Speak)]
    assert said[0].startswith("办事指南，共12项") and text("kiosk_voice.how") not in said[0]


def test_a_kiosk_without_a_voice_offers_none() -> None:
    made = kiosk("zh-CN", "modes", "mode:elder", voice=False)
    assert not made.modes.voice
    for screen in SCREENS:
        assert not {"mode:voice", "louder"} & set(actions(made, screen))


@given(st.lists(st.integers(-3, 3), max_size=12))
def test_loudness_stays_within_what_can_be_asked_for(steps: list[int]) -> None:
    made = kiosk("zh-CN")
    for step in steps:
        made.modes = made.modes.made_louder(step)
        assert abs(made.modes.louder) <= MOST_LOUDER


def test_the_language_key_and_a_third_language(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kiosk("zh-CN", "language")
    assert made.language == "en"
    three = {"zh-CN": "中文", "en": "English", "ug": "ئۇيغۇرچە"}
    monkeypatch.setattr("ui.kiosk.kiosk.available", lambda: three)
    monkeypatch.setattr("ui.kiosk.steps_modes.available", lambda: three)
    made.touched("language", START + 5.0)
    assert made.top.name == "modes"
    touch(made, "language:ug")
    assert made.language == "ug" and "所" not in made.language


# ---------------------------------------------------------------- everything, however it is wanted


LARGE_ONES = [screen for screen in SCREENS if not screen.small]
MODES = [
    ({"elder": True}, SCREENS, pages.PAGES | first.PAGES),
    ({"low_reach": True}, LARGE_ONES, pages.PAGES | first.PAGES),
    ({"elder": True, "low_reach": True}, LARGE_ONES, pages.PAGES | first.PAGES),
    ({"contrast": True, "voice": True, "guided": True}, SCREENS, pages.PAGES),
]
"""With the screens that look otherwise in them: on a small one all controls lie low already."""


@pytest.mark.parametrize(("modes", "screens", "those"), MODES, ids=["+".join(modes) for modes, _, _ in MODES])
def test_every_page_fits_in_every_mode(modes: dict[str, bool], screens: list[Screen], those: Any) -> None:
    wrong = []
    for name, make in those.items():
        for language in LANGUAGES:
            made = make(language)
            made.modes = replace(made.modes, **modes)
            for screen in screens:
                page = made.page(screen, getattr(made, "clock", START))
                layout = lay_out(page, screen, load_theme(page.theme or "day"))
                size = (screen.width, screen.height)
                wrong += [(name, language, size, one) for one in screen_checks.complaints(layout, size)]
    assert not wrong, wrong[:12]


def test_in_low_reach_everything_that_is_touched_lies_low() -> None:
    for make in (pages.PAGES | first.PAGES).values():
        made = make("zh-CN")
        made.modes = replace(made.modes, low_reach=True)
        for screen in (LARGE, Screen.of((1080, 1920))):
            page = made.page(screen, getattr(made, "clock", START))
            for target in lay_out(page, screen, load_theme("day")).targets:
                if target.action != "start":  # the whole attract page
                    assert target.rect[1] >= screen.height * (0.28 if made.modes.elder else 0.4) - 1


FOUND = st.builds(
    TicketFound,
    request=st.just("r1"),
    ticket=st.just("t-1"),
    number=st.none() | st.just("A128"),
    state=st.sampled_from(["waiting", "called", "serving", "parked", "no_show", "finished", "void", None]),
    counter_name=st.none() | st.just(pages.COUNTER),
    zone=st.none() | st.sampled_from(["east", "gone"]),
    ahead=st.none() | st.integers(0, 400),
    wait_min=st.none() | st.tuples(st.integers(0, 90), st.integers(0, 90)),
    code=st.none() | st.just("ticket.unknown"),
)
SAID: st.SearchStrategy[LinkMessage | None] = st.one_of(
    st.none(),
    st.sampled_from([state(), state(online=False), state(voice=False), state(printer=None, scanner=None)]),
    st.sampled_from([state(help="asked"), state(help="coming"), state(catalogue=None, board=None)]),
    st.sampled_from(
        [GuideShown(guide=GUIDE), GuideShown(guide=None), CodeScanned(kind="ticket", ticket="t-2")]
    ),
    st.sampled_from([CodeScanned(kind="unreadable"), CodeScanned(kind="card", masked="AB**89")]),
    st.builds(TicketTold, request=st.sampled_from(["r1", "r2", "r3"]), found=st.none() | FOUND),
    st.builds(
        GuidePrinted,
        request=st.sampled_from(["r1", "r2", "r3"]),
        paper=st.sampled_from(["confirmed", "failed"]),
    ),
)
DONE = st.one_of(
    st.tuples(st.just("touch"), st.integers(0, 60)),
    st.tuples(
        st.just("key"),
        st.sampled_from(["up", "down", "ok", "back", "help", "repeat", "louder", "softer", "q"]),
    ),
    st.tuples(st.just("say"), SAID),
    st.tuples(st.just("wait"), st.floats(0, 90)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DONE, max_size=25), st.sampled_from(SCREENS), st.booleans())
def test_whatever_is_done_nothing_is_raised_and_speech_stays_within_bounds(
    done: list[tuple[str, Any]], screen: Screen, elder: bool
) -> None:
    made: Said = kiosk("zh-CN")
    made.modes = replace(made.modes, elder=elder)
    now = START
    for what, which in done:
        if what == "touch":
            possible = actions(made, screen, now)
            if possible:
                made.touched(possible[which % len(possible)], now)
        elif what == "key":
            made.key(which, now)
        elif what == "say":
            made.said(which, now)
        else:
            now += which
            while made.due(now) <= now:
                made.tick(now)
        made.looked_at(screen, now)
    spoken = [m for m in made.heard if isinstance(m, Speak)]
    assert all(len(m.text) <= 400 and abs(m.louder) <= MOST_LOUDER and "*" not in m.text for m in spoken)
    made.rest(now)
    made.looked_at(screen, now)
    assert made.modes == made.usual
