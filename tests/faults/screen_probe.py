"""`paihao screen` as it is, whose pictures and touches go through a socket: the child of `screen_end`.

    python screen_probe.py SOCKET [--own-clock] kiosk --station kiosk-1 --socket … --size 1080x1920

The program, its loop, its window and its link to the agent are the real ones. Added around the loop: each
picture is looked at (is anything on it?) and told, and a finger is what the socket says. With `--own-clock`
the program's clock goes on only by what the socket says, so that a day passes as fast as it can be drawn.

    to the parent    {"draws", "heard", "did", "page", "look", "words", "targets", "due", "fault", "problems"}
                     {"said": kind, "request" …, "ok"} for each message to the agent
    from the parent  "down X Y", "up X Y" (pixels), "pass SECONDS STEP" (of its own clock, from one moment
                     that something is due to the next one, at least STEP seconds)
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec
import pygame

from ui import command, runner
from ui.items import Fill, Layout, Words
from wire.screen_link import LinkMessage

LOOKED_AT: Final = 16
"""Of so many pictures one is looked at pixel by pixel; the layout of each is."""
LEAST_S: Final = 1e-4
"""A moment of the own clock: what is due at once again and again must end some day."""
MOST_TURNS: Final = 300
"""So often in a row the clock may stand nearly still; more is a loop that never sleeps."""
NEAR: Final = (70, 70, 70, 255)
"""A pixel of a letter may differ so much from the letter's colour."""


def what_is_wrong(layout: Layout, surface: pygame.Surface, *, pixels: bool) -> str:
    """Why a picture counts as blank, "" when it does not.

    A page must have words. With `pixels` each text, where nothing was drawn over it, must be seen: some, and
    not all, pixels in its place have its colour.
    """
    texts = [(n, item) for n, item in enumerate(layout.items) if isinstance(item, Words) and any(item.lines)]
    if not texts:
        return "no words"
    if not pixels:
        return ""
    over = [(n, pygame.Rect(item.rect)) for n, item in enumerate(layout.items) if isinstance(item, Fill)]
    seen = 0
    for n, item in texts:
        place = pygame.Rect(item.rect).clip(surface.get_rect())
        covered = any(m > n and rect.colliderect(place) for m, rect in over)
        if covered or not place.w or not place.h or not any(line.strip() for line in item.lines):
            continue
        part = surface.subsurface(place)
        if not 0 < pygame.mask.from_threshold(part, item.colour, NEAR).count() < place.w * place.h:
            return f"not to be seen: {item.lines[0][:40]}"
        seen += 1
    return "" if seen else "no text to be seen"


