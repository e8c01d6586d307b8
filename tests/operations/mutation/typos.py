"""Mistypes words of an adapter's requests one at a time, and looks whether the contract suite notices.

``SCAFFOLDER_TYPOS`` is how many are tried (``all`` for every one); the choice is the same each time.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.operations.mutation.imports import fresh, sources_of
from tests.operations.mutation.sites import SPY, Site, mistyped, sites_in, spied, typo
from tests.operations.mutation.suite import Case, cases, complaint
from tests.operations.mutation.words import words_of

__all__ = ["Tried", "Used", "noticed", "tried", "used_words"]

SEED = 20261127
TYPOS = 16
FEWEST = 12
MOST_IDLE = 0.25
"""The share of an adapter's words that the suite may leave out: what only a failing service makes it say."""


@dataclass(frozen=True)
class Tried:
    """A typo, and what the suite said of it; nothing where nobody noticed."""

    site: Site
    typo: str
    said: str


@dataclass(frozen=True)
class Used:
    """The words of an adapter's requests, and the tests that use each; those of none are in ``idle``."""

    provider: str
    tests: Mapping[Site, tuple[Case, ...]]
    idle: tuple[Site, ...]


def _packages(provider: str) -> tuple[str, str]:
    return f"scaffolder.operations.{provider}", f"tests.operations.worlds.{provider}"


def used_words(provider: str, folder: Path) -> Used:
    """Run the whole suite once over a package that tells which words it uses.

    Raises:
        AssertionError: the suite complains although nothing is mistyped.
    """
    words, sources = words_of(provider), sources_of(f"scaffolder.operations.{provider}")
    sites = {module: sites_in(module, source, words) for module, source in sources.items()}
    trees = {module: spied(source, module, words) for module, source in sources.items() if sites[module]}
    told: set[tuple[str, int]] = set()

    def spy(module: str, number: int, value: object) -> object:
        told.add((module, number))
        return value

    tests: dict[tuple[str, int], list[Case]] = defaultdict(list)
    with fresh(_packages(provider), trees, {SPY: spy}):
        for place, case in enumerate(cases()):
            told.clear()
            said = complaint(provider, case, folder / f"used-{place}")
            assert said is None, f"{case.name}: {said!r}"
            for one in told:
                tests[one].append(case)
    used: dict[Site, tuple[Case, ...]] = {}
    for site in itertools.chain(*sites.values()):
        if using := tests.get((site.module, site.number)):
            used[site] = tuple(cases()) if site.constant else tuple(using)
    idle = tuple(site for site in itertools.chain(*sites.values()) if site not in used)
    return Used(provider, used, idle)


def noticed(used: Used, folder: Path) -> None:
    """Hold the suite to typos in a sample of the words that it uses.

    Raises:
        AssertionError: nobody noticed one; or the suite uses too few of the words.
    """
    typos = tried(used, folder)
    assert [f"{one.site} as {one.typo!r}" for one in typos if not one.said] == []
    assert len(typos) >= FEWEST
    whole = len(used.tests) + len(used.idle)
    assert len(used.idle) <= MOST_IDLE * whole, f"{len(used.idle)} of {whole} words are not used: {used.idle}"


def tried(used: Used, folder: Path) -> list[Tried]:
    """Try a sample of the typos in words that are used."""
    random = Random(f"{SEED} {used.provider}")  # noqa: S311 - the same each time
    asked = os.environ.get("SCAFFOLDER_TYPOS", str(TYPOS))
    most = len(used.tests) if asked == "all" else min(int(asked), len(used.tests))
    chosen = random.sample([*used.tests], most)
    return [
        _one(used.provider, site, used.tests[site], random, folder / f"typo-{number}")
        for number, site in enumerate(chosen)
    ]


def _one(provider: str, site: Site, tests: Iterable[Case], random: Random, folder: Path) -> Tried:
    words = words_of(provider)
    word = typo(site, words, random)
    source = sources_of(f"scaffolder.operations.{provider}")[site.module]
    with fresh(_packages(provider), {site.module: mistyped(source, site, word, words)}, {}):
        for place, case in enumerate(tests):
            said = complaint(provider, case, folder / str(place))
            if said is not None:
                return Tried(site, word, f"{case.name}: {said!r}")
    return Tried(site, word, "")
