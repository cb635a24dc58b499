"""What people do at kiosk, hall display, counter and rating panel, through the real programs and back.

Every screen here is a scripted client on its agent's socket: it says what a touch would say and keeps all
that it is told. One hall for the whole module; the tests stand in the order of a morning.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx
import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image

from drivers.card_reader.synthetic_cards import SyntheticCard, citizen
from hall.pictures import publishable
from simulator.hall_site import HALL, KIOSK, HallSite
from simulator.pane import Pane
from simulator.screen_client import ScreenClient
from wire.messages import BoardService
from wire.mqtt import BrokerOptions, Mqtt
from wire.screen_link import (
    AskGuide,
    AskHelp,
    AskTicket,
    BoardShown,
    CardShown,
    CounterShown,
    GiveReasons,
    GuidePrinted,
    GuideShown,
    GuidesShown,
    KioskState,
    LinkMessage,
    NumberSeen,
    PlaylistShown,
    PrintGuide,
    RateService,
    RatingShown,
    ScreenRole,
    TakeAppointment,
    TakeTicket,
    TicketProgress,
    TicketTold,
    ToScreen,
)
from wire.texts import text
from wire.topics import ROOT

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="session")]

M = TypeVar("M", bound=LinkMessage)

WAIT_S = 30.0
MINE = citizen("柒小玖", date(1990, 3, 7), 231)
OTHER = citizen("捌小玖", date(1991, 4, 8), 233)
"""Of nobody; names that stand nowhere else."""
CODE, LATE_CODE = "QX-7319-4482", "QX-7319-4483"
WORDS = "窗口的同志很耐心，谢谢 👍"
ENDED = ("done", "failed", "refused")


class Scripted(ScreenClient):
    """Keeps everything that it is told."""

    def __init__(self, path: Path, station: str) -> None:
        super().__init__(path, station)
        self.told: list[ToScreen] = []

    def received(self, message: ToScreen) -> None:
        self.told.append(message)

    def forget(self) -> None:
        """It keeps what it was told, to be looked at."""

    def newest(self, kind: type[M]) -> M | None:
        return next((m for m in reversed(self.told) if isinstance(m, kind)), None)

    async def until(self, kind: type[M], holds: Callable[[M], object] = lambda _: True) -> M:
        """The newest message of a kind, as soon as it `holds`."""
        found: list[M] = []

        def there() -> bool:
            newest = self.newest(kind)
            found[:] = [newest] if newest is not None and holds(newest) else []
            return bool(found)

        await until(there)
        return found[0]

    async def ask(self, message: LinkMessage) -> None:
        await until(lambda: self.connected)
        assert self.send(message)

    async def progress(self, request: str, *stages: str) -> TicketProgress:
        """The newest word about a request, as soon as it has come so far."""

        def found() -> TicketProgress | None:
            mine = (m for m in reversed(self.told) if isinstance(m, TicketProgress) and m.request == request)
            newest = next(mine, None)
            return newest if newest is not None and newest.stage in (stages or ENDED) else None

        await until(found)
        progress = found()
        assert progress is not None
        return progress


class Kiosk(Scripted):
    role: ClassVar[ScreenRole] = "kiosk"


class Display(Scripted):
    role: ClassVar[ScreenRole] = "board"


class Counter(Scripted):
    role: ClassVar[ScreenRole] = "counter"


class Rating(Scripted):
    role: ClassVar[ScreenRole] = "rating"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


def request() -> str:
    return f"r-{uuid.uuid4().hex}"


class House:
    """The hall and those who stand before its screens."""

    def __init__(self, site: HallSite) -> None:
        self.site = site
        paths = {node: screen.path for node, screen in site.screens.items()}
        self.kiosk = Kiosk(paths[KIOSK], "kiosk-1")
        self.display = Display(paths["board-1"], "board-1")
        self.counter = Counter(paths["counter-1"], "counter-1")
        self.rating = Rating(paths["counter-1"], "counter-1")
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.api_port}/api/v1", timeout=WAIT_S)
        self.passed: list[bytes] = []
        """Every payload that went over the broker."""
        self._mqtt = everything(site)
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._mqtt.start()
        self._reading = asyncio.create_task(self._read())
        for screen in (self.kiosk, self.display, self.counter, self.rating):
            await screen.start()

    async def stop(self) -> None:
        for screen in (self.kiosk, self.display, self.counter, self.rating):
            await screen.stop()
        if self._reading is not None:
            self._reading.cancel()
        await self._mqtt.stop()
        await self.http.aclose()

    async def _read(self) -> None:
        while True:
            received = await self._mqtt.next()
            self._mqtt.ack(received)
            self.passed.append(received.payload)

    async def rest(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def journal(self, kind: str) -> list[dict[str, Any]]:
        text = (await self.http.get("/journal")).text
        rows = [json.loads(line) for line in text.splitlines()]
        return [row["body"] for row in rows if row["type"] == kind]

    async def online(self) -> None:
        await self.kiosk.until(KioskState, lambda s: s.online and s.catalogue is not None)

    async def printer(self, health: str) -> None:
        if health == "fault":
            self.site.printer.paper_out()
        else:
            self.site.printer.load_paper()
        await self.kiosk.until(KioskState, lambda s: s.printer is not None and s.printer.health == health)

    async def press(self, key: str) -> dict[str, Any]:
        """A key of counter 1, about the ticket that it shows."""
        shown = next(c for c in (await self.rest("GET", "/counters"))["counters"] if c["counter"] == "1")
        answer: dict[str, Any] = await self.rest(
            "POST", "/counters/1/keys", {"key": key, "shown_ticket": shown["ticket"]}
        )
        return answer

    async def call_until(self, number: str) -> None:
        """Call one after the other until this one is at the counter."""
        async with asyncio.timeout(WAIT_S):
            while (await self.press("next"))["number"] != number:
                pass

    async def lay(self, card: SyntheticCard) -> CardShown:
        self.site.card_reader.lay(card)
        masked = card.name[0] + "*" + card.name[-1]
        return await self.kiosk.until(CardShown, lambda c: c.name == masked and c.handle is not None)

    async def take_ticket(self, service: str, **more: Any) -> TicketProgress:
        wish = TakeTicket(request=request(), service=service, **more)
        await self.kiosk.ask(wish)
        return await self.kiosk.progress(wish.request)

    async def check_in(self, **how: Any) -> TicketProgress:
        wish = TakeAppointment(request=request(), **how)
        await self.kiosk.ask(wish)
        return await self.kiosk.progress(wish.request)

    def paper(self) -> str:
        """The newest piece of paper."""
        return "\n".join(line.text for line in self.site.papers[-1][1].lines)


def everything(site: HallSite) -> Mqtt:
    async def connected() -> None:
        pass

    return Mqtt(
        BrokerOptions(host="127.0.0.1", port=site.broker_port, session_expiry_s=1, reconnect_max_s=1.0),
        client_id=f"grep-{uuid.uuid4().hex[:12]}",
        will=None,
        subscriptions=[(f"{ROOT}/{site.hall}/#", 0)],
        on_connected=connected,
        on_disconnected=lambda reason: None,
    )


def noon() -> str:
    """A time zone in which it is noon: what is early and late does not hang on when the tests run."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("screens") / "hall"
    folder.mkdir()
    key = folder / "match.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    Image.effect_noise((320, 240), 60).save(folder / "picture.png")

    def settings(name: str, tables: dict[str, Any]) -> None:
        if name == HALL:
            tables["hall"] |= {
                "match_key_file": str(key),
                "call_by_name": True,
                "timezone": noon(),
            }
            tables["limits"] |= {"next_pause_s": 0, "recalls_before_no_show": 0}
            for service in tables["service"]:
                if service["id"] == "food-permit":
                    service["quota"] = 1
            tables["playlist"].append({"item": "noise", "picture": "picture.png"})
        elif name == KIOSK:
            tables["timezone"] = noon()
            tables["station"][0]["match_key_file"] = str(key)

    site = HallSite(folder, counters=1, settings=settings)
    try:
        await site.start()
        house = House(site)
        try:
            await house.start()
            await site.wait_ready()
            await site.wait_devices()
            await house.online()
            yield house
        finally:
            await house.stop()
    finally:
        await site.stop()


