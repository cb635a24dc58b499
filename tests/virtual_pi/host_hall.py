"""The hall that the agent inside belongs to: broker and coordinator on the host, and no other node."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from image import ROOT
from machine import Machine

from simulator.hall_site import HallSite
from simulator.toml_text import toml_text

NODE: Final = "kiosk-1"
PRINTER: Final = "printer"
HOST: Final = "10.0.2.2"
"""The host's loopback, seen from inside."""
TICKET_URL: Final = "https://hall.example/t/{ticket}"
"""Puts a ticket's id on its paper."""


class HostHall(HallSite):
    """Broker, coordinator and observer of a `HallSite`. `grades`: those given in checks, and thanked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, settings=_settings)
        self.grades: list[tuple[str, str, int]] = []
        """Counter, number, grade."""

    @property
    def nodes(self) -> list[str]:
        return []

    @property
    def journal(self) -> Path:
        return self.folder / "hall.db"

    async def until_node(self, state: str, timeout: float = 60.0) -> None:
        """Until the node says so of itself. Raises TimeoutError."""
        await self.observer.until(
            lambda: (known := self.observer.nodes.get(NODE)) is not None and known.state == state, timeout
        )

    async def until_device(self, device: str, health: str, timeout: float = 60.0) -> None:
        """Until the newest state of a device of the node is this. Raises TimeoutError."""
        await self.observer.until(
            lambda: (
                (known := self.observer.devices.get((NODE, device))) is not None and known.health == health
            ),
            timeout,
        )

    async def ask(self, path: str, content: dict[str, Any]) -> Any:
        """POST to the hall's REST interface; its answer. Raises URLError."""
        return await asyncio.to_thread(_post, f"http://127.0.0.1:{self.api_port}/api/v1/{path}", content)

    async def set_up(self, machine: Machine, more: Callable[[dict[str, Any]], None] | None = None) -> None:
        """Give the machine the kiosk's profile as it ships, with this hall's broker and without TLS.

        `more` may add to it.
        """
        tables: dict[str, Any] = tomllib.loads(
            (ROOT / "firmware_config" / "profiles" / "kiosk.toml").read_text("utf-8")
        )
        tables["hall"], tables["node"] = self.hall, NODE
        tables["broker"] = {"host": HOST, "port": self.broker_port, "reconnect_max_s": 2.0}
        if more is not None:
            more(tables)
        await machine.agent.put("/etc/paihao/node.toml", toml_text(tables))
        await machine.agent.run("paihao agent --check --config /etc/paihao/node.toml")


def _post(url: str, content: dict[str, Any]) -> Any:
    request = Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _settings(part: str, tables: dict[str, Any]) -> None:
    if part == "hall":
        tables["hall"]["ticket_url"] = TICKET_URL
        tables["limits"]["rating_timeout_s"] = 120  # a screen is slow inside
