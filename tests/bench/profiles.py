"""Profiles of bench nodes: counters with an Onbon screen and a serial keypad each."""

from __future__ import annotations

from pathlib import Path

HALL, NODE = "bench", "counters"

_COUNTER = """
[[device]]
id = "screen-{counter}"
driver = "onbon_bx"
options = {{ transport = {{ type = "serial", path = "{folder}/screen-{counter}", baud = 57600 }} }}
[[device]]
id = "keypad-{counter}"
driver = "serial_keypad"
[device.options]
format = "call-keypad"
transport = {{ type = "serial", path = "{folder}/keypad-{counter}", baud = 9600 }}
[[station]]
kind = "counter"
id = "counter-{counter}"
counter = "{counter}"
call_screen = "screen-{counter}"
call_keypad = "keypad-{counter}"
flash_s = 60  # the end of a flash is a refresh too, and would delay a call that comes in that second
"""


def counter_profile(folder: Path, port: int, counters: list[str]) -> str:
    """A node with these counters; its serial lines are `screen-N` and `keypad-N` in `folder`."""
    head = f"""
hall = "{HALL}"
node = "{NODE}"
storage = "{folder}/agent.db"
[broker]
host = "127.0.0.1"
port = {port}
"""
    return head + "".join(_COUNTER.format(folder=folder, counter=counter) for counter in counters)
