"""Rules over more than one key of a spec: a small function each, in ``RULES``.

Cloud-neutral: what differs between clouds is looked up in ``providers``. May not repeat what a kind checks, and may
not know what a region or a service offers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from scaffolder.spec.backends import BACKENDS
from scaffolder.spec.environments import Environment
from scaffolder.spec.model import Network, PlatformSpec
from scaffolder.spec.nodes import Path, Report, Tree, dotted, mark_of, nearest, quoted
from scaffolder.spec.profiles import DATE, PROFILES, shortfalls
from scaffolder.spec.providers import PROVIDERS, Shape
from scaffolder.spec.scalars import NEUTRAL_INSTANCE, own_repository

__all__ = [
    "RESERVED_BUCKETS",
    "RESERVED_TAGS",
    "RULES",
    "Problem",
    "Written",
    "check_environment",
    "check_environments",
]

RESERVED_TAGS = ("name", "owner", "platform", "environment", "managed-by", "compliance")
RESERVED_BUCKETS = ("state", "audit", "invocations")
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")  # RFC 1918, RFC 6598
ZERO_REPLICAS = ("async",)
TAKE_AWAY = "Remove it (in an environment: set it to null)."


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule finds. The message goes on after the path's own text."""

    path: Path
    code: str
    message: str
    hint: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """One environment's spec, and the tree that tells what of it is written rather than a default."""

    spec: PlatformSpec
    tree: Tree

    def has(self, *path: str) -> bool:
        node: object = self.tree
        for part in path:
            if not isinstance(node, Tree) or part not in node.entries:
                return False
            node = node.entries[part].value
        return True


def check_environment(spec: PlatformSpec, tree: Tree, report: Report) -> None:
    """Report what one environment's spec has that does not fit together."""
    written = Written(spec, tree)
    for rule in RULES:
        _tell(rule(written), tree, report)


def check_environments(
    environments: Sequence[Environment], specs: Mapping[str, PlatformSpec], report: Report
) -> None:
    """Report what does not fit between environments."""
    for first, second in combinations(environments, 2):
        one, other = specs[first.name], specs[second.name]
        if _could_meet(one, other):
            path = ("network", "cidr")
            report.add(
                mark_of(second.tree, path) if Written(other, second.tree).has(*path) else second.mark,
                "cidr-overlap",
                path,
                f"network.cidr {other.network.cidr} of environment {second.name} overlaps {one.network.cidr} of "
                f"{first.name} in the same account: the two networks can never be connected",
                f"Give {second.name} a range of its own if you may want to connect them.",
                warning=True,
            )
        if _both_create_trust(one, other):
            where: Path = ("identity", "ci", "provider")
            report.add(
                mark_of(second.tree, where),
                "one-ci-provider",
                where,
                f"identity.ci.provider is create in {first.name} and {second.name}, whose account has one trust of its CI "
                "system: the second could not be made",
                "Set it to auto: the first environment of an account makes it.",
            )


def _both_create_trust(one: PlatformSpec, other: PlatformSpec) -> bool:
    systems = (one.identity.ci, other.identity.ci)
    if one.target.account != other.target.account or not systems[0] or not systems[1]:
        return False
    if not systems[0].provider == systems[1].provider == "create":
        return False
    match PROVIDERS[other.target.provider].one_ci_provider:
        case "a host":
            issuers = [(ci.system, ci.host, ci.organization) for ci in systems if ci]
            return issuers[0] == issuers[1]
        case "all":
            return True
        case "none":
            return False


def _could_meet(one: PlatformSpec, other: PlatformSpec) -> bool:
    from ipaddress import IPv4Network  # noqa: PLC0415  # only where there are two

    if one.network.existing or other.network.existing or one.target.account != other.target.account:
        return False
    return IPv4Network(one.network.cidr).overlaps(IPv4Network(other.network.cidr))


def _tell(problems: Iterable[Problem], tree: Tree, report: Report) -> None:
    for problem in problems:
        report.add(
            mark_of(tree, problem.path),
            problem.code,
            problem.path,
            f"{dotted(problem.path)} {problem.message}",
            problem.hint,
            warning=problem.warning,
        )


