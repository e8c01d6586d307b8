"""What ``doctor`` asks of Azure: credentials, permissions, resource providers, machines' quotas and names that all of Azure shares.

A probe answers for itself, and never fails the others. May not change anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scaffolder.operations.azure.calls import Calls, Document
from scaffolder.operations.azure.identity import AzureIdentity
from scaffolder.operations.azure.place import Place
from scaffolder.operations.errors import OperationError
from scaffolder.operations.values import Outcome, Probe
from stacks.azure.compute import wanted_machines
from stacks.azure.instances import Unavailable, machine
from stacks.azure.providers import RESOURCE_PROVIDERS
from stacks.azure.state import state_account, state_group
from stacks.intents import OnlineEndpoint, Workspace

__all__ = ["AzurePreflight", "allows"]

PERMISSIONS = "2022-04-01"
PROVIDERS = "2021-04-01"
STORAGE = "2026-09-01"
ML = "Microsoft.MachineLearningServices"

DEPLOYS = (
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Network/virtualNetworks/write",
    "Microsoft.KeyVault/vaults/write",
)
OPERATES = (
    f"{ML}/workspaces/read",
    f"{ML}/workspaces/jobs/write",
    f"{ML}/workspaces/models/versions/write",
    f"{ML}/workspaces/environments/versions/write",
    f"{ML}/workspaces/components/versions/write",
    f"{ML}/workspaces/onlineEndpoints/write",
    f"{ML}/workspaces/onlineEndpoints/deployments/write",
    f"{ML}/workspaces/onlineEndpoints/score/action",
    "Microsoft.Insights/autoscaleSettings/write",
)
DATA = ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",)


class AzurePreflight:
    """The questions, each with its answers."""

    def __init__(self, calls: Calls, place: Place, identity: AzureIdentity) -> None:
        self._calls = calls
        self._place = place
        self._identity = identity

    def credentials(self) -> Iterator[Probe]:
        """Whether somebody is signed in, and in the subscription's tenant."""
        subject = f"subscription {self._place.context.subscription}"
        try:
            who = self._identity.whoami()
        except OperationError as error:
            yield _failed("credentials", subject, error, Outcome.FAIL)
            return
        yield Probe(
            group="credentials",
            subject=subject,
            outcome=Outcome.PASS,
            detail=f"{who.principal} in the tenant {who.tenant}",
        )

    def permissions(self) -> Iterator[Probe]:
        """What the roles allow in the subscription, and in the platform's resource group where that is there."""
        scopes = [(self._place.context.subscription_id, "the subscription", (*DEPLOYS, *OPERATES, *DATA))]
        for scope, name, wanted in scopes:
            path = f"{scope}/providers/Microsoft.Authorization/permissions"
            try:
                granted = [*self._calls.pages(path, f"read permissions in {name}", api=PERMISSIONS)]
            except OperationError as error:
                for action in wanted:
                    yield _failed("permissions", action, error, Outcome.UNKNOWN)
                continue
            for action in wanted:
                yield _permission(action, name, allows(granted, action, data=action in DATA))

    def services(self) -> Iterator[Probe]:
        """Whether the resource providers that the stacks use are registered."""
        for namespace in RESOURCE_PROVIDERS:
            path = f"{self._place.context.subscription_id}/providers/{namespace}"
            try:
                state = str(
                    self._calls.get(path, f"read {namespace}", api=PROVIDERS).get("registrationState")
                )
            except OperationError as error:
                yield _failed("services", namespace, error, Outcome.UNKNOWN)
                continue
            good = state == "Registered"
            yield Probe(
                group="services",
                subject=namespace,
                outcome=Outcome.PASS if good else Outcome.FAIL,
                detail=state,
                remedy="" if good else f"az provider register --namespace {namespace}",
            )

    def quotas(self) -> Iterator[Probe]:
        """Whether each family of machines that the spec needs has enough vCPUs left for Azure ML."""
        where = f"{self._place.context.subscription_id}/providers/{ML}/locations/{self._place.context.region}"
        try:
            usages = {
                str(it["name"]["value"]).lower(): it
                for it in self._calls.pages(f"{where}/usages", "read quotas")
                if (it.get("name") or {}).get("value")
            }
            sizes = self._calls.get(f"{where}/vmSizes", "list machines").get("value") or []
        except OperationError as error:
            yield _failed("quota", "machines for Azure ML", error, Outcome.UNKNOWN)
            return
        known = {str(it["name"]).lower(): it for it in sizes}
        needed: dict[str, int] = {}
        for size, many in self._machines():
            found = known.get(size.lower())
            if found is None:
                yield Probe(
                    group="quota",
                    subject=size,
                    outcome=Outcome.FAIL,
                    detail=f"{self._place.context.region} does not offer it to this subscription",
                    remedy="Choose another instance or region.",
                )
                continue
            family = str(found["family"])
            needed[family] = needed.get(family, 0) + many * int(found["vCPUs"])
        for family, cores in needed.items():
            yield _quota(family, cores, usages.get(family.lower()))

    def names(self) -> Iterator[Probe]:
        """Whether the names that all of Azure shares are free, or ours."""
        context = self._place.context
        groups = {state_account(context): f"{context.subscription_id}/resourceGroups/{state_group(context)}"}
        for purpose in ("data", "logs", "workspace"):
            groups[context.unique_name("storage-account", purpose)] = self._place.group
        for name, group in groups.items():
            path = f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"
            yield self._name(f"storage account {name}", name, path)

    # --- parts ---

    def _name(self, subject: str, name: str, path: str) -> Probe:
        asked: Document = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
        check = f"{self._place.context.subscription_id}/providers/Microsoft.Storage/checkNameAvailability"
        doing = f"look whether {name} is free"
        try:
            found = self._calls.post(check, doing, body=asked, api=STORAGE)
            if found.get("nameAvailable"):
                return Probe(group="names", subject=subject, outcome=Outcome.PASS, detail="free")
            if self._calls.find(path, doing, api=STORAGE) is not None:
                return Probe(
                    group="names", subject=subject, outcome=Outcome.PASS, detail="there already, and ours"
                )
        except OperationError as error:
            return _failed("names", subject, error, Outcome.UNKNOWN)
        return Probe(
            group="names",
            subject=subject,
            outcome=Outcome.FAIL,
            detail=str(found.get("message") or found.get("reason") or "taken"),
            remedy="Somebody else in Azure has the name: rename the platform or the environment.",
        )

    def _machines(self) -> Iterator[tuple[str, int]]:
        """The machines that run at once when all is busy: clusters, endpoints and people's own."""
        context = self._place.context
        wanted = [(it.size, it.nodes, "compute") for it in wanted_machines(context)]
        biggest: dict[str, int] = {}
        for size, nodes, _ in wanted:
            biggest[size] = max(nodes, biggest.get(size, 0))
        for size, nodes in biggest.items():
            found = machine(size, "compute")
            if not isinstance(found, Unavailable):
                yield found, nodes
        for endpoint in context.all_of(OnlineEndpoint):
            found = (
                machine(endpoint.instance, "serving") if endpoint.mode == "realtime" else Unavailable("", "")
            )
            if not isinstance(found, Unavailable):
                yield found, endpoint.max_replicas
        workspace = context.one_of(Workspace)
        if workspace is not None and workspace.users:
            found = machine(workspace.instance, "compute")
            if not isinstance(found, Unavailable):
                yield found, len(workspace.users)


