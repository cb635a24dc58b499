"""The help key of a kiosk and the reasons after a grade, from the node's event to what it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hall.dispatch import Dispatch
from hall.intake import to_command
from hall.nodes import Nodes
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.apply import apply
from hall.queue.state import Prompt, empty
from wire import codec
from wire.kiosk_messages import CheckIn, HelpAnswered, HelpWanted
from wire.messages import Message, PromptRating, RatingReasonsGiven


def command_of(hall: Any, body: Message) -> cmd.Command:
    """What the coordinator makes of a node's event."""
    id_ = hall.new("e")
    event = codec.event(body, id=id_, stream="s", seq=1, session="x", at=hall.at)
    return to_command("kiosk-1", event, body, at=hall.at, epoch=1, date_of=lambda at: at.date())


def help_(hall: Any, wanted: bool = True, station: str = "front") -> list[ev.Event]:
    return hall.do(command_of(hall, HelpWanted(station=station, wanted=wanted)))


def answer(hall: Any, over: bool = False) -> list[ev.Event]:
    return hall.do(
        cmd.AnswerHelp(
            id=hall.new("c"),
            at=hall.at,
            node="kiosk-1",
            station="front",
            answer=hall.new("help-"),
            over=over,
        )
    )


def test_a_check_in_of_the_wire_is_a_command_of_the_queue(hall: Any) -> None:
    command = command_of(hall, CheckIn(request="r-1", proof="5f" * 32, paperless=True, name="王*明"))
    assert isinstance(command, cmd.CheckIn)
    assert (command.node, command.request, command.proof) == ("kiosk-1", "r-1", "5f" * 32)
    assert (command.paperless, command.name, command.requested_at) == (True, "王*明", hall.at)


def test_pressed_again_and_again_it_is_one_alarm(hall: Any) -> None:
    (raised,) = help_(hall)
    assert isinstance(raised, ev.AlarmRaised)
    assert (raised.code, raised.subject) == ("kiosk.help", "kiosk-1/front")
    for _ in range(3):
        assert [type(event) for event in help_(hall)] == [ev.NothingToDo]
    help_(hall, station="back")
    assert sorted(subject for _, subject in hall.state.alarms) == ["kiosk-1/back", "kiosk-1/front"]


def test_an_answer_is_told_to_the_node_once_and_stands_in_the_alarm(hall: Any, refused: Any) -> None:
    with refused("kiosk.help_none"):
        answer(hall)
    help_(hall)
    dispatch = Dispatch(hall.policy, Nodes(), lambda *_: True)
    dispatch.on_events(answer(hall))
    (told,) = dispatch.outstanding
    assert (told.node, told.body) == ("kiosk-1", HelpAnswered(station="front"))
    assert hall.state.alarms["kiosk.help", "kiosk-1/front"].facts["answered"] == hall.at.isoformat()
    hall.wait(5)
    assert [type(event) for event in answer(hall)] == [ev.NothingToDo]
    dispatch.on_events(answer(hall, over=True))
    (told,) = dispatch.outstanding
    assert told.body == HelpAnswered(station="front", over=True)
    assert not hall.state.alarms


def test_taken_back_there_is_nothing_to_answer(hall: Any, refused: Any) -> None:
    help_(hall)
    dispatch = Dispatch(hall.policy, Nodes(), lambda *_: True)
    dispatch.on_events(answer(hall))
    dispatch.on_events(help_(hall, wanted=False))
    assert not hall.state.alarms and not dispatch.outstanding
    assert [type(event) for event in help_(hall, wanted=False)] == [ev.NothingToDo]
    with refused("kiosk.help_none"):
        answer(hall, over=True)


def test_asked_again_after_an_answer_it_is_a_new_call(hall: Any) -> None:
    help_(hall)
    dispatch = Dispatch(hall.policy, Nodes(), lambda *_: True)
    dispatch.on_events(answer(hall))
    hall.wait(700)
    (again,) = help_(hall)
    dispatch.on_events([again])
    assert isinstance(again, ev.AlarmRaised) and not dispatch.outstanding
    (alarm,) = hall.state.alarms.values()
    assert alarm.raised_at == hall.at and "answered" not in alarm.facts


