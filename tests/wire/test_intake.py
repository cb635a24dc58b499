"""Bad input is counted and logged once per source; the next good one is read as ever."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.codec import decode, encode
from wire.intake import SOURCES, Intake
from wire.messages import NodeEvent, Rated
from wire.mqtt import Received
from wire.samples import EVENT_BODIES, SAMPLES
from wire.topics import parse_topic

EVENT_TOPIC = "paihao/1/h/node/kiosk-1/event"


def received(topic: str, payload: bytes) -> Received:
    return Received(topic, payload, 1, False, False, 1, cast(Any, None))


def test_a_good_message_comes_with_its_topic() -> None:
    intake = Intake("h")
    parsed = intake.parse(received("paihao/1/h/board", encode(SAMPLES["board"])))
    assert parsed == (parse_topic("paihao/1/h/board"), SAMPLES["board"])
    assert intake.bad == 0


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (EVENT_TOPIC, b"{"),
        (EVENT_TOPIC, b"\xff\xfe"),
        (EVENT_TOPIC, b'{"id":"x"}'),
        ("paihao/1/h/nonsense", b"{}"),
        ("paihao/1/other/board", encode(SAMPLES["board"])),
        ("paihao/1/h/node/\ufffd/event", b"{}"),
    ],
)
def test_bad_ones_are_counted_and_logged_once(
    topic: str, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    intake = Intake("h")
    for _ in range(3):
        assert intake.parse(received(topic, payload)) is None
    assert intake.bad == 3
    assert len(caplog.records) == 1


def test_a_source_that_was_good_again_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    intake = Intake("h")
    bad, good = received(EVENT_TOPIC, b"{"), received(EVENT_TOPIC, encode(SAMPLES["event/rated"]))
    for message in (bad, bad, good, bad, bad):
        intake.parse(message)
    assert len(caplog.records) == 2


def test_a_bad_body_in_good_envelopes_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    intake = Intake("h")
    message = received(EVENT_TOPIC, encode(SAMPLES["event/rated"]).replace(b'"grade":5', b'"grade":9'))
    for _ in range(3):
        parsed = intake.parse(message)
        assert parsed is not None and isinstance(parsed[1], NodeEvent)
        assert intake.body(message, parsed[1]) is None
    assert (intake.bad, len(caplog.records)) == (3, 1)
    good = decode(encode(SAMPLES["event/rated"]), NodeEvent)
    assert intake.body(message, good) == EVENT_BODIES["rated"]
    assert isinstance(intake.body(message, good), Rated)


def test_a_cleared_state_is_not_bad(caplog: pytest.LogCaptureFixture) -> None:
    intake = Intake("h")
    assert intake.parse(received("paihao/1/h/node/kiosk-1/state", b"")) is None
    assert intake.bad == 0
    assert not caplog.records


def test_a_flood_of_bad_topics_costs_bounded_memory(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    intake = Intake("h")
    for number in range(2 * SOURCES):
        intake.parse(received(f"paihao/1/h/bad/{number}", b""))
    assert intake.bad == 2 * SOURCES
    assert len(intake._bad_sources) == SOURCES


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.just(EVENT_TOPIC), st.binary(max_size=200))
def test_nothing_that_arrives_raises(topic: str, payload: bytes) -> None:
    Intake("h").parse(received(topic, payload))
