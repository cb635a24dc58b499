"""What was read as TOML and written again reads the same."""

import tomllib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.toml_text import toml_text

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | WORDS
    | st.dates(date(1970, 1, 1))
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
@settings(max_examples=120, deadline=None)
def test_values_survive(tables: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(tables)) == tables


def test_there_is_no_nothing_in_toml() -> None:
    with pytest.raises(TypeError):
        toml_text({"missing": None})
