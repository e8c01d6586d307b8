"""The typed outputs of :mod:`scaffolder.constructs` are what the stacks export, no less and no more."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from scaffolder.constructs import Environment
from scaffolder.pipeline import synthesize
from stacks.graph import Ref, RemoteRef, Text

pytestmark = pytest.mark.slow

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*/platform.yaml"))


def outputs_of(concern: str) -> type[Any]:
    (outputs,) = get_args(get_type_hints(getattr(Environment, concern).fget)["return"])
    assert isinstance(outputs, type)
    return outputs


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_export_of_a_stack_has_a_typed_output(spec: Path) -> None:
    for linked in synthesize(spec).stacks:
        known = {field.name: field for field in fields(outputs_of(linked.stack.concern))}
        exports = linked.stack.exports
        assert exports.keys() <= known.keys(), linked.stack.name
        needed = {name for name, field in known.items() if field.default is MISSING}
        assert needed <= exports.keys(), linked.stack.name


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_export_has_the_shape_that_its_type_says(spec: Path) -> None:
    shapes: dict[str, tuple[type[object], ...]] = {
        "str": (str, Ref, RemoteRef, Text),
        "str | None": (str, Ref, RemoteRef, Text),
        "Sequence[str]": (list, tuple),
        "Sequence[str] | None": (list, tuple),
        "Mapping[str, str]": (dict,),
        "Mapping[str, str] | None": (dict,),
    }
    for linked in synthesize(spec).stacks:
        for field in fields(outputs_of(linked.stack.concern)):
            if field.name in linked.stack.exports:
                assert isinstance(linked.outputs[field.name], shapes[str(field.type)]), field.name
