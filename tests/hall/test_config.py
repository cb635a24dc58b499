"""The hall's configuration: the shipped file is right, and every mistake in one is shown at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hall.config import load_config
from wire.checked_toml import TomlProblems

ID_CARD = 'group = "household"\nzone = "east"\n'
SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"


def test_the_shipped_hall_is_right() -> None:
    config = load_config(SHIPPED)
    assert (len(config.services), len(config.counters), len(config.priorities)) == (12, 4, 4)
    assert 3 <= len(config.groups) <= 4
    policy = config.policy()
    assert policy.number("social", 5) == "C005"
    assert config.hall.day_start_minute == 240


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('group = "social"', 'group = "gone"'), "service[6].group: "),
        (('services = ["pension", ', 'services = ["penison", '), "counter[2].services: "),
        (('services = ["pension", ', "services = ["), "service[6]: "),
        (('transfer_to = "2"', 'transfer_to = "1"'), "counter[0].transfer_to: "),
        (('prefix = "B"', 'prefix = "A"'), "group.prefix: "),
        (('id = "disabled"', 'id = "normal"'), "priority: "),
        (("lease_from = 600", "lease_from = 990"), "numbers: "),
        (('timezone = "Asia/Shanghai"', 'timezone = "Moon/Crater"'), "hall.timezone: "),
        (('host = "127.0.0.1"\nport = 8600', 'host = "0.0.0.0"\nport = 8600'), "api.host: "),
        (
            ('name = { zh-CN = "养老保险", en = "Pension insurance" }', 'name = {en = "P"}'),
            "service[6].name: ",
        ),
        (('id = "4"\nname', 'id = "tax"\nname'), "service · counter: "),
        (('ticket_url = ""', 'ticket_url = "https://hall.example/t/"'), "hall.ticket_url: "),
        (("waiting_at_least = 2", "waiting_atleast = 2"), "rule[2].when.waiting_atleast: "),
        (('counters = ["4"]', 'counters = ["9"]'), "rule[2].when.counters: "),
        (('clerk = "clerk-03"', 'clerk = "clerk-33"'), "counter[2].clerk: "),
        (('number = "002"', 'number = "001"'), "clerk.number: "),
        (('show_clerks = "number"', 'show_clerks = "yes"'), "hall.show_clerks: "),
        (("issue_days = []", "issue_days = [0]"), "hall.issue_days: "),
        ((ID_CARD, ID_CARD + "quota = 0\n"), "service[3].quota: "),
        ((ID_CARD, ID_CARD + "days = [8]\n"), "service[3].days: "),
        ((ID_CARD, ID_CARD + 'hours = ["9-11:30"]\n'), "service[3].hours: "),
        ((ID_CARD, ID_CARD + 'initials = "SFZ"\n'), "service[3].initials: "),
        (('id = "disabled"', 'id = "disabled"\nneeds_card = true'), "priority[1].needs_card: "),
        (('floor = { zh-CN = "一楼", en', "floor = { en"), "zone[0].floor: "),
    ],
)
def test_mistakes_are_found(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    text = SHIPPED.read_text("utf-8")
    assert change[0] in text
    file = tmp_path / "hall.toml"
    file.write_text(text.replace(*change, 1), "utf-8")
    with pytest.raises(TomlProblems) as caught:
        load_config(file)
    assert any(found.startswith(problem) for found in caught.value.problems), caught.value.problems


def test_several_mistakes_are_shown_together(tmp_path: Path) -> None:
    text = SHIPPED.read_text("utf-8")
    text = text.replace("digits = 3", 'digits = "three"').replace("call_repeat", "repeat")
    file = tmp_path / "hall.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(TomlProblems) as caught:
        load_config(file)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "show, shown",
    [("no", None), ("number", ("003", {})), ("name", ("003", {"zh-CN": "张敏", "en": "Zhang Min"}))],
)
def test_the_hall_decides_what_is_shown_of_its_clerks(tmp_path: Path, show: str, shown: object) -> None:
    file = tmp_path / "hall.toml"
    text = SHIPPED.read_text("utf-8").replace('show_clerks = "number"', f'show_clerks = "{show}"')
    file.write_text(text, "utf-8")
    clerk = load_config(file).shown_clerks().get("clerk-03")
    assert (None if clerk is None else (clerk.number, clerk.name)) == shown
