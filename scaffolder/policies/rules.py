"""Rules over policies themselves: that each asks for something, and can be checked.

May not know a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scaffolder.policies.model import Policy
from scaffolder.spec.nodes import Node, Path, Report, dotted, mark_of, quoted
from scaffolder.spec.rules import RESERVED_TAGS

__all__ = ["ASKS", "OWNER_TAG", "check_policies", "pattern_problem", "same_tag"]

ASKS = ("allowed_regions", "allowed_instances", "mandatory_tags", "minimum_profiles")
"""The keys that ask something of a spec; one of them is there at least."""

OWNER_TAG = "owner"
"""The one of the platform's own tags whose value a spec chooses."""

MOST_WAYS = 64**4
"""In how many ways a pattern may be tried on a tag's value, which has up to 63 characters: a second or so at the most."""
ANY_NUMBER = 64


def check_policies(policies: Sequence[Policy], tree: Node, path: Path, report: Report) -> None:
    """Report what policies have that does not fit together; ``path`` is their list's."""
    first: dict[str, int] = {}
    for number, policy in enumerate(policies):
        where = (*path, number)
        if first.setdefault(policy.name, number) != number:
            message = f"{quoted(policy.name)} is the name of {dotted((*path, first[policy.name]))} as well"
            _tell(tree, (*where, "name"), "repeated", message, "Give each policy a name of its own.", report)
        if not _asks(policy):
            message = f"asks for nothing: it has none of {', '.join(ASKS)}"
            _tell(tree, where, "no-effect", message, "Add one, or remove the policy.", report)
        _check_tags(policy, tree, (*where, "mandatory_tags"), report)


def _check_tags(policy: Policy, tree: Node, path: Path, report: Report) -> None:
    for tag, pattern in policy.mandatory_tags.items():
        at = (*path, tag)
        if tag != OWNER_TAG and any(same_tag(tag, each) for each in RESERVED_TAGS):
            hint = f"Write {OWNER_TAG}." if same_tag(tag, OWNER_TAG) else "Remove it."
            _tell(tree, at, "reserved-tag", "is a tag that the platform sets itself", hint, report)
        elif problem := pattern_problem(pattern):
            _tell(tree, at, "regex", f"{quoted(pattern)} {problem}", "", report)


def _asks(policy: Policy) -> bool:
    regions = policy.allowed_regions
    named = regions is not None and (regions.aws or regions.gcp or regions.azure)
    return bool(named or policy.allowed_instances or policy.mandatory_tags or policy.minimum_profiles)


def _tell(tree: Node, path: Path, code: str, message: str, hint: str, report: Report) -> None:
    report.add(mark_of(tree, path), code, path, f"{dotted(path)} {message}", hint)


def same_tag(one: str, other: str) -> bool:
    """Whether two tags are one to a cloud that folds their letters."""
    return _letters(one) == _letters(other)


def _letters(tag: str) -> str:
    return re.sub(r"[^a-z0-9]", "", tag.lower())


# --- patterns --------------------------------------------------------------------------------------------------------


def pattern_problem(pattern: str) -> str:
    """Why a regular expression cannot be held against a tag's value; empty when it can."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    ways = 1
    for factor in _ways(pattern):
        if factor == 0:
            return "repeats a group, which can take for ever to try: write what is repeated without ( )"
        ways *= factor
        if ways > MOST_WAYS:
            return "can be tried in too many ways: it has at most four of * + ? {m,n}, and few |"
    return ""


def _ways(pattern: str) -> Iterator[int]:
    """For each choice in a pattern, how many ways there are to make it; 0 for a group that is repeated."""
    bars = [0]
    tokens = re.finditer(
        r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[:=!<]*|[()|]|[*+?]|\{\d*,\d*\}|\{\d+\}|.", pattern, re.DOTALL
    )
    before = ""
    for token in tokens:
        text = token[0]
        if text.startswith("("):
            bars.append(0)
        elif text == ")":
            yield bars.pop() + 1
        elif text == "|":
            bars[-1] += 1
        elif before == ")" and (text in "*+" or text.startswith("{")):
            yield 0
        elif text == "?":
            yield 2
        elif text in "*+" or re.fullmatch(r"\{\d*,\d*\}", text):
            yield ANY_NUMBER
        before = text
    yield bars[0] + 1
