"""The page behind the rating panel's QR code, over real HTTP: what it says, takes and refuses."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec
import pytest

from hall import rating_page, server
from hall.api import Api
from hall.config import HallConfig, RatingPage, Token, load_config
from hall.coordinator import Coordinator
from hall.journal import JournalError, open_engine, verify
from hall.queue import texts
from hall.queue.state import Prompt
from hall.rating_page import RatingPage as Page
from hall.rating_page import Requests, language_of
from hall.rating_page_html import ACCENT, HEADERS, INK, PAPER, SOFT, STYLE, WRONG
from hall.server import ApiServer, PublicServer
from wire.checked_toml import TomlProblems
from wire.texts import text

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    page: str = field(repr=False)

    def says(self, key: str, language: str = "zh-CN", **values: object) -> bool:
        return text(f"rate_page.{key}", language, **values) in self.page


Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
def config(tmp_path: Path) -> HallConfig:
    config = load_config(SHIPPED)
    return msgspec.structs.replace(
        config,
        hall=msgspec.structs.replace(config.hall, storage=str(tmp_path / "hall.db")),
        rating_page=RatingPage(url="http://hall.example:8601"),
    )


async def opened(config: HallConfig) -> Coordinator:
    """Without a broker: the queue and the page need none."""
    coordinator = Coordinator(config)
    await coordinator.runtime.start()
    return coordinator


@pytest.fixture
async def coordinator(config: HallConfig) -> AsyncIterator[Coordinator]:
    coordinator = await opened(config)
    yield coordinator
    await coordinator.runtime.stop()


async def served(coordinator: Coordinator) -> Prompt:
    """A service that has just ended."""
    runtime = coordinator.runtime
    await runtime.issue("id-card")
    await runtime.press("1", "next", None)
    await runtime.press("1", "finish", runtime.state.counters["1"].ticket)
    return list(runtime.state.prompts.values())[-1]


def asking(port: int) -> Ask:
    def blocking(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, page)

    async def ask(
        path: str, written: str | bytes | None = None, *, method: str = "", **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = urlencode({"text": written}).encode() if isinstance(written, str) else written
        if body is not None:
            named = {"Content-Type": FORM} | named
        return await asyncio.to_thread(
            blocking, method or ("GET" if body is None else "POST"), path, body, named
        )

    return ask


@pytest.fixture
async def ask(coordinator: Coordinator) -> AsyncIterator[Ask]:
    public = PublicServer(Page(coordinator).app, "127.0.0.1", 0)
    await public.start()
    yield asking(public.port)
    await public.stop()


async def test_it_says_what_it_is_about_and_takes_one_text(ask: Ask, coordinator: Coordinator) -> None:
    prompt = await served(coordinator)
    path = f"/rate/{prompt.page}"
    page = await ask(path)
    assert page.status == 200 and "居民身份证办理" in page.page and "1号窗口" in page.page
    assert "清河区政务服务中心" in page.page and page.says("once", day=_day(coordinator, prompt))
    for hidden in (prompt.number, prompt.ticket, prompt.prompt, "王芳", "clerk-01", "<script"):
        assert hidden not in page.page
    sent = await ask(path, "很满意，<b>谢谢</b> 👍\r\n明天见")
    assert (sent.status, sent.headers["location"], sent.page) == (303, "?lang=zh-CN", "")
    thanks = await ask(f"{path}?lang=zh-CN")
    assert thanks.status == 200 and thanks.says("thanks") and "满意" not in thanks.page
    assert prompt.text == "很满意，<b>谢谢</b> 👍\n明天见"


def _day(coordinator: Coordinator, prompt: Prompt) -> str:
    last = texts.last_day(coordinator.policy, prompt.business_date)
    return text(f"time.month_{last.month}", day=last.day)


async def test_the_first_text_stands_and_others_are_told(ask: Ask, coordinator: Coordinator) -> None:
    prompt = await served(coordinator)
    path = f"/rate/{prompt.page}"
    twice = await asyncio.gather(ask(path, "很好"), ask(path, "很好"))
    assert [answer.status for answer in twice] == [303, 303], "a finger that presses twice"
    other = await ask(path, "不好")
    assert other.status == 409 and other.says("there") and other.says("there_do")
    assert prompt.text == "很好"


async def test_what_cannot_be_taken_is_shown_again_with_what_was_written(
    ask: Ask, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = await served(coordinator)
    path = f"/rate/{prompt.page}?lang=en"
    empty = await ask(path, " \n\u200d")
    assert empty.status == 400 and empty.says("empty", "en")
    long = await ask(path, "\n<i>" + "好" * 500)
    assert long.status == 400 and long.says("long", "en", count=503, letters=500)
    assert f">\n&lt;i&gt;{'好' * 500}</textarea>" in long.page

    async def full(*_: object) -> None:
        raise JournalError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(coordinator.runtime, "submit", full)
        failed = await ask(path, "很好")
    assert failed.status == 503 and failed.says("not_now", "en") and "很好</textarea>" in failed.page
    assert prompt.text is None
    emoji = "👨‍👩‍👧" * 200 + "好" * 300
    assert (await ask(path, emoji)).status == 303 and prompt.text == emoji


@pytest.mark.parametrize(
    "wrong", ["", "0" * 20, "x" * 20, "../api/v1/state", "%00", "5f" * 40, quote("页面"), "a/b"]
)
async def test_a_wrong_address_gets_one_page_whatever_is_wrong(
    ask: Ask, coordinator: Coordinator, wrong: str
) -> None:
    prompt = await served(coordinator)
    answer = await ask(f"/rate/{wrong}")
    assert answer.status == 404 and (answer.says("over") or answer.says("wrong"))
    assert (await ask(f"/rate/{wrong}", "很好")).status in (404, 405)
    assert (await ask(f"/rate/{prompt.prompt}")).status == 404, "who reads prompts writes no texts"
    before = coordinator.runtime.journal.seq
    await ask(f"/rate/{wrong}", "很好")
    assert coordinator.runtime.journal.seq == before, "guesses do not fill the journal"


async def test_nothing_else_of_the_hall_answers_there(ask: Ask, coordinator: Coordinator) -> None:
    for path in ("/", "/api/v1/health", "/api/v1/state", "/rate", "/docs", "/openapi.json"):
        answer = await ask(path)
        assert answer.status == 404 and answer.headers["content-type"].startswith("text/html")
    prompt = await served(coordinator)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert (await ask(f"/rate/{prompt.page}", b"", method=method)).status == 405
    assert (await ask(f"/rate/{prompt.page}", method="HEAD")).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text": "x"}', "application/json"),
        (b"text=x", "multipart/form-data; boundary=x"),
        (b"text=x", "text/plain"),
        (b"&".join(b"a=1" for _ in range(9)), FORM),
        (b"text=" + b"a" * rating_page.MAX_BODY, FORM),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(
    ask: Ask, coordinator: Coordinator, body: bytes, kind: str
) -> None:
    prompt = await served(coordinator)
    answer = await ask(f"/rate/{prompt.page}", body, Content_Type=kind)
    assert answer.status == 400 and answer.says("wrong") and prompt.text is None


@pytest.mark.parametrize("body", [b"text=%ff%fe%00a", b"text=\xe5\xa5a", b"text=a%ED%A0%80"])
async def test_bytes_that_are_no_text_do_no_harm(ask: Ask, coordinator: Coordinator, body: bytes) -> None:
    prompt = await served(coordinator)
    assert (await ask(f"/rate/{prompt.page}", body)).status == 303
    assert prompt.text is not None and "a" in prompt.text and "\x00" not in prompt.text


async def test_a_restart_keeps_the_text_and_the_page(config: HallConfig) -> None:
    coordinator = await opened(config)
    written, open_ = await served(coordinator), await served(coordinator)
    public = PublicServer(Page(coordinator).app, "127.0.0.1", 0)
    await public.start()
    assert (await asking(public.port)(f"/rate/{written.page}", "留下来")).status == 303
    await public.stop()
    await coordinator.runtime.stop()

    again = await opened(config)
    public = PublicServer(Page(again).app, "127.0.0.1", 0)
    await public.start()
    ask = asking(public.port)
    assert again.runtime.state.prompts[written.prompt].text == "留下来"
    assert (await ask(f"/rate/{written.page}", "别的")).status == 409
    assert (await ask(f"/rate/{open_.page}", "也好")).status == 303
    await public.stop()
    await again.runtime.stop()
    engine = open_engine(f"sqlite:///{config.hall.storage}")
    with engine.connect() as connection:
        rows, _ = verify(connection)
    engine.dispose()
    assert rows > 5


async def test_before_the_hall_has_begun_its_page_says_so(config: HallConfig) -> None:
    public = PublicServer(Page(Coordinator(config)).app, "127.0.0.1", 0)
    await public.start()
    assert (await asking(public.port)(f"/rate/{'5f' * 10}")).status == 404
    await public.stop()


async def test_managers_read_it_with_the_rating_and_only_they(config: HallConfig) -> None:
    token = "t" * 40
    reader = Token(name="m", sha256=hashlib.sha256(token.encode()).hexdigest(), roles=("read",))
    api = msgspec.structs.replace(config.api, tokens=(reader,))
    coordinator = await opened(msgspec.structs.replace(config, api=api))
    prompt = await served(coordinator)
    public = PublicServer(Page(coordinator).app, "127.0.0.1", 0)
    rest = ApiServer(Api(coordinator).app, "127.0.0.1", 0)
    await public.start()
    await rest.start()
    await asking(public.port)(f"/rate/{prompt.page}", "窗口很耐心")
    ask = asking(rest.port)
    assert (await ask("/api/v1/ratings")).status == 401
    assert (await ask(f"/rate/{prompt.page}")).status == 404, "the interface has no page for phones"
    answer = await ask("/api/v1/ratings", Authorization=f"Bearer {token}")
    (listed,) = msgspec.json.decode(answer.page)["ratings"]
    assert (listed["text"], listed["grade"], listed["result"]) == ("窗口很耐心", None, "open")
    assert (listed["ticket"], listed["service"]) == (prompt.ticket, "id-card")
    one = await ask(f"/api/v1/tickets/{prompt.ticket}", Authorization=f"Bearer {token}")
    (told,) = msgspec.json.decode(one.page)["ratings"]
    assert told == {name: listed[name] for name in told} and told["text_at"] is not None
    assert prompt.page not in answer.page + one.page, "who reads writes no texts"
    await public.stop()
    await rest.stop()
    await coordinator.runtime.stop()


async def test_neither_text_nor_page_is_logged(
    ask: Ask, coordinator: Coordinator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    prompt, other = await served(coordinator), await served(coordinator)
    await ask(f"/rate/{prompt.page}", "绝密的话")
    await ask(f"/rate/{prompt.page}", "绝密的话二")
    await ask(f"/rate/{prompt.page}", "绝密的话" * 500)

    def breaks(*_: object) -> None:
        raise RuntimeError("绝密的话")

    monkeypatch.setattr(rating_page.texts, "cleaned", breaks)
    failed = await ask(f"/rate/{other.page}", "绝密的话")
    assert failed.status == 500 and failed.says("wrong") and "RuntimeError" in caplog.text
    assert "绝密" not in caplog.text and prompt.page not in caplog.text and other.page not in caplog.text


async def test_an_address_asks_so_often_in_a_minute(
    ask: Ask, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rating_page, "PER_ADDRESS", 3)
    prompt = await served(coordinator)
    seen = [await ask(f"/rate/{prompt.page}") for _ in range(4)]
    assert [answer.status for answer in seen] == [200, 200, 200, 429]
    assert seen[-1].says("slow") and seen[-1].headers["retry-after"] == "60"
    # behind a proxy of this machine it is the phone that counts
    assert (await ask(f"/rate/{prompt.page}", X_Forwarded_For="10.0.0.7")).status == 200


def test_requests_are_counted_by_minute_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating_page, "PER_ADDRESS", 2)
    monkeypatch.setattr(rating_page, "PER_MINUTE", 3)
    requests = Requests()
    assert [requests.allows(a, 10.0) for a in "aaabcd"] == [True, True, False, True, False, False]
    assert requests.allows("a", 60.0)


async def test_connections_are_bounded(coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PUBLIC_CONNECTIONS", 2)
    public = PublicServer(Page(coordinator).app, "127.0.0.1", 0)
    await public.start()
    held = [await asyncio.open_connection("127.0.0.1", public.port) for _ in range(3)]
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await held[2][0].readexactly(1)
    held[0][1].write(b"GET /rate/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await held[0][0].readline()).startswith(b"HTTP/1.1 404")
    for _, writer in held:
        writer.close()
    await public.stop()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("PUBLIC_BYTES", 100, b"GET /" + b"a" * 200), ("PUBLIC_S", 0.05, b"GET /rate/x HTTP/1.1\r\n")],
)
async def test_a_connection_may_neither_last_nor_talk_for_ever(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch, name: str, value: float, said: bytes
) -> None:
    monkeypatch.setattr(server, name, value)
    public = PublicServer(Page(coordinator).app, "127.0.0.1", 0)
    await public.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", public.port)
    writer.write(said)
    async with asyncio.timeout(10):
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass
    writer.close()
    await public.stop()


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "", "zh-CN"),
        ("", "en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("", "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "fr;q=1,en;q=0.5,zh-CN;q=0.7", "zh-CN"),
        ("", "en;q=0, fr", "zh-CN"),
        ("", "*;q=x,;;,=", "zh-CN"),
        ("lang=en", "zh-CN", "en"),
        ("lang=../../etc", "en", "en"),
    ],
)
def test_the_language_is_the_link_s_then_the_phone_s(query: str, header: str, language: str) -> None:
    from starlette.requests import Request

    scope = {
        "type": "http",
        "query_string": query.encode(),
        "headers": [(b"accept-language", header.encode())],
    }
    assert language_of(Request(scope)) == language


async def test_every_answer_forbids_scripts_frames_and_caches(ask: Ask, coordinator: Coordinator) -> None:
    prompt = await served(coordinator)
    for answer in (
        await ask(f"/rate/{prompt.page}"),
        await ask("/rate/x"),
        await ask("/x"),
        await ask(f"/rate/{prompt.page}", "好"),
    ):
        for name, value in HEADERS.items():
            assert answer.headers[name.lower()] == value
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script" not in policy
        assert not re.search(r"(src|href)=\"(?!\?lang=|data:)", answer.page), "nothing from elsewhere"


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [INK, SOFT, ACCENT, WRONG])
def test_every_colour_can_be_read_on_white(colour: str) -> None:
    dark, light = sorted((_luminance(colour), _luminance(PAPER)))
    assert (light + 0.05) / (dark + 0.05) >= 7
    assert set(re.findall(r"#[0-9a-f]{6}", STYLE)) == {INK, SOFT, ACCENT, WRONG, PAPER}


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('url = "hall.example"', "rating_page.url"),
        ('url = "http://大厅:8601"', "rating_page.url"),
        ('url = "http://hall.example:8601/"', "rating_page.url"),
        ('url = "http://hall.example/?a=b"', "rating_page.url"),
        ('url = "http://hall.example:8601"\nport = 8600', "rating_page.port"),
        ('url = "http://hall.example:8601"\nport = 0', "rating_page.port"),
    ],
)
def test_a_wrong_address_is_told_at_the_start(tmp_path: Path, table: str, problem: str) -> None:
    with pytest.raises(TomlProblems) as told:
        load_config(_hall_toml(tmp_path, table))
    assert any(problem in line for line in told.value.problems)


def test_a_hall_has_one_place_for_texts(tmp_path: Path) -> None:
    path = _hall_toml(tmp_path, 'url = "https://hall.example/qinghe"')
    assert load_config(path).policy().rating_texts
    both = path.read_text("utf-8").replace('rating_url = ""', 'rating_url = "https://x.example/{prompt}"')
    path.write_text(both, "utf-8")
    with pytest.raises(TomlProblems) as told:
        load_config(path)
    assert any("rating_url" in line for line in told.value.problems)


def _hall_toml(folder: Path, table: str) -> Path:
    path = folder / "hall.toml"
    without = re.sub(r"(?ms)^\[rating_page\]\n.*?(?=^\[)", "", SHIPPED.read_text("utf-8"))
    path.write_text(without.replace("[broker]", f"[rating_page]\n{table}\n\n[broker]", 1), "utf-8")
    (folder / "guides").mkdir(exist_ok=True)
    return path


def test_a_page_that_nobody_can_reach_is_shown_by_no_panel(config: HallConfig) -> None:
    coordinator = Coordinator(config)
    assert coordinator.dispatch.rating_page == "http://hall.example:8601"
    coordinator.close_rating_page()
    assert coordinator.dispatch.rating_page == ""
    wanted = coordinator.alarms.wanted(coordinator.runtime.now())
    assert ("hall.rating_page_closed", "hall") in wanted