def _unknown(path: Path, name: str, known: Iterable[str], table: str) -> Problem:
    """A name that refers to nothing."""
    names = sorted(known)
    has = f"there is {', '.join(names)}" if names else f"{table} is empty"
    hint = nearest(name, names) or (f"Add {name} to {table}." if not names else "")
    return Problem(path, "unknown-name", f"{quoted(name)} is not in {table}; {has}", hint)


def _misshapen(path: Path, code: str, value: str, shape: Shape, hint: str = "") -> Iterator[Problem]:
    if re.fullmatch(shape.pattern, value) is None:
        yield Problem(path, code, f"must be {shape.says}, not {quoted(value)}", hint or _plain(value, shape))


def _plain(value: str, shape: Shape) -> str:
    """Name the value as the cloud spells it, where capitals and spaces are all that is wrong with it."""
    words = value.lower().split()
    fitting = [text for text in ("".join(words), "-".join(words)) if re.fullmatch(shape.pattern, text)]
    return f"Did you mean {quoted(fitting[0])}?" if fitting else ""


def _owner(what: str, shapes: Mapping[str, Shape], value: str) -> str:
    """Say whose value it is, where another cloud's are of its shape."""
    owners = [provider for provider, shape in shapes.items() if re.fullmatch(shape.pattern, value)]
    return f"It looks like {what} of {owners[0]}." if owners else ""


# --- the target ------------------------------------------------------------------------------------------------------


def account_is_one_of_the_provider(written: Written) -> Iterator[Problem]:
    target = written.spec.target
    accounts = {provider: shapes.account for provider, shapes in PROVIDERS.items()}
    hint = _owner("an account", accounts, target.account)
    return _misshapen(("target", "account"), "account", target.account, accounts[target.provider], hint)


def region_is_one_of_the_provider(written: Written) -> Iterator[Problem]:
    target = written.spec.target
    regions = {provider: shapes.region for provider, shapes in PROVIDERS.items()}
    hint = _owner("a region", regions, target.region)
    return _misshapen(("target", "region"), "region", target.region, regions[target.provider], hint)


def tags_are_the_users_own(written: Written) -> Iterator[Problem]:
    prefixes = PROVIDERS[written.spec.target.provider].tag_prefixes
    reserved = {_letters(tag) for tag in RESERVED_TAGS}
    for tag in written.spec.tags:
        if _letters(tag) in reserved:
            yield Problem(
                ("tags", tag), "reserved-tag", "is a tag that the platform sets itself", "Remove it."
            )
        elif tag.lower().startswith(prefixes):
            message = (
                f"starts with {' or '.join(prefixes)}, which {written.spec.target.provider} keeps for itself"
            )
            yield Problem(("tags", tag), "reserved-tag", message, "Give it another name.")


def _letters(tag: str) -> str:
    return re.sub(r"[^a-z0-9]", "", tag.lower())


# --- state -----------------------------------------------------------------------------------------------------------


def state_settings_fit_the_backend(written: Written) -> Iterator[Problem]:
    state = written.spec.state
    takes = BACKENDS.get(state.backend)
    if takes is None:
        return
    for name in takes.required:
        if name not in state.settings and not any(_matches(name, given) for given in state.settings):
            yield Problem(
                ("state", "settings", name),
                "missing",
                f"is missing: backend {state.backend} cannot do without it",
            )
    for name, value in state.settings.items():
        yield from _backend_argument(state.backend, name, value)


def _matches(required: str, given: str) -> bool:
    """Whether a misspelt argument is reported as such, and not as missing too."""
    takes = {name for backend in BACKENDS.values() for name in backend.types}
    return given not in takes and nearest(given, [required]) != ""


