"""What has to go before Terraform can destroy the platform, in the order in which it can.

Endpoints first, which operations made; then what people started in Studio; then what SageMaker leaves behind in the
network when a domain goes: file systems, network interfaces and security groups that no stack knows. May not remove
what is Terraform's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scaffolder.operations.aws.hosting import Hosting
from scaffolder.operations.aws.scaling import Scaling
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.values import Removable
from stacks.aws.names import fitted
from stacks.intents import ExistingNetwork, Workspace

__all__ = ["Leftovers"]

HOME_TAG = "ManagedByAmazonSageMakerResource"
"""What SageMaker puts on a domain's file system (SageMaker Developer Guide, manage your storage volume, November 2026)."""
NFS_GROUPS = "security-group-for-*-nfs-*"
STUDIO = "*SageMaker*"


class Leftovers:
    """What stands in the way."""

    def __init__(self, surroundings: Surroundings, hosting: Hosting) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context
        self.hosting = hosting
        self.scaling = Scaling(hosting)
        self._kinds: Mapping[str, tuple[Callable[[str], None], Callable[[str], bool]]] = {
            "endpoint": (self._remove_endpoint, self._no_endpoint),
            "endpoint configuration": (self._remove_configuration, self._no_configuration),
            "model": (self._remove_model, self._no_model),
            "app": (self._remove_app, self._no_app),
            "space": (self._remove_space, self._no_space),
            "mount target": (self._remove_mount, self._no_mount),
            "file system": (self._remove_home, self._no_home),
            "network interface": (self._remove_interface, self._no_interface),
            "security group": (self._remove_group, self._no_group),
        }

    def inventory(self) -> Iterator[Removable]:
        yield from self._made()
        for domain in list(self._domains()):
            yield from self._studio(domain)
        yield from self._left_in_network()

    def remove(self, item: Removable) -> None:
        try:
            self._of(item)[0](item.ref)
        except NotFound:
            return

    def is_gone(self, item: Removable) -> bool:
        return self._of(item)[1](item.ref)

    def _of(self, item: Removable) -> tuple[Callable[[str], None], Callable[[str], bool]]:
        if item.kind not in self._kinds:
            raise InvalidRequest(f"{item.kind!r} is not something that stands in the way on AWS")
        return self._kinds[item.kind]

    # --- what operations made ---

    def _made(self) -> Iterator[Removable]:
        start = f"{self.context.prefix}-"
        for kind, operation, items, name, arn in (
            ("endpoint", "ListEndpoints", "Endpoints", "EndpointName", "EndpointArn"),
            (
                "endpoint configuration",
                "ListEndpointConfigs",
                "EndpointConfigs",
                "EndpointConfigName",
                "EndpointConfigArn",
            ),
            ("model", "ListModels", "Models", "ModelName", "ModelArn"),
        ):
            found = self.account.each(
                "sagemaker", operation, {"NameContains": start}, items, f"list what is of kind {kind}"
            )
            for said in found:
                if said[name].startswith(start) and self.hosting.is_ours(said[arn]):
                    yield Removable(kind=kind, name=said[name], ref=said[name])

    def _remove_endpoint(self, name: str) -> None:
        if self._no_endpoint(name):
            return
        said = self.account.ask(
            "sagemaker", "DescribeEndpoint", {"EndpointName": name}, f"look at endpoint {name}"
        )
        if said["EndpointStatus"] == "Deleting":
            return
        own = name.removeprefix(f"{self.context.prefix}-")
        if self.context.endpoint(own) == name:
            for variant in said.get("ProductionVariants", ()):
                self.scaling.forget(own, variant["VariantName"])
        self.account.ask("sagemaker", "DeleteEndpoint", {"EndpointName": name}, f"remove endpoint {name}")

    def _no_endpoint(self, name: str) -> bool:
        return self._absent("DescribeEndpoint", {"EndpointName": name})

    def _remove_configuration(self, name: str) -> None:
        self.account.ask(
            "sagemaker", "DeleteEndpointConfig", {"EndpointConfigName": name}, f"remove configuration {name}"
        )

    def _no_configuration(self, name: str) -> bool:
        return self._absent("DescribeEndpointConfig", {"EndpointConfigName": name})

    def _remove_model(self, name: str) -> None:
        self.account.ask("sagemaker", "DeleteModel", {"ModelName": name}, f"remove model {name}")

    def _no_model(self, name: str) -> bool:
        return self._absent("DescribeModel", {"ModelName": name})

    def _absent(self, operation: str, request: Mapping[str, str]) -> bool:
        found = self.account.find("sagemaker", operation, request, f"see whether it is gone ({operation})")
        return found is None or found.get("Status") == "Deleted"

    # --- Studio ---

    def _domains(self) -> Iterator[str]:
        """The ids of the platform's domain."""
        name = fitted("sagemaker", self.context.prefix)
        for said in self.account.each("sagemaker", "ListDomains", {}, "Domains", "list the domains"):
            if said["DomainName"] == name:
                yield str(said["DomainId"])

    def _studio(self, domain: str) -> Iterator[Removable]:
        about = {"DomainIdEquals": domain}
        for said in self.account.each("sagemaker", "ListApps", about, "Apps", "list the apps of Studio"):
            if said["Status"] == "Deleted":
                continue
            owner = f"space={said['SpaceName']}" if "SpaceName" in said else f"user={said['UserProfileName']}"
            yield Removable(
                kind="app",
                name=f"{said['AppType']} {said['AppName']} of {owner.partition('=')[2]}",
                ref="|".join((domain, owner, said["AppType"], said["AppName"])),
                detail="what was not saved in it is lost",
            )
        workspace = self.context.one_of(Workspace)
        terraforms = {fitted("sagemaker", f"{user}-lab") for user in (workspace.users if workspace else ())}
        for said in self.account.each("sagemaker", "ListSpaces", about, "Spaces", "list the spaces"):
            if said["SpaceName"] not in terraforms:
                yield Removable(
                    kind="space",
                    name=said["SpaceName"],
                    ref=f"{domain}|{said['SpaceName']}",
                    holds_data=True,
                    detail="the files in it",
                )

    def _app(self, ref: str) -> Mapping[str, str]:
        domain, owner, kind, name = ref.split("|")
        of, _, who = owner.partition("=")
        whose = {"SpaceName": who} if of == "space" else {"UserProfileName": who}
        return {"DomainId": domain, "AppType": kind, "AppName": name, **whose}

    def _remove_app(self, ref: str) -> None:
        app = self._app(ref)
        if not self._no_app(ref):
            self.account.ask("sagemaker", "DeleteApp", app, f"remove app {app['AppName']}")

    def _no_app(self, ref: str) -> bool:
        return self._absent("DescribeApp", self._app(ref))

    def _remove_space(self, ref: str) -> None:
        domain, _, name = ref.partition("|")
        self.account.ask(
            "sagemaker", "DeleteSpace", {"DomainId": domain, "SpaceName": name}, f"remove space {name}"
        )

    def _no_space(self, ref: str) -> bool:
        domain, _, name = ref.partition("|")
        return self._absent("DescribeSpace", {"DomainId": domain, "SpaceName": name})

    # --- what a domain leaves behind ---

    def _left_in_network(self) -> Iterator[Removable]:
        """File systems whose domain is gone, and what is left of them in the platform's own network."""
        if self.context.one_of(ExistingNetwork) is not None:
            return  # Terraform does not destroy it, so nothing stands in the way there
        try:
            network = self.around.network_id
        except NotFound:
            return
        for system in self._orphans(network):
            for mount in self._mounts(system):
                yield Removable(kind="mount target", name=f"{mount} of {system}", ref=mount)
            yield Removable(
                kind="file system", name=system, ref=system, holds_data=True, detail="the users' home files"
            )
        yield from self._interfaces(network)
        for group in self._ec2("DescribeSecurityGroups", "SecurityGroups", network, "group-name", NFS_GROUPS):
            yield Removable(kind="security group", name=group["GroupName"], ref=group["GroupId"])

    def _orphans(self, network: str) -> Iterator[str]:
        domains = self.account.each("sagemaker", "ListDomains", {}, "Domains", "list the domains")
        alive = {str(domain["DomainId"]) for domain in domains}
        systems = self.account.each(
            "efs",
            "DescribeFileSystems",
            {},
            "FileSystems",
            "list the file systems",
            token=("Marker", "NextMarker"),
        )
        for said in systems:
            domain = next((tag["Value"] for tag in said.get("Tags", ()) if tag["Key"] == HOME_TAG), "")
            if not domain or domain.rpartition("/")[2] in alive:
                continue
            system = str(said["FileSystemId"])
            if any(mount["VpcId"] == network for mount in self._mounted(system)):
                yield system

    def _mounted(self, system: str) -> list[Mapping[str, Any]]:
        return list(
            self.account.each(
                "efs",
                "DescribeMountTargets",
                {"FileSystemId": system},
                "MountTargets",
                f"see where {system} is mounted",
                token=("Marker", "NextMarker"),
            )
        )

    def _mounts(self, system: str) -> list[str]:
        return [str(mount["MountTargetId"]) for mount in self._mounted(system)]

    def _remove_mount(self, ref: str) -> None:
        self.account.ask("efs", "DeleteMountTarget", {"MountTargetId": ref}, f"remove mount target {ref}")

    def _no_mount(self, ref: str) -> bool:
        found = self.account.find(
            "efs", "DescribeMountTargets", {"MountTargetId": ref}, f"look at mount target {ref}"
        )
        return not (found and found.get("MountTargets"))

    def _remove_home(self, ref: str) -> None:
        self.account.ask("efs", "DeleteFileSystem", {"FileSystemId": ref}, f"remove file system {ref}")

    def _no_home(self, ref: str) -> bool:
        found = self.account.find(
            "efs", "DescribeFileSystems", {"FileSystemId": ref}, f"look at file system {ref}"
        )
        return not (found and found.get("FileSystems"))

    def _interfaces(self, network: str) -> Iterator[Removable]:
        """Network interfaces that SageMaker made and does not use any more."""
        found = self._ec2("DescribeNetworkInterfaces", "NetworkInterfaces", network, "description", STUDIO)
        for said in found:
            if said["Status"] == "available":
                yield Removable(
                    kind="network interface",
                    name=said["NetworkInterfaceId"],
                    ref=said["NetworkInterfaceId"],
                    detail=said.get("Description", ""),
                )

    def _ec2(self, operation: str, items: str, network: str, name: str, value: str) -> Iterator[Any]:
        filters = [{"Name": "vpc-id", "Values": [network]}, {"Name": name, "Values": [value]}]
        return self.account.each("ec2", operation, {"Filters": filters}, items, f"look into {network}")

    def _remove_interface(self, ref: str) -> None:
        self.account.ask(
            "ec2", "DeleteNetworkInterface", {"NetworkInterfaceId": ref}, f"remove network interface {ref}"
        )

    def _no_interface(self, ref: str) -> bool:
        found = self.account.find(
            "ec2",
            "DescribeNetworkInterfaces",
            {"NetworkInterfaceIds": [ref]},
            f"look at network interface {ref}",
        )
        return not (found and found.get("NetworkInterfaces"))

    def _remove_group(self, ref: str) -> None:
        """Remove a group, the rules of its like first: the two that SageMaker makes name each other."""
        found = self.account.ask(
            "ec2", "DescribeSecurityGroups", {"GroupIds": [ref]}, f"look at security group {ref}"
        )
        for network in {str(group["VpcId"]) for group in found["SecurityGroups"]}:
            alike = self._ec2("DescribeSecurityGroups", "SecurityGroups", network, "group-name", NFS_GROUPS)
            for group in list(alike):
                self._close(group)
        self.account.ask("ec2", "DeleteSecurityGroup", {"GroupId": ref}, f"remove security group {ref}")

    def _close(self, group: Mapping[str, Any]) -> None:
        for operation, rules in (
            ("RevokeSecurityGroupIngress", group["IpPermissions"]),
            ("RevokeSecurityGroupEgress", group["IpPermissionsEgress"]),
        ):
            if rules:
                self.account.ask(
                    "ec2",
                    operation,
                    {"GroupId": group["GroupId"], "IpPermissions": rules},
                    f"close security group {group['GroupId']}",
                )

    def _no_group(self, ref: str) -> bool:
        found = self.account.find(
            "ec2", "DescribeSecurityGroups", {"GroupIds": [ref]}, f"look at security group {ref}"
        )
        return not (found and found.get("SecurityGroups"))
