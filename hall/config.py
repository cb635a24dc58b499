"""The hall's configuration: one TOML file, checked whole, every mistake shown at once.

Tables: hall, broker, api, rating_page, numbers, limits, appointments, rating_reasons, and lists group, zone,
service, priority, counter, clerk, rule, announcement, playlist, rating_reason. It is shown whole in
`firmware_config/hall/hall.toml`; guides and pictures lie beside it (`hall.shown`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from hall.languages import missing_languages
from hall.queue.policy import (
    MAX_NUMBER,
    NORMAL,
    Appointments,
    Counter,
    Group,
    HoursOn,
    Limits,
    Numbers,
    Policy,
    Priority,
    Rule,
    Service,
    Span,
    Weekday,
    Zone,
)
from hall.shown import GUIDES, PlaylistRow, ReasonRow, ReasonsTable, Shown
from hall.shown import check as check_shown
from hall.shown import load as load_shown
from wire.checked_toml import TomlProblems, load
from wire.messages import CounterClerk, Id, LocalText
from wire.mqtt_options import BrokerOptions
from wire.texts import LANGUAGES

_PAGE_URL: Final = r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*)?\Z"
_SPAN: Final = r"(([01]\d|2[0-3]):[0-5]\d)-(([01]\d|2[0-3]):[0-5]\d|24:00)"

Role = Literal["issue", "counter", "read", "appointments", "admin"]
"""issue: take numbers; counter: keys, clerks, calls for help; read: all that is shown; appointments: import
and list them; admin: everything."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class HallTable(_Table, frozen=True, kw_only=True):
    """`storage`: the journal, a path or an SQLAlchemy URL. `day_start`: when a business date begins.

    `issue_times`, `issue_days`: numbers are given in these spans, on these days (1 Monday … 7) only; empty:
    always. `hours_on`: other spans on single weekdays and dates (`hall.queue.hours`). `ticket_url`: what the
    QR code says; `{ticket}` in it is replaced by the ticket's id.
    `show_clerks`: what counters' screens say of who sits there. `call_by_name`: a number taken with a card
    carries the masked name, which the hall display shows.

    `match_key_file`: the hall's key, the same as the kiosks', for appointments; "": there are none.
    `rating_url`: where a text can be written about a service on a platform of others; `{prompt}` in it is
    replaced; the hall's own page is the table `rating_page`. `guides`: folder of the guides, beside this
    file; "": none. Only the default one may be missing.
    """

    id: Id
    name: LocalText
    storage: Annotated[str, msgspec.Meta(min_length=1)]
    timezone: str = "Asia/Shanghai"
    day_start: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = "04:00"
    issue_times: tuple[Span, ...] = ()
    issue_days: tuple[Weekday, ...] = ()
    hours_on: HoursOn = {}
    call_languages: tuple[str, ...] = ("zh-CN",)
    call_repeat: Annotated[int, msgspec.Meta(ge=1, le=5)] = 2
    ticket_url: str = ""
    ticket_notes: LocalText = {}
    show_clerks: Literal["no", "number", "name", "photo"] = "number"
    call_by_name: bool = False
    match_key_file: str = ""
    rating_url: str = ""
    guides: str = GUIDES

    @property
    def day_start_minute(self) -> int:
        return int(self.day_start[:2]) * 60 + int(self.day_start[3:])


class Token(_Table, frozen=True, kw_only=True):
    """`sha256`: of the bearer token, in hex (`printf %s "$TOKEN" | sha256sum`); `name` stands in the log."""

    name: str
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1)]


