"""What the public and the clerks see, as HTML: papers, card tray, hall display, voice, counters.

Each function draws one region of the page from what came over a wire: bytes at the fakes, the screens'
links. Regions are drawn anew when something in them changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.card_reader.synthetic_cards import SyntheticCard, synthetic_cards
from simulator.bookings import booked_card
from simulator.words import Words, esc

if TYPE_CHECKING:
    from simulator.hall_site import HallSite

PAPERS_SHOWN: Final = 4

CALL_KEYS: Final = (
    "next",
    "recall",
    "finish",
    "no_show",
    "transfer",
    "park",
    "unpark",
    "pause",
    "open",
    "close",
)
"""In the order in which they lie on the keypad."""

_HORN: Final = (
    '<svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round"><path d="M4 9v6h4l6 5V4L8 9H4z"/>'
    '<path d="M17.5 8.5a5 5 0 0 1 0 7M20 6a9 9 0 0 1 0 12"/></svg>'
)

_TRAY: Final = ("citizen", "elder", "child", "resident", "resident_elder", "foreigner", "foreigner_new")


def outlet(site: HallSite, words: Words) -> str:
    """The printer's slot and the newest papers, drawn by the fake from its bytes."""
    newest = list(site.papers)[-PAPERS_SHOWN:][::-1]
    images = "".join(
        f'<img src="/paper/{number}.png" alt="{words.html("paper")}"{" class=fresh" if not index else ""}>'
        for index, (number, _) in enumerate(newest)
    )
    body = images or f'<div class="none">{words.html("no_paper_yet")}</div>'
    return (
        f'<div class="h">{words.html("printer")}<span class="right num">'
        f"{words.html('papers_out', count=site.papers_out)}</span></div>"
        f'<div class="slot"></div><div class="papers" id="papers">{body}</div>'
    )


def tray(site: HallSite, words: Words) -> str:
    """The cards of people who do not exist, and the reader on which one may lie."""
    lying = site.card_reader.card
    cards = synthetic_cards()
    if lying is None:
        pad = f'<div class="pad" data-drop="card.lay">{words.html("lay_here")}</div>'
    else:
        pad = (
            '<div class="pad" data-drop="card.lay"><button class="idcard lying" data-act="card.take">'
            f"{_card(lying, words, cards)}</button></div>"
        )
    buttons = "".join(
        f'<button class="idcard" draggable="true" data-act="card.lay" data-card="{index}" data-arg="{index}"'
        f"{' disabled' if card == lying else ''}>{_card(card, words, cards)}</button>"
        for index, card in enumerate(cards)
    )
    return f'{pad}<div class="cards" title="{words.html("synthetic")}">{buttons}</div>'


def _card(card: SyntheticCard, words: Words, cards: tuple[SyntheticCard, ...]) -> str:
    kind = words(f"card_{_TRAY[cards.index(card)]}") if card in cards else ""
    if card == booked_card():
        kind += " · " + words("card_booked")
    return f"<b>{esc(card.name or card.english_name.split(',')[0])}</b><span>{esc(kind)}</span>"


def voice(site: HallSite, words: Words) -> str:
    """What the loudspeaker says, or said last. The sound itself is played by the audio element."""
    speaker = site.voice
    if speaker is None:
        return ""
    playing = speaker.playing
    last = speaker.played[-1] if speaker.played else None
    said = playing or (last.text if last is not None else words("nothing_said"))
    less = words("voice_count", count=speaker.count)
    if speaker.speed > 1.5:
        less += " · " + words("voice_fast", speed=round(speaker.speed))
    return (
        f'<div class="horn{" on" if playing else ""}">{_HORN}</div>'
        f'<div class="text">{esc(said)}<small class="num">{esc(less)}</small></div>'
    )


def sound(words: Words) -> str:
    """The audio element; it plays when the visitor wants it to."""
    return (
        '<audio id="sound" preload="auto" data-on="0"></audio>'
        f'<label class="soundon"><input type="checkbox" id="sound-on">{words.html("sound_on")}</label>'
    )


def face(site: HallSite, counter: str, words: Words) -> str:
    """The clerk's panel of a counter: who is here, what waits."""
    screen = site.counter_screen(counter)
    shown = screen.counter
    if not screen.connected or shown is None:
        name = words.html("counter", counter=counter)
        return f'<div class="who">{name}</div><span class="tag stale">{words.html("no_agent")}</span>'
    state = "stale" if screen.stale else shown.state
    number = f"<b class='num'>{esc(shown.number)}</b>" if shown.number else ""
    service = words.local(shown.service_name) if shown.service_name else ""
    less = words("counter_waiting", count=shown.waiting)
    if shown.parked:
        less += " · " + words("counter_parked", count=shown.parked)
    return (
        f'<div class="who">{esc(words.local(shown.name))}</div>'
        f'<span class="tag {state}">{words.html(f"state_{state}")}</span>'
        f'<div class="what">{number}{esc(service)}<br><span class="num">{esc(less)}</span></div>'
    )


def keys(site: HallSite, counter: str, words: Words) -> str:
    """The call keypad. Its keys are pressed on the fake; a lit key means something now."""
    pad = site.call_keypad(counter)
    kinds = {"next": " main", "finish": " done"}
    return "".join(
        f'<button class="key{kinds.get(key, "")}" data-act="key.{counter}" data-arg="{key}">'
        f"{words.html(f'key_{key}')}</button>"
        for key in CALL_KEYS
        if key in pad.key_names
    )


def rating(site: HallSite, counter: str, words: Words, thanking: bool) -> str:
    """The rating keypad: its lights and prompt as the fake decoded them. `thanking`: it thanks just now."""
    pad = site.rating_keypad(counter)
    # this model lights its keys by itself while it asks, unless it was told which
    lit = pad.lights or (frozenset("12345") if pad.prompting else frozenset())
    if thanking:
        lcd, kind = words("rating_thanks"), " thanks"
    elif pad.prompting:
        lcd, kind = words("rating_ask"), " ask"
    else:
        lcd, kind = words("rating_idle"), ""
    grades = "".join(
        f'<button class="grade{" lit" if str(grade) in lit else ""}{" low" if grade < 3 else ""}" '
        f'data-act="rate.{counter}" data-arg="{grade}"><b>{grade}</b>{words.grade(grade)}</button>'
        for grade in (5, 4, 3, 2, 1)
    )
    text = _text_code(site.counter_screen(counter).text_url, words)
    return f'<div class="lcd{kind}">{esc(lcd)}</div><div class="grades">{grades}</div>{text}'


def _text_code(url: str, words: Words) -> str:
    """The QR code of a rating panel, which can be clicked as well: this browser is the phone."""
    if not url:
        return ""
    import segno

    code = segno.make(url, error="m", micro=False).svg_inline(scale=2, border=4, light="#fff")
    link = f'<a class="phone" href="{esc(url)}?lang={words.language}" target="_blank" rel="noopener">'
    return f"{link}{code}<span>{words.html('rating_text')}</span></a>"
