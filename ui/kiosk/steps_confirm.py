"""One service before the number is taken: its queue, its place, the priority; or why it cannot be had now."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING

from ui.elements import Element, Text, column, row
from ui.kiosk.pager import Pager
from ui.kiosk.parts import GAP, ask, fact, fitting, least, listed, shares, tile, told, told_with
from ui.kiosk.services import (
    CODES,
    Offer,
    begins_words,
    card_works,
    hours_words,
    offer,
    place_words,
    priority_of,
    queue_words,
    service_of,
    so_and_do,
    wait_words,
)
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_guides import GuidesStep
from ui.kiosk.steps_ticket import take
from ui.widgets import button, rest
from wire.messages import PriorityClass
from wire.screen_link import CardShown, LinkMessage

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class ConfirmStep(Step):
    """`priority`: what the citizen chose; None: what the card offers, unless it was declined."""

    name = "confirm"

    def __init__(self, service: str) -> None:
        self.service = service
        self.priority: str | None = None
        self.declined = False

    def priority_now(self, kiosk: Kiosk) -> PriorityClass | None:
        return priority_of(kiosk, self.priority or (None if self.declined else kiosk.offered))

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        service = service_of(kiosk, self.service)
        if service is None:
            return self._told(kiosk, room, *so_and_do(kiosk, "ticket.service_unknown"))
        one = offer(kiosk, service)
        if one.why:
            so, do = so_and_do(kiosk, CODES[one.why])
            if one.why in ("closed", "out_of_hours"):
                more = (hours_words(kiosk, () if one.again else one.hours), begins_words(kiosk, one))
                do = "\n".join(part for part in (*more, do) if part)
            return self._told(kiosk, room, so, do, kiosk.local(service.name))
        return self._asked(kiosk, room, one)

    def _told(self, kiosk: Kiosk, room: Room, so: str, do: str, name: str = "") -> Element:
        buttons = [ask(kiosk, "other_service", "other", main=True)]
        if self._has_guides(kiosk):
            buttons.append(ask(kiosk, "guides", "guides"))
        return told_with(room, "clock", so, do, *buttons, above=name)

    def _asked(self, kiosk: Kiosk, room: Room, one: Offer) -> Element:
        wide, gap = (room.wide, 3.0) if room.tall else ((room.wide - 3.0) * 1.7 / 2.7, GAP)
        buttons = self._buttons(kiosk, room, room.wide if room.tall else room.wide - wide - 3.0)
        low = 18.0 + (len(buttons) - 1) * (max(12.0, 8.5 * room.scale) + 2.5) if room.tall else 0.0
        head: list[Element] = [Text(kiosk.local(one.service.name), "title", strong=True)]
        head += self._facts(kiosk, one)
        left = room.high - low - gap - fsum(room.height_of(least(e), wide) + gap for e in head)
        lines = self._more(kiosk, one)
        if left < 0:
            head = [Text(kiosk.local(one.service.name), "large", strong=True)]
            lines = [Text(words, "large")] if (words := queue_words(kiosk, one)) else []
            left = room.high - low - gap - room.height_of(least(head[0]), wide) - gap
        more = fitting(room, lines, wide, left, gap, 0)
        told_of = column(*head, *more, rest(), gap=gap)
        if room.tall:
            return shares((told_of, room.high - low - gap), (column(*buttons, gap=2.5), low))
        return row(replace(told_of, grow=1.7), column(*buttons, gap=GAP, grow=1.0), gap=3.0, grow=1.0)

    def _facts(self, kiosk: Kiosk, one: Offer) -> list[Element]:
        """How many and how long; nothing where it is not known."""
        facts = []
        if one.waiting is not None:
            facts.append(fact(kiosk.text("people_waiting"), kiosk.text("people", count=one.waiting)))
        if words := wait_words(kiosk, one.wait_min):
            facts.append(fact(kiosk.text("expected_wait"), words, grow=1.5))
        return [row(*facts, gap=GAP)] if facts else []

    def _more(self, kiosk: Kiosk, one: Offer) -> list[Text]:
        """Where it is, and the priority; the more important first."""
        parts: list[Text] = []
        if (priority := self.priority_now(kiosk)) is not None:
            words = kiosk.text("with_priority", priority=kiosk.local(priority.name))
            parts.append(Text(words, "large", "good"))
        where, how = place_words(kiosk, one.service)
        if where:
            parts.append(Text(kiosk.text("place", place=where), "large"))
        if how:
            parts.append(Text(how, "large", "soft"))
        return parts

    def _buttons(self, kiosk: Kiosk, room: Room, wide: float) -> list[Element]:
        """Keys of `wide` units: to take the number, and what can be done before."""
        high, low = max(room.target, 22.0), max(room.target, 12.0)
        take = kiosk.text("take")
        longest = least(Text(max(take.split(), key=len), "number", strong=True))
        whole = room.height_of(longest, wide - 4.0) <= room.height_of(longest)
        size = "number" if room.high > 55.0 and room.scale == 1.0 and whole else "title"
        parts = [
            column(
                Text(take, size, "accent_ink", align="center", strong=True, least="large"),
                fill="accent", pad=(2.0, 1.0), justify="center", touch="take", grow=2.0, height=high,
            )
        ]  # fmt: skip
        if _choosable(kiosk):
            key = "change_priority" if self.priority_now(kiosk) is not None else "ask_priority"
            parts.append(button(kiosk.text(key), "priority", grow=1.0, height=low))
        if self._has_guides(kiosk):
            parts.append(button(kiosk.text("what_to_bring"), "guides", grow=1.0, height=low))
        return list(parts)

    def _has_guides(self, kiosk: Kiosk) -> bool:
        return any(self.service in guide.services for guide in kiosk.guides)

    def speech(self, kiosk: Kiosk) -> str:
        service = service_of(kiosk, self.service)
        if service is None:
            return "\n".join(so_and_do(kiosk, "ticket.service_unknown"))
        one = offer(kiosk, service)
        parts = [kiosk.local(service.name)]
        if one.why:
            parts += so_and_do(kiosk, CODES[one.why])
        else:
            if one.waiting is not None:
                parts.append(kiosk.text("waiting", count=one.waiting))
            parts += [
                wait_words(kiosk, one.wait_min),
                *place_words(kiosk, service),
                kiosk.text("confirm_speech"),
            ]
        return "\n".join(part for part in parts if part)

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        service = service_of(kiosk, self.service)
        if action == "take" and service is not None and not offer(kiosk, service).why:
            priority = self.priority_now(kiosk)
            take(kiosk, now, self.service, priority.priority if priority is not None else None)
        elif action == "priority" and _choosable(kiosk):
            kiosk.go(PriorityStep(self), now)
        elif action == "guides":
            kiosk.go(GuidesStep(self.service), now)
        elif action == "other":
            kiosk.back(now)

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if isinstance(message, CardShown) and message.priority is not None:
            self.declined = False
        return isinstance(message, CardShown)


def _choosable(kiosk: Kiosk) -> tuple[PriorityClass, ...]:
    """Classes that a kiosk offers."""
    priorities = kiosk.catalogue.priorities if kiosk.catalogue is not None else ()
    return tuple(one for one in priorities if one.offered)


class PriorityStep(Step):
    """Which priority? Some need a card that shows the age: `wanted` waits for it."""

    def __init__(self, confirm: ConfirmStep) -> None:
        self._confirm = confirm
        self._pager = Pager()
        self.wanted: str | None = None

    @property
    def name(self) -> str:  # type: ignore[override]
        return "priority-card" if self.wanted is not None else "priority"

    def back(self, kiosk: Kiosk, now: float) -> bool:
        wanted, self.wanted = self.wanted, None
        return wanted is not None

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        if self.wanted is not None:
            words = kiosk.text("lay_card_now" if card_works(kiosk) else "card_reader_away")
            return told(room, "card", words, kiosk.text("lay_card_why"))
        cells = [
            tile(kiosk.local(one.name), self._under(kiosk, one), f"class:{one.priority}")
            for one in _choosable(kiosk)
        ]
        cells.append(tile(kiosk.text("no_priority"), "", "none"))
        return listed(kiosk, room, kiosk.text("choose_priority"), cells, self._pager)

    def _under(self, kiosk: Kiosk, one: PriorityClass) -> str:
        if kiosk.offered == one.priority:
            return kiosk.text("card_shows")
        return kiosk.text("needs_card") if one.needs_card else ""

    def speech(self, kiosk: Kiosk) -> str:
        return kiosk.text("lay_card_now" if self.wanted is not None else "choose_priority")

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        what, _, which = action.partition(":")
        if self._pager.touched(action):
            return
        if action == "none":
            self._confirm.priority, self._confirm.declined, self.wanted = None, True, None
            kiosk.back(now)
        elif what == "class":
            one = next((one for one in _choosable(kiosk) if one.priority == which), None)
            if one is not None and one.needs_card and kiosk.offered != which:
                self._want(kiosk, which, now)
            elif one is not None:
                self._choose(kiosk, which, now)

    def _want(self, kiosk: Kiosk, priority: str, now: float) -> None:
        """A card that shows the age; one that lies there already does not."""
        if kiosk.card is not None:
            kiosk.tell(kiosk.text("card_shows_none"), now)
        else:
            self.wanted = priority

    def _choose(self, kiosk: Kiosk, priority: str, now: float) -> None:
        self._confirm.priority, self._confirm.declined, self.wanted = priority, False, None
        kiosk.back(now)

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if not isinstance(message, CardShown):
            return False
        if message.lay_again:
            return True
        if message.priority is not None and self.wanted in (None, message.priority):
            self._choose(kiosk, message.priority, now)
        elif self.wanted is not None:
            self.wanted = None
            kiosk.tell(kiosk.text("card_shows_none"), now)
        return True