class ApiTable(_Table, frozen=True, kw_only=True):
    """The REST interface. Without tokens it answers on loopback only. `port` 0: none."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8600
    tokens: tuple[Token, ...] = msgspec.field(name="token", default=())


class RatingPage(_Table, frozen=True, kw_only=True):
    """The hall's own page for texts about a service, on a port of its own: nothing else answers there.

    `url`: where phones find it, shown as a QR code; "": there is none. `host`, `port`: where it listens;
    behind a reverse proxy of this machine 127.0.0.1.
    """

    url: Annotated[str, msgspec.Meta(max_length=80, pattern=_PAGE_URL)] = ""
    host: str = "0.0.0.0"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8601


class Announcement(_Table, frozen=True, kw_only=True):
    text: LocalText


class Clerk(_Table, frozen=True, kw_only=True):
    """`number`: the staff number (工号) on the badge. `id` is what a counter and the REST interface name.

    `photo`: a picture file beside hall.toml, shown only with `show_clerks = "photo"`.
    """

    id: Id
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    name: LocalText = {}
    photo: str = ""


class HallConfig(_Table, frozen=True, kw_only=True):
    """`shown` is no table of the file: guides and pictures that `load_config` found beside it."""

    hall: HallTable
    broker: BrokerOptions
    api: ApiTable = ApiTable()
    rating_page: RatingPage = RatingPage()
    numbers: Numbers = Numbers()
    limits: Limits = Limits()
    groups: Annotated[tuple[Group, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="group")
    zones: Annotated[tuple[Zone, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="zone")
    services: Annotated[tuple[Service, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="service")
    counters: Annotated[tuple[Counter, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="counter")
    priorities: tuple[Priority, ...] = msgspec.field(name="priority", default=())
    rules: tuple[Rule, ...] = msgspec.field(name="rule", default=())
    announcements: tuple[Announcement, ...] = msgspec.field(name="announcement", default=())
    clerks: tuple[Clerk, ...] = msgspec.field(name="clerk", default=())
    appointments: Appointments = Appointments()
    rating_reasons: ReasonsTable | None = None
    reasons: tuple[ReasonRow, ...] = msgspec.field(name="rating_reason", default=())
    playlist: tuple[PlaylistRow, ...] = ()
    shown: Shown = Shown()

    def shown_clerks(self) -> dict[str, CounterClerk]:
        """The clerks by id, as far as citizens may see them."""
        show = self.hall.show_clerks
        if show == "no":
            return {}
        return {
            clerk.id: CounterClerk(
                number=clerk.number,
                name=clerk.name if show in ("name", "photo") else {},
                photo=self.shown.photos.get(clerk.id),
            )
            for clerk in self.clerks
        }

    def policy(self) -> Policy:
        """What the queue needs of it."""
        return Policy(
            groups={group.id: group for group in self.groups},
            services={service.id: service for service in self.services},
            zones={zone.id: zone for zone in self.zones},
            counters={counter.id: counter for counter in self.counters},
            priorities={priority.id: priority for priority in self.priorities},
            rules=self.rules,
            numbers=self.numbers,
            limits=self.limits,
            timezone=self.hall.timezone,
            issue_times=self.hall.issue_times,
            issue_days=self.hall.issue_days,
            hours_on=self.hall.hours_on,
            call_by_name=self.hall.call_by_name,
            appointments=self.appointments,
            rating_texts=bool(self.rating_page.url),
        )


def load_config(path: str | Path, *, left_out: list[str] | None = None) -> HallConfig:
    """The configuration in `path`, with the guides and pictures beside it.

    Args:
        left_out: Gets what is wrong with files beside it, which are then left out: a hall begins its day
            without a picture. None: that is raised as well.

    Raises:
        TomlProblems: with everything that is wrong.
    """
    config = load(path, HallConfig)
    problems = check(config)
    shown, wrong = load_shown(config, Path(path).parent)
    (problems if left_out is None else left_out).extend(wrong)
    if problems:
        raise TomlProblems(problems)
    return msgspec.structs.replace(config, shown=shown)


def check(config: HallConfig) -> list[str]:
    """What no type can say: references, unique ids, ranges that belong together."""
    problems: list[str] = []
    for name, ids in _all_ids(config).items():
        seen: set[str] = set()
        for id_ in ids:
            if id_ in seen:
                problems.append(f"{name}: {id_!r} 重复 · is there twice")
            seen.add(id_)
    problems += _references(config)
    problems += _texts(config)
    problems += _numbers(config)
    problems += _hours_on("hall.hours_on", config.hall.hours_on)
    for n, service in enumerate(config.services):
        problems += _hours_on(f"service[{n}].hours_on", service.hours_on)
    try:
        ZoneInfo(config.hall.timezone)
    except (OSError, ValueError, KeyError):
        problems.append(f"hall.timezone: 没有这个时区 · no time zone {config.hall.timezone!r}")
    if not config.api.tokens and not _is_loopback(config.api.host):
        problems.append(f"api.host: 没有令牌时只能用本机地址 · {config.api.host!r} needs [[api.token]]")
    for language in config.hall.call_languages:
        if language not in LANGUAGES:
            problems.append(f"hall.call_languages: 没有这种语言 · no texts in {language!r}")
    for name, url, place in (
        ("ticket_url", config.hall.ticket_url, "{ticket}"),
        ("rating_url", config.hall.rating_url, "{prompt}"),
    ):
        if url and not url.isascii():
            problems.append(f"hall.{name}: 二维码只能用 ASCII · a QR code must be ASCII")
        if url and place not in url:
            problems.append(f"hall.{name}: 缺少 {place} · {place} must stand in it")
    if config.rating_page.url and config.hall.rating_url:
        problems.append(
            "rating_page.url: 与 hall.rating_url 只能写一个 · only one of this and hall.rating_url"
        )
    if config.rating_page.url and config.rating_page.port == config.api.port:
        problems.append("rating_page.port: 不能与 api.port 相同 · must not be api.port")
    problems += check_shown(config)
    if config.shown != Shown():
        problems.append("shown: 没有这个键 · unknown key")
    return problems


def _all_ids(config: HallConfig) -> dict[str, list[str]]:
    return {
        "group": [group.id for group in config.groups],
        "group.prefix": [group.prefix for group in config.groups],
        "zone": [zone.id for zone in config.zones],
        "service · counter": [s.id for s in config.services] + [c.id for c in config.counters],
        "priority": [priority.id for priority in config.priorities],
        "clerk": [clerk.id for clerk in config.clerks],
        "clerk.number": [clerk.number for clerk in config.clerks],
        "rule.name": [rule.name for rule in config.rules],
        "playlist.item": [row.item for row in config.playlist],
        "rating_reason": [reason.id for reason in config.reasons],
        "api.token": [token.sha256 for token in config.api.tokens],
    }


def _references(config: HallConfig) -> list[str]:
    groups = {group.id for group in config.groups}
    zones = {zone.id for zone in config.zones}
    services = {service.id for service in config.services}
    counters = {counter.id for counter in config.counters}
    priorities = {priority.id for priority in config.priorities}
    clerks = {clerk.id for clerk in config.clerks}
    problems: list[str] = []

    def needs(path: str, what: str, known: set[str], ids: Iterable[str]) -> None:
        problems.extend(f"{path}: 不存在 · there is no {what} {id_!r}" for id_ in ids if id_ not in known)

    for n, service in enumerate(config.services):
        needs(f"service[{n}].group", "group", groups, [service.group])
        needs(f"service[{n}].zone", "zone", zones, [service.zone])
        if not any(service.id in counter.services for counter in config.counters):
            problems.append(f"service[{n}]: 没有窗口办理 · no counter serves {service.id!r}")
    for n, counter in enumerate(config.counters):
        needs(f"counter[{n}].zone", "zone", zones, [counter.zone])
        needs(f"counter[{n}].services", "service", services, counter.services)
        if clerks and counter.clerk is not None:
            needs(f"counter[{n}].clerk", "clerk", clerks, [counter.clerk])
        if counter.transfer_to is not None:
            known = (services | counters) - {counter.id}
            needs(f"counter[{n}].transfer_to", "other counter or service", known, [counter.transfer_to])
    for n, priority in enumerate(config.priorities):
        if priority.needs_card and priority.minimum_age is None:
            problems.append(f"priority[{n}].needs_card: 还需要 minimum_age · needs minimum_age as well")
    if NORMAL in priorities:
        problems.append(f"priority: {NORMAL!r} 是保留名 · {NORMAL!r} names tickets without a class")
    if config.appointments.priority is not None:
        needs("appointments.priority", "priority", priorities, [config.appointments.priority])
    for n, rule in enumerate(config.rules):
        needs(f"rule[{n}].when.counters", "counter", counters, rule.when.counters)
        needs(f"rule[{n}].when.zones", "zone", zones, rule.when.zones)
        needs(f"rule[{n}].call_from.services", "service", services, rule.call_from.services)
        needs(f"rule[{n}].call_from.priorities", "priority", priorities | {NORMAL}, rule.call_from.priorities)
    for n, group in enumerate(config.groups):
        if len(group.id) > 32:
            problems.append(f"group[{n}].id: 最多 32 个字符 · at most 32 characters")
    return problems


def _texts(config: HallConfig) -> list[str]:
    """Every name in every language: no citizen sees an empty sign."""
    named: list[tuple[str, LocalText]] = [("hall.name", config.hall.name)]
    tables: dict[str, tuple[Any, ...]] = {
        "group": config.groups,
        "zone": config.zones,
        "service": config.services,
        "counter": config.counters,
        "priority": config.priorities,
    }
    for table, entries in tables.items():
        named += [(f"{table}[{n}].name", entry.name) for n, entry in enumerate(entries)]
    named += [(f"zone[{n}].directions", zone.directions) for n, zone in enumerate(config.zones)]
    named += [(f"zone[{n}].floor", zone.floor) for n, zone in enumerate(config.zones) if zone.floor]
    named += [(f"announcement[{n}].text", entry.text) for n, entry in enumerate(config.announcements)]
    return missing_languages(named)


def _numbers(config: HallConfig) -> list[str]:
    numbers = config.numbers
    top = 10**numbers.digits
    if numbers.lease_from + numbers.lease_size > top:
        return [
            "numbers: 离线号段放不下 · leases of "
            f"{numbers.lease_size} from {numbers.lease_from} do not fit below {top}"
        ]
    assert top < MAX_NUMBER
    return []


def _hours_on(path: str, table: HoursOn) -> list[str]:
    problems: list[str] = []
    for key, spans in table.items():
        if re.fullmatch(r"[1-7]", key) is None and re.fullmatch(r"\d{4}-\d\d-\d\d", key, re.ASCII) is None:
            problems.append(
                f"{path}.{key}: 应为星期 1 至 7 或日期，如 2026-10-01"
                " · write a weekday 1 to 7 or a date such as 2026-10-01"
            )
        elif len(key) > 1:
            try:
                date.fromisoformat(key)
            except ValueError:
                problems.append(f"{path}.{key}: 没有这一天 · there is no such day; write another date")
        before = ("", "")
        for span in sorted(spans):
            begin, _, end = span.partition("-")
            if re.fullmatch(_SPAN, span, re.ASCII) is None:
                problems.append(f'{path}.{key}: {span!r} 应写成 "09:00-12:00" · write it as "09:00-12:00"')
            elif end <= begin:
                problems.append(
                    f"{path}.{key}: {span!r} 结束须晚于开始，午夜写 24:00"
                    " · must end after it begins; midnight is 24:00"
                )
            else:
                if begin < before[1]:
                    problems.append(
                        f"{path}.{key}: {'-'.join(before)!r} 与 {span!r} 重叠，请合并"
                        " · overlap; make them one"
                    )
                before = max(before, (begin, end), key=lambda one: one[1])
    return problems


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
