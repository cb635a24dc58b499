"""The rating panel: touches, the agent's word, time, and what a clerk cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages_rating import (
    PAGES,
    REASONS,
    START,
    URL,
    WAYS,
    Agent,
    asked,
    graded,
    panel,
    prompt,
    touched,
)
from screen_checks import complaints

from ui.items import Drawing, Layout, Target, Words
from ui.layout import lay_out
from ui.rating.flow import ANSWER_S, SETTLE_S
from ui.rating.program import RatingPanel
from ui.screen import STATED, Screen
from ui.sounds import Sound
from ui.theme import load_theme
from wire.messages import PromptRating
from wire.screen_link import CounterShown, GiveReasons, LinkMessage, RateService, RatingShown

SMALL = Screen.of((800, 480))
LARGE = Screen.of((1920, 1080))
IDLE = "请在办理结束后评价"


def laid(program: RatingPanel, now: float, screen: Screen = SMALL) -> Layout:
    return lay_out(program.page(screen, now), screen, load_theme("day"))


def shown(program: RatingPanel, now: float) -> str:
    return " ".join("".join(item.lines) for item in laid(program, now).items if isinstance(item, Words))


def targets(program: RatingPanel, now: float) -> list[Target]:
    return [target for target in laid(program, now).targets if not target.off]


def said(program: RatingPanel) -> list[LinkMessage]:
    agent: Any = program.say
    assert isinstance(agent, Agent)
    return agent.heard


# ---------------------------------------------------------------- the grade


def test_five_grades_alike_in_the_order_of_the_rules_with_faces_and_words() -> None:
    for size in STATED:
        layout = laid(panel("zh-CN", asked()), START, Screen.of(size))
        grades = [target for target in layout.targets if target.action.startswith("grade:")]
        assert [target.action for target in grades] == [f"grade:{grade}" for grade in (5, 4, 3, 2, 1)]
        assert [target.label for target in grades] == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
        assert max(t.rect[2] for t in grades) - min(t.rect[2] for t in grades) <= 1
        assert max(t.rect[3] for t in grades) - min(t.rect[3] for t in grades) <= 1
        faces = [item for item in layout.items if isinstance(item, Drawing) and item.name == "face"]
        assert [item.args for item in faces] == [(5,), (4,), (3,), (2,), (1,)]
        assert len({(item.colour, item.rect[2:]) for item in faces}) == 1
        labels = {target.label for target in grades}
        drawn = [item for item in layout.items if isinstance(item, Words) and "".join(item.lines) in labels]
        assert len({item.size for item in drawn}) == 1 and len(drawn) == 5


def test_the_service_and_the_number_stand_on_the_prompt() -> None:
    told = shown(panel("zh-CN", asked()), START)
    assert "请您评价本次服务" in told and "号码 A005" in told and "社保登记" in told


@pytest.mark.parametrize("grade", [1, 2, 3, 4, 5])
def test_a_touch_is_told_once_and_the_agents_word_makes_it_a_grade(grade: int) -> None:
    program = touched(panel("zh-CN", asked()), f"grade:{grade}", f"grade:{grade}", "grade:3")
    assert said(program) == [RateService(prompt="p-1", grade=grade)]
    assert "正在保存" in shown(program, START + 1)
    assert not [target for target in targets(program, START + 1) if target.action.startswith("grade")]
    program.said(graded(grade, reasons=None), START + 1.1)
    assert "谢谢您的评价" in shown(program, START + 1.2)


def test_a_grade_that_could_not_be_kept_is_asked_for_again() -> None:
    program = touched(panel("zh-CN", asked()), "grade:4")
    program.said(RatingShown(prompt=prompt(), left_s=28.0), START + 2)
    assert "没有保存成功，请再按一次" in shown(program, START + 2)
    touched(program, "grade:4", at=START + 3)
    assert len(said(program)) == 2


def test_who_cannot_see_the_page_hears_what_became_of_a_grade() -> None:
    heard: list[Sound] = []
    program = panel("zh-CN", asked())
    program.sound = heard.append  # type: ignore[method-assign]
    touched(program, "grade:4")
    assert heard == []  # the touch itself has its sound
    program.said(asked(), START + 2)
    assert heard == ["error"]
    touched(program, "grade:4", at=START + 4)
    program.said(graded(4), START + 5)
    program.said(graded(4), START + 6)
    assert heard == ["error", "ok"]
    late = panel("zh-CN")
    late.sound = heard.append  # type: ignore[method-assign]
    late.said(graded(4), START)
    assert heard == ["error", "ok"]


def test_an_agent_that_does_not_answer_is_asked_again_by_the_citizen() -> None:
    program = touched(panel("zh-CN", asked()), "grade:4")
    due = START + 1 + ANSWER_S
    assert program.due(START + 1) <= due
    program.tick(due)
    assert "请再按一次" in shown(program, due)
    touched(program, "grade:4", at=due + 1)
    assert len(said(program)) == 2


def test_without_an_agent_nothing_is_asked() -> None:
    program = panel("zh-CN", asked())
    program.said(None, START + 3)
    assert "评价器正在准备" in shown(program, START + 3)
    assert not targets(program, START + 3)
    touched(program, "grade:5", at=START + 4)
    assert said(program) == []


def test_a_line_that_broke_just_now_keeps_no_grade_silently() -> None:
    program = panel("zh-CN", asked())
    agent: Any = program.say
    agent.here = False
    touched(program, "grade:5")
    assert "请再按一次" in shown(program, START + 1)


def test_an_agent_that_goes_before_it_kept_the_grade_asks_again_and_says_why() -> None:
    program = touched(panel("zh-CN", asked()), "grade:5")
    program.said(None, START + 1.5)
    assert "没有保存" not in shown(program, START + 2)
    program.said(RatingShown(prompt=prompt(), left_s=20.0), START + 3)
    assert "没有保存成功，请再按一次" in shown(program, START + 3)
    program.said(RatingShown(prompt=prompt("B017", which="p-2"), left_s=30.0), START + 4)
    assert "没有保存" not in shown(program, START + 4)


def test_a_rating_keypad_leads_to_the_same_pages() -> None:
    program = panel("zh-CN", asked())
    program.said(graded(2), START + 4)
    assert "您的评价：不满意" in shown(program, START + 4)


def test_a_new_prompt_takes_the_place_of_the_old_one() -> None:
    program = touched(panel("zh-CN", asked()), "grade:4")
    program.said(RatingShown(prompt=prompt("B017", which="p-2"), left_s=30.0), START + 2)
    assert "B017" in shown(program, START + 2) and "没有保存" not in shown(program, START + 2)
    touched(program, "grade:1", at=START + 2 + SETTLE_S / 2)  # meant for the page before
    assert len(said(program)) == 1
    touched(program, "grade:5", at=START + 3)
    assert said(program)[1:] == [RateService(prompt="p-2", grade=5)]


def test_who_does_not_answer_sees_the_idle_page_again() -> None:
    program = panel("zh-CN", asked())
    assert IDLE not in shown(program, START + 29.5)
    assert IDLE in shown(program, START + 30)
    program.said(RatingShown(), START + 30.1)
    assert IDLE in shown(program, START + 31) and said(program) == []


def test_the_bar_changes_once_a_second_at_most() -> None:
    program = panel("zh-CN", asked())
    now, looks = START, []
    while (due := program.due(now)) <= START + 30:
        assert due > now
        now = due
        program.tick(now)
        looks.append(now)
    assert len(looks) <= 32
    before = laid(program, START + 10.1)
    assert before.items == laid(program, START + 10.9).items
    changed = set(before.items) ^ set(laid(program, START + 11.1).items)
    bar = before.boxes["bar"]
    assert changed and all(bar[1] <= item.rect[1] for item in changed)


def test_when_nothing_can_be_kept_nothing_is_asked() -> None:
    program = panel("zh-CN", RatingShown(prompt=prompt(), left_s=30.0, works=False))
    assert "暂停评价" in shown(program, START) and not targets(program, START)
    program.said(RatingShown(prompt=prompt(), left_s=20.0), START + 10)
    assert "非常满意" in shown(program, START + 10)


# ---------------------------------------------------------------- reasons and thanks


def test_reasons_of_the_grade_can_be_chosen_taken_back_and_sent() -> None:
    program = panel("zh-CN", graded(2))
    assert "服务态度不好" in shown(program, START) and "态度热情" not in shown(program, START)
    touched(program, "reason:slow", "reason:unclear", "reason:slow", "reason:attitude-good", "submit")
    assert said(program) == [GiveReasons(prompt="p-1", version=3, reasons=("unclear",))]
    touched(program, "submit", "skip")
    assert len(said(program)) == 1
    program.said(graded(2, given=True), START + 2)
    assert "谢谢您的评价" in shown(program, START + 2)


def test_nothing_chosen_cannot_be_sent_but_skipped() -> None:
    program = panel("zh-CN", graded(5))
    assert "submit" not in [target.action for target in targets(program, START + 1)]
    touched(program, "submit", "skip")
    assert said(program) == [GiveReasons(prompt="p-1", version=3, reasons=())]


def test_reasons_that_could_not_be_kept_stay_chosen() -> None:
    program = touched(panel("zh-CN", graded(1)), "reason:slow", "submit")
    program.said(graded(1), START + 2)
    assert "没有保存成功" in shown(program, START + 2)
    touched(program, "submit", at=START + 3)
    assert said(program)[1] == GiveReasons(prompt="p-1", version=3, reasons=("slow",))


def test_the_second_half_of_a_double_touch_chooses_no_reason() -> None:
    program = touched(panel("zh-CN", asked()), "grade:1")
    program.said(graded(1), START + 1.05)
    touched(program, "reason:slow", "skip", at=START + 1.2)
    assert len(said(program)) == 1
    assert "reason:slow" in [target.action for target in targets(program, START + 2)]


def test_all_reasons_can_be_reached() -> None:
    program = panel("zh-CN", graded(1))
    seen: set[str] = set()
    for turn in range(6):
        now = START + 1 + turn
        seen |= {t.action for t in targets(program, now) if t.action.startswith("reason:")}
        touched(program, "more", at=now)
    assert seen == {f"reason:{one.reason}" for one in REASONS.reasons if 1 in one.grades}


def test_a_code_for_the_phone_stands_where_the_hall_has_a_page() -> None:
    def codes(program: RatingPanel) -> list[object]:
        items = laid(program, START, LARGE).items
        return [item.args[0] for item in items if isinstance(item, Drawing) and item.name == "qr"]

    assert codes(panel("zh-CN", graded(1))) == [URL]
    assert codes(panel("zh-CN", graded(1, given=True))) == [URL]
    assert codes(panel("zh-CN", graded(1, given=True, url=""))) == []


def test_thanks_stay_when_the_agent_goes() -> None:
    program = panel("zh-CN", graded(5, given=True))
    program.said(None, START + 1)
    assert "谢谢您的评价" in shown(program, START + 2)


def test_a_panel_that_starts_again_shows_where_the_rating_stands() -> None:
    program = panel("zh-CN", RatingShown(prompt=prompt(), left_s=12.0))
    assert "非常满意" in shown(program, START)
    bar = laid(program, START).boxes["bar"]
    fill = next(item for item in laid(program, START).items if item.rect[1] >= bar[1])
    assert fill.rect[2] == pytest.approx(bar[2] * 12 / 30, abs=3)


# ---------------------------------------------------------------- language, and what nobody can do


def test_the_other_language_is_for_one_citizen() -> None:
    program = touched(panel("zh-CN", asked()), "language")
    assert "How was the service?" in shown(program, START + 1)
    program.said(graded(4), START + 2)
    assert "What was good?" in shown(program, START + 2)
    program.said(RatingShown(), START + 20)
    assert IDLE in shown(program, START + 20)
    program.said(asked(), START + 30)
    assert "请您评价本次服务" in shown(program, START + 30)


@pytest.mark.parametrize("name", ["rating_idle", "rating_thanks", "rating_paused", "rating_starting"])
def test_where_nothing_is_asked_nothing_can_be_touched(name: str) -> None:
    program = PAGES[name]("zh-CN")
    assert not laid(program, START).targets
    agent = Agent()
    program.say = agent  # type: ignore[method-assign]
    touched(program, "grade:5", "submit", "skip", "language", "reason:slow", "more")
    assert agent.heard == [] and program.page(SMALL, START + 2).language == "zh-CN"


@pytest.mark.parametrize("name", sorted(WAYS))
@pytest.mark.parametrize("size", sorted(STATED))
def test_every_touch_of_the_ways_has_its_target(name: str, size: tuple[int, int]) -> None:
    program, now = PAGES[name]("zh-CN"), START + 5
    for action in WAYS[name]:
        for _ in range(5):
            there = {t.action for t in laid(program, now, Screen.of(size)).targets if not t.off}
            if action in there or "more" not in there:
                break
            program.touched("more", now)
        assert action in there
        program.touched(action, now)
        now += 1


prompts = st.sampled_from([None, prompt(), prompt("B017", which="p-2", long=True, url="")])
shows = st.builds(
    RatingShown,
    prompt=prompts,
    left_s=st.floats(0, 40),
    grade=st.sampled_from([None, 1, 3, 5]),
    reasons=st.sampled_from([None, REASONS]),
    reasons_given=st.booleans(),
    works=st.booleans(),
)
actions = st.sampled_from(
    [
        *(f"grade:{grade}" for grade in range(1, 6)),
        "reason:slow",
        "reason:quick",
        "submit",
        "skip",
        "more",
        "language",
    ]
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.one_of(shows, st.none(), actions), st.floats(0, 12)), max_size=16),
    st.sampled_from(sorted(STATED)),
    st.sampled_from(["zh-CN", "en"]),
    st.booleans(),
)
def test_whatever_happens_a_whole_page_stands_and_a_grade_is_only_for_what_is_asked(
    things: list[tuple[RatingShown | str | None, float]], size: tuple[int, int], language: str, here: bool
) -> None:
    program, now, screen = panel(language), START, Screen.of(size)
    agent = Agent()
    agent.here = here
    program.say = agent  # type: ignore[method-assign]
    newest: RatingShown | None = None
    for thing, wait in things:
        before = len(agent.heard)
        if isinstance(thing, str):
            program.touched(thing, now)
        else:
            newest = thing
            program.said(thing, now)
        for message in agent.heard[before:]:
            asks: PromptRating | None = newest.prompt if newest is not None else None
            assert asks is not None and isinstance(message, RateService | GiveReasons)
            assert message.prompt == asks.prompt
        now += wait
        if program.due(now) <= now:
            program.tick(now)
        layout = laid(program, now, screen)
        assert any(isinstance(item, Words) for item in layout.items)
        assert not complaints(layout, size)


@pytest.mark.parametrize("size", sorted(STATED))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_grade_is_torn_within_a_word(size: tuple[int, int], language: str) -> None:
    layout = laid(panel(language, asked()), START, Screen.of(size))
    labels = {target.label for target in layout.targets if target.action.startswith("grade:")}
    drawn = [item for item in layout.items if isinstance(item, Words) and " ".join(item.lines) in labels]
    assert len(drawn) == 5


def test_the_counter_stays_named_while_an_agent_that_starts_does_not_know_it_yet() -> None:
    program = panel("zh-CN", asked())
    program.said(None, START + 1)
    program.said(CounterShown(counter=None, prompt=None, stale=True), START + 2)
    program.said(RatingShown(), START + 2)
    assert "3号窗口" in shown(program, START + 3)
