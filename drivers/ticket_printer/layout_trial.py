"""A hall's ticket to try a template with, and what of a template does not come out whole on some paper."""

from __future__ import annotations

from typing import Final

from drivers.ticket_printer.layout import Layout, TicketLine
from drivers.ticket_printer.layout_file import Problem
from drivers.ticket_printer.line_breaking import ELLIPSIS
from drivers.ticket_printer.protocol import Paper

SAMPLE: Final = Paper(
    "A005",
    {
        "hall": "北城区政务服务中心",
        "hall@en": "North District Service Hall",
        "service": "居民身份证申领、换领、补领",
        "service@en": "ID card: first, renewal, replacement",
        "waiting": "12",
        "zone": "A区",
        "zone@en": "Zone A",
        "counters": "3、4、5号窗口",
        "counters@en": "Counters 3, 4, 5",
        "directions": "二楼电梯右侧",
        "directions@en": "2nd floor, right of the lift",
        "time": "2026-11-21 09:32",
        "notes": "过号三次后作废，请留意叫号。",
        "notes@en": "Void after three missed calls.",
    },
    "https://hall.example/t/7f3k9q2m",
)
"""What `paihao ticket preview` shows where nothing else is said."""
LONG: Final = Paper(
    "ABC12345",
    {
        "hall": "北城区政务服务中心便民服务大厅东城分中心",
        "hall@en": "North District Government Service Centre, Eastern Branch Hall",
        "service": "城乡居民基本养老保险参保登记及待遇申领（含关系转移接续）",
        "service@en": "Basic pension insurance for urban and rural residents: enrolment and claims "
        "(with transfer of entitlements)",
        "waiting": "128",
        "zone": "综合受理区B区",
        "zone@en": "General Acceptance Zone B",
        "counters": "11、12、13、14、15、16号窗口",
        "counters@en": "Counters 11, 12, 13, 14, 15, 16",
        "directions": "乘自动扶梯到二楼，出电梯后右转，经过咨询台后第二个通道",
        "directions@en": "Escalator to the 2nd floor, turn right, second passage behind the desk",
        "time": "2026-11-21 09:32",
        "priority": "老年人、残疾人、孕妇优先",
        "priority@en": "Priority: elderly, disabled, expecting",
        "notes": "过号三次后作废，请留意叫号；请提前准备好身份证原件和复印件。",
        "notes@en": "Void after three missed calls; please have your ID card and a copy of it ready.",
    },
    "https://hall.example/government-service/ticket/7f3k9q2m4x8c1v5b",
    reprint=True,
)
"""As long as a hall's texts get."""


def with_values(paper: Paper, values: dict[str, str], *, reprint: bool) -> Paper:
    """`paper` with other values; "number" and "qr" are values, too. A value given empty is none; one that
    is given in one language is not kept in the others."""
    more = {name: value for name, value in values.items() if name not in ("number", "qr")}
    kept = {name: value for name, value in paper.values.items() if name.partition("@")[0] not in more}
    return Paper(values.get("number", paper.number), kept | more, values.get("qr", paper.qr), reprint)


def tried(layout: Layout, columns: int) -> list[Problem]:
    """What is cut off or left out on paper of `columns`, with long texts, in every language it has."""
    languages = dict.fromkeys(language for line in layout.template for language in line.text)
    found: list[Problem] = []
    for language in languages:
        paper = with_values(LONG, {"language": language}, reprint=True)
        values = layout.values(paper, columns)
        for place, line in zip(layout.places, layout.template, strict=True):
            made = layout.made(line, values, columns)
            about = {"columns": str(columns), "wanted": language}
            if (line.qr or line.barcode is not None) and not made:
                found.append(Problem(place, "code_left_out", about))
            if any(_cut(piece, values.values()) for piece in made):
                found.append(Problem(place, "cut_off", about | {"text": made[0].text}))
    return found


def _cut(line: TicketLine, values: object) -> bool:
    return line.kind == "text" and line.text.endswith(ELLIPSIS) and ELLIPSIS not in str(values)
