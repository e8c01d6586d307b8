"""What of the platform the operations use, by the names that the stacks give: roles, keys, network, images, machines.

Ids that only AWS knows are looked up once. May not make anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from scaffolder.operations.aws.account import Account
from scaffolder.operations.errors import InvalidRequest, NotFound
from stacks.aws.context import Registry as Repositories
from stacks.aws.instances import Unavailable, Use, machine, machine_has_local_disk
from stacks.aws.names import fitted
from stacks.aws.pipelines import image_of
from stacks.intents import ExistingNetwork, ImageRepository, ModelRegistry, OnlineEndpoint

__all__ = ["MADE_BY", "Surroundings"]

MADE_BY = {"Key": "made-by", "Value": "scaffolder-operations"}
"""The tag of what operations make: what lacks it is Terraform's, or somebody else's."""


class Surroundings:
    """The platform's own things in AWS."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.context = account.context

    # --- the spec's ---

    def model(self, name: str) -> ModelRegistry:
        """Return a model of the spec.

        Raises:
            NotFound: there is none of that name.
        """
        models = {model.name: model for model in self.context.all_of(ModelRegistry)}
        if name not in models:
            raise NotFound(f"the spec has no model {name!r}; it has {_listed(models)}")
        return models[name]

    def endpoint(self, name: str) -> OnlineEndpoint:
        """Return an endpoint of the spec.

        Raises:
            NotFound: there is none of that name.
        """
        endpoints = {endpoint.name: endpoint for endpoint in self.context.all_of(OnlineEndpoint)}
        if name not in endpoints:
            raise NotFound(f"the spec has no endpoint {name!r}; it has {_listed(endpoints)}")
        return endpoints[name]

    # --- names and tags ---

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags of what operations make, the platform's among them."""
        own = [{"Key": key, "Value": value} for key, value in sorted(self.context.platform.tags.items())]
        return [*own, MADE_BY]

    def role(self, purpose: str) -> str:
        """The ARN of one of the platform's roles."""
        return self.context.arn("iam", f"role/{self.context.name('role', purpose)}", regional=False)

    def image(self, image: str) -> str:
        """The address of an image: one of the platform's repositories with its tag, or as it is written."""
        host = f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com"
        urls = {
            repository.name: f"{host}/{fitted('repository', f'{self.context.prefix}/{repository.name}')}"
            for repository in self.context.all_of(ImageRepository)
        }
        return str(image_of(image, Repositories(urls=urls)))

    def machine(self, size: str, use: Use) -> str:
        """The machine type for a size.

        Raises:
            InvalidRequest: the region does not have it for that use.
        """
        found = machine(size, use, self.context.region)
        if isinstance(found, Unavailable):
            raise InvalidRequest(f"instance {found.message}", remedy=found.hint)
        return found

    # --- what AWS knows ---

    @cached_property
    def data_key(self) -> str | None:
        """The ARN of the key that encrypts data, ``None`` where the cloud's own keys do.

        An alias will not do: the buckets refuse a key that is not named by its ARN.
        """
        if not self.context.own_keys:
            return None
        alias = self.context.alias("data")
        found = self.account.find("kms", "DescribeKey", {"KeyId": alias}, f"find key {alias}")
        if found is None:
            raise NotFound(f"there is no key {alias}", remedy=self.deploy_first("security"))
        return str(found["KeyMetadata"]["Arn"])

    def volume_key(self, instance: str) -> str | None:
        """The key of a machine's volume; none where AWS refuses one, since the local disks encrypt themselves."""
        return None if machine_has_local_disk(instance) else self.data_key

    @cached_property
    def network_id(self) -> str:
        """The id of the network that workloads run in."""
        existing = self.context.one_of(ExistingNetwork)
        if existing is not None:
            return existing.network_id
        found = self._tagged("DescribeVpcs", "Vpcs", {"tag:Name": self.context.prefix})
        if not found:
            raise NotFound(f"there is no network {self.context.prefix}", remedy=self.deploy_first("network"))
        return str(found[0]["VpcId"])

    @cached_property
    def vpc_config(self) -> Mapping[str, list[str]]:
        """Subnets and security groups of workloads, as SageMaker takes them."""
        existing = self.context.one_of(ExistingNetwork)
        if existing is not None:
            return {
                "Subnets": list(existing.subnet_ids),
                "SecurityGroupIds": list(existing.security_group_ids),
            }
        subnets = self._tagged(
            "DescribeSubnets",
            "Subnets",
            {"vpc-id": self.network_id, "tag:Name": f"{self.context.prefix}-private-*"},
        )
        groups = self._tagged(
            "DescribeSecurityGroups",
            "SecurityGroups",
            {"vpc-id": self.network_id, "group-name": self.context.name("security-group", "workloads")},
        )
        if not subnets or not groups:
            raise NotFound(
                f"network {self.network_id} has no subnets or no security group for workloads",
                remedy=self.deploy_first("network"),
            )
        return {
            "Subnets": sorted(str(subnet["SubnetId"]) for subnet in subnets),
            "SecurityGroupIds": [str(group["GroupId"]) for group in groups],
        }

    def deploy_first(self, concern: str) -> str:
        """Say which stack makes what is missing."""
        return f"Deploy the stack first: cdktf deploy {self.context.stack(concern)}"

    def _tagged(self, operation: str, items: str, filters: Mapping[str, str]) -> list[Any]:
        wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        return list(
            self.account.each("ec2", operation, {"Filters": wanted}, items, "look for the platform's network")
        )


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"
