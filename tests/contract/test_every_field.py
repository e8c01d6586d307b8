"""No field of the spec is silently dropped: each changes what comes out, or what is said not to come out."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from scaffolder.errors import SpecError, UnsupportedError
from scaffolder.spec.reference import all_paths
from stacks.intents import SupportLevel, describe
from tests.clouds import cloud as cloud_of
from tests.clouds import clouds
from tests.contract.platforms import PROVIDERS, lowering, shown, skipped_wholly, synthesized
from tests.contract.rich import changed, changes_of, existing_network, rich_spec

NOT_IN_ONE_CLOUD = ("version", "target.provider")


CASES = [
    (provider, field)
    for provider in PROVIDERS
    for field in sorted(changes_of(cloud_of(provider)))
    if field not in cloud_of(provider).reasons("refused")
]


def test_the_table_has_every_field() -> None:
    paths = all_paths()
    leaves = {path for path in paths if not any(other.startswith(f"{path}.") for other in paths)}
    for cloud in clouds():
        assert leaves - changes_of(cloud).keys() == set()


@pytest.mark.parametrize(("provider", "field"), CASES)
def test_no_field_is_silently_dropped(provider: str, field: str) -> None:
    of = cloud_of(provider)
    rich = rich_spec(of)
    base = changed(rich, {"network": existing_network(of)}) if "existing" in field else rich
    try:
        after = synthesized(changed(rich, changes_of(of)[field]))
    except (SpecError, UnsupportedError):
        if field in NOT_IN_ONE_CLOUD:
            return
        raise
    before = synthesized(base)
    warned = [warning.path for warning in (*before.warnings, *after.warnings)]
    assert shown(after) != shown(before) or any(fnmatchcase(path, field) for path in warned)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_cloud_is_said_to_refuse_is_refused(provider: str) -> None:
    of = cloud_of(provider)
    for field in of.reasons("refused"):
        with pytest.raises(SpecError):
            synthesized(changed(rich_spec(of), changes_of(of)[field]))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_not_carried_wholly_is_named(provider: str) -> None:
    table = lowering(provider).support()
    for environment in synthesized(rich_spec(cloud_of(provider))).environments:
        named = {each.intent for each in environment.skipped}
        intents = environment.platform.intents
        assert {describe(i) for i in intents if table[type(i)].level is not SupportLevel.FULL} <= named
        assert skipped_wholly(environment) <= {describe(i) for i in intents}
