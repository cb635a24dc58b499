"""Guides at a kiosk: the list, one whole, what to bring on paper; the playlist; and speech."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from device.stations import guides
from drivers.errors import LineLostError
from drivers.ticket_printer.protocol import NoteLine, PrintResult
from drivers.voice.protocol import SpeakResult
from wire.messages import TicketPrinted
from wire.screen_link import (
    AskGuide,
    GuidePrinted,
    GuideShown,
    GuidesShown,
    KioskState,
    PlaylistShown,
    PrintGuide,
    Speak,
)
from wire.shown import Guide, GuideList, GuideMaterial, GuideTitle, Playlist, PlaylistItem

TITLE = GuideTitle(guide="id-card", name={"zh-CN": "换领身份证", "en": "New ID card"}, initials="hlsfz")
GUIDE = Guide(
    guide="id-card",
    name=TITLE.name,
    materials=(
        GuideMaterial(name={"zh-CN": "户口簿", "en": "Household register"}),
        GuideMaterial(name={"zh-CN": "照片"}, note={"zh-CN": "白底"}, original=False, copies=2),
        GuideMaterial(name={"zh-CN": "原身份证", "en": "Old card"}, copies=1),
        GuideMaterial(name={"zh-CN": "申请表"}, original=False),
    ),
    time_limit={"zh-CN": "20 个工作日"},
    phone="12345",
)


def retained(kiosk: Any, *messages: Any) -> None:
    for message in messages:
        kiosk.runner.on_retained("", message, {})


def listed(rev: int, *titles: GuideTitle, epoch: int = 1) -> GuideList:
    return GuideList(epoch=epoch, rev=rev, guides=titles)


async def guide(kiosk: Any, id: str = "id-card") -> Any:
    before = len(kiosk.room.screen.of(GuideShown))
    await kiosk.says(AskGuide(guide=id))
    return (await kiosk.shown(GuideShown, before + 1)).guide


async def test_guides_are_there_after_a_start_without_the_hall(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guides, "KEEP_S", 0.0)
    retained(kiosk_room, GUIDE, listed(7, TITLE))
    async with asyncio.timeout(5):
        while await kiosk_room.room.storage.kept(guides.KEY) is None:
            await asyncio.sleep(0.001)
    again = guides.GuideDesk(kiosk_room.room.node, kiosk_room.room.printer, kiosk_room.runner._show)
    await again.start()
    assert again.shown() == GuidesShown(guides=(TITLE,))
    again.ask(AskGuide(guide="id-card"))
    assert kiosk_room.room.screen.of(GuideShown)[-1].guide == GUIDE
    # a hall's server that was set up anew counts from the beginning
    again.on_retained(listed(1))
    assert again.shown() == GuidesShown(guides=())


async def test_guides_that_are_no_guides_or_too_many_for_the_disk_are_not_kept(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await kiosk_room.room.storage.keep(guides.KEY, b"{}")
    await kiosk_room.runner.start()
    assert "not readable" in caplog.text
    monkeypatch.setattr(guides, "KEEP_S", 0.0)
    monkeypatch.setattr(guides, "KEPT_BYTES", 10)
    retained(kiosk_room, listed(1, TITLE), GUIDE)
    await kiosk_room.room.until(lambda: "are not kept" in caplog.text)


def test_the_kiosk_reads_the_halls_guides_and_playlist(kiosk_room: Any) -> None:
    names = [name for name, ids in kiosk_room.runner.topics if ids == {}]
    assert {"guides", "guide", "playlist"} <= set(names)


@pytest.mark.parametrize("list_first", [True, False])
async def test_guides_come_in_any_order(kiosk_room: Any, list_first: bool) -> None:
    messages = [listed(1, TITLE), GUIDE]
    retained(kiosk_room, *(messages if list_first else reversed(messages)))
    assert GuidesShown(guides=(TITLE,)) in kiosk_room.runner.whole()
    assert (await kiosk_room.shown(GuidesShown)).guides == (TITLE,)
    assert await guide(kiosk_room) == GUIDE
    assert await guide(kiosk_room, "other") is None


async def test_a_guide_that_is_not_in_the_list_is_old_and_an_older_list_is_ignored(kiosk_room: Any) -> None:
    retained(kiosk_room, listed(1, TITLE), GUIDE, listed(2), listed(1, TITLE))
    assert (await kiosk_room.shown(GuidesShown, 2)).guides == ()
    assert len(kiosk_room.room.screen.of(GuidesShown)) == 2
    assert await guide(kiosk_room) is None
    retained(kiosk_room, listed(1, TITLE, epoch=2), GUIDE)
    assert await guide(kiosk_room) == GUIDE


async def test_guides_are_bounded(kiosk_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guides, "GUIDES", 1)
    other = GuideTitle(guide="other", name={"zh-CN": "其他"})
    retained(kiosk_room, GUIDE, Guide(guide="other", name=other.name), listed(1, TITLE, other))
    assert (await kiosk_room.shown(GuidesShown)).guides == (TITLE,)
    assert await guide(kiosk_room) == GUIDE and await guide(kiosk_room, "other") is None


async def test_what_to_bring_is_printed_with_what_the_citizen_has(kiosk_room: Any) -> None:
    retained(kiosk_room, listed(1, TITLE), GUIDE)
    wish = PrintGuide(request="g-1", guide="id-card", have=(0, 7))
    await kiosk_room.says(wish)
    assert await kiosk_room.shown(GuidePrinted) == GuidePrinted(request="g-1", paper="confirmed")
    (paper,) = kiosk_room.room.printer.papers
    note = paper.note
    assert (note.title, note.hall, note.date) == ("换领身份证", "市民中心", "2026-11-20")
    assert note.lines == (
        NoteLine("户口簿（原件）", True),
        NoteLine("照片（复印件 2 份） 白底", False),
        NoteLine("原身份证（原件、复印件 1 份）", False),
        NoteLine("申请表", False),
        NoteLine("办理时限：20 个工作日"),
        NoteLine("咨询电话：12345"),
    )
    await kiosk_room.says(wish)
    await kiosk_room.shown(GuidePrinted, 2)
    assert len(kiosk_room.room.printer.papers) == 1, "said again, told again"
    assert not await kiosk_room.room.events(), "no ticket: nothing of it is on disk"


async def test_a_list_in_english(kiosk_room: Any) -> None:
    retained(kiosk_room, listed(1, TITLE), GUIDE)
    await kiosk_room.says(PrintGuide(request="g-1", guide="id-card", language="en"))
    await kiosk_room.shown(GuidePrinted)
    note = kiosk_room.room.printer.papers[0].note
    assert (note.title, note.language) == ("New ID card", "en")
    assert [line.text for line in note.lines[:3]] == [
        "Household register (original)", "照片 (copies: 2) 白底", "Old card (original, copies: 1)",
    ]  # fmt: skip


async def test_a_date_that_cannot_be_right_is_left_out(kiosk_room: Any, hands: Any) -> None:
    retained(kiosk_room, listed(1, TITLE), GUIDE)
    hands.wall = 1000.0
    await kiosk_room.says(PrintGuide(request="g-1", guide="id-card"))
    await kiosk_room.shown(GuidePrinted)
    assert kiosk_room.room.printer.papers[0].note.date == ""


@pytest.mark.parametrize(
    ("why", "paper", "code"),
    [
        ("gone", "failed", "guide.gone"),
        ("no paper", "failed", "printer.paper_out"),
        ("unknown", "unknown", "device.no_answer"),
        ("raises", "unknown", "device.unplugged"),
        ("bug", "unknown", "device.fault"),
    ],
)
async def test_what_became_of_the_list_is_told(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch, why: str, paper: str, code: str
) -> None:
    async def lost(_: object) -> PrintResult:
        raise LineLostError("lost") if why == "raises" else RuntimeError("a bug")

    if why != "gone":
        retained(kiosk_room, listed(1, TITLE), GUIDE)
    if why == "no paper":
        kiosk_room.no_paper()
    if why == "unknown":
        kiosk_room.room.printer.results = [PrintResult("unknown", "device.no_answer")]
    if why in ("raises", "bug"):
        monkeypatch.setattr(kiosk_room.room.printer, "print_note", lost)
    await kiosk_room.says(PrintGuide(request="g-1", guide="id-card"))
    assert await kiosk_room.shown(GuidePrinted) == GuidePrinted(request="g-1", paper=paper, code=code)
    assert not [e for e in await kiosk_room.room.events() if isinstance(e, TicketPrinted)]


async def test_a_list_that_is_being_printed_is_not_printed_again(kiosk_room: Any) -> None:
    retained(kiosk_room, listed(1, TITLE), GUIDE)
    kiosk_room.room.printer.hold = asyncio.Event()
    for _ in range(3):
        await kiosk_room.says(PrintGuide(request="g-1", guide="id-card"))
    await kiosk_room.room.printer.began.wait()
    kiosk_room.room.printer.hold.set()
    await kiosk_room.shown(GuidePrinted)
    assert len(kiosk_room.room.printer.papers) == len(kiosk_room.room.screen.of(GuidePrinted)) == 1


async def test_lists_leave_the_printer_to_the_numbers(kiosk_room: Any) -> None:
    retained(kiosk_room, listed(1, TITLE), GUIDE)
    kiosk_room.room.printer.hold = asyncio.Event()
    for number in range(40):
        await kiosk_room.says(PrintGuide(request=f"g-{number}", guide="id-card"))
    busy = await kiosk_room.shown(GuidePrinted, 38)
    assert (busy.paper, busy.code) == ("failed", "kiosk.busy")
    kiosk_room.room.printer.hold.set()
    await kiosk_room.shown(GuidePrinted, 40)
    assert len(kiosk_room.room.printer.papers) == 2
    # what was refused may be asked for again
    await kiosk_room.says(PrintGuide(request="g-39", guide="id-card"))
    assert (await kiosk_room.shown(GuidePrinted, 41)).paper == "confirmed"


async def test_the_playlist_is_there_for_the_attract_page(kiosk_room: Any) -> None:
    item = PlaylistItem(item="p-1", text={"zh-CN": "请有序取号"})
    retained(kiosk_room, Playlist(epoch=1, rev=1, items=(item,)))
    shown = await kiosk_room.shown(PlaylistShown)
    assert [page.item for page in shown.pages] == [item]
    assert shown in kiosk_room.runner.whole()


async def test_the_kiosk_speaks_as_loud_as_the_screen_wants(kiosk_room: Any) -> None:
    for louder in (0, 2, -4):
        await kiosk_room.says(Speak(text="请选择", language="zh-CN", louder=louder))
    await kiosk_room.says(Speak(text="", language="en"))
    spoken = kiosk_room.room.voice.spoken
    await kiosk_room.room.until(lambda: len(spoken) == 4)
    assert spoken == [
        ("请选择", "zh-CN", 100),
        ("请选择", "zh-CN", 200),
        ("请选择", "zh-CN", 25),
        ("", "en", 100),
    ]


async def test_whether_it_can_speak_is_in_its_state(kiosk_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def can() -> bool:
        (state,) = [m for m in kiosk_room.runner.whole() if isinstance(m, KioskState)]
        return bool(state.voice)

    assert not can()
    kiosk_room.room.device("voice", "voice")
    assert can() and kiosk_room.room.screen.of(KioskState)[-1].voice
    kiosk_room.room.device("voice", "voice", "missing", "voice.output_lost")
    assert not can() and not kiosk_room.room.screen.of(KioskState)[-1].voice
    kiosk_room.room.device("voice", "voice", "degraded", "voice.busy")
    assert can()
    monkeypatch.setattr(type(kiosk_room.room.voice), "speaks_freely", False)
    assert not can()
    await kiosk_room.says(Speak(text="请选择"))
    kiosk_room.room.voice.result = SpeakResult("failed", "voice.output_lost")
    assert kiosk_room.room.voice.spoken == []
