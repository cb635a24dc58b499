"""Hours of single weekdays and dates: Saturdays, public holidays, the Saturdays worked for them (调休)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hall import command
from hall.config import load_config
from hall.projections import Projections
from hall.queue import hours
from hall.queue.policy import HoursOn, Policy, Service, in_spans
from hall.runtime import business_date_of, end_of
from wire.checked_toml import TomlProblems

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
FULL = ("09:00-12:00", "13:30-17:00")
NOON = ("12:00-13:30",)
MORNING = ("09:00-12:00",)
HOLIDAY = date(2026, 10, 1)
"""A Thursday."""
WORKED = date(2026, 10, 10)
"""A Saturday."""
SATURDAY, SUNDAY, MONDAY = (WORKED + timedelta(days=n) for n in (7, 8, 9))
WEEK: HoursOn = {"6": MORNING, "2026-10-01": (), "2026-10-10": FULL}


def of_hall(hall: Any, **fields: Any) -> Policy:
    usual = {"issue_times": FULL, "issue_days": (1, 2, 3, 4, 5), "hours_on": WEEK}
    policy: Policy = hall.policy
    return msgspec.structs.replace(policy, **(usual | fields))


def service(hall: Any, **fields: Any) -> Service:
    tax: Service = hall.policy.services["tax"]
    return msgspec.structs.replace(tax, **fields)


def test_days_of_the_hall(hall: Any) -> None:
    policy = of_hall(hall)
    days = (MONDAY, SATURDAY, SUNDAY, HOLIDAY, WORKED)
    assert [hours.given(policy, day) for day in days] == [FULL, MORNING, None, None, FULL]
    without = of_hall(hall, hours_on={})
    assert [hours.given(without, day) for day in days] == [FULL, None, None, FULL, None], "as ever"
    rests = of_hall(hall, hours_on={"1": ()}, issue_days=())
    assert [hours.given(rests, day) for day in days[:3]] == [None, FULL, FULL]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        # Monday, Saturday, Sunday, the holiday, the working Saturday
        ({}, [FULL, MORNING, None, None, FULL]),
        ({"hours": NOON}, [NOON, NOON, None, None, FULL]),
        ({"days": (1, 2)}, [FULL, None, None, None, None]),
        ({"days": (1, 7)}, [FULL, None, FULL, None, None]),
        ({"days": (6,), "hours": NOON}, [None, NOON, None, None, FULL]),
        ({"hours_on": {"6": NOON}}, [FULL, NOON, None, None, FULL]),
        ({"hours_on": {"6": ()}}, [FULL, None, None, None, None]),
        ({"hours_on": {"1": ()}, "days": (1, 6)}, [None, MORNING, None, None, FULL]),
        ({"hours_on": {"1": NOON}, "hours": MORNING}, [NOON, MORNING, None, None, FULL]),
        ({"hours_on": {"2026-10-01": NOON}}, [FULL, MORNING, None, NOON, FULL]),
        ({"hours_on": {"2026-10-10": NOON}, "days": (1,)}, [FULL, None, None, None, NOON]),
        ({"hours_on": {"2026-10-10": ()}}, [FULL, MORNING, None, None, None]),
    ],
)
def test_what_goes_first(hall: Any, own: dict[str, Any], expected: list[Any]) -> None:
    policy, tax = of_hall(hall), service(hall, **own)
    days = (MONDAY, SATURDAY, SUNDAY, HOLIDAY, WORKED)
    assert [hours.given(policy, day, tax) for day in days] == expected


def test_a_service_without_hours_follows_a_weekday_on_which_the_hall_rests(hall: Any) -> None:
    """It works on a Sunday, which says nothing of when: as on any other day."""
    policy = of_hall(hall, hours_on={"7": ()})
    assert hours.given(policy, SUNDAY) is None
    assert hours.given(policy, SUNDAY, service(hall, days=(7,))) == FULL


@cache
def load_config_once() -> Any:
    return SimpleNamespace(policy=load_config(SHIPPED).policy())


spans = st.sampled_from([(), FULL, NOON, MORNING])
tables = st.dictionaries(
    st.sampled_from(["1", "4", "6", "7", "2026-10-01", "2026-10-10", "2026-10-11"]), spans, max_size=4
)
weekdays = st.lists(st.integers(1, 7), unique=True, max_size=5).map(tuple)
dates = st.integers(0, 20).map(lambda n: date(2026, 9, 28) + timedelta(days=n))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(day=dates, issue=weekdays, days=weekdays, hall_on=tables, own_on=tables, own=spans)
def test_the_ranks_hold_whatever_is_written(
    day: date, issue: Any, days: Any, hall_on: Any, own_on: Any, own: Any
) -> None:
    shipped = load_config_once()
    policy = of_hall(shipped, hours_on=hall_on, issue_days=issue)
    tax = service(shipped, hours=own, days=days, hours_on=own_on)
    found, on = hours.given(policy, day, tax), day.isoformat()
    if on in own_on:
        assert found == (own_on[on] or None), "its own date goes before all"
    elif hall_on.get(on) == ():
        assert found is None, "a closed date closes every service without an entry of its own"
    elif on in hall_on:
        assert found in (hall_on[on], None), "on a date of the hall its spans hold, where the service works"
    elif not own_on and not days and not own:
        assert found == hours.given(policy, day), "a service that says nothing is like the hall"
    assert found is None or found, "a hall with hours never gives numbers at any time"
    other = msgspec.structs.replace(policy, hours_on={k: v for k, v in hall_on.items() if k != on})
    if on not in hall_on:
        assert hours.given(other, day, tax) == found, "dates say nothing of other days"


# ---------------------------------------------------------------- the decision, and what is said of it


def test_a_closed_date_and_a_working_saturday(hall: Any, refused: Any) -> None:
    """It is Monday, 23 November, 09:00 and the hall is closed; it works on Saturday."""
    on: HoursOn = {"2026-11-23": (), "2026-11-28": MORNING}
    hall.change(issue_times=FULL, issue_days=(1, 2, 3, 4, 5), hours_on=on)
    hall.change("tax", hours_on={"2026-11-23": MORNING})
    hall.change("house", days=(1, 2))
    hall.issue("tax")
    for closed in ("id-card", "house"):
        with refused("ticket.hall_closed"):
            hall.issue(closed)
    hall.tomorrow(5)
    hall.issue("id-card")
    hall.issue("tax")
    with refused("ticket.out_of_hours"):
        hall.issue("house")
    hall.wait(3 * 3600)
    with refused("ticket.hall_closed"):
        hall.issue("id-card")


def test_the_board_and_the_counters_say_the_hours_of_the_date(hall: Any) -> None:
    on: HoursOn = {"2026-11-23": (), "2026-11-24": MORNING, "6": NOON}
    hall.change(issue_times=FULL, issue_days=(1, 2, 3, 4, 5), hours_on=on)
    hall.change("tax", hours_on={"2026-11-23": NOON})
    one = msgspec.structs.replace(hall.policy.counters["1"], hours=("08:00-18:00",))
    hall.change(counters=hall.policy.counters | {"1": one})
    screens = Projections(hall.policy, {"zh-CN": "大厅"})

    def said() -> tuple[Any, ...]:
        board = screens.board(hall.state, 1, hall.at)
        counters = [screens.counter(id_, hall.state, 1) for id_ in ("1", "2", "3")]
        assert {c.business_date for c in counters} == {board.business_date}
        return board.hours, [(s.hours, s.today) for s in board.services], [c.hours for c in counters]

    assert said() == ((), [((), False), ((), False), (NOON, True)], [(), (), NOON])
    hall.tomorrow()
    assert said() == (MORNING, [((), True)] * 3, [MORNING] * 3)
    hall.tomorrow()
    assert said() == (FULL, [((), True)] * 3, [("08:00-18:00",), FULL, FULL])
    hall.tomorrow(3)
    assert said() == (NOON, [((), True)] * 3, [("08:00-18:00",), NOON, NOON])
    hall.tomorrow()
    assert said() == ((), [((), False)] * 3, [(), (), ()])


def test_when_again_leaves_out_closed_dates(hall: Any) -> None:
    """Friday, 27 November: Saturday is closed by its date, Monday as well, Sunday is no day; so Tuesday."""
    on: HoursOn = {"6": MORNING, "2026-11-28": (), "2026-11-30": ()}
    hall.change(issue_times=FULL, issue_days=(1, 2, 3, 4, 5), hours_on=on)
    hall.change("tax", hours_on={"2026-11-29": NOON})
    hall.change("house", open=False)
    hall.tomorrow(4)
    screens = Projections(hall.policy, {"zh-CN": "大厅"})

    def again() -> list[date | None]:
        return [s.again for s in screens.board(hall.state, 1, hall.at).services]

    assert again() == [None] * 3, "numbers are given"
    hall.wait(3.5 * 3600)
    assert again() == [None] * 3, "it is noon, they are given again today"
    hall.wait(4.5 * 3600)
    assert again() == [date(2026, 12, 1), None, date(2026, 11, 29)]
    hall.wait(8 * 3600)
    assert again() == [date(2026, 12, 1), None, date(2026, 11, 29)], "after midnight, on the same date"
    hall.change(hours_on={str(n): () for n in range(1, 8)})
    screens = Projections(hall.policy, {"zh-CN": "大厅"})
    assert again() == [None, None, date(2026, 11, 29)], "never again is not said"


def test_when_again_is_the_next_day_on_which_a_number_is_given(hall: Any) -> None:
    """Over three weeks with a holiday, looked at late in the evening."""
    hall.change(issue_times=FULL, issue_days=(1, 2, 3, 4, 5), hours_on={"6": MORNING, "2026-12-02": ()})
    policy, tax = hall.state.policy, hall.state.policy.services["tax"]
    hall.wait(13 * 3600)
    for _ in range(20):
        told, day = hours.again(hall.state, tax, hall.at), hall.state.business_date
        assert told is not None and hours.given(policy, told, tax) is not None
        between = (day + timedelta(days=n) for n in range(1, (told - day).days))
        assert all(hours.given(policy, one, tax) is None for one in between)
        hall.tomorrow()


def test_the_end_of_a_business_date() -> None:
    end = end_of(WORKED, "Asia/Shanghai", 240)
    assert end == datetime(2026, 10, 10, 20, 0, tzinfo=UTC)
    before = end - timedelta(seconds=1)
    assert [business_date_of(at, "Asia/Shanghai", 240) for at in (before, end)] == [
        WORKED,
        WORKED + timedelta(days=1),
    ]


def test_a_span_ends_at_midnight() -> None:
    assert in_spans(1439, ("20:00-24:00",)) and not in_spans(0, ("20:00-24:00",))


# ---------------------------------------------------------------- the file

RIGHT = '{ 6 = ["09:00-12:00"], 2026-10-01 = [], 2026-10-10 = ["09:00-12:00", "13:30-17:00"] }'


def written(folder: Path, hall: str = "{}", own: str = "{}") -> Path:
    text = SHIPPED.read_text("utf-8")
    text = text.replace('call_languages = ["zh-CN"]', f'call_languages = ["zh-CN"]\nhours_on = {hall}', 1)
    text = text.replace('id = "tax"\n', f'id = "tax"\nhours_on = {own}\n', 1)
    file = folder / "hall.toml"
    file.write_text(text, "utf-8")
    return file


def test_it_is_written_like_this(tmp_path: Path) -> None:
    policy = load_config(written(tmp_path, RIGHT, '{ 2026-10-02 = ["20:00-24:00"] }')).policy()
    assert policy.hours_on == {"6": MORNING, "2026-10-01": (), "2026-10-10": FULL}
    assert policy.services["tax"].hours_on == {"2026-10-02": ("20:00-24:00",)}
    old = load_config(SHIPPED).policy()
    assert old.hours_on == {} and all(not one.hours_on for one in old.services.values())


def test_the_week_in_the_shipped_file_is_right(tmp_path: Path) -> None:
    """With its comment marks taken away."""
    lines = SHIPPED.read_text("utf-8").splitlines()
    first = lines.index("# [hall.hours_on]")
    for n in range(first, lines.index("", first)):
        if lines[n].startswith(("# [", "# 6 =", "# 2026")):
            lines[n] = lines[n].removeprefix("# ")
    file = tmp_path / "hall.toml"
    file.write_text("\n".join(lines), "utf-8")
    policy = load_config(file).policy()
    closed = [day for day in sorted(policy.hours_on) if not policy.hours_on[day]]
    assert closed == [f"2026-10-0{n}" for n in range(1, 8)]
    assert hours.given(policy, WORKED) and hours.given(policy, SATURDAY) == MORNING


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("{ 0 = [] }", "hours_on.0: 应为星期 1 至 7 或日期"),
        ("{ 8 = [] }", "hours_on.8: 应为星期 1 至 7 或日期"),
        ('{ "六" = [] }', "hours_on.六: 应为星期"),
        ("{ 20261001 = [] }", "hours_on.20261001: 应为星期 1 至 7 或日期"),
        ("{ 2026-02-30 = [] }", "hours_on.2026-02-30: 没有这一天"),
        ('{ 6 = ["9-12"] }', "hours_on.6: '9-12' 应写成"),
        ('{ 6 = ["09:00-24:30"] }', "hours_on.6: '09:00-24:30' 应写成"),
        ('{ 6 = ["12:00-09:00"] }', "hours_on.6: '12:00-09:00' 结束须晚于开始"),
        ('{ 6 = ["09:00-09:00"] }', "hours_on.6: '09:00-09:00' 结束须晚于开始"),
        ('{ 6 = ["13:00-17:00", "09:00-13:30"] }', "hours_on.6: '09:00-13:30' 与 '13:00-17:00' 重叠"),
        ('{ 6 = ["09:00-17:00", "10:00-11:00", "12:00-13:00"] }', "与 '12:00-13:00' 重叠"),
        ('{ 6 = "09:00-12:00" }', "hours_on.6: 值不对"),
        ("{ 2026-10-01 = [9] }", "hours_on.2026-10-01: 值不对"),
    ],
)
def test_mistakes_say_where_and_what_to_do(tmp_path: Path, table: str, problem: str) -> None:
    for where, file in (("hall", written(tmp_path, hall=table)), ("service[11]", None)):
        with pytest.raises(TomlProblems) as caught:
            load_config(file or written(tmp_path, own=table))
        found = caught.value.problems
        assert any(p.startswith(f"{where}.hours_on") and problem in p and " · " in p for p in found), found


def test_the_check_on_the_command_line_shows_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--check", "--config", str(written(tmp_path, RIGHT))]) == 0
    file = written(tmp_path, '{ 9 = [], 2026-13-01 = [], 6 = ["12:00-09:00"] }')
    assert command.main(["--check", "--config", str(file)]) == 2
    said = capsys.readouterr().err
    assert all(f"hall.hours_on.{key}: " in said for key in ("9", "2026-13-01", "6")), said