def _backend_argument(backend: str, name: str, value: object) -> Iterator[Problem]:
    path = ("state", "settings", name)
    takes = BACKENDS[backend]
    if name in takes.secret:
        hint = "Give it to Terraform by the environment; CI signs in by OIDC and needs none."
        yield Problem(path, "secret", "is a credential, and a spec takes no secret", hint)
    elif name not in takes.types:
        known = ", ".join(sorted(takes.types))
        yield Problem(
            path,
            "unknown-key",
            f"is not an argument of backend {backend}; it has {known}",
            nearest(name, takes.types),
        )
    elif (wanted := takes.types[name]) != _type(value):
        yield Problem(path, "value", f"must be {wanted}, not {_type(value)}")


def _type(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case _:
            return "text"


def state_keys_change_something(written: Written) -> Iterator[Problem]:
    backend = written.spec.state.backend
    if written.has("state", "settings") and backend not in BACKENDS:
        yield _idle(("state", "settings"), f"with backend {backend}")
    if written.has("state", "create") and backend != "managed":
        yield _idle(("state", "create"), f"with backend {backend}")


def _idle(path: Path, where: str, *, warning: bool = False) -> Problem:
    return Problem(path, "no-effect", f"changes nothing {where}", TAKE_AWAY, warning=warning)


# --- the network -----------------------------------------------------------------------------------------------------


def network_keys_change_something(written: Written) -> Iterator[Problem]:
    network = written.spec.network
    if network.existing is not None:
        for name in ("cidr", "zones", "egress", "nat_gateways", "private_endpoints"):
            if written.has("network", name):
                yield _idle(("network", name), "beside network.existing, where no network is made")
    elif network.egress != "nat" and written.has("network", "nat_gateways"):
        yield _idle(("network", "nat_gateways"), f"with network.egress {network.egress}")


def existing_network_is_of_the_provider(written: Written) -> Iterator[Problem]:
    existing = written.spec.network.existing
    if existing is None:
        return
    provider = written.spec.target.provider
    shapes = PROVIDERS[provider]
    path = ("network", "existing")
    yield from _misshapen((*path, "network_id"), "existing-network", existing.network_id, shapes.network)
    for number, subnet in enumerate(existing.subnet_ids):
        yield from _misshapen((*path, "subnet_ids", number), "existing-network", subnet, shapes.subnet)
    groups = (*path, "security_group_ids")
    if shapes.security_group is None:
        if existing.security_group_ids:
            yield _idle(groups, f"on {provider}, where workloads are put into no security groups")
    elif not existing.security_group_ids:
        yield Problem(groups, "missing", f"is missing: on {provider} it names {shapes.security_group.says}")
    else:
        for number, group in enumerate(existing.security_group_ids):
            yield from _misshapen((*groups, number), "existing-network", group, shapes.security_group)


def range_is_private(written: Written) -> Iterator[Problem]:
    network = written.spec.network
    if network.existing is None:
        yield from _range_is_private(network)


def _range_is_private(network: Network) -> Iterator[Problem]:
    from ipaddress import IPv4Network  # noqa: PLC0415  # not where a network exists already

    path = ("network", "cidr")
    cidr = IPv4Network(network.cidr)
    if (
        cidr.is_loopback
        or cidr.is_multicast
        or cidr.is_link_local
        or cidr.is_reserved
        or cidr[0].packed[0] == 0
    ):
        yield Problem(path, "cidr", f"{network.cidr} cannot be a network's range", "Use one in 10.0.0.0/8.")
    elif not any(cidr.subnet_of(IPv4Network(private)) for private in PRIVATE_RANGES):
        message = (
            f"{network.cidr} is not a private range ({', '.join(PRIVATE_RANGES)}): it hides what is there now"
        )
        yield Problem(path, "cidr-public", message, "Use one in 10.0.0.0/8.", warning=True)


# --- identity and security -------------------------------------------------------------------------------------------


CI_KEYS: Mapping[str, frozenset[str]] = {
    "github": frozenset({"branch"}),
    "gitlab": frozenset({"branch", "host"}),
    "circleci": frozenset({"branch", "organization"}),
    "jenkins": frozenset({"branch", "host"}),
    "azure-devops": frozenset({"organization"}),
}
"""What of identity.ci each system's trust is made of, beyond the repository."""
CI_NEEDS = {
    "circleci": ("organization", "CircleCI issues tokens by organization, and its settings show the id"),
    "jenkins": ("host", "Jenkins issues tokens itself"),
    "azure-devops": ("organization", "Azure DevOps issues tokens by organization, a UUID"),
}
CI_REPOSITORIES = {
    "github": "owner/name on GitHub",
    "circleci": "owner/name on GitHub",
    "azure-devops": "organization/project on Azure DevOps",
}


def ci_fits_its_system(written: Written) -> Iterator[Problem]:
    ci = written.spec.identity.ci
    if ci is None:
        return
    path = ("identity", "ci")
    used = CI_KEYS[ci.system]
    for name in ("host", "organization", "branch"):
        if written.has(*path, name) and name not in used:
            yield _idle((*path, name), f"with system {ci.system}")
    if ci.system in CI_NEEDS:
        name, why = CI_NEEDS[ci.system]
        if not written.has(*path, name):
            yield Problem(path, "missing", f"has no {name}: {why}", f"Add {name} to identity.ci.")
    says = CI_REPOSITORIES.get(ci.system)
    if says is not None and ci.repository.count("/") != 1:
        message = f"must be {says}, not {quoted(ci.repository)}"
        yield Problem((*path, "repository"), "repository", message)


def principals_are_of_the_provider(written: Written) -> Iterator[Problem]:
    shapes = {provider: shapes.principal for provider, shapes in PROVIDERS.items()}
    shape = shapes[written.spec.target.provider]
    groups = written.spec.identity.groups
    named = {"admins": groups.admins, "scientists": groups.scientists, "viewers": groups.viewers}
    for group, principals in named.items():
        for number, principal in enumerate(principals):
            broad = principal == "*" or principal.endswith((":root", "/*"))
            hint = "Name the roles one by one: this would let in everybody of an account." if broad else ""
            hint = hint or _owner("a principal", shapes, principal)
            yield from _misshapen(("identity", "groups", group, number), "principal", principal, shape, hint)


def users_are_of_the_provider(written: Written) -> Iterator[Problem]:
    workspace = written.spec.workspace
    shape = PROVIDERS[written.spec.target.provider].user
    for number, user in enumerate(workspace.users if workspace else ()):
        yield from _misshapen(("workspace", "users", number), "user", user, shape)


def boundary_is_of_the_provider(written: Written) -> Iterator[Problem]:
    boundary = written.spec.security.permissions_boundary
    provider = written.spec.target.provider
    shape = PROVIDERS[provider].boundary
    path = ("security", "permissions_boundary")
    if shape is None and boundary is not None:
        yield _idle(path, f"on {provider}, which has no permissions boundaries")
    elif shape is not None and isinstance(boundary, str):
        yield from _misshapen(path, "permissions-boundary", boundary, shape)


def audit_keys_change_something(written: Written) -> Iterator[Problem]:
    if not written.spec.security.audit and written.has("security", "audit_retention_days"):
        yield _idle(("security", "audit_retention_days"), "with security.audit false")


def profiles_floors_are_met(written: Written) -> Iterator[Problem]:
    for profile in written.spec.security.profiles:
        for floor in PROFILES[profile]:
            for path, wanted, value in shortfalls(written.spec, floor):
                given = "left out" if value is None else f"not {str(value).lower()}"
                message = f"must be {wanted} under profile {profile}, {given} ({floor.source}; {DATE})"
                yield Problem(path, f"profile-{profile}", message)


# --- storage and images ----------------------------------------------------------------------------------------------


def bucket_names_are_free(written: Written) -> Iterator[Problem]:
    for name in written.spec.storage.buckets:
        if name in RESERVED_BUCKETS:
            message = "is the name of a bucket that the platform makes itself"
            yield Problem(("storage", "buckets", name), "reserved-name", message, "Give it another name.")


def archive_comes_before_expiry(written: Written) -> Iterator[Problem]:
    for name, bucket in written.spec.storage.buckets.items():
        archive, expire = bucket.archive_after_days, bucket.expire_after_days
        if archive is not None and expire is not None and archive >= expire:
            message = f"{archive} is not before expire_after_days {expire}: nothing would be archived"
            yield Problem(("storage", "buckets", name, "archive_after_days"), "archive-order", message)


def containers_keys_change_something(written: Written) -> Iterator[Problem]:
    if not written.spec.containers.repositories and written.has("containers", "keep_images"):
        yield _idle(("containers", "keep_images"), "without containers.repositories")


# --- machine learning ------------------------------------------------------------------------------------------------


def feature_groups_make_sense(written: Written) -> Iterator[Problem]:
    for name, group in written.spec.features.items():
        if group.key == group.event_time:
            message = f"{quoted(group.key)} is the key's column too"
            yield Problem(("features", name, "event_time"), "event-time", message)
        if not group.online and not group.offline:
            message = "must be true where online is false: the group would be kept nowhere"
            yield Problem(("features", name, "offline"), "feature-store", message)


def models_say_what_is_served(written: Written) -> Iterator[Problem]:
    """A version is registered, or an image is given; and either is there for an endpoint."""
    served = {endpoint.model for endpoint in written.spec.endpoints.values()}
    for name, model in written.spec.models.items():
        path = ("models", name)
        if model.version is not None and model.image is not None:
            message = "is served twice: version names a registered image, and image another"
            yield Problem((*path, "image"), "served-twice", message, "Keep one of the two.")
        if model.data is not None and model.image is None:
            yield Problem(
                (*path, "data"), "missing-image", "has no image that reads it", "Set image beside it."
            )
        for key in ("version", "image", "data"):
            if name not in served and written.has(*path, key):
                yield _idle((*path, key), f"where no endpoint serves {name}")
        if model.image is not None:
            yield from _image_is_there(written, (*path, "image"), model.image)


def _image_is_there(written: Written, path: Path, image: str) -> Iterator[Problem]:
    """An image without a host is one of the platform's own repositories."""
    repositories = written.spec.containers.repositories
    repository = own_repository(image)
    if repository and repository not in repositories:
        yield _unknown(path, repository, repositories, "containers.repositories")


def approval_pipelines_exist(written: Written) -> Iterator[Problem]:
    pipelines = written.spec.pipelines
    for name, model in written.spec.models.items():
        if model.on_approval is not None and model.on_approval not in pipelines:
            yield _unknown(("models", name, "on_approval"), model.on_approval, pipelines, "pipelines")


MODE_KEYS: Mapping[str, tuple[str, ...]] = {
    "instance": ("realtime", "async", "batch"),
    "replicas": ("realtime", "async", "batch"),
    "capture_percent": ("realtime",),
    "max_latency_ms": ("realtime", "serverless"),
    "max_error_percent": ("realtime", "serverless", "async"),
    "memory_mb": ("serverless",),
    "max_concurrency": ("serverless",),
    "schedule": ("batch",),
}
"""Keys of an endpoint → the modes in which they mean something."""


def endpoint_keys_change_something(written: Written) -> Iterator[Problem]:
    """Warnings: an environment may change the mode alone of an endpoint that the rest of the spec sizes."""
    for name, endpoint in written.spec.endpoints.items():
        path = ("endpoints", name)
        for key, modes in MODE_KEYS.items():
            if endpoint.mode not in modes and written.has(*path, key):
                yield _idle((*path, key), f"with mode {endpoint.mode}", warning=True)
        if endpoint.mode == "batch" and written.has(*path, "replicas", "min"):
            yield _idle((*path, "replicas", "min"), "with mode batch", warning=True)
        if endpoint.mode in ("async", "batch") and written.has(
            *path, "replicas", "target_utilization_percent"
        ):
            yield _idle(
                (*path, "replicas", "target_utilization_percent"), f"with mode {endpoint.mode}", warning=True
            )
        if endpoint.memory_mb % 1024:
            nearest_mb = round(endpoint.memory_mb / 1024) * 1024
            message = f"{endpoint.memory_mb} is not a multiple of 1024"
            yield Problem((*path, "memory_mb"), "memory", message, f"Set it to {nearest_mb}.")


def endpoints_models_exist(written: Written) -> Iterator[Problem]:
    for name, endpoint in written.spec.endpoints.items():
        if endpoint.model not in written.spec.models:
            yield _unknown(("endpoints", name, "model"), endpoint.model, written.spec.models, "models")


def replicas_fit_the_mode(written: Written) -> Iterator[Problem]:
    for name, endpoint in written.spec.endpoints.items():
        replicas = endpoint.replicas
        path = ("endpoints", name, "replicas")
        if replicas.min > replicas.max:
            yield Problem((*path, "min"), "replicas", f"{replicas.min} is more than max {replicas.max}")
        elif replicas.min == 0 and endpoint.mode not in ZERO_REPLICAS:
            message = f"0 needs mode {' or '.join(ZERO_REPLICAS)}, not {endpoint.mode}"
            yield Problem((*path, "min"), "replicas", message, "Set it to 1.")
        if replicas.min == replicas.max and written.has(*path, "target_utilization_percent"):
            yield _idle((*path, "target_utilization_percent"), "where replicas.min is replicas.max")


def instances_are_of_the_provider(written: Written) -> Iterator[Problem]:
    spec = written.spec
    shape = PROVIDERS[spec.target.provider].instance
    instances: dict[Path, str] = {
        ("pipelines", name, "instance"): it.instance for name, it in spec.pipelines.items()
    }
    instances |= {("endpoints", name, "instance"): it.instance for name, it in spec.endpoints.items()}
    instances |= {("monitors", name, "instance"): it.instance for name, it in spec.monitors.items()}
    if spec.workspace is not None:
        instances["workspace", "instance"] = spec.workspace.instance
    for path, instance in instances.items():
        if re.fullmatch(NEUTRAL_INSTANCE, instance) is None:
            yield from _misshapen(
                path, "instance", instance, shape, "cpu.medium and the like work on every cloud."
            )


def monitors_endpoints_exist(written: Written) -> Iterator[Problem]:
    for name, monitor in written.spec.monitors.items():
        if monitor.endpoint not in written.spec.endpoints:
            yield _unknown(
                ("monitors", name, "endpoint"), monitor.endpoint, written.spec.endpoints, "endpoints"
            )


def monitors_look_for_something(written: Written) -> Iterator[Problem]:
    for name, monitor in written.spec.monitors.items():
        if not (monitor.data_drift or monitor.prediction_drift or monitor.concept_drift):
            message = "looks for nothing: it needs data_drift, prediction_drift or concept_drift"
            yield Problem(
                ("monitors", name), "monitor", message, "Add data_drift: {} for the default threshold."
            )


def alarms_can_be_reached(written: Written) -> Iterator[Problem]:
    for name, monitor in written.spec.monitors.items():
        path = ("monitors", name)
        if monitor.breaches > monitor.windows:
            message = f"is {monitor.breaches}, more than the {monitor.windows} windows that count: it would never ring"
            yield Problem((*path, "breaches"), "alarm", message, "Raise windows, or lower breaches.")
        if written.has(*path, "cooldown"):
            if monitor.image is None:
                yield _idle((*path, "cooldown"), "without an image: the cloud's own monitor knows none")
            elif "retrain" not in monitor.on_alert:
                yield _idle((*path, "cooldown"), "without retrain in on_alert")


def retraining_has_its_pipeline(written: Written) -> Iterator[Problem]:
    pipelines = written.spec.pipelines
    for name, monitor in written.spec.monitors.items():
        path = ("monitors", name, "pipeline")
        retrains = "retrain" in monitor.on_alert
        if monitor.pipeline is None and retrains and len(pipelines) != 1:
            hint = f"There is {', '.join(sorted(pipelines))}." if pipelines else ""
            yield Problem(path, "missing", "is missing: on_alert retrain needs one of pipelines", hint)
        elif monitor.pipeline is not None and not retrains:
            yield _idle(path, "without retrain in on_alert")
        elif monitor.pipeline is not None and monitor.pipeline not in pipelines:
            yield _unknown(path, monitor.pipeline, pipelines, "pipelines")


# --- language models -------------------------------------------------------------------------------------------------


def guardrails_filter_something(written: Written) -> Iterator[Problem]:
    llm = written.spec.llm
    for name, guardrail in llm.guardrails.items() if llm else ():
        path = ("llm", "guardrails", name)
        strengths = {guardrail.content, guardrail.prompt_attacks}
        others = (guardrail.pii, guardrail.patterns, guardrail.denied_topics, guardrail.denied_words)
        scores = (guardrail.grounding, guardrail.relevance)
        if strengths == {"none"} and not (any(others) or any(scores) or guardrail.profanity):
            message = "filters nothing"
            yield Problem(path, "guardrail", message, "Set content to high, or take the guardrail away.")
        for pattern, guarded in guardrail.patterns.items():
            yield from _doubtful_regex((*path, "patterns", pattern, "regex"), guarded.regex)


def _doubtful_regex(path: Path, regex: str) -> Iterator[Problem]:
    """Only warned of: each cloud has a dialect of its own."""
    try:
        re.compile(regex)
    except re.error as error:
        message = f"{quoted(regex)} is not a regular expression that Python knows: {error}"
        yield Problem(path, "regex", message, "See that your cloud does.", warning=True)


def knowledge_bases_have_their_bucket(written: Written) -> Iterator[Problem]:
    llm = written.spec.llm
    known = {"data", "artifacts", *written.spec.storage.buckets} - {"logs"}
    for name, base in llm.knowledge_bases.items() if llm else ():
        if base.bucket not in known:
            yield _unknown(("llm", "knowledge_bases", name, "bucket"), base.bucket, known, "storage.buckets")


# --- alerts ----------------------------------------------------------------------------------------------------------


def alerts_are_heard(written: Written) -> Iterator[Problem]:
    spec = written.spec
    if spec.alerts.emails:
        return
    if spec.alerts.budget is not None:
        message = "alerts nobody: alerts.emails is empty"
        yield Problem(
            ("alerts", "budget"), "unheard", message, "Add a mail address to alerts.emails.", warning=True
        )
    for name, monitor in spec.monitors.items():
        if "notify" in monitor.on_alert:
            message = "notifies nobody: alerts.emails is empty"
            yield Problem(
                ("monitors", name), "unheard", message, "Add a mail address to alerts.emails.", warning=True
            )


def overrides_change_something(written: Written) -> Iterator[Problem]:
    for address, arguments in written.spec.overrides.items():
        if not arguments:
            yield Problem(
                ("overrides", address), "no-effect", "changes nothing: it names no argument", TAKE_AWAY
            )


RULES: tuple[Callable[[Written], Iterator[Problem]], ...] = (
    account_is_one_of_the_provider,
    region_is_one_of_the_provider,
    tags_are_the_users_own,
    state_settings_fit_the_backend,
    state_keys_change_something,
    network_keys_change_something,
    existing_network_is_of_the_provider,
    range_is_private,
    ci_fits_its_system,
    principals_are_of_the_provider,
    users_are_of_the_provider,
    boundary_is_of_the_provider,
    audit_keys_change_something,
    profiles_floors_are_met,
    bucket_names_are_free,
    archive_comes_before_expiry,
    containers_keys_change_something,
    feature_groups_make_sense,
    models_say_what_is_served,
    approval_pipelines_exist,
    endpoints_models_exist,
    endpoint_keys_change_something,
    replicas_fit_the_mode,
    instances_are_of_the_provider,
    monitors_endpoints_exist,
    monitors_look_for_something,
    alarms_can_be_reached,
    retraining_has_its_pipeline,
    guardrails_filter_something,
    knowledge_bases_have_their_bucket,
    alerts_are_heard,
    overrides_change_something,
)
