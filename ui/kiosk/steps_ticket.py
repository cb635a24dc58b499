"""From the tap to the paper in the hand, or to the number on the screen.

One step has one request: however often it is touched, and also when the agent was away meanwhile, the same
request is said again and gives the same number. Another number has another request, and only a citizen who
asks for it gets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from ui.elements import Element
from ui.kiosk.parts import ask, told, told_with
from ui.kiosk.services import can_print, so_and_do
from ui.kiosk.step import Room, Step
from ui.kiosk.ticket_page import headline, number_page, number_words
from ui.program import NEVER
from wire.screen_link import (
    CardGone,
    CardShown,
    CodeScanned,
    KioskState,
    LinkMessage,
    NumberSeen,
    ReprintTicket,
    TakeAppointment,
    TakeTicket,
    TicketProgress,
)

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

Wish: TypeAlias = TakeTicket | TakeAppointment

STUCK_S: Final = 30.0
"""Nothing was heard of a request for so long: the page says so and lets the citizen go."""
TAKE_S: Final = 20.0
"""So long a paper that is out is spoken of."""
TAKEN_S: Final = 6.0
PHOTO_S: Final = 80.0
"""So long a number that is only on the screen stays: a telephone has to be found first."""
READ_S: Final = 45.0
NEW_CARD_S: Final = 5.0
"""A card that comes so soon after the end is the same citizen's, who moved it."""

_OTHER: Final = frozenset(
    {
        "ticket.service_closed",
        "ticket.service_unknown",
        "ticket.out_of_hours",
        "ticket.quota_reached",
        "ticket.priority_unknown",
        "appointment.none",
        "appointment.too_late",
        "appointment.offline",
    }
)
"""After these another service, or a number without the appointment, may be had."""
_AGAIN: Final = frozenset(
    {"kiosk.busy", "ticket.request_late", "ticket.not_shown", "ticket.too_late", "appointment.printing"}
)
"""After these the same wish may succeed."""
_TYPE_AGAIN: Final = frozenset({"appointment.none", "appointment.lay_again"})


def take(kiosk: Kiosk, now: float, service: str, priority: str | None) -> None:
    """A number for a service."""
    catalogue = kiosk.catalogue
    by_name = catalogue is not None and catalogue.call_by_name
    wish = TakeTicket(
        request=kiosk.new_request(),
        service=service,
        priority=priority,
        language=kiosk.language,
        card=kiosk.handle(now) if by_name else None,
    )
    _begin(kiosk, wish, now)


def check_in(kiosk: Kiosk, now: float, *, handle: str | None = None, code: str | None = None) -> None:
    """The number of an appointment, by a card or code that was shown or by a code that was typed."""
    wish = TakeAppointment(
        request=kiosk.new_request(),
        handle=handle,
        code=code if handle is None else None,
        language=kiosk.language,
    )
    _begin(kiosk, wish, now)


def _begin(kiosk: Kiosk, wish: Wish, now: float) -> None:
    kiosk.go(TicketStep(wish, wish.request) if can_print(kiosk) else PaperlessStep(wish), now)


class PaperlessStep(Step):
    """The printer cannot print: is a number on the screen enough?"""

    name = "paperless"
    to_number = False

    def __init__(self, wish: Wish) -> None:
        self._wish = wish

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        buttons = (ask(kiosk, "take_on_screen", "agree", main=True), ask(kiosk, "do_not_take", "no"))
        return told_with(room, "phone", kiosk.text("no_paper"), kiosk.text("no_paper_what"), *buttons)

    def speech(self, kiosk: Kiosk) -> str:
        return f"{kiosk.text('no_paper')}\n{kiosk.text('no_paper_what')}"

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "agree":
            wish = msgspec.structs.replace(self._wish, paperless=True, language=kiosk.language)
            kiosk.swap(TicketStep(wish, wish.request), now)
        elif action == "no":
            kiosk.home(now)


