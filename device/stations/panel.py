"""A counter's call screen that is a screen program of this node: the driver's texts on the node's socket."""

from __future__ import annotations

from device.stations.station import Node
from drivers.call_screen.panel import Panel, PanelText
from drivers.call_screen.protocol import CallScreen
from wire.screen_link import PanelDrawn, PanelShow, ToAgent


class StationPanel:
    """The `Outlet` of a `Panel`. Made for every counter; does nothing for other call screens."""

    def __init__(self, node: Node, station: str, screen: CallScreen | None) -> None:
        self._node = node
        self._station = station
        self._panel = screen if isinstance(screen, Panel) else None
        if self._panel is not None:
            self._panel.outlet = self

    def there(self) -> bool:
        return self._node.has_screen(self._station, "panel")

    def send(self, text: PanelText) -> None:
        content = text.content
        shown = PanelShow(
            show=text.show,
            wordings=(content.text, *content.shorter),
            colour=content.colour,
            flash=content.flash,
        )
        self._node.show(self._station, shown, "panel")

    def on_screen(self, message: ToAgent) -> None:
        """What the program said."""
        if self._panel is not None and isinstance(message, PanelDrawn):
            self._panel.drawn(message.show)
