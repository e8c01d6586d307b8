from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scaffolder.operations.local.traffic import Split

PERCENTS = (
    st.lists(st.integers(0, 100), min_size=0, max_size=4)
    .map(lambda cuts: [0, *sorted(cuts), 100])
    .map(lambda cuts: {f"d{place}": high - low for place, (low, high) in enumerate(pairwise(cuts))})
)


@given(PERCENTS, st.integers(0, 250))
def test_any_hundred_requests_in_a_row_are_split_exactly(percent: dict[str, int], before: int) -> None:
    split = Split(percent)
    for _ in range(before):
        split.next()
    served = Counter(split.next() for _ in range(100))
    assert served == {name: share for name, share in percent.items() if share}


def test_the_smaller_share_is_spread_evenly() -> None:
    split = Split({"a": 80, "b": 20})
    places = [place for place in range(50) if split.next() == "b"]
    assert {after - before for before, after in pairwise(places)} == {5}


def test_without_traffic_nobody_is_named() -> None:
    assert Split({}).next() is None
    assert Split({"a": 0}).next() is None
