"""The workspace stack: a Workbench notebook for each user, inside the network and without a public address.

May not make a service account or a network.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.gcp.context import Context, Keys, Network, Roles
from stacks.gcp.instances import Machine, made, zones_with
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import HumanRole, Workspace, describe

__all__ = ["lower", "workspace_problems"]

BOOT_GIB = "150"
HOME_GIB = "100"
KEPT_DAYS = 30
SNAPSHOT_AT = "02:00"
UPGRADE_AT = "00 3 * * SUN"
IMAGE = {"project": "cloud-notebooks-managed", "family": "workbench-instances"}
"""Google's own image family, which the upgrades follow (Vertex AI Workbench, create an instance, November 2026)."""

HOSTS = {"admins": "identity.groups.admins", "scientists": "identity.groups.scientists"}


def workspace_problems(context: Context) -> Iterator[TargetProblem]:
    """Warn of a user whom no principal names: such a notebook belongs to everybody who may act as its account."""
    intent = context.one_of(Workspace)
    if intent is None:
        return
    owners = _owners(context)
    for number, user in enumerate(intent.users):
        if user not in owners:
            yield TargetProblem(
                path=("workspace", "users", str(number)),
                code="notebook-owner",
                message=f'workspace.users "{user}" has no address in {" or ".join(HOSTS.values())}: everybody who may '
                "use the notebooks' service account may open this notebook",
                hint=f"Name user:{user}@your.domain there, and only that person may.",
                warning=True,
            )


def lower(context: Context, keys: Keys, network: Network, roles: Roles) -> StackBuilder | None:
    """Make a notebook for each user; no stack when the platform has no workspace, or nobody to use it."""
    intent = context.one_of(Workspace)
    if intent is None or not intent.users:
        return None
    stack = StackBuilder("workspace")
    machine = made(intent.instance, "workbench", context.region)
    zone = _zone(context, machine)
    snapshots = _snapshots(stack, context, intent) if intent.keep_home else None
    owners = _owners(context)
    notebooks = {
        user: stack.resource(
            "google_workbench_instance",
            user,
            {
                "name": context.name("resource", "notebook", user),
                "location": zone,
                "instance_owners": [owners[user]] if user in owners else None,
                "desired_state": "ACTIVE",
                "disable_proxy_access": False,
                "enable_third_party_identity": True if intent.auth == "sso" else None,
                "enable_deletion_protection": context.protected,
                "deletion_policy": context.deletion_policy,
                "gce_setup": _machine(keys, network, roles, intent, machine, snapshots),
                "labels": {"user": user},
            },
            origin=describe(intent),
            lifecycle=context.keep,
            holds=_holds(intent),
        )
        for user in intent.users
    }
    stack.export("notebook_urls", {user: node.ref("proxy_uri") for user, node in notebooks.items()})
    return stack


def _holds(intent: Workspace) -> str:
    return "the user's files since the last snapshot" if intent.keep_home else "the user's files"


def _owners(context: Context) -> dict[str, str]:
    """Addresses of users by name: those of the people who may work here and whose address begins with the name."""
    addresses = [
        principal.removeprefix("user:")
        for role in context.all_of(HumanRole)
        if role.purpose in HOSTS
        for principal in role.principals
        if principal.startswith("user:")
    ]
    return {address.partition("@")[0].replace(".", "-"): address for address in addresses}


def _zone(context: Context, machine: Machine) -> str:
    """The first of the platform's zones that has the machine's accelerator, or of the region's."""
    able = zones_with(machine, context.region)
    return next((zone for zone in context.zones if zone in able), able[0])


def _machine(
    keys: Keys,
    network: Network,
    roles: Roles,
    intent: Workspace,
    machine: Machine,
    snapshots: Node | None,
) -> Value:
    setup: dict[str, Value] = {
        "machine_type": machine.type,
        "disable_public_ip": True,
        "enable_ip_forwarding": False,
        "service_accounts": [{"email": roles["workspace"].email}],
        "vm_image": dict(IMAGE),
        "boot_disk": {"disk_type": "PD_BALANCED", "disk_size_gb": BOOT_GIB, **_encryption(keys)},
        "data_disks": {
            "disk_type": "PD_BALANCED",
            "disk_size_gb": HOME_GIB,
            **_encryption(keys),
            **({"resource_policies": [snapshots.ref("id")]} if snapshots is not None else {}),
        },
        "network_interfaces": [
            {"network": network.network_id, "subnet": network.subnet_id, "nic_type": "GVNIC"}
        ],
        "shielded_instance_config": {
            # Google's drivers of accelerators are not signed: secure boot would leave them out.
            "enable_secure_boot": not machine.accelerator,
            "enable_vtpm": True,
            "enable_integrity_monitoring": True,
        },
        "metadata": _metadata(intent),
    }
    if machine.accelerator:
        setup["accelerator_configs"] = [{"type": machine.accelerator, "core_count": str(machine.count)}]
    return setup


def _encryption(keys: Keys) -> dict[str, Value]:
    if keys.data is None:
        return {"disk_encryption": "GMEK"}
    return {"disk_encryption": "CMEK", "kms_key": keys.data}


def _metadata(intent: Workspace) -> dict[str, Value]:
    """What Workbench reads of an instance (Vertex AI Workbench, manage features through metadata, November 2026)."""
    return {
        "idle-timeout-seconds": str(60 * intent.idle_shutdown_minutes),
        "notebook-disable-root": "true",
        "notebook-disable-downloads": "true",
        "notebook-disable-terminal": "false",
        "notebook-upgrade-schedule": UPGRADE_AT,
        "report-event-health": "true",
        "block-project-ssh-keys": "true",
        "enable-oslogin": "true",
        "serial-port-enable": "false",
    }


def _snapshots(stack: StackBuilder, context: Context, intent: Workspace) -> Node:
    """Copies of the users' files, made each night; the last ones stay when a notebook is destroyed."""
    return stack.resource(
        "google_compute_resource_policy",
        "home",
        {
            "name": context.name("resource", "home"),
            "description": "Keeps the users' files when a notebook is destroyed",
            "region": context.region,
            "snapshot_schedule_policy": {
                "schedule": {"daily_schedule": {"days_in_cycle": 1, "start_time": SNAPSHOT_AT}},
                "retention_policy": {
                    "max_retention_days": KEPT_DAYS,
                    "on_source_disk_delete": "KEEP_AUTO_SNAPSHOTS",
                },
                "snapshot_properties": {
                    "storage_locations": [context.region],
                    "labels": {"platform": context.prefix},
                },
            },
        },
        origin=describe(intent),
    )
