"""Hypothesis strategies that make valid specs of any cloud, over the whole vocabulary.

A spec is a dict as JSON has it; ``spec_text`` writes it as YAML. What is a cloud's own comes from ``tests.clouds``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from scaffolder.spec.profiles import EEA_REGIONS, SIX_YEARS
from scaffolder.spec.providers import PROVIDERS
from scaffolder.spec.rules import RESERVED_BUCKETS, RESERVED_TAGS
from stacks.adapter import STACKS
from tests.clouds import Cloud, cloud

__all__ = ["SPEC_FILE", "Spec", "spec_text", "valid_specs"]

Spec: TypeAlias = dict[str, Any]  # JSON, made to be taken apart by tests

SPEC_FILE = str(Path(__file__).parent / "specs" / "platform.yaml")
"""Where generated specs are taken to be: the pipeline definition that they name is there."""

CIDRS = ["10.40.0.0/16", "10.0.0.0/16", "10.250.16.0/20", "172.20.0.0/18", "192.168.0.0/16", "100.64.32.0/19"]
SCHEDULES = ["0 3 * * *", "*/15 8-18 * * mon-fri", "30 4 1,15 * 0", "0 0 29 feb *"]
TYPES = ["int", "float", "string", "bool", "timestamp"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=5,
)


def _names(longest: int = 20, shortest: int = 1) -> SearchStrategy[str]:
    words = st.from_regex(r"[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,5}){0,2}", fullmatch=True)
    return words.filter(lambda name: shortest <= len(name) <= longest)


def _columns() -> SearchStrategy[str]:
    return st.from_regex(r"[a-z][a-z0-9_]{0,15}", fullmatch=True)


def _like(pattern: str) -> SearchStrategy[str]:
    """Texts that a pattern of a cloud's data allows."""
    return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))


def _some(draw: DrawFn, values: dict[str, SearchStrategy[Any]]) -> Spec:
    """Give each key a value or leave it out."""
    return {name: draw(value) for name, value in values.items() if draw(st.booleans())}


@st.composite
def valid_specs(draw: DrawFn, *, provider: str | None = None, overrides: bool = False) -> Spec:
    """Make a valid spec of a cloud, or of any that has stacks. ``overrides`` adds some of resources that may not be there."""
    of = cloud(provider or draw(st.sampled_from(sorted(STACKS))))
    profiles = draw(st.lists(st.sampled_from(of.choices("profiles")), unique=True, max_size=4))
    region = draw(st.sampled_from(sorted(of.regions)))
    if "gdpr" in profiles and region not in EEA_REGIONS[of.provider]:
        region = next(region for region in of.regions if region in EEA_REGIONS[of.provider])
    spec: Spec = {
        "version": 1,
        "name": draw(_names(shortest=3)),
        "owner": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 _.:/@+=-]{0,30}", fullmatch=True)),
        "target": {"provider": of.provider, "region": region, "account": draw(_like(of.words["account"]))},
    }
    identity = draw(_identity(of))
    spec |= _some(
        draw,
        {
            "tags": _tags(of),
            "deletion_protection": st.booleans(),
            "state": _state(),
            "network": _network(of, region),
            "identity": st.just(identity),
            "containers": _containers(),
            "workspace": _workspace(of),
            "tracking": st.sampled_from([{}, {"backend": "managed"}, {"backend": "none"}]),
            "features": st.dictionaries(_names(), _feature_group(), max_size=2),
            "pipelines": st.dictionaries(_names(), _pipeline(of), max_size=2),
            "alerts": _alerts(),
        },
    )
    spec["security"] = draw(_security(of, profiles, ci="ci" in spec.get("identity", {})))
    spec["storage"] = {"buckets": draw(_buckets(profiles))}
    if draw(st.booleans()):
        spec["llm"] = draw(_llm(of, ["data", "artifacts", *spec["storage"]["buckets"]]))
    draw(_machine_learning(of, spec, manual="eu-ai-act" in profiles))
    if overrides:
        addresses = st.sampled_from(of.choices("overridden"))
        arguments = st.dictionaries(
            st.sampled_from(["tags", "force_destroy", "lifecycle"]), VALUES, min_size=1, max_size=2
        )
        spec["overrides"] = draw(st.dictionaries(addresses, arguments, max_size=2))
    if draw(st.booleans()):
        names = st.from_regex(r"(?!local$)[a-z][a-z0-9]{1,9}", fullmatch=True)
        spec["environments"] = draw(st.dictionaries(names, _overlay(of, spec), min_size=1, max_size=3))
        continuous = spec.get("identity", {}).get("ci", {})
        if len(spec["environments"]) > 1 and continuous.get("provider") == "create":
            continuous["provider"] = "auto"
    return spec


