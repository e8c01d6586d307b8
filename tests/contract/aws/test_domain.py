"""What holds people's files is never replaced in silence."""

from __future__ import annotations

from typing import Any

import pytest

from scaffolder.report.changes import compare
from tests.clouds import cloud
from tests.contract.platforms import synthesized
from tests.contract.rich import rich_spec


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"workspace": {"users": ["ada"], "auth": "sso"}}, "auth_mode"),
        ({"network": {"cidr": "10.99.0.0/16"}}, "vpc_id"),
        ({"security": {"encryption": "provider"}}, "kms_key_id"),
    ],
)
def test_a_domain_is_never_replaced_in_silence(change: dict[str, Any], argument: str) -> None:
    rich = rich_spec(cloud("aws"))
    before: dict[str, Any] = {
        **{key: rich[key] for key in ("version", "name", "owner", "target", "environments")},
        "workspace": {"users": ["ada"], "auth": "iam", "keep_home": False},
    }
    comparison = compare(synthesized(before), synthesized({**before, **change}))
    (domain,) = (
        resource
        for environment in comparison.environments
        for stack in environment.stacks
        for resource in stack.resources
        if resource.address.type == "aws_sagemaker_domain"
    )
    assert domain.action == "replaced"
    assert any("home files" in loss for loss in domain.loses)
    assert any(changed.path.startswith(argument) for changed in domain.arguments)
