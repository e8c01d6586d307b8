"""What counts as a word of a request, and what a typo of it is; and that a package is put back as it was."""

from __future__ import annotations

import ast
import sys
from random import Random

import pytest

from tests.operations.mutation.imports import fresh, sources_of
from tests.operations.mutation.sites import SPY, Site, mistyped, sites_in, spied, typo
from tests.operations.mutation.words import VOCABULARIES, Words, words_of

WORDS = Words(
    members={"Name", "Kind", "Tags", "Place"},
    maps={"Tags"},
    structures={"Place"},
    values={"Kind": {"Small", "Large"}},
    operations={"MakeThing"},
)
SOURCE = """\
from stacks.record import record
from somewhere import Thing

KINDS = {Ours.SMALL: "Small", Ours.LARGE: "Large"}
STATES = {"Small": 1, "Large": 2}
SIZES = {1: "Small", 2: "Large"}
OTHERS = {Ours.SMALL: "Small", Ours.LARGE: "Enormous"}
TEMPLATE = {"Kind": "Small", "Place": {"Name": "x"}}

def make(client, big):
    record(Name="ours")
    make(Kind="Small")
    Thing(Name="theirs", Colour="red")
    own = {"Name": 1, "colour": 2}
    request = {"Kind": "Large" if big else "Small", "Tags": {"Name": "the user's own"}}
    request["Name"] = "Small"
    request["other"] = own["Name"]
    return client.call("MakeThing", request)
"""


def _found() -> list[tuple[int, str, str]]:
    return [(site.line, site.kind, site.word) for site in sites_in("a", SOURCE, WORDS)]


def test_words_of_requests_are_found_by_a_rule() -> None:
    assert _found() == [
        (4, "value", "Small"),
        (4, "value", "Large"),
        (8, "key", "Kind"),
        (8, "value", "Small"),
        (8, "key", "Place"),
        (8, "key", "Name"),
        (13, "argument", "Name"),
        (15, "key", "Kind"),
        (15, "value", "Large"),
        (15, "value", "Small"),
        (15, "key", "Tags"),
        (16, "key", "Name"),
        (18, "operation", "MakeThing"),
    ]


def test_what_is_used_at_import_is_told_apart() -> None:
    assert {site.line for site in sites_in("a", SOURCE, WORDS) if site.constant} == {4, 8}


@pytest.mark.parametrize("site", sites_in("a", SOURCE, WORDS), ids=str)
def test_a_typo_changes_one_word_and_nothing_else(site: Site) -> None:
    before = SOURCE.splitlines()
    word = typo(site, WORDS, Random(1))  # noqa: S311 - the same each time
    after = ast.unparse(mistyped(SOURCE, site, word, WORDS)).splitlines()
    assert word != site.word
    assert word not in WORDS.members | WORDS.operations | {"Small", "Large"}
    changed = [
        line
        for line, other in zip(ast.unparse(ast.parse(SOURCE)).splitlines(), after, strict=True)
        if line != other
    ]
    assert len(changed) == 1
    assert site.word in before[site.line - 1]


def test_a_spy_is_told_of_what_is_used_and_changes_nothing() -> None:
    told: list[int] = []

    def spy(module: str, number: int, value: object) -> object:
        assert module == "a"
        told.append(number)
        return value

    names: dict[str, object] = {SPY: spy, "Thing": lambda **_: None}
    tree = spied(
        SOURCE.replace("from somewhere import Thing", "class Ours: SMALL, LARGE = 1, 2").replace(
            "record(Name", "dict(Name"
        ),
        "a",
        WORDS,
    )
    exec(compile(tree, "a", "exec"), names)  # noqa: S102 - the source above
    assert sorted(told) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("provider", VOCABULARIES)
def test_a_clouds_description_has_words(provider: str) -> None:
    words = words_of(provider)
    assert len(words.members) > 1000
    assert words.only_maps()
    assert sum(map(bool, words.values.values())) > 100


def test_a_package_is_put_back_as_it_was() -> None:
    import scaffolder.operations.local  # noqa: PLC0415 - what is looked at

    before = sys.modules["scaffolder.operations.local"]
    tree = ast.parse("mistyped = True")
    with fresh(("scaffolder.operations.local",), {"scaffolder.operations.local": tree}, {}):
        changed = __import__("scaffolder.operations.local", fromlist=["mistyped"])
        assert changed.mistyped
        assert changed is not before
    assert sys.modules["scaffolder.operations.local"] is before
    assert scaffolder.operations.local is before
    assert "mistyped" not in sources_of("scaffolder.operations.local")["scaffolder.operations.local"]