class Probe:
    """Stands around one `Runner`. Everything but `_read` is called from the program's thread."""

    def __init__(self, line: socket.socket, own_clock: bool) -> None:
        self.draws = self.heard = self.did = 0
        self._line = line
        self._offset = 0.0
        self._left: float | None = None
        self._step = LEAST_S
        self._drawn_before: int | None = None
        self._restless = 0
        self._own_clock = own_clock
        self._began = time.monotonic()
        self._orders: deque[str] = deque()
        self._fault = ""
        self._changed = False

    def now(self) -> float:
        return (self._began if self._own_clock else time.monotonic()) + self._offset

    def put_around(self) -> None:
        """Wrap the loop's class: `paihao screen` makes its object later."""
        loop: Any = runner.Runner
        first, step, hear_all, draw, hear = (
            loop.__init__, loop.step, loop._hear_all, loop.draw, loop._hear
        )  # fmt: skip
        vars(runner)["time"] = SimpleNamespace(monotonic=self.now)

        def made(that: Any, program: Any, *args: Any, **options: Any) -> None:
            first(that, program, *args, **options)
            say = program.say

            def said(message: LinkMessage) -> bool:
                ok = bool(say(message))
                self._send({"said": type(message).__name__, "ok": ok, **_ids(message)})
                return ok

            program.say = said
            threading.Thread(target=self._read, args=(that,), name="orders", daemon=True).start()

        def heard_all(that: Any) -> bool:
            changed = bool(hear_all(that))
            self._do_orders(that)
            return changed

        def heard_one(that: Any, said: object) -> None:
            self.heard += 1
            hear(that, said)

        def drawn(that: Any) -> None:
            draw(that)
            self.draws += 1
            self._changed = True
            pixels = self.draws % LOOKED_AT == 1
            surface = that._display.surface
            self._fault = self._fault or what_is_wrong(that.layout, surface, pixels=pixels)
            if self.draws == 1:
                self._tell(that)

        def stepped(that: Any) -> bool:
            before = self.did
            goes_on = bool(step(that))
            if (self._changed and self._left is None) or self.did != before:
                self._tell(that)
            return goes_on

        loop.__init__, loop.step, loop._hear_all, loop.draw, loop._hear = (
            made, stepped, heard_all, drawn, heard_one
        )  # fmt: skip

    def _do_orders(self, that: Any) -> None:
        if self._left is None and self._orders:
            what, *values = self._orders.popleft().split()
            if what == "pass":
                self._left, self._step, self._restless = float(values[0]), float(values[1]), 0
            else:
                self.did += 1
                kind = pygame.MOUSEBUTTONDOWN if what == "down" else pygame.MOUSEBUTTONUP
                place = (int(values[0]), int(values[1]))
                pygame.event.post(pygame.event.Event(kind, pos=place, button=1, touch=False))
        if self._left is not None:
            self._go_on(that, self._left)

    def _go_on(self, that: Any, left: float) -> None:
        """The clock goes to the next moment at which something is due, or to the end of the order."""
        if self._drawn_before == self.draws:
            self._fault = self._fault or "what was due was not drawn"
        wait = that.program.due(self.now()) - self.now()
        self._restless = self._restless + 1 if wait < LEAST_S else 0
        if self._restless > MOST_TURNS:
            self._fault, self._restless = "it never sleeps", 0
        step = min(left, max(self._step, wait + LEAST_S))
        self._drawn_before = self.draws if step >= wait and step < left else None
        self._offset += step
        if step < left:
            self._left = left - step
            that._wake.ring()
        else:
            self._left = None
            self.did += 1

    def _tell(self, that: Any) -> None:
        layout, now = that.layout, self.now()
        self._changed = False
        words = " ".join(line for item in layout.items if isinstance(item, Words) for line in item.lines)
        self._send(
            {
                "draws": self.draws,
                "heard": self.heard,
                "did": self.did,
                "page": that.page.name,
                "look": f"{that.page.language} {that.page.theme or ''} {that.page.scale:g}",
                "words": words[:2000],
                "targets": [(t.action, *_middle(t.rect)) for t in layout.targets if not t.off],
                "due": min(1e9, that.program.due(now) - now),
                "fault": self._fault,
                "problems": layout.problems[:3],
            }
        )
        self._fault = ""

    def _send(self, what: dict[str, Any]) -> None:
        try:
            self._line.sendall(json.dumps(what, ensure_ascii=False).encode() + b"\n")
        except OSError:
            sys.exit(1)  # the parent has gone

    def _read(self, that: Any) -> None:
        with self._line.makefile("r", encoding="ascii") as lines:
            for line in lines:
                self._orders.append(line)
                that._wake.ring()


def _middle(rect: tuple[int, int, int, int]) -> tuple[int, int]:
    return rect[0] + rect[2] // 2, rect[1] + rect[3] // 2


def _ids(message: LinkMessage) -> dict[str, Any]:
    """What of a message tells which one it is; no card data and no codes."""
    told = msgspec.structs.asdict(message)
    return {name: told[name] for name in ("request", "prompt", "grade", "service", "reasons") if name in told}


def main(arguments: list[str]) -> int:
    line = socket.socket(socket.AF_UNIX)
    line.connect(arguments[0])
    own_clock = arguments[1] == "--own-clock"
    Probe(line, own_clock).put_around()
    return command.main(arguments[2 if own_clock else 1 :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
