"""Every fuzz target takes its seeds, the inputs that once broke it, and random bytes: without a fuzzer."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import found

TARGETS = [target for module in found.modules() for target in found.targets(module)]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_target(target: found.Target) -> None:
    assert target.seeds, "a fuzzer without a seed takes for ever to find the frame"
    chance = random.Random(target.name)
    for seed in target.seeds:
        target.run(seed)
        for _ in range(50):
            spoiled = bytearray(seed)
            for _ in range(chance.randrange(1, 4)):
                if spoiled:
                    spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            target.run(bytes(spoiled[: chance.randrange(len(spoiled) + 1)]))
    for _ in range(100):
        target.run(chance.randbytes(chance.randrange(200)))


def test_names_are_used_once() -> None:
    names = [target.name for target in TARGETS]
    assert len(names) == len(set(names))
    assert not {path.name for path in (found.HERE / "regressions").glob("*")} - set(names)
