"""Installs the checkout in the running machine as docs/install.md has a technician do it.

What differs: the locked packages are in the image already, and Paihao comes as a wheel built here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from image import FOLDER, HERE, ROOT
from machine import Machine
from session import Session

INSIDE: Final = "/opt/virtual-pi"
SESSION_UNIT: Final = "paihao-session.service"
SCREEN_UNIT: Final = "paihao-screen@.service"
SLOW: Final = "[Service]\nTimeoutStartSec=90\n"
"""A screen program is up after 1 to 3 s on a Pi; here it takes 10 to 25."""
STEPS: Final = """
set -eu
for group in gpio spi; do groupadd --system --force $group; done
useradd --system --home-dir /var/lib/paihao paihao
useradd --system --home-dir /nonexistent --gid paihao paihao-screen
/opt/paihao/bin/pip install --quiet --disable-pip-version-check --no-index --no-deps /tmp/*.whl
ln -s /opt/paihao/bin/paihao /usr/local/bin/
rm /tmp/*.whl
install -d /etc/paihao
install -d -o paihao -g paihao -m 750 /var/lib/paihao/pictures
systemctl restart systemd-modules-load
udevadm control --reload
systemctl daemon-reload
systemctl enable --quiet --now virtual-pi-board virtual-pi-hardware
udevadm trigger
udevadm settle
systemctl start paihao-session
"""


async def install(machine: Machine, session: Session, wheel: Path) -> None:
    """Also starts `session`. Raises AnswerError when a step fails."""
    agent = machine.agent
    await agent.run(f"mkdir -p {INSIDE} /etc/systemd/system/{SCREEN_UNIT}.d")
    await agent.put(f"/tmp/{wheel.name}", wheel.read_bytes())
    for path in sorted((HERE / "guest").iterdir()):
        if path.suffix == ".service":
            await agent.put(f"/etc/systemd/system/{path.name}", path.read_bytes())
        elif path.is_file():
            await agent.put(f"{INSIDE}/{path.name}", path.read_bytes())
    for path in sorted((ROOT / "firmware_config" / "udev").glob("*.rules")):
        await agent.put(f"/etc/udev/rules.d/{path.name}", path.read_bytes())
    modules = ROOT / "firmware_config" / "modules-load.d" / "paihao.conf"
    await agent.put("/etc/modules-load.d/paihao.conf", modules.read_bytes())
    unit = (ROOT / "systemd" / "paihao-agent.service").read_text()
    await agent.put("/etc/systemd/system/paihao-agent.service", unit)
    screen = (ROOT / "systemd" / SCREEN_UNIT).read_text()
    await agent.put(f"/etc/systemd/system/{SCREEN_UNIT}", screen)
    await agent.put(f"/etc/systemd/system/{SCREEN_UNIT}.d/slow.conf", SLOW)
    port = await session.listen()
    await agent.put(f"/etc/systemd/system/{SESSION_UNIT}", _session_unit(unit, port))
    await agent.run(STEPS, 180)
    await session.until_connected()


def blocking_wheel() -> Path:
    """Paihao as it is in the checkout now. Raises CalledProcessError."""
    folder = FOLDER / "wheel"
    for old in folder.glob("*.whl"):
        old.unlink()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    (made,) = folder.glob("*.whl")
    return made


def _session_unit(agent_unit: str, port: int) -> str:
    """The agent's unit, all of its rights and limits, with guest/driver_session.py in its place."""
    command = f"ExecStart=/opt/paihao/bin/python {INSIDE}/driver_session.py 10.0.2.2 {port}"
    unit = re.sub(r"(?m)^ExecStart=.*$", command, agent_unit)
    unit = re.sub(r"(?m)^(Watchdog\w+|NotifyAccess|WantedBy)=.*\n", "", unit)
    unit = re.sub(r"(?m)^Type=.*$", "Type=simple", unit)
    return re.sub(r"(?m)^RuntimeDirectory=.*$", "RuntimeDirectory=paihao-session", unit)
