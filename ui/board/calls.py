"""The calls of a hall display: the newest one large, the others in a list of one to four columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ui.board.header import closed_words
from ui.board.seen import Seen
from ui.board.spotlight import GOING, key_of
from ui.elements import Art, Box, Element, Gap, Text, column, row
from ui.ems import LEADING, ems, lines, size_for
from ui.tongue import Tongue
from wire.messages import BoardCall

ROW: Final = 1.75
"""Height of a row of the list in heights of its type."""
MOST: Final = 8.6
LEAST: Final = 4.4
"""Type of the list's rows, in units: never larger, and rather fewer calls than smaller."""
LEAST_SMALL: Final = 5.4
BREAKS: Final = 5.2
"""A row of smaller type than that breaks the counter's name instead."""
COLUMNS: Final = 4
GAP: Final = 1.0
BETWEEN: Final = 2.4
"""Between two columns."""
STATE_SHARE: Final = 0.66
"""Type of what became of a call, of the row's type."""
LARGE_UNDER: Final = 0.34
"""Type of the large counter name in the second language, of its type."""
NAME_SHARE: Final = 0.34
"""Type of a person's name below the large number, of its type."""
_EDGE: Final = 1.6
_NUMBER_ROOM: Final = 14.0
"""What the large number keeps of its box's height, whatever else stands there."""
UNDER_SHARE: Final = 0.55
"""The same of the second language's counter name."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How the list is set: so many columns and rows, at that size of type."""

    columns: int
    rows: int
    size: float
    two_lines: bool


def set_list(
    calls: tuple[BoardCall, ...], tongue: Tongue, wide: float, high: float, *, small: bool
) -> tuple[Grid, tuple[BoardCall, ...]]:
    """The largest type that shows the most of `calls` on `wide` × `high` units, and the calls that it shows.

    Where there is no room for all, those that are over give way first, then the oldest. `small`: a screen
    that has one column, of larger type.
    """
    columns, least = (1, LEAST_SMALL) if small else (COLUMNS, LEAST)
    most = columns * max(1, int((high + GAP) / (least * _row_height(tongue, two_lines=False) + GAP)))
    shown = calls
    while shown:
        if len(shown) > most:
            shown = _one_less(shown)
            continue
        tried = [_set(shown, tongue, n, wide, high) for n in range(1, columns + 1)]
        best = max(tried, key=lambda grid: (round(grid.size, 2), -grid.columns))
        if best.size >= least or len(shown) == 1:
            return best, shown
        shown = _one_less(shown)
    return Grid(1, 0, MOST, two_lines=False), ()


def _one_less(calls: tuple[BoardCall, ...]) -> tuple[BoardCall, ...]:
    over = [call for call in calls if call.state in ("finished", "no_show")]
    last = over[-1] if over else calls[-1]
    return tuple(call for call in calls if call is not last)


