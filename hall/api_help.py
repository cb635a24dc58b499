"""REST routes for the help keys of kiosks: somebody is coming, somebody has been there.

    POST /api/v1/help/{node}/{station}/answer   {}
    POST /api/v1/help/{node}/{station}/done     {}

Open calls for help are alarms with the code `kiosk.help`.
"""

from __future__ import annotations

import msgspec
from fastapi import Request, Response

from hall.api_requests import ApiError, json_answer, submit
from hall.coordinator import Coordinator
from hall.queue import commands as cmd
from hall.queue import help_key
from hall.runtime import new_id
from wire.messages import Id


class Caller(msgspec.Struct, frozen=True):
    """Whose call it is, as the address names it."""

    node: Id
    station: Id


class HelpRoutes:
    """The handlers over one coordinator."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._runtime = coordinator.runtime

    async def answer(self, request: Request) -> Response:
        """Tell the citizen that somebody is coming."""
        return await self._say(request, over=False)

    async def done(self, request: Request) -> Response:
        """The call is over."""
        return await self._say(request, over=True)

    async def _say(self, request: Request, *, over: bool) -> Response:
        try:
            caller = msgspec.convert(request.path_params, Caller)
        except msgspec.ValidationError as error:
            # No station has such a name: whatever stands in an address is not written to the journal.
            raise ApiError("kiosk.help_none") from error
        await submit(
            self._runtime,
            request,
            cmd.AnswerHelp,
            node=caller.node,
            station=caller.station,
            answer=f"help-{new_id()}",
            over=over,
        )
        subject = help_key.subject_of(caller.node, caller.station)
        standing = self._runtime.state.alarms.get((help_key.CODE, subject))
        return json_answer(
            {
                "node": caller.node,
                "station": caller.station,
                "open": standing is not None,
                "answered_at": standing.facts.get(help_key.ANSWERED) if standing is not None else None,
            }
        )