def spec_text(spec: Spec) -> str:
    """Write a spec as YAML, all texts in quotes."""
    return "".join(_lines(spec, 0))


def _lines(mapping: Spec, depth: int) -> list[str]:
    lines = []
    for name, value in mapping.items():
        start = f"{'  ' * depth}{name if name.isalpha() and depth == 0 else json.dumps(name)}:"
        if isinstance(value, dict) and value:
            lines += [f"{start}\n", *_lines(value, depth + 1)]
        else:
            lines.append(f"{start} {json.dumps(value, ensure_ascii=False)}\n")
    return lines


def _tags(of: Cloud) -> SearchStrategy[Spec]:
    """Make tags that are the user's own, and distinct on a cloud that folds their letters."""
    reserved = {_folded(tag) for tag in RESERVED_TAGS}
    prefixes = PROVIDERS[of.provider].tag_prefixes
    keys = _like(of.words["tag"])
    own = keys.filter(lambda tag: _folded(tag) not in reserved and not tag.lower().startswith(prefixes))
    values = st.from_regex(r"[A-Za-z0-9 _.:/@+=-]{0,20}", fullmatch=True)
    pairs = st.lists(st.tuples(own, values), max_size=3, unique_by=lambda pair: _folded(pair[0]))
    return pairs.map(dict)


def _folded(tag: str) -> str:
    return "".join(letter for letter in tag.lower() if letter.isalnum())


def _state() -> SearchStrategy[Spec]:
    s3 = {"bucket": "acme-state", "region": "eu-west-1", "use_lockfile": True, "max_retries": 3}
    azure = {"resource_group_name": "acme", "storage_account_name": "acmestate", "container_name": "state"}
    return st.sampled_from(
        [
            {},
            {"backend": "managed"},
            {"backend": "managed", "create": False},
            {"backend": "local"},
            {"backend": "s3", "settings": s3},
            {"backend": "gcs", "settings": {"bucket": "acme-state", "prefix": "platforms"}},
            {"backend": "azurerm", "settings": azure},
        ]
    )


@st.composite
def _network(draw: DrawFn, of: Cloud, region: str) -> Spec:
    zones = of.regions[region]
    if draw(st.integers(0, 4)) == 0:
        looks = of.words["existing"]
        several = {
            name: draw(
                st.lists(_like(looks[name].format(region=region)), min_size=1, max_size=most, unique=True)
            )
            for name, most in (("subnet_ids", looks["most_subnets"]), ("security_group_ids", 5))
            if name in looks
        }
        return {"existing": {"network_id": draw(_like(looks["network_id"])), **several}}
    network = _some(
        draw,
        {
            "cidr": st.sampled_from(CIDRS),
            "zones": st.integers(1, len(zones)) | st.lists(st.sampled_from(zones), min_size=1, unique=True),
        },
    )
    if draw(st.booleans()):
        network |= {"egress": "nat"}
        choices = {
            "nat_gateways": st.sampled_from(["per-zone", "single"]),
            "private_endpoints": st.sampled_from(of.choices("private_endpoints")),
        }
        return network | _some(draw, choices)
    return network | _some(draw, {"egress": st.just("none"), "private_endpoints": st.just(value=True)})


@st.composite
def _security(draw: DrawFn, of: Cloud, profiles: list[str], *, ci: bool) -> Spec:
    keep = SIX_YEARS if "hipaa" in profiles else 365 if profiles else 90
    days, log_days = st.integers(keep, 3653), st.integers(keep, of.words["longest_log_days"])
    audited = bool({"hipaa", "soc2", "eu-ai-act"} & set(profiles)) or draw(st.booleans())
    security: Spec = {"profiles": profiles, "audit": audited}
    if audited and (keep > 730 or draw(st.booleans())):
        security["audit_retention_days"] = draw(days)
    if keep > 365 or draw(st.booleans()):
        security["log_retention_days"] = draw(log_days)
    encryption = ["customer"] if "hipaa" in profiles else ["customer", "provider"]
    choices: dict[str, SearchStrategy[Any]] = {"encryption": st.sampled_from(encryption)}
    boundaries = of.choices("boundaries")
    if boundaries:
        choices["permissions_boundary"] = st.sampled_from([True, *boundaries, *([] if ci else [False])])
    return security | _some(draw, choices)