def _set(calls: tuple[BoardCall, ...], tongue: Tongue, columns: int, wide: float, high: float) -> Grid:
    rows = -(-len(calls) // columns)
    cell = (wide - (columns - 1) * BETWEEN) / columns - 2 * _PAD
    tall = (high - (rows - 1) * GAP) / rows
    one = min(
        MOST, cell / _row_ems(calls, tongue, two_lines=False), tall / _row_height(tongue, two_lines=False)
    )
    if one >= BREAKS:
        return Grid(columns, rows, one, two_lines=False)
    two = min(
        MOST, cell / _row_ems(calls, tongue, two_lines=True), tall / _row_height(tongue, two_lines=True)
    )
    return Grid(columns, rows, max(one, two), two_lines=two > one)


_PAD: Final = 1.6
_INNER: Final = 0.8
"""Between the parts of a row, in heights of type."""


def _row_height(tongue: Tongue, *, two_lines: bool) -> float:
    """In heights of the row's type."""
    below = UNDER_SHARE * LEADING if tongue.second is not None else 0.0
    return ROW + below + (LEADING if two_lines else 0.0)


def _row_ems(calls: tuple[BoardCall, ...], tongue: Tongue, *, two_lines: bool) -> float:
    """Width of the widest row in heights of its type."""
    counter = max(
        max(ems(tongue.local(call.counter_name)), UNDER_SHARE * ems(tongue.local_under(call.counter_name)))
        for call in calls
    )
    if two_lines:
        counter = max(4.0, counter / 2 + 1.5)
    return _number_ems(calls) + _name_ems(calls) + counter + _state_ems(tongue) + 3 * _INNER


def _number_ems(calls: tuple[BoardCall, ...]) -> float:
    return max(ems(call.number) for call in calls)


def _name_ems(calls: tuple[BoardCall, ...]) -> float:
    return max((ems(call.name) + _INNER for call in calls if call.name), default=0.0)


def _state_ems(tongue: Tongue) -> float:
    states = ("called", "serving", "finished", "no_show")
    return STATE_SHARE * max(
        max(ems(tongue.text(f"board.state_{state}")), 0.8 * ems(tongue.under(f"board.state_{state}")))
        for state in states
    )


def list_height(grid: Grid, tongue: Tongue) -> float:
    """Units that the list takes."""
    return grid.rows * grid.size * _row_height(tongue, two_lines=grid.two_lines) + max(0, grid.rows - 1) * GAP


def call_list(seen: Seen, shown: tuple[BoardCall, ...], grid: Grid) -> Element:
    """The calls that `set_list` chose, in columns from the left."""
    made: list[Element] = []
    for start in range(0, grid.columns * grid.rows, grid.rows or 1):
        cells: list[Element] = [_row(seen, call, shown, grid) for call in shown[start : start + grid.rows]]
        cells += [Gap(grow=1.0)] * (grid.rows - len(cells))
        made.append(column(*cells, gap=GAP, grow=1.0))
    return row(*made, gap=BETWEEN, grow=1.0, name="calls")


def _row(seen: Seen, call: BoardCall, shown: tuple[BoardCall, ...], grid: Grid) -> Box:
    tongue, size = seen.tongue, grid.size
    fresh = key_of(call) in seen.fresh and not seen.stale
    going = call.state == "called" and not seen.stale
    ink = "call" if fresh or going else "ink" if call.state == "serving" and not seen.stale else "soft"
    counter: list[Element] = [Text(tongue.local(call.counter_name), size, ink, least=2.6)]
    if below := tongue.local_under(call.counter_name):
        counter.append(Text(below, size * UNDER_SHARE, "soft", least=2.0))
    parts: list[Element] = [
        column(
            Text(call.number, size, ink, strong=going, least=3.0),
            width=_number_ems(shown) * size,
            justify="center",
        )
    ]
    if any(each.name for each in shown):
        width = (_name_ems(shown) - _INNER) * size
        parts.append(column(Text(call.name or "", size, ink, least=3.0), width=width, justify="center"))
    parts.append(column(*counter, grow=1.0, justify="center"))
    parts.append(_state(tongue, call, size))
    return row(
        *parts,
        gap=_INNER * size, pad=(_PAD, 0.0), fill="surface", line="call" if fresh else None, line_width=0.5,
        grow=1.0, align="stretch",
    )  # fmt: skip


def _state(tongue: Tongue, call: BoardCall, size: float) -> Box:
    """What became of the call."""
    small = size * STATE_SHARE
    words: list[Element] = [Text(tongue.text(f"board.state_{call.state}"), small, "soft", "right", least=2.4)]
    if below := tongue.under(f"board.state_{call.state}"):
        words.append(Text(below, small * 0.8, "soft", "right", least=2.0))
    return column(*words, width=_state_ems(tongue) * size, justify="center")


# ---------------------------------------------------------------- the large one


def large_call(seen: Seen, wide: float, high: float) -> Box:
    """The newest call, or the one whose turn it is; side by side or one below the other, as it is larger."""
    call = seen.large
    closed = bool(closed_words(seen, seen.tongue.first))
    if call is None or (call.state not in GOING and closed):
        return _no_calls(seen, wide, high)
    fill, ink, line = _look(seen, call)
    number, counter = call.number, seen.tongue.local(call.counter_name)
    below = seen.tongue.local_under(call.counter_name)
    head, room = _head(seen, call, ink, high - 2 * _EDGE)
    across = wide - 2 * 3.0
    under = 1.0 + (LARGE_UNDER if below else 0.0)
    named = 1.0 + (NAME_SHARE if call.name else 0.0)
    widest = max(ems(number), NAME_SHARE * ems(call.name or ""))
    beside = _beside(widest, counter, across, room, under, named)
    above = _above(widest, counter, across, room, under, named)
    size_number, size_counter, stacked = max((*beside, False), (*above, True), key=lambda one: one[1])
    words: list[Element] = [Text(counter, size_counter, ink, "center", least=3.0, strong=True)]
    if below:
        words.append(Text(below, size_counter * LARGE_UNDER, ink, "center", least=1.8))
    left: list[Element] = [Text(number, size_number, ink, "center", least=4.0, strong=True)]
    if call.name:
        left.append(Text(call.name, size_number * NAME_SHARE, ink, "center", least=2.0))
    right = column(*words, justify="center", grow=1.0)
    if stacked:
        body: Element = column(column(*left, justify="center", grow=1.0), right, grow=1.0)
    else:
        arrow = Art("arrow", size_number * 0.62, size_number * 0.62, ink)
        body = row(
            column(*left, justify="center", width=widest * size_number * 1.04), arrow, right,
            gap=2.0, align="center", grow=1.0,
        )  # fmt: skip
    return column(
        *head, body,
        pad=(3.0, _EDGE), fill=fill, line=line, line_width=0.9, radius=2.4, grow=1.0, name="large",
    )  # fmt: skip


def _look(seen: Seen, call: BoardCall) -> tuple[str, str, str]:
    """Fill, ink and border: amber while it calls, its other look when flashing, plain else."""
    if seen.stale:
        return "surface", "soft", "line"
    if seen.alternate:
        return "surface", "call", "call"
    if call.state == "called" or key_of(call) in seen.fresh:
        return "call", "call_ink", "call"
    return "surface", "ink", "line"


def _head(seen: Seen, call: BoardCall, ink: str, high: float) -> tuple[list[Element], float]:
    """What the large call says, as far as the number keeps enough room; the room that it leaves."""
    key = (
        "board.calling"
        if call.state == "called" or key_of(call) in seen.fresh
        else f"board.state_{call.state}"
    )
    key = "board.stale_mark" if seen.stale else key
    made: list[Element] = []
    for words, size in ((seen.tongue.text(key), 5.2), (seen.tongue.under(key), 3.6)):
        if words and high - size * LEADING >= _NUMBER_ROOM:
            made.append(Text(words, size, ink, "center", lines=1, least=2.6))
            high -= size * LEADING
    return made, high


def _beside(
    number_ems: float, counter: str, wide: float, high: float, under: float, named: float
) -> tuple[float, float]:
    """Sizes of number and counter side by side with an arrow; a long counter name takes two lines.

    `number_ems`: the width of the number with a person's name, in heights of the number's type. `under`: the
    height of a counter name with what stands below it, in heights of its lines; `named`: the same of the
    number with a person's name.
    """
    wide -= 4.0
    arrow = 0.62
    highest = high / LEADING / named
    one = min(highest, wide / (number_ems * 1.04 + arrow + ems(counter) * 1.06))
    size_number = min(highest, max(one, 0.36 * wide / number_ems), 26.0)
    left = wide - size_number * (number_ems * 1.04 + arrow)
    return size_number, _in_lines(counter, left, high / under, most=min(size_number, high / under / LEADING))


def _above(
    number_ems: float, counter: str, wide: float, high: float, under: float, named: float
) -> tuple[float, float]:
    """The same with the counter below the number."""
    size = min(wide / number_ems / 1.06, high * 0.5 / LEADING / named, 34.0)
    return size, _in_lines(counter, wide, (high - size * named * LEADING) / under, most=size)


def _in_lines(words: str, wide: float, high: float, most: float) -> float:
    """The greatest size at which the words stand in at most three lines."""
    size = most
    while size > 4.0 and (
        lines(words, wide / (size * 1.06)) > 3 or lines(words, wide / (size * 1.06)) * size * LEADING > high
    ):
        size *= 0.94
    return size


def _no_calls(seen: Seen, wide: float, high: float) -> Box:
    """What to do before the first call, or that the hall is closed; with little room only the first words."""
    tongue = seen.tongue
    wanted = [
        (words, size, ink)
        for language, size, ink in ((tongue.first, 9.0, "ink"), (tongue.second, 5.0, "soft"))
        if language is not None and (words := closed_words(seen, language))
    ] or [
        (tongue.text("board.no_calls"), 9.0, "ink"),
        (tongue.under("board.no_calls"), 5.0, "soft"),
        (tongue.text("board.no_calls_do"), 5.2, "soft"),
    ]
    made: list[Element] = []
    left = high - 4.0
    for words, size, ink in wanted:
        fitted = size_for([words], wide - 8.0, size, 3.6)
        left -= lines(words, (wide - 8.0) / fitted) * fitted * LEADING + 1.0
        if words and (left >= 0.0 or not made):
            made.append(Text(words, fitted, ink, "center", least=3.0))
    return column(*made, gap=1.0, pad=(3.0, 1.6), fill="surface", justify="center", grow=1.0, name="large")
