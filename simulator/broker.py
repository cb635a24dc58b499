"""A mosquitto of one's own on a free loopback port, from the configuration that halls use.

The program is the one on the machine; else it is installed with apt when the user is root; else apt
downloads it with its libraries and they are unpacked into `build/mosquitto`, which needs no rights.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulator.parts import die_with_parent

logger = logging.getLogger(__name__)

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIGURATION: Final = ROOT / "firmware_config" / "broker"
UNPACKED: Final = ROOT / "build" / "mosquitto"

START_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 5.0
APT_TIMEOUT_S: Final = 300.0


class BrokerMissingError(RuntimeError):
    """There is no mosquitto and it could not be fetched. The text says what to install."""


class Broker:
    """One mosquitto. `folder` takes its configuration, data and `broker.log`; the port stays the same.

    Args:
        port: On 127.0.0.1; 0 chooses a free one in `prepare`.
        acl: Apply firmware_config/broker/acl to the user name that a client claims. On loopback nobody checks
            that name; a client without one may then only read what hangs on the wall.
        extra: Further lines of configuration, for tests.
        unpack_into: Where mosquitto is unpacked when it can be had in no other way.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        acl: bool = False,
        extra: str = "",
        unpack_into: Path = UNPACKED,
    ) -> None:
        self.folder = folder
        self.port = port
        self.log_path = folder / "broker.log"
        self._acl = acl
        self._extra = extra
        self._unpack_into = unpack_into
        self._environment: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def environment(self) -> dict[str, str]:
        """What the program needs in its environment besides ours; known after `prepare`."""
        return dict(self._environment)

    async def prepare(self) -> list[str]:
        """Find or fetch the program, choose the port, write the configuration; returns the command line.

        Raises BrokerMissingError.
        """
        program, self._environment = await asyncio.to_thread(_blocking_find_or_fetch, self._unpack_into)
        self.port = self.port or _free_port()
        return [program, "-c", str(self._write_configuration())]

    async def start(self) -> None:
        """Start it and wait until it accepts connections. Raises BrokerMissingError, RuntimeError."""
        if self.pid is not None:
            return
        command = await self.prepare()
        parent = os.getpid()
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self._environment,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),
            )
        await self._wait_until_it_accepts(self._process)

    async def stop(self) -> None:
        """End it cleanly: it saves its sessions. Safe at any time."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """kill -9: what it had not saved is lost."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop and start on the same port, with the same data."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """Freeze it: its connections stay open and nothing answers."""
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGCONT)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        try:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except ProcessLookupError:
            await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _wait_until_it_accepts(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while process.returncode is None:
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    except OSError:
                        await asyncio.sleep(0.02)
                    else:
                        writer.close()
                        return
        except TimeoutError:
            await self.kill()
        said = " / ".join(self.log_path.read_text("utf-8", "replace").splitlines()[-3:]) or "no output"
        raise RuntimeError(f"mosquitto does not start: {said} ({self.log_path})")

    def _write_configuration(self) -> Path:
        """The hall's mosquitto.conf with its two [replaced] paths, and a loopback listener instead of TLS."""
        data, listeners = self.folder / "data", self.folder / "listeners"
        for folder in (data, listeners):
            folder.mkdir(parents=True, exist_ok=True)
        text = (CONFIGURATION / "mosquitto.conf").read_text("utf-8")
        for option, path in (("persistence_location", f"{data}/"), ("include_dir", str(listeners))):
            text, found = re.subn(rf"(?m)^{option} .*$", f"{option} {path}", text)
            if found != 1:
                raise RuntimeError(f"mosquitto.conf has {found} lines {option}, not one")
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        if self._acl:
            acl = self.folder / "acl"
            shutil.copyfile(CONFIGURATION / "acl", acl)
            acl.chmod(0o640)
            lines.append(f"acl_file {acl}")
        if os.getuid() == 0:
            # It would become the user "mosquitto", who may not write into our folder.
            lines.append(f"user {pwd.getpwuid(0).pw_name}")
        (listeners / "loopback.conf").write_text("\n".join([*lines, self._extra, ""]), "utf-8")
        written = self.folder / "mosquitto.conf"
        written.write_text(text, "utf-8")
        return written


# ---------------------------------------------------------------- the program


def installed() -> str | None:
    """The mosquitto on this machine; Debian keeps it where only root looks."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def unpacked(folder: Path) -> tuple[str, dict[str, str]] | None:
    """The mosquitto that was unpacked into `folder` and the environment that finds its libraries."""
    program = folder / "usr" / "sbin" / "mosquitto"
    if not program.exists():
        return None
    libraries = sorted({str(file.parent) for file in folder.glob("**/lib/**/*.so*")})
    inherited = [os.environ["LD_LIBRARY_PATH"]] if os.environ.get("LD_LIBRARY_PATH") else []
    return str(program), {"LD_LIBRARY_PATH": ":".join(libraries + inherited)}


def _blocking_find_or_fetch(folder: Path) -> tuple[str, dict[str, str]]:
    if (program := installed()) is not None:
        return program, {}
    if (found := unpacked(folder)) is not None:
        return found
    if shutil.which("apt-get") is None:
        raise BrokerMissingError(
            "mosquitto is missing and there is no apt here: install mosquitto 2.0 or newer"
        )
    try:
        if os.getuid() == 0:
            _blocking_install()
            if (program := installed()) is not None:
                return program, {}
        else:
            _blocking_unpack(folder)
            if (found := unpacked(folder)) is not None:
                return found
    except (OSError, subprocess.SubprocessError) as error:
        raise BrokerMissingError(f"mosquitto is missing: sudo apt-get install mosquitto ({error})") from error
    raise BrokerMissingError("mosquitto is missing: sudo apt-get install mosquitto")


def _blocking_install() -> None:
    logger.info("installing mosquitto with apt")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", "mosquitto"]
    if _run(install, environment=environment).returncode:
        _check(_run(["apt-get", "update", "-qq"]))
        _check(_run(install, environment=environment))


def _blocking_unpack(folder: Path) -> None:
    """Download mosquitto and the libraries that this machine lacks, and unpack them into `folder`.

    Needs no rights. Where the machine has no package lists, apt fetches them into the folder. What stands in
    `folder` is whole: it gets its name when all is unpacked.
    """
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    packages = fresh / "packages"
    packages.mkdir(parents=True)
    # The machine's package lists first; they may be missing, or name files that are gone.
    for fetch_lists in (False, True):
        apt = ["apt-get", *(_fresh_lists(fresh) if fetch_lists else [])]
        wanted = _missing_packages(apt)
        if wanted and _run([*apt, "download", *wanted], folder=packages).returncode == 0:
            break
    else:
        raise OSError("apt cannot download the package")
    logger.info("unpacking %s into %s", ", ".join(wanted), folder)
    for package in sorted(packages.glob("*.deb")):
        _check(_run(["dpkg", "-x", str(package), str(fresh)]))
    for leftover in ("packages", "apt-state", "apt-cache"):
        shutil.rmtree(fresh / leftover, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _fresh_lists(folder: Path) -> list[str]:
    """Options that make apt use package lists of its own in `folder`, which are fetched now."""
    state, cache = folder / "apt-state", folder / "apt-cache"
    (state / "lists" / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    options = ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}"]
    options += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
    _check(_run(["apt-get", *options, "update", "-qq"]))
    return options


def _missing_packages(apt: Sequence[str]) -> list[str]:
    """What apt would install for mosquitto on this machine; nothing when it does not know the package."""
    plan = _run([*apt, "install", "--simulate", "--no-install-recommends", "mosquitto"])
    return re.findall(r"(?m)^Inst (\S+)", plan.stdout) if plan.returncode == 0 else []


def _run(
    command: Sequence[str], *, folder: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"LC_ALL": "C"} | (environment or {}),
        capture_output=True,
        text=True,
        timeout=APT_TIMEOUT_S,
        check=False,
    )


def _check(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()
        raise OSError(last[-1] if last else f"{done.args[0]} ended with {done.returncode}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
