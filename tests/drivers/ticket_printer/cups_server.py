"""A real cupsd with queues of its own, in a folder of its own, on its own socket; as root or as a user."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

PROGRAMS = {
    name: shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    for name in ("cupsd", "ippeveprinter", "lpadmin", "cupsdisable", "cupsenable", "cupsreject", "cupsaccept")
}
"""Where they are; cupsd is not on a user's path."""

_CUPSD = """
LogLevel debug
MaxLogSize 0
Listen {folder}/cups.sock
Browsing No
WebInterface No
DefaultShared No
DefaultAuthType None
JobRetryInterval 1
PreserveJobHistory Yes
PreserveJobFiles No
<Location />
Order allow,deny
Allow all
</Location>
<Policy default>
<Limit All>
Order allow,deny
Allow all
</Limit>
</Policy>
"""
_FILES = """
ServerRoot {folder}/etc
CacheDir {folder}/cache
StateDir {folder}/state
RequestRoot {folder}/spool
TempDir {folder}/tmp
ErrorLog {folder}/log/error
AccessLog {folder}/log/access
PageLog {folder}/log/page
FileDevice Yes
SystemGroup root
"""


class CupsServer:
    """`start`, `stop`, and what an administrator does to its queues. `user`: to run as, when we are root."""

    def __init__(self, user: int | None = None) -> None:
        self._user = user
        self.folder = Path(tempfile.mkdtemp(prefix="paihao-cups-"))
        self.socket = str(self.folder / "cups.sock")
        self._server: Process | None = None
        self.folder.chmod(0o755)
        for name in ("etc", "cache", "state", "spool", "tmp", "log"):
            (self.folder / name).mkdir()
        # as root its backends become "lp"; as a user all is that user's
        (self.folder / "cupsd.conf").write_text(_CUPSD.format(folder=self.folder))
        (self.folder / "cups-files.conf").write_text(_FILES.format(folder=self.folder))
        if user is not None:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, user, user)

    async def start(self) -> None:
        cupsd = PROGRAMS["cupsd"]
        assert cupsd is not None
        self._server = await asyncio.create_subprocess_exec(
            cupsd,
            *("-f", "-c", str(self.folder / "cupsd.conf"), "-s", str(self.folder / "cups-files.conf")),
            stdout=DEVNULL,
            stderr=DEVNULL,
            **({} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}),
        )
        async with asyncio.timeout(30):
            while not await self._listens():
                if self._server.returncode is not None:
                    raise RuntimeError(f"cupsd ended: {self.log()[-2000:]}")
                await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        writer.close()
        return True

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None and server.returncode is None:
            server.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                await server.wait()
        Path(self.socket).unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        path = self.folder / "log" / "error"
        return path.read_text(errors="replace") if path.exists() else ""

    async def run(self, program: str, *arguments: str) -> None:
        """One of CUPS' own commands on this server."""
        path = PROGRAMS[program]
        assert path is not None
        process = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            env={**os.environ, "CUPS_SERVER": self.socket, "LC_ALL": "C"},
            stdout=PIPE,
            stderr=PIPE,
        )
        out, error = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{program} {arguments}: {out!r} {error!r}")

    async def add(self, queue: str, uri: str, policy: str = "abort-job") -> None:
        """A raw queue."""
        await self.run("lpadmin", "-p", queue, "-v", uri, "-E", "-o", f"printer-error-policy={policy}")