def allows(granted: Iterable[Mapping[str, Any]], action: str, *, data: bool = False) -> bool:
    """Whether any role allows an action, and does not take it away again; Azure compares without regard to capitals."""
    allowed, taken = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    return any(
        _any_matches(role.get(allowed), action) and not _any_matches(role.get(taken), action)
        for role in granted
    )


def _any_matches(patterns: Iterable[str] | None, action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        for pattern in patterns or ()
    )


def _permission(action: str, scope: str, allowed: bool) -> Probe:  # noqa: FBT001 - what was found
    return Probe(
        group="permissions",
        subject=action,
        outcome=Outcome.PASS if allowed else Outcome.FAIL,
        detail=f"{'allowed' if allowed else 'not allowed'} in {scope}",
        remedy="" if allowed else "Ask for a role that has it, here or in the platform's resource group.",
    )


def _quota(family: str, cores: int, usage: Document | None) -> Probe:
    if usage is None:
        return Probe(
            group="quota",
            subject=family,
            outcome=Outcome.UNKNOWN,
            detail=f"{cores} vCPUs are needed, and Azure lists no quota of the family",
        )
    limit, used = int(usage.get("limit") or 0), int(usage.get("currentValue") or 0)
    enough = limit < 0 or limit - used >= cores
    return Probe(
        group="quota",
        subject=family,
        outcome=Outcome.PASS if enough else Outcome.FAIL,
        detail=f"{cores} vCPUs are needed when all is busy; {used} of {limit} are in use",
        remedy="" if enough else "Ask for more: Azure ML studio, Quota, or choose a smaller instance.",
    )


def _failed(group: str, subject: str, error: OperationError, outcome: Outcome) -> Probe:
    said = f": {error.text}" if error.text else ""
    return Probe(
        group=group,
        subject=subject,
        outcome=outcome,
        detail=f"{error.message}{said}",
        remedy=error.remedy or "Try again, or ask whoever owns the subscription.",
    )
