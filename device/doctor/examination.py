"""One look at the whole machine: what is there, what answers, what is missing, what to do.

An `Examination` remembers who answered, so that a second look asks only what is new or was silent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec

from device.doctor.finding import find, machine
from device.doctor.opening import HELD
from device.doctor.probing import NETWORK_PORTS, Patience, listen, probe, probe_host
from device.doctor.profile_devices import Place, agent_runs, places
from device.doctor.report import Answer, Found, Missing, Report, Row, RowState, Said
from device.doctor.roots import Roots
from device.profile import CheckedProfile

ASK_AGAIN_S: Final = 5.0
"""With `--watch` a device that answered is asked again so often: paper and covers change."""
ASK_SILENT_S: Final = 15.0
"""A silent line is asked again so often: its device may have been switched on meanwhile."""

_STALE: Final = {"serial", "usb_printer", "network"}


class Examination:
    """`changed` is called when an answer came, with the report as far as it is known. `hosts`: "10.0.0.9" or
    "10.0.0.9:9100"."""

    def __init__(
        self,
        *,
        roots: Roots | None = None,
        profile: CheckedProfile | None = None,
        profile_path: str | None = None,
        hosts: Sequence[str] = (),
        patience: Patience | None = None,
        listen_s: float = 0.0,
        changed: Callable[[Report], None] | None = None,
    ) -> None:
        self._roots = roots or Roots()
        self._profile = profile
        self._profile_path = profile_path
        self._hosts = hosts
        self._patience = patience or Patience()
        self._listen_s = listen_s
        self._changed = changed
        self._found: list[Found] = []
        self._network: dict[str, tuple[Found, Answer]] = {}
        self._answers: dict[str, Answer] = {}
        self._asked: dict[str, tuple[Found, float]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> Report:
        """Look once and wait for every answer."""
        await self.refresh()
        while self._asking:
            await asyncio.wait(self._asking.values())
        return self.report()

    async def refresh(self) -> bool:
        """See what is plugged in now and begin to ask what is new; whether anything came or went."""
        before = {found.key: _identity(found) for found in self._found}
        self._found = [self._marked(found) for found in await asyncio.to_thread(find, self._roots)]
        now = {found.key: _identity(found) for found in self._found}
        for key in before:
            if now.get(key) != before[key]:
                self._forget(key)
        for found in self._found:
            if self._is_due(found):
                self._begin(found.key, self._ask(found), found)
        for host in self._all_hosts():
            key = f"host {host}"
            if key not in self._asking and self._is_old(key, ASK_AGAIN_S):
                self._begin(key, self._ask_host(*host), None)
        return now != before

    async def close(self) -> None:
        """Stop asking; lines are let go of."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def is_asking(self) -> bool:
        return bool(self._asking)

    # ------------------------------------------------------------ asking

    def _marked(self, found: Found) -> Found:
        """What the running agent of the profile holds is not to be touched, though nobody may see who has it
        open (another user's process)."""
        profile = self._profile
        if profile is None or found.skip is not None or not agent_runs(profile, self._roots):
            return found
        if any(place.is_at(found) for place in places(profile)):
            return msgspec.structs.replace(found, skip=Said("doctor.skip_agent", {"program": "paihao"}))
        return found

    def _is_due(self, found: Found) -> bool:
        if found.key in self._asking or found.skip is not None:
            return False
        if found.key not in self._asked:
            return True
        answer = self._answers.get(found.key)
        if answer is None or found.kind not in _STALE:
            return False
        return self._is_old(found.key, ASK_SILENT_S if answer.confidence == "silent" else ASK_AGAIN_S)

    def _is_old(self, key: str, seconds: float) -> bool:
        asked = self._asked.get(key)
        return asked is None or time.monotonic() - asked[1] >= seconds

    def _begin(self, key: str, work: Any, found: Found | None) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=f"ask {key}")
        self._asking[key] = task
        task.add_done_callback(lambda done: self._ended(key, found, done))

    def _ended(self, key: str, found: Found | None, task: asyncio.Task[None]) -> None:
        if self._asking.get(key) is task:  # else forgotten meanwhile, and another thing is asked there
            del self._asking[key]
        if task.cancelled():
            return
        task.result()
        if found is not None:
            self._asked[key] = (found, time.monotonic())
        else:
            self._asked[key] = (Found(key=key, kind="network", name=key), time.monotonic())
        if self._changed is not None:
            self._changed(self.report())

    def _forget(self, key: str) -> None:
        self._answers.pop(key, None)
        self._asked.pop(key, None)
        if task := self._asking.pop(key, None):
            task.cancel()

    async def _ask(self, found: Found) -> None:
        known = self._answers.get(found.key)
        patience = self._patience
        if known is not None and known.confidence != "silent":
            baud = known.options.get("transport", {}).get("baud")
            patience = replace(patience, bauds=(baud,)) if baud else patience
        answer = await probe(found, patience)
        if self._listen_s and answer is not None and answer.confidence == "silent" and known is None:
            answer = await listen(found, self._listen_s) or answer
        if answer is not None:
            self._answers[found.key] = answer

    async def _ask_host(self, host: str, ports: tuple[tuple[str, int], ...], device: str | None) -> None:
        rows = await probe_host(host, self._patience, ports, device)
        for key in [key for key, (found, _) in self._network.items() if _host_of(found) == host]:
            kinds = {f"network {host}"} | {f"network {host}:{port}" for _, port in ports}
            if key.removesuffix("/udp") in kinds:
                del self._network[key]
        self._network |= {found.key: (found, answer) for found, answer in rows}

    def _all_hosts(self) -> list[tuple[str, tuple[tuple[str, int], ...], str | None]]:
        """Hosts that were given, and those of the profile, each with its ports."""
        found: list[tuple[str, tuple[tuple[str, int], ...], str | None]] = []
        for host in self._hosts:
            name, colon, port = host.rpartition(":")
            if colon and port.isdigit():
                kinds = ("udp",) if int(port) == 5007 else ("tcp",)
                found.append((name, tuple((kind, int(port)) for kind in kinds), None))
            else:
                found.append((host, NETWORK_PORTS, None))
        if self._profile is not None and not agent_runs(self._profile, self._roots):
            for place in places(self._profile):
                if place.network is not None:
                    kind, name, number = place.network
                    found.append((name, ((kind, number),), place.kind))
        return found

    # ------------------------------------------------------------ judging

    def report(self) -> Report:
        """What is known now."""
        pairs = [(found, self._answers.get(found.key)) for found in self._found]
        pairs += list(self._network.values())
        expected = places(self._profile) if self._profile is not None else []
        rows = []
        taken: set[str] = set()
        for found, answer in pairs:
            place = next((each for each in expected if each.is_at(found)), None)
            taken |= {place.device} if place else set()
            rows.append(_row(found, answer, place))
        running = self._profile is not None and agent_runs(self._profile, self._roots)
        missing = tuple(
            _missing(place, rows)
            for place in expected
            if place.device not in taken and not (running and place.network is not None)
        )
        wrong = any(row.state == "attention" for row in rows)
        wrong = wrong or any(row.profile_device and row.state == "silent" for row in rows)
        return Report(
            at=datetime.now().astimezone(),
            machine=machine(self._roots),
            profile=self._profile_path,
            rows=tuple(rows),
            missing=missing,
            status=1 if missing or wrong else 0,
        )


