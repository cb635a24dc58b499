"""What the nodes say of themselves: who is there, what devices it has, how they are.

Fed from the retained topics; a will of an older session than the node's present one is ignored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from wire.messages import DeviceState, NodeDescription, NodeState

MAX_DEVICES: Final = 100
"""Devices remembered of one node. Their states may come before the description that names them."""


class Node(msgspec.Struct, kw_only=True):
    """One node. `changed_at`: when its state was last heard to change, by the coordinator's clock."""

    node: str
    state: str = "unknown"
    session: str = ""
    changed_at: datetime | None = None
    description: NodeDescription | None = None
    devices: dict[str, DeviceState] = {}


class Expected(msgspec.Struct, frozen=True):
    """A device that has to report a call."""

    node: str
    device: str
    how: str


class Nodes:
    """All nodes of the hall that have ever said something retained."""

    def __init__(self) -> None:
        self.all: dict[str, Node] = {}

    def _node(self, node: str) -> Node:
        known = self.all.get(node)
        if known is None:
            known = self.all[node] = Node(node=node)
        return known

    def on_state(self, node: str, state: NodeState, at: datetime) -> bool:
        """True when the node has just come online: a new session, or back after it was away."""
        known = self._node(node)
        if state.state != "online" and known.session and state.session != known.session:
            return False
        came = state.state == "online" and (known.state != "online" or known.session != state.session)
        if known.state != state.state or known.session != state.session:
            known.changed_at = at
        known.state, known.session = state.state, state.session
        return came

    def on_description(self, node: str, description: NodeDescription) -> None:
        """Devices that the description does not name any more are forgotten."""
        known = self._node(node)
        known.description = description
        names = {device.device for device in description.devices}
        known.devices = {device: state for device, state in known.devices.items() if device in names}

    def on_device(self, node: str, state: DeviceState) -> None:
        devices = self._node(node).devices
        if state.device in devices or len(devices) < MAX_DEVICES:
            devices[state.device] = state

    def forget(self, node: str) -> None:
        """Its retained state was cleared: the node was taken out of the hall. One that is online stays."""
        if not self.online(node):
            self.all.pop(node, None)

    def online(self, node: str) -> bool:
        known = self.all.get(node)
        return known is not None and known.state == "online"

    def kiosks(self) -> list[str]:
        """Nodes that have a kiosk, online or not."""
        return [n.node for n in self.all.values() if n.description and "kiosk" in n.description.stations]

    def of_counter(self, counter: str) -> str | None:
        """The node at a counter, which has its rating keypad; one that is online is preferred."""
        found: str | None = None
        for node in self.all.values():
            if node.description is None:
                continue
            if counter in node.description.counters or any(
                device.counter == counter for device in node.description.devices
            ):
                if node.state == "online":
                    return node.node
                found = found or node.node
        return found

    def expected(self, counter: str, zone: str) -> frozenset[Expected]:
        """The devices that should show and say a call to `counter`, whether they work or not.

        A voice speaks its own zone, else its node's zones, else (a node without zones) every call.
        """
        found: set[Expected] = set()
        for node in self.all.values():
            if node.description is None:
                continue
            for device in node.description.devices:
                if device.kind == "call_screen" and device.counter == counter:
                    found.add(Expected(node.node, device.device, "shown"))
                elif device.kind == "voice":
                    zones = (device.zone,) if device.zone is not None else node.description.zones
                    if not zones or zone in zones:
                        found.add(Expected(node.node, device.device, "heard"))
        return frozenset(found)
