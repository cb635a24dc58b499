"""Without seeing the screen: from the attract page to a printed number by the key pad alone, in a window."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterator
from itertools import count

import pages_kiosk_more as pages
import pygame
import pytest

from ui.kiosk.kiosk import Kiosk
from ui.program import Program
from ui.runner import Runner
from ui.screen import Screen
from ui.turned import Turned
from ui.wake import Wake
from wire.screen_link import (
    AskHelp,
    CardShown,
    GuidesShown,
    LinkMessage,
    PadKey,
    Speak,
    TakeTicket,
    TicketProgress,
    TimeShown,
)
from wire.texts import text

HOW = text("kiosk_voice.how")


class Agent:
    """The agent's end of the link, and the keys of the pad. It prints at once."""

    def __init__(self, wake: Wake) -> None:
        self.wake = wake
        self.handle = -1
        self.waiting: deque[LinkMessage | None] = deque()
        self.heard: list[LinkMessage] = []

    def next(self) -> LinkMessage | None:
        if not self.waiting:
            raise queue.Empty
        return self.waiting.popleft()

    def send(self, message: LinkMessage) -> bool:
        self.heard.append(message)
        if isinstance(message, TakeTicket):
            number = {"request": message.request, "ticket": "t-1", "number": "C007", "waiting_ahead": 4}
            self.say(TicketProgress(request=message.request, stage="requested"))
            self.say(TicketProgress(stage="printing", **number))  # type: ignore[arg-type]
            self.say(TicketProgress(stage="done", paper="confirmed", outlet="presented", **number))  # type: ignore[arg-type]
        return True

    def say(self, message: LinkMessage | None) -> None:
        self.waiting.append(message)
        self.wake.ring()

    def spoken(self) -> list[str]:
        """What was said since the last time."""
        said = [message.text for message in self.heard if isinstance(message, Speak)]
        self.heard = [message for message in self.heard if not isinstance(message, Speak)]
        return said


class Room:
    def __init__(self, kiosk: Kiosk, agent: Agent, runner: Runner) -> None:
        self.kiosk, self.agent, self.runner = kiosk, agent, runner

    def says(self, message: LinkMessage) -> list[str]:
        """What is spoken after the agent has said this."""
        self.agent.say(message)
        while self.agent.waiting:
            self.runner.step()
        return self.agent.spoken()

    def press(self, key: str) -> list[str]:
        return self.says(PadKey(key=key))  # type: ignore[arg-type]


@pytest.fixture
def room() -> Iterator[Room]:
    pygame.display.init()
    surface = pygame.display.set_mode((1024, 600))
    ids = count(1)
    kiosk = Kiosk(lambda: f"r{next(ids)}")
    wake = Wake()
    agent = Agent(wake)
    program: Program = kiosk
    runner = Runner(program, Turned(surface, 0), agent, wake, Screen.of((1024, 600)))  # type: ignore[arg-type]
    made = Room(kiosk, agent, runner)
    runner.draw()
    for message in (TimeShown(at=pages.AT, trusted=True), GuidesShown(guides=pages.TITLES), pages.state()):
        made.says(message)
    yield made
    wake.close()


def test_from_the_attract_page_to_a_printed_number(room: Room) -> None:
    """Every word that is spoken, in order."""
    item = "第{}项，共11项，{} 等候 4 人，约 10–25 分钟。"
    assert room.press("down") == [text("kiosk_voice.welcome") + "请选择要办理的业务。"]
    assert room.press("down") == [item.format(1, pages.SERVICES[0][2])]
    assert room.press("down") == [item.format(2, "企业开办")]
    assert room.press("up") == [item.format(1, pages.SERVICES[0][2])]
    assert room.press("up") == [f"第11项，共11项，{text('kiosk_page.help')}。"]
    for _ in range(4):
        room.press("down")
    assert room.press("down") == [item.format(5, "居民身份证办理")]
    confirm = room.press("ok")
    assert len(confirm) == 1 and confirm[0].startswith("居民身份证办理。") and confirm[0].endswith(HOW)
    assert all(words in confirm[0] for words in ("等候 4 人", "东区综合服务大厅，二楼", "上电梯后右转"))
    assert room.press("down") == [f"第1项，共7项，{text('kiosk_page.take')}。"]
    done = room.press("ok")
    assert len(done) == 1 and "C007" in done[0] and text("kiosk_page.take_paper") in done[0]
    taken = [message for message in room.agent.heard if isinstance(message, TakeTicket)]
    assert [one.service for one in taken] == ["id-card"]
    assert room.press("repeat") == done
    assert room.press("down") == [f"第1项，共4项，{text('kiosk_page.finish')}。"]
    assert room.press("ok") == [""]
    assert room.kiosk.modes == room.kiosk.usual and room.kiosk.top.name == "attract"


def test_help_needs_one_key_only(room: Room) -> None:
    room.press("ok")
    asked = room.press("help")
    assert asked[0].startswith(text("kiosk_help.ask")) and text("kiosk_help.say_keys") in asked[0]
    assert room.press("help")[0].startswith(text("kiosk_help.sending"))
    assert [m.wanted for m in room.agent.heard if isinstance(m, AskHelp)] == [True]
    assert room.says(pages.state(help="asked"))[0].startswith(text("kiosk_help.asked"))
    assert room.says(pages.state(help="coming"))[0].startswith(text("kiosk_help.coming"))


def test_back_and_repeat_and_louder(room: Room) -> None:
    room.press("up")
    room.press("down")
    assert room.press("louder") == [text("kiosk_modes.sample") + "。"]
    assert room.kiosk.modes.louder == 1
    page = room.press("ok")
    again = [message for message in room.agent.heard if isinstance(message, Speak)]
    assert not again and room.press("repeat") == page
    room.press("back")
    assert room.kiosk.top.name == "start"
    assert room.press("back") == [""] and room.kiosk.top.name == "attract"


def test_no_name_and_no_card_is_said_aloud(room: Room) -> None:
    room.press("down")
    card = CardShown(name="王*明", number="1101**********0019", handle="h-1")
    spoken = room.says(card) + room.press("down") + room.press("repeat") + room.press("ok")
    assert spoken and not any("*" in words or "王" in words or "1101" in words for words in spoken)


def test_a_kiosk_without_a_voice_is_led_by_the_focus_alone(room: Room) -> None:
    room.says(pages.state(voice=False))
    assert room.press("ok") == [] and not room.kiosk.modes.guided
