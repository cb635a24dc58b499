"""Every page of the counter panel, brought about by messages alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from ui.counter_panel import CounterPanel
from wire.messages import CounterClerk, CounterState
from wire.screen_link import CounterShown, TimeShown

AT = datetime(2026, 11, 23, 9, 41, 20, tzinfo=timezone(timedelta(hours=8)))
START = 1000.0
HOURS = ("08:30-11:45", "13:30-16:45")
NAME = {"zh-CN": "3号窗口", "en": "Counter 3"}
LONG_NAME = {"zh-CN": "不动产登记综合受理2号窗口", "en": "Property registration counter 2"}
SERVICE = {"zh-CN": "社保登记", "en": "Social insurance"}
LONG_SERVICE = {
    "zh-CN": "食品经营许可（含小餐饮、小作坊备案登记）变更、延续与注销",
    "en": "Food business permit (with small caterers and workshops): change, renewal and return",
}
CLERK = CounterClerk(number="012", name={"zh-CN": "王芳", "en": "Wang Fang"}, photo="0c" * 16)
NUMBER_ONLY = CounterClerk(number="QH-0117")


@cache
def photo() -> str:
    """A drawn face: no real person's picture."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (300, 400), "#9db8d2")
    drawn = ImageDraw.Draw(picture)
    drawn.ellipse((20, 280, 280, 520), fill="#22405f")
    drawn.ellipse((85, 70, 215, 250), fill="#f0d2b6")
    drawn.pieslice((75, 50, 225, 230), 180, 360, fill="#2a2320")
    file = Path(tempfile.gettempdir()) / "paihao-test-photo.png"
    picture.save(file)
    return str(file)


def counter(state: str, number: str | None = None, **more: object) -> CounterState:
    values: dict[str, object] = {
        "epoch": 1,
        "rev": 1,
        "counter": "3",
        "name": NAME,
        "zone": "east",
        "state": state,
        "number": number,
        "ticket": "t-1" if number else None,
        "call": "c-1" if number else None,
        "service_name": SERVICE if number else None,
        "called_at": AT - timedelta(seconds=95) if number else None,
        "waiting": 12,
        "clerk": CLERK,
        "hours": HOURS,
    }
    return CounterState(**{**values, **more})  # type: ignore[arg-type]


def panel(
    language: str, state: CounterState | None, *, at: datetime | None = AT, stale: bool = False
) -> CounterPanel:
    program = CounterPanel(language)
    if at is not None:
        program.said(TimeShown(at=at, trusted=True), START)
    file = photo() if state is not None and state.clerk is not None and state.clerk.photo else None
    program.said(CounterShown(counter=state, prompt=None, stale=stale, photo=file), START)
    return program


def _flashing(language: str) -> CounterPanel:
    """A new call, in its other look."""
    program = panel(language, counter("open"))
    program.said(CounterShown(counter=counter("called", "A006"), prompt=None, stale=False), START + 5)
    return program


def both(language: str) -> str:
    return "zh-CN+en" if language == "zh-CN" else "en+zh-CN"


PAGES: dict[str, Callable[[str], CounterPanel]] = {
    "counter_starting": lambda language: CounterPanel(language),
    "counter_called": lambda language: panel(language, counter("called", "A005")),
    "counter_flashing": lambda language: _flashing(language),
    "counter_serving": lambda language: panel(language, counter("serving", "A005", clerk=NUMBER_ONLY)),
    "counter_long": lambda language: panel(
        language, counter("called", "ABC123456", name=LONG_NAME, service_name=LONG_SERVICE)
    ),
    "counter_no_clerk": lambda language: panel(language, counter("serving", "A005", clerk=None)),
    "counter_free": lambda language: panel(language, counter("open")),
    "counter_paused": lambda language: panel(language, counter("paused")),
    "counter_noon": lambda language: panel(language, counter("paused"), at=AT.replace(hour=12, minute=5)),
    "counter_closed": lambda language: panel(language, counter("closed", clerk=None)),
    "counter_over": lambda language: panel(
        language, counter("closed", clerk=None), at=AT.replace(hour=17, minute=30)
    ),
    "counter_no_clock": lambda language: panel(language, counter("closed", clerk=None), at=None),
    "counter_stale": lambda language: panel(language, counter("called", "A005"), stale=True),
    "counter_both_languages": lambda language: panel(both(language), counter("called", "A005")),
    "counter_both_long": lambda language: panel(
        both(language), counter("serving", "A005", name=LONG_NAME, service_name=LONG_SERVICE), stale=True
    ),
}
CLOCKS = {"counter_flashing": START + 5.6}
ABOUT = {
    "counter_starting": "Before the agent has spoken.",
    "counter_called": "A number is called.",
    "counter_flashing": "A new call in its other look.",
    "counter_serving": "A number is served; a hall that shows the clerk's number only.",
    "counter_long": "The longest names and number.",
    "counter_no_clerk": "Nobody is known to sit there.",
    "counter_free": "The counter is free.",
    "counter_paused": "A pause within the hours.",
    "counter_noon": "A pause until the afternoon.",
    "counter_closed": "Closed within the hours.",
    "counter_over": "Closed for today.",
    "counter_no_clock": "Closed, and the node's clock cannot be trusted.",
    "counter_stale": "The hall's server has fallen silent: what stands there is marked as old.",
    "counter_both_languages": "Both languages on one panel.",
    "counter_both_long": "Both languages with the longest names, marked as old.",
}
