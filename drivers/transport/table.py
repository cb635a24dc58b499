"""From a transport's configuration to the transport; modules are imported only when a device needs them."""

from __future__ import annotations

from typing import TypeAlias

from drivers.transport.file import FileConfig, FileTransport
from drivers.transport.serial import SerialConfig, SerialTransport
from drivers.transport.tcp import TcpConfig, TcpTransport
from drivers.transport.transport import Transport

TransportConfig: TypeAlias = SerialConfig | TcpConfig | FileConfig
"""In TOML: transport = { type = "serial", path = "/dev/paihao/printer", baud = 115200 }."""


def transport(config: TransportConfig) -> Transport:
    """The transport of a configuration, not yet opened."""
    match config:
        case SerialConfig():
            return SerialTransport(config)
        case TcpConfig():
            return TcpTransport(config)
        case FileConfig():
            return FileTransport(config)
