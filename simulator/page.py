"""The demo's one page: regions of HTML that are drawn anew when something on a wire changed.

The browser gets HTML per region, bitmaps of the LED strips (it draws and moves them itself) and addresses of
pictures and sound. Changes are collected for a tenth of a second; nothing is sent while nothing changes.
Touches and clicks come back as one event, "act", and are looked up by `Hall.act`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from nicegui import Client, ui

from simulator import page_bench, page_front
from simulator.hall_desk import HallDesk
from simulator.hall_site import PANES
from simulator.led_film import film
from simulator.words import Words
from wire.texts import LANGUAGES

log = logging.getLogger(__name__)

COALESCE_S: Final = 0.1
STATIC: Final = Path(__file__).parent / "static"
WEEK_S: Final = 7 * 86400


class View:
    """One browser tab: its regions, and which of them have to be drawn anew."""

    def __init__(self, desk: HallDesk, client: Client, language: str) -> None:
        self.words = Words(language)
        self._desk = desk
        self._client = client
        self._draw: dict[str, Callable[[], str]] = {}
        self._elements: dict[str, ui.html] = {}
        self._drawn: dict[str, str] = {}
        self._strips: dict[str, str] = {}
        self._sound = 0
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()

    def region(self, name: str, draw: Callable[[], str], classes: str = "", tag: str = "div") -> None:
        """A region at this place of the page."""
        self._draw[name] = draw
        self._drawn[name] = draw()
        self._elements[name] = ui.html(self._drawn[name], sanitize=False, tag=tag).classes(classes)

    def mark(self, name: str) -> None:
        """This region, strip ("strip:…") or sound may have changed."""
        self._dirty.add(name)
        self._wake.set()

    async def push(self) -> None:
        """Send what changed, for as long as the tab is there."""
        await self._client.connected()
        for counter in self._desk.site.counters:
            self.mark(f"strip:{counter}")
        for pane in self._desk.site.panes:
            self.mark(f"pane:{pane}")
        while True:
            await self._wake.wait()
            await asyncio.sleep(COALESCE_S)
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                with self._client:
                    for name in sorted(dirty):
                        self._send(name)
            except Exception:
                # One region that cannot be drawn must not end the page.
                log.exception("drawing the page")

    def _send(self, name: str) -> None:
        if name.startswith("strip:"):
            self._send_strip(name.partition(":")[2])
        elif name == "sound":
            self._send_sound()
        elif name.startswith("pane:"):
            self._send_pane(name.partition(":")[2])
        elif name in self._draw:
            html = self._draw[name]()
            if html != self._drawn[name]:
                self._drawn[name] = html
                self._elements[name].set_content(html)

    def _send_strip(self, counter: str) -> None:
        picture = film(self._desk.site.strip(counter))
        dots = base64.b64encode(picture.dots).decode()
        sizes = (picture.view, picture.width, picture.height)
        call = f"paihao.strip({json.dumps(f'led-{counter}')},{','.join(map(str, sizes))},{json.dumps(dots)},"
        call += f"{picture.speed:.2f},{picture.blink_s * 1000:.0f})"
        if self._strips.get(counter) != call:
            self._strips[counter] = call
            self._client.run_javascript(call)

    def _send_pane(self, name: str) -> None:
        pane = self._desk.site.panes[name]
        if pane.picture:
            self._client.run_javascript(
                f"paihao.pane('{name}','/pane/{name}/{pane.version}.png',{pane.targets})"
            )

    def _send_sound(self) -> None:
        number = self._desk.sounds
        if number != self._sound:
            self._sound = number
            self._client.run_javascript(f"paihao.play('/sound/{number}.wav')")


def build(desk: HallDesk) -> FastAPI:
    """The web application of one desk."""
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/static", StaticFiles(directory=STATIC), name="static")

    @web.get("/paper/{number}.png")
    async def paper(number: int) -> Response:
        picture = await desk.paper_png(number)
        return _file(picture, "image/png")

    @web.get("/pane/{name}/{version}.png")
    async def pane(name: str, version: int) -> Response:
        found = desk.site.panes.get(name)
        return Response(found.picture if found else b"", 200 if found else 404, media_type="image/png")

    @web.get("/sound/{number}.wav")
    async def sound(number: int) -> Response:
        return _file(desk.sound(number), "audio/wav")

    @web.get("/font/sc.otf")
    async def font() -> Response:
        return _file(await desk.font(), "font/otf")

    @ui.page("/", title="排号 Paihao", language="zh-CN")
    async def page(client: Client, lang: str = LANGUAGES[0]) -> None:
        view = View(desk, client, lang if lang in LANGUAGES else LANGUAGES[0])
        _frame(desk, view)
        desk.views.add(view)
        task = asyncio.create_task(view.push(), name="page")

        def gone() -> None:
            desk.views.discard(view)
            task.cancel()

        client.on_delete(gone)

    @web.get("/favicon.ico")
    async def icon() -> Response:
        return RedirectResponse("/static/icon.svg")

    ui.run_with(
        web,
        title="排号 Paihao",
        favicon=str(STATIC / "icon.svg"),
        binding_refresh_interval=None,
        tailwind=False,
        show_welcome_message=False,
        gzip_middleware_factory=None,
    )
    return web


def _file(content: bytes | None, kind: str) -> Response:
    if content is None:
        return Response(status_code=404)
    return Response(content, media_type=kind, headers={"Cache-Control": f"max-age={WEEK_S}"})


def _frame(desk: HallDesk, view: View) -> None:
    """Everything of the page in its place."""
    site, words = desk.site, view.words
    ui.add_head_html('<link rel="stylesheet" href="/static/page.css">')
    ui.add_body_html('<script src="/static/page.js"></script>')
    ui.on("act", lambda event: _act(desk, event.args))
    with ui.element("div").classes("hall"):
        view.region("top", lambda: page_bench.top(site, words, len(desk.alarms)), "top")
        with ui.element("div").classes("day"):
            ui.html(page_bench.speed(desk.busy, words), sanitize=False).classes("speed")
            view.region("day", lambda: page_bench.day(site, desk.busy, words), "daylive")
        with ui.element("div").classes("front"):
            with ui.element("div").classes("kiosk"):
                _pane("kiosk")
                view.region("tray", lambda: page_front.tray(site, words), "tray")
            view.region("outlet", lambda: page_front.outlet(site, words), "outlet")
            with ui.element("div").classes("wall"):
                _pane("board")
                with ui.element("div").classes("card voice"):
                    view.region("voice", lambda: page_front.voice(site, words), "said")
                    ui.html(page_front.sound(words), sanitize=False).classes("soundbox")
        with ui.element("div").classes("counters"):
            for counter in site.counters:
                _counter(desk, view, counter)
        with ui.element("div").classes("bench"):
            with ui.element("div").classes("card devices"):
                ui.html(page_bench.devices_title(words), sanitize=False)
                with ui.element("div").classes("nodes"):
                    for node in site.nodes:
                        view.region(f"devices:{node}", partial(page_bench.devices, site, node, words), "node")
            with ui.element("div").classes("rightcol"):
                view.region("alarms", lambda: page_bench.alarms(desk.alarms, words), "card box")
                view.region("parts", lambda: page_bench.parts(site, words), "card box")


def _pane(name: str) -> None:
    """The glass of a screen program; a click on it is a touch."""
    wide, high = next(size for screen, size, _ in PANES.values() if screen == name).split("x")
    # With its size there is room for it before the first picture.
    glass = f'<img data-pane="{name}" alt="{name}" width="{wide}" height="{high}" draggable="false">'
    ui.html(glass, sanitize=False).classes("pane")


def _counter(desk: HallDesk, view: View, counter: str) -> None:
    site, words = desk.site, view.words
    with ui.element("div").classes("card counter").props(f'data-counter="{counter}"'):
        strip = site.strip(counter)
        ratio = f"aspect-ratio:{strip.width}/{strip.height}"
        ui.html(f'<canvas id="led-{counter}" style="{ratio}"></canvas>', sanitize=False).classes("led")
        view.region(f"face:{counter}", partial(page_front.face, site, counter, words), "now")
        with ui.element("div").classes("pads"):
            view.region(f"keys:{counter}", partial(page_front.keys, site, counter, words), "keypad")
            view.region(
                f"rating:{counter}",
                lambda: page_front.rating(site, counter, words, counter in desk.thanking),
                "rating",
            )


def _act(desk: HallDesk, arguments: Any) -> None:
    if isinstance(arguments, list):
        arguments = arguments[0] if arguments else {}
    desk.act(str(arguments.get("act", "")), str(arguments.get("arg", "")))
