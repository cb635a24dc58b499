"""The page in a real Chromium: take a ticket, call it, rate it, run out of paper, unplug and come back."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from simulator.hall_site import ROOT

pytestmark = [pytest.mark.broker, pytest.mark.browser]

ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
SLOW = 20_000
"""Milliseconds: a busy machine may take its time."""


async def chromium(playwright: object) -> Browser:
    """The machine's Chromium, else Playwright's own; skips where there is neither."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    kind = playwright.chromium  # type: ignore[attr-defined]
    if program is None and not Path(kind.executable_path).exists():
        pytest.skip("no Chromium on this machine")
    browser: Browser = await kind.launch(executable_path=program, args=ARGUMENTS)
    return browser


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """The demo as a stranger starts it."""
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "paihao.py"),
        "demo",
        "--folder",
        str(tmp_path / "demo"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert demo.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await demo.stdout.readline()).decode()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        yield found[0]
    finally:
        demo.terminate()
        async with asyncio.timeout(20):
            await demo.wait()
    assert demo.returncode == 0


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    problems: list[str] = []
    foreign: list[str] = []
    async with async_playwright() as playwright:
        browser = await chromium(playwright)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(SLOW)
        expect.set_options(timeout=SLOW)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda asked: (
                foreign.append(asked.url)
                if not asked.url.startswith((address, "data:", "ws://127.0.0.1"))
                else None
            ),
        )
        await page.goto(address)
        yield page
        await browser.close()
    assert problems == []
    assert foreign == [], "the page must not need anything from outside"


async def touch(page: Page, action: str) -> None:
    """A finger on the kiosk's glass, where the screen program has this target now; again until it is heard.

    A page that has only just come takes no touch: that one was meant for the page before.
    """
    glass = page.locator('[data-pane="kiosk"]')
    await glass.scroll_into_view_if_needed()
    for _ in range(10):
        key = page.locator(f'[data-target^="{action}"]').first
        await key.wait_for(state="attached")
        before, box = await glass.get_attribute("src"), await key.bounding_box()
        if box is None:
            continue  # the page has just turned
        await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        try:
            await expect(glass).not_to_have_attribute("src", before or "", timeout=2000)
            await expect(page.locator(f'[data-target="{action}"]')).to_have_count(0, timeout=500)
        except AssertionError:
            continue
        return
    raise AssertionError(f"{action} was not heard")


async def choose(page: Page) -> None:
    """A citizen touches: start, group, service; the page that asks to confirm stands then."""
    await touch(page, "start")
    await touch(page, "group:")
    await touch(page, "service:")


