"""Frames of relays and towers: as their makers document them, and nothing else is one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import FrameChecksumError, FrameError
from drivers.light.fake import FakeLcus, FakeModbusRelay
from drivers.light.frames import CHANNELS, HELD, AnswerReader, Layout, LightFormat, Values, load_format
from drivers.light.signals import HALF_PERIOD_S, LampConfig, Pattern, SignalLook, Signals

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

MODBUS = load_format("modbus-relay")
LCUS = load_format("lcus")
ANSWERING = load_format("lcus-answering")

WAVESHARE = [
    # "Protocol Manual of Modbus RTU Relay": control single relay
    (1, True, "01 05 00 00 FF 00 8C 3A"),
    (1, False, "01 05 00 00 00 00 CD CA"),
    (2, True, "01 05 00 01 FF 00 DD FA"),
    (2, False, "01 05 00 01 00 00 9C 0A"),
    (3, True, "01 05 00 02 FF 00 2D FA"),
    (3, False, "01 05 00 02 00 00 6C 0A"),
    (4, True, "01 05 00 03 FF 00 7C 3A"),
    (4, False, "01 05 00 03 00 00 3D CA"),
]
LC_TECHNOLOGY = [
    # "LC USB switch communication protocol"
    (1, True, "A0 01 01 A2"),
    (1, False, "A0 01 00 A1"),
    (2, True, "A0 02 01 A3"),
    (2, False, "A0 02 00 A2"),
    (3, True, "A0 03 01 A4"),
    (4, False, "A0 04 00 A4"),
]


def layout(format: LightFormat, template: str) -> Layout:
    return Layout(template, format.checksum, format.channels)


def order(format: LightFormat, channel: int, on: bool) -> bytes:
    return layout(format, format.on if on else format.off).to_bytes(Values(1, channel, format.channels))


@pytest.mark.parametrize(("channel", "on", "frame"), WAVESHARE)
def test_modbus_orders_are_those_of_the_makers_manual(channel: int, on: bool, frame: str) -> None:
    assert order(MODBUS, channel, on) == bytes.fromhex(frame)
    fake = FakeModbusRelay()
    answers: list[bytes] = []
    fake.send = answers.append
    fake.lamps[channel] = "off" if on else "on"
    fake.received(bytes.fromhex(frame))
    assert fake.lamps[channel] == ("on" if on else "off")
    assert answers == [bytes.fromhex(frame)]


def test_the_question_for_all_modbus_relays_is_that_of_the_manual() -> None:
    query = layout(MODBUS, MODBUS.query).to_bytes(Values(1, 1, 8))
    assert query == bytes.fromhex("01 01 00 00 00 08 3D CC")
    answer = layout(MODBUS, MODBUS.query_answer).from_bytes(
        bytes.fromhex("01 01 01 03 11 89"), Values(1, 1, 8)
    )
    assert answer.on == {1, 2}


@pytest.mark.parametrize(("channel", "on", "frame"), LC_TECHNOLOGY)
def test_relay_orders_are_those_of_the_makers_leaflet(channel: int, on: bool, frame: str) -> None:
    assert order(LCUS, channel, on) == bytes.fromhex(frame)
    fake = FakeLcus(4)
    fake.received(bytes.fromhex(frame))
    assert fake.lamps[channel] == ("on" if on else "off")


def test_relays_that_answer_are_asked_and_believed_as_in_the_leaflet() -> None:
    assert order(ANSWERING, 1, True) == bytes.fromhex("A0 01 03 A4")
    assert order(ANSWERING, 1, False) == bytes.fromhex("A0 01 02 A3")
    assert layout(ANSWERING, ANSWERING.query).to_bytes(Values(0, 1)) == bytes.fromhex("A0 01 05 A6")
    state = layout(ANSWERING, ANSWERING.query_answer)
    assert state.from_bytes(bytes.fromhex("A0 01 01 A2"), Values()).on == {1}
    assert state.from_bytes(bytes.fromhex("A0 01 00 A1"), Values(on=frozenset({1}))).on == set()


TEMPLATES = [
    (format, getattr(format, name))
    for format in (MODBUS, LCUS, ANSWERING)
    for name in ("on", "off", "on_answer", "query", "query_answer", "refusal")
    if getattr(format, name)
]
values = st.builds(
    Values,
    address=st.integers(0, 255),
    channel=st.integers(1, 8),
    count=st.just(8),
    on=st.frozensets(st.integers(1, 8)),
    code=st.integers(0, 255),
)


@given(st.sampled_from(TEMPLATES), values)
def test_what_was_written_is_read(which: tuple[LightFormat, str], said: Values) -> None:
    format, template = which
    frame = layout(format, template)
    told = frame.from_bytes(frame.to_bytes(said), Values(said.address, said.channel, 8))
    if "{states}" in template:
        assert told.on == said.on
    if "{state}" in template:
        assert (said.channel in told.on) == (said.channel in said.on)
    if "{code}" in template:
        assert told.code == said.code


@given(st.sampled_from(TEMPLATES), values)
def test_no_truncation_and_no_flipped_bit_is_taken_for_a_frame(
    which: tuple[LightFormat, str], said: Values
) -> None:
    format, template = which
    frame = layout(format, template)
    whole = frame.to_bytes(said)
    for end in range(len(whole)):
        with pytest.raises(FrameError):
            frame.from_bytes(whole[:end], said)
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            frame.from_bytes(bytes(flipped), said)


def test_a_wrong_checksum_says_both() -> None:
    with pytest.raises(FrameChecksumError) as caught:
        layout(LCUS, LCUS.on).from_bytes(bytes.fromhex("A0 01 01 A3"), Values(0, 1))
    assert (caught.value.expected, caught.value.got) == (0xA2, 0xA3)


@given(st.binary(max_size=300), st.integers(1, 7), st.binary(max_size=20))
def test_an_answer_is_found_in_any_noise_in_any_pieces(noise: bytes, piece: int, after: bytes) -> None:
    answer = layout(MODBUS, MODBUS.query_answer)
    said = Values(1, 1, 8, frozenset({3}))
    reader = AnswerReader()
    stream = noise + answer.to_bytes(said) + after
    found = None
    for at in range(0, len(stream), piece):
        found = found or reader.feed(stream[at : at + piece], [answer], Values(1, 1, 8))
        assert len(reader._held) <= HELD
    assert found is not None and found[0] == 0


def test_the_answer_of_a_neighbour_is_no_answer() -> None:
    answer = layout(MODBUS, MODBUS.on_answer)
    reader = AnswerReader()
    assert reader.feed(answer.to_bytes(Values(2, 1)), [answer], Values(1, 1)) is None
    assert reader.feed(answer.to_bytes(Values(1, 2)), [answer], Values(1, 1)) is None
    assert reader.feed(answer.to_bytes(Values(1, 1)), [answer], Values(1, 1)) is not None
    assert reader.skipped == 16


# ------------------------------------------------------------------ signals

LAMPS = LampConfig(
    lamps={"white": 1, "red": 2},
    signals={
        "call": SignalLook(lamps=("white", "red"), pattern="flash"),
        "help": SignalLook(lamps=("red",), pattern="on"),
    },
)


def signals() -> Signals:
    return Signals(LAMPS.looks("flash"), tuple(LAMPS.lamps))


def test_no_light_flashes_more_than_three_times_a_second() -> None:
    assert all(1 / (2 * half) <= 3 for half in HALF_PERIOD_S.values())


def test_the_more_important_signal_has_the_lamp_and_the_others_go_on() -> None:
    shown = signals()
    shown.begin("call", 0.0, 10.0)
    assert shown.at(0.0, False) == ({"white": "on", "red": "on"}, 0.2)
    shown.begin("help", 0.1, None)
    assert shown.at(0.3, False) == ({"white": "off", "red": "on"}, pytest.approx(0.4))
    assert shown.at(10.0, False) == ({"white": "off", "red": "on"}, None)
    assert shown.end("help") and not shown.end("help")
    assert shown.at(11.0, False) == ({"white": "off", "red": "off"}, None)


@given(
    st.lists(st.tuples(st.sampled_from(["call", "help"]), st.floats(0, 5), st.booleans()), max_size=8),
    st.booleans(),
)
def test_changes_come_when_they_were_announced(steps: list[tuple[str, float, bool]], itself: bool) -> None:
    """Between `now` and the announced time nothing changes by itself."""
    shown = signals()
    now = 0.0
    for name, seconds, on in steps:
        if on:
            shown.begin(name, now, now + seconds)  # type: ignore[arg-type]
        else:
            shown.end(name)  # type: ignore[arg-type]
        states, change_at = shown.at(now, itself)
        if change_at is None:
            assert shown.at(now + 100, itself)[0] == states
            continue
        assert change_at > now
        between = now + (change_at - now) * random.Random(seconds).uniform(0, 0.99)
        assert shown.at(between, itself)[0] == states
        now = change_at


@given(
    st.lists(st.tuples(st.sampled_from(["call", "help"]), st.floats(0, 0.4), st.booleans()), max_size=60),
    st.sampled_from(["on", "blink", "flash"]),
)
def test_no_lamp_flashes_more_than_three_times_a_second(
    steps: list[tuple[str, float, bool]], pattern: Pattern
) -> None:
    """However often signals begin and end, and however late the loop is."""
    looks = {name: SignalLook(lamps=("white",), pattern=pattern) for name in ("call", "help")}
    shown = Signals(looks, ("white",))  # type: ignore[arg-type]
    now, lit, before = 0.0, [], "off"
    for name, seconds, on in steps:
        if on:
            shown.begin(name, now, None)  # type: ignore[arg-type]
        else:
            shown.end(name)  # type: ignore[arg-type]
        state = shown.at(now, False)[0]["white"]
        if (before, state) == ("off", "on"):
            lit.append(now)
        before = state
        now += seconds
    assert all(fourth - first > 1 for first, fourth in zip(lit, lit[3:], strict=False))


def test_a_call_while_a_call_is_shown_goes_on_in_step_and_lasts_longer() -> None:
    shown = signals()
    shown.begin("call", 0.0, 1.0)
    assert shown.at(0.25, False)[0]["white"] == "off"
    shown.begin("call", 0.25, 5.0)
    states, change_at = shown.at(0.25, False)
    assert states["white"] == "off" and change_at == pytest.approx(0.4)
    assert shown.at(4.9, False)[0]["white"] == "on" and shown.at(5.0, False) == (
        {"white": "off", "red": "off"},
        None,
    )


def test_defaults_flash_one_lamp_for_a_call_and_a_red_one_for_help() -> None:
    tower = LampConfig(lamps={"red": 1, "yellow": 2, "green": 3, "buzzer": 4}).looks("flash")
    assert tower["call"].lamps == ("yellow",) and tower["help"].lamps == ("red",)
    beacon = LampConfig(lamps={"red": 1}).looks("on")
    assert (beacon["call"].lamps, beacon["call"].pattern) == (("red",), "on") and "help" not in beacon
    assert LampConfig(lamps={"beacon": 1}).looks("on")["call"].lamps == ("beacon",)
    assert CHANNELS >= 32
