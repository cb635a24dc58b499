"""What every program tells systemd: ready, alive, stopping (sd_notify(3), systemd.exec(5))."""

from __future__ import annotations

import logging
import os
import socket

logger = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Say e.g. "READY=1"; nothing happens without systemd. Never waits."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sending:
            sending.connect(address)
            sending.send(state.encode())
    except OSError as error:
        logger.warning("systemd cannot be told %s: %s", state, error)


def watchdog_s() -> float | None:
    """The time within which systemd wants to hear of us; None when it does not watch this process."""
    micros, pid = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
    if not micros or not micros.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(micros) / 1_000_000
