"""No field of the spec is silently dropped: each changes what comes out, or what is said not to come out."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from scaffolder.errors import SpecError, UnsupportedError
from scaffolder.pipeline import Synthesis, synthesize_loaded
from scaffolder.spec.load import parse_spec
from scaffolder.spec.reference import all_paths
from stacks.adapter import lowering_of
from stacks.emit.terraform_json import document, dumps
from stacks.intents import SupportLevel, describe
from tests.strategies import SPEC_FILE, spec_text

RICH: dict[str, Any] = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "tags": {"cost-center": "1234"},
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
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
            group: [f"arn:aws:iam::123456789012:role/{group}"]
            for group in ("admins", "scientists", "viewers")
        },
    },
    "storage": {
        "buckets": {"extra": {"expire_after_days": 90, "archive_after_days": 40, "keep_versions_days": 20}}
    },
    "containers": {"repositories": ["training"], "keep_images": 20},
    "workspace": {
        "users": ["ada"],
        "instance": "cpu.small",
        "idle_shutdown_minutes": 90,
        "auth": "iam",
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
        "light": {"model": "churn", "mode": "serverless", "memory_mb": 1024, "max_concurrency": 5},
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
        }
    },
    "llm": {
        "models": ["amazon.nova-lite-v1:0"],
        "log_invocations": True,
        "guardrails": {
            "default": {
                "content": "high",
                "prompt_attacks": "high",
                "pii": {"email": "mask"},
                "patterns": {"ticket": {"regex": "T-[0-9]+", "description": "Tickets", "action": "mask"}},
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
                "embedding_model": "amazon.titan-embed-text-v2:0",
                "dimensions": 1024,
                "standby": False,
                "index": "docs",
            },
            "later": {},
        },
    },
    "alerts": {"emails": ["a@example.com"], "budget": {"monthly": 100, "currency": "EUR"}},
    "overrides": {"aws_kms_key.data": {"deletion_window_in_days": 7}},
}

EXISTING = {
    "network_id": "vpc-0123456789abcdef0",
    "subnet_ids": ["subnet-0123456789abcdef0"],
    "security_group_ids": ["sg-0123456789abcdef0"],
}
STATE_BUCKET = {"backend": "s3", "settings": {"bucket": "acme-state", "region": "eu-west-1"}}

CHANGES: dict[str, dict[str, Any]] = {
    "version": {"version": 2},
    "name": {"name": "other"},
    "owner": {"owner": "someone"},
    "tags.*": {"tags.cost-center": "5678"},
    "target.provider": {"target.provider": "gcp"},
    "target.region": {"target.region": "eu-central-1"},
    "target.account": {"target.account": "210987654321"},
    "deletion_protection": {"deletion_protection": False},
    "environments": {"environments": {"dev": {}, "prod": {"target": {"account": "210987654321"}}}},
    "state.backend": {"state": {"backend": "local"}},
    "state.create": {"state.create": False},
    "state.settings.*": {"state": STATE_BUCKET},
    "network.cidr": {"network.cidr": "10.50.0.0/16"},
    "network.zones": {"network.zones": ["euw1-az1", "euw1-az2", "euw1-az3"][:2]},
    "network.egress": {"network": {"egress": "none"}},
    "network.nat_gateways": {"network.nat_gateways": "per-zone"},
    "network.private_endpoints": {"network.private_endpoints": False},
    "network.existing.network_id": {
        "network": {"existing": {**EXISTING, "network_id": "vpc-0123456789abcdef1"}}
    },
    "network.existing.subnet_ids.*": {
        "network": {"existing": {**EXISTING, "subnet_ids": ["subnet-0123456789abcdef1"]}}
    },
    "network.existing.security_group_ids.*": {
        "network": {"existing": {**EXISTING, "security_group_ids": ["sg-0123456789abcdef1"]}}
    },
    "security.encryption": {"security.encryption": "provider", "overrides": {}},
    "security.audit": {"security": {"audit": False}},
    "security.audit_retention_days": {"security.audit_retention_days": 800},
    "security.log_retention_days": {"security.log_retention_days": 600},
    "security.permissions_boundary": {
        "security.permissions_boundary": "arn:aws:iam::123456789012:policy/ours"
    },
    "security.profiles.*": {"security.profiles": []},
    "identity.ci.system": {"identity.ci": {"system": "github", "repository": "a/b"}},
    "identity.ci.repository": {"identity.ci.repository": "a/c"},
    "identity.ci.branch": {"identity.ci.branch": "trunk"},
    "identity.ci.host": {"identity.ci.host": "git.example.com"},
    "identity.ci.provider": {"identity.ci.provider": "existing"},
    **{
        f"identity.groups.{group}.*": {f"identity.groups.{group}": ["arn:aws:iam::123456789012:role/x"]}
        for group in ("admins", "scientists", "viewers")
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
    "endpoints.*.mode": {"endpoints.second.mode": "async"},
    "endpoints.*.capture_percent": {"endpoints.churn.capture_percent": 31},
    "endpoints.*.max_latency_ms": {"endpoints.churn.max_latency_ms": 600},
    "endpoints.*.max_error_percent": {"endpoints.churn.max_error_percent": 3},
    "endpoints.*.memory_mb": {"endpoints.light.memory_mb": 2048},
    "endpoints.*.max_concurrency": {"endpoints.light.max_concurrency": 6},
    "endpoints.*.schedule": {"endpoints.bulk.schedule": "0 4 * * *"},
    "endpoints.*.instance": {"endpoints.churn.instance": "cpu.large"},
    "endpoints.*.replicas.min": {"endpoints.churn.replicas.min": 3},
    "endpoints.*.replicas.max": {"endpoints.churn.replicas.max": 5},
    "endpoints.*.replicas.target_utilization_percent": {
        "endpoints.churn.replicas.target_utilization_percent": 61
    },
    "monitors.*.endpoint": {"monitors.churn.endpoint": "second"},
    "monitors.*.every": {"monitors.churn.every": "3h"},
    "monitors.*.baseline": {"monitors.churn.baseline": "churn/2"},
    "monitors.*.instance": {"monitors.churn.instance": "cpu.large"},
    "monitors.*.data_drift.columns.*": {"monitors.churn.data_drift.columns": ["age"]},
    **{
        f"monitors.*.{kind}_drift.threshold": {f"monitors.churn.{kind}_drift.threshold": 0.4}
        for kind in ("data", "prediction", "concept")
    },
    "monitors.*.on_alert.*": {"monitors.churn.on_alert": ["retrain"]},
    "monitors.*.pipeline": {"monitors.churn.pipeline": "again"},
    "llm.models.*": {"llm.models": ["amazon.nova-pro-v1:0"]},
    "llm.log_invocations": {"llm.log_invocations": False},
    "llm.guardrails.*.content": {"llm.guardrails.default.content": "low"},
    "llm.guardrails.*.prompt_attacks": {"llm.guardrails.default.prompt_attacks": "none"},
    "llm.guardrails.*.pii.*": {"llm.guardrails.default.pii.email": "block"},
    "llm.guardrails.*.patterns.*.regex": {"llm.guardrails.default.patterns.ticket.regex": "T-[0-9]{3}"},
    "llm.guardrails.*.patterns.*.description": {
        "llm.guardrails.default.patterns.ticket.description": "Other"
    },
    "llm.guardrails.*.patterns.*.action": {"llm.guardrails.default.patterns.ticket.action": "block"},
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
    "llm.knowledge_bases.*.embedding_model": {
        "llm.knowledge_bases.later.embedding_model": "cohere.embed-multilingual-v3"
    },
    "llm.knowledge_bases.*.dimensions": {"llm.knowledge_bases.later.dimensions": 512},
    "llm.knowledge_bases.*.standby": {"llm.knowledge_bases.later.standby": True},
    "llm.knowledge_bases.*.index": {"llm.knowledge_bases.later.index": "later"},
    "alerts.emails.*": {"alerts.emails": ["b@example.com"]},
    "alerts.budget.monthly": {"alerts.budget.monthly": 200},
    "alerts.budget.currency": {"alerts.budget.currency": "USD"},
    "overrides.*.*": {"overrides": {"aws_kms_key.data": {"deletion_window_in_days": 8}}},
}
"""A change of each field's value: what to set where, by dotted path."""


