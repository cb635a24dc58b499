"""Texts about a service: what is kept of them, how they are counted, when they are taken."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall.dispatch import Dispatch
from hall.nodes import Nodes
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue import texts
from hall.queue.apply import apply
from hall.queue.state import Prompt, empty
from wire.messages import PromptRating
from wire.texts import LANGUAGES, text

FAMILY = "👨‍👩‍👧‍👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("很满意！", 4),
        ("a\nb", 3),
        ("👍", 1),
        ("👍🏽", 1),
        ("🇨🇳", 1),
        ("🇨🇳🇨🇳", 2),
        ("🇨🇳🇨", 2),
        ("1️⃣", 1),
        ("e\u0301", 1),
        (ENGLAND, 2),
        (FAMILY + "一家人都说好", 7),
        ("𠮷野家", 3),
        ("好" + "\u0301" * 400, 101),
        ("", 0),
    ],
)
def test_characters_are_counted_as_people_count(said: str, count: int) -> None:
    assert texts.letters(said) == count


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  好\r\n\r\n\r\n\r\n谢谢\t您 ", "好\n\n谢谢 您"),
        ("a\x00b\x1bc\x7fd\u202ee\ufefff\u2066g", "abcdefg"),
        (f"{FAMILY}🇨🇳1️⃣{ENGLAND}", f"{FAMILY}🇨🇳1️⃣{ENGLAND}"),
        ("我是11010119900307001x，谢谢", "我是******************，谢谢"),
        ("订单 1101011990030700110 号", "订单 1101011990030700110 号"),
        ("a\u2028b", "a\nb"),
        (" \n\u3000\t", ""),
        ("\u200d\u200b\ufe0f\u2060", ""),
    ],
)
def test_only_what_can_be_seen_is_kept(said: str, kept: str) -> None:
    assert texts.cleaned(said) == kept


@given(st.text(max_size=200))
def test_cleaning_twice_is_cleaning_once_and_leaves_no_controls(said: str) -> None:
    kept = texts.cleaned(said)
    assert texts.cleaned(kept) == kept
    assert not [c for c in kept if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f"]
    kept.encode()
    assert bool(texts.letters(kept)) == bool(kept)


@pytest.fixture
def asked(hall: Any) -> Prompt:
    """A service that is over; its panel has been asked for nothing yet."""
    hall.change(rating_texts=True)
    hall.issue("id-card")
    hall.press("1", "next")
    hall.press("1", "finish", page="5f" * 10)
    (prompt,) = hall.state.prompts.values()
    return prompt  # type: ignore[no-any-return]


def give(hall: Any, prompt: Prompt, words: str = "很好") -> list[ev.Event]:
    return hall.do(cmd.GiveText(id=hall.new("c"), at=hall.at, prompt=prompt.prompt, text=words))  # type: ignore[no-any-return]


def rate(hall: Any, prompt: Prompt) -> list[ev.Event]:
    return hall.do(  # type: ignore[no-any-return]
        cmd.Rate(
            id=hall.new("c"), at=hall.at, prompt=prompt.prompt, ticket=prompt.ticket, counter="1", grade=2
        )
    )


def test_a_text_stands_with_its_prompt_and_is_replayed(hall: Any, asked: Prompt) -> None:
    (event,) = give(hall, asked, "很好 👍")
    assert isinstance(event, ev.TextGiven)
    assert (event.ticket, event.service, event.counter, event.clerk) == (asked.ticket, "id-card", "1", "wang")
    assert (asked.text, asked.text_at, asked.grade, asked.result) == ("很好 👍", hall.at, None, "open")
    rate(hall, asked)
    hall.tomorrow()
    state = empty(hall.policy)
    for item in hall.log:
        state = apply(state, ev.decode(ev.encode(item)))
    assert state == hall.state
    assert state.pages == {"5f" * 10: asked.prompt} and state.texts == 0
    assert (state.prompts[asked.prompt].text, state.prompts[asked.prompt].grade) == ("很好 👍", 2)


def test_the_first_text_stands(hall: Any, asked: Prompt, refused: Any) -> None:
    give(hall, asked)
    with refused(texts.THERE):
        give(hall, asked, "other words")
    assert asked.text == "很好"
    assert "other words" not in "".join(ev.encode(event).decode() for event in hall.log)


@pytest.mark.parametrize("rated", [True, False])
def test_it_is_open_to_the_end_of_the_next_day(hall: Any, asked: Prompt, refused: Any, rated: bool) -> None:
    if rated:
        rate(hall, asked)
    hall.tomorrow()
    known = hall.state.prompts[asked.prompt]
    give(hall, known)
    hall.tomorrow()
    with refused(texts.OVER):
        give(hall, asked)
    assert (asked.prompt in hall.state.prompts) != rated, "an unrated one waits for its grade"


def test_days_on_which_the_hall_rests_do_not_count(hall: Any, asked: Prompt, refused: Any) -> None:
    """Monday; the next day of work is Saturday, when one service is given."""
    rate(hall, asked)
    hall.change(issue_days=(1,))
    hall.change("tax", days=(6,))
    assert texts.last_day(hall.policy, date(2026, 11, 23)) == date(2026, 11, 28)
    for _ in range(5):
        hall.tomorrow()
    give(hall, hall.state.prompts[asked.prompt])
    hall.tomorrow()
    with refused(texts.OVER):
        give(hall, asked)


def test_nobody_waits_for_ever_for_a_hall_that_rests(hall: Any) -> None:
    hall.change(issue_days=())
    day = date(2026, 11, 23)
    assert texts.last_day(hall.policy, day) == day + timedelta(days=1)
    for service in ("id-card", "house", "tax"):
        hall.change(service, days=(1,))
    assert texts.last_day(hall.policy, day) == day + timedelta(days=7)
    hall.change(services={})
    assert texts.last_day(hall.policy, day) == day + timedelta(days=texts.REST_DAYS)


def test_a_hall_without_a_page_makes_none_and_takes_none(hall: Any, refused: Any) -> None:
    hall.issue("id-card")
    hall.press("1", "next")
    hall.press("1", "finish", page="5f" * 10)
    (prompt,) = hall.state.prompts.values()
    assert prompt.page == "" and not hall.state.pages
    hall.change(rating_texts=True)
    with refused(texts.OVER):
        give(hall, prompt)


def test_a_day_takes_so_many(hall: Any, asked: Prompt, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "TEXTS", 1)
    hall.issue("id-card")
    hall.press("1", "next")
    hall.press("1", "finish", page="6f" * 10)
    other = hall.state.prompts[hall.state.pages["6f" * 10]]
    give(hall, other)
    with refused(texts.FULL):
        give(hall, asked)
    hall.tomorrow()
    give(hall, hall.state.prompts[asked.prompt])


def test_events_of_before_read_as_they_did(hall: Any) -> None:
    """A prompt of a journal that knew no pages."""
    body = (
        b'{"type":"rating_prompted","at":"2026-11-23T01:00:00Z","command":"c","prompt":"p","ticket":"t",'
        b'"number":"A001","service":"id-card","counter":"1","answer_by":"2026-11-23T01:00:20Z",'
        b'"expires_at":"2026-11-23T01:05:00Z","clerk":"wang"}'
    )
    event = ev.decode(body)
    apply(hall.state, event)
    assert hall.state.prompts["p"].page == "" and not hall.state.pages
    assert ev.encode(event) == body


def test_the_panel_is_told_the_address_of_the_page(hall: Any) -> None:
    hall.change(rating_texts=True)
    hall.issue("id-card")
    hall.press("1", "next")
    events = hall.press("1", "finish", page="5f" * 10)

    def url(**options: str) -> str:
        dispatch = Dispatch(hall.policy, Nodes(), lambda *_: True, **options)
        dispatch.on_events(events)
        (prompt,) = (found.body for found in dispatch.outstanding)
        assert isinstance(prompt, PromptRating)
        return prompt.url

    ours = "http://hall.example:8601"
    assert url(rating_page=ours) == f"{ours}/rate/{'5f' * 10}"
    assert url() == ""
    assert url(rating_page=ours, rating_url="https://other.example/{prompt}").startswith(
        "https://other.example/"
    )


@pytest.mark.parametrize("code", [texts.OVER, texts.THERE, texts.FULL])
def test_every_refusal_has_a_page(code: str) -> None:
    for language in LANGUAGES:
        assert text(code, language) != code and text(f"{code}_do", language) != f"{code}_do"
