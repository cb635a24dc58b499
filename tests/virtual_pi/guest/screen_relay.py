"""Runs in the virtual Pi: tells the host what the agent tells a screen, line by line.

screen_relay.py SOCKET STATION ROLE HOST PORT

It joins as one more screen and says nothing but its hello. The first line is the machine's monotonic clock,
by which pages change; a line `null` says that the agent has gone. It ends with the host's side.
"""

from __future__ import annotations

import json
import socket
import sys
import time

RETRY_S = 0.2


def main(path: str, station: str, role: str, host: str, port: int) -> None:
    with socket.create_connection((host, port)) as told:
        told.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        told.sendall(json.dumps(time.monotonic()).encode() + b"\n")
        while True:
            with socket.socket(socket.AF_UNIX) as agent:
                try:
                    agent.connect(path)
                    hello = {"type": "hello", "station": station, "role": role}
                    agent.sendall(json.dumps(hello).encode() + b"\n")
                    while data := agent.recv(65536):
                        told.sendall(data)
                except (FileNotFoundError, ConnectionRefusedError):
                    time.sleep(RETRY_S)
                    continue
                except ConnectionResetError:
                    pass  # it was killed: as if it had closed
            told.sendall(b"\nnull\n")  # the line that was cut off ends here; it is no message


if __name__ == "__main__":
    try:
        path, station, role, host, port = sys.argv[1:]
        main(path, station, role, host, int(port))
    except (BrokenPipeError, ConnectionError):
        pass  # the host has heard enough
