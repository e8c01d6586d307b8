"""Which policies can be held against a spec at all, and that none takes long to try."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolder.policies.files import parse_policies
from scaffolder.policies.rules import pattern_problem, same_tag

REPEATS = "repeats a group, which can take for ever to try: write what is repeated without ( )"
WAYS = "can be tried in too many ways: it has at most four of * + ? {m,n}, and few |"


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "[0-9]{4}",
            "prod|dev|test",
            "(prod|dev)-[0-9]{2,4}",
            "[a-z]+(-[a-z]+)?",
            ".*",
            "",
            "[]a]+",
            "[^]]*",
        ),
        *(r"\(a\)+", r"[(|)]*x", "(?:a|b)-c", "(?i)cc-[0-9]+", "a{4}b{5}c{6}d{7}e{8}", "(?P<team>[a-z]+)"),
    ],
)
def test_what_people_write_is_let_through(pattern: str) -> None:
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(a+)+", REPEATS),
        ("(a|a)*b", REPEATS),
        ("(?:a?){50}", REPEATS),
        ("([a-z]){2,}", REPEATS),
        (".*.*.*.*.*x", WAYS),
        ("a?" * 40 + "a" * 40, WAYS),
        ("(a|a)" * 40 + "b", WAYS),
        ("(", "is not a regular expression: missing ), unterminated subpattern at position 0"),
        ("a{99999999999}", "is not a regular expression: the repetition number is too large"),
    ],
)
def test_what_could_run_for_ever_or_is_no_pattern_is_refused(pattern: str, problem: str) -> None:
    assert pattern_problem(pattern) == problem


PIECES = st.lists(
    st.sampled_from(
        [*"aab", "[ab]", ".", "(", ")", "|", "*", "+", "?", "{2,}", "{0,9}", "{3}", r"\(", r"\w"]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_what_is_let_through_is_tried_in_a_moment(pattern: str) -> None:
    """On texts as long as a tag's value may be, which fit up to their last letter."""
    if pattern_problem(pattern):
        return
    for text in ("a" * 62 + "!", "ab" * 31 + "!"):
        start = time.process_time()
        re.fullmatch(pattern, text)
        assert time.process_time() - start < 2


def test_the_owner_is_the_one_tag_of_the_platforms_own_that_may_be_asked_for() -> None:
    text = "version: 1\ncatalog: acme\npolicies: [{name: a, owner: b, mandatory_tags: {owner: 'team-.*'}}]\n"
    assert parse_policies(text, "x").findings == ()
    assert [finding.code for finding in parse_policies(text.replace("{owner:", "{Owner:"), "x").findings] == [
        "reserved-tag"
    ]


def test_tags_are_the_same_where_a_cloud_folds_their_letters() -> None:
    assert same_tag("Cost-Center", "cost_center")
    assert not same_tag("cost-center", "cost-centre")
