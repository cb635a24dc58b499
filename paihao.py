"""The `paihao` command: finds the room that a subcommand belongs to and runs it there.

Rooms are imported only when asked for, so a node starts without a web framework and the coordinator
without drivers. Each room's `command` module has `main(arguments: list[str]) -> int`.
"""

from __future__ import annotations

import importlib
import sys

SUBCOMMANDS = {
    "doctor": ("device.doctor.command", "node", "find, test and configure the devices of this machine"),
    "agent": ("device.command", "node", "run the agent of one node"),
    "ticket": ("device.ticket_command", "printer", "draw a ticket from its template; check a template"),
    "screen": ("ui.command", "ui", "show a screen of this node"),
    "hall": ("hall.command", "hall", "run the hall coordinator"),
    "journal": ("hall.journal_command", "hall", "verify or export the journal of a hall"),
    "voice": ("device.voice_command", "voice", "build and check clip packs, try a voice"),
    "demo": ("simulator.command", "simulator", "run a whole hall on this machine"),
}
"""Subcommand → module, the extra whose packages it needs, summary."""


def main() -> int:
    """Run `paihao SUBCOMMAND …`; the exit status is the subcommand's, 2 for wrong usage."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print("paihao SUBCOMMAND …\n")
        for name, (_, _, summary) in SUBCOMMANDS.items():
            print(f"  {name:10}{summary}")
        return 0 if arguments else 2
    if arguments[0] not in SUBCOMMANDS:
        print(f"paihao: no subcommand {arguments[0]!r}; there are {', '.join(SUBCOMMANDS)}", file=sys.stderr)
        return 2
    module, extra, _ = SUBCOMMANDS[arguments[0]]
    try:
        command = importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(f"缺少软件包 · package missing: {error.name}", file=sys.stderr)
        print(f"请安装 · install: pip install 'paihao[{extra}]'", file=sys.stderr)
        return 1
    status: int = command.main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
