"""Ways of citizens through the kiosk: pages are reached, a tap asks once, nothing personal stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pages_kiosk as pages
import pytest
from pages_kiosk import (
    CARD,
    CATALOGUE,
    MORNING,
    NO_PAPER,
    OFFLINE,
    PAGES,
    STATE,
    WAYS,
    YOUNG,
    Visit,
    at_start,
    told,
)

from ui.elements import Box, Element, Grid, Text
from ui.kiosk.kiosk import MOST_STEPS
from ui.kiosk.steps_services import ServicesStep
from ui.layout import lay_out
from ui.screen import STATED, Screen
from ui.sounds import Sound
from ui.theme import load_theme
from wire.screen_link import (
    CardGone,
    CardShown,
    CodeScanned,
    LinkMessage,
    NumberSeen,
    PlaylistShown,
    ReprintTicket,
    ScanWanted,
    ShownPicture,
    TakeAppointment,
    TakeTicket,
    TimeShown,
)
from wire.shown import PlaylistItem
from wire.texts import LANGUAGES, text, texts

SMALL = Screen.of((800, 480))
UPRIGHT = Screen.of((1080, 1920))


def words_of(element: Element) -> str:
    if isinstance(element, Text):
        return element.words
    if isinstance(element, Box | Grid):
        return "\n".join(words_of(child) for child in element.children)
    return ""


def seen(kiosk: Visit, screen: Screen = UPRIGHT) -> str:
    """All words on the page."""
    return words_of(kiosk.page(screen, kiosk.clock).body)


def name_of(kiosk: Visit) -> str:
    return kiosk.page(UPRIGHT, kiosk.clock).name


def asked(kiosk: Visit) -> list[Any]:
    """What asked for a number."""
    return [one for one in kiosk.heard if isinstance(one, TakeTicket | TakeAppointment)]


def actions(kiosk: Visit, screen: Screen) -> set[str]:
    page = kiosk.page(screen, kiosk.clock)
    layout = lay_out(page, screen, load_theme(page.theme or kiosk.theme))
    assert layout.problems == []
    return {target.action for target in layout.targets if not target.off}


@pytest.mark.parametrize("size", STATED)
@pytest.mark.parametrize("name", WAYS)
def test_a_way_is_walked_by_touches_that_are_there(name: str, size: tuple[int, int]) -> None:
    screen = Screen.of(size)
    kiosk = at_start("zh-CN")
    for action in WAYS[name]:
        for _ in range(9):  # through the parts of a long list
            if action in actions(kiosk, screen) or "later" not in actions(kiosk, screen):
                break
            kiosk.do("later")
        assert action in actions(kiosk, screen), (name, action, kiosk.page(screen, kiosk.clock).name)
        kiosk.do(action)
        if action == "take":
            kiosk.progress("requested").progress("printing").progress("done", service="id-card")
    assert name_of(kiosk) in ("attract", "start")
    assert len(asked(kiosk)) == ("take" in WAYS[name])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_its_words(language: str) -> None:
    known = texts(language)
    for name, make in PAGES.items():
        kiosk = make(language)
        shown = seen(kiosk)
        assert shown.strip(), name
        assert not any(key in shown for key in known if key.startswith("kiosk_page.")), name
        assert kiosk.page(UPRIGHT, kiosk.clock).speech.strip(), name


def test_a_confirmed_service_is_asked_for_once() -> None:
    kiosk = at_start("zh-CN").do("start", "group:general", "service:food-permit")
    kiosk.do("take", "take", "take")
    request = TakeTicket(request="request0001", service="food-permit", language="zh-CN")
    assert asked(kiosk) == [request]
    kiosk.progress("requested").do("take").progress("printing").do("take").progress("done").do("take")
    assert asked(kiosk) == [request]


def test_the_next_citizen_has_another_request() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take").progress("done").do("finish")
    kiosk.do("start", "group:marriage", "take")
    assert [one.request for one in asked(kiosk)] == ["request0001", "request0002"]


def test_an_agent_that_is_back_is_asked_the_same_again() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take").progress("requested")
    kiosk.do(None)
    assert "请稍候" in seen(kiosk)
    kiosk.do(STATE)
    first, second = asked(kiosk)
    assert first == second
    kiosk.progress("done").do(None)
    assert "A023" in seen(kiosk), "what is known stays to be seen"
    kiosk.do(STATE)
    assert len(asked(kiosk)) == 2, "it is over: nothing is asked again"


def test_a_wish_that_found_no_agent_is_said_when_it_is_there() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage")
    kiosk.gone = True
    kiosk.touched("take", kiosk.clock)
    assert asked(kiosk) == []
    kiosk.do(None, STATE)
    assert len(asked(kiosk)) == 1


def test_a_card_brings_its_priority_and_is_forgotten() -> None:
    kiosk = at_start("zh-CN").do("start", "group:general", "service:food-permit", CARD)
    assert name_of(kiosk) == "confirm"
    assert "王*明" in seen(kiosk) and "老年人优先" in seen(kiosk)
    kiosk.do(CardGone())
    assert "王*明" not in seen(kiosk) and "老年人优先" in seen(kiosk)
    kiosk.do("take")
    assert asked(kiosk)[0].priority == "elderly"
    kiosk.progress("done").do("finish", "start")
    assert kiosk.offered is None and kiosk.card is None and kiosk.handle(kiosk.clock) is None
    assert "老年人" not in seen(kiosk)


def test_home_forgets_the_card_that_still_lies_there() -> None:
    kiosk = at_start("zh-CN").do(CARD, "home")
    assert "王*明" not in seen(kiosk) and kiosk.handle(kiosk.clock) is None


def test_a_name_goes_with_a_number_only_where_the_hall_calls_by_name() -> None:
    by_name = msgspec.structs.replace(STATE, catalogue=msgspec.structs.replace(CATALOGUE, call_by_name=True))
    for state, card in ((STATE, None), (by_name, CARD.handle)):
        kiosk = at_start("zh-CN", state=state).do("start", "group:marriage", CARD, CardGone(), "take")
        assert asked(kiosk)[0].card == card


def test_a_priority_that_needs_a_card_waits_for_one_that_shows_it() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "priority", "class:elderly")
    assert name_of(kiosk) == "priority-card"
    kiosk.do(YOUNG)
    assert name_of(kiosk) == "priority" and "不属于这一类" in seen(kiosk)
    kiosk.do("class:elderly", CARD)
    assert name_of(kiosk) == "confirm"
    kiosk.do("take")
    assert asked(kiosk)[0].priority == "elderly"


def test_an_offered_priority_can_be_declined() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", CARD, "priority", "none", "take")
    assert asked(kiosk)[0].priority is None


def test_a_card_at_the_beginning_asks_what_is_wanted() -> None:
    kiosk = at_start("zh-CN").do(CARD)
    assert name_of(kiosk) == "card" and "1101**********1234" in seen(kiosk)
    kiosk.do(CardGone(), "appointment")
    assert asked(kiosk) == [TakeAppointment(request="request0001", handle=CARD.handle)]


def test_a_card_that_cannot_be_matched_leads_to_the_choice() -> None:
    kiosk = at_start("zh-CN").do(msgspec.structs.replace(CARD, handle=None))
    assert name_of(kiosk) == "start" and "王*明" in seen(kiosk)


def test_a_handle_is_not_used_when_the_agent_has_forgotten_it() -> None:
    kiosk = at_start("zh-CN").do(CARD, "now", CardGone())
    assert kiosk.handle(kiosk.clock) == CARD.handle
    assert kiosk.handle(kiosk.clock + 120) is None


@pytest.mark.parametrize(
    "message", [CARD, CodeScanned(kind="appointment", handle="abc"), CodeScanned(kind="card", handle="abc")]
)
def test_check_in_by_what_is_shown(message: LinkMessage) -> None:
    kiosk = at_start("zh-CN").do("start", "checkin", message)
    assert [type(one) for one in asked(kiosk)] == [TakeAppointment]
    kiosk.do(message).progress("printing", service="id-card").do(message)
    assert len(asked(kiosk)) == 1, "a card that is moved is no second wish"
    assert "居民身份证办理" in seen(kiosk)


def test_check_in_by_a_typed_code() -> None:
    kiosk = at_start("zh-CN").do("start", "checkin", "type", "take")
    assert asked(kiosk) == []
    for key in ("2", "8", "erase", "k"):
        kiosk.key(key, kiosk.clock)
    kiosk.do("take", "take")
    assert asked(kiosk) == [TakeAppointment(request="request0001", code="2K")]


def test_the_scanner_is_lit_while_a_code_is_wanted() -> None:
    kiosk = at_start("zh-CN").do("start", "checkin")
    kiosk.wait(45.0)
    kiosk.do("stay")
    kiosk.wait(10.0)
    kiosk.do("type", "back", "home")
    lit = [one.wanted for one in kiosk.heard if isinstance(one, ScanWanted)]
    assert lit == [True, True, False, True, False]


def test_a_code_of_another_kind_is_told_or_answered() -> None:
    kiosk = at_start("zh-CN").do(CodeScanned(kind="unreadable"))
    assert "未能识别" in seen(kiosk)
    kiosk.do(CodeScanned(kind="appointment", code="scanner.no_key"))
    assert "暂时无法核对预约" in seen(kiosk)
    kiosk.do(CodeScanned(kind="ticket", ticket=pages.TICKET))
    assert name_of(kiosk).startswith("enquiry")


def test_without_a_printer_the_number_stands_on_the_screen_and_is_seen_once() -> None:
    kiosk = at_start("zh-CN", state=NO_PAPER).do("start", "group:marriage", "take")
    assert name_of(kiosk) == "paperless" and asked(kiosk) == []
    kiosk.do("agree")
    assert asked(kiosk)[0].paperless
    page = kiosk.page(UPRIGHT, kiosk.clock)
    kiosk.shown(page, kiosk.clock)
    assert not [one for one in kiosk.heard if isinstance(one, NumberSeen)]
    kiosk.progress("printing", paperless=True)
    for _ in range(3):
        page = kiosk.page(UPRIGHT, kiosk.clock)
        kiosk.shown(page, kiosk.clock)
    assert [one for one in kiosk.heard if isinstance(one, NumberSeen)] == [NumberSeen(request="request0001")]
    kiosk.progress("done", paperless=True)
    kiosk.wait(60.0)
    assert "A023" in seen(kiosk)
    kiosk.wait(60.0)
    assert name_of(kiosk) == "attract"


def test_a_number_is_not_hidden_by_the_help_page() -> None:
    kiosk = at_start("zh-CN", state=NO_PAPER).do("start", "group:marriage", "take", "agree", "help")
    assert name_of(kiosk).startswith("help")
    kiosk.progress("printing", paperless=True)
    kiosk.shown(kiosk.page(UPRIGHT, kiosk.clock), kiosk.clock)
    assert "A023" in seen(kiosk) and NumberSeen(request="request0001") in kiosk.heard
    assert len(asked(kiosk)) == 1


def test_a_printer_that_refuses_offers_the_screen_at_once() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take")
    kiosk.progress("refused", code="printer.paper_out").do("paperless", "paperless")
    first, second = asked(kiosk)
    assert second.paperless and second.request != first.request


def test_a_process_that_comes_back_takes_up_the_number_on_the_screen() -> None:
    kiosk = at_start("zh-CN", told("of-the-one-before", "printing", paperless=True))
    assert "A023" in seen(kiosk)
    kiosk.shown(kiosk.page(UPRIGHT, kiosk.clock), kiosk.clock)
    assert NumberSeen(request="of-the-one-before") in kiosk.heard
    kiosk.do(told("of-the-one-before", "done", paperless=True), "finish")
    assert name_of(kiosk) == "attract"


def test_news_of_an_old_ticket_of_this_process_opens_nothing() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take").progress("done").do("finish")
    kiosk.progress("done", outlet="retracted")
    assert name_of(kiosk) == "attract"


@pytest.mark.parametrize("facts", [{"paper": "unknown"}, {"outlet": "retracted"}])
def test_the_same_number_is_printed_again(facts: dict[str, str]) -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take").progress("done", **facts)
    kiosk.do("reprint", "reprint")
    reprints = [one for one in kiosk.heard if isinstance(one, ReprintTicket)]
    assert reprints == [ReprintTicket(ticket=pages.TICKET)]
    assert "正在打印" in seen(kiosk)
    kiosk.progress("printing").progress("done")
    assert "请取走您的号票" in seen(kiosk) and len(asked(kiosk)) == 1


def test_a_ticket_that_is_out_and_known_is_not_printed_again() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take").progress("done").do("reprint")
    assert not [one for one in kiosk.heard if isinstance(one, ReprintTicket)]


def test_the_next_citizens_card_begins_a_new_way() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take", CARD).progress("done").do(CARD)
    assert "A023" in seen(kiosk), "that was still the first one's"
    kiosk.wait(6.0)
    kiosk.do(YOUNG)
    assert name_of(kiosk) == "card" and "李*" in seen(kiosk) and kiosk.offered is None


def test_nothing_heard_for_long_is_said_and_let_go() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage", "take").progress("requested")
    kiosk.wait(29.0)
    assert "finish" not in actions(kiosk, SMALL)
    kiosk.wait(2.0)
    assert "finish" in actions(kiosk, SMALL)
    kiosk.progress("done")
    assert "A023" in seen(kiosk), "late is better than never"


def test_offline_numbers_are_offered_and_said_to_be_such() -> None:
    kiosk = at_start("zh-CN", state=OFFLINE).do("start", "group:marriage")
    assert "可以继续取号" in seen(kiosk) and "take" in actions(kiosk, SMALL)
    kiosk.do("take").progress("done", offline=True, waiting_ahead=None)
    assert "此号码有效" in seen(kiosk)
    used_up = msgspec.structs.replace(OFFLINE, offline_numbers={"general": 1})
    kiosk = at_start("zh-CN", state=used_up).do("start", "group:marriage")
    assert "take" not in actions(kiosk, SMALL) and "备用号码已用完" in seen(kiosk)


def test_a_service_that_is_not_given_today_does_not_name_the_hours_of_the_hall() -> None:
    """Nobody is told to come back at half past one for what is given on Tuesdays only."""
    for today, told_when in ((True, True), (False, False)):
        board = pages.board(food_permit={"available": "out_of_hours", "today": today})
        kiosk = at_start("zh-CN", state=msgspec.structs.replace(STATE, board=board))
        kiosk.do("start", "group:general", "service:food-permit")
        assert ("13:30" in seen(kiosk)) is told_when
        assert "现在不取号" in seen(kiosk) and not asked(kiosk)
    offline = msgspec.structs.replace(OFFLINE, board=board)
    kiosk = at_start("zh-CN", state=offline).do("start", "group:general", "service:food-permit")
    assert "现在不取号" in seen(kiosk) and "take" not in actions(kiosk, UPRIGHT)


def test_offline_a_service_keeps_its_hours() -> None:
    at_noon = TimeShown(at=MORNING.replace(hour=12), trusted=True)
    kiosk = at_start("zh-CN", at_noon, state=OFFLINE)
    assert "现在不是取号时间" in seen(kiosk) and "下午 13:30" in seen(kiosk)
    kiosk.do(TimeShown(at=MORNING.replace(hour=14), trusted=True))
    assert "请触摸屏幕取号" in seen(kiosk)


def test_what_cannot_be_had_any_more_is_said_before_the_tap_counts() -> None:
    kiosk = at_start("zh-CN").do("start", "group:marriage")
    full = pages.board(marriage={"available": "quota_reached"})
    kiosk.do(msgspec.structs.replace(STATE, board=full), "take")
    assert asked(kiosk) == [] and "今天的号已取完" in seen(kiosk)


def test_nobody_there_is_asked_and_then_all_is_forgotten() -> None:
    kiosk = at_start("zh-CN").do("language", "start", "group:general", CARD)
    kiosk.wait(42.0)
    assert name_of(kiosk) == "services-asking" and "8" in seen(kiosk)
    kiosk.do("stay")
    assert name_of(kiosk) == "services"
    kiosk.wait(51.0)
    assert name_of(kiosk) == "attract" and kiosk.language == "zh-CN" and kiosk.card is None


def test_who_reads_slowly_has_longer() -> None:
    kiosk = at_start("zh-CN").do("start", "modes", "mode:elder", "home", "group:general")
    kiosk.wait(42.0)
    assert name_of(kiosk) == "services"


def test_a_kiosk_that_rests_is_hardly_woken() -> None:
    kiosk = at_start("zh-CN")
    woken = 0
    until = kiosk.clock + 600
    while (due := kiosk.due(kiosk.clock)) <= until:
        kiosk.clock = due
        kiosk.tick(due)
        woken += 1
    assert woken <= 22


def test_the_clock_is_shown_only_when_it_can_be_trusted() -> None:
    kiosk = at_start("zh-CN")
    assert "09:30" in seen(kiosk)
    kiosk.wait(60.0)
    assert "09:31" in seen(kiosk)
    kiosk.do(TimeShown(at=MORNING, trusted=False))
    assert "09:3" not in seen(kiosk)


def test_pages_of_the_playlist_take_turns_in_their_time() -> None:
    item = PlaylistItem(item="one", text={"zh-CN": "第一页"}, seconds=10)
    later = msgspec.structs.replace(item, item="two", text={"zh-CN": "第二页"})
    evening = msgspec.structs.replace(item, item="three", text={"zh-CN": "晚上"}, times=("18:00-20:00",))
    shown = PlaylistShown(pages=tuple(ShownPicture(item=one) for one in (item, later, evening)))
    kiosk = at_start("zh-CN", shown)
    seen_in_turn = []
    for _ in range(4):
        seen_in_turn.append(next(word for word in ("第一页", "第二页", "晚上") if word in seen(kiosk)))
        assert "请触摸屏幕取号" in seen(kiosk)
        kiosk.wait(10.0)
    assert seen_in_turn == ["第一页", "第二页", "第一页", "第二页"]
    kiosk.do(TimeShown(at=MORNING + timedelta(hours=9), trusted=True))
    kiosk.wait(20.0)
    assert "晚上" in seen(kiosk)


def test_a_page_alone_gives_way_when_its_time_is_over() -> None:
    """By the minute itself: no message comes to an idle kiosk."""
    item = PlaylistItem(item="one", text={"zh-CN": "上午办理"}, times=("09:00-09:40",))
    kiosk = at_start("zh-CN", PlaylistShown(pages=(ShownPicture(item=item),)))
    assert "上午办理" in seen(kiosk)
    kiosk.wait(660.0)
    assert "上午办理" not in seen(kiosk) and "请触摸屏幕取号" in seen(kiosk)


def test_who_does_not_look_hears_what_became_of_card_and_number() -> None:
    heard: list[Sound] = []
    kiosk = at_start("zh-CN")
    kiosk.sound = heard.append  # type: ignore[method-assign]
    kiosk.do(CardShown(lay_again=True))
    assert heard == ["error"]
    kiosk.do(CardShown(name="王*明", handle="0a1b"), CardGone(), CodeScanned(kind="unreadable"))
    assert heard == ["error", "ok", "error"]
    del heard[:]
    kiosk.do("home", "group:marriage", "take").progress("printing")
    assert heard == []
    kiosk.progress("done", paper="confirmed", outlet="presented").progress(
        "done", paper="confirmed", outlet="taken"
    )
    assert heard == ["ok"]
    kiosk.do("finish", "start", "group:marriage", "take").progress("refused", code="ticket.quota_reached")
    assert heard == ["ok", "error"]


def test_the_search_finds_by_initials_by_words_and_on_a_page_of_its_own() -> None:
    kiosk = at_start("zh-CN").do("start", "search", "key:s", "key:h")
    assert "社会保障卡" in seen(kiosk, UPRIGHT) and "社会保障卡" not in seen(kiosk, SMALL)
    kiosk.do("show")
    assert "service:social-card" in actions(kiosk, SMALL)
    kiosk.do("back")
    assert name_of(kiosk) == "search"
    for key in ("erase", "erase", "t", "a", "x"):
        kiosk.key(key, kiosk.clock)
    kiosk.do("show", "service:tax")
    assert name_of(kiosk) == "confirm"


CODES = [
    key
    for key in texts("zh-CN")
    if key.partition(".")[0] in ("ticket", "kiosk", "appointment", "printer", "agent", "cups", "scanner")
]


@pytest.mark.parametrize("stage", ["refused", "failed"])
def test_every_no_has_a_page_that_fits(stage: str) -> None:
    for language in LANGUAGES:
        for code in [*CODES, "room.unheard_of", None]:
            facts = {"from": "10:15", "until": "11:00", "number": "A023", "subject": "kiosk-1", "count": "2"}
            kiosk = at_start(language).do("start", "group:marriage", "take")
            kiosk.progress(stage, code=code, facts=facts)
            for size in STATED:
                assert "finish" in actions(kiosk, Screen.of(size)), (code, size)
            shown = seen(kiosk)
            assert "{" not in shown and (code or "room.unheard_of") not in shown, code


def test_after_a_no_there_is_a_way_on() -> None:
    for code, action, page in (
        ("ticket.quota_reached", "other", "start"),
        ("kiosk.busy", "again", "ticket-requested"),
        ("appointment.none", "retype", "checkin"),
        ("appointment.lay_again", "retype", "checkin"),
        ("appointment.too_late", "other", "start"),
    ):
        kiosk = at_start("zh-CN").do("start", "checkin", CARD).progress("refused", code=code)
        assert action in actions(kiosk, SMALL), code
        kiosk.do(action)
        assert name_of(kiosk) == page, code


def test_a_long_stack_loses_its_oldest_steps() -> None:
    kiosk = at_start("zh-CN").do("start")
    for _ in range(40):
        kiosk.go(ServicesStep("general"), kiosk.clock)
    assert len(kiosk.stack) == MOST_STEPS
    kiosk.do("home")
    assert name_of(kiosk) == "start"


def test_modes_change_the_page_and_are_forgotten() -> None:
    kiosk = at_start("zh-CN").do("start")
    kiosk.modes = replace(kiosk.modes, elder=True, contrast=True)
    page = kiosk.page(UPRIGHT, kiosk.clock)
    assert page.scale == 1.5 and page.theme == "contrast"
    kiosk.do("back")
    assert kiosk.page(UPRIGHT, kiosk.clock).scale == 1.0


def test_low_reach_keeps_all_targets_in_the_lower_part() -> None:
    for name in ("kiosk-low-start", "kiosk-low-confirm", "kiosk-low-done"):
        for size in ((1920, 1080), (1080, 1920)):
            screen = Screen.of(size)
            kiosk = PAGES[name]("zh-CN")
            page = kiosk.page(screen, kiosk.clock)
            layout = lay_out(page, screen, load_theme("day"))
            assert min(target.rect[1] for target in layout.targets) >= size[1] * 0.39


def test_what_helps_on_the_way_to_a_number_is_said_there_only() -> None:
    """Who has the number, or asks for something else, need not wonder what to do with a card."""
    hint = text("kiosk_page.card_any_time")
    kiosk = at_start("zh-CN").do("start")
    assert hint in seen(kiosk)
    assert hint not in seen(kiosk.do("enquiry"))
    kiosk.do("back", "group:general", "service:food-permit")
    assert hint in seen(kiosk)
    kiosk.do("take").progress("done")
    assert hint not in seen(kiosk) and text("kiosk_page.take_paper") in seen(kiosk)
    kiosk = at_start("zh-CN", state=OFFLINE).do("start", "guides")
    assert text("kiosk_page.offline") not in seen(kiosk)
    assert text("kiosk_page.offline_closed") in seen(kiosk)


def test_a_card_shown_again_is_friendly() -> None:
    kiosk = at_start("zh-CN").do("start", CardShown(lay_again=True))
    assert "没有读清" in seen(kiosk) and kiosk.card is None
    kiosk.wait(8.0)
    assert "没有读清" not in seen(kiosk)
