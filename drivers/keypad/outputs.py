"""What is said to a keypad, as templates of a format: bytes only, no I/O.

A template is hex bytes and fields: "01 {address} 44 {number} {checksum} 07".

| field | bytes |
|---|---|
| `{address}` | 1, the keypad's |
| `{length}` | 1, the bytes after it to the end of the frame plus `length_plus` |
| `{lights}` | bit n of the lowest byte first is key n of `light_order` |
| `{number}`, `{waiting}` | the display's fields, see `display_text` |
| `{index}` | 1, of a voice or sound: `voices` |
| `{checksum}` | over what stands before it, without the first `checksum_from` and the last `checksum_to` |

Frames are sent as they are: nothing is escaped.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from drivers.checksums import SIZES, Checksum, checksum
from drivers.keypad.display_text import TextField
from drivers.keypad.protocol import KeypadDisplay

MAX_TEMPLATE: Final = 160
"""Characters of a template."""
Template = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\s*(([0-9A-Fa-f]{2}|\{(address|length|key|lights|number|waiting|index|checksum)\})\s*)*\Z",
        max_length=MAX_TEMPLATE,
    ),
]
"""Empty where the keypad has no such thing."""
Sound = Literal["prompt", "thanks", "refused"]
OUTPUTS: Final = ("poll", "light", "prompt", "prompt_end", "thank", "show", "refuse", "voice")


def parts(template: str) -> list[str]:
    """Hex bytes and "{field}"s, in order."""
    return re.findall(r"[0-9A-Fa-f]{2}|\{\w+\}", template)


class OutputFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The outputs of a keypad and its checksum. `prompt_lights`: all keys light up while a key is asked for,
    the chosen one while it is thanked for. `voices`: which voice says what; 0 to 255."""

    checksum: Checksum = "none"
    checksum_order: Literal["little", "big"] = "little"
    checksum_from: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    checksum_to: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    length_plus: Annotated[int, msgspec.Meta(ge=-32, le=32)] = 0
    light_order: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] = ()
    light: Template = ""
    prompt_lights: bool = False
    prompt: Template = ""
    prompt_end: Template = ""
    thank: Template = ""
    show: Template = ""
    refuse: Template = ""
    voice: Template = ""
    voices: dict[Sound, Annotated[int, msgspec.Meta(ge=0, le=255)]] = {}
    number: TextField | None = None
    waiting: TextField | None = None

    def output_problems(self, keys: frozenset[str]) -> list[str]:
        """What does not fit together, one sentence each."""
        problems = []
        for name in OUTPUTS:
            template = getattr(self, name, "")
            fields = [part[1:-1] for part in parts(template) if part.startswith("{")]
            if "key" in fields:
                problems.append(f"{name} cannot have {{key}}")
            if "lights" in fields and not self.light_order:
                problems.append(f"{name} needs light_order")
            for field in ("number", "waiting"):
                if field in fields and getattr(self, field) is None:
                    problems.append(f"{name} needs the table [{field}]")
            if "index" in fields and name != "voice":
                problems.append(f"{name} cannot have {{index}}")
            problems += self.frame_problems(name, fields)
        if self.light and not self.light_order:
            problems.append("light needs light_order")
        if bool(self.voice) != bool(self.voices):
            problems.append("voice and voices belong together")
        if self.prompt_lights and not self.light:
            problems.append("prompt_lights needs light")
        if unknown := set(self.light_order) - keys:
            problems.append(f"light_order has keys that do not exist: {', '.join(sorted(unknown))}")
        return list(dict.fromkeys(problems))

    def frame_problems(self, name: str, fields: list[str]) -> list[str]:
        """What is wrong with the fields of one template, of outputs or of keys."""
        problems = [
            f"{name} has {{{field}}} twice"
            for field in ("length", "checksum", "key")
            if fields.count(field) > 1
        ]
        if "checksum" in fields and self.checksum == "none":
            problems.append(f"{name} has {{checksum}}, and checksum is none")
        return problems


def fill(format: OutputFormat, template: str, values: dict[str, bytes]) -> bytes:
    """The frame of a template; `values` are those of its fields but length and checksum.

    Raises ValueError when the length does not fit a byte.
    """
    frame = bytearray()
    length_at = -1
    checksum_at = -1
    size = SIZES[format.checksum]
    for part in parts(template):
        match part:
            case "{length}":
                length_at = len(frame)
                frame.append(0)
            case "{checksum}":
                checksum_at = len(frame)
                frame += bytes(size)
            case _ if part.startswith("{"):
                frame += values[part[1:-1]]
            case _:
                frame += bytes.fromhex(part)
    if length_at >= 0:
        length = len(frame) - length_at - 1 + format.length_plus
        if not 0 <= length <= 255:
            raise ValueError(f"length {length} is no byte")
        frame[length_at] = length
    if checksum_at >= 0:
        covered = bytes(frame[format.checksum_from : max(0, checksum_at - format.checksum_to)])
        frame[checksum_at : checksum_at + size] = checksum(format.checksum, covered, format.checksum_order)
    return bytes(frame)


def output(
    format: OutputFormat,
    template: str,
    address: int = 0,
    *,
    lights: frozenset[str] = frozenset(),
    display: KeypadDisplay | None = None,
    refused: bool = False,
    index: int = 0,
) -> bytes:
    """The bytes of an output."""
    shown = display or KeypadDisplay()
    bits = sum(1 << n for n, key in enumerate(format.light_order) if key in lights)
    values = {
        "address": bytes((address,)),
        "lights": bits.to_bytes(-(-len(format.light_order) // 8), "little"),
        "index": bytes((index,)),
    }
    if format.number is not None:
        values["number"] = format.number.number(shown, refused=refused)
    if format.waiting is not None:
        values["waiting"] = format.waiting.waiting(shown)
    return fill(format, template, values)