class TicketStep(Step):
    """`wish` None: it was said by a process before this one, and only its progress is known."""

    warns = "foot"
    to_number = False
    stays = True
    can_back = can_home = False

    def __init__(self, wish: Wish | None, request: str) -> None:
        self.wish = wish
        self.request = request
        self.progress: TicketProgress | None = None
        self.reprinting = False
        self.stuck = False
        self._said = False
        self._seen = False
        self._lost = False
        self._heard_at = 0.0
        self._ended_at: float | None = None
        self.idle_s: float | None = None

    @property
    def name(self) -> str:  # type: ignore[override]
        stage = self.progress.stage if self.progress is not None else "requested"
        return f"ticket-{stage}"

    @property
    def ended(self) -> bool:
        """Nothing more is under way."""
        return self._ended_at is not None

    @property
    def under_way(self) -> bool:
        return not self.ended and not self.stuck

    @property
    def service(self) -> str | None:
        if isinstance(self.wish, TakeTicket):
            return self.wish.service
        return self.progress.service if self.progress is not None else None

    # ---------------------------------------------------------------- with the agent

    def entered(self, kiosk: Kiosk, now: float) -> None:
        if not self._said:
            self._said = True
            self._heard_at = now  # not again when it is said again: an agent that comes and goes is no answer
            self._ask(kiosk)

    def _ask(self, kiosk: Kiosk) -> None:
        if self.wish is not None:
            self._lost = not kiosk.say(self.wish)

    def lost(self, kiosk: Kiosk, now: float) -> None:
        self._lost, self._seen = True, False

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if isinstance(message, KioskState):
            if self._lost and not self.ended:
                self._lost = False
                self._ask(kiosk)
            return False
        if isinstance(message, CardShown | CodeScanned):
            return self._keeps_card_away(kiosk, message, now)
        if isinstance(message, CardGone):
            return True
        if isinstance(message, TicketProgress) and message.request == self.request:
            self._go_on(kiosk, message, now)
            return True
        return False

    def _keeps_card_away(self, kiosk: Kiosk, message: CardShown | CodeScanned, now: float) -> bool:
        """Whether a card now is still this citizen's; after the end it is the next one's."""
        on_screen = self.progress is not None and self.progress.paperless
        if self._ended_at is None or on_screen or now - self._ended_at < NEW_CARD_S:
            return True
        kiosk.rest(now)
        if isinstance(message, CardShown) and not message.lay_again:
            kiosk.welcome(message)
        return False

    def _go_on(self, kiosk: Kiosk, progress: TicketProgress, now: float) -> None:
        before, self.progress = self.progress, progress
        self._lost = self.stuck = False
        if progress.stage != "requested" and (before is None or before.stage != progress.stage):
            kiosk.uncover(self, now)
        self._heard_at = now
        if progress.stage in ("requested", "printing"):
            self._ended_at, self.idle_s = None, None
            self.reprinting &= progress.stage == "printing"
            return
        self.reprinting = False
        if not self.ended:
            kiosk.sound("ok" if progress.stage == "done" else "error")
        self._ended_at = now
        self.idle_s = self._stay_s(progress)
        kiosk.alive(now)

    def _stay_s(self, progress: TicketProgress) -> float:
        if progress.stage != "done" or progress.paper != "confirmed" or progress.outlet == "retracted":
            return READ_S
        if progress.paperless:
            return PHOTO_S
        return TAKEN_S if progress.outlet == "taken" else TAKE_S

    def due(self, now: float) -> float:
        return NEVER if self.ended or self.stuck else self._heard_at + STUCK_S

    def tick(self, kiosk: Kiosk, now: float) -> None:
        self.stuck, self.idle_s = True, READ_S
        self.reprinting = False
        kiosk.alive(now)

    def shown(self, kiosk: Kiosk, now: float) -> None:
        progress = self.progress
        if progress is None or self._seen or not progress.paperless or progress.stage != "printing":
            return
        self._seen = kiosk.say(NumberSeen(request=self.request))

    # ---------------------------------------------------------------- with the citizen

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        progress = self.progress
        if action == "finish" and (self.ended or self.stuck):
            kiosk.rest(now)
        elif action == "reprint" and self.may_reprint:
            assert progress is not None and progress.ticket is not None
            if kiosk.say(ReprintTicket(ticket=progress.ticket)):
                self.reprinting, self._ended_at, self.idle_s, self._heard_at = True, None, None, now
        elif action in ("again", "paperless") and self.ended:
            self._once_more(kiosk, now, paperless=action == "paperless")
        elif action == "other" and self.ended:
            kiosk.home(now)
        elif action == "retype" and self.ended:
            from ui.kiosk.steps_checkin import again

            again(kiosk, self.wish.code if isinstance(self.wish, TakeAppointment) else None, now)

    def _once_more(self, kiosk: Kiosk, now: float, paperless: bool) -> None:
        """Another request for the same; `paperless`: the citizen has just agreed to that."""
        if self.wish is None:
            kiosk.home(now)
            return
        wish = msgspec.structs.replace(self.wish, request=kiosk.new_request(), paperless=paperless)
        agreed = paperless or can_print(kiosk)
        kiosk.swap(TicketStep(wish, wish.request) if agreed else PaperlessStep(wish), now)

    @property
    def may_reprint(self) -> bool:
        """The same number once more: nobody knows of its paper, or the printer took it back."""
        progress = self.progress
        if progress is None or progress.ticket is None or progress.stage != "done":
            return False
        if progress.paperless or self.reprinting:
            return False
        return progress.paper == "unknown" or progress.outlet == "retracted"

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        progress = self.progress
        if progress is not None and progress.number is not None and progress.stage in ("printing", "done"):
            return number_page(kiosk, room, self, progress)
        if progress is not None and progress.stage in ("failed", "refused"):
            return self._no_number(kiosk, room, progress)
        over = self.stuck or self.ended
        words = "stuck" if over else "asking_lost" if self._lost else "asking"
        icon = "warning" if over else "clock"
        so, do = kiosk.text(words), kiosk.text(f"{words}_what")
        if not over:
            return told(room, icon, so, do)
        return told_with(room, icon, so, do, ask(kiosk, "leave", "finish", main=True))

    def _no_number(self, kiosk: Kiosk, room: Room, progress: TicketProgress) -> Element:
        so, do = self._why(kiosk, progress)
        actions = self._ways_on(kiosk, progress)
        buttons = [ask(kiosk, name, action, main=n == 0) for n, (name, action) in enumerate(actions)]
        return told_with(room, "warning", so, do, *buttons)

    def _why(self, kiosk: Kiosk, progress: TicketProgress) -> tuple[str, str]:
        code = progress.code or "kiosk.printer_away"
        so, do = so_and_do(kiosk, code, **progress.facts)
        if progress.stage == "failed":
            return kiosk.text("no_ticket_came"), kiosk.text("no_ticket_came_what")
        return so, kiosk.text("no_paper_what") if self._no_paper(progress) else do

    def _no_paper(self, progress: TicketProgress) -> bool:
        """Refused because the printer cannot print: the number may stand on the screen."""
        code = progress.code or ""
        return self.wish is not None and (
            code == "kiosk.printer_away" or code.partition(".")[0] in ("printer", "cups")
        )

    def _ways_on(self, kiosk: Kiosk, progress: TicketProgress) -> list[tuple[str, str]]:
        """What can be done after a no, the likeliest first."""
        code = progress.code or ""
        ways = []
        if progress.stage == "failed" or code in _AGAIN:
            ways.append(("try_again", "again"))
        elif self._no_paper(progress):
            ways.append(("take_on_screen", "paperless"))
        if code in _TYPE_AGAIN:
            ways.append(("type_again", "retype"))
        if code in _OTHER:
            name = "take_now" if code.startswith("appointment.") else "other_service"
            ways.append((name, "other"))
        return [*ways, ("leave", "finish")]

    def speech(self, kiosk: Kiosk) -> str:
        progress = self.progress
        if progress is None or progress.stage == "requested":
            return kiosk.text("stuck" if self.stuck else "asking")
        if progress.stage in ("failed", "refused"):
            return "\n".join(self._why(kiosk, progress))
        return "\n".join(part for part in (number_words(kiosk, progress), *headline(kiosk, self)) if part)
