"""How it is usually done: MQTT with QoS 1, persistent sessions, and no outbox. The checker must see the loss.

    python plain.py kiosk PORT TTY FOLDER       prints a ticket every 20 ms and publishes it
    python plain.py receiver PORT FOLDER        stores what arrives, one commit each

Numbers continue after a restart (the kiosk keeps a counter on disk), so only messages can get lost.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
import tty
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def _client(name: str, port: str) -> mqtt.Client:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    client.reconnect_delay_set(1, 1)
    while True:
        try:
            client.connect("127.0.0.1", int(port), clean_start=False, properties=properties)
        except OSError:
            time.sleep(0.2)
        else:
            return client


def _qr(payload: bytes) -> bytes:
    """ESC/POS native QR: store, print (GS ( k, functions 180 and 181)."""
    size = len(payload) + 3
    store = b"\x1d(k" + bytes([size & 255, size >> 8]) + b"1P0" + payload
    return store + b"\x1d(k\x03\x001Q0"


def _kiosk(port: str, path: str, folder: str) -> None:
    client = _client("plain-kiosk", port)
    client.loop_start()
    counter = Path(folder) / "counter"
    with open(path, "r+b", buffering=0) as printer:  # noqa: PTH123
        tty.setraw(printer.fileno())
        printer.write(b"\x1b@")
        while True:
            number = int(counter.read_text() if counter.exists() else 0) + 1
            counter.write_text(str(number))
            ticket = f"plain-{number}"
            paper = b"\x1b@\x1d!\x77A%04d\n\x1d!\x00" % number + _qr(
                b"https://hall.example/t/" + ticket.encode()
            )
            client.publish("plain/tickets", json.dumps({"ticket": ticket, "number": f"A{number:04}"}), qos=1)
            printer.write(paper + b"\n\x1dV\x42\x00")
            time.sleep(0.02)


def _receiver(port: str, folder: str) -> None:
    database = sqlite3.connect(Path(folder) / "plain.db", check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, body TEXT)")
    client = _client("plain-receiver", port)

    def connected(client: mqtt.Client, *_: object) -> None:
        client.subscribe("plain/tickets", qos=1)

    def message(client: mqtt.Client, _: object, received: mqtt.MQTTMessage) -> None:
        body = {"type": "ticket_issued", **json.loads(received.payload)}
        database.execute("INSERT INTO events (body) VALUES (?)", (json.dumps(body),))

    client.on_connect = connected
    client.on_message = message
    client.loop_forever()


if __name__ == "__main__":
    {"kiosk": _kiosk, "receiver": _receiver}[sys.argv[1]](*sys.argv[2:])
