"""A call screen on a line that is asked and answers.

A new LED model is a child of `LineScreen` with three functions: `_answers` (bytes → answers), `_put` (show a
text) and `_ping` (is it there?). Refresh limit, newest wins, retries, loss and return, health and brightness
are `paced_screen`'s; the text is laid out by `text_layout`. See docs/adding-a-driver.md.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from drivers.call_screen.brightness import Brightness
from drivers.call_screen.dialogue import Dialogue
from drivers.call_screen.paced_screen import Pace, PacedScreen
from drivers.transport.table import TransportConfig

A = TypeVar("A")


class LineScreen(PacedScreen, Generic[A]):
    """A `PacedScreen` on a line; `A` is what an answer of the model is, a frozen dataclass.

    Children implement `_answers`, `_put` and `_ping`, the last two with `_ask`; `_prepare` and `_dim` where
    there is something to do. `answer_s`: how long an answer may take, besides the time that a question needs
    on a serial line; more than 1.4 s, and a lost screen is known later than after 5 s.
    """

    def __init__(
        self,
        line: TransportConfig,
        pace: Pace,
        brightness: Brightness | None = None,
        *,
        answer_s: float = 1.2,
    ) -> None:
        super().__init__(pace, brightness)
        self._dialogue = Dialogue(line, self._answers, self._lost, self.seen)
        self._line = self._dialogue.line
        self._answer_s = answer_s
        self._ping_s = self._dialogue.ping_s(answer_s)
        """How long the answer to a question may take that needs no work."""

    @abstractmethod
    def _answers(self, data: bytes) -> Iterable[A]:
        """The answers that end in these bytes; they come in pieces of any size, with noise between, and on a
        shared line those of other screens are among them. Keeps a bounded number of bytes."""

    async def _prepare(self) -> None:
        """Before the first question after an `open`: forget half answers, load fonts."""

    async def _ask(
        self, wire: bytes, mine: Callable[[A], bool] | None = None, *, answer_s: float | None = None
    ) -> A:
        """Write `wire` and return the next answer for which `mine` holds (default: any).

        Raises NoAnswerError after `answer_s` seconds (default: the screen's), LineLostError.
        """
        wait = self._answer_s if answer_s is None else answer_s
        return await self._dialogue.ask(wire, wait, mine, urgent=self._urgent, unlikely=self._unlikely)

    async def _tell(self, wire: bytes) -> None:
        """Write what the screen does not answer. Raises LineLostError."""
        await self._dialogue.tell(wire, urgent=self._urgent)

    # ------------------------------------------------------------ inside

    def _must_renew(self) -> bool:
        """False in a child whose `_ping` finds out (`_forgotten`) that the screen lost its text."""
        return True

    def _give_way(self) -> None:
        self._dialogue.give_way()

    async def _connect(self) -> None:
        await self._prepare()
        await self._dialogue.open()

    async def _disconnect(self) -> None:
        await self._dialogue.close()
