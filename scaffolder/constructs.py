"""A platform inside a CDKTF app: real stacks, usable beside the user's own, with typed outputs.

    app = App()
    platform = Platform(app, "platform.yaml")
    network = platform.environment("dev").network.outputs(my_stack)
    app.synth()

Works with ``cdktf`` and with its successor ``cdktn``; which one is decided by the app that it is given. Writes no
file (``app.synth()`` does), and may not know how a stack is lowered or emitted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from scaffolder.errors import MissingExtraError, UsageError
from stacks.emit.cdktf import SynthesizedStack, add_stacks, exported
from stacks.graph import GraphError, LinkedStack
from stacks.record import record

if TYPE_CHECKING:
    from cdktf import TerraformStack
    from constructs import Construct

__all__ = [
    "Environment",
    "IdentityOutputs",
    "LlmOutputs",
    "MlOutputs",
    "MonitoringOutputs",
    "NetworkOutputs",
    "Platform",
    "PlatformStack",
    "RegistryOutputs",
    "SecurityOutputs",
    "StateOutputs",
    "StorageOutputs",
    "WorkspaceOutputs",
]

ENGINES = ("cdktf", "cdktn")


# What the clouds' stacks export, each under the same name wherever it is the same thing. What a field's cloud or spec
# does not have is None.


@record
class StateOutputs:
    """Where state lives: a bucket, or on Azure a storage account in its resource group."""

    bucket: str | None = None
    resource_group: str | None = None
    storage_account: str | None = None


@record
class SecurityOutputs:
    """Keys, the audit trail, and what of a cloud all other stacks stand on."""

    data_key_arn: str | None = None
    logs_key_arn: str | None = None
    permissions_boundary_arn: str | None = None
    audit_trail_arn: str | None = None
    audit_bucket: str | None = None
    data_key_id: str | None = None
    logs_key_id: str | None = None
    project_number: str | None = None
    service_agents: Mapping[str, str] | None = None
    resource_group: str | None = None
    key_vault_uri: str | None = None
    log_analytics_workspace_id: str | None = None


@record
class NetworkOutputs:
    """The network in which workloads run: its private subnets, and what else says where."""

    network_id: str
    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str] | None = None
    zones: Sequence[str] | None = None
    nat_addresses: Sequence[str] | None = None
    endpoint_subnet_id: str | None = None


@record
class StorageOutputs:
    """Buckets, by their name in the spec; on Azure a bucket is a container in an account."""

    bucket_names: Mapping[str, str]
    bucket_arns: Mapping[str, str] | None = None
    bucket_urls: Mapping[str, str] | None = None
    bucket_accounts: Mapping[str, str] | None = None


@record
class RegistryOutputs:
    """Container repositories, by their name in the spec."""

    repository_urls: Mapping[str, str]
    repository_arns: Mapping[str, str] | None = None
    registry_login_server: str | None = None
    pipeline_templates_url: str | None = None


@record
class IdentityOutputs:
    """Roles, service accounts or managed identities, by what they are for; and CI's identity provider."""

    role_arns: Mapping[str, str] | None = None
    account_emails: Mapping[str, str] | None = None
    identity_ids: Mapping[str, str] | None = None
    identity_client_ids: Mapping[str, str] | None = None
    ci_identity_provider: str | None = None


@record
class WorkspaceOutputs:
    """Where people work."""

    domain_id: str | None = None
    domain_url: str | None = None
    notebook_urls: Mapping[str, str] | None = None
    workspace_id: str | None = None
    workspace_name: str | None = None
    mlflow_tracking_uri: str | None = None


@record
class MlOutputs:
    """The managed ML service."""

    tracking_server_arn: str | None = None
    endpoint_names: Mapping[str, str] | None = None
    pipeline_arns: Mapping[str, str] | None = None
    async_topic_arn: str | None = None
    tracking_url: str | None = None
    tensorboard: str | None = None
    run_templates: Mapping[str, str] | None = None
    feature_dataset: str | None = None
    feature_store_id: str | None = None
    compute_clusters: Mapping[str, str] | None = None
    ml_registry_id: str | None = None


@record
class LlmOutputs:
    """Models, guardrails, and what can be searched, by their name in the spec; and the log of invocations."""

    invocation_log_group: str | None = None
    invocation_bucket: str | None = None
    guardrail_ids: Mapping[str, str] | None = None
    guardrail_versions: Mapping[str, str] | None = None
    collection_endpoints: Mapping[str, str] | None = None
    knowledge_base_ids: Mapping[str, str] | None = None
    guardrail_templates: Mapping[str, str] | None = None
    knowledge_base_addresses: Mapping[str, str] | None = None
    models_endpoint: str | None = None
    model_deployments: Mapping[str, str] | None = None
    guardrail_policies: Mapping[str, str] | None = None
    search_endpoint: str | None = None
    knowledge_bases: Mapping[str, str] | None = None


@record
class MonitoringOutputs:
    """Where alerts go, and what watches."""

    alerts_topic_arn: str | None = None
    dashboard_name: str | None = None
    dashboard: str | None = None
    monitoring_schedule_names: Mapping[str, str] | None = None
    action_group_id: str | None = None
    dashboard_id: str | None = None
    ml_events_queue: str | None = None