async def test_a_number_without_paper_is_seen_called_and_rated_with_reasons(house: House) -> None:
    kiosk, papers = house.kiosk, house.site.papers_out
    await house.printer("fault")
    wish = TakeTicket(request=request(), service="id-card", paperless=True)
    await kiosk.ask(wish)
    shown = await kiosk.progress(wish.request, "printing")
    assert shown.paperless and shown.number is not None and shown.ticket is not None
    assert (await house.rest("GET", f"/tickets/{shown.ticket}"))["state"] == "reserved"
    await kiosk.ask(NumberSeen(request=wish.request))
    end = await kiosk.progress(wish.request)
    assert (end.stage, end.paper, end.code) == ("done", "confirmed", "ticket.on_screen")
    # said again it is told again, and is no second number
    kiosk.told.clear()
    await kiosk.ask(wish)
    assert (await kiosk.progress(wish.request)).number == shown.number
    await house.printer("ok")
    assert house.site.papers_out == papers

    house.site.call_keypad("1").press("next")
    at_counter = await house.counter.until(CounterShown, lambda c: c.counter and c.counter.number)
    assert at_counter.counter is not None and at_counter.counter.number == shown.number
    await house.display.until(
        BoardShown, lambda b: b.board and b.board.calls and b.board.calls[0].number == shown.number
    )
    ticket = await house.rest("GET", f"/tickets/{shown.ticket}")
    assert (ticket["state"], ticket["paperless"], ticket["paper"]) == ("called", True, "confirmed")
    assert len(await house.journal("ticket_issued")) == 1

    await house.press("finish")
    asked = await house.rating.until(RatingShown, lambda r: r.prompt is not None and r.grade is None)
    prompt = asked.prompt
    assert prompt is not None and prompt.number == shown.number
    assert prompt.url.startswith(f"http://127.0.0.1:{house.site.rating_port}/rate/")
    assert prompt.prompt not in prompt.url
    for _ in range(3):
        await house.rating.ask(RateService(prompt=prompt.prompt, grade=2))
    graded = await house.rating.until(RatingShown, lambda r: r.grade == 2)
    assert graded.reasons is not None
    chosen = [reason.reason for reason in graded.reasons.reasons][:2]
    given = GiveReasons(prompt=prompt.prompt, version=graded.reasons.version, reasons=(*chosen, *chosen))
    await house.rating.ask(given)
    await house.rating.ask(given)
    await house.rating.until(RatingShown, lambda r: r.reasons_given)
    async with asyncio.timeout(WAIT_S):
        while not (reasons := await house.journal("reasons_given")):
            await asyncio.sleep(0.05)
    (rating,) = await house.journal("rating_given")
    assert (rating["prompt"], rating["grade"], rating["ticket"]) == (prompt.prompt, 2, shown.ticket)
    assert [entry["reasons"] for entry in reasons] == [chosen]
    (told,) = (await house.rest("GET", f"/tickets/{shown.ticket}"))["ratings"]
    assert (told["result"], told["grade"], told["reasons"]) == ("rated", 2, chosen)