async def test_a_visitor_operates_the_hall(page: Page) -> None:
    """One stay at the desk; each step needs the one before."""
    dot = page.locator('[data-device$="/printer"]')
    await expect(dot).to_have_attribute("data-health", "ok")

    # a card of an elderly person offers priority by itself
    await choose(page)
    await expect(page.locator('[data-target="priority"]')).to_have_attribute(
        "aria-label", "老人、残疾人等优先"
    )
    await page.click('[data-act="card.lay"][data-arg="1"]')
    await expect(page.locator('[data-target="priority"]')).to_have_attribute("aria-label", "更改优先")
    await touch(page, "take")

    # paper, and on the glass a picture of the real program
    await expect(page.locator('[data-stat="printed"] b')).to_have_text("1")
    await page.locator('[data-target="finish"]').wait_for(state="attached")  # the hall knows of the paper
    await expect(page.locator('[data-counter="1"] .now')).to_contain_text("等候 1")
    picture = page.locator(".papers img").first
    assert await picture.evaluate("i => i.decode().then(() => i.naturalWidth)") > 300
    glass = page.locator('[data-pane="board"]')
    assert await glass.evaluate("i => i.decode().then(() => i.naturalWidth)") == 1280
    before = await glass.get_attribute("src")

    # call: panel, hall display, voice, LED dots
    await page.click('[data-act="key.1"][data-arg="next"]')
    called = page.locator('[data-counter="1"] .now b.num')
    await expect(called).to_have_text(re.compile(r"[A-Z]\d{3}"))
    number = await called.inner_text()
    await expect(glass).not_to_have_attribute("src", before or "")
    await expect(page.locator(".said")).to_contain_text(number)
    await page.wait_for_function(
        "() => { const c = document.getElementById('led-1'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let i = 0; i < d.length; i += 4) if (d[i] > 200 && d[i + 1] < 120) n++; return n > 200; }"
    )

    # rating
    await page.click('[data-act="key.1"][data-arg="finish"]')
    await expect(page.locator('[data-counter="1"] .lcd')).to_have_class(re.compile("ask"))
    await page.click('[data-act="rate.1"][data-arg="5"]')
    await expect(page.locator('[data-counter="1"] .lcd')).to_have_class(re.compile("thanks"))
    await expect(page.locator('[data-stat="rated"] b')).to_have_text("1")
    # and a text, behind the QR code
    code = page.locator('[data-counter="1"] a.phone')
    await expect(code).to_have_attribute(
        "href", re.compile(r"^http://127\.0\.0\.1:\d+/rate/[0-9a-f]{20}\?lang=zh-CN$")
    )
    async with page.expect_popup() as opened:
        await code.click()
    phone = await opened.value
    await phone.locator("textarea").fill("很好")
    await phone.locator("button").click()
    await expect(phone.locator("h1")).to_have_text("谢谢，意见已收到")
    await phone.close()

    # no paper: the number is taken from the screen, nothing printed, and paper again
    await page.click('[data-act="card.take"]')
    await touch(page, "finish")
    await page.click('[data-act^="way."][data-act$="/printer"][data-arg="paper_out"]')
    await expect(dot).to_have_attribute("data-health", "fault")
    await choose(page)
    await touch(page, "take")
    await touch(page, "agree")
    await touch(page, "finish")
    await expect(page.locator('[data-stat="printed"] b')).to_have_text("1")
    await page.click('[data-act^="way."][data-act$="/printer"][data-arg="paper_out"]')
    await expect(dot).to_have_attribute("data-health", "ok")
    await choose(page)
    await touch(page, "take")
    await expect(page.locator('[data-stat="printed"] b')).to_have_text("2")

    # unplugged and plugged in again
    strip = page.locator('[data-device="counter-2/strip"]')
    await page.click('[data-act="way.counter-2/strip"][data-arg="unplug"]')
    await expect(strip).to_have_attribute("data-health", "missing")
    await page.click('[data-act="way.counter-2/strip"][data-arg="unplug"]')
    await expect(strip).to_have_attribute("data-health", "ok")

    # kill -9 of an agent: seen, and back
    part = page.locator('[data-part="counter-3"]')
    await page.click('[data-act="part.kill"][data-arg="counter-3"]')
    await expect(part).to_contain_text("第 2 次启动")
    await expect(part).to_have_attribute("data-state", "ready")

    # a busy day begins and is ended
    await page.locator('input[data-act="day.speed"]').fill("100")
    await page.click('[data-act="day.start"]')
    await expect(page.locator('[data-stat="arrived"] b')).not_to_have_text("0")
    await expect(page.locator('[data-stat="printed"] b')).not_to_have_text("2")
    await page.click('[data-act="day.stop"]')
    # people on their way finish first
    await expect(page.locator('[data-act="day.start"]')).to_be_visible(timeout=3 * SLOW)

    # nothing stands there without a text
    for language in ("zh-CN", "en"):
        await page.goto(page.url.split("?")[0] + f"?lang={language}")
        await expect(page.locator('[data-part="screen_kiosk"]')).to_be_visible()
        await expect(page.locator("body")).not_to_contain_text("demo.")

    # on a large display and on a small one no screen stands over what is below it
    for width in (1280, 1600, 1920):
        await page.set_viewport_size({"width": width, "height": 900})
        below = await page.locator(".counters").bounding_box()
        for part in (".kiosk", ".outlet", '[data-pane="board"]', ".voice"):
            box = await page.locator(part).bounding_box()
            assert below is not None and box is not None
            assert box["y"] + box["height"] <= below["y"], (part, width)

    # in English as well
    await page.goto(page.url.split("?")[0] + "?lang=en")
    await expect(page.locator(".devices")).to_contain_text("Rating keypad")
