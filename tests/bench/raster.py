"""A whole ticket as dots: ours from scratch, ours with what is kept, and Pillow + python-escpos' `image()`.

The three take turns in one run, each with a new number, number of people waiting, time and QR code. Beside
them the same ticket as text, and the bytes of both. "From scratch" forgets every line and glyph before a
ticket (not the fonts: opening them takes 30 ms and happens once); a dozen that are not counted follow.

The peer draws what we draw: the same lines at the same places in Noto Sans CJK by `ImageDraw.text`, the code
by the `qrcode` package that python-escpos brings, then `image(impl="bitImageRaster")` with its defaults.
"image() alone" is the last step without the drawing.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results import Results, percentile

from drivers.ticket_printer import raster_text, ticket_dots
from drivers.ticket_printer.escpos_frames import CELL_HEIGHT, DOTS_PER_COLUMN
from drivers.ticket_printer.escpos_ticket import Job, TicketWriter
from drivers.ticket_printer.layout import Layout, TicketLine
from drivers.ticket_printer.layout_file import load_layout
from drivers.ticket_printer.protocol import Paper

COLUMNS = 48
AIM = 10.0
"""So many times faster than Pillow + python-escpos' `image()`."""


def _paper(index: int) -> Paper:
    values = {
        "language": "zh-CN",
        "hall": "北城区政务服务中心",
        "service": "居民身份证申领、换领、补领",
        "waiting": str(index % 40),
        "zone": "A区",
        "counters": "3、4、5号窗口",
        "directions": "二楼电梯右侧",
        "time": f"2026-11-21 {9 + index // 60 % 8:02}:{index % 60:02}",
        "notes": "过号三次后作废，请留意叫号。",
    }
    return Paper(f"A{index % 1000:03}", values, f"https://hall.example/t/{index:08x}")


def _forget() -> None:
    ticket_dots.forget_drawn()
    raster_text.glyph.cache_clear()


def _size(job: Job) -> int:
    return sum(map(len, job.chunks)) + len(job.cut)


class Peer:
    """Pillow and python-escpos as its documentation shows them."""

    def __init__(self) -> None:
        from escpos.printer import Dummy

        self._dummy: Any = Dummy(profile="default")
        self.image_s = 0.0

    def ticket(self, lines: list[TicketLine]) -> bytes:
        import qrcode
        from PIL import Image, ImageDraw

        codes = {}
        height = 0
        for line in lines:
            if line.kind == "qr":
                code = qrcode.QRCode(
                    border=0, box_size=line.module, error_correction=qrcode.constants.ERROR_CORRECT_M
                )
                code.add_data(line.text)
                codes[line] = code.make_image().get_image()
                height += line.space + codes[line].height
            else:
                height += line.space + ticket_dots.pitch(line)
        picture = Image.new("1", (COLUMNS * DOTS_PER_COLUMN, height), 1)
        draw = ImageDraw.Draw(picture)
        y = 0
        for line in lines:
            y += line.space
            middle = picture.width // 2
            if line.kind == "qr":
                picture.paste(codes[line], (middle - codes[line].width // 2, y))
                y += codes[line].height
                continue
            font = raster_text.noto(round(CELL_HEIGHT * line.height * 0.92))
            stroke = 0.3 * line.height if line.bold else 0
            at, anchor = ((middle, y), "mt") if line.align == "center" else ((0, y), "lt")
            draw.text(at, line.text, font=font, anchor=anchor, fill=0, stroke_width=stroke)
            y += ticket_dots.pitch(line)
        start = time.thread_time()
        self._dummy.clear()
        with contextlib.redirect_stdout(io.StringIO()):  # it complains there of the profile
            self._dummy.image(picture, impl="bitImageRaster")
        self._dummy.cut()
        self.image_s = time.thread_time() - start
        output: bytes = self._dummy.output
        return output


def _timed(do: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of this thread's own work: what other programs take away meanwhile is not counted."""
    start = time.thread_time()
    done = do()
    return time.thread_time() - start, done


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    """Print times, ratios and bytes."""
    rounds = 40 if quick else 300
    layout: Layout = load_layout("standard")
    dots = TicketWriter("default", "full", columns=COLUMNS, mode="raster")
    text = TicketWriter("default", "full", columns=COLUMNS, mode="text")
    peer = Peer()
    taken: dict[str, list[float]] = {name: [] for name in ("scratch", "kept", "text", "peer", "image")}
    kept_bytes: list[int] = []
    text_bytes: list[int] = []
    peer_bytes: list[int] = []
    for index in range(-3, rounds):  # three to warm up
        kept, job = _timed(lambda: dots.job(layout.lines(_paper(3 * index + 1), COLUMNS)))
        as_text, text_job = _timed(lambda: text.job(layout.lines(_paper(3 * index + 1), COLUMNS)))
        theirs, sent = _timed(lambda: peer.ticket(layout.lines(_paper(3 * index + 2), COLUMNS)))
        _forget()
        scratch, _ = _timed(lambda: dots.job(layout.lines(_paper(3 * index), COLUMNS)))
        for number in range(0, 111, 10):  # every digit in every place, as after a morning
            dots.job(layout.lines(_paper(1000 + number + number // 10), COLUMNS))
        if index < 0:
            continue
        for name, value in zip(taken, (scratch, kept, as_text, theirs, peer.image_s), strict=True):
            taken[name].append(value)
        kept_bytes.append(_size(job))
        text_bytes.append(_size(text_job))
        peer_bytes.append(len(sent))
    median = {name: statistics.median(values) for name, values in taken.items()}
    _add(results, "raster ticket, from scratch", taken["scratch"], median["peer"] / median["scratch"])
    _add(results, "raster ticket, what is kept used", taken["kept"], median["peer"] / median["kept"], aim=AIM)
    _add(results, "raster ticket, Pillow + python-escpos image()", taken["peer"], 1.0)
    _add(results, "  of it python-escpos image() alone", taken["image"], median["peer"] / median["image"])
    _add(results, "text ticket", taken["text"], median["peer"] / median["text"])
    results.add("image() alone beside our whole ticket", median["image"] / median["kept"], "times", n=rounds)
    results.add("bytes, raster ticket", statistics.median(kept_bytes), "bytes", n=rounds)
    results.add("bytes, text ticket", statistics.median(text_bytes), "bytes", n=rounds)
    results.add("bytes, python-escpos image()", statistics.median(peer_bytes), "bytes", n=rounds)


def _add(results: Results, name: str, values: list[float], times: float, **more: object) -> None:
    results.add(
        name,
        statistics.median(values) * 1000,
        "ms",
        n=len(values),
        p10=percentile(values, 0.1) * 1000,
        p90=percentile(values, 0.9) * 1000,
        p99=percentile(values, 0.99) * 1000,
        times_faster=times,
        **more,
    )