Outputs = TypeVar("Outputs")


@dataclass(frozen=True, slots=True)
class PlatformStack(Generic[Outputs]):
    """One stack of the platform. ``construct`` is its TerraformStack: a scope for constructs of your own."""

    _source: SynthesizedStack
    _outputs: type[Outputs]

    @property
    def name(self) -> str:
        """The stack's name, ``churn-dev-network``."""
        return self._source.linked.stack.name

    @property
    def construct(self) -> TerraformStack:
        """The stack in the app."""
        return self._source.construct

    def outputs(self, scope: Construct) -> Outputs:
        """Give this stack's outputs to a construct in ``scope``.

        In this stack they are expressions. In another one, the read of this stack's state and the order of the two
        stacks are added to the app.
        """
        values: dict[str, Any] = {}
        for field in fields(self._outputs):  # type: ignore[arg-type]  # the type variable cannot say "a dataclass"
            if field.name in self._source.linked.stack.exports:
                values[field.name] = exported(self._source, field.name, scope)
            elif field.default is MISSING:
                raise GraphError(f"stack {self.name} does not export {field.name}")
        return self._outputs(**values)


@dataclass(frozen=True, slots=True)
class Environment:
    """The stacks of one environment, each by its concern."""

    name: str
    _stacks: Mapping[str, SynthesizedStack]

    @property
    def state(self) -> PlatformStack[StateOutputs]:
        return self._stack("state", StateOutputs)

    @property
    def security(self) -> PlatformStack[SecurityOutputs]:
        return self._stack("security", SecurityOutputs)

    @property
    def network(self) -> PlatformStack[NetworkOutputs]:
        return self._stack("network", NetworkOutputs)

    @property
    def storage(self) -> PlatformStack[StorageOutputs]:
        return self._stack("storage", StorageOutputs)

    @property
    def registry(self) -> PlatformStack[RegistryOutputs]:
        return self._stack("registry", RegistryOutputs)

    @property
    def identity(self) -> PlatformStack[IdentityOutputs]:
        return self._stack("identity", IdentityOutputs)

    @property
    def workspace(self) -> PlatformStack[WorkspaceOutputs]:
        return self._stack("workspace", WorkspaceOutputs)

    @property
    def ml(self) -> PlatformStack[MlOutputs]:
        return self._stack("ml", MlOutputs)

    @property
    def llm(self) -> PlatformStack[LlmOutputs]:
        return self._stack("llm", LlmOutputs)

    @property
    def monitoring(self) -> PlatformStack[MonitoringOutputs]:
        return self._stack("monitoring", MonitoringOutputs)

    def _stack(self, concern: str, outputs: type[Outputs]) -> PlatformStack[Outputs]:
        if concern not in self._stacks:
            raise UsageError(
                f"environment {self.name} has no {concern} stack; it has {', '.join(sorted(self._stacks))}"
            )
        return PlatformStack(self._stacks[concern], outputs)


class Platform:
    """Adds the stacks of a platform spec to an app, for some environments or for all.

    Raises:
        SpecError: the spec has findings.
        UsageError: ``app`` is not an App, or an environment is not in the spec.
        MissingExtraError: neither engine is installed.
    """

    def __init__(
        self,
        app: Construct,
        spec: str | Path | Sequence[LinkedStack],
        environments: Sequence[str] | None = None,
    ) -> None:
        """``spec`` is a platform spec's file, or stacks that are linked already."""
        engine = _engine_of(app)
        stacks = _synthesized(spec, environments) if isinstance(spec, str | Path) else spec
        self._stacks = add_stacks(engine, app, stacks)

    @property
    def stacks(self) -> Mapping[str, TerraformStack]:
        """The TerraformStacks by name."""
        return {name: source.construct for name, source in self._stacks.items()}

    def environment(self, name: str) -> Environment:
        """The stacks of one environment.

        Raises:
            UsageError: no such environment was added.
        """
        mine = [source for source in self._stacks.values() if source.linked.stack.environment == name]
        if not mine:
            known = sorted({source.linked.stack.environment for source in self._stacks.values()})
            raise UsageError(f"there is no environment {name!r} in this app; there is {', '.join(known)}")
        return Environment(name, {source.linked.stack.concern: source for source in mine})


def _synthesized(spec: str | Path, environments: Sequence[str] | None) -> Sequence[LinkedStack]:
    from scaffolder.pipeline import synthesize  # noqa: PLC0415 - stacks of your own need neither YAML nor a cloud

    synthesis = synthesize(spec, environments)
    for warning in synthesis.warnings:
        sys.stderr.write(f"{warning}\n")
    return synthesis.stacks


def _engine_of(app: Construct) -> ModuleType:
    """Find the engine whose App an object is."""
    for name in ENGINES:
        module = sys.modules.get(name)
        if module is not None and isinstance(app, module.App):
            return module
    if not any(find_spec(name) for name in ENGINES):
        raise MissingExtraError(ENGINES[0], ENGINES[0])
    raise UsageError(f"a platform is added to an App of {' or '.join(ENGINES)}, not to {app!r}")