ORGANIZATION = "00000000-0000-4000-8000-000000000000"
CI: list[Spec] = [
    {"system": "github", "repository": "acme/churn"},
    {"system": "gitlab", "repository": "acme/ml/churn"},
    {"system": "jenkins", "repository": "ml/churn", "host": "jenkins.acme.example"},
    {"system": "azure-devops", "repository": "acme/ml", "organization": ORGANIZATION},
    {"system": "circleci", "repository": "acme/churn", "organization": ORGANIZATION},
]
"""The last one is refused on Azure."""


@st.composite
def _identity(draw: DrawFn, of: Cloud) -> Spec:
    identity: Spec = {}
    if draw(st.booleans()):
        branch = st.sampled_from(["main", "release/1"])
        common = {"branch": branch, "provider": st.sampled_from(["auto", "create", "existing"])}
        continuous = draw(st.sampled_from(CI[:-1] if of.provider == "azure" else CI))
        if continuous["system"] == "azure-devops":
            del common["branch"]
        if continuous["system"] == "gitlab":
            common["host"] = st.sampled_from(["gitlab.com", "gitlab.acme.example"])
        identity["ci"] = continuous | _some(draw, common)
    people = st.lists(_like(of.words["principal"]), unique=True, max_size=3)
    if draw(st.booleans()):
        identity["groups"] = _some(draw, dict.fromkeys(("admins", "scientists", "viewers"), people))
    return identity


@st.composite
def _buckets(draw: DrawFn, profiles: list[str]) -> Spec:
    names = draw(
        st.lists(_names(12).filter(lambda name: name not in RESERVED_BUCKETS), max_size=2, unique=True)
    )
    must_expire = "gdpr" in profiles
    if must_expire:
        names.append("data")
    names += [name for name in ("artifacts", "logs", "data") if draw(st.booleans())]
    return {name: draw(_bucket(name, profiles, must_expire=must_expire)) for name in dict.fromkeys(names)}


@st.composite
def _bucket(draw: DrawFn, name: str, profiles: list[str], *, must_expire: bool) -> Spec:
    bucket = _some(draw, {"keep_versions_days": st.integers(1, 3650)})
    shortest = (SIX_YEARS if "hipaa" in profiles else 183) if name == "logs" else 31
    if draw(st.booleans()) or (must_expire and name not in {"artifacts", "logs"}):
        bucket["expire_after_days"] = draw(st.integers(shortest, 36500))
    if draw(st.booleans()):
        bucket["archive_after_days"] = draw(st.integers(30, bucket.get("expire_after_days", 36501) - 1))
    return bucket


@st.composite
def _containers(draw: DrawFn) -> Spec:
    containers = _some(draw, {"repositories": st.lists(_names(), unique=True, max_size=3)})
    keep = {} if containers.get("repositories") == [] else {"keep_images": st.integers(1, 1000)}
    return containers | _some(draw, keep)


def _instances(of: Cloud) -> SearchStrategy[str]:
    return st.sampled_from([*of.choices("sizes"), *of.choices("machines")])


@st.composite
def _workspace(draw: DrawFn, of: Cloud) -> Spec:
    return _some(
        draw,
        {
            "users": st.lists(_names(), unique=True, max_size=3),
            "instance": _instances(of),
            "idle_shutdown_minutes": st.integers(60, 525600),
            "auth": st.sampled_from(of.choices("auth")),
            "keep_home": st.booleans(),
        },
    )


@st.composite
def _feature_group(draw: DrawFn) -> Spec:
    columns = draw(st.dictionaries(_columns(), st.sampled_from(TYPES), min_size=2, max_size=5))
    key, event_time = list(columns)[:2]
    online, offline = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    columns[event_time] = "timestamp"
    # Records are found by their key, which no cloud wants to be a fraction, and one refuses.
    if columns[key] == "float":
        columns[key] = "string"
    return {"key": key, "event_time": event_time, "columns": columns, "online": online, "offline": offline}


