"""Our writer and the standard library's say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.emit.json_text import json_text

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


@given(VALUES)
def test_the_bytes_are_those_of_the_standard_library(value: object) -> None:
    wanted = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    assert json_text(value) == wanted  # type: ignore[arg-type]  # any JSON value


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON has no number"):
        json_text({"a": [number]})