def test_a_call_of_a_kiosk_that_was_cut_off_is_for_nobody_after_ten_minutes(hall: Any) -> None:
    late, in_time, unset = hall.new("e"), hall.new("e"), hall.new("e")
    for id_, ago, raised in ((late, 601, 0), (unset, 20 * 365 * 86_400, 1), (in_time, 599, 1)):
        pressed = hall.at - timedelta(seconds=ago)
        body = HelpWanted(station=id_)
        event = codec.event(body, id=id_, stream="s", seq=1, session="x", at=pressed)
        command = to_command("kiosk-1", event, body, at=hall.at, epoch=1, date_of=lambda at: at.date())
        assert [isinstance(e, ev.AlarmRaised) for e in hall.do(command)] == [bool(raised)]


def test_a_new_call_is_not_answered_by_the_old_answer(hall: Any) -> None:
    help_(hall)
    dispatch = Dispatch(hall.policy, Nodes(), lambda *_: True)
    dispatch.on_events(answer(hall, over=True))
    dispatch.on_events(help_(hall))
    assert not dispatch.outstanding
    assert "answered" not in hall.state.alarms["kiosk.help", "kiosk-1/front"].facts


def test_no_call_for_help_outlives_its_date(hall: Any) -> None:
    help_(hall)
    hall.tomorrow()
    assert not hall.state.alarms


@pytest.fixture
def rated(hall: Any) -> Prompt:
    """A service that was finished and graded with 2."""
    hall.issue("id-card")
    hall.press("1", "next")
    hall.press("1", "finish")
    (prompt,) = hall.state.prompts.values()
    hall.do(
        cmd.Rate(
            id=hall.new("c"), at=hall.at, prompt=prompt.prompt, ticket=prompt.ticket, counter="1", grade=2
        )
    )
    return prompt  # type: ignore[no-any-return]


def give(hall: Any, rated: Prompt, /, **more: Any) -> list[ev.Event]:
    body = RatingReasonsGiven(
        prompt=more.get("prompt", rated.prompt),
        ticket=more.get("ticket", rated.ticket),
        counter="1",
        grade=more.get("grade", 2),
        version=7,
        reasons=more.get("reasons", ("slow", "attitude", "slow")),
    )
    return hall.do(command_of(hall, body))


def test_reasons_stand_with_their_grade(hall: Any, rated: Prompt) -> None:
    (event,) = give(hall, rated)
    assert isinstance(event, ev.ReasonsGiven)
    assert (rated.reasons, rated.reasons_version, rated.grade) == (("slow", "attitude"), 7, 2)
    state = empty(hall.policy)
    for item in hall.log:
        state = apply(state, ev.decode(ev.encode(item)))
    assert state == hall.state


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"prompt": "p-other"}, "prompt"), ({"ticket": "t-other"}, "prompt"), ({"grade": 1}, "grade")],
)
def test_reasons_of_nothing_known_are_kept_but_count_nowhere(
    hall: Any, rated: Prompt, wrong: dict[str, Any], why: str
) -> None:
    (event,) = give(hall, rated, **wrong)
    assert isinstance(event, ev.ReasonsUnmatched) and event.why == why
    assert event.reasons == ("slow", "attitude")
    assert rated.reasons == ()


def test_reasons_count_once(hall: Any, rated: Prompt) -> None:
    give(hall, rated)
    (event,) = give(hall, rated, reasons=("other",))
    assert isinstance(event, ev.ReasonsUnmatched) and event.why == "again"
    assert rated.reasons == ("slow", "attitude")


def test_a_prompt_says_where_a_text_can_be_written(hall: Any) -> None:
    dispatch = Dispatch(hall.policy, Nodes(), lambda *_: True, rating_url="https://hall.example/r/{prompt}")
    hall.issue("id-card")
    hall.press("1", "next")
    dispatch.on_events(hall.press("1", "finish"))
    (prompt,) = (found.body for found in dispatch.outstanding)
    assert isinstance(prompt, PromptRating)
    assert prompt.url == f"https://hall.example/r/{prompt.prompt}"