@st.composite
def _pipeline(draw: DrawFn, of: Cloud) -> Spec:
    schedules = of.words.get("schedules", SCHEDULES)
    choices = {"schedule": st.sampled_from(schedules), "instance": _instances(of)}
    return {"definition": "pipelines/train.yaml", **_some(draw, choices)}


@st.composite
def _alerts(draw: DrawFn) -> Spec:
    alerts = _some(draw, {"emails": st.lists(_names().map("{}@example.com".format), unique=True, max_size=3)})
    if draw(st.booleans()):
        monthly = st.integers(1, 10**9) | st.floats(1, 1e6, allow_nan=False).map(
            lambda amount: round(amount, 2)
        )
        alerts["budget"] = {
            "monthly": draw(monthly),
            **_some(draw, {"currency": st.sampled_from(["USD", "EUR"])}),
        }
    return alerts


@st.composite
def _llm(draw: DrawFn, of: Cloud, buckets: list[str]) -> Spec:
    holders = sorted({*buckets} - {"logs"})
    return _some(
        draw,
        {
            "models": st.lists(st.sampled_from(of.choices("models")), unique=True, max_size=3),
            "log_invocations": st.booleans(),
            "guardrails": st.dictionaries(_names(), _guardrail(of), max_size=2),
            "knowledge_bases": st.dictionaries(_names(), _knowledge_base(of, holders), max_size=2),
        },
    )


@st.composite
def _guardrail(draw: DrawFn, of: Cloud) -> Spec:
    strengths = st.sampled_from(["high", "medium", "low", "none"])
    texts = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=30)
    actions = st.sampled_from(["mask", "block"])
    pattern = st.fixed_dictionaries(
        {
            "regex": st.sampled_from(["[A-Z]{3}-[0-9]+", "a|b$"]),
            "description": texts,
            "action": st.sampled_from(of.choices("actions")),
        }
    )
    topic = st.fixed_dictionaries(
        {"definition": texts}, optional={"examples": st.lists(texts, unique=True, max_size=2)}
    )
    guardrail: Spec = {
        "content": draw(st.sampled_from(["high", "low"])),
        **_some(
            draw,
            {
                "prompt_attacks": strengths,
                "pii": st.dictionaries(st.sampled_from(of.choices("pii") or ["none"]), actions, max_size=3),
                "patterns": st.dictionaries(_names(), pattern, max_size=2),
                "denied_topics": st.dictionaries(_names(), topic, max_size=2),
                "denied_words": st.lists(texts, unique=True, max_size=2),
                "profanity": st.booleans(),
                "grounding": st.sampled_from([0, 0.5, 0.99]),
                "relevance": st.sampled_from([0, 0.5, 0.99]),
                "blocked_message": texts,
            },
        ),
    }
    return {name: value for name, value in guardrail.items() if name not in of.choices("guardrails_without")}


@st.composite
def _knowledge_base(draw: DrawFn, of: Cloud, buckets: list[str]) -> Spec:
    chosen = {
        "bucket": st.sampled_from(buckets),
        "prefix": st.sampled_from(["kb", "docs/manuals"]),
        "standby": st.booleans(),
        "index": st.sampled_from(["docs", "docs_2"]),
    }
    return {**draw(st.sampled_from(of.choices("embeddings"))), **_some(draw, chosen)}


@st.composite
def _machine_learning(draw: DrawFn, of: Cloud, spec: Spec, *, manual: bool) -> None:
    """Add models, endpoints of theirs, and monitors of those."""
    approvals = st.just("manual") if manual else st.sampled_from(["manual", "automatic"])
    choices = {"approval": approvals}
    if spec.get("pipelines"):
        choices["on_approval"] = st.sampled_from(sorted(spec["pipelines"]))
    models = draw(st.dictionaries(_names(), st.fixed_dictionaries({}, optional=choices), max_size=2))
    if models:
        spec["models"] = models
        endpoints = _endpoint(of, sorted(models))
        spec["endpoints"] = draw(st.dictionaries(_names(), endpoints, max_size=2))
        for name in sorted({endpoint["model"] for endpoint in spec["endpoints"].values()}):
            models[name] |= draw(_served(of))
    if spec.get("endpoints"):
        monitor = _monitor(of, spec["endpoints"], sorted(spec.get("pipelines", {})))
        spec["monitors"] = draw(st.dictionaries(_names(), monitor, max_size=2))


