"""From a station of the profile to what runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from device.profile import CounterStation, KioskStation
from device.profile import Station as StationEntry
from device.stations.station import Node, Station

if TYPE_CHECKING:
    # Names for `cast`: each protocol costs a node's start 1 to 2 ms.
    from drivers.call_screen.protocol import CallScreen
    from drivers.card_reader.protocol import CardReader
    from drivers.driver import Driver
    from drivers.keypad.protocol import Keypad
    from drivers.light.protocol import Light
    from drivers.ticket_printer.protocol import TicketPrinter
    from drivers.voice.protocol import Voice


def runner(entry: StationEntry, node: Node, driver: Callable[[str | None], Driver | None]) -> Station:
    """`driver`: the one of a device's id, None for None. The profile was checked: each is of its class."""
    # Imported here: a counter's node needs no kiosk.
    if isinstance(entry, KioskStation):
        from device.stations.kiosk import KioskStationRunner

        printer = cast("TicketPrinter", driver(entry.printer))
        return KioskStationRunner(
            entry,
            node,
            printer,
            cast("CardReader | None", driver(entry.card_reader)),
            cast("CardReader | None", driver(entry.scanner)),
            cast("Voice | None", driver(entry.voice)),
            cast("Keypad | None", driver(entry.pad)),
            cast("Light | None", driver(entry.light)),
        )
    if isinstance(entry, CounterStation):
        from device.stations.counter import CounterStationRunner

        return CounterStationRunner(
            entry,
            node,
            cast("Keypad | None", driver(entry.call_keypad)),
            cast("Keypad | None", driver(entry.rating_keypad)),
            cast("CallScreen | None", driver(entry.call_screen)),
            cast("Light | None", driver(entry.light)),
        )
    from device.stations.board import BoardStationRunner

    return BoardStationRunner(
        entry,
        node,
        cast("Voice | None", driver(entry.voice)),
        cast("Light | None", driver(entry.light)),
    )
