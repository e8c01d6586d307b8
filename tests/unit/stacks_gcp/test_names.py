"""Names are legal for any platform that a spec may name, distinct, and cut readably."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.gcp.names import LABEL_LONGEST, RULES, fitted, label, numbered

PREFIX = st.from_regex(r"[a-z][a-z0-9]{2,19}", fullmatch=True).filter(
    lambda name: not name.startswith("goog")
)
ENVIRONMENT = st.from_regex(r"[a-z][a-z0-9]{1,9}", fullmatch=True)
PART = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda name: len(name) <= 40)


@pytest.mark.parametrize("kind", sorted(set(RULES) - {"endpoint", "pool"}))
@given(platform=PREFIX, environment=ENVIRONMENT, part=PART)
def test_every_kind_takes_any_name(kind: str, platform: str, environment: str, part: str) -> None:
    name = fitted(kind, f"{platform}-{environment}-{part}")
    assert RULES[kind].allows(name)


@given(one=PART, other=PART)
def test_what_is_cut_stays_distinct(one: str, other: str) -> None:
    names = {fitted("account", f"growth-platform-production-{part}") for part in (one, other)}
    assert len(names) == len({one, other})


@given(name=st.text(min_size=1, max_size=80))
def test_an_endpoint_has_ten_digits_and_no_zero_first(name: str) -> None:
    assert RULES["endpoint"].allows(numbered(name))


@given(tag=st.text(max_size=300))
def test_a_label_has_only_what_labels_have(tag: str) -> None:
    made = label(tag)
    assert len(made) <= LABEL_LONGEST
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_an_account_of_the_longest_project_is_a_user_of_postgresql() -> None:
    account = fitted("account", "growth-platform-production-tracking")
    assert len(f"{account}@{'p' * 30}.iam") <= 63