def _served(of: Cloud) -> SearchStrategy[Spec]:
    """What a model's endpoints serve: nothing yet, a registered version, or an image."""
    image = of.choices("images")[0]
    return st.sampled_from(
        [
            {},
            {"version": 3},
            {"image": image},
            {"image": image, "data": "churn/2026-11/model.tar.gz"},
        ]
    )


@st.composite
def _endpoint(draw: DrawFn, of: Cloud, models: list[str]) -> Spec:
    mode = draw(st.sampled_from(of.choices("modes")))
    endpoint = {"model": draw(st.sampled_from(models)), "mode": mode}
    errors = {"max_error_percent": st.sampled_from([0, 0.5, 5])}
    latency = {"max_latency_ms": st.integers(1, 60_000)}
    if mode == "serverless":
        memory = {"memory_mb": st.integers(1, 6).map(lambda many: many * 1024)}
        return endpoint | _some(draw, {**memory, "max_concurrency": st.integers(1, 200), **errors, **latency})
    machines = {"instance": _instances(of)}
    if mode == "batch":
        replicas: Spec = _some(draw, {"max": st.integers(1, 9)})
        schedule = {"schedule": st.sampled_from(SCHEDULES)}
        return endpoint | _some(draw, {**machines, **schedule, "replicas": st.just(replicas)})
    least = draw(st.integers(0 if mode == "async" else 1, 5))
    replicas = {"min": least, "max": draw(st.integers(max(1, least), 9))}
    if replicas["min"] != replicas["max"] and mode == "realtime":
        replicas |= _some(draw, {"target_utilization_percent": st.integers(10, 95)})
    capture = {"capture_percent": st.integers(1, 100), **latency} if mode == "realtime" else {}
    return endpoint | _some(draw, {**machines, **errors, **capture, "replicas": st.just(replicas)})


@st.composite
def _monitor(draw: DrawFn, of: Cloud, endpoints: dict[str, Spec], pipelines: list[str]) -> Spec:
    """Make a monitor; only a realtime endpoint keeps the requests whose data may drift."""
    name = draw(st.sampled_from(sorted(endpoints)))
    monitor: Spec = {"endpoint": name}
    threshold = {"threshold": st.sampled_from([0, 0.05, 0.2, 1])}
    possible = ["prediction_drift", "concept_drift"]
    if endpoints[name]["mode"] == "realtime":
        possible.append("data_drift")
    for kind in draw(st.lists(st.sampled_from(possible), min_size=1, unique=True)):
        columns = {"columns": st.lists(_columns(), unique=True, max_size=12)} if kind == "data_drift" else {}
        monitor[kind] = draw(st.fixed_dictionaries({}, optional={**threshold, **columns}))
    monitor |= _some(
        draw,
        {
            "every": st.sampled_from(["1h", "120m", "12h", "1d"]),
            "baseline": st.sampled_from(["churn", "churn/2026-11"]),
            "instance": st.sampled_from(["cpu.medium", "cpu.large"]),
            **({"image": st.just(of.choices("images")[0])} if "data_drift" in possible else {}),
            "breaches": st.integers(1, 3),
            "windows": st.integers(3, 5),
        },
    )
    if draw(st.booleans()) and pipelines:
        actions = draw(st.sampled_from([["retrain"], ["notify", "retrain"]]))
        return monitor | {"on_alert": actions, "pipeline": draw(st.sampled_from(pipelines))}
    return monitor | _some(draw, {"on_alert": st.just(["notify"])})


@st.composite
def _overlay(draw: DrawFn, of: Cloud, spec: Spec) -> Spec | None:
    """What may differ in an environment, whatever the rest of the spec says."""
    target = {"account": draw(_like(of.words["account"]))}
    changes: dict[str, SearchStrategy[Any]] = {
        "deletion_protection": st.booleans(),
        "tags": st.just({"stage": "one"}),
        "target": st.just(target),
        "workspace": st.none() | st.just({"users": ["somebody"]}),
        "tracking": st.just({"backend": "managed"}),
        "alerts": st.just({"emails": ["team@example.com"]}),
    }
    realtime = sorted(n for n, it in spec.get("endpoints", {}).items() if it["mode"] == "realtime")
    if realtime:
        name = draw(st.sampled_from(realtime))
        changes["endpoints"] = st.just({name: {"replicas": {"min": 1, "max": 12}}})
    return draw(st.none()) if draw(st.integers(0, 9)) == 0 else _some(draw, changes)
