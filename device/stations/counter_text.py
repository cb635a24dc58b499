"""The words on a counter's call screen: a call, or what it shows when nobody is called. Pure.

What it shows when idle is a template of the station profile, or several, the fullest first: the first that
fits the screen is shown, else the last one scrolls. Fields that are not known vanish with their space::

    idle = "{counter} {clerk}"                           # 3号窗口 工号012 王芳
    idle = ["{counter} {clerk} {hours}", "{counter}"]
    idle_closed = "{counter} {state} {hours}"            # 3号窗口 未开放 08:30-11:45 13:30-16:45

Fields: `counter` its name, `clerk` number and name, `number`, `name`, `hours`, `state` (why nobody is served:
暂停服务, 未开放, 系统离线; empty while it is open).
"""

from __future__ import annotations

import string
from typing import Final

from drivers.call_screen.protocol import ScreenText
from wire.messages import CounterState, LocalText
from wire.texts import local, text

FIELDS: Final = ("counter", "clerk", "number", "name", "hours", "state")
IDLE: Final = ("{counter}",)
IDLE_CLOSED: Final = ("{counter} {state}", "{state}")

Templates = str | tuple[str, ...]


def wrong_fields(templates: Templates) -> list[str]:
    """What stands in braces and is no field; a template that is not one is named whole."""
    wrong: list[str] = []
    for template in _several(templates):
        try:
            found = [part for part in string.Formatter().parse(template) if part[1] is not None]
        except ValueError:
            wrong.append(template)
        else:
            wrong += [str(name) for _, name, form, how in found if name not in FIELDS or form or how]
    return wrong


def calling(
    number: str, counter: LocalText, language: str, *, flash: bool, stale: bool = False
) -> ScreenText:
    """`stale`: marked, because the coordinator is away and it may not be true any more."""
    name = local(counter, language)
    keys = ("counter.call_stale",) if stale else ("counter.call", "counter.call_short")
    wordings = list(dict.fromkeys(text(key, language, number=number, counter=name) for key in keys))
    return ScreenText(wordings[0], "red", flash, tuple(wordings[1:]))


def idle(
    state: CounterState | None,
    counter: LocalText,
    language: str,
    open_templates: Templates = IDLE,
    closed_templates: Templates = IDLE_CLOSED,
    *,
    stale: bool = False,
) -> ScreenText:
    """What stands there while nobody is called; without `state` it is closed."""
    what = "away" if stale else "closed" if state is None else state.state
    is_open = what not in ("away", "closed", "paused")
    clerk = state.clerk if state is not None else None
    name = local(clerk.name, language) if clerk is not None else ""
    number = clerk.number if clerk is not None else ""
    key = "counter.clerk" if name else "counter.clerk_number"
    values = {
        "counter": local(counter, language),
        "clerk": text(key, language, number=number, name=name) if clerk is not None else "",
        "number": number,
        "name": name,
        "hours": " ".join(state.hours) if state is not None and not stale else "",
        "state": "" if is_open else text(f"counter.{what}", language),
    }
    templates = _several(open_templates if is_open else closed_templates)
    # a field that is not known makes two templates alike
    wordings = list(dict.fromkeys(_tidy(template.format_map(values)) for template in templates))
    return ScreenText(wordings[0], "green", shorter=tuple(wordings[1:]))


def _tidy(filled: str) -> str:
    """Without the spaces and lines of fields that are not known."""
    lines = (" ".join(line.split()) for line in filled.split("\n"))
    return "\n".join(line for line in lines if line)


def _several(templates: Templates) -> tuple[str, ...]:
    return (templates,) if isinstance(templates, str) else templates
