"""The workspace stack: the Azure ML workspace in a network that it manages, its datastores, and people's compute instances.

May not make a network, a bucket or a workload's identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from stacks.adapter import TargetProblem
from stacks.azure.context import Context, Surroundings, Workplace
from stacks.azure.hubs import Hub, add_hub
from stacks.azure.instances import Unavailable, as_returned, machine
from stacks.azure.names import fitted
from stacks.azure.outbound import add_outbound_rules
from stacks.azure.roles import Assignment, assign, assign_people
from stacks.graph import GraphError, Node, StackBuilder, text
from stacks.intents import (
    ExperimentTracking,
    FeatureStore,
    HumanRole,
    ModelMonitor,
    ModelRegistry,
    OnlineEndpoint,
    TrainingPipeline,
    Workspace,
    describe,
)

__all__ = ["API", "lower", "workspace_problems"]

API = "2025-12-01"
"""The version of Microsoft.MachineLearningServices that azapi's bodies are of; in azapi from 2.9 on."""

NEEDED_BY = (
    *(Workspace, ExperimentTracking, ModelRegistry, FeatureStore),
    *(TrainingPipeline, OnlineEndpoint, ModelMonitor),
)

LONGEST_IDLE_MINUTES = 3 * 24 * 60
"""Azure Machine Learning, "Create a compute instance": idle shutdown is after 15 minutes to 3 days (November 2026)."""

OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PEOPLE = {
    "admins": ("ml-data-scientist", "ml-compute-operator"),
    "scientists": ("ml-data-scientist", "ml-compute-operator"),
    "viewers": ("reader",),
}
WORKLOADS = {
    "training": ("ml-data-scientist",),
    "pipelines": ("ml-data-scientist",),
    "serving": ("ml-metrics-writer",),
    "monitoring": ("ml-data-scientist",),
    "workspace": ("ml-data-scientist",),
    "triggers": ("ml-data-scientist",),
}


def workspace_problems(context: Context) -> Iterator[TargetProblem]:
    """Say which users get no machine, and what Azure does with sign-on and files whatever the platform asks."""
    intent = context.one_of(Workspace)
    if intent is None:
        return
    for number, user in enumerate(intent.users):
        if OBJECT_ID.fullmatch(user) is None:
            yield TargetProblem(
                path=("workspace", "users", str(number)),
                code="workspace-user",
                message=f'workspace.users "{user}" gets no machine: on Azure one belongs to a user by their object id in Entra',
                hint="Write it instead (az ad user show --query id); anybody else makes a machine in the studio.",
                warning=True,
            )
    if intent.idle_shutdown_minutes > LONGEST_IDLE_MINUTES:
        yield TargetProblem(
            path=("workspace", "idle_shutdown_minutes"),
            code="workspace-idle",
            message=f"workspace.idle_shutdown_minutes {intent.idle_shutdown_minutes}: Azure ML stops an idle machine after "
            f"{LONGEST_IDLE_MINUTES} at the latest",
            hint=f"Set it to {LONGEST_IDLE_MINUTES}, or to less.",
            warning=True,
        )
    if intent.auth == "sso":
        yield TargetProblem(
            path=("workspace", "auth"),
            code="workspace-auth",
            message="workspace.auth sso changes nothing on Azure: people always sign in with Entra",
            hint="Leave it out; each user may turn single sign-on on for their own machine.",
            warning=True,
        )
    if not intent.keep_home:
        yield TargetProblem(
            path=("workspace", "keep_home"),
            code="workspace-home",
            message=(
                "workspace.keep_home false does nothing on Azure: users' files are on the workspace's storage account, and "
                "stay as long as that"
            ),
            hint="Leave it out.",
            warning=True,
        )


