"""Who the caller is, what the caller may, and how much: STS, IAM's simulation and Service Quotas. Nothing is enforced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.operations.fakes.aws.store import Answers, Parameters, Place, refused

__all__ = ["Basics"]

ROLE = "deployer"


@dataclass(slots=True)
class Basics:
    """``denied`` are actions that the caller may not; ``quotas`` are SageMaker's by name."""

    place: Place
    account: str
    denied: set[str] = field(default_factory=set)
    quotas: dict[str, float] = field(default_factory=dict)

    @property
    def sts(self) -> Answers:
        return {"GetCallerIdentity": self.identity}

    @property
    def iam(self) -> Answers:
        return {"GetRole": self.role, "SimulatePrincipalPolicy": self.simulate}

    @property
    def service_quotas(self) -> Answers:
        return {"ListServiceQuotas": self.list_quotas}

    def identity(self, asked: Parameters) -> Mapping[str, Any]:
        del asked
        return {
            "UserId": "AROAEXAMPLEEXAMPLEEX:ada",
            "Account": self.account,
            "Arn": f"arn:aws:sts::{self.account}:assumed-role/{ROLE}/ada",
        }

    @property
    def _role(self) -> str:
        return f"arn:aws:iam::{self.account}:role/people/{ROLE}"

    def role(self, asked: Parameters) -> Mapping[str, Any]:
        if asked["RoleName"] != ROLE:
            raise refused(f"The role with name {asked['RoleName']} cannot be found.", "NoSuchEntity")
        role = {
            "Path": "/people/",
            "RoleName": ROLE,
            "RoleId": "AROAEXAMPLEEXAMPLEEX",
            "Arn": self._role,
            "CreateDate": self.place.now(),
        }
        return {"Role": role}

    def simulate(self, asked: Parameters) -> Mapping[str, Any]:
        if asked["PolicySourceArn"] != self._role:
            raise refused(
                f"{asked['PolicySourceArn']} is neither a user, a group nor a role.", "InvalidInput"
            )
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": "implicitDeny" if action in self.denied else "allowed",
            }
            for action in asked["ActionNames"]
            for resource in asked["ResourceArns"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}

    def list_quotas(self, asked: Parameters) -> Mapping[str, Any]:
        if asked["ServiceCode"] != "sagemaker":
            raise refused(f"There is no service {asked['ServiceCode']}.", "NoSuchResourceException")
        quotas = [
            {"ServiceCode": "sagemaker", "QuotaName": name, "Value": value, "Unit": "None"}
            for name, value in self.quotas.items()
        ]
        return {"Quotas": quotas}