def _identity(found: Found) -> tuple[object, ...]:
    """What makes it another device, or one that may be asked now and not before."""
    return (found.path, found.usb, found.port, found.skip, found.facts.get("serial"))


def _host_of(found: Found) -> str:
    return (found.path or "").removesuffix("/udp").rpartition(":")[0] or (found.path or "")


def _row(found: Found, answer: Answer | None, place: Place | None) -> Row:
    state: RowState = "seen"
    todo: list[Said] = []
    if found.skip is not None:
        state = "in_use" if found.holder or found.skip.code == "doctor.skip_agent" else "seen"
        if found.skip.code in ("doctor.skip_no_right", "doctor.skip_no_node"):
            state = "attention"
        todo.append(found.skip)
    elif answer is not None and answer.confidence == "silent":
        state = "in_use" if answer.code == HELD else "silent"
        todo.append(_why_silent(found, answer))
    elif answer is not None:
        state = "ok"
        if place is not None and answer.device is not None and place.kind != answer.device:
            state = "attention"
            values = {"device": place.device, "expected": place.kind, "found": answer.device}
            todo.append(Said("doctor.other_device", values))
        if answer.code is not None:
            state = "attention" if answer.confidence == "sure" else "ok"
            todo.append(Said(answer.code))
        if answer.facts.get("echo"):
            todo.append(Said("doctor.echo"))
        if answer.driver == "pcsc_reader":
            todo.append(Said("doctor.needs_pcscd"))
        if state == "ok" and answer.device == "keypad" and answer.confidence == "likely":
            todo.append(Said("doctor.try_keys"))
        if found.kind == "serial" and (found.stable is None) and found.usb is not None and place is None:
            todo.append(Said("doctor.name_it", {"port": found.port or ""}))
    elif found.kind == "display" and not found.facts.get("connected"):
        todo.append(Said("doctor.no_display"))
    return Row(
        found=found,
        answer=answer,
        state=state,
        todo=tuple(todo),
        profile_device=place.device if place else None,
    )


def _why_silent(found: Found, answer: Answer) -> Said:
    if answer.code is not None:
        return Said(answer.code)
    if found.kind == "network":
        return Said("doctor.silent_host", {"host": found.name})
    return Said("doctor.silent_echo" if answer.facts.get("echo") else "doctor.silent_serial")


def _missing(place: Place, rows: Sequence[Row]) -> Missing:
    """Where the same kind of device answers in another place, say so: it was plugged into another port."""
    elsewhere = [
        row.found.stable or row.found.path or row.found.name
        for row in rows
        if row.answer is not None
        and row.answer.confidence == "sure"
        and row.answer.device == place.kind
        and row.profile_device is None
    ]
    if elsewhere:
        todo = Said("doctor.elsewhere", {"where": place.where, "found": elsewhere[0]})
    elif place.network is not None:
        todo = Said("doctor.silent_host", {"host": place.where})
    else:
        todo = Said("doctor.plug_in", {"where": place.where})
    return Missing(device=place.device, driver=place.driver, where=place.where, todo=(todo,))