REFUSED = ("version", "target.provider")


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The rich spec with some values set."""
    spec = copy.deepcopy(RICH)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = spec
        for parent in parents:
            place = place[parent]
        place[last] = value
    return spec


def shown(synthesis: Synthesis) -> tuple[dict[str, bytes], list[object]]:
    """What a user gets: documents, and the intents that are named as not carried, or not wholly."""
    documents = {linked.stack.name: dumps(document(linked)) for linked in synthesis.stacks}
    named: list[object] = []
    for environment in synthesis.environments:
        lowering = lowering_of(environment.platform.target.provider)
        assert lowering is not None
        table = lowering.support()
        intents = environment.platform.intents
        skipped = {each.intent for each in environment.skipped}
        assert {describe(i) for i in intents if table[type(i)].level is not SupportLevel.FULL} <= skipped
        named += [(each.intent, each.reason, each.remedy) for each in environment.skipped]
        named += [intent for intent in intents if describe(intent) in skipped]
    return documents, named


def synthesized(spec: dict[str, Any]) -> Synthesis:
    """Synthesize a spec given as data, beside whose file are the definitions of its pipelines."""
    return synthesize_loaded(parse_spec(spec_text(spec), file=SPEC_FILE))


def test_the_table_has_every_field() -> None:
    paths = all_paths()
    leaves = {path for path in paths if not any(other.startswith(f"{path}.") for other in paths)}
    assert leaves - CHANGES.keys() == set()


@pytest.mark.parametrize("field", sorted(CHANGES))
def test_no_field_is_silently_dropped(field: str) -> None:
    before = shown(synthesized(RICH))
    try:
        after = shown(synthesized(changed(CHANGES[field])))
    except (SpecError, UnsupportedError):
        if field in REFUSED:
            return
        raise
    base = changed({"network": {"existing": EXISTING}}) if "existing" in field else RICH
    assert after != (before if base is RICH else shown(synthesized(base)))
