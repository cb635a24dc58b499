"""Runs one fake as a program of its own, on a pty or a TCP port of loopback.

Each line on standard input is one of the fake's `actions`; standard output says where the line is and
what was done. Ends on end of input, Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine


def run(device: Callable[[], FakeDevice], arguments: list[str] | None = None) -> None:
    """`--pty PATH` makes PATH a link to the serial line, `--tcp PORT` listens (0: any free port)."""
    parser = argparse.ArgumentParser(description=(device.__doc__ or "").partition("\n")[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--pty", type=Path, help="path of a link to the fake's serial line")
    where.add_argument("--tcp", type=int, help="port on loopback, 0 for any")
    options = parser.parse_args(arguments)
    asyncio.run(_serve(device(), options.pty, options.tcp))


async def _serve(device: FakeDevice, path: Path | None, port: int | None) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    line: Line = PtyLine(device, path) if path is not None else TcpLine(device, port=port or 0)
    await line.plug()
    where = str(path) if path is not None else f"127.0.0.1:{getattr(line, 'port', port)}"
    _say(f"{type(device).__name__} on {where}")
    actions: tuple[str, ...] = getattr(device, "actions", ())
    if actions:
        _say("actions: unplug plug " + " ".join(actions))
    reader = asyncio.StreamReader(limit=4096)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    acting = loop.create_task(_act(device, line, actions, reader))
    acting.add_done_callback(lambda task: done.set())
    try:
        await done.wait()
    finally:
        acting.cancel()
        await line.unplug()


async def _act(
    device: FakeDevice, line: Line, actions: tuple[str, ...], reader: asyncio.StreamReader
) -> None:
    while words := await reader.readline():
        name = words.decode("ascii", "replace").strip()
        if name == "unplug":
            await line.unplug()
        elif name == "plug":
            await line.plug()
        elif name in actions:
            getattr(device, name)()
        elif name:
            _say(f"no action {name!r}")
            continue
        else:
            continue
        _say(f"done: {name}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