def lower(around: Surroundings) -> tuple[StackBuilder | None, Workplace | None]:
    """Make the workspace and what is in it; no stack when nothing of the platform needs one."""
    context = around.context
    needing = [intent for intent in context.platform.intents if isinstance(intent, NEEDED_BY)]
    if not needing:
        return None, None
    intent = context.one_of(Workspace)
    stack = StackBuilder("workspace")
    origin = describe(intent or needing[0])
    hub = Hub(
        name="ml-workspace",
        origin=origin,
        description=f"Machine learning of {context.prefix}",
        holds="every experiment, run, registered model and endpoint",
    )
    workspace, own = add_hub(stack, around, hub)
    workplace = Workplace(id=workspace.ref("id"), name=workspace.ref("name"), own=own)
    _access(stack, around, workplace, origin)
    rules = add_outbound_rules(stack, around, workplace, hub)
    _datastores(stack, around, workplace)
    if intent is not None:
        for user in filter(OBJECT_ID.fullmatch, intent.users):
            _instance(stack, around, workplace, intent, user, rules)
    stack.export("workspace_id", workplace.id)
    stack.export("workspace_name", workplace.name)
    if context.one_of(ExperimentTracking) is not None:
        # The workspace's own MLflow server: nothing has to be made for it.
        host = f"azureml://{context.region}.api.azureml.ms/mlflow/v1.0"
        stack.export("mlflow_tracking_uri", text(host, workplace.id))
    return stack, workplace


def _access(stack: StackBuilder, around: Surroundings, workplace: Workplace, origin: str) -> None:
    """Who may do what in the workspace."""
    for purpose, roles in WORKLOADS.items():
        for role in roles if purpose in around.roles else ():
            assignment = Assignment(role=role, who=purpose, on=workplace.id, what="ml", origin=origin)
            assign(stack, around.context, around.roles[purpose], assignment)
    for human in around.context.all_of(HumanRole):
        for role in PEOPLE[human.purpose]:
            assign_people(
                stack,
                around.context,
                human.principals,
                Assignment(role=role, who=human.purpose, on=workplace.id, what="ml", origin=describe(human)),
            )


def _datastores(stack: StackBuilder, around: Surroundings, workplace: Workplace) -> None:
    """The buckets by name, as jobs see them; Azure ML reads them with the workspace's identity, never with a key."""
    for name, store in around.stores.by_name.items():
        if name == "logs":
            continue
        stack.resource(
            "azurerm_machine_learning_datastore_blobstorage",
            name,
            {
                "name": name.replace("-", "_"),
                "workspace_id": workplace.id,
                "storage_container_id": store.id,
                "service_data_auth_identity": "WorkspaceUserAssignedIdentity",
                "tags": around.context.tags,
            },
            origin=f"object store {name}",
        )


def _instance(
    stack: StackBuilder,
    around: Surroundings,
    workplace: Workplace,
    intent: Workspace,
    user: str,
    rules: Sequence[Node],
) -> None:
    """A user's own machine; ``user`` is their object id. azurerm knows no idle shutdown, so azapi makes it."""
    context = around.context
    size = machine(intent.instance, "compute")
    if isinstance(size, Unavailable):
        raise GraphError(size.message)
    stack.resource(
        "azapi_resource",
        f"instance-{user}",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/computes@{API}",
            "name": _instance_name(context, user),
            "parent_id": workplace.id,
            "location": context.region,
            "identity": {"type": "UserAssigned", "identity_ids": [around.roles["workspace"].id]},
            "body": {
                "properties": {
                    "computeType": "ComputeInstance",
                    "description": f"Machine of {user}",
                    "disableLocalAuth": True,
                    "properties": {
                        "vmSize": as_returned(size),
                        "applicationSharingPolicy": "Personal",
                        "computeInstanceAuthorizationType": "personal",
                        "personalComputeInstanceSettings": {
                            "assignedUser": {"objectId": user, "tenantId": around.base.tenant_id}
                        },
                        "sshSettings": {"sshPublicAccess": "Disabled"},
                        "enableNodePublicIp": False,
                        # Who makes a machine for somebody else may not sign it in: its user turns that on.
                        "enableSSO": False,
                        "idleTimeBeforeShutdown": _idle(intent),
                    },
                }
            },
            "tags": context.tags,
        },
        origin=describe(intent),
        depends_on=rules[-1:],
    )


def _idle(intent: Workspace) -> str:
    """The shortest way to write the duration, which is how a service writes what it returns."""
    hours, minutes = divmod(min(intent.idle_shutdown_minutes, LONGEST_IDLE_MINUTES), 60)
    days, hours = divmod(hours, 24)
    time = f"{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"


def _instance_name(context: Context, user: str) -> str:
    """A name that no other instance in the location has; Azure ML takes none that ends with a hyphen and digits."""
    digest = sha256(f"{context.subscription}/{context.prefix}/{user}".encode()).hexdigest()
    return fitted("compute", f"ci-{user[:8]}-u{digest[:10]}")
