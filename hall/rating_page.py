"""The hall's own page for texts about a service: what the rating panel's QR code leads a phone to.

    GET  /rate/{page}    what it is about, and a form; with a text already: thanks
    POST /rate/{page}    text=…, as forms send it

`page` is 80 random bits that stand in the panel's QR code: who has it may write, once. Nothing else of the
hall answers on this application's port. Bounds: MAX_BODY, PER_ADDRESS, PER_MINUTE, those of `hall.server` and
of `hall.queue.texts`. Neither texts nor pages are logged.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hall import rating_page_html as html
from hall.coordinator import Coordinator
from hall.journal import JournalError
from hall.queue import commands as cmd
from hall.queue import texts
from hall.queue.state import Prompt
from hall.runtime import new_id
from wire.messages import LocalText
from wire.texts import LANGUAGES, available, text

logger = logging.getLogger(__name__)

MAX_BODY: Final = 32 * 1024
"""Bytes: four code points for each of the 500 characters, %-encoded, are 24,000."""
BODY_S: Final = 20.0
"""How long a phone may take to send them."""
PER_ADDRESS: Final = 60
"""Requests of one address and minute …"""
PER_MINUTE: Final = 3_000
"""… and of all: as many addresses are remembered at most."""

_PAGE: Final = re.compile(r"[0-9a-f]{20}")
_STATUS: Final = {texts.THERE: 409, texts.FULL: 503}


class Requests:
    """Counts requests by minute and address."""

    def __init__(self) -> None:
        self._minute = -1
        self._all = 0
        self._counts: dict[str, int] = {}

    def allows(self, address: str, now: float) -> bool:
        """Whether one more may be answered; `now` in seconds of any clock."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._all = minute, 0
            self._counts.clear()
        if self._all >= PER_MINUTE or self._counts.get(address, 0) >= PER_ADDRESS:
            return False
        self._all += 1
        self._counts[address] = self._counts.get(address, 0) + 1
        return True


class RatingPage:
    """The handlers over one coordinator; `app` is what uvicorn serves, also before the coordinator starts."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._runtime = coordinator.runtime
        self._policy = coordinator.policy
        self._hall = coordinator.config.hall.name
        self._requests = Requests()
        self.app = Starlette(
            routes=[Route("/rate/{page}", self._guarded, methods=["GET", "POST"])],
            exception_handlers={HTTPException: self._http_error},
        )

    async def _guarded(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except Exception as error:  # noqa: BLE001  uvicorn would log its message, which may be a text
            where = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("%s at %s:%s", type(error).__name__, where.filename, where.lineno)
            return self._notice("wrong", language_of(request), 500)

    async def _answer(self, request: Request) -> Response:
        language = language_of(request)
        address = request.client.host if request.client is not None else ""
        if not self._requests.allows(address, asyncio.get_running_loop().time()):
            return self._notice("slow", language, 429, {"Retry-After": "60"})
        await self._runtime.settled()
        prompt = self._prompt(request.path_params["page"])
        if prompt is None:
            return self._notice("over", language, 404)
        if request.method == "POST":
            return await self._take(request, prompt, language)
        if prompt.text is not None:
            return self._notice("thanks", language)
        return self._form(prompt, language)

    def _prompt(self, page: str) -> Prompt | None:
        """What may be written about under this address today; nobody learns why nothing may."""
        state = self._runtime.state
        if _PAGE.fullmatch(page) is None or state.business_date is None:
            return None
        prompt = state.prompts.get(state.pages.get(page, ""))
        return prompt if prompt is not None and texts.is_open(state, prompt, state.business_date) else None

    async def _take(self, request: Request, prompt: Prompt, language: str) -> Response:
        given = await _form_text(request)
        if given is None:
            return self._notice("wrong", language, 400)
        written = texts.cleaned(given)
        count = texts.letters(written)
        if prompt.text is not None:
            return self._there(prompt, written, language)
        if not written:
            return self._form(prompt, language, wrong=text("rate_page.empty", language))
        if count > texts.LETTERS:
            long = text("rate_page.long", language, count=count, letters=texts.LETTERS)
            return self._form(prompt, language, written, long)
        runtime = self._runtime
        try:
            decision = await runtime.submit(
                cmd.GiveText(id=new_id(), at=runtime.now(), prompt=prompt.prompt, text=written)
            )
        except JournalError:
            return self._form(prompt, language, written, text("rate_page.not_now", language), 503)
        if decision.code is None:
            return _thanks(language)
        if decision.code == texts.THERE:
            return self._there(runtime.state.prompts[prompt.prompt], written, language)
        key = decision.code.removeprefix("rate_page.") if decision.code in _STATUS else "over"
        return self._notice(key, language, _STATUS.get(decision.code, 404))

    def _there(self, prompt: Prompt, written: str, language: str) -> Response:
        """A finger that pressed twice is thanked; other words are told that they were not kept."""
        return _thanks(language) if prompt.text == written else self._notice("there", language, 409)

    def _form(
        self, prompt: Prompt, language: str, written: str = "", wrong: str = "", status: int = 400
    ) -> Response:
        about = html.About(
            self._name(self._policy.services, prompt.service),
            self._name(self._policy.counters, prompt.counter),
            prompt.business_date,
            texts.last_day(self._policy, prompt.business_date),
        )
        page = html.form(self._hall, about, language, written=written, wrong=wrong)
        return HTMLResponse(page, status if wrong else 200, html.HEADERS)

    def _notice(
        self, key: str, language: str, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        return HTMLResponse(html.notice(self._hall, key, language), status, html.HEADERS | (headers or {}))

    def _name(self, named: Mapping[str, object], id_: str) -> LocalText:
        name: LocalText = getattr(named.get(id_), "name", {})
        return name or {LANGUAGES[0]: id_}

    async def _http_error(self, request: Request, error: Exception) -> Response:
        return self._notice("wrong", language_of(request), getattr(error, "status_code", 400))


def language_of(request: Request) -> str:
    """What the link says (`?lang=en`), else what the phone prefers, else the first language."""
    asked = request.query_params.get("lang", "")
    if asked in available():
        return asked
    wishes: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "")[:200].split(","):
        code, _, weight = part.partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", weight)
        wishes.append((float(found[1]) if found else 1.0, code.strip().lower()))
    for liking, code in sorted(wishes, key=lambda wish: -wish[0]):
        for known in available():
            if liking and code.partition("-")[0] == known.partition("-")[0].lower():
                return known
    return LANGUAGES[0]


def _thanks(language: str) -> Response:
    """To the same address by GET: a page that is loaded again sends nothing again."""
    return Response(status_code=303, headers=html.HEADERS | {"Location": f"?lang={language}"})


async def _form_text(request: Request) -> str | None:
    """The field `text` of a form; None for anything else, or too much of it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    try:
        fields = parse_qs(
            body.decode("ascii", "replace"), keep_blank_values=True, errors="replace", max_num_fields=4
        )
    except ValueError:
        return None
    return fields.get("text", [""])[0]
