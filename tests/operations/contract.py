"""What the contract suite's tests share: the support table's word, what is true of every value, and requests.

May not name a provider.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from scaffolder.operations.errors import Unsupported
from scaffolder.operations.values import (
    Approval,
    Autoscaling,
    Capability,
    DeployRequest,
    ModelVersion,
    ParameterValue,
    Registration,
    RunRequest,
    RunState,
)
from stacks.intents import SupportLevel
from tests.operations.worlds import World

__all__ = [
    "NAME",
    "a_version",
    "deployed",
    "deployment",
    "finished",
    "is_full",
    "needs",
    "neutral",
    "registration",
    "run_request",
    "short_request",
]

Test = TypeVar("Test", bound=Callable[..., None])
NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
ONE_REPLICA = Autoscaling(min_replicas=1, max_replicas=1)


def is_full(world: World, capability: Capability) -> bool:
    return world.provider.support[capability].level is SupportLevel.FULL


def needs(*capabilities: Capability) -> Callable[[Test], Test]:
    """Hold a provider to its own table: the test passes where all is full, else it ends in ``Unsupported``.

    The error names a capability that the table does not call full: one of these, or one that the test needs on its
    way. What is carried in part may also pass.
    """

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def held(*, world: World, **others: Any) -> None:
            lacking = {each for each in capabilities if not is_full(world, each)}
            levels = {world.provider.support[each].level for each in lacking}
            refused = None
            try:
                test(world=world, **others)
            except Unsupported as error:
                refused = error
            if refused is None:
                assert levels <= {SupportLevel.PARTIAL}, f"it works, and the table says not: {lacking}"
            else:
                assert not is_full(world, Capability(refused.capability)), refused

        return cast("Test", held)

    return decorate


def neutral(value: Any) -> Any:
    """Check what is true of every value that a provider gives, and return it."""
    for each in _inside(value):
        if isinstance(each, datetime):
            assert each.tzinfo is not None, f"{each} is naive"
            assert each.utcoffset() == timedelta(0), f"{each} is not in UTC"
        if getattr(each, "native_state", None) is not None and getattr(each, "state", "") != "planned":
            assert each.native_state or getattr(each, "skipped", False), f"{each} has no native state"
    return value


def _inside(value: Any) -> Iterator[Any]:
    yield value
    if is_dataclass(value):
        for each in fields(value):
            yield from _inside(getattr(value, each.name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _inside(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _inside(one)


def run_request(token: str, **parameters: ParameterValue) -> RunRequest:
    return RunRequest(pipeline="train", token=token, parameters=parameters)


def short_request(token: str) -> RunRequest:
    """A run that registers nothing, which takes seconds where it really runs, for what is true of any run."""
    return run_request(token, min_accuracy=1.5)


def finished(world: World, request: RunRequest, state: RunState = RunState.SUCCEEDED) -> str:
    """Submit a run, and bring it to its end."""
    ref = world.provider.runs.submit(request)
    world.finish(ref, state)
    return ref


def a_version(world: World, token: str) -> ModelVersion:
    """Register a version that may be deployed."""
    registered = world.provider.registry.register(registration(world, token))
    return world.provider.registry.set_approval("churn", registered.version, Approval.APPROVED)


def registration(world: World, token: str) -> Registration:
    return Registration(
        model="churn",
        artifact_uri=world.an_artifact(),
        token=token,
        image="serving:1.0.0",
        metrics={"accuracy": 0.91, "rows": 200.0},
        source_commit="0123456789abcdef0123456789abcdef01234567",
        digest="sha256:" + "ab" * 32,
    )


def deployment(name: str, version: int, **others: Any) -> DeployRequest:
    return DeployRequest(
        **{
            "endpoint": "churn",
            "deployment": name,
            "model": "churn",
            "version": version,
            "instance": "cpu.medium",
            "scaling": ONE_REPLICA,
            **others,
        }
    )


def deployed(world: World, *names: str) -> None:
    """Put a version of its own behind the endpoint for each name."""
    for name in names:
        version = a_version(world, f"version for {name}").version
        world.provider.serving.deploy(deployment(name, version))
        world.settle("churn")
