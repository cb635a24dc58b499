"""Topics: built, parsed, subscribed to."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from wire.topics import KINDS, BadTopicError, parse_topic, subscription, topic

ids = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)


def fields(name: str) -> list[str]:
    return re.findall(r"{([a-z]+)}", KINDS[name].pattern)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_a_built_topic_parses_to_its_parts_and_matches_its_subscriptions(
    name: str, data: st.DataObject
) -> None:
    hall = data.draw(ids)
    values = {field: data.draw(ids) for field in fields(name)}
    text = topic(hall, name, **values)
    parsed = parse_topic(text)
    assert (parsed.hall, parsed.name, parsed.ids) == (hall, name, values)
    given_ids = {field: value for field, value in values.items() if data.draw(st.booleans())}
    assert topic_matches_sub(subscription(hall, name, **given_ids), text)
    matching = [other for other in KINDS if topic_matches_sub(subscription(hall, other), text)]
    assert matching == [name]


@pytest.mark.parametrize("bad", ["", "A", "a/b", "+", "#", "a b", "x" * 65, "窗口", "a\n", "a\0"])
@pytest.mark.parametrize("build", [topic, subscription])
def test_an_id_that_could_change_the_topic_is_refused(build: object, bad: str) -> None:
    assert callable(build)
    with pytest.raises(BadTopicError):
        build("h", "counter", counter=bad)
    with pytest.raises(BadTopicError):
        build(bad, "board")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"paihao/1/[a-z/+#]{0,30}", fullmatch=True))
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    try:
        parsed = parse_topic(text)
    except BadTopicError:
        return
    assert topic(parsed.hall, parsed.name, **parsed.ids) == text


@pytest.mark.parametrize(
    "text",
    [
        "paihao/2/h/board",
        "paihao/1/h/board/",
        "paihao/1/h/board\n",
        "/paihao/1/h/board",
        "paihao/1/h/node/x",
        "paihao/1//board",
        "paihao/1/h/node/+/state",
    ],
)
def test_what_only_looks_like_a_topic_is_refused(text: str) -> None:
    with pytest.raises(BadTopicError):
        parse_topic(text)
