"""The rating panel's pages."""

from __future__ import annotations

from typing import Final

from ui.elements import Art, Box, Element, Gap, Page, Text, column, grid, row
from ui.ems import LEADING, size_for
from ui.rating.flow import Flow
from ui.screen import Screen
from ui.widgets import button
from wire.messages import CounterState
from wire.texts import local, text

GRADES: Final = (5, 4, 3, 2, 1)
"""非常满意 first."""
PAD: Final = 3.0
HEAD: Final = 13.0
BAR: Final = 1.6
QR: Final = 30.0
GAP: Final = 1.6
REST: Final = 18.8
"""Height of what stands with the reasons: question, gaps and edges."""


def rating_page(
    flow: Flow, counter: CounterState | None, photo: str | None, language: str, screen: Screen, now: float
) -> Page:
    """What stands now; never blank."""
    stand = flow.stand(now)
    made = _Picture(flow, counter, photo, language, screen)
    if stand == "ask":
        body: Element = made.ask(now)
    elif stand == "why":
        body = made.why(now)
    elif stand == "thanks":
        body = made.thanks(now)
    elif stand == "paused":
        body = made.quiet("rating.paused", "rating.paused_do")
    elif stand == "idle":
        body = made.idle()
    else:
        body = made.quiet("rating.away", None)
    return Page(f"rating_{stand}", body, language)


def _target(screen: Screen) -> float:
    """The least target in units, with a little room."""
    return screen.from_mm(15.0) / screen.unit + 0.4


def _grid_of(screen: Screen, reasons: int) -> tuple[int, int]:
    """Columns and rows of so many reasons on a page."""
    target = _target(screen)
    room = screen.height / screen.unit - _head_height(screen) - BAR - target - REST
    if screen.portrait:
        room -= QR + 9.0
    rows = int((room + GAP) / (max(target, 15.0) + GAP))
    return (2 if screen.portrait or reasons in (2, 4) else 3), max(1, min(4, rows))


def _head_height(screen: Screen) -> float:
    return max(HEAD, _target(screen) + 2.0)


def reasons_a_page(screen: Screen, reasons: int) -> int:
    """How many of the reasons stand on one page."""
    columns, rows = _grid_of(screen, reasons)
    return columns * rows


