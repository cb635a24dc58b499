"""Whatever is touched, said and left untouched: nothing is raised, asked twice, kept, or without an end."""

from __future__ import annotations

from typing import Any

import msgspec
import pages_kiosk as pages
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pages_kiosk import CARD, GUIDES, NO_PAPER, OFFLINE, STATE, TIME, YOUNG, Visit, told

from ui.elements import Box, Element, Grid, Text
from ui.screen import STATED, Screen
from wire.kiosk_messages import TicketFound
from wire.screen_link import (
    CardGone,
    CardShown,
    CodeScanned,
    GuidePrinted,
    GuideShown,
    LinkMessage,
    TakeAppointment,
    TakeTicket,
    TicketTold,
    TimeShown,
)

SCREENS = [Screen.of(size) for size in STATED]
SECRETS = ("王*明", "李*", "1101", "0019", CARD.handle, YOUNG.handle, "老年人优先")
ODD = [
    "take", "agree", "no", "paperless", "again", "reprint", "finish", "other", "retype", "type", "priority",
    "none", "class:elderly", "class:nothing", "service:nothing", "group:nothing", "service:", "key:%",
    "key:a", "erase", "later", "earlier", "show", "now", "appointment", "checkin", "", "guides", "mode:elder",
    "stay",
]  # fmt: skip
SAID: list[LinkMessage | None] = [
    None, STATE, STATE, OFFLINE, NO_PAPER, CARD, YOUNG, CardShown(lay_again=True), CardGone(), GUIDES, TIME,
    msgspec.structs.replace(STATE, catalogue=None, board=None),
    msgspec.structs.replace(STATE, board=pages.all_are("closed")),
    msgspec.structs.replace(STATE, scanner=None, card_reader=None, printer=None),
    TimeShown(at=pages.MORNING, trusted=False),
    CodeScanned(kind="unreadable"), CodeScanned(kind="ticket", ticket=pages.TICKET),
    CodeScanned(kind="appointment", handle="abc", masked="12**"),
    CodeScanned(kind="card", code="scanner.no_key"),
    GuideShown(guide=None), GuidePrinted(request="request0001", paper="unknown"), pages.TEXTS,
    TicketTold(request="request0001", found=TicketFound(request="request0001", ticket=pages.TICKET)),
]  # fmt: skip
PROGRESS = st.tuples(
    st.sampled_from(["newest", "oldest", "foreign"]),
    st.sampled_from(["requested", "printing", "done", "failed", "refused"]),
    st.fixed_dictionaries(
        {},
        optional={
            "paper": st.sampled_from(["confirmed", "failed", "unknown"]),
            "outlet": st.sampled_from(["presented", "left", "taken", "retracted"]),
            "paperless": st.booleans(),
            "offline": st.booleans(),
            "code": st.sampled_from(
                ["ticket.quota_reached", "printer.jam", "kiosk.busy", "appointment.none"]
            ),
            "service": st.sampled_from(["id-card", "nothing"]),
            "number": st.none(),
        },
    ),
)
THINGS = st.one_of(
    st.integers(0, 40),  # one of the targets on the page
    st.integers(0, 40),
    st.sampled_from(ODD),
    st.sampled_from(SAID),
    PROGRESS,
    st.floats(0.1, 130.0),
    st.sampled_from(["key back", "key help", "key b", "key 7", "key erase", "key repeat"]),
)


def touches(element: Element) -> list[str]:
    """Actions of the targets."""
    if isinstance(element, Box):
        own = [element.touch] if element.touch is not None and not element.off else []
        return own + [action for child in element.children for action in touches(child)]
    if isinstance(element, Grid):
        return [action for child in element.children for action in touches(child)]
    return []


def words(element: Element) -> str:
    if isinstance(element, Text):
        return element.words
    return " ".join(words(child) for child in getattr(element, "children", ()))


def step(kiosk: Visit, thing: Any, screen: Screen) -> None:
    if isinstance(thing, int):
        there = touches(kiosk.page(screen, kiosk.clock).body)
        if there:
            kiosk.do(there[thing % len(there)])
    elif isinstance(thing, tuple):
        whose, stage, facts = thing
        request = "foreign"
        if whose != "foreign" and kiosk.own:
            request = kiosk.own[-1 if whose == "newest" else 0]
        kiosk.do(told(request, stage, **facts))
    elif isinstance(thing, str) and thing.startswith("key "):
        kiosk.key(thing.removeprefix("key "), kiosk.clock)
    elif isinstance(thing, float):
        kiosk.wait(thing)
    else:
        kiosk.do(thing)


def requests(kiosk: Visit) -> list[str]:
    return [one.request for one in kiosk.heard if isinstance(one, TakeTicket | TakeAppointment)]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    things=st.lists(THINGS, min_size=3, max_size=50),
    screen=st.sampled_from(SCREENS),
    language=st.sampled_from(["zh-CN", "en"]),
    begins=st.booleans(),
)
@example(things=[0, 0.85, ("newest", "done", {})], screen=SCREENS[0], language="zh-CN", begins=False)
def test_whatever_happens(things: list[Any], screen: Screen, language: str, begins: bool) -> None:
    kiosk = Visit(language)
    if begins:
        kiosk.do(STATE, GUIDES, TIME, "start")
    for thing in things:
        before = requests(kiosk)
        step(kiosk, thing, screen)
        page = kiosk.page(screen, kiosk.clock)
        assert page.name
        kiosk.shown(page, kiosk.clock)
        new = requests(kiosk)[len(before) :]
        assert len(new) <= 1, "one thing that happens asks for one number at most"
        if new and new[0] in before:
            assert isinstance(thing, msgspec.Struct), "said again only when the agent is back"
    kiosk.wait(500.0)
    assert len(kiosk.stack) == 1, "it ends by itself"
    shown = words(kiosk.page(screen, kiosk.clock).body)
    assert not any(secret in shown for secret in SECRETS if secret)
    assert kiosk.card is None and kiosk.offered is None and kiosk.handle(kiosk.clock) is None
    assert kiosk.modes == kiosk.usual


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(things=st.lists(THINGS, max_size=25), screen=st.sampled_from(SCREENS))
def test_there_is_always_a_way_home_by_hand(things: list[Any], screen: Screen) -> None:
    kiosk = Visit().do(STATE, GUIDES, TIME, "start")
    for thing in things:
        step(kiosk, thing, screen)
    kiosk.do(STATE)
    for _ in range(24):
        there = touches(kiosk.page(screen, kiosk.clock).body)
        if len(kiosk.stack) <= 2:
            break
        for action in ("home", "finish", "stay", "back"):
            if action in there:
                kiosk.do(action)
                break
        else:
            kiosk.wait(31.0)  # a number is under way: the page says when that is given up
    assert len(kiosk.stack) <= 2
