"""Making a paho client and connecting it: everything that MQTT 5 says once per connection."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from wire.codec import MAX_PAYLOAD
from wire.mqtt_options import BrokerOptions, TlsOptions

RECEIVE_MAXIMUM: Final = 256
"""Messages that the broker may deliver before we acknowledge one (MQTT 5 Receive Maximum)."""

WINDOW: Final = 20
"""Our publishes that are with the broker at once; mosquitto takes no more unless configured."""

MAXIMUM_PACKET: Final = 4 * MAX_PAYLOAD
"""Bytes of a packet that the broker may send: bounds what a single message can cost us."""

CONNECT_TIMEOUT_S: Final = 5.0
"""For each of: TCP connection, TLS handshake, the broker's CONNACK, its SUBACK."""


class Opening(msgspec.Struct, frozen=True):
    """All that is said when a connection is opened. `will_topic` None: there is no will."""

    options: BrokerOptions
    client_id: str
    will_topic: str | None
    will_payload: bytes
    subscriptions: Sequence[tuple[str, int]]


def new_client(opening: Opening) -> Client:
    """A client that is not connected yet and has no callbacks but the one that sets up its socket."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=opening.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.max_inflight_messages = WINDOW
    if opening.will_topic is not None:
        client.will_set(opening.will_topic, opening.will_payload, qos=1, retain=True)

    def set_up(_client: Client, _userdata: object, sock: Any) -> None:
        # With Nagle's algorithm the second of two small packets waits for the first one's TCP
        # acknowledgement, which the other side delays by 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000 * opening.options.keepalive_s)

    client.on_socket_open = set_up
    return client


def blocking_connect(client: Client, opening: Opening) -> None:
    """Resolve the name, connect, do the TLS handshake, send CONNECT. Files are read anew each time.

    Raises OSError and what else paho and ssl raise.
    """
    options = opening.options
    if options.tls is not None:
        client.tls_set_context(_tls_context(options.tls))
    if options.username is not None:
        password = None
        if options.password_file is not None:
            password = Path(options.password_file).read_text("utf-8").strip()
        client.username_pw_set(options.username, password)
    properties = new_properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = options.session_expiry_s
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = MAXIMUM_PACKET
    # Never a clean start: mosquitto does not persist a session that began with one.
    client.connect(options.host, options.port, options.keepalive_s, clean_start=False, properties=properties)


def new_properties(packet: int) -> Properties:
    """Empty MQTT 5 properties for a type of packet."""
    return Properties(packet)  # type: ignore[no-untyped-call]


def _tls_context(options: TlsOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 asks for what authorities made by plain openssl lack (key usage, key identifiers). A hall's
    # certificates outlive the Python of its nodes; chain, dates and name are checked as ever.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if options.certificate_file is not None:
        context.load_cert_chain(options.certificate_file, options.key_file)
    return context
