"""The workspace stack: a SageMaker domain inside the network, and each user's profile and space.

May not make a role or a network.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.aws.context import Context, Keys, Network
from stacks.aws.instances import Unavailable, machine
from stacks.aws.names import fitted
from stacks.graph import GraphError, Lifecycle, Node, StackBuilder, Value
from stacks.intents import Workspace, describe

__all__ = ["lower"]

KEPT_HOME = "the users' spaces; their home files stay behind on the old file system"
VOLUME_GIB = 20
MOST_VOLUME_GIB = 100


def lower(context: Context, keys: Keys, network: Network, roles: Mapping[str, Value]) -> StackBuilder | None:
    """Make the domain; no stack when the platform has no workspace."""
    intent = context.one_of(Workspace)
    if intent is None:
        return None
    stack = StackBuilder("workspace")
    origin = describe(intent)
    role = roles["workspace"]
    domain = _domain(stack, context, keys, network, role, intent)
    for user in intent.users:
        profile = stack.resource(
            "aws_sagemaker_user_profile",
            user,
            {
                "domain_id": domain.ref("id"),
                "user_profile_name": fitted("sagemaker", user),
                "user_settings": {
                    "execution_role": role,
                    "security_groups": list(network.security_group_ids),
                },
                # People may open their own profile only: the scientists' policy compares this tag with theirs.
                "tags": {"studiouser": user},
            },
            origin=origin,
        )
        _space(stack, context, domain, profile, user, intent)
    stack.export("domain_id", domain.ref("id"))
    stack.export("domain_url", domain.ref("url"))
    return stack


def _instance(intent: Workspace, context: Context) -> str:
    """The machine that users start with; `target` refused a platform whose region has none."""
    found = machine(intent.instance, "studio", context.region)
    if isinstance(found, Unavailable):
        raise GraphError(found.message)
    return found


def _domain(
    stack: StackBuilder, context: Context, keys: Keys, network: Network, role: Value, intent: Workspace
) -> Node:
    groups = list(network.security_group_ids)
    return stack.resource(
        "aws_sagemaker_domain",
        "main",
        {
            "domain_name": fitted("sagemaker", context.prefix),
            "auth_mode": intent.auth.upper(),
            "vpc_id": network.network_id,
            "subnet_ids": list(network.subnet_ids),
            "app_network_access_type": "VpcOnly",
            "kms_key_id": keys.data,
            "tag_propagation": "ENABLED",
            "default_user_settings": {
                "execution_role": role,
                "security_groups": groups,
                "studio_web_portal": "ENABLED",
                "default_landing_uri": "studio::",
                "sharing_settings": {"notebook_output_option": "Disabled"},
                "jupyter_lab_app_settings": {
                    "default_resource_spec": {"instance_type": _instance(intent, context)},
                    "app_lifecycle_management": {"idle_settings": _idle(intent)},
                },
                "code_editor_app_settings": {
                    "default_resource_spec": {"instance_type": _instance(intent, context)},
                    "app_lifecycle_management": {"idle_settings": _idle(intent)},
                },
                "space_storage_settings": {
                    "default_ebs_storage_settings": {
                        "default_ebs_volume_size_in_gb": VOLUME_GIB,
                        "maximum_ebs_volume_size_in_gb": MOST_VOLUME_GIB,
                    }
                },
            },
            "default_space_settings": {"execution_role": role, "security_groups": groups},
            "domain_settings": {
                "execution_role_identity_config": "USER_PROFILE_NAME",
                "security_group_ids": groups,
                "docker_settings": {"enable_docker_access": "DISABLED"},
            },
            "retention_policy": {"home_efs_file_system": "Retain" if intent.keep_home else "Delete"},
        },
        origin=describe(intent),
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds=KEPT_HOME if intent.keep_home else "the users' home files and spaces",
    )


def _idle(intent: Workspace) -> Value:
    """Users may choose a longer time, up to four times the platform's, but never turn the shutdown off."""
    minutes = intent.idle_shutdown_minutes
    return {
        "lifecycle_management": "ENABLED",
        "idle_timeout_in_minutes": minutes,
        "min_idle_timeout_in_minutes": minutes,
        "max_idle_timeout_in_minutes": min(4 * minutes, 525600),
    }


def _space(
    stack: StackBuilder, context: Context, domain: Node, profile: Node, user: str, intent: Workspace
) -> None:
    stack.resource(
        "aws_sagemaker_space",
        user,
        {
            "domain_id": domain.ref("id"),
            "space_name": fitted("sagemaker", f"{user}-lab"),
            "ownership_settings": {"owner_user_profile_name": profile.ref("user_profile_name")},
            "space_sharing_settings": {"sharing_type": "Private"},
            "space_settings": {
                "app_type": "JupyterLab",
                "jupyter_lab_app_settings": {
                    "default_resource_spec": {"instance_type": _instance(intent, context)}
                },
                "space_storage_settings": {"ebs_storage_settings": {"ebs_volume_size_in_gb": VOLUME_GIB}},
            },
        },
        origin=describe(intent),
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the files in the space",
    )