class _Picture:
    def __init__(
        self, flow: Flow, counter: CounterState | None, photo: str | None, language: str, screen: Screen
    ) -> None:
        self.flow = flow
        self.counter = counter
        self.photo = photo
        self.language = language
        self.screen = screen
        self.wide = screen.width / screen.unit
        self.high = screen.height / screen.unit
        self.target = _target(screen)

    def _text(self, key: str, **values: object) -> str:
        return text(key, self.language, **values)

    # ---------------------------------------------------------------- the pages

    def idle(self) -> Box:
        """Whose counter it is, and that a rating is wanted at the end."""
        words: list[Element] = [
            Text(self._text("rating.idle"), 8.6, "ink", "center", least=4.6, strong=True),
            Text(self._text("rating.idle_do"), 5.0, "soft", "center", least=3.6),
        ]
        faces = row(
            *(Box((Art("face", 11.0, 11.0, "accent", (grade,)),), width=11.0) for grade in GRADES),
            gap=3.0, justify="center",
        )  # fmt: skip
        said = column(*words, Gap(2.0), faces, gap=2.0, justify="center", grow=1.4)
        clerk = self._clerk()
        body = said if clerk is None else self._beside(clerk, said, gap=4.0)
        return column(self._head(toggle=False), Box((body,), pad=PAD + 1.0, grow=1.0))

    def _beside(self, first: Element, second: Element, gap: float, aside: float = 0.0) -> Box:
        """Side by side, or one below the other on a standing screen. `aside`: units of the second's width."""
        if self.screen.portrait:
            return column(first, second, gap=gap, grow=1.0)
        if aside:
            left = self.wide - 2 * PAD - gap - aside
            return row(Box((first,), grow=left), Box((second,), grow=aside), gap=gap, grow=1.0)
        return row(first, second, gap=gap, grow=1.0)

    def quiet(self, key: str, below: str | None) -> Box:
        """A page on which nothing can be done."""
        large = self._text(key)
        size = size_for([large], self.wide - 2 * PAD - 1.0, 9.0, 6.0)
        words: list[Element] = [Text(large, size, "ink", "center", least=4.6)]
        if below is not None:
            words.append(Text(self._text(below), 5.4, "soft", "center", least=3.6))
        return column(self._head(toggle=False), column(*words, gap=3.0, pad=PAD, justify="center", grow=1.0))

    def ask(self, now: float) -> Box:
        """Five grades, all alike."""
        prompt = self.flow.prompt
        assert prompt is not None
        told = self._told()
        title = Text(self._text("rating.ask"), 7.2, "ink", "center", lines=1, least=4.6, strong=True)
        number = self._text("rating.number", number=prompt.number)
        about = f"{number}  {local(prompt.service_name, self.language)}"
        cells = [self._grade(grade) for grade in GRADES]
        columns = 1 if self.screen.portrait else len(GRADES)
        return column(
            self._head(toggle=True),
            column(
                told or title,
                Text(about, 4.8, "soft", "center", least=3.2),
                grid(cells, columns, gap=GAP, grow=1.0),
                gap=GAP, pad=(PAD, 2.0), grow=1.0,
            ),
            self._bar(now),
        )  # fmt: skip

    def _grade(self, grade: int) -> Box:
        chosen = self.flow.sent_grade == grade
        ink, fill = ("accent_ink", "accent") if chosen else ("ink", "surface")
        words = self._text(f"grade.{grade}")
        off = self.flow.sending
        if self.screen.portrait:
            return row(
                Art("face", 17.0, 17.0, ink, (grade,)),
                column(Text(words, 7.2, ink, least=4.2), grow=1.0, justify="center"),
                gap=5.0, pad=(5.0, 1.0), fill=fill, line="line", align="center",
                touch=f"grade:{grade}", label=words, off=off,
            )  # fmt: skip
        size = self._words_size()
        return column(
            Art("face", 20.0, 20.0, ink, (grade,), grow=1.0),
            Box((Text(words, size, ink, "center", least=3.6),), height=size * LEADING * 2),
            gap=1.6, pad=(0.8, 2.0), fill=fill, line="line", touch=f"grade:{grade}", label=words, off=off,
        )  # fmt: skip

    def _words_size(self) -> float:
        """Type of the grades side by side: alike, and no word is torn."""
        room = (self.wide - 2 * PAD - (len(GRADES) - 1) * GAP) / len(GRADES) - 2.6
        return size_for(" ".join(self._text(f"grade.{grade}") for grade in GRADES).split(), room, 5.6, 4.0)

    def why(self, now: float) -> Box:
        """Reasons to choose from; where there is room, a QR code for more (else it stands on the thanks)."""
        flow = self.flow
        grade = flow.grade or 0
        reasons = flow.reasons()
        columns, rows = _grid_of(self.screen, len(reasons))
        each = columns * rows
        key = "rating.why_good" if grade >= 3 else "rating.why_bad"
        given = self._text("rating.given", grade=self._text(f"grade.{grade}"))
        words: list[Element] = [
            Text(given, 4.4, "soft", lines=1, least=3.2),
            self._told() or Text(self._text(key), 5.4, "ink", least=3.6, strong=True),
        ]
        head = row(
            Art("face", 11.0, 11.0, "accent", (max(1, grade),)),
            column(*words, grow=1.0, justify="center"),
            gap=3.0, align="center", height=12.0,
        )  # fmt: skip
        tags = [
            self._reason(reason.reason, local(reason.text, self.language))
            for reason in reasons[flow.first : flow.first + each]
        ]
        pages = -(-len(reasons) // each)
        chooser = grid(tags, columns, gap=GAP, rows=rows if pages > 1 else 0, grow=1.0)
        ask: Element = column(head, chooser, gap=GAP, grow=1.0)
        code = None if self.screen.small else self._code()
        if code is not None:
            ask = self._beside(ask, code, gap=3.0, aside=QR + 6.0)
        return column(
            self._head(toggle=True),
            column(ask, self._buttons(pages, each), gap=GAP, pad=(PAD, 1.6), grow=1.0),
            self._bar(now),
        )

    def _reason(self, reason: str, words: str) -> Box:
        chosen = reason in self.flow.chosen
        ink, fill = ("accent_ink", "accent") if chosen else ("ink", "surface")
        return row(
            Art("check_box", 5.4, 5.4, ink, (chosen,)),
            column(Text(words, 4.8, ink, least=3.4), grow=1.0, justify="center"),
            gap=1.6, pad=(2.0, 0.8), fill=fill, line="line", align="center",
            touch=f"reason:{reason}", label=words, off=self.flow.sending,
        )  # fmt: skip

    def _buttons(self, pages: int, each: int) -> Box:
        off, high = self.flow.sending, self.target
        skip = button(self._text("rating.skip"), "skip", grow=1.0, height=high, off=off)
        none = off or not self.flow.chosen
        send = button(self._text("rating.submit"), "submit", kind="main", grow=1.0, height=high, off=none)
        if pages <= 1:
            return row(skip, send, gap=2.0)
        words = self._text("rating.more", page=self.flow.first // each + 1, pages=pages)
        return row(skip, button(words, "more", grow=1.0, height=high), send, gap=2.0)

    def thanks(self, now: float) -> Box:
        grade = self.flow.grade or 0
        given = self._text("rating.given", grade=self._text(f"grade.{grade}"))
        do = "rating.thanks_do" if grade >= 3 else "rating.thanks_bad"
        words = column(
            Art("tick", 20.0, 20.0, "good"),
            Text(self._text("rating.thanks"), 9.0, "ink", "center", least=4.6, strong=True),
            Text(given, 5.4, "ink", "center", least=3.6),
            Text(self._text(do), 5.0, "soft", "center", least=3.6),
            gap=2.0, justify="center", grow=1.0,
        )  # fmt: skip
        code = self._code()
        body = words if code is None else self._beside(words, code, gap=4.0, aside=QR + 12.0)
        return column(self._head(toggle=False), Box((body,), pad=PAD, grow=1.0), self._bar(now))

    # ---------------------------------------------------------------- parts

    def _head(self, *, toggle: bool) -> Box:
        """The counter, and the other language for the citizen."""
        name = local(self.counter.name, self.language) if self.counter is not None else ""
        parts: list[Element] = [Gap(grow=1.0)]
        if name:
            parts = [Text(name, 6.6, "accent_ink", lines=1, least=3.6, grow=1.0)]
        if toggle:
            words = self._text("rating.other_language")
            switch = Text(words, 4.6, "accent_ink", "center", lines=1, least=3.6)
            parts.append(
                Box(
                    (switch,),
                    pad=(3.0, 0.0),
                    fill="accent",
                    line="accent_ink",
                    width=self.target + 8.0,
                    touch="language",
                    label=words,
                    justify="center",
                )
            )
        high = _head_height(self.screen)
        return row(*parts, gap=3.0, pad=(PAD, 1.0), height=high, fill="accent", radius=0, align="center")

    def _told(self) -> Element | None:
        """That it is being kept, or could not be; stands where the question stood."""
        if not (self.flow.sending or self.flow.again):
            return None
        key, fill, ink = "rating.again", "warn", "warn_ink"
        if self.flow.sending:
            key, fill, ink = "rating.sending", "surface", "ink"
        words = Text(self._text(key), 5.2, ink, "center", lines=1, least=3.4)
        return Box((words,), pad=(2.0, 0.6), fill=fill, name="told")

    def _bar(self, now: float) -> Element:
        """The time that is left: a thin line, once a second shorter."""
        left = self.flow.left(now)
        parts: list[Element] = []
        if left > 0.0:
            parts.append(Box(fill="soft", radius=0, height=BAR, grow=left))
        if left < 1.0:
            parts.append(Box(fill="line", radius=0, height=BAR, grow=1.0 - left))
        return row(*parts, height=BAR, name="bar")

    def _code(self) -> Element | None:
        """Where a text can be written, on the citizen's own phone."""
        prompt = self.flow.prompt
        if prompt is None or not prompt.url:
            return None
        code = Art("qr", QR, QR, args=(prompt.url,))
        words = self._text("rating.phone")
        if self.screen.portrait:
            said = column(Text(words, 5.4, "ink", least=3.6), grow=1.0, justify="center")
            return row(code, said, gap=3.0, align="center")
        return column(
            code, Text(words, 4.2, "ink", "center", least=3.4),
            gap=GAP, justify="center", align="center", grow=1.0,
        )  # fmt: skip

    def _clerk(self) -> Element | None:
        """Photo, name and number of who sits there."""
        clerk = self.counter.clerk if self.counter is not None else None
        if clerk is None:
            return None
        words: list[Element] = []
        if name := local(clerk.name, self.language):
            words.append(Text(name, 6.6, "ink", "center", lines=1, least=4.0, strong=True))
        number = self._text("rating.clerk", number=clerk.number)
        words.append(Text(number, 5.0, "soft" if name else "ink", "center", lines=1, least=3.4))
        picture = (
            Art("file", 36.0, 48.0, args=(self.photo,), grow=1.0)
            if self.photo is not None
            else Art("person", 28.0, 28.0, "soft", grow=1.0)
        )
        return column(picture, *words, gap=1.2, pad=2.0, fill="surface", line="line", grow=0.7, name="clerk")
