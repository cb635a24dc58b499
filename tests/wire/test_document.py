"""docs/messages.md is what the code says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from wire import document
from wire.kinds import COMMANDS, EVENTS
from wire.messages import Message
from wire.topics import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
MEANINGS = Path(document.__file__).parent / "field_meanings.toml"


def everything() -> set[type[Message]]:
    found = {kind.message for kind in KINDS.values()} | set(EVENTS.values()) | set(COMMANDS.values())
    return found | {part for message in found for part in document.parts(message)}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == document.document(), "run: python -m wire.document > docs/messages.md"


def test_every_message_and_every_field_has_a_meaning() -> None:
    for message in everything():
        assert document.summary(message)
        for field in msgspec.structs.fields(message):
            assert document.meaning(message, field.name)


def test_no_meaning_is_left_over() -> None:
    fields = {
        (message.__name__, field.name)
        for message in everything()
        for field in msgspec.structs.fields(message)
    }
    for key in tomllib.loads(MEANINGS.read_text("utf-8"))["fields"]:
        if "." in key:
            assert tuple(key.split(".")) in fields, key
        else:
            assert key in {name for _, name in fields} | {"language", "offline_numbers"}, key


def test_every_link_of_the_page_leads_somewhere() -> None:
    text = PAGE.read_text("utf-8")
    titles = {title.strip("`").lower() for title in re.findall(r"(?m)^#+ (.*)$", text)}
    assert set(re.findall(r"\]\(#([a-z]+)\)", text)) <= titles
    assert "<!--" not in text


def test_the_python_example_is_python() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    compile(example, "docs/messages.md", "exec")
