"""The contract as it stands on the wire: golden samples, and what readers do with anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import screen_link
from wire.codec import (
    MAX_PAYLOAD,
    BadMessageError,
    UnknownKindError,
    command_body,
    decode,
    encode,
    event_body,
)
from wire.kinds import COMMANDS, EVENTS, KINDS
from wire.messages import Message, NodeCommand, NodeEvent
from wire.samples import COMMAND_BODIES, EVENT_BODIES, SAMPLES
from wire.screen_link import LinkMessage, ToAgent, ToScreen
from wire.topics import KINDS as TOPICS

GOLDEN = Path(__file__).parent / "golden"

LINK_SAMPLES: dict[str, LinkMessage] = {
    "hello": screen_link.ScreenHello(station="kiosk", role="kiosk"),
    "take_ticket": screen_link.TakeTicket(request="req-7f3a", service="social-insurance", priority="elderly"),
    "take_appointment": screen_link.TakeAppointment(request="req-7f3b", handle="6f1c"),
    "number_seen": screen_link.NumberSeen(request="req-7f3a"),
    "ask_ticket": screen_link.AskTicket(request="req-7f3c", ticket="t-0193"),
    "ask_help": screen_link.AskHelp(),
    "ask_guide": screen_link.AskGuide(guide="social-insurance"),
    "print_guide": screen_link.PrintGuide(request="req-7f3d", guide="social-insurance", have=(0,)),
    "speak": screen_link.Speak(text="请选择业务"),
    "give_reasons": screen_link.GiveReasons(prompt="p-0042", version=7, reasons=("slow",)),
    "reprint_ticket": screen_link.ReprintTicket(ticket="t-0193"),
    "rate_service": screen_link.RateService(prompt="p-0042", grade=4),
    "panel_drawn": screen_link.PanelDrawn(show=17),
    "panel_show": screen_link.PanelShow(
        show=17, wordings=("请A005到3号窗口", "A005 3号窗口"), colour="red", flash=True
    ),
    "scan_wanted": screen_link.ScanWanted(wanted=True),
    "card_shown": screen_link.CardShown(
        handle="6f1c", name="王*明", number="11****************", priority="elderly"
    ),
    "card_gone": screen_link.CardGone(),
    "code_scanned": screen_link.CodeScanned(kind="appointment", handle="6f1c", masked="AB****************89"),
    "kiosk_state": screen_link.KioskState(
        online=False,
        catalogue=SAMPLES["catalogue"],  # type: ignore[arg-type]
        board=None,
        printer=SAMPLES["device_state"],  # type: ignore[arg-type]
        card_reader=None,
        offline_numbers={"general": 38},
        business_date=SAMPLES["board"].business_date,  # type: ignore[attr-defined]
    ),
    "ticket_progress": screen_link.TicketProgress(
        request="req-7f3a",
        stage="done",
        ticket="t-0193",
        number="A005",
        waiting_ahead=4,
        paper="confirmed",
        outlet="presented",
    ),
    "time_shown": screen_link.TimeShown(at=SAMPLES["node_state"].at, trusted=True),  # type: ignore[attr-defined]
    "ticket_told": screen_link.TicketTold(
        request="req-7f3c",
        found=COMMAND_BODIES["ticket_found"],  # type: ignore[arg-type]
    ),
    "guides_shown": screen_link.GuidesShown(guides=SAMPLES["guides"].guides),  # type: ignore[attr-defined]
    "guide_shown": screen_link.GuideShown(guide=SAMPLES["guide"]),  # type: ignore[arg-type]
    "guide_printed": screen_link.GuidePrinted(request="req-7f3d", paper="failed", code="printer.paper_out"),
    "pad_key": screen_link.PadKey(key="ok"),
    "playlist_shown": screen_link.PlaylistShown(
        pages=(screen_link.ShownPicture(item=SAMPLES["playlist"].items[0], file="/p/0c.png"),)  # type: ignore[attr-defined]
    ),
    "rating_shown": screen_link.RatingShown(
        prompt=COMMAND_BODIES["prompt_rating"],  # type: ignore[arg-type]
        left_s=12.5,
        grade=2,
        reasons=SAMPLES["rating_reasons"],  # type: ignore[arg-type]
    ),
    "board_shown": screen_link.BoardShown(board=SAMPLES["board"], stale=True),  # type: ignore[arg-type]
    "counter_shown": screen_link.CounterShown(
        counter=SAMPLES["counter"],  # type: ignore[arg-type]
        prompt=COMMAND_BODIES["prompt_rating"],  # type: ignore[arg-type]
        stale=False,
    ),
}

ALL: dict[str, msgspec.Struct] = {
    **SAMPLES,
    **{f"screen/{name}": message for name, message in LINK_SAMPLES.items()},
}


def golden(name: str) -> bytes:
    """The golden file, without the white space that makes it readable."""
    return compact(json.loads((GOLDEN / f"{name}.json").read_text("utf-8")))


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read(name: str, payload: bytes) -> msgspec.Struct:
    """What the reader of this message reads."""
    if name.startswith("screen/"):
        to_agent = type(ALL[name]) in ToAgent.__args__  # type: ignore[attr-defined]
        return (screen_link.decode_to_agent if to_agent else screen_link.decode_to_screen)(payload)
    return decode(payload, type(SAMPLES[name]))


def body(envelope: NodeEvent | NodeCommand) -> Message:
    return event_body(envelope) if isinstance(envelope, NodeEvent) else command_body(envelope)


@pytest.mark.parametrize("name", ALL)
def test_the_golden_sample_reads_and_writes_the_same(name: str) -> None:
    payload = golden(name)
    message = read(name, payload)
    assert message == ALL[name]
    assert msgspec.json.encode(message) == payload


@pytest.mark.parametrize("name", [n for n in SAMPLES if n.startswith(("event/", "command/"))])
def test_the_body_of_the_golden_envelope_is_the_expected_one(name: str) -> None:
    envelope = decode(golden(name), type(SAMPLES[name]))
    assert isinstance(envelope, NodeEvent | NodeCommand)
    table = EVENT_BODIES if isinstance(envelope, NodeEvent) else COMMAND_BODIES
    assert body(envelope) == table[envelope.kind]
    assert envelope.kind == name.split("/")[1] == KINDS[type(table[envelope.kind])]


def test_no_message_is_without_a_golden_sample() -> None:
    rows = {name for name in TOPICS if name not in ("node_event", "node_command")}
    envelopes = {f"event/{kind}" for kind in EVENTS} | {f"command/{kind}" for kind in COMMANDS}
    assert set(SAMPLES) == rows | envelopes
    linked = {type(message) for message in LINK_SAMPLES.values()}
    assert linked == {*ToAgent.__args__, *ToScreen.__args__}  # type: ignore[attr-defined]
    files = {str(file.relative_to(GOLDEN).with_suffix("")) for file in GOLDEN.rglob("*.json")}
    assert files == set(ALL)


def with_unknown_fields(value: Any) -> Any:
    if isinstance(value, dict):
        fields = {key: with_unknown_fields(item) for key, item in value.items()}
        # Maps by language, name or id take any key, so nothing unknown can stand in them.
        free = not value or any(key in value for key in ("zh-CN", "cover", "general", "east"))
        return fields if free else {**fields, "from_a_later_version": {"x": [1, None]}}
    if isinstance(value, list):
        return [with_unknown_fields(item) for item in value]
    return value


@pytest.mark.parametrize("name", ALL)
def test_fields_of_a_later_version_are_ignored(name: str) -> None:
    later = compact(with_unknown_fields(json.loads(golden(name))))
    message = read(name, later)
    if isinstance(message, NodeEvent | NodeCommand):
        envelope = ALL[name]
        assert isinstance(envelope, NodeEvent | NodeCommand)
        assert body(message) == body(envelope)
    else:
        assert message == ALL[name]


@pytest.mark.parametrize("name", ["event/rated", "command/print_ticket"])
def test_an_unknown_kind_keeps_its_envelope_readable(name: str) -> None:
    value = json.loads(golden(name)) | {"kind": "from_a_later_version", "body": {"anything": 1}}
    envelope = decode(compact(value), type(SAMPLES[name]))
    assert isinstance(envelope, NodeEvent | NodeCommand)
    with pytest.raises(UnknownKindError):
        body(envelope)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("event/rated", "grade", 6),
        ("event/rated", "grade", 0),
        ("event/rated", "grade", "5"),
        ("event/rated", "grade", 4.5),
        ("event/rated", "counter", "3/../4"),
        ("event/rated", "counter", "3\n"),
        ("event/ticket_printed", "number", "a5"),
        ("event/ticket_printed", "number", "A005\n"),
        ("event/ticket_printed", "paper", "perhaps"),
        ("event/key_pressed", "key", "self_destruct"),
        ("command/print_ticket", "issued_at", "yesterday"),
    ],
)
def test_a_wrong_value_in_a_body_is_a_bad_message(name: str, field: str, value: object) -> None:
    envelope = json.loads(golden(name))
    envelope["body"][field] = value
    read_envelope = decode(compact(envelope), type(SAMPLES[name]))
    assert isinstance(read_envelope, NodeEvent | NodeCommand)
    with pytest.raises(BadMessageError):
        body(read_envelope)


def test_the_reason_of_a_bad_message_has_none_of_its_content() -> None:
    with pytest.raises(BadMessageError) as caught:
        decode(b'{"state":"110101199003070000"}', type(SAMPLES["node_state"]))
    assert "1101" not in caught.value.reason


def test_a_long_payload_is_refused_unread() -> None:
    with pytest.raises(BadMessageError, match="bytes"):
        decode(b" " * (MAX_PAYLOAD + 1), NodeEvent)


def test_deep_nesting_is_a_bad_message() -> None:
    with pytest.raises(BadMessageError):
        decode(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", NodeEvent)


def try_to_read(name: str, payload: bytes) -> None:
    """Anything may be refused, but only with BadMessageError."""
    try:
        message = read(name, payload)
        if isinstance(message, NodeEvent | NodeCommand):
            body(message)
    except BadMessageError:
        return


names = st.sampled_from(sorted(ALL))


@settings(max_examples=300, deadline=None)
@given(names, st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(name: str, payload: bytes) -> None:
    try_to_read(name, payload)


@pytest.mark.parametrize("name", ALL)
def test_every_truncation_is_refused(name: str) -> None:
    payload = golden(name)
    for length in range(len(payload)):
        with pytest.raises(BadMessageError):
            read(name, payload[:length])


@settings(max_examples=500, deadline=None)
@given(names, st.data())
def test_flipped_bits_are_read_or_refused(name: str, data: st.DataObject) -> None:
    payload = bytearray(golden(name))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try_to_read(name, bytes(payload))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(names, st.data())
def test_a_field_of_any_value_is_read_or_refused(name: str, data: st.DataObject) -> None:
    value = json.loads(golden(name))
    target = value["body"] if "body" in value and data.draw(st.booleans()) else value
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(json_values)
    try_to_read(name, compact(value))


def test_a_payload_ends_in_the_limit_of_the_contract() -> None:
    assert all(len(encode(message)) < MAX_PAYLOAD for message in SAMPLES.values())


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"take_ticket","request":"r","service":"s","language":"../../etc/paihao/node"}',
        b'{"type":"take_appointment","request":"r","code":"c","language":"' + b"x" * 200_000 + b'"}',
        b'{"type":"speak","text":"t","language":""}',
        b'{"type":"print_guide","request":"r","guide":"g","have":[' + b"1," * 500 + b"1]}",
        b'{"type":"give_reasons","prompt":"p","version":1,"reasons":[' + b'"a",' * 16 + b'"a"]}',
    ],
)
def test_what_no_screen_of_ours_says_is_no_line(line: bytes) -> None:
    """It would go on into an event that the hall cannot read, or into the name of a file."""
    with pytest.raises(BadMessageError):
        screen_link.decode_to_agent(line)
