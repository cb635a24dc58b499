"""Writes docs/faults.md from the text catalogue: `python -m wire.fault_document > docs/faults.md`.

Codes and texts are those of `wire/texts`; who acts, where a code is seen and what to check stand in
`wire/fault_steps.toml`.
"""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from wire.texts import texts

STEPS: Final = Path(__file__).with_name("fault_steps.toml")

HEADING: Final = """\
# 故障代码 · Fault codes

*Written by `python -m wire.fault_document` from `wire/texts/*.toml` and `wire/fault_steps.toml`; change
those, not this page.*

同一个代码出现在设备状态、取号机屏幕、告警、接口应答和日志里。`{subject}` 是具体的设备、窗口或号码。
处理人是先动手的人；处理不了再找下一位。有步骤的代码可以点开。

The same code stands in device states, on the kiosk's screen, in alarms, in answers of the REST interface and
in logs. `{subject}` is the device, counter or number it is about. *Who* is who acts first. Codes with steps
are links.

市民 citizen · 窗口人员 clerk · 技术员 technician · 大厅管理员 manager · 自行恢复 itself: nobody, it passes
"""


@cache
def guide() -> dict[str, Any]:
    """The steps file."""
    return tomllib.loads(STEPS.read_text("utf-8"))


def faults() -> list[str]:
    """Every key of the catalogue that is a fault or a refusal, in its order."""
    others = tuple(guide()["not_faults"])
    return [key for key in texts("en") if not key.startswith(others)]


def who(code: str) -> list[str]:
    """Who acts, first one first. Raises KeyError for a code that nobody assigned."""
    room, _, name = code.partition(".")
    words: str = guide()[room]["who"][name]
    return words.split()


def steps(code: str) -> list[list[str]]:
    """What to check, in order: [zh-CN, en] each; empty where the text says it all."""
    room, _, name = code.partition(".")
    found: list[list[str]] = guide()[room].get("steps", {}).get(name, [])
    return found


def anchor(code: str) -> str:
    """The fragment that a Markdown heading with this code gets."""
    return code.replace(".", "")


def _row(code: str) -> str:
    name = f"[`{code}`](#{anchor(code)})" if steps(code) else f"`{code}`"
    people = guide()["people"]
    acting = "、".join(people[person] for person in who(code))
    cells = (name, texts("zh-CN")[code], texts("en")[code], f"{acting} {', '.join(who(code))}")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _section(room: str, codes: list[str]) -> list[str]:
    about = guide()[room]
    lines = [f"## {about['title']}", "", *about["where"], ""]
    lines += ["| 代码 code | 中文 | English | 谁处理 who |", "|---|---|---|---|"]
    lines += [*map(_row, codes), ""]
    for code in codes:
        if found := steps(code):
            lines += [f"### `{code}`", ""]
            for number, (chinese, english) in enumerate(found, 1):
                lines.append(f"{number}. {chinese}<br>{english}")
            lines.append("")
    return lines


def document() -> str:
    """The whole page."""
    rooms: dict[str, list[str]] = {}
    for code in faults():
        rooms.setdefault(code.partition(".")[0], []).append(code)
    order = [room for room in guide() if room in rooms]
    lines = [line for room in order for line in _section(room, rooms[room])]
    return HEADING + "\n" + "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
