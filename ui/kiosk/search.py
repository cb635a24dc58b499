"""Services and guides by what somebody types: pinyin initials, other words for it, or its English name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What can be looked for: a `CatalogueService`, a `GuideTitle`."""

    @property
    def name(self) -> dict[str, str]: ...
    @property
    def initials(self) -> str: ...
    @property
    def keywords(self) -> tuple[str, ...]: ...


N = TypeVar("N", bound=Named)


def found(words: str, among: Sequence[N]) -> tuple[N, ...]:
    """Those that `words` mean, the likeliest first: what begins so stands before what has it inside.

    Nothing typed: all of them, in their order.
    """
    wanted = words.strip().lower()
    if not wanted:
        return tuple(among)
    ranked = [(rank, n, one) for n, one in enumerate(among) if (rank := _rank(wanted, one)) is not None]
    return tuple(one for _, _, one in sorted(ranked, key=lambda entry: entry[:2]))


def _rank(wanted: str, one: Named) -> int | None:
    names = [word.lower() for word in (*one.keywords, *one.name.values())]
    if one.initials.startswith(wanted):
        return 0
    if any(part.startswith(wanted) for name in names for part in (name, *name.split())):
        return 1
    if wanted in one.initials:
        return 2
    if any(wanted in name for name in names):
        return 3
    return None
