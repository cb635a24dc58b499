"""Commands of the coordinator: each is decided once, by its id, and answered durably.

    repeated            the stored result is sent again, nothing is done
    not readable        command_result not_understood
    past its deadline   command_result expired
    else                its handler, which commits the result in the same transaction as its effect

`take` returns when the answer (or, for a prompt, the acceptance) is on disk. Only then the message is
acknowledged, so that a killed agent gets it again. What could not be stored is not answered: the coordinator
repeats it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from device.clock import Clock
from device.database import Row, StorageError
from device.storage import Storage
from wire.messages import CommandResult, Message, NodeCommand

logger = logging.getLogger(__name__)

Handler = Callable[[NodeCommand, Message], Awaitable[Message | None]]
"""Does the command. Returns the event that is its result, or None when it has committed that itself."""

IN_PROGRESS: Final = 64
"""Commands being handled at once; further ones wait unacknowledged."""


class Dispatch:
    """`handlers`: per body type, those who may know what to do; the first that does not return
    `NotMine` has done it. `send_again` publishes a stored result."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        handlers: dict[type[Message], list[Handler]],
        send_again: Callable[[Row], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._handlers = handlers
        self._send_again = send_again
        self._in_progress: dict[str, asyncio.Event] = {}
        self._room = asyncio.Semaphore(IN_PROGRESS)

    async def take(self, command: NodeCommand, body: Message | None) -> bool:
        """Decide a command; `body` None: it could not be read. False: nothing was stored."""
        if (other := self._in_progress.get(command.id)) is not None:
            await other.wait()  # delivered again while it is being done
            return await self._decided_before(command)
        self._in_progress[command.id] = done = asyncio.Event()
        try:
            async with self._room:
                return await self._decided_before(command) or await self._decide(command, body)
        except StorageError as error:
            logger.error("command %s (%s) is not answered: %s", command.id, command.kind, error)
            return False
        finally:
            del self._in_progress[command.id]
            done.set()

    async def _decided_before(self, command: NodeCommand) -> bool:
        try:
            known = await self._storage.known(command.id)
        except StorageError:
            return False
        if known is None:
            return False
        if known.row is not None:
            self._send_again(known.row)
        return True

    async def _decide(self, command: NodeCommand, body: Message | None) -> bool:
        handlers = self._handlers.get(type(body), []) if body is not None else []
        if body is None or not handlers:
            return await self._answer(command, "not_understood", "command.not_understood")
        if self._clock.expired(command.deadline):
            return await self._answer(command, "expired", "command.expired")
        try:
            for handler in handlers:
                try:
                    result = await handler(command, body)
                except NotMine:
                    continue
                if result is not None:
                    await self._storage.add(result, command=command.id)
                return True
        except StorageError:
            raise
        except Exception:
            # A bug in a station must not stop the other commands; the coordinator is told.
            logger.exception("command %s (%s)", command.id, command.kind)
            return await self._answer(command, "failed", "agent.fault")
        return await self._answer(command, "failed", "command.not_here")

    async def _answer(self, command: NodeCommand, outcome: str, code: str) -> bool:
        logger.warning("command %s (%s): %s", command.id, command.kind, code)
        result = CommandResult(command=command.id, outcome=outcome, code=code)  # type: ignore[arg-type]
        await self._storage.add(result, command=command.id)
        return True


class NotMine(Exception):
    """Raised by a handler: this command is for another station."""
