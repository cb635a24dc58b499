"""From a transport's configuration to the transport. pyusb is imported only when a USB line is opened."""

from __future__ import annotations

from typing import TypeAlias

from drivers.transport.file import FileConfig, FileTransport
from drivers.transport.hidraw import HidrawConfig, HidrawTransport
from drivers.transport.serial import SerialConfig, SerialTransport
from drivers.transport.shared import shared
from drivers.transport.tcp import TcpConfig, TcpTransport
from drivers.transport.transport import Transport
from drivers.transport.udp import UdpConfig, UdpTransport
from drivers.transport.usb import UsbConfig, UsbTransport

TransportConfig: TypeAlias = SerialConfig | TcpConfig | UdpConfig | FileConfig | HidrawConfig | UsbConfig
"""In TOML: transport = { type = "serial", path = "/dev/paihao/printer", baud = 115200 }."""


def transport(config: TransportConfig) -> Transport:
    """The transport of a configuration, not yet opened. Raises ConfigError for a shared line that other
    drivers use with other settings."""
    match config:
        case SerialConfig(shared=True):
            return shared(config.line, config, lambda: SerialTransport(config))
        case TcpConfig(shared=True):
            return shared(config.line, config, lambda: TcpTransport(config))
        case SerialConfig():
            return SerialTransport(config)
        case TcpConfig():
            return TcpTransport(config)
        case UdpConfig():
            return UdpTransport(config)
        case FileConfig():
            return FileTransport(config)
        case HidrawConfig():
            return HidrawTransport(config)
        case UsbConfig():
            return UsbTransport(config)
