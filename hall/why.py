"""为什么是这张号: the reason of a call, as text for people."""

from __future__ import annotations

from hall.queue.events import Why
from wire.texts import text


def explain(why: Why, number: str, language: str = "zh-CN") -> list[str]:
    """Sentences: what decided, which rules did not and why, who had waited longer."""
    key = "ratio" if why.kind == "rule" and why.ratio else why.kind
    sentences = [
        text(
            f"hall.why_{key}",
            language,
            number=number,
            wait=_duration(why.wait_s, language),
            rule=why.rule,
            position=why.position,
            ratio=why.ratio,
        )
    ]
    for skip in why.skipped:
        reason = "gave_way" if skip.reason == "ratio" else skip.reason
        sentences.append(
            text("hall.why_skipped", language, rule=skip.rule, reason=text(f"hall.why_{reason}", language))
        )
    if why.longer:
        separator = "、" if language.startswith("zh") else ", "
        sentences.append(text("hall.why_longer", language, numbers=separator.join(why.longer)))
    return sentences


def _duration(seconds: int, language: str) -> str:
    minutes, rest = divmod(seconds, 60)
    if language.startswith("zh"):
        return f"{minutes}分{rest}秒" if minutes else f"{rest}秒"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
