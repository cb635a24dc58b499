"""What the hall manager and the technician see, as HTML: top line, busy day, devices, parts, alarms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.misbehaviour import ways
from simulator.words import Words, esc

if TYPE_CHECKING:
    from simulator.alarms import AlarmRow
    from simulator.busy_day import BusyDay
    from simulator.hall_site import HallSite


def top(site: HallSite, words: Words, alarms: int) -> str:
    """Who and whether: the coordinator as its retained state says, the broker, the number of alarms."""
    observer = site.observer
    state = observer.coordinator
    name = words.local(observer.catalogue.hall_name) if observer.catalogue is not None else site.hall
    if state is None:
        hall = f'<span class="chip"><i class="dot"></i>{words.html("hall_unknown")}</span>'
    else:
        good = "ok" if state.state == "online" and observer.connected else "missing"
        said = words(f"hall_{state.state}", epoch=state.epoch, date=state.business_date or "—")
        hall = f'<span class="chip"><i class="dot {good}"></i>{esc(said)}</span>'
    other = "en" if words.language == "zh-CN" else "zh-CN"
    online = sum(n in observer.nodes and observer.nodes[n].state == "online" for n in site.nodes)
    nodes = "ok" if online == len(site.nodes) else "missing"
    broker = "ok" if observer.connected else "missing"
    alarm = f'<span class="chip alarm">{words.html("alarms_count", count=alarms)}</span>' if alarms else ""
    return (
        f'<div class="name"><b>排号</b>{esc(name)}</div><div class="chips">{alarm}{hall}'
        f'<span class="chip"><i class="dot {broker}"></i>MQTT</span>'
        f'<span class="chip num"><i class="dot {nodes}"></i>'
        f"{words.html('nodes', online=online, all=len(site.nodes))}</span>"
        f'<a class="chip click" href="/?lang={other}">{words.html("other_language")}</a></div>'
    )


def day(site: HallSite, busy: BusyDay, words: Words) -> str:
    """The busy day's button and the live counts. The slider is part of the page's frame."""
    running = busy.state == "running"
    button = (
        f'<button class="go stop" data-act="day.stop">■ {words.html("day_stop")}</button>'
        if running
        else f'<button class="go" data-act="day.start">▶ {words.html("day_start")}</button>'
    )
    if busy.plan is not None:
        clock = 9 * 3600 + busy.time.now()
        part = min(1.0, busy.time.now() / busy.plan.day_s)
        if busy.state == "finished":
            hands = words("day_finished")
        else:
            hands = f"{int(clock // 3600) % 24:02d}:{int(clock // 60) % 60:02d}" if running else "—"
    else:
        hands, part = "—", 0.0
    observer, kiosk = site.observer, site.kiosk
    board = site.board.board
    waiting = sum(row.waiting for row in board.services) if board is not None else 0
    times = sorted(kiosk.paper_s)
    latency = "—"
    if times:
        p50, p99 = (times[min(len(times) - 1, math.ceil(len(times) * q) - 1)] for q in (0.5, 0.99))
        latency = f"{p50 * 1000:.0f} / {p99 * 1000:.0f}"
    refused = kiosk.refused + kiosk.failed
    stats = [
        ("clock", hands, ""),
        ("arrived", busy.arrived, ""),
        ("printed", site.tickets_out, ""),
        ("waiting", waiting, ""),
        ("called", observer.calls, ""),
        ("served", observer.served, ""),
        ("rated", observer.rated, ""),
        ("refused", refused, " bad" if refused else ""),
        ("latency", latency, ""),
    ]
    cells = "".join(
        f'<div class="stat{bad}" data-stat="{name}"><b class="num">{esc(value)}</b>'
        f"<span>{words.html(f'stat_{name}', queue=busy.at_kiosk)}</span></div>"
        for name, value, bad in stats
    )
    return (
        f'{button}<div class="stats">{cells}</div>'
        f'<div class="daybar"><i style="width:{part * 100:.1f}%"></i></div>'
    )


def speed(busy: BusyDay, words: Words) -> str:
    """The slider from 1 to 200 times, even in ratios; the browser shows its value."""
    place = round(100 * math.log(busy.speed) / math.log(200))
    return (
        f'<span>{words.html("speed")} <output id="speed" class="num">{busy.speed:.0f}×</output></span>'
        f'<input type="range" min="0" max="100" value="{place}" data-act="day.speed" data-out="speed"'
        f' title="{words.html("day_note")}"><span class="note">{words.html("day_note")}</span>'
    )


def devices_title(words: Words) -> str:
    return (
        f'<div class="h">{words.html("devices")}<span class="right">{words.html("devices_note")}</span></div>'
    )


def devices(site: HallSite, node: str, words: Words) -> str:
    """One node: its devices with the health that it reports over MQTT, and how each can misbehave."""
    observer = site.observer
    state = observer.nodes.get(node)
    health = "ok" if state is not None and state.state == "online" else "missing"
    rows = ""
    for name in site.devices:
        if not name.startswith(f"{node}/"):
            continue
        device = name.partition("/")[2]
        told = observer.devices.get((node, device))
        kind = told.health if told is not None else "unknown"
        fault = words.code(told.code) if told is not None else ""
        bad = "bad" if kind in ("fault", "missing") else ""
        said = fault or words(f"health_{kind}")
        buttons = "".join(
            f'<button class="way{" on" if way.is_on is not None and way.is_on(site, name) else ""}" '
            f'data-act="way.{esc(name)}" data-arg="{way.key}">{words.html(f"way_{way.key}")}</button>'
            for way in ways(site, name)
        )
        rows += (
            f'<div class="dev" data-device="{esc(name)}" data-health="{kind}"><div class="line">'
            f'<i class="dot {kind}"></i>{words.html(f"role_{site.role_of(name)}")}'
            f'<small class="{bad}" title="{esc(said)}">{esc(said)}</small>'
            f'</div><div class="ways">{buttons}</div></div>'
        )
    title = words(f"node_{node.partition('-')[0]}", number=node.partition("-")[2])
    head = f'<i class="dot {health}"></i>{esc(title)}<span class="right">{esc(node)}</span>'
    return f'<div class="h">{head}</div>{rows}'


def parts(site: HallSite, words: Words) -> str:
    """The programs: running or not, how often started, and kill -9."""
    rows = ""
    for name, part in site.parts.items():
        kind = {"ready": "ok", "starting": "degraded", "waiting": "missing"}.get(part.state, "")
        starts = words("part_starts", count=part.starts) if part.starts > 1 else ""
        rows += (
            f'<div class="part" data-part="{name}" data-state="{part.state}"><i class="dot {kind}"></i>'
            f"{_part_name(name, words)}"
            f'<small class="num">{part.pid or "—"} {esc(starts)}</small><div class="ways">'
            f'<button class="way" data-act="part.kill" data-arg="{name}">kill -9</button>'
            f'<button class="way" data-act="part.restart" data-arg="{name}">'
            f"{words.html('part_restart')}</button></div></div>"
        )
    head = f'{words.html("parts")}<span class="right">{words.html("parts_note")}</span>'
    return f'<div class="h">{head}</div>{rows}'


def alarms(rows: list[AlarmRow], words: Words) -> str:
    """What the coordinator raised, as its REST interface tells."""
    body = "".join(
        f'<div class="alarmrow"><i class="dot fault"></i><div>{esc(row.said(words))}'
        f"<small>{esc(row.about(words))}</small>{_help(row, words)}</div></div>"
        for row in rows
    )
    body = body or f'<div class="quiet">{words.html("no_alarms")}</div>'
    return f'<div class="h">{words.html("alarms")}</div>{body}'


def _help(row: AlarmRow, words: Words) -> str:
    """The two things that a clerk says to a call for help."""
    if not row.help_wanted:
        return ""
    subject = esc(row.subject)
    coming = (
        f"<small>{words.html('help_coming')}</small>"
        if row.answered
        else f'<button class="way" data-act="help.answer" data-arg="{subject}">'
        f"{words.html('help_answer')}</button> "
    )
    done = f'<button class="way" data-act="help.done" data-arg="{subject}">{words.html("help_done")}</button>'
    return coming + done


def _part_name(name: str, words: Words) -> str:
    kind, _, number = name.partition("-")
    return words.html(f"part_{kind}", number=number)
