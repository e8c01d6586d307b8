"""Mends moto 5.2.5 where it is wrong, each patch with the defect that it mends.

May not add operations: `answers` does that. A patch whose target is gone fails at start-up, so that an update
of moto is noticed here and not as a difference in some plan.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import cast

from moto.cloudtrail.models import CloudTrailBackend
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError, InvalidSecurityGroupRuleIdNotFoundError
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.iam.access_control import PermissionResult
from moto.kms.models import Alias, KmsBackend
from moto.s3.models import FakeBucket, FakeDeleteMarker
from moto.s3.responses import S3Response
from moto.sagemaker.models import FakeEndpointConfig

__all__ = ["apply_patches"]

_LOG_DELIVERY = "logging.s3.amazonaws.com"


def apply_patches() -> None:
    """Mend moto, once, before it serves."""
    _replace(FakeBucket, "get_permission", _bucket_permission)
    _replace(FakeBucket, "_log_permissions_enabled_policy", staticmethod(_log_delivery_is_allowed))
    _replace(S3Response, "get_bucket_notification", _bucket_notification(S3Response.get_bucket_notification))
    _replace(CloudTrailBackend, "delete_trail", _delete_trail)
    _replace(CloudTrailResponse, "describe_trails", _describe_trails)
    _add(FakeDeleteMarker, "dispose", _dispose_marker)
    _replace(KmsBackend, "create_alias", _create_alias(KmsBackend.create_alias))
    _replace(FakeEndpointConfig, "validate_instance_type", _any_instance_type)
    _replace(SecurityGroupRule, "__init__", _rule_init(SecurityGroupRule.__init__))
    _replace(SecurityGroupRule, "description", property(_rule_description))
    _replace(SecurityGroupBackend, "modify_security_group_rules", _modify_rules)


def _replace(owner: type, name: str, replacement: object) -> None:
    if name not in vars(owner):
        raise AttributeError(f"moto has no {owner.__qualname__}.{name} to mend any more")
    setattr(owner, name, replacement)


def _add(owner: type, name: str, addition: object) -> None:
    if name in vars(owner):
        raise AttributeError(f"moto has a {owner.__qualname__}.{name} of its own now")
    setattr(owner, name, addition)


def _dispose_marker(_marker: FakeDeleteMarker, *_garbage: bool, **_also: bool) -> None:
    """Free what a delete marker holds: nothing.

    Defect: moto disposes of every version that is deleted by its id, and a delete marker cannot be: emptying a
    versioned bucket in which an object was deleted (a released state lock) crashes.
    """


def _bucket_permission(_bucket: FakeBucket, _action: str, _resource: str) -> PermissionResult:
    """Let a bucket's policy say nothing about objects.

    Defect: moto doesn't evaluate conditions, and takes a conditional Deny ("not over TLS", "not with this
    key") for an unconditional one, so that no object can be written to or read from a bucket that has it.
    """
    return PermissionResult.NEUTRAL


def _log_delivery_is_allowed(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
    """Whether the policy of a log bucket lets S3 write access logs under a prefix.

    Defect: moto wants Resource to be one string, exactly `bucket`, `bucket/*` or `bucket/prefix*`, and raises
    on a statement whose Principal is "*".
    """
    if not target_bucket.policy:
        return False
    statements = _listed(json.loads(target_bucket.policy)["Statement"])
    written = f"{target_bucket.arn}/{target_prefix or ''}2026-01-01-00-00-00-0123456789ABCDEF"
    return any(
        statement["Effect"] == "Allow"
        and _LOG_DELIVERY in _service_principals(statement.get("Principal"))
        and _matches("s3:PutObject", statement.get("Action"))
        and _matches(written, statement.get("Resource"))
        for statement in cast("list[Mapping[str, object]]", statements)
    )


def _service_principals(principal: object) -> list[object]:
    return _listed(principal.get("Service")) if isinstance(principal, Mapping) else []


def _matches(value: str, patterns: object) -> bool:
    return any(fnmatchcase(value, str(pattern).replace("[", "[[]")) for pattern in _listed(patterns))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _describe_trails(response: CloudTrailResponse) -> str:
    """Describe the trails that are asked for, by name or by ARN.

    Defect: moto answers with all trails of the account, and the provider refuses to choose.
    """
    asked = response._get_param("trailNameList") or []  # noqa: SLF001 - how moto's own methods read a request
    shadows = response._get_bool_param("includeShadowTrails", True)  # noqa: SLF001, FBT003
    described = [
        trail.description(include_region=True)
        for trail in response.cloudtrail_backend.describe_trails(shadows)
        if not asked or trail.trail_name in asked or trail.arn in asked
    ]
    return json.dumps({"trailList": described})


def _delete_trail(backend: CloudTrailBackend, name: str) -> None:
    """Delete a trail by its name or its ARN.

    Defect: moto knows the name only, and reports success for an ARN, which is what Terraform sends.
    """
    del backend.trails[backend.get_trail(name).trail_name]


def _create_alias(
    original: Callable[[KmsBackend, str, str], Alias],
) -> Callable[[KmsBackend, str, str], Alias]:
    """Tell keys that AWS manages (alias/aws/...) from those of the account.

    Defect: moto makes AWS's keys when they are first asked for, and lists them as the customer's own.
    """

    @functools.wraps(original)
    def create_alias(backend: KmsBackend, target_key_id: str, alias_name: str) -> Alias:
        alias = original(backend, target_key_id, alias_name)
        if alias_name.startswith("alias/aws/"):
            backend.keys[backend.get_key_id(target_key_id)].key_manager = "AWS"
        return alias

    return create_alias


def _any_instance_type(_config: FakeEndpointConfig, _instance_type: str) -> None:
    """Leave instance types to the layer's own check, which knows those of the API description.

    Defect: moto's list is that of 2020, and refuses every endpoint on a newer instance type.
    """


_Notification = Callable[[S3Response], TYPE_RESPONSE]


def _bucket_notification(original: _Notification) -> _Notification:
    """Tell that a bucket sends its events to EventBridge.

    Defect: moto stores EventBridgeConfiguration and leaves it out of the answer.
    """

    @functools.wraps(original)
    def get_bucket_notification(response: S3Response) -> TYPE_RESPONSE:
        configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
        status, headers, body = original(response)
        if configuration is None or configuration.event_bridge is None:
            return status, headers, body
        told = response.serialized(ActionResult({"EventBridgeConfiguration": {}}))[2]
        return status, headers, _joined(str(body), str(told))

    return get_bucket_notification


def _joined(document: str, other: str) -> str:
    """One XML document with the children of both roots; both have the same root element."""
    root = "NotificationConfiguration"
    children = other.partition(f"<{root} ")[2].partition(">")[2].partition(f"</{root}>")[0]
    if document.endswith("/>"):
        return f"{document.removesuffix('/>')}>{children}</{root}>"
    return document.replace(f"</{root}>", f"{children}</{root}>")


def _rule_init(original: Callable[..., None]) -> Callable[..., None]:
    """Keep the description of every rule, and accept a protocol that has no ports.

    Defects: moto keeps the description of CIDR rules only, and raises TypeError for a protocol number like 50
    (ESP), which comes without ports. AWS tells -1 for them.
    """

    signature = inspect.signature(original)

    @functools.wraps(original)
    def described(*positional: object, **named: object) -> None:
        given = signature.bind(*positional, **named)
        given.apply_defaults()
        arguments = given.arguments
        if arguments["from_port"] is None or arguments["to_port"] is None:
            arguments |= {"from_port": "-1", "to_port": "-1"}
        original(*given.args, **given.kwargs)
        targets = [arguments["ip_range"], arguments["source_group"], arguments["prefix_list_id"]]
        target: Mapping[str, str] = next(filter(None, targets), {})
        vars(arguments["self"])["emulator_description"] = target.get("Description")

    return described


def _rule_description(rule: SecurityGroupRule) -> str | None:
    """The description of a rule, whatever it points at; see `_rule_init`."""
    changed = rule.ip_range.get("Description") or rule.source_group.get("Description")
    return changed or cast("str | None", vars(rule)["emulator_description"])


def _modify_rules(
    backend: SecurityGroupBackend, group_id: str, rules: Mapping[str, Mapping[str, object]]
) -> None:
    """Change rules of a group in place.

    Defect: moto refuses a rule for all protocols, because it comes without ports, and doesn't change the
    target or the description of rules that point at a group or a prefix list.
    """
    group = backend.get_security_group_by_name_or_id(group_id)
    if group is None:
        raise InvalidSecurityGroupNotFoundError(group_id)
    for rule_id, wanted in rules.items():
        rule = group.get_rule(rule_id)
        if rule is None:
            raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
        _modify_rule(rule, wanted)


def _modify_rule(rule: SecurityGroupRule, wanted: Mapping[str, object]) -> None:
    text = {name: str(value) for name, value in wanted.items() if value is not None}
    rule.ip_protocol = text.get("IpProtocol", rule.ip_protocol)
    rule.from_port = None if rule.ip_protocol == "-1" else int(text.get("FromPort", -1))
    rule.to_port = None if rule.ip_protocol == "-1" else int(text.get("ToPort", -1))
    sources = {"CidrIpv4": "CidrIp", "CidrIpv6": "CidrIpv6"}
    rule.ip_range = {kept: text[given] for given, kept in sources.items() if given in text}
    rule.prefix_list_id = text.get("PrefixListId")
    group_id = text.get("ReferencedGroupId")
    owner = dict.fromkeys(("OwnerId", "UserId"), rule.owner_id)
    rule.source_group = {} if group_id is None else {"GroupId": group_id, **owner}
    vars(rule)["emulator_description"] = text.get("Description")
