"""The pages that a phone gets behind the rating panel's QR code, as HTML: pure functions.

Plain HTML with a form: no script, nothing from elsewhere, so that an old WebView shows it as well. The style
is allowed by its hash; "unsafe-inline" is for browsers that know no hashes, all others pass over it.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Final

from hall.queue.texts import LETTERS
from wire.messages import LocalText
from wire.texts import available, local, text

MAX_POINTS: Final = 4 * LETTERS
"""Where the browser stops typing, in UTF-16 units. An emoji has some: what is too long is said by us."""

INK: Final = "#1a1a1a"
PAPER: Final = "#ffffff"
SOFT: Final = "#4a4a4a"
ACCENT: Final = "#0b4282"
WRONG: Final = "#8c1010"
"""Each on PAPER, and PAPER on ACCENT, with a contrast of 7:1 at least."""

STYLE: Final = f"""
html {{ -webkit-text-size-adjust: 100%; }}
body {{ margin: 0; background: {PAPER}; color: {INK}; font: 20px/1.5 sans-serif; }}
main {{ max-width: 560px; margin: 0 auto; padding: 20px 20px 32px; word-wrap: break-word; }}
h1 {{ font-size: 28px; line-height: 1.3; margin: 8px 0 16px; }}
p {{ margin: 0 0 16px; }}
.soft {{ color: {SOFT}; }}
.wrong {{ color: {WRONG}; font-weight: bold; border-left: 6px solid {WRONG}; padding-left: 12px;
  margin: 16px 0; }}
.about {{ border-top: 2px solid {ACCENT}; border-bottom: 2px solid {ACCENT}; padding: 12px 0; }}
.about p {{ margin: 0; }}
.about p + p {{ margin-top: 8px; }}
.about strong {{ font-size: 22px; }}
label {{ display: block; font-weight: bold; margin: 16px 0 8px; }}
textarea {{ display: block; margin: 0 0 8px; box-sizing: border-box; width: 100%; height: 165px;
  padding: 12px; color: {INK}; background: {PAPER}; font: 22px/1.5 sans-serif;
  border: 2px solid {SOFT}; border-radius: 8px; }}
button {{ display: block; width: 100%; min-height: 64px; margin: 16px 0; padding: 12px; color: {PAPER};
  background: {ACCENT}; font: bold 24px/1.3 sans-serif; border: 0; border-radius: 8px;
  -webkit-appearance: none; }}
textarea:focus, button:focus, a:focus {{ outline: 4px solid {ACCENT}; outline-offset: 2px; }}
.languages {{ float: right; margin: -12px 0 0; }}
.languages a {{ display: inline-block; color: {ACCENT}; padding: 12px 0 12px 20px; }}
"""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "style-src 'unsafe-inline' 'sha256-"
        + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        + "'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    # A phone asks once or twice: nobody holds a place that another one could have.
    "Connection": "close",
}
"""Of every answer."""


@dataclass(frozen=True, slots=True)
class About:
    """The service that a text is about, in public words. `last`: the last day on which one can be written."""

    service: LocalText
    counter: LocalText
    day: date
    last: date


def form(hall: LocalText, about: About, language: str, *, written: str = "", wrong: str = "") -> str:
    """The page on which a text is written. `written`: what stands there; `wrong`: why it is shown again."""
    what = "".join(
        f'<p><span class="soft">{_said(f"rate_page.{key}", language)}</span><br>'
        f"<strong>{escape(value)}</strong></p>"
        for key, value in (
            ("service", local(about.service, language)),
            ("counter", f"{local(about.counter, language)} · {_day(about.day, language)}"),
        )
    )
    complaint = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    # The parser takes one line end behind the tag away: this one, not the writer's.
    return _page(
        hall,
        text("rate_page.title", language),
        f'<div class="about">{what}</div>{complaint}'
        f'<form method="post" action="?lang={escape(language)}" accept-charset="utf-8">'
        f'<label for="text">{_said("rate_page.label", language, letters=LETTERS)}</label>'
        f'<textarea id="text" name="text" required maxlength="{MAX_POINTS}" aria-describedby="private">\n'
        f"{escape(written)}</textarea>"
        f'<p id="private" class="soft">{_said("rate_page.private", language)}</p>'
        f'<button type="submit">{_said("rate_page.send", language)}</button></form>'
        f'<p class="soft">{_said("rate_page.once", language, day=_day(about.last, language))}</p>'
        f'<p class="soft">{_said("rate_page.grade", language)}</p>',
        language,
    )


def notice(hall: LocalText, key: str, language: str) -> str:
    """A page that says one thing: the texts `rate_page.{key}` and `rate_page.{key}_do`."""
    words = f"<p>{_said(f'rate_page.{key}_do', language)}</p>"
    return _page(hall, text(f"rate_page.{key}", language), words, language)


def _page(hall: LocalText, title: str, body: str, language: str) -> str:
    others = "".join(
        f'<a href="?lang={escape(code)}" lang="{escape(code)}">{escape(name)}</a>'
        for code, name in available().items()
        if code != language
    )
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="format-detection" content="telephone=no">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f'<body><main><p class="languages">{others}</p><p class="soft">{escape(local(hall, language))}</p>'
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def _said(key: str, language: str, **values: object) -> str:
    return escape(text(key, language, **values))


def _day(day: date, language: str) -> str:
    return text(f"time.month_{day.month}", language, day=day.day)
