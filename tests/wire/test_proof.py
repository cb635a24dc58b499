"""The one hash by which kiosk and coordinator match: a fixed vector, and what counts as the same text."""

from __future__ import annotations

import hmac

import pytest

from wire.proof import keyed_hash, normalised

KEY = bytes(range(32))


def test_the_hash_of_a_number_never_changes() -> None:
    """Synthetic. A hall's imported hashes outlive every version of this program."""
    assert keyed_hash(KEY, "11010119900307001X") == (
        "0fa63f7b7af111ecf35eee6b6f9ca2bca136138203fe2c49676fa808dac99179"
    )
    assert keyed_hash(KEY, "11010119900307001X") == hmac.new(KEY, b"11010119900307001X", "sha256").hexdigest()


@pytest.mark.parametrize(
    ("written", "same"),
    [
        (" 11010119900307001x\r\n", "11010119900307001X"),
        ("yy-20 48", "YY2048"),
        ("\uff39\uff39\uff12\uff10\uff14\uff18", "YY2048"),
        ("YY\u201320\u300048\u200b", "YY2048"),
        ("\u6837\u4f8b a", "\u6837\u4f8bA"),
        (" - ", ""),
    ],
)
def test_what_is_typed_scanned_or_imported_is_the_same(written: str, same: str) -> None:
    assert normalised(written) == same == normalised(same)
    assert keyed_hash(KEY, written) == keyed_hash(KEY, same)


def test_other_texts_and_other_keys_are_others() -> None:
    hashes = [keyed_hash(KEY, "YY2048"), keyed_hash(KEY, "YY2049"), keyed_hash(bytes(32), "YY2048")]
    assert len(set(hashes)) == 3
    assert keyed_hash(KEY, "\udc80")  # a scanner's broken character is hashed, not refused
