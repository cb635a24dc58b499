"""Texts that citizens write about a service, on the page behind the rating panel's QR code.

One text a service, until the end of the next day on which the hall works. The first one stands: whoever comes
later with the same code, or changes his mind, cannot put other words in its place (decision 48).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.hours import is_day_of
from hall.queue.policy import Policy
from hall.queue.refusals import RefusedError
from hall.queue.state import Prompt, State

LETTERS: Final = 500
"""The longest text, in what people count as characters."""
TEXTS: Final = 2_000
"""Texts of one business date; what comes after them is refused."""
REST_DAYS: Final = 10
"""A page stays open over at most this many days on which the hall rests."""

OVER: Final = "rate_page.over"
THERE: Final = "rate_page.there"
FULL: Final = "rate_page.full"

_POINTS: Final = 4
"""Code points that one character may have on average: a family of emoji has seven, a heap of accents more."""
_ID_NUMBER: Final = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])", re.ASCII)
_JOINER: Final = "\u200d"


def last_day(policy: Policy, day: date) -> date:
    """The business date with whose end the page of a service of `day` closes: the hall's next working day."""
    days = (day + timedelta(days=n) for n in range(1, REST_DAYS + 1))
    services = policy.services.values()
    working = (one for one in days if any(is_day_of(policy, service, one) for service in services))
    return next(working, day + timedelta(days=REST_DAYS))


def is_open(state: State, prompt: Prompt, day: date) -> bool:
    """Whether the page of a prompt is there on the business date `day`."""
    policy = state.policy
    return policy.rating_texts and bool(prompt.page) and day <= last_day(policy, prompt.business_date)


def still_open(state: State, day: date) -> set[str]:
    """The prompts whose pages are there on the business date `day`."""
    policy, prompts = state.policy, state.prompts.values()
    if not policy.rating_texts:
        return set()
    last = {one: last_day(policy, one) for one in {prompt.business_date for prompt in prompts}}
    return {prompt.prompt for prompt in prompts if prompt.page and day <= last[prompt.business_date]}


def give(state: State, command: cmd.GiveText) -> list[ev.Event]:
    assert state.business_date is not None
    prompt = state.prompts.get(command.prompt)
    if prompt is None or not is_open(state, prompt, state.business_date):
        raise RefusedError(OVER)
    if prompt.text is not None:
        raise RefusedError(THERE)
    if state.texts >= TEXTS:
        raise RefusedError(FULL)
    return [
        ev.TextGiven(
            at=command.at,
            command=command.id,
            prompt=prompt.prompt,
            ticket=prompt.ticket,
            service=prompt.service,
            counter=prompt.counter,
            clerk=prompt.clerk,
            text=command.text,
            business_date=prompt.business_date,
        )
    ]


def cleaned(text: str) -> str:
    """`text` as it is kept: "" where nothing would be seen.

    Line ends are \\n, at most two in a row. Without controls, what turns the direction of writing, and what
    no eye sees (but what joins emoji); a number of an ID card becomes stars.
    """
    text = (
        text.replace("\r\n", "\n")
        .translate({ord(c): "\n" for c in "\r\v\f\x85\u2028\u2029"})
        .replace("\t", " ")
    )
    text = "".join(c for c in text if c == "\n" or _is_kept(c))
    if all(c.isspace() or _is_part(c) for c in text):
        return ""
    text = re.sub(r"[ \u3000]+\n", "\n", text)
    return _ID_NUMBER.sub("*" * 18, re.sub(r"\n{3,}", "\n\n", text).strip())


def letters(text: str) -> int:
    """How many characters people count in a cleaned text: 👨‍👩‍👧 is one, é is one, a line end is one."""
    count, flags, joined = 0, 0, False
    for c in unicodedata.normalize("NFC", text):
        flag = "\U0001f1e6" <= c <= "\U0001f1ff"
        flags = flags + 1 if flag else 0
        if not (joined or _is_part(c) or (flag and flags % 2 == 0)):
            count += 1
        joined = c == _JOINER
    return max(count, -(-len(text) // _POINTS))


def _is_kept(c: str) -> bool:
    return c == _JOINER or _is_tag(c) or unicodedata.category(c) not in ("Cc", "Cf", "Cs")


def _is_tag(c: str) -> bool:
    """Of the flags of England, Scotland and Wales."""
    return "\U000e0020" <= c <= "\U000e007f"


def _is_part(c: str) -> bool:
    """Whether it is drawn into the character before it: an accent, a skin, a joiner."""
    return (
        unicodedata.category(c) in ("Mn", "Me", "Mc")
        or c == _JOINER
        or "\U0001f3fb" <= c <= "\U0001f3ff"
        or _is_tag(c)
    )