async def test_what_the_panel_s_code_leads_to_takes_a_text(house: House) -> None:
    """The code as a phone reads it from a 7-inch panel, drawn by the real program."""
    socket = house.rating.path
    arguments = ["rating", "--station", "counter-1", "--socket", str(socket), "--size", "1024x600"]
    panel = Pane("rating", house.site.folder, socket.parent, [*arguments, "--inches", "7"])
    await panel.start()
    try:
        await panel.part.wait_ready(WAIT_S)
        end = await house.take_ticket("id-card")
        assert end.number is not None
        await house.call_until(end.number)
        await house.press("finish")
        asked = await house.rating.until(RatingShown, lambda r: r.prompt and r.prompt.number == end.number)
        assert asked.prompt is not None
        await house.rating.ask(RateService(prompt=asked.prompt.prompt, grade=5))
        offered = await house.rating.until(RatingShown, lambda r: r.grade == 5)
        assert offered.reasons is not None
        # no reasons: the code stands on the thanks of a small panel
        await house.rating.ask(
            GiveReasons(prompt=asked.prompt.prompt, version=offered.reasons.version, reasons=())
        )
        url = asked.prompt.url

        def reads() -> bool:
            codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(panel.picture)))
            return [code.text for code in codes] == [url]  # it begins with the thanks of the service before

        await until(reads)
    finally:
        await panel.stop()
    async with httpx.AsyncClient(timeout=WAIT_S, follow_redirects=True) as phone:
        page = await phone.get(url)
        assert page.status_code == 200 and "居民身份证办理" in page.text and "1号窗口" in page.text
        thanks = await phone.post(url, data={"text": WORDS})
        assert thanks.status_code == 200 and text("rate_page.thanks") in thanks.text
        other = await phone.get(url.replace("/rate/", "/api/v1/state"))
        assert other.status_code == 404
    (told,) = (await house.rest("GET", f"/tickets/{end.ticket}"))["ratings"]
    assert (told["grade"], told["text"]) == (5, WORDS)
    (given,) = await house.journal("text_given")
    assert (given["text"], given["prompt"]) == (WORDS, asked.prompt.prompt)
    assert not any(WORDS.encode() in payload for payload in house.passed)

    hall = house.site.parts[HALL]
    hall.kill()
    await hall.wait_ready(WAIT_S, starts=hall.starts + 1)
    await house.online()
    listed = (await house.rest("GET", "/ratings"))["ratings"]
    assert [one["text"] for one in listed if one["ticket"] == end.ticket] == [WORDS]
    logs = b"".join(path.read_bytes() for path in house.site.folder.rglob("*.log"))
    assert logs and WORDS.encode() not in logs and url.rpartition("/")[2].encode() not in logs


