"""The glass of the kiosk: where touches lead, and that nothing of a card or a catalogue becomes markup."""

from __future__ import annotations

from pathlib import Path

from simulator.kiosk_panel import KioskPanel
from simulator.kiosk_screen import KioskScreen
from wire.messages import Catalogue, CatalogueGroup, CatalogueService, DeviceState, PriorityClass
from wire.screen_link import CardGone, CardShown, KioskState, LinkMessage, TakeTicket, TicketProgress


class Glass(KioskScreen):
    """A screen whose agent is the test."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"), "kiosk-1")
        self.sent: list[LinkMessage] = []
        self.connected = True

    def send(self, message: LinkMessage) -> bool:
        self.sent.append(message)
        return True


CATALOGUE = Catalogue(
    epoch=1,
    rev=1,
    hall_name={"zh-CN": "样例大厅", "en": "Sample hall"},
    groups=(CatalogueGroup(group="general", name={"zh-CN": "综合<b>", "en": "General"}, prefix="A"),),
    services=(
        CatalogueService(
            service="tax",
            name={"zh-CN": "税费", "en": "Tax"},
            group="general",
            zone="east",
            counters=({"zh-CN": "1号"},),
        ),
        CatalogueService(
            service="shut", name={"zh-CN": "停办"}, group="general", zone="east", counters=(), open=False
        ),
    ),
    priorities=(PriorityClass(priority="elderly", name={"zh-CN": "老年人"}, minimum_age=60),),
    zones=(),
)


def kiosk() -> tuple[KioskPanel, Glass]:
    glass = Glass()
    panel = KioskPanel(glass)
    tell(
        panel, glass, KioskState(online=True, catalogue=CATALOGUE, board=None, printer=None, card_reader=None)
    )
    return panel, glass


def tell(panel: KioskPanel, glass: Glass, message: object) -> None:
    glass.received(message)  # type: ignore[arg-type]
    panel.screen_changed()


async def test_group_service_confirm_ticket() -> None:
    panel, glass = kiosk()
    assert 'data-page="home"' in panel.html() and "综合&lt;b&gt;" in panel.html()
    panel.act("group", "general")
    assert 'data-arg="shut" disabled' in panel.html()
    panel.act("service", "tax")
    panel.act("priority", "elderly")
    panel.act("take", "")
    panel.act("take", "")
    (asked,) = glass.sent
    assert isinstance(asked, TakeTicket) and (asked.service, asked.priority) == ("tax", "elderly")
    tell(panel, glass, TicketProgress(request=asked.request, stage="printing", number="A001"))
    assert "A001" in panel.html()
    tell(
        panel,
        glass,
        TicketProgress(
            request=asked.request, stage="done", number="A001", paper="confirmed", waiting_ahead=3
        ),
    )
    assert "前面还有 3 人" in panel.html()
    panel.act("home", "")
    assert 'data-page="home"' in panel.html()


async def test_an_unknown_paper_offers_the_same_number_again() -> None:
    panel, glass = kiosk()
    panel.act("group", "general")
    panel.act("service", "tax")
    panel.act("take", "")
    (asked,) = glass.sent
    assert isinstance(asked, TakeTicket)
    tell(
        panel,
        glass,
        TicketProgress(request=asked.request, stage="done", ticket="t1", number="A001", paper="unknown"),
    )
    assert "kiosk.reprint" in panel.html()
    panel.act("reprint", "")
    assert len(glass.sent) == 2


async def test_a_card_offers_its_priority_and_is_forgotten() -> None:
    panel, glass = kiosk()
    panel.act("group", "general")
    panel.act("service", "tax")
    tell(panel, glass, CardShown(name="样***乙", number="10**24", priority="elderly"))
    assert "样***乙" in panel.html()
    assert 'class="prio on" data-act="kiosk.priority" data-arg="elderly"' in panel.html()
    tell(panel, glass, CardGone())
    assert "样***乙" not in panel.html()


async def test_an_agent_that_goes_takes_everything_with_it() -> None:
    panel, glass = kiosk()
    panel.act("group", "general")
    panel.act("service", "tax")
    panel.act("take", "")
    glass.connected = False
    glass.forget()
    panel.screen_changed()
    assert 'data-page="dark"' in panel.html()


async def test_a_printer_fault_is_told_in_words_of_the_language() -> None:
    panel, glass = kiosk()
    printer = DeviceState(device="printer", kind="ticket_printer", health="fault", code="printer.paper_out")
    state = KioskState(online=False, catalogue=CATALOGUE, board=None, printer=printer, card_reader=None)
    tell(panel, glass, state)
    chinese = panel.html()
    panel.act("language", "")
    assert chinese != panel.html() and "Sample hall" in panel.html()
    assert 'class="banner bad"' in chinese and "printer.paper_out" not in chinese
