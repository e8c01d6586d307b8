"""All emitters say the same of the same stacks: JSON, HCL, and CDKTF with either engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import hcl2
import pytest

from stacks.emit import hcl, terraform_json
from stacks.emit.expressions import Json
from stacks.emit.hcl import is_block_of
from stacks.schema.load import Schemas
from tests.cdktf_apps import ENGINES, run_app
from tests.contract.platforms import PROVIDERS, lowering
from tests.graphs import ALL
from tests.terraform_language import expression, template

VERSIONS = {name: known[0] for of in PROVIDERS for name, known in lowering(of).provider_versions().items()}
IS_BLOCK = is_block_of(Schemas(VERSIONS))
# python-hcl2 cannot read every string that Terraform can; tests/terraform reads the hostile ones.
READABLE = {name: stacks for name, stacks in ALL.items() if name != "hostile"}


def resolve(reference: str) -> Json:
    return f"({reference})"


def of_json(value: Json, path: tuple[str, ...] = ()) -> Json:
    """What a document in JSON means; a lone block in a list is the block."""
    match value:
        case str() if _names_something(path):
            return f"({value})"
        case str():
            return template(value, resolve)
        case list():
            return one_or_many([of_json(item, path) for item in value])
        case dict():
            return {
                str(template(name, resolve)): of_json(item, (*path, name))
                for name, item in value.items()
                if name != "//"
            }
        case _:
            return value


def _names_something(path: tuple[str, ...]) -> bool:
    """Whether Terraform reads a text as an address: in a resource's own meta-arguments, not in one of its blocks."""
    return path[:1] in {("resource",), ("data",)} and path[3:] in {
        ("depends_on",),
        ("provider",),
        ("lifecycle", "ignore_changes"),
    }


def of_hcl(value: Any) -> Json:
    """What a document in HCL means, from python-hcl2's reading of it."""
    match value:
        case str() if value.startswith("${") and value.endswith("}"):
            return expression(value[2:-1], resolve)
        case str():
            return expression(value, resolve)
        case list():
            return one_or_many([of_hcl(item) for item in value])
        case dict():
            return {
                str(expression(name, resolve)) if name.startswith('"') else name: of_hcl(item)
                for name, item in value.items()
                if name not in {"__is_block__", "__comments__", "__inline_comments__"}
            }
        case _:
            return cast(Json, value)


def one_or_many(items: list[Json]) -> Json:
    return items[0] if len(items) == 1 and isinstance(items[0], dict) else items


def sections(parsed: dict[str, Any]) -> dict[str, Any]:
    """Join the blocks of a file into the sections of a document."""
    result: dict[str, Json] = {}
    for name, blocks in parsed.items():
        if name.startswith("__"):
            continue
        joined: dict[str, Json] = {}
        for block in blocks:
            joined = union(joined, cast("dict[str, Json]", of_hcl(block)))
        result[name] = joined
    return result


def union(one: dict[str, Json], other: dict[str, Json]) -> dict[str, Json]:
    both = {
        key: union(cast("dict[str, Json]", one[key]), cast("dict[str, Json]", other[key]))
        for key in one.keys() & other.keys()
    }
    return {**one, **other, **both}


@pytest.mark.parametrize("name", READABLE)
def test_hcl_says_what_json_says(name: str) -> None:
    stacks = READABLE[name]()
    assert stacks
    for linked in stacks:
        said = sections(hcl2.loads(hcl.main_tf(linked, IS_BLOCK)))
        ours = {**terraform_json.document(linked)}
        assert (
            said["terraform"].pop("required_version")
            == cast("dict[str, Any]", ours["//"])["requires_terraform"]
        )
        assert said == of_json(ours), linked.stack.name


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return cast(str, request.param)


APP = """
from scaffolder.constructs import Platform
from tests.graphs import ALL
Platform(app, ALL[{name!r}]())
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_cdktf_app_synthesizes_what_json_says(name: str, engine: str, tmp_path: Path) -> None:
    app = run_app(engine, APP.format(name=name), tmp_path)
    stacks = ALL[name]()
    for linked in stacks:
        ours, theirs = terraform_json.document(linked), app.document(linked.stack.name)
        head, their_head = cast("dict[str, Any]", ours.pop("//")), theirs.pop("//")
        assert theirs == ours, linked.stack.name
        assert {**head["metadata"], "version": ""} == {**their_head["metadata"], "version": ""}
        assert their_head["outputs"] == head["outputs"]
    ours, theirs = terraform_json.manifest(stacks), app.manifest()
    assert theirs["stacks"] == ours["stacks"]