async def test_a_number_without_paper_and_without_the_hall_is_merged(house: House) -> None:
    kiosk, hall = house.kiosk, house.site.parts[HALL]
    await kiosk.until(KioskState, lambda s: s.offline_numbers.get("household", 0) > 0)
    await house.printer("fault")
    await hall.stop()
    await kiosk.until(KioskState, lambda s: not s.online)
    await house.display.until(BoardShown, lambda b: b.stale)
    assert (await house.check_in(code=CODE, paperless=True)).code == "appointment.offline"
    told = AskTicket(request=request(), ticket="some-ticket")
    await kiosk.ask(told)
    assert (await kiosk.until(TicketTold, lambda t: t.request == told.request)).code == "ticket.cannot_ask"
    wish = TakeTicket(request=request(), service="passport", paperless=True)
    await kiosk.ask(wish)
    shown = await kiosk.progress(wish.request, "printing")
    assert shown.paperless and shown.offline
    await kiosk.ask(NumberSeen(request=wish.request))
    end = await kiosk.progress(wish.request)
    assert (end.stage, end.paper, end.offline) == ("done", "confirmed", True)
    await house.printer("ok")

    starts = hall.starts
    await hall.start()
    await hall.wait_ready(WAIT_S, starts=starts + 1)
    await house.online()
    async with asyncio.timeout(WAIT_S):
        while not (merged := await house.journal("ticket_merged")):
            await asyncio.sleep(0.05)
    assert [(m["ticket"], m["number"], m["joins"]) for m in merged] == [(end.ticket, end.number, True)]
    ticket = await house.rest("GET", f"/tickets/{end.ticket}")
    assert (ticket["state"], ticket["paperless"], ticket["paper"]) == ("waiting", True, "confirmed")


async def test_appointments_are_checked_in_once_by_card_and_by_code(house: House) -> None:
    today = (await house.rest("GET", "/board"))["business_date"]
    await house.rest(
        "PUT",
        f"/appointments/{today}",
        [
            {"id": "by-card", "service": "id-card", "from": "04:00", "until": "24:00", "name": MINE.name,
             "id_number": MINE.number},
            {"id": "by-code", "service": "business-license", "from": "04:00", "until": "24:00", "code": CODE},
            {"id": "later", "service": "id-card", "from": "18:30", "until": "19:00", "code": LATE_CODE},
        ],
    )  # fmt: skip
    card = await house.lay(MINE)
    assert card.number is not None and MINE.number not in card.number
    end = await house.check_in(handle=card.handle)
    assert (end.stage, end.paper, end.service) == ("done", "confirmed", "id-card")
    assert end.number is not None and end.number in house.paper()
    assert MINE.name not in house.paper() and "柒*玖" not in house.paper()
    again = await house.check_in(handle=card.handle)
    assert (again.stage, again.code) == ("refused", "appointment.checked_in")
    assert again.facts == {"number": end.number}
    house.site.card_reader.take()

    typed = await house.check_in(code="qx 7319 4482")
    assert (typed.stage, typed.service) == ("done", "business-license")
    assert (await house.check_in(code=CODE)).code == "appointment.checked_in"
    early = await house.check_in(code=LATE_CODE)
    assert (early.stage, early.code, early.facts) == ("refused", "appointment.too_early", {"from": "18:00"})
    assert (await house.check_in(code="QX-0000")).code == "appointment.none"
    assert (await house.check_in(handle="f" * 32)).code == "appointment.lay_again"

    listed = (await house.rest("GET", f"/appointments/{today}"))["appointments"]
    states = {entry["id"]: (entry["number"], entry["checked_in"], entry["name"]) for entry in listed}
    assert states == {
        "by-card": (end.number, True, "柒*玖"),
        "by-code": (typed.number, True, None),
        "later": (None, False, None),
    }


