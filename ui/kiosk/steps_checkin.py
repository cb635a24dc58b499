"""Check-in for an appointment: by card, by a code before the scanner, or by a code typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ui.elements import Art, Element, Text, column, growing, row
from ui.kiosk.keyboard import DIGITS, IN_ROW, LETTERS, field, keyboard, typed
from ui.kiosk.parts import GAP
from ui.kiosk.services import SCAN_S, card_works, scanner_works, so_and_do
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_ticket import check_in
from ui.program import NEVER
from ui.widgets import button, rest
from wire.screen_link import CardGone, CardShown, CodeScanned, LinkMessage, ScanWanted

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

CODE_MOST: Final = 24


def begin_check_in(kiosk: Kiosk, now: float) -> None:
    """With the card that lies there already; else the page that asks for one."""
    if kiosk.card is not None and kiosk.card.handle is not None:
        check_in(kiosk, now, handle=kiosk.card.handle)
    else:
        kiosk.go(CheckInStep(), now)


class CheckInStep(Step):
    """Says the ways that this kiosk has, and waits for a card or code."""

    name = "checkin"

    def __init__(self) -> None:
        self._light_until = NEVER

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        ways: list[Element] = []
        if card_works(kiosk):
            ways.append(_way("card", kiosk.text("checkin_card"), room))
        if scanner_works(kiosk):
            ways.append(_way("code", kiosk.text("checkin_code"), room))
        ways.append(_way("keys", kiosk.text("checkin_type"), room, "type"))
        title = Text(kiosk.text("checkin_title"), "title", strong=True)
        if not room.tall:
            return column(title, row(*ways, gap=3.0, grow=1.0), gap=GAP, grow=1.0)
        how = Text(kiosk.text("checkin_how"), "large", "soft")
        hows = [how] if room.scale == 1.0 else []
        return column(title, *hows, column(*ways, gap=3.0, grow=4.0), rest(), gap=2.0, grow=1.0)

    def speech(self, kiosk: Kiosk) -> str:
        return kiosk.text("checkin_speech")

    def entered(self, kiosk: Kiosk, now: float) -> None:
        self._light(kiosk, now)

    def left(self, kiosk: Kiosk, now: float) -> None:
        self._light_until = NEVER
        if scanner_works(kiosk):
            kiosk.say(ScanWanted(wanted=False))

    def due(self, now: float) -> float:
        return self._light_until

    def tick(self, kiosk: Kiosk, now: float) -> None:
        self._light(kiosk, now)

    def _light(self, kiosk: Kiosk, now: float) -> None:
        self._light_until = now + SCAN_S
        if scanner_works(kiosk):
            kiosk.say(ScanWanted(wanted=True))

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "type":
            kiosk.go(CodeStep(), now)

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if isinstance(message, CardGone):
            return True
        if isinstance(message, CardShown):
            return checks_in(kiosk, message, now)
        if isinstance(message, CodeScanned) and message.kind != "ticket" and message.handle is not None:
            check_in(kiosk, now, handle=message.handle)
            return True
        return False


def checks_in(kiosk: Kiosk, card: CardShown, now: float) -> bool:
    """With the card that was laid down."""
    if card.lay_again:
        return True
    if card.handle is None:
        kiosk.tell(" · ".join(so_and_do(kiosk, "scanner.no_key")), now)
    else:
        check_in(kiosk, now, handle=card.handle)
    return True


def _way(icon: str, words: str, room: Room, action: str | None = None) -> Element:
    """One way, told; the one that is touched looks like a key."""
    side = min(12.0 if room.small else 20.0, room.high * (0.1 if room.tall else 0.3))
    fill, ink = ("surface", "ink") if action is None else ("accent", "accent_ink")
    art = Art(icon, side, side, "accent" if action is None else ink)
    if room.tall:
        inside = (art, Text(words, "title", ink, grow=1.0))
        return row(*inside, gap=4.0, pad=(4.0, 1.5), fill=fill, touch=action, grow=1.0, align="center")
    text = Text(words, "large", ink, align="center")
    return column(art, text, gap=1.5, pad=(2.0, 1.5), fill=fill, touch=action, justify="center", grow=1.0)


def again(kiosk: Kiosk, code: str | None, now: float) -> None:
    """After a check-in that found nothing: a `code` that was typed stands there to be put right."""
    kiosk.home(now)
    kiosk.go(CheckInStep(), now)
    if code is not None:
        kiosk.go(CodeStep(code), now)


class CodeStep(Step):
    """The appointment's code, typed. On a small screen letters and digits take turns."""

    name = "checkin-code"

    def __init__(self, code: str = "") -> None:
        self.code = code
        self.letters = False

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        whole = DIGITS + LETTERS
        high = max(room.target + 0.4, 7.5 * room.scale, 11.0 if room.tall or room.high > 60.0 else 0.0)
        left = room.high - high - GAP
        head: list[Element] = []
        columns = room.fit(room.target, 1.0, room.wide)
        rows = -(-(len(whole) + 1) // columns)
        both = rows * (room.target + 1.0) - 1.0 <= left
        line: list[Element] = [field(kiosk, self.code, kiosk.text("type_code"), room)]
        if both:
            keys, title = whole, 9.0 * room.scale
            if left - title - GAP >= rows * (room.target * 1.2 + 1.0):
                left -= title + GAP
                head.append(Text(kiosk.text("type_code"), "title", strong=True, lines=1, grow=title))
        else:
            keys = LETTERS if self.letters else DIGITS
            other = "123" if self.letters else "ABC"
            line.append(button(other, "other", width=max(room.target, 16.0)))
        wide = 24.0 * room.scale
        line.append(button(kiosk.text("sure"), "take", kind="main", off=not self.code, width=wide))
        if not room.tall:
            keys_box = column(
                keyboard(kiosk, room, keys, left), justify="start" if room.small else "end", grow=left
            )
            return column(*head, row(*line, gap=GAP, grow=high), keys_box, gap=GAP, grow=1.0)
        # On an upright screen all that is touched lies together at the bottom, where the hand is.
        large = keyboard(
            kiosk, room, keys, min(left, -(-(len(keys) + 1) // IN_ROW) * (room.target * 2.0 + 1.0)), 2.0
        )
        low = min(left, room.height_of(large))
        spare = max(0.1, left - low - GAP)
        return column(
            rest(spare), *head, row(*line, gap=GAP, grow=high), growing(large, low), gap=GAP, grow=1.0
        )

    def speech(self, kiosk: Kiosk) -> str:
        return kiosk.text("type_code")

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "take" and self.code:
            check_in(kiosk, now, code=self.code)
        elif action == "other":
            self.letters = not self.letters
        else:
            self._type(action)

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        return self._type(key)

    def _type(self, key: str) -> bool:
        code = typed(self.code, key, CODE_MOST)
        if code is None:
            return False
        self.code = code
        return True

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        return isinstance(message, CardShown) and checks_in(kiosk, message, now)
