"""What a citizen sees on the kiosk and where a touch leads: pages over a `KioskScreen`, as HTML.

One touch screen, so one state, whoever looks at it in a browser. A touch is an action "kiosk.…" with an
argument; everything shown came over the screen link.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from simulator.kiosk_screen import ENDED, KioskScreen
from simulator.words import Words, esc
from wire.messages import Catalogue, CatalogueService
from wire.screen_link import CardShown, TicketProgress

BACK_HOME_S: Final = 8.0
"""A ticket that is out, or an error, is shown this long; then the next citizen finds the first page."""

PASSING_S: Final = 2.0
"""How long the progress of a person of the busy day is shown after its last news."""

IDLE_S: Final = 45.0
"""A citizen who walks away in the middle: the first page again."""


class KioskPanel:
    """`on_change` is called when the page must be drawn anew."""

    def __init__(self, screen: KioskScreen) -> None:
        self.language = "zh-CN"
        self.on_change: Callable[[], None] | None = None
        self._screen = screen
        self._group: str | None = None
        self._service: str | None = None
        self._priority: str | None = None
        self._request: str | None = None
        self._passing: str | None = None
        self._passing_until = 0.0
        self._newest_seen: TicketProgress | None = None
        self._card_seen: CardShown | None = None
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ touches

    def act(self, action: str, argument: str) -> None:
        """A touch. Unknown ones do nothing: the screen may have changed under the finger."""
        match action:
            case "language":
                self.language = "en" if self.language == "zh-CN" else "zh-CN"
            case "group":
                self._group, self._service = argument, None
            case "service":
                self._service = argument
                card = self._screen.card
                self._priority = card.priority if card is not None else None
            case "priority":
                self._priority = argument or None
            case "back":
                if self._service is not None:
                    self._service = None
                else:
                    self._group = None
            case "take" if self._service is not None and self._request is None:
                self._request = self._screen.take_ticket(self._service, self._priority, self.language)
            case "reprint" if (progress := self._progress()) is not None and progress.ticket is not None:
                self._screen.reprint(progress.ticket)
            case "home":
                self._home()
                self._passing = None
        self._arm()
        self._redraw()

    def screen_changed(self) -> None:
        """The agent said something."""
        if self._request is not None and not self._screen.connected:
            self._home()
        newest = self._screen.newest
        if newest is not None and newest is not self._newest_seen and newest.request != self._request:
            # somebody else stands here: a person of the busy day
            self._passing, self._passing_until = newest.request, time.monotonic() + PASSING_S
        self._newest_seen = newest
        card = self._screen.card
        if card is not self._card_seen:
            self._card_seen = card
            if card is not None and card.priority is not None and self._request is None:
                self._priority = card.priority
        self._arm()
        self._redraw()

    def _redraw(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _home(self) -> None:
        self._group = self._service = self._priority = self._request = None

    def _shown_request(self) -> str | None:
        """The request on the glass: the one that was touched here, else that of a passing person."""
        if self._request is not None or self._group is not None:
            return self._request
        return self._passing if time.monotonic() < self._passing_until else None

    def _progress(self) -> TicketProgress | None:
        request = self._shown_request()
        return self._screen.progress(request) if request is not None else None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        progress = self._progress()
        if self._request is None and self._group is None and self._shown_request() is not None:
            wait = max(0.05, self._passing_until - time.monotonic())
        elif progress is not None and progress.stage in ENDED:
            wait = BACK_HOME_S if progress.paper != "unknown" else IDLE_S
        elif self._group is not None or self._request is not None:
            wait = IDLE_S
        else:
            return
        self._timer = asyncio.get_running_loop().call_later(wait, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._home()
        self._redraw()

    # ------------------------------------------------------------ drawing

    def html(self) -> str:
        """The glass of the screen."""
        words = Words(self.language)
        state = self._screen.state
        if not self._screen.connected or state is None:
            return f'<div class="screen dark" data-page="dark">{words.html("kiosk_dark")}</div>'
        catalogue = state.catalogue
        if catalogue is None:
            page, body = "waiting", _say(words("kiosk_no_catalogue"), "", spin=True)
        elif self._shown_request() is not None:
            page, body = "progress", self._progress_page(words)
        elif (service := _service(catalogue, self._service)) is not None:
            page, body = "confirm", self._confirm_page(words, catalogue, service)
        elif self._group is not None:
            page, body = "services", self._services_page(words, catalogue)
        else:
            page, body = "home", self._home_page(words, catalogue)
        name = words.local(catalogue.hall_name) if catalogue is not None else ""
        return (
            f'<div class="screen" data-page="{page}"><div class="bar"><b>{esc(name)}</b>'
            f'<button class="lang" data-act="kiosk.language">{words.html("kiosk_other_language")}</button>'
            "</div>"
            f'<div class="body">{self._banner(words)}{body}</div>{self._foot(words)}</div>'
        )

    def _banner(self, words: Words) -> str:
        state = self._screen.state
        card = self._screen.card
        banners = ""
        printer = state.printer if state is not None else None
        if printer is not None and printer.health in ("fault", "missing"):
            banners += f'<div class="banner bad">{esc(words.code(printer.code))}</div>'
        if card is not None and card.lay_again:
            banners += f'<div class="banner">{words.html("kiosk_lay_again")}</div>'
        elif card is not None:
            who = words("kiosk_card", name=card.name or "", number=card.number or "")
            banners += f'<div class="banner card-in">{esc(who)}</div>'
        return banners

    def _foot(self, words: Words) -> str:
        state = self._screen.state
        if state is None:
            return ""
        printer = state.printer.health if state.printer is not None else "unknown"
        reader = state.card_reader.health if state.card_reader is not None else "unknown"
        online = words("kiosk_online") if state.online else words("kiosk_offline")
        if not state.online:
            online += " · " + words("kiosk_numbers_left", count=sum(state.offline_numbers.values()))
        return (
            f'<div class="foot"><span><i class="dot {"ok" if state.online else "degraded"}"></i>'
            f"{esc(online)}</span>"
            f'<span><i class="dot {esc(printer)}"></i>{words.html("printer")}</span>'
            f'<span><i class="dot {esc(reader)}"></i>{words.html("card_reader")}</span></div>'
        )

    def _home_page(self, words: Words, catalogue: Catalogue) -> str:
        tiles = ""
        for group in catalogue.groups:
            services = [s for s in catalogue.services if s.group == group.group]
            names = (
                "、".join(words.local(s.name) for s in services[:3])
                if self.language == "zh-CN"
                else ", ".join(words.local(s.name) for s in services[:2])
            )
            tiles += (
                f'<button class="tile" data-act="kiosk.group" data-arg="{esc(group.group)}">'
                f'<b><span class="prefix">{esc(group.prefix)}</span>{esc(words.local(group.name))}</b>'
                f"<span>{esc(names)}…</span></button>"
            )
        return f'<div class="ask">{words.html("kiosk_choose_group")}</div><div class="tiles">{tiles}</div>'

    def _services_page(self, words: Words, catalogue: Catalogue) -> str:
        board = self._screen.state.board if self._screen.state is not None else None
        waiting = {row.service: row.waiting for row in board.services} if board is not None else {}
        services = [s for s in catalogue.services if s.group == self._group]
        tiles = "".join(
            f'<button class="tile" data-act="kiosk.service" data-arg="{esc(s.service)}"'
            f"{'' if s.open else ' disabled'}><b>{esc(words.local(s.name))}</b><span>"
            + esc(
                words("kiosk_waiting", count=waiting.get(s.service, 0)) if s.open else words("kiosk_closed")
            )
            + "</span></button>"
            for s in services
        )
        shape = "tiles one" if len(services) < 3 else "tiles"
        return self._ask(words, "kiosk_choose_service") + f'<div class="{shape}">{tiles}</div>'

    def _ask(self, words: Words, key: str) -> str:
        return (
            f'<div class="ask">{words.html(key)}<button class="back" data-act="kiosk.back">'
            f"‹ {words.html('kiosk_back')}</button></div>"
        )

    def _confirm_page(self, words: Words, catalogue: Catalogue, service: CatalogueService) -> str:
        choices = [("", words("kiosk_no_priority"))]
        choices += [(p.priority, words.local(p.name)) for p in catalogue.priorities]
        chips = "".join(
            f'<button class="prio{" on" if (self._priority or "") == id else ""}" '
            f'data-act="kiosk.priority" data-arg="{esc(id)}">{esc(name)}</button>'
            for id, name in choices
        )
        counters = "、".join(words.local(name) for name in service.counters)
        return (
            self._ask(words, "kiosk_confirm")
            + f'<div class="chosen"><b>{esc(words.local(service.name))}</b><span>{esc(counters)}</span></div>'
            + f'<div class="less">{words.html("kiosk_priority")}</div><div class="prios">{chips}</div>'
            + f'<button class="confirm" data-act="kiosk.take">{words.html("kiosk_take")}</button>'
        )

    def _progress_page(self, words: Words) -> str:
        progress = self._progress()
        if progress is None or progress.stage == "requested":
            return _say(words("kiosk_requested"), words("kiosk_moment"), spin=True)
        number = f'<div class="big num">{esc(progress.number or "")}</div>'
        if progress.stage == "printing":
            return f'<div class="words">{number}<div class="say">{words.html("kiosk_printing")}</div></div>'
        home = f'<button class="prio" data-act="kiosk.home">{words.html("kiosk_done")}</button>'
        if progress.stage == "done":
            ahead = progress.waiting_ahead
            less = words("kiosk_ahead", count=ahead) if ahead is not None else ""
            if progress.offline:
                less = words("kiosk_issued_offline")
            if progress.paper == "unknown":
                again = (
                    f'<button class="prio on" data-act="kiosk.reprint">{words.html("kiosk_reprint")}</button>'
                )
                said = f'<div class="say">{words.html("kiosk_paper_unknown")}</div>'
                return f'<div class="words">{number}{said}<div class="prios">{again}{home}</div></div>'
            said = (
                f'<div class="say">{words.html("kiosk_take_paper")}</div><div class="less">{esc(less)}</div>'
            )
            return f'<div class="words">{number}{said}{home}</div>'
        return (
            f'<div class="words bad"><div class="say">{words.html(f"kiosk_{progress.stage}")}</div>'
            f'<div class="less">{esc(words.code(progress.code))}</div>{home}</div>'
        )


def _say(big: str, less: str, *, spin: bool = False) -> str:
    turning = '<div class="spin"></div>' if spin else ""
    said = f'<div class="say">{esc(big)}</div><div class="less">{esc(less)}</div>'
    return f'<div class="words">{turning}{said}</div>'


def _service(catalogue: Catalogue, id: str | None) -> CatalogueService | None:
    return next((s for s in catalogue.services if s.service == id), None)
