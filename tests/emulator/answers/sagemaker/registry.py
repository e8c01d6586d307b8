"""The model registry: policies of model package groups, and the deletions that moto 5.2.5 lacks."""

from __future__ import annotations

import json
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.tags import Tags

__all__ = ["part"]


class _Registry:
    def __init__(self) -> None:
        self._policies: dict[str, str] = {}

    def put_policy(self, call: Call) -> Result:
        arn = _group(call).arn
        try:
            json.loads(call.text("ResourcePolicy"))
        except json.JSONDecodeError as error:
            raise Refusal("ValidationException", f"the resource policy is not JSON: {error}") from error
        self._policies[arn] = call.text("ResourcePolicy")
        return {"ModelPackageGroupArn": arn}

    def get_policy(self, call: Call) -> Result:
        return {"ResourcePolicy": self._policies[self._with_policy(call)]}

    def delete_policy(self, call: Call) -> Result:
        del self._policies[self._with_policy(call)]
        return {}

    def delete_group(self, call: Call) -> Result:
        group, backend = _group(call), _backend(call)
        name = group.model_package_group_name
        if any(package.model_package_group_name == name for package in backend.model_packages.values()):
            raise Refusal("ConflictException", f"model package group {name} still has model packages")
        self._policies.pop(group.arn, None)
        del backend.model_package_groups[name]
        return {}

    def delete_package(self, call: Call) -> Result:
        backend, named = _backend(call), call.text("ModelPackageName")
        arn = backend.model_package_name_mapping.get(named, named)
        if backend.model_packages.pop(arn, None) is None:
            raise Refusal("ValidationException", f"ModelPackage {named} does not exist")
        backend.model_package_name_mapping.pop(named, None)
        return {}

    def _with_policy(self, call: Call) -> str:
        arn = str(_group(call).arn)
        if arn not in self._policies:
            raise Refusal("ValidationException", f"Cannot find Model Package Group policy of {arn}")
        return arn


def part(_tags: Tags) -> Service:
    """No policies."""
    registry = _Registry()
    return Service(
        name="sagemaker",
        answers={
            "PutModelPackageGroupPolicy": registry.put_policy,
            "GetModelPackageGroupPolicy": registry.get_policy,
            "DeleteModelPackageGroupPolicy": registry.delete_policy,
            "DeleteModelPackageGroup": registry.delete_group,
            "DeleteModelPackage": registry.delete_package,
        },
    )


def _backend(call: Call) -> Any:
    """moto has no type information."""
    return sagemaker_backends[call.account][call.region]


def _group(call: Call) -> Any:
    """The group that a call names by its name or ARN."""
    name = call.text("ModelPackageGroupName").rpartition("/")[2]
    group = _backend(call).model_package_groups.get(name)
    if group is None:
        raise Refusal("ValidationException", f"Cannot find Model Package Group: {name} does not exist")
    return group
