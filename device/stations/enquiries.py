"""How does this ticket stand? Asked of the coordinator, who alone knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from device.database import StorageError
from device.stations.station import Node
from wire.kiosk_messages import TicketEnquired, TicketFound
from wire.messages import CommandResult, Message, NodeCommand
from wire.screen_link import AskTicket, LinkMessage, TicketTold

logger = logging.getLogger(__name__)

ANSWER_S: Final = 5.0
"""Later than this nobody looks for the answer any more."""
OPEN: Final = 8
"""Enquiries that wait for their answer; further ones are refused."""
CANNOT_ASK: Final = "ticket.cannot_ask"


class EnquiryDesk:
    """`show` gives the answers to the kiosk's screens."""

    def __init__(self, node: Node, show: Callable[[LinkMessage], None]) -> None:
        self._node = node
        self._show = show
        self._answers: dict[str, asyncio.Future[TicketTold | None]] = {}

    async def ask(self, asked: AskTicket) -> None:
        """Answered by `TicketTold` in any case, after ANSWER_S at the latest."""
        if asked.request in self._answers:
            return
        told = None
        if self._node.link.online and len(self._answers) < OPEN:
            answer: asyncio.Future[TicketTold | None] = asyncio.get_running_loop().create_future()
            self._answers[asked.request] = answer
            try:
                await self._node.storage.add(TicketEnquired(request=asked.request, ticket=asked.ticket))
                await asyncio.wait([answer], timeout=ANSWER_S)
                told = answer.result() if answer.done() else None
            except StorageError as error:
                logger.error("an enquiry is not asked: %s", error)
            finally:
                del self._answers[asked.request]
        self._show(told or TicketTold(request=asked.request, code=CANNOT_ASK))

    def coordinator_left(self) -> None:
        """No answer will come any more."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)

    async def found(self, command: NodeCommand, body: Message) -> Message | None:
        """The handler of `ticket_found`; one that comes too late is told to nobody."""
        assert isinstance(body, TicketFound)
        answer = self._answers.get(body.request)
        if answer is not None and not answer.done():
            found = body if body.code is None else None
            answer.set_result(TicketTold(request=body.request, found=found, code=body.code))
        return CommandResult(command=command.id, outcome="done")
