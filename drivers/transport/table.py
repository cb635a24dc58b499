"""From a transport's configuration to the transport. pyusb is imported only when a USB line is opened."""

from __future__ import annotations

from typing import TypeAlias

from drivers.transport.file import FileConfig, FileTransport
from drivers.transport.serial import SerialConfig, SerialTransport
from drivers.transport.tcp import TcpConfig, TcpTransport
from drivers.transport.transport import Transport
from drivers.transport.usb import UsbConfig, UsbTransport

TransportConfig: TypeAlias = SerialConfig | TcpConfig | FileConfig | UsbConfig
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
        case UsbConfig():
            return UsbTransport(config)
