"""One rich spec of any cloud that sets every field, and a change of each field.

What a cloud refuses by design is left out of its rich spec; the cloud's data has the reason.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.clouds import Cloud, clouds
from tests.strategies import Spec

__all__ = ["changed", "changes_of", "existing_network", "rich_spec"]

GROUPS = ("admins", "scientists", "viewers")
STATE_BUCKET = {"backend": "s3", "settings": {"bucket": "acme-state", "region": "eu-west-1"}}
LIGHT = {"model": "churn", "mode": "serverless", "memory_mb": 1024, "max_concurrency": 5}


def rich_spec(of: Cloud) -> Spec:
    """Make a spec that sets every field that the cloud takes."""
    region = next(iter(of.regions))
    spec: Spec = {
        "version": 1,
        "name": "churn",
        "owner": "growth-ml",
        "tags": {"cost-center": "1234"},
        "target": {"provider": of.provider, "region": region, "account": of.choices("accounts")[0]},
        "deletion_protection": True,
        "environments": {"dev": {}},
        "state": {"backend": "managed", "create": True},
        "network": {
            "cidr": "10.40.0.0/16",
            "zones": 3,
            "egress": "nat",
            "nat_gateways": "single",
            "private_endpoints": True,
        },
        "security": {
            "encryption": "customer",
            "audit": True,
            "audit_retention_days": 700,
            "log_retention_days": 400,
            "permissions_boundary": True,
            "profiles": ["soc2"],
        },
        "identity": {
            "ci": {
                "system": "gitlab",
                "repository": "a/b",
                "branch": "main",
                "host": "gitlab.com",
                "provider": "create",
            },
            "groups": {
                group: [principal] for group, principal in zip(GROUPS, of.choices("principals"), strict=False)
            },
        },
        "storage": {
            "buckets": {
                "extra": {"expire_after_days": 90, "archive_after_days": 40, "keep_versions_days": 20}
            }
        },
        "containers": {"repositories": ["training"], "keep_images": 20},
        "workspace": {
            "users": [of.choices("users")[0]],
            "instance": "cpu.small",
            "idle_shutdown_minutes": 90,
            "auth": of.choices("auth")[0],
            "keep_home": True,
        },
        "tracking": {"backend": "managed"},
        "models": {
            "churn": {
                "approval": "manual",
                "image": "training:1.0",
                "data": "churn/1/model.tar.gz",
                "on_approval": "again",
            },
            "other": {"version": 3},
            "more": {},
        },
        "features": {
            "customer": {
                "key": "id",
                "event_time": "at",
                "columns": {"id": "int", "at": "timestamp", "then": "timestamp", "other": "int"},
                "online": True,
                "offline": True,
            }
        },
        "pipelines": {
            "train": {"definition": "pipelines/train.yaml", "schedule": "0 3 * * *", "instance": "cpu.large"},
            "again": {"definition": "pipelines/again.yaml"},
        },
        "endpoints": {
            "churn": {
                "model": "churn",
                "mode": "realtime",
                "instance": "cpu.medium",
                "replicas": {"min": 2, "max": 4, "target_utilization_percent": 60},
                "capture_percent": 30,
                "max_latency_ms": 500,
                "max_error_percent": 2,
            },
            "second": {"model": "other"},
            "bulk": {"model": "churn", "mode": "batch", "schedule": "0 3 * * *"},
        },
        "monitors": {
            "churn": {
                "endpoint": "churn",
                "every": "2h",
                "baseline": "churn",
                "instance": "cpu.medium",
                "data_drift": {"threshold": 0.3, "columns": ["tenure"]},
                "prediction_drift": {"threshold": 0.3},
                "concept_drift": {"threshold": 0.3},
                "on_alert": ["notify", "retrain"],
                "pipeline": "train",
            },
            "own": {
                "endpoint": "churn",
                "every": "2h",
                "baseline": "churn",
                "data_drift": {"threshold": 0.3, "columns": ["tenure"]},
                "prediction_drift": {"threshold": 0.3},
                "concept_drift": {"threshold": 0.3},
                "on_alert": ["notify", "retrain"],
                "pipeline": "train",
                "image": of.choices("images")[0],
                "breaches": 2,
                "windows": 4,
                "cooldown": "12h",
            },
        },
        "llm": {
            "models": [of.choices("models")[0]],
            "log_invocations": True,
            "guardrails": {
                "default": {
                    "content": "high",
                    "prompt_attacks": "high",
                    "pii": dict.fromkeys(of.choices("pii")[:1], "mask"),
                    "patterns": {
                        "ticket": {
                            "regex": "T-[0-9]+",
                            "description": "Tickets",
                            "action": of.choices("actions")[0],
                        }
                    },
                    "denied_topics": {"law": {"definition": "Advice on law", "examples": ["May I sue?"]}},
                    "denied_words": ["rival"],
                    "profanity": True,
                    "grounding": 0.7,
                    "relevance": 0.7,
                    "blocked_message": "No.",
                }
            },
            "knowledge_bases": {
                "docs": {
                    "bucket": "data",
                    "prefix": "kb/docs",
                    **of.choices("embeddings")[0],
                    "standby": False,
                    "index": "docs",
                },
                "later": {},
            },
        },
        "alerts": {"emails": ["a@example.com"], "budget": {"monthly": 100, "currency": "EUR"}},
        "overrides": _override(of, 0),
    }
    if "serverless" in of.choices("modes"):
        spec["endpoints"]["light"] = dict(LIGHT)
    for name in of.choices("guardrails_without"):
        spec["llm"]["guardrails"]["default"].pop(name)
    if not of.choices("boundaries"):
        del spec["security"]["permissions_boundary"]
    return spec


def _override(of: Cloud, number: int) -> Spec:
    override = of.words["override"]
    return {of.choices("overridden")[0]: {override["argument"]: override["values"][number]}}


def existing_network(of: Cloud) -> Spec:
    """A network section that names what is there already."""
    return {"existing": dict(of.choices("networks")[0])}


def _existing(*, beside: Spec, **given: Any) -> Spec:
    return {"network": {"existing": {**beside, **given}}}


def changed(spec: Spec, changes: Spec) -> Spec:
    """Return the spec with some values set, by their dotted paths."""
    spec = copy.deepcopy(spec)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = spec
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return spec


def changes_of(of: Cloud) -> dict[str, Spec]:
    """Make a change of each field's value: what to set where, by dotted path."""
    regions = list(of.regions)
    another = next(other.provider for other in clouds() if other is not of)
    other_mode = next(mode for mode in ("async", "batch") if mode in of.choices("modes"))
    other_action = "mask" if of.choices("actions")[0] == "block" else "block"
    network, other = of.choices("networks")[:2]
    return {
        "version": {"version": 2},
        "name": {"name": "other"},
        "owner": {"owner": "someone"},
        "tags.*": {"tags.cost-center": "5678"},
        "target.provider": {"target.provider": another},
        "target.region": {"target.region": regions[1]},
        "target.account": {"target.account": of.choices("accounts")[1]},
        "deletion_protection": {"deletion_protection": False},
        "environments": {
            "environments": {"dev": {}, "prod": {"target": {"account": of.choices("accounts")[1]}}}
        },
        "state.backend": {"state": {"backend": "local"}},
        "state.create": {"state.create": False},
        "state.settings.*": {"state": STATE_BUCKET},
        "network.cidr": {"network.cidr": "10.50.0.0/16"},
        "network.zones": {"network.zones": list(of.regions[regions[0]][:2])},
        "network.egress": {"network": {"egress": "none"}},
        "network.nat_gateways": {"network.nat_gateways": "per-zone"},
        "network.private_endpoints": {"network.private_endpoints": False},
        "network.existing.network_id": _existing(network_id=other["network_id"], beside=network),
        "network.existing.subnet_ids.*": _existing(subnet_ids=other["subnet_ids"], beside=network),
        "network.existing.security_group_ids.*": _existing(
            security_group_ids=other.get("security_group_ids", ["one"]), beside=network
        ),
        "security.encryption": {"security.encryption": "provider", "overrides": {}},
        "security.audit": {"security": {"audit": False}},
        "security.audit_retention_days": {"security.audit_retention_days": 800},
        "security.log_retention_days": {"security.log_retention_days": 600},
        "security.permissions_boundary": {
            "security.permissions_boundary": (of.choices("boundaries") or ["a-ceiling-over-every-role"])[0]
        },
        "security.profiles.*": {"security.profiles": []},
        "identity.ci.system": {"identity.ci": {"system": "github", "repository": "a/b"}},
        "identity.ci.repository": {"identity.ci.repository": "a/c"},
        "identity.ci.branch": {"identity.ci.branch": "trunk"},
        "identity.ci.host": {"identity.ci.host": "git.example.com"},
        "identity.ci.organization": {
            "identity.ci": {
                "system": "azure-devops",
                "repository": "a/b",
                "organization": "00000000-0000-4000-8000-000000000000",
            }
        },
        "identity.ci.provider": {"identity.ci.provider": "existing"},
        **{
            f"identity.groups.{group}.*": {f"identity.groups.{group}": [of.choices("principals")[-1]]}
            for group in GROUPS
        },
        "storage.buckets.*.expire_after_days": {"storage.buckets.extra.expire_after_days": 91},
        "storage.buckets.*.archive_after_days": {"storage.buckets.extra.archive_after_days": 41},
        "storage.buckets.*.keep_versions_days": {"storage.buckets.extra.keep_versions_days": 21},
        "containers.repositories.*": {"containers.repositories": ["training", "serving"]},
        "containers.keep_images": {"containers.keep_images": 21},
        "workspace.users.*": {"workspace.users": ["bob"]},
        "workspace.instance": {"workspace.instance": "cpu.large"},
        "workspace.idle_shutdown_minutes": {"workspace.idle_shutdown_minutes": 120},
        "workspace.auth": {"workspace.auth": "sso"},
        "workspace.keep_home": {"workspace.keep_home": False},
        "tracking.backend": {"tracking.backend": "none"},
        "models.*.approval": {"models.churn.approval": "automatic"},
        "models.*.version": {"models.other.version": 4},
        "models.*.image": {"models.churn.image": "training:1.1"},
        "models.*.data": {"models.churn.data": "churn/2/model.tar.gz"},
        "models.*.on_approval": {"models.churn.on_approval": "train"},
        "features.*.key": {"features.customer.key": "other"},
        "features.*.event_time": {"features.customer.event_time": "then"},
        "features.*.columns.*": {"features.customer.columns.other": "float"},
        "features.*.online": {"features.customer.online": False},
        "features.*.offline": {"features.customer.offline": False},
        "pipelines.*.definition": {"pipelines.train.definition": "pipelines/other.yaml"},
        "pipelines.*.schedule": {"pipelines.train.schedule": "0 4 * * *"},
        "pipelines.*.instance": {"pipelines.train.instance": "cpu.xlarge"},
        "endpoints.*.model": {"endpoints.churn.model": "other"},
        "endpoints.*.mode": {"endpoints.second.mode": other_mode},
        "endpoints.*.capture_percent": {"endpoints.churn.capture_percent": 31},
        "endpoints.*.max_latency_ms": {"endpoints.churn.max_latency_ms": 600},
        "endpoints.*.max_error_percent": {"endpoints.churn.max_error_percent": 3},
        "endpoints.*.memory_mb": {"endpoints.light": {**LIGHT, "memory_mb": 2048}},
        "endpoints.*.max_concurrency": {"endpoints.light": {**LIGHT, "max_concurrency": 6}},
        "endpoints.*.schedule": {"endpoints.bulk.schedule": "0 4 * * *"},
        "endpoints.*.instance": {"endpoints.churn.instance": "cpu.large"},
        "endpoints.*.replicas.min": {"endpoints.churn.replicas.min": 3},
        "endpoints.*.replicas.max": {"endpoints.churn.replicas.max": 5},
        "endpoints.*.replicas.target_utilization_percent": {
            "endpoints.churn.replicas.target_utilization_percent": 61
        },
        "monitors.*.endpoint": {"monitors.churn.endpoint": "second"},
        "monitors.*.every": {"monitors.own.every": "3h"},
        "monitors.*.baseline": {"monitors.own.baseline": "churn/2"},
        "monitors.*.instance": {"monitors.own.instance": "cpu.large"},
        "monitors.*.data_drift.columns.*": {"monitors.own.data_drift.columns": ["age"]},
        **{
            f"monitors.*.{kind}_drift.threshold": {f"monitors.own.{kind}_drift.threshold": 0.4}
            for kind in ("data", "prediction", "concept")
        },
        "monitors.*.on_alert.*": {"monitors.own.on_alert": ["retrain"]},
        "monitors.*.pipeline": {"monitors.churn.pipeline": "again"},
        "monitors.*.image": {"monitors.own.image": "monitoring:2.0.0"},
        "monitors.*.breaches": {"monitors.own.breaches": 3},
        "monitors.*.windows": {"monitors.own.windows": 5},
        "monitors.*.cooldown": {"monitors.own.cooldown": "36h"},
        "llm.models.*": {"llm.models": [of.choices("models")[1]]},
        "llm.log_invocations": {"llm.log_invocations": False},
        "llm.guardrails.*.content": {"llm.guardrails.default.content": "low"},
        "llm.guardrails.*.prompt_attacks": {"llm.guardrails.default.prompt_attacks": "none"},
        "llm.guardrails.*.pii.*": {"llm.guardrails.default.pii.email": "block"},
        "llm.guardrails.*.patterns.*.regex": {"llm.guardrails.default.patterns.ticket.regex": "T-[0-9]{3}"},
        "llm.guardrails.*.patterns.*.description": {
            "llm.guardrails.default.patterns.ticket.description": "Other"
        },
        "llm.guardrails.*.patterns.*.action": {"llm.guardrails.default.patterns.ticket.action": other_action},
        "llm.guardrails.*.denied_topics.*.definition": {
            "llm.guardrails.default.denied_topics.law.definition": "Advice on contracts"
        },
        "llm.guardrails.*.denied_topics.*.examples.*": {
            "llm.guardrails.default.denied_topics.law.examples": ["May I be sued?"]
        },
        "llm.guardrails.*.denied_words.*": {"llm.guardrails.default.denied_words": ["other"]},
        "llm.guardrails.*.profanity": {"llm.guardrails.default.profanity": False},
        "llm.guardrails.*.grounding": {"llm.guardrails.default.grounding": 0},
        "llm.guardrails.*.relevance": {"llm.guardrails.default.relevance": 0.8},
        "llm.guardrails.*.blocked_message": {"llm.guardrails.default.blocked_message": "Never."},
        "llm.knowledge_bases.*.bucket": {"llm.knowledge_bases.docs.bucket": "artifacts"},
        "llm.knowledge_bases.*.prefix": {"llm.knowledge_bases.later.prefix": "manuals"},
        "llm.knowledge_bases.*.embedding_model": {"llm.knowledge_bases.later": of.choices("embeddings")[1]},
        "llm.knowledge_bases.*.dimensions": {"llm.knowledge_bases.later.dimensions": 512},
        "llm.knowledge_bases.*.standby": {"llm.knowledge_bases.later.standby": True},
        "llm.knowledge_bases.*.index": {"llm.knowledge_bases.later.index": "later"},
        "alerts.emails.*": {"alerts.emails": ["b@example.com"]},
        "alerts.budget.monthly": {"alerts.budget.monthly": 200},
        "alerts.budget.currency": {"alerts.budget.currency": "USD"},
        "overrides.*.*": {"overrides": _override(of, 1)},
    }
