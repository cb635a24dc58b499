"""A broker of one's own: started from the hall's configuration, ended in every way, found or fetched."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator import broker as module
from simulator.broker import CONFIGURATION, Broker, BrokerMissingError, unpacked
from wire.mqtt import BrokerOptions, Counts
from wire.mqtt_client import Opening
from wire.mqtt_connection import Connection, Received

TOPIC = "paihao/1/h/board"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "broker")
    await broker.start()
    yield broker
    await broker.stop()


async def publish_retained(port: int) -> None:
    options = BrokerOptions(host="127.0.0.1", port=port)
    connection = Connection(Opening(options, "writer", None, b"", ()), Counts(), lambda received: True)
    await connection.open()
    assert await connection.publish(TOPIC, b"kept", 1, True, None)
    connection.close("done", cleanly=True)


async def retained(port: int) -> bytes | None:
    """What the broker kept on TOPIC."""
    found: list[Received] = []

    def take(received: Received) -> bool:
        found.append(received)
        return True

    options = BrokerOptions(host="127.0.0.1", port=port, session_expiry_s=1)
    connection = Connection(Opening(options, "reader", None, b"", [(TOPIC, 0)]), Counts(), take)
    await connection.open()
    assert await connection.round_trip(5)
    connection.close("done", cleanly=True)
    return found[0].payload if found else None


@pytest.mark.broker
async def test_a_restart_keeps_port_and_data(broker: Broker) -> None:
    port, pid = broker.port, broker.pid
    await publish_retained(port)
    await broker.restart()
    assert broker.port == port and broker.pid != pid
    assert await retained(port) == b"kept"


@pytest.mark.broker
async def test_a_kill_forgets_what_was_acknowledged(broker: Broker) -> None:
    # Why the outbox exists: the broker had acknowledged this.
    await publish_retained(broker.port)
    await broker.kill()
    assert broker.pid is None
    await broker.start()
    assert await retained(broker.port) is None


@pytest.mark.broker
async def test_a_paused_broker_answers_after_it_was_resumed(broker: Broker) -> None:
    broker.pause()
    answer = asyncio.create_task(retained(broker.port))
    done, _ = await asyncio.wait([answer], timeout=0.2)
    assert not done
    broker.resume()
    assert await answer is None


@pytest.mark.broker
async def test_it_can_be_ended_at_any_time(broker: Broker) -> None:
    broker.pause()
    await broker.stop()
    await broker.stop()
    await broker.kill()
    broker.pause()
    broker.resume()
    assert broker.pid is None


@pytest.mark.broker
async def test_it_runs_what_halls_run(broker: Broker) -> None:
    written = (broker.folder / "mosquitto.conf").read_text("utf-8").splitlines()
    original = (CONFIGURATION / "mosquitto.conf").read_text("utf-8").splitlines()
    replaced = [line for line, other in zip(original, written, strict=True) if line != other]
    assert replaced == ["persistence_location /var/lib/mosquitto/", "include_dir /etc/mosquitto/paihao.d"]
    assert "set_tcp_nodelay true" in written


@pytest.mark.broker
async def test_a_broker_that_cannot_start_says_why(broker: Broker, tmp_path: Path) -> None:
    second = Broker(tmp_path / "second", extra="no_such_option true")
    with pytest.raises(RuntimeError, match="no_such_option"):
        await second.start()


# ---------------------------------------------------------------- finding the program


def put_program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_unpacked_program_finds_its_libraries(tmp_path: Path) -> None:
    assert unpacked(tmp_path) is None
    put_program(tmp_path / "usr/sbin/mosquitto", "true")
    libraries = tmp_path / "usr/lib/x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    (libraries / "libwrap.so.0").touch()
    found = unpacked(tmp_path)
    assert found is not None
    assert found[0] == str(tmp_path / "usr/sbin/mosquitto")
    assert str(libraries) in found[1]["LD_LIBRARY_PATH"].split(":")


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH without mosquitto, for a user without rights; put programs into the folder."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(module, "installed", lambda: None)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    return programs


async def test_without_apt_one_line_says_what_to_install(bare_machine: Path, tmp_path: Path) -> None:
    with pytest.raises(BrokerMissingError, match=r"install mosquitto 2\.0 or newer"):
        await Broker(tmp_path / "b", unpack_into=tmp_path / "u").prepare()


async def test_when_apt_cannot_help_one_line_says_what_to_install(bare_machine: Path, tmp_path: Path) -> None:
    put_program(bare_machine / "apt-get", "echo 'E: no network' >&2; exit 100")
    with pytest.raises(BrokerMissingError, match=r"sudo apt-get install mosquitto \(E: no network\)"):
        await Broker(tmp_path / "b", unpack_into=tmp_path / "u").prepare()
    assert not (tmp_path / "u").exists()


async def test_without_rights_it_is_downloaded_and_unpacked_once(bare_machine: Path, tmp_path: Path) -> None:
    # A stand-in for apt and dpkg with the calls that were tried on a real machine as an unprivileged user.
    calls = tmp_path / "calls"
    put_program(
        bare_machine / "apt-get",
        f'echo "$@" >> {calls}; case "$*" in *simulate*) echo \'Inst mosquitto (2.0.11 Debian:12 [amd64])\';;'
        f" *download*) {shutil.which('touch', path='/usr/bin:/bin')} mosquitto_2.0.11_amd64.deb;; esac",
    )
    mkdir = shutil.which("mkdir", path="/usr/bin:/bin")
    put_program(
        bare_machine / "dpkg",
        f'{mkdir} -p "$3/usr/sbin"; echo "#!/bin/sh" > "$3/usr/sbin/mosquitto"',
    )
    for _ in range(2):
        command = await Broker(tmp_path / "b", unpack_into=tmp_path / "u").prepare()
        assert command[0] == str(tmp_path / "u/usr/sbin/mosquitto")
    assert [line.split()[0] for line in calls.read_text("utf-8").splitlines()] == ["install", "download"]
    assert sorted(path.name for path in (tmp_path / "u").iterdir()) == ["usr"]
