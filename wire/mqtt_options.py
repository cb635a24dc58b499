"""How to reach the broker: the part of a node's or the coordinator's configuration that `wire.mqtt` reads."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class TlsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mutual TLS. Files are PEM and are read again at every connection, so that a renewed one is used.

    `ca_file` None trusts the system's authorities. `key_file` None: the key stands in `certificate_file`.
    """

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


class BrokerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker and how this client behaves towards it.

    A connection that is silent for `keepalive_s` is asked for a sign of life and given up after as long
    again; so is one on which a publish stays unacknowledged for that long.
    """

    host: Annotated[str, msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    keepalive_s: Annotated[int, msgspec.Meta(ge=1, le=300)] = 10
    username: str | None = None
    password_file: str | None = None
    tls: TlsOptions | None = None
    session_expiry_s: Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFE)] = 7 * 86400
    reconnect_min_s: Seconds = 0.2
    reconnect_max_s: Seconds = 10.0
