"""OpenSearch Serverless: policies, collections and VPC endpoints as Terraform needs them. May not search.

moto 5.2.5 can't delete a policy, has no access policies, takes a network policy for an encryption policy, and
tells VPC endpoints neither here nor in EC2, where AWS makes them too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from moto.ec2.models import ec2_backends
from moto.opensearchserverless.models import Collection, opensearchserverless_backends

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Identifier, Store, Thing
from tests.emulator.tags import Tags

__all__ = ["service"]

_CREATED_AT_MS = 1767225600000
"""2026-01-01; nothing depends on it."""

_ACCESS_POLICY = Entity(
    noun="AccessPolicy",
    plural="AccessPolicies",
    key=("type", "name"),
    arn="arn:aws:aoss:{region}:{account}:access-policy/{type}/{name}",
    arn_member="arn",
    listed="accessPolicySummaries",
    wrapped="accessPolicyDetail",
    defaults={"createdDate": _CREATED_AT_MS, "lastModifiedDate": _CREATED_AT_MS},
    narrowed={"type": "type"},
)


class _AccessPolicies:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, call: Call) -> Result:
        self._store.create(call.carrying(policy=_parsed(call), policyVersion=_new_version()))
        return self._store.read(call)

    def update(self, call: Call) -> Result:
        policy = self._store.find(call)
        _check_version(call, policy.get("policyVersion"))
        changed = {"policy": _parsed(call)} if call.text("policy") else {}
        return self._store.update(call.carrying(**changed, policyVersion=_new_version()))


class _VpcEndpoints:
    """By id; each is an interface endpoint of EC2 as well, which is where its security groups are told."""

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str], dict[str, Thing]] = {}

    def create(self, call: Call) -> Result:
        endpoint = _ec2(call).create_vpc_endpoint(
            vpc_id=call.text("vpcId"),
            service_name=f"com.amazonaws.{call.region}.aoss",
            endpoint_type="Interface",
            policy_document=None,
            route_table_ids=[],
            subnet_ids=list(call.listed("subnetIds")),
            security_group_ids=list(call.listed("securityGroupIds")),
        )
        told = ("name", "vpcId", "subnetIds", "securityGroupIds")
        thing: Thing = {member: call.parameters[member] for member in told if member in call.parameters}
        thing |= {"id": endpoint.id, "status": "ACTIVE", "createdDate": _CREATED_AT_MS}
        self._here(call)[endpoint.id] = thing
        return {"createVpcEndpointDetail": thing}

    def read(self, call: Call) -> Result:
        here, ids = self._here(call), list(map(str, call.listed("ids")))
        missing = {"errorCode": "NOT_FOUND", "errorMessage": "there is no such VPC endpoint"}
        return {
            "vpcEndpointDetails": [here[each] for each in ids if each in here],
            "vpcEndpointErrorDetails": [{"id": each, **missing} for each in ids if each not in here],
        }

    def listing(self, call: Call) -> Result:
        return {"vpcEndpointSummaries": list(self._here(call).values())}

    def update(self, call: Call) -> Result:
        endpoint = self._find(call)
        backend = _ec2(call).vpc_end_points[call.text("id")]
        for member, plural, attribute in (
            ("SubnetIds", "subnetIds", "subnet_ids"),
            ("SecurityGroupIds", "securityGroupIds", "security_group_ids"),
        ):
            removed = set(call.listed(f"remove{member}"))
            kept = [each for each in _sequence(endpoint.get(plural)) if each not in removed]
            endpoint[plural] = [*kept, *call.listed(f"add{member}")]
            setattr(backend, attribute, endpoint[plural])
        return {"UpdateVpcEndpointDetail": endpoint}

    def delete(self, call: Call) -> Result:
        endpoint = self._find(call)
        del self._here(call)[call.text("id")]
        _ec2(call).delete_vpc_endpoints([call.text("id")])
        return {"deleteVpcEndpointDetail": {**endpoint, "status": "DELETING"}}

    def _here(self, call: Call) -> dict[str, Thing]:
        return self._endpoints.setdefault((call.account, call.region), {})

    def _find(self, call: Call) -> Thing:
        if call.text("id") not in self._here(call):
            raise Refusal("ResourceNotFoundException", f"there is no VPC endpoint {call.text('id')}")
        return self._here(call)[call.text("id")]


def service() -> Service:
    """OpenSearch Serverless without access policies and VPC endpoints; the rest is moto's."""
    store = Store(_ACCESS_POLICY, Tags())
    policies, endpoints = _AccessPolicies(store), _VpcEndpoints()
    return Service(
        name="opensearchserverless",
        answers={
            **store.answers(),
            "CreateAccessPolicy": policies.create,
            "UpdateAccessPolicy": policies.update,
            "DeleteSecurityPolicy": _delete_security_policy,
            "CreateCollection": _create_collection,
            "CreateVpcEndpoint": endpoints.create,
            "BatchGetVpcEndpoint": endpoints.read,
            "ListVpcEndpoints": endpoints.listing,
            "UpdateVpcEndpoint": endpoints.update,
            "DeleteVpcEndpoint": endpoints.delete,
        },
    )


def _delete_security_policy(call: Call) -> Result:
    policies = _backend(call).security_policies
    for key, policy in policies.items():
        if (policy.name, policy.type) == (call.text("name"), call.text("type")):
            del policies[key]
            return {}
    raise Refusal("ResourceNotFoundException", f"there is no {call.text('type')} policy {call.text('name')}")


def _create_collection(call: Call) -> Result:
    backend, name = _backend(call), call.text("name")
    if any(collection.name == name for collection in backend.collections.values()):
        raise Refusal("ConflictException", f"Collection with name {name} already exists")
    collection = Collection(
        client_token=call.text("clientToken"),
        description=call.text("description"),
        name=name,
        standby_replicas=call.text("standbyReplicas") or "ENABLED",
        tags=[],
        type=call.text("type") or "TIMESERIES",
        policy={"KmsARN": _encryption_key(backend, name)},
        region=call.region,
        account_id=call.account,
    )
    backend.collections[collection.id] = collection
    backend.tag_resource(collection.arn, list(call.listed("tags")))
    return {"createCollectionDetail": collection.to_dict()}


def _encryption_key(backend: Any, collection_name: str) -> str:
    """The key that the account's encryption policies give a collection; `auto` stands for AWS's own."""
    for policy in backend.security_policies.values():
        rules = policy.policy["Rules"] if policy.type == "encryption" else []
        patterns = [pattern for rule in rules for pattern in rule["Resource"]]
        if any(fnmatchcase(f"collection/{collection_name}", pattern) for pattern in patterns):
            return str(policy.policy.get("KmsARN", "auto"))
    raise Refusal(
        "ValidationException",
        "No matching security policy of encryption type found for collection name: "
        f"{collection_name}. Please create security policy of encryption type for this collection.",
    )


def _check_version(call: Call, version: object) -> None:
    if call.text("policyVersion") != version:
        raise Refusal("ConflictException", "the policy has changed since this version of it was read")


def _new_version() -> str:
    return Identifier("", 20).new()


def _parsed(call: Call) -> object:
    try:
        return json.loads(call.text("policy"))
    except json.JSONDecodeError as error:
        raise Refusal("ValidationException", f"the policy is not JSON: {error}") from error


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def _backend(call: Call) -> Any:
    """moto has no type information that fits."""
    return opensearchserverless_backends[call.account][call.region]


def _ec2(call: Call) -> Any:
    return ec2_backends[call.account][call.region]
