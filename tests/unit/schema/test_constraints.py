from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.pipeline import synthesize
from stacks.graph import RemoteRef
from stacks.schema.check import Code
from stacks.schema.constraints import check_values, constraints_of
from stacks.schema.load import Schemas, shipped_versions
from stacks.schema.model import Attribute, BlockType
from stacks.schema.pack import Pack
from tests.unit.schema.defects import DEFECTS, GOOD, node
from tests.unit.schema.value_defects import GOOD_VALUES, VALUE_DEFECTS

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "stacks" / "schema" / "data"
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/platform.yaml"))
PROVIDERS = ("aws", "azurerm", "google")


@pytest.mark.parametrize("name", VALUE_DEFECTS)
def test_a_wrong_value_is_found_and_nothing_else_is(name: str) -> None:
    defect = VALUE_DEFECTS[name]
    said = [(p.address, p.code, p.message, p.hint) for p in check_values([defect.node])]
    assert said == [(defect.node.address, defect.code, defect.message, defect.hint)]


@pytest.mark.parametrize("name", GOOD_VALUES)
def test_what_the_provider_takes_or_nobody_can_tell_is_not_judged(name: str) -> None:
    assert check_values([GOOD_VALUES[name]]) == ()


def test_good_nodes_have_no_wrong_values() -> None:
    assert check_values(GOOD) == ()


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_hold_nothing_that_a_validator_refuses(example: str) -> None:
    stacks = synthesize(ROOT / "examples" / example / "platform.yaml").stacks
    assert check_values([each for linked in stacks for each in linked.stack.nodes]) == ()


def test_every_code_has_a_defect_here_or_there() -> None:
    codes = {defect.code for defect in (*DEFECTS.values(), *VALUE_DEFECTS.values())}
    assert codes == set(Code.__args__)  # type: ignore[attr-defined]


def test_a_problem_says_where_the_value_is_and_all_are_found_sorted() -> None:
    rules = [{"action": {"type": "Delete"}, "condition": {"with_state": "X"}}] * 2
    bad = node("google_storage_bucket", "x", {"name": "n", "location": "EU", "lifecycle_rule": rules})
    worse = node(
        "google_compute_firewall", "a", {"name": "Fw", "network": RemoteRef("a", "b"), "priority": -1}
    )
    assert [(str(p.address), p.path, p.code) for p in check_values([bad, worse])] == [
        ("google_compute_firewall.a", (), "one-of-needed"),
        ("google_compute_firewall.a", ("name",), "wrong-format"),
        ("google_compute_firewall.a", ("priority",), "out-of-range"),
        ("google_storage_bucket.x", ("lifecycle_rule", 0, "condition", "with_state"), "not-one-of"),
        ("google_storage_bucket.x", ("lifecycle_rule", 1, "condition", "with_state"), "not-one-of"),
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_data_says_where_it_came_from_and_stays_small(provider: str) -> None:
    path = DATA / f"{provider}.constraints"
    pack = Pack(path)
    assert (pack.source, pack.date) == (f"hashicorp/{provider}", "2026-11")
    assert pack.origin
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_constraint_is_about_an_argument_that_can_be_given_and_is_no_secret(provider: str) -> None:
    schemas = Schemas({provider: shipped_versions(provider)[-1]})
    older = Schemas({provider: shipped_versions(provider)[0]})
    types = Pack(DATA / f"{provider}.constraints").names("resource")
    assert len(types) > 80
    for type_name in types:
        known = constraints_of(type_name)
        assert known is not None
        block = (schemas if type_name in _names(provider, -1) else older).of("resource", type_name)
        for path in known.limits:
            argument = block.at(path.split("."))
            assert isinstance(argument, Attribute | BlockType), (type_name, path)
            assert isinstance(argument, BlockType) or not (argument.read_only or argument.sensitive)
        for group in known.groups:
            assert all(block.at(path) for path in group.paths), (type_name, group)


def _names(provider: str, at: int) -> frozenset[str]:
    return frozenset(Pack(DATA / f"{provider}-{shipped_versions(provider)[at]}.pack").names("resource"))
