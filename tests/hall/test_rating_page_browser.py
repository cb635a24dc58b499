"""The page for texts in a real Chromium of a phone's size, with scripts switched off."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Page, async_playwright, expect

from hall.config import RatingPage, load_config
from hall.coordinator import Coordinator
from hall.queue.state import Prompt
from hall.rating_page import RatingPage as TextPage
from hall.server import PublicServer
from wire.texts import text

pytestmark = pytest.mark.browser

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
SLOW = 20_000
"""Milliseconds: a busy machine may take its time."""
LONG = {
    "zh-CN": "城乡居民基本养老保险与城镇职工基本养老保险关系跨省转移接续（含军队退役人员）申请受理",
    "en": "Transfer of basic pension insurance relations between provinces, including veterans’ accounts",
}

_READ = """() => {
  const lum = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!c.startsWith('rgba(') ) return c; } return 'rgb(255, 255, 255)'; };
  const texts = [];
  for (const e of document.querySelectorAll('main *')) {
    const words = [...e.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
    if (!words.length && e.tagName !== 'TEXTAREA') continue;
    const style = getComputedStyle(e), [a, b] = [lum(style.color), lum(behind(e))].sort((x, y) => y - x);
    const box = e.getBoundingClientRect();
    texts.push({ what: e.tagName + ' ' + e.textContent.slice(0, 20), contrast: (a + 0.05) / (b + 0.05),
      size: parseFloat(style.fontSize), left: box.left, right: box.right, height: box.height });
  }
  return { texts, wide: document.documentElement.scrollWidth, tall: document.documentElement.scrollHeight };
}"""


@dataclass
class Phone:
    page: Page
    prompt: Prompt
    address: str
    coordinator: Coordinator

    async def look(self, name: str) -> None:
        """What is on it can be read: large, dark on light, nothing beside the screen."""
        read = await self.page.evaluate(_READ)
        assert read["wide"] <= 360 and len(read["texts"]) >= 3
        for shown in read["texts"]:
            assert shown["contrast"] >= 7, shown
            assert shown["size"] >= 20, shown
            assert shown["left"] >= 0 and shown["right"] <= 360, shown
        folder = os.environ.get("PAIHAO_PICTURES")
        if folder:
            await self.page.screenshot(path=str(Path(folder) / f"rate-{name}.png"), full_page=True)


def fonts(folder: Path) -> str:
    """Every phone has Chinese type; the machine that tests may have none."""
    import noto_cjk_sans_otc

    path = folder / "fonts.conf"
    path.write_text(
        f"""<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
        <dir>/usr/share/fonts</dir><dir>{Path(noto_cjk_sans_otc.__file__).parent}</dir>
        <cachedir>{folder / "fonts"}</cachedir></fontconfig>""",
        "utf-8",
    )
    return str(path)


@pytest.fixture(params=["zh-CN", "en"])
async def phone(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Phone]:
    """Somebody has been served, and has just opened the page of the code on the panel."""
    config = load_config(SHIPPED)
    services = tuple(
        msgspec.structs.replace(one, name=LONG) if one.id == "pension" else one for one in config.services
    )
    config = msgspec.structs.replace(
        config,
        hall=msgspec.structs.replace(config.hall, storage=str(tmp_path / "hall.db")),
        rating_page=RatingPage(url="http://hall.example:8601"),
        services=services,
    )
    coordinator = Coordinator(config)
    runtime = coordinator.runtime
    await runtime.start()
    await runtime.issue("pension")
    await runtime.press("3", "next", None)
    await runtime.press("3", "finish", runtime.state.counters["3"].ticket)
    (prompt,) = runtime.state.prompts.values()
    public = PublicServer(TextPage(coordinator).app, "127.0.0.1", 0)
    await public.start()
    home = f"http://127.0.0.1:{public.port}/"
    problems: list[str] = []
    try:
        async with async_playwright() as playwright:
            program = shutil.which("chromium") or shutil.which("chromium-browser")
            if program is None and not Path(playwright.chromium.executable_path).exists():
                pytest.skip("no Chromium on this machine")
            browser = await playwright.chromium.launch(
                executable_path=program,
                args=ARGUMENTS,
                env={**os.environ, "FONTCONFIG_FILE": fonts(tmp_path)},
            )
            context = await browser.new_context(
                viewport={"width": 360, "height": 800},
                locale=request.param,
                java_script_enabled=False,
                is_mobile=True,
                has_touch=True,
                device_scale_factor=2,
            )
            page = await context.new_page()
            page.set_default_timeout(SLOW)
            expect.set_options(timeout=SLOW)
            page.on(
                "request",
                lambda asked: None if asked.url.startswith((home, "data:")) else problems.append(asked.url),
            )
            page.on(
                "console", lambda said: problems.append(said.text) if "status of 4" not in said.text else None
            )
            address = f"{home}rate/{prompt.page}"
            await page.goto(address)
            yield Phone(page, prompt, address, coordinator)
            await browser.close()
        assert problems == [], "nothing from elsewhere, nothing that the page's own policy forbids"
    finally:
        await public.stop()
        await runtime.stop()


async def test_a_text_is_typed_sent_and_thanked_for(phone: Phone, request: pytest.FixtureRequest) -> None:
    language = request.node.callspec.params["phone"]
    page = phone.page

    def said(key: str, **values: object) -> str:
        return text(f"rate_page.{key}", language, **values)

    await expect(page.locator("h1")).to_have_text(said("title"))
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect(page.locator(".about")).to_contain_text(LONG[language])
    await phone.look(f"form-{language}")
    send = page.get_by_role("button", name=said("send"))
    area = page.get_by_label(said("label", letters=500))
    for target in (send, area, page.locator(".languages a")):
        box = await target.bounding_box()
        assert box is not None and box["height"] >= 48

    await area.fill("好" * 501)
    await send.tap()
    await expect(page.get_by_role("alert")).to_have_text(said("long", count=501, letters=500))
    await expect(area).to_have_value("好" * 501)
    await phone.look(f"long-{language}")

    words = "老师很耐心，一次办好了 👍🏽\n谢谢！"
    await area.fill(words)
    await send.tap()
    await expect(page.locator("h1")).to_have_text(said("thanks"))
    await phone.look(f"thanks-{language}")
    assert phone.prompt.text == words
    await page.reload()
    await page.goto(phone.address)
    await expect(page.locator("h1")).to_have_text(said("thanks"))
    assert phone.coordinator.runtime.state.texts == 1

    await page.goto(phone.address[:-1] + "g")
    await expect(page.locator("h1")).to_have_text(said("over"))
    await phone.look(f"over-{language}")


async def test_the_other_language_is_a_link_away(phone: Phone, request: pytest.FixtureRequest) -> None:
    other = {"zh-CN": "en", "en": "zh-CN"}[request.node.callspec.params["phone"]]
    page = phone.page
    await page.locator(".languages a").tap()
    await expect(page.locator("h1")).to_have_text(text("rate_page.title", other))
    await page.locator("textarea").fill("ok")
    await page.locator("button").tap()
    await expect(page.locator("h1")).to_have_text(text("rate_page.thanks", other))