async def test_a_ticket_is_asked_about_before_and_after_its_call(house: House) -> None:
    kiosk = house.kiosk
    end = await house.take_ticket("self-employed")
    assert end.stage == "done" and end.ticket is not None and end.number is not None

    async def told(ticket: str) -> TicketTold:
        asked = AskTicket(request=request(), ticket=ticket)
        await kiosk.ask(asked)
        return await kiosk.until(TicketTold, lambda t: t.request == asked.request)

    before = (await told(end.ticket)).found
    assert before is not None and before.number == end.number
    assert (before.state, before.ahead, before.counter_name) == ("waiting", 0, None)
    await house.call_until(end.number)
    after = (await told(end.ticket)).found
    assert after is not None and (after.state, after.ahead) == ("called", None)
    assert after.counter_name is not None and after.counter_name["zh-CN"] == "1号窗口"
    unknown = await told("0123456789abcdef0123")
    assert (unknown.found, unknown.code) == (None, "ticket.unknown")
    await house.press("finish")


async def test_help_is_asked_for_answered_and_taken_back(house: House) -> None:
    kiosk = house.kiosk

    async def calls() -> list[dict[str, Any]]:
        return [a for a in (await house.rest("GET", "/alarms"))["alarms"] if a["code"] == "kiosk.help"]

    async def has_come(n: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(await calls()) != n:
                await asyncio.sleep(0.05)

    await kiosk.ask(AskHelp())
    await kiosk.until(KioskState, lambda s: s.help == "asked")
    await has_come(1)
    await house.rest("POST", "/help/kiosk-1/kiosk-1/answer", {})
    await kiosk.until(KioskState, lambda s: s.help == "coming")
    await kiosk.ask(AskHelp(wanted=False))
    await kiosk.until(KioskState, lambda s: s.help == "none")
    await has_come(0)
    await kiosk.ask(AskHelp())
    await has_come(1)
    assert "answered" not in (await calls())[0]["facts"]
    await house.rest("POST", "/help/kiosk-1/kiosk-1/done", {})
    await kiosk.until(KioskState, lambda s: s.help == "none")
    assert await calls() == []


async def test_a_guide_is_read_and_its_list_comes_out_once(house: House) -> None:
    kiosk = house.kiosk
    listed = await kiosk.until(GuidesShown, lambda g: g.guides)
    title = next(g for g in listed.guides if g.guide == "id-card-replacement")
    # the list comes before the guides
    async with asyncio.timeout(WAIT_S):
        while True:
            kiosk.told.clear()
            await kiosk.ask(AskGuide(guide=title.guide))
            guide = (await kiosk.until(GuideShown)).guide
            if guide is not None:
                break
    assert guide.name == title.name and guide.materials and guide.steps
    papers = house.site.papers_out
    wish = PrintGuide(request=request(), guide=title.guide, have=(0,))
    for _ in range(2):
        kiosk.told.clear()
        await kiosk.ask(wish)
        printed = await kiosk.until(GuidePrinted, lambda p: p.request == wish.request)
        assert (printed.paper, printed.code) == ("confirmed", None)
    await until(lambda: house.site.papers_out > papers)
    assert house.site.papers_out == papers + 1
    paper = house.paper().replace("\n", "").replace(" ", "")
    assert title.name["zh-CN"] in paper
    for material in guide.materials:
        assert material.name["zh-CN"] in paper
    kiosk.told.clear()
    await kiosk.ask(AskGuide(guide="no-such-guide"))
    assert (await kiosk.until(GuideShown)).guide is None


async def test_the_picture_of_the_playlist_is_the_hall_s_own(house: House) -> None:
    published = publishable(house.site.folder / "picture.png")
    for screen in (house.display, house.kiosk):
        if screen is house.kiosk:
            # what it was told has been forgotten by another test
            await screen.stop()
            await screen.start()
        shown = await screen.until(PlaylistShown, lambda p: any(page.file for page in p.pages))
        (file,) = (page.file for page in shown.pages if page.item.picture == published.picture)
        assert file is not None
        data = Path(file).read_bytes()
        assert data == published.data
        assert hashlib.sha256(data).hexdigest()[:32] == published.picture


async def test_a_quota_that_is_reached_is_seen_and_refused(house: House) -> None:
    def permits(shown: BoardShown) -> BoardService | None:
        services = shown.board.services if shown.board is not None else ()
        return next((s for s in services if s.service == "food-permit"), None)

    before = permits(await house.display.until(BoardShown))
    assert before is not None and (before.available, before.left) == ("open", 1)
    first = await house.take_ticket("food-permit")
    assert first.stage == "done"
    full = await house.display.until(BoardShown, lambda b: (permits(b) or before).available != "open")
    service = permits(full)
    assert service is not None and (service.available, service.left) == ("quota_reached", 0)
    second = await house.take_ticket("food-permit")
    assert (second.stage, second.code) == ("refused", "ticket.quota_reached")
    # who gives it back gives the place back
    await house.rest("POST", f"/tickets/{first.ticket}/cancel", {})
    third = await house.take_ticket("food-permit")
    assert third.stage == "done" and third.number != first.number


async def test_a_name_is_on_the_display_only_where_the_hall_says_so(house: House) -> None:
    card = await house.lay(OTHER)
    end = await house.take_ticket("id-card", card=card.handle)
    assert end.stage == "done" and end.number is not None
    await house.call_until(end.number)
    named = await house.display.until(BoardShown, lambda b: b.board and b.board.calls[0].number == end.number)
    assert named.board is not None and named.board.calls[0].name == "捌*玖"

    path = house.site.folder / "hall.toml"
    path.write_text(path.read_text("utf-8").replace("call_by_name = true", "call_by_name = false"), "utf-8")
    hall = house.site.parts[HALL]
    hall.kill()
    await hall.wait_ready(WAIT_S, starts=hall.starts + 1)
    await house.kiosk.until(KioskState, lambda s: s.online and s.catalogue and not s.catalogue.call_by_name)
    house.passed.clear()
    wish = await house.take_ticket("id-card", card=card.handle)
    assert wish.stage == "done" and wish.number is not None
    await house.call_until(wish.number)
    shown = await house.display.until(
        BoardShown, lambda b: b.board and b.board.calls[0].number == wish.number
    )
    assert shown.board is not None and [call.name for call in shown.board.calls if call.name] == []
    assert any(wish.number.encode() in payload for payload in house.passed)
    assert not any("捌*玖".encode() in payload for payload in house.passed)
    assert not any("捌*玖".encode() in payload for payload in await retained(house.site))
    house.site.card_reader.take()


async def retained(site: HallSite) -> list[bytes]:
    """What the broker tells a newcomer."""
    mqtt = everything(site)
    await mqtt.start()
    found: list[bytes] = []
    try:
        # the broker sends what it keeps before anything else; a heartbeat is behind it
        async with asyncio.timeout(WAIT_S):
            while True:
                received = await mqtt.next()
                if not received.retained:
                    return found
                found.append(received.payload)
    finally:
        await mqtt.stop()


async def test_nothing_of_a_person_is_left_anywhere(house: House) -> None:
    """The last: what all the others left on the broker, in journal and databases, in logs and on paper."""
    plain = [MINE.name, MINE.number, OTHER.name, OTHER.number, CODE, LATE_CODE]
    plain += [code.replace("-", "") for code in (CODE, LATE_CODE)] + ["qx 7319 4482"]
    forms = {text.encode(coding) for text in plain for coding in ("utf-8", "utf-16-le", "gb18030")}
    forms |= {text.encode("unicode_escape") for text in plain}
    searched = {path: path.read_bytes() for path in house.site.folder.rglob("*") if path.is_file()}
    assert {path.suffix for path in searched} >= {".db", ".log", ".toml"}
    papers = "\n".join(line.text for _, paper in house.site.papers for line in paper.lines).encode()
    kept = await retained(house.site)
    assert kept and house.passed
    for where, data in (
        *((str(path), data) for path, data in searched.items()),
        *(("retained", payload) for payload in kept),
        *(("passed", payload) for payload in house.passed),
        ("paper", papers),
    ):
        for form in forms:
            assert form not in data, where
    # and the search does find what is there
    journal = b"".join(data for path, data in searched.items() if path.name.startswith("hall.db"))
    assert "柒*玖".encode() in journal and b"too_early" in journal
