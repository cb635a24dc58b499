"""One whole hall in a folder: broker, coordinator, agents, and fakes at the far ends of their lines.

    site = HallSite(Path("build/demo"))
    await site.start()
    site.keypad("counter-1").press("next")
    site.parts["counter-1"].kill()              # -9; it is started again as by systemd
    await site.stop()

Every program is the real one (`python -m paihao hall`, `python -m paihao agent`) with the repository's own
configuration; only paths, ports, ids and lines are replaced. Several sites can run at once.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
import shutil
import sys
import tempfile
import tomllib
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine
from simulator.board_screen import BoardScreen, CounterScreen
from simulator.bookings import make_key
from simulator.broker import Broker
from simulator.kiosk_screen import KioskScreen
from simulator.observer import Observer
from simulator.pane import Pane
from simulator.parts import Part
from simulator.ports import accepts, free_port
from simulator.screen_client import ScreenClient
from simulator.toml_text import toml_text

if TYPE_CHECKING:
    from drivers.call_screen.fake import FakeOnbonCard
    from drivers.card_reader.fake import FakeSamReader
    from drivers.keypad.fake import FakeSerialKeypad
    from drivers.ticket_printer.fake import FakeEscposPrinter, PrintedTicket
    from drivers.voice.fake import FakeLoudspeaker

log = logging.getLogger(__name__)

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIGURATION: Final = ROOT / "firmware_config"

KIOSK: Final = "kiosk-1"
BOARD: Final = "board-1"
HALL: Final = "hall"
BROKER: Final = "broker"

FAKES: Final = {
    "escpos": "drivers.ticket_printer.fake:FakeEscposPrinter",
    "onbon_bx": "drivers.call_screen.fake:FakeOnbonCard",
    "serial_keypad": "drivers.keypad.fake:FakeSerialKeypad",
    "sam_reader": "drivers.card_reader.fake:FakeSamReader",
    "speaker": "drivers.voice.fake:FakeLoudspeaker",
}
"""The far end of each driver of the profiles."""

PANES: Final = {KIOSK: ("kiosk", "1024x600", "10.1"), BOARD: ("board", "1280x720", "43")}
"""Node → its screen program, the pixels of its window and the inches that it stands for."""

ROLES: Final = ("printer", "card_reader", "call_screen", "call_keypad", "rating_keypad", "voice")

PAPER_MM_PER_S: Final = 200.0
"""Speed of the paper of a good kiosk printer; 0 prints at once."""

PAPERS_KEPT: Final = 100
NUMBERS_KEPT: Final = 20_000

NUMBER: Final = re.compile(r"[A-Z]{0,3}[0-9]{1,6}")
"""A printed number (`wire.messages.Number`)."""


class HallSite:
    """See the module. Names of parts: "broker", "hall" and the node ids; of devices: "node/device".

    Args:
        folder: Everything that the hall writes: configuration, databases, logs.
        hall: The hall's id.
        counters: How many counters, each a node of its own.
        api_port: Of the coordinator's REST interface; 0 chooses a free one.
        panes: Also run the screen programs of kiosk and hall display, for a page to show.
        settings: Called with the name of a part and its configuration before it is written, for tests that
            want other limits.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hall: str = "demo",
        counters: int = 4,
        api_port: int = 0,
        panes: bool = False,
        settings: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.hall = hall
        self.api_port = api_port
        self.rating_port = 0
        """Of the hall's page for texts after a rating."""
        self.counters = [str(n + 1) for n in range(counters)]
        self.parts: dict[str, Part] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.fakes: dict[str, FakeDevice] = {}
        self.lines: dict[str, Line] = {}
        self.voice: FakeLoudspeaker | None = None
        self.papers: deque[tuple[int, PrintedTicket]] = deque(maxlen=PAPERS_KEPT)
        """The newest pieces of paper with a running number."""
        self.papers_out = 0
        self.tickets_out = 0
        """Pieces with a number on them that came out whole."""
        self.numbers: deque[str] = deque(maxlen=NUMBERS_KEPT)
        """What stood on them, in order; a reprint stands there again."""
        self.screens: dict[str, ScreenClient] = {}
        self.panes: dict[str, Pane] = {}
        self._with_panes = panes
        self.watchers: set[Callable[[str], None]] = set()
        self._settings = settings
        self._sockets: Path | None = None
        self._broker: Broker | None = None
        self._observer: Observer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ what people and tests touch

    @property
    def nodes(self) -> list[str]:
        return [KIOSK, *(f"counter-{c}" for c in self.counters), BOARD]

    @property
    def broker_port(self) -> int:
        assert self._broker is not None, "the site is not started"
        return self._broker.port

    @property
    def observer(self) -> Observer:
        assert self._observer is not None, "the site is not started"
        return self._observer

    @property
    def kiosk(self) -> KioskScreen:
        return cast("KioskScreen", self.screens[KIOSK])

    @property
    def board(self) -> BoardScreen:
        return cast("BoardScreen", self.screens[BOARD])

    def counter_screen(self, counter: str) -> CounterScreen:
        return cast("CounterScreen", self.screens[f"counter-{counter}"])

    @property
    def printer(self) -> FakeEscposPrinter:
        return cast("FakeEscposPrinter", self.fakes[self.device_of(KIOSK, "printer")])

    @property
    def card_reader(self) -> FakeSamReader:
        return cast("FakeSamReader", self.fakes[self.device_of(KIOSK, "card_reader")])

    def strip(self, counter: str) -> FakeOnbonCard:
        return cast("FakeOnbonCard", self.fakes[self.device_of(f"counter-{counter}", "call_screen")])

    def call_keypad(self, counter: str) -> FakeSerialKeypad:
        return cast("FakeSerialKeypad", self.fakes[self.device_of(f"counter-{counter}", "call_keypad")])

    def rating_keypad(self, counter: str) -> FakeSerialKeypad:
        return cast("FakeSerialKeypad", self.fakes[self.device_of(f"counter-{counter}", "rating_keypad")])

    def device_of(self, node: str, role: str) -> str:
        """The name ("node/device") of the device that a station of `node` uses as `role`. KeyError."""
        for station in self.profiles[node]["station"]:
            if role in station:
                return f"{node}/{station[role]}"
        raise KeyError(f"{node} has no {role}")

    def driver_of(self, name: str) -> str:
        """The driver's name of a device "node/device"."""
        node, _, device = name.partition("/")
        for entry in self.profiles[node]["device"]:
            if entry["id"] == device:
                return str(entry["driver"])
        raise KeyError(name)

    def role_of(self, name: str) -> str:
        """What a station uses the device "node/device" for: "printer", "call_screen" …; "" for nothing."""
        node, _, device = name.partition("/")
        for station in self.profiles[node]["station"]:
            for role, value in station.items():
                if value == device and role in ROLES:
                    return str(role)
        return ""

    @property
    def devices(self) -> list[str]:
        """All devices, "node/device", in the order of nodes and profiles."""
        return [
            f"{node}/{entry['id']}" for node in self.nodes for entry in self.profiles[node].get("device", [])
        ]

    # ------------------------------------------------------------ start and stop

    async def start(self) -> None:
        """Start everything and return at once; `wait_ready` waits. Raises BrokerMissingError, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # socket paths may have about 100 bytes; folders of tests are longer
        self._sockets = Path(tempfile.mkdtemp(prefix="paihao-"))
        self._broker = Broker(self.folder / "broker")
        command = await self._broker.prepare()
        port = self._broker.port
        self._add_part(BROKER, command, self._broker.environment, probe=lambda: accepts(port))
        self.api_port = self.api_port or free_port()
        self.rating_port = free_port()
        self._write_hall(port)
        for node in self.nodes:
            await self._write_node(node, port)
        self._observer = Observer(self.hall, port)
        self._observer.on_change = lambda name: self.changed(f"mqtt:{name}")
        await self.parts[BROKER].start()
        await self.parts[BROKER].wait_ready(15)
        await self._observer.start()
        for name in (HALL, *self.nodes):
            await self.parts[name].start()
        for screen in self.screens.values():
            await screen.start()
        for pane in self.panes.values():
            await pane.start()

    async def wait_ready(self, timeout: float = 60.0) -> None:
        """Until every part says so, the coordinator and all nodes are online.

        Raises TimeoutError that names who is not, with the newest line of its log.
        """
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(*(part.wait_ready(timeout) for part in self.parts.values()))
                await self.observer.until(self._online, timeout)
        except TimeoutError as error:
            raise TimeoutError(f"after {timeout:g} s: {'; '.join(self._not_ready())}") from error

    def _not_ready(self) -> list[str]:
        missing = [
            f"{name} is {part.state} ({part.last_line() or 'no log'})"
            for name, part in self.parts.items()
            if part.state != "ready"
        ]
        coordinator = self.observer.coordinator
        if coordinator is None or coordinator.state != "online":
            missing.append(f"coordinator: {coordinator.state if coordinator else 'not heard of'}")
        for node in self.nodes:
            known = self.observer.nodes.get(node)
            if known is None or known.state != "online":
                missing.append(f"node {node}: {known.state if known else 'not heard of'}")
        return missing or ["ready just now"]

    def _online(self) -> bool:
        coordinator = self.observer.coordinator
        return (
            coordinator is not None
            and coordinator.state == "online"
            and all(n in self.observer.nodes and self.observer.nodes[n].state == "online" for n in self.nodes)
        )

    async def wait_devices(self, names: Iterable[str] | None = None, timeout: float = 30.0) -> None:
        """Until these devices (all of them) report ok. Raises TimeoutError that names the others."""
        wanted = list(names or self.devices)
        try:
            await self.observer.until(lambda: not self._not_well(wanted), timeout)
        except TimeoutError as error:
            raise TimeoutError(f"after {timeout:g} s: {'; '.join(self._not_well(wanted))}") from error

    def _not_well(self, names: list[str]) -> list[str]:
        """Those of these devices that do not report ok, with what they report."""
        found = []
        for name in names:
            node, _, device = name.partition("/")
            state = self.observer.devices.get((node, device))
            if state is None:
                found.append(f"{name}: not heard of")
            elif state.health != "ok":
                found.append(f"{name}: {state.health} {state.code or ''}".rstrip())
        return found

    async def stop(self) -> None:
        """Stop everything in order: screens, agents, coordinator, broker. Safe at any time."""
        await asyncio.gather(*(pane.stop() for pane in self.panes.values()))
        await asyncio.gather(*(screen.stop() for screen in self.screens.values()))
        await asyncio.gather(*(self.parts[node].stop() for node in self.nodes if node in self.parts))
        if HALL in self.parts:
            await self.parts[HALL].stop()
        if self._observer is not None:
            await self._observer.stop()
        if BROKER in self.parts:
            await self.parts[BROKER].stop()
        for task in self._tasks:
            task.cancel()
        for line in self.lines.values():
            await line.unplug()
        if self.voice is not None:
            await self.voice.unplug()
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def changed(self, what: str) -> None:
        """Tell whoever watches: "part:hall", "screen:kiosk-1", "device:kiosk-1/printer", "mqtt:board" …"""
        for watcher in list(self.watchers):
            watcher(what)

    def spawn(self, work: Coroutine[Any, Any, None], what: str, device: str) -> None:
        """Do `work` on a device in the background and tell when it is done."""

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("%s: %s", what, error)
            self.changed(f"device:{device}")

        task = asyncio.create_task(work, name=what)
        self._tasks.add(task)
        task.add_done_callback(done)

    # ------------------------------------------------------------ building

    def _add_part(
        self, name: str, command: list[str], environment: dict[str, str] | None = None, **options: Any
    ) -> None:
        part = Part(name, command, self.folder, sockets=self._sockets, environment=environment, **options)
        part.on_change = lambda: self.changed(f"part:{name}")
        self.parts[name] = part

    def _paihao(self, *words: str) -> list[str]:
        return [sys.executable, str(ROOT / "paihao.py"), *words]

    def _write(self, name: str, tables: dict[str, Any]) -> Path:
        if self._settings is not None:
            self._settings(name, tables)
        path = self.folder / f"{name}.toml"
        path.write_text(toml_text(tables), "utf-8")
        return path

    def _write_hall(self, port: int) -> None:
        tables = _read(CONFIGURATION / "hall" / "hall.toml")
        ticket_url = f"http://127.0.0.1:{self.api_port}/api/v1/tickets/{{ticket}}"
        tables["hall"] |= {
            "id": self.hall, "storage": str(self.folder / "hall.db"), "ticket_url": ticket_url,
            "guides": str(CONFIGURATION / "hall" / "guides"),
            "match_key_file": str(make_key(self.folder / "match.key")),
        }  # fmt: skip
        tables["broker"] = {"host": "127.0.0.1", "port": port, "reconnect_max_s": 2.0}
        tables["api"] = {"host": "127.0.0.1", "port": self.api_port}
        tables["rating_page"] = {
            "url": f"http://127.0.0.1:{self.rating_port}", "host": "127.0.0.1", "port": self.rating_port,
        }  # fmt: skip
        path = self._write(HALL, tables)
        self._add_part(HALL, self._paihao("hall", "--config", str(path)))

    async def _write_node(self, node: str, port: int) -> None:
        kind = node.partition("-")[0]
        tables = _read(CONFIGURATION / "profiles" / f"{kind}.toml")
        tables |= {
            "hall": self.hall,
            "node": node,
            # in a folder of its own: beside it a node keeps its pictures, and removes what it does not show
            "storage": str(self.folder / node / f"{node}.db"),
            "screen_socket": str(cast("Path", self._sockets) / f"{node}.sock"),
            "broker": {"host": "127.0.0.1", "port": port, "reconnect_max_s": 2.0},
        }
        self.profiles[node] = tables
        for station in tables["station"]:
            if station["kind"] == "counter":
                station["counter"] = node.partition("-")[2]
            elif station["kind"] == "kiosk":
                station["match_key_file"] = str(self.folder / "match.key")
            self._add_screen(node, station)
        for entry in tables.get("device", []):
            await self._add_fake(node, entry)
        path = self._write(node, tables)
        self._add_part(node, self._paihao("agent", "--config", str(path)))

    def _add_screen(self, node: str, station: dict[str, Any]) -> None:
        path = cast("Path", self._sockets) / f"{node}.sock"
        kinds: dict[str, type[ScreenClient]] = {
            "kiosk": KioskScreen,
            "counter": CounterScreen,
            "board": BoardScreen,
        }
        screen = kinds[station["kind"]](path, station["id"])
        screen.on_change = lambda: self.changed(f"screen:{node}")
        self.screens[node] = screen
        if self._with_panes and node in PANES:
            self._add_pane(node, station["id"], path)

    def _add_pane(self, node: str, station: str, path: Path) -> None:
        screen, size, inches = PANES[node]
        arguments = [screen, "--station", station, "--socket", str(path), "--size", size, "--inches", inches]
        pane = Pane(screen, self.folder, cast("Path", self._sockets), arguments)
        pane.on_change = lambda: self.changed(f"pane:{screen}")
        pane.part.on_change = lambda: self.changed(f"part:{pane.part.name}")
        self.panes[screen] = pane
        self.parts[pane.part.name] = pane.part

    async def _add_fake(self, node: str, entry: dict[str, Any]) -> None:
        """The far end of a device, and the profile's options led to it."""
        name = f"{node}/{entry['id']}"
        options = entry.setdefault("options", {})
        fake = _fake(entry["driver"], options)
        fake.on_change = lambda: self._fake_changed(name)
        self.fakes[name] = fake
        if entry["driver"] == "speaker":
            await fake.plug()
            options["output"] = {"type": "tcp", "host": "127.0.0.1", "port": fake.port}
            self.voice = fake
            return
        line: Line
        if entry["driver"] == "escpos" or (
            entry["driver"] == "onbon_bx" and node == f"counter-{self.counters[-1]}"
        ):
            line = TcpLine(fake)
            await line.plug()
            options["transport"] = {"type": "tcp", "host": "127.0.0.1", "port": line.port}
        else:
            path = self.folder / "dev" / f"{node}-{entry['id']}"
            path.parent.mkdir(exist_ok=True)
            line = PtyLine(fake, path)
            await line.plug()
            # the baud rate stays that of the profile; a pty does not keep to it
            options["transport"] = dict(options.get("transport", {}), type="serial", path=str(path))
        self.lines[name] = line

    def _fake_changed(self, name: str) -> None:
        if self.driver_of(name) == "escpos":
            self._collect_paper()
        self.changed(f"device:{name}")

    def _collect_paper(self) -> None:
        """Whatever fell out of the slot: the fake keeps the newest pieces, in order."""
        pieces = self.printer.tickets
        fresh = []
        for piece in reversed(pieces):
            if self.papers and piece is self.papers[-1][1]:
                break
            fresh.append(piece)
        for piece in reversed(fresh):
            self.papers_out += 1
            self.papers.append((self.papers_out, piece))
            if (number := number_on(piece)) is not None:
                self.tickets_out += 1
                self.numbers.append(number)


def number_on(piece: PrintedTicket) -> str | None:
    """The number on a ticket: the line of the largest type, if the ticket is whole."""
    if not piece.whole or not piece.lines:
        return None
    largest = max(piece.lines, key=lambda line: line.height)
    return largest.text if NUMBER.fullmatch(largest.text) else None


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _fake(driver: str, options: dict[str, Any]) -> Any:
    """The fake that speaks what a driver with these options expects."""
    module, _, name = FAKES[driver].partition(":")
    make = getattr(importlib.import_module(module), name)
    match driver:
        case "onbon_bx":
            return make(
                width=options.get("width_px", 128),
                height=options.get("height_px", 16),
                family=options.get("family", "k"),
                address=options.get("address", 1) if options.get("address") != 0xFFFE else 1,
            )
        case "serial_keypad":
            return make(options.get("format", "call-keypad"), address=options.get("address", 1) or 1)
        case "escpos":
            return make(options.get("columns", 48), mm_per_s=PAPER_MM_PER_S)
        case _:
            return make()
