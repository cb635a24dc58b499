"""Every page of the rating panel, brought about by messages and touches alone."""

from __future__ import annotations

from collections.abc import Callable

from pages_counter import CLERK, LONG_NAME, NUMBER_ONLY, counter, photo

from ui.rating.program import RatingPanel
from wire.messages import PromptRating
from wire.screen_link import CounterShown, LinkMessage, RatingShown
from wire.shown import RatingReason, RatingReasons

START = 1000.0
SERVICE = {"zh-CN": "社保登记", "en": "Social insurance"}
LONG_SERVICE = {
    "zh-CN": "机关事业单位工作人员基本养老保险关系转移接续",
    "en": "Transfer of the basic pension insurance of staff of government bodies and institutions",
}
URL = "https://zwfw.qinghe.example.cn/r/8f3a61c2"
TEXTS = (
    ("attitude-good", "态度热情", "Friendly", (5, 4, 3)),
    ("quick", "办事效率高", "Quick", (5, 4, 3)),
    ("clear", "一次性告知清楚", "Explained all at once", (5, 4, 3)),
    ("skilled", "业务熟练", "Knows the matter", (5, 4, 3)),
    ("attitude-bad", "服务态度不好", "Unfriendly", (1, 2)),
    ("slow", "等候或办理时间太长", "Waited too long", (1, 2)),
    ("unclear", "没有一次性告知所需材料", "Was not told at once what to bring", (1, 2)),
    ("refused", "要求提供规定以外的证明材料", "Papers beyond the rules were demanded", (1, 2)),
    ("absent", "工作人员不在岗", "Nobody at the counter", (1, 2)),
    ("guide", "办事指南与实际不一致", "Guide differs from practice", (1, 2)),
    ("system", "系统或设备故障", "System or device failed", (1, 2)),
    ("repeat", "同一事项跑了多次", "Had to come several times", (1, 2)),
    ("fee", "违规收费", "Wrongly charged", (1, 2)),
    ("other", "其他", "Something else", (1, 2)),
)
REASONS = RatingReasons(
    version=3,
    reasons=tuple(
        RatingReason(reason=reason, text={"zh-CN": zh, "en": en}, grades=grades)
        for reason, zh, en, grades in TEXTS
    ),
)


def prompt(number: str = "A005", *, long: bool = False, url: str = URL, which: str = "p-1") -> PromptRating:
    return PromptRating(
        prompt=which,
        ticket="t-1",
        number=number,
        counter="3",
        service_name=LONG_SERVICE if long else SERVICE,
        url=url,
    )


class Agent:
    """What a panel says, and whether anybody is there."""

    def __init__(self) -> None:
        self.heard: list[LinkMessage] = []
        self.here = True

    def __call__(self, message: LinkMessage) -> bool:
        if self.here:
            self.heard.append(message)
        return self.here


def panel(language: str, *said: RatingShown, clerk: object = CLERK, long: bool = False) -> RatingPanel:
    program = RatingPanel(language)
    program.say = Agent()  # type: ignore[method-assign]
    more: dict[str, object] = {"clerk": clerk, **({"name": LONG_NAME} if long else {})}
    file = photo() if clerk is CLERK else None
    state = counter("open", **more)
    program.said(CounterShown(counter=state, prompt=None, stale=False, photo=file), START)
    for message in said:
        program.said(message, START)
    return program


def asked(*, long: bool = False, url: str = URL) -> RatingShown:
    return RatingShown(prompt=prompt(long=long, url=url), left_s=30.0)


def graded(
    grade: int, *, given: bool = False, url: str = URL, reasons: RatingReasons | None = REASONS
) -> RatingShown:
    return RatingShown(
        prompt=prompt(url=url), left_s=600.0, grade=grade, reasons=reasons, reasons_given=given
    )


def touched(program: RatingPanel, *actions: str, at: float = START + 1) -> RatingPanel:
    for action in actions:
        program.touched(action, at)
    return program


def _again(language: str) -> RatingPanel:
    program = touched(panel(language, asked()), "grade:4")
    program.said(RatingShown(prompt=prompt(), left_s=28.0), START + 2)
    return program


def _english(language: str) -> RatingPanel:
    return touched(panel(language, asked(long=True)), "language")


PAGES: dict[str, Callable[[str], RatingPanel]] = {
    "rating_starting": lambda language: RatingPanel(language),
    "rating_idle": lambda language: panel(language, RatingShown()),
    "rating_idle_number_only": lambda language: panel(language, RatingShown(), clerk=NUMBER_ONLY, long=True),
    "rating_idle_nobody": lambda language: panel(language, RatingShown(), clerk=None),
    "rating_ask": lambda language: panel(language, asked()),
    "rating_ask_long": lambda language: panel(language, asked(long=True), long=True),
    "rating_ask_other_language": _english,
    "rating_sending": lambda language: touched(panel(language, asked()), "grade:5"),
    "rating_again": _again,
    "rating_why_good": lambda language: panel(language, graded(5)),
    "rating_why_bad": lambda language: touched(panel(language, graded(1)), "reason:slow", "reason:unclear"),
    "rating_why_last_page": lambda language: _last_page(language),
    "rating_why_no_code": lambda language: panel(language, graded(2, url="")),
    "rating_thanks": lambda language: panel(language, graded(5, given=True)),
    "rating_thanks_bad": lambda language: panel(language, graded(1, reasons=None, url="")),
    "rating_paused": lambda language: panel(language, RatingShown(works=False)),
}
WAYS: dict[str, list[str]] = {
    "rating_ask": ["language", "language", "grade:4"],
    "rating_why_bad": ["reason:slow", "reason:absent", "submit"],
    "rating_why_good": ["skip"],
}
"""Touches, one after the other, each on a target of the page that stands then."""


def _last_page(language: str) -> RatingPanel:
    from ui.screen import Screen

    program = panel(language, graded(1))
    program.page(Screen.of((800, 480)), START + 1)
    return touched(program, "more")


ABOUT = {
    "rating_starting": "Before the agent has spoken, and while it is away.",
    "rating_idle": "Nobody is asked; who sits at the counter.",
    "rating_idle_number_only": "A hall that shows the clerk's number only.",
    "rating_idle_nobody": "Nobody is known to sit there.",
    "rating_ask": "Five grades, all alike, for the service that has just ended.",
    "rating_ask_long": "The longest names.",
    "rating_ask_other_language": "After a touch on the other language.",
    "rating_sending": "A grade was touched; the agent has not yet said that it is kept.",
    "rating_again": "The grade could not be kept: asked once more.",
    "rating_why_good": "Reasons of a good grade.",
    "rating_why_bad": "Reasons of a bad grade, two of them chosen.",
    "rating_why_last_page": "The last of the reasons.",
    "rating_why_no_code": "A hall without a page for texts.",
    "rating_thanks": "Thanks, with a code for who has more to say.",
    "rating_thanks_bad": "Thanks for a bad grade.",
    "rating_paused": "No grade could be kept now, so none is asked for.",
}
