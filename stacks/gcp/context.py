"""What every GCP concern needs of a platform: its prefix, names, labels, and the handles between stacks.

May not add a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacks.gcp.catalog import zones_of
from stacks.gcp.names import fitted, label, numbered
from stacks.graph import Lifecycle, Value, text
from stacks.intents import (
    ExistingNetwork,
    ModelRegistry,
    OnlineEndpoint,
    PrivateNetwork,
)
from stacks.record import record
from stacks.view import View

__all__ = [
    "PREVENT",
    "Account",
    "Context",
    "Keys",
    "Learning",
    "Network",
    "Registry",
    "Roles",
    "Runnable",
    "Served",
    "Store",
    "Stores",
    "Surroundings",
]

PREVENT = "PREVENT"
DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Context(View):
    """A platform seen from Google Cloud."""

    @property
    def project(self) -> str:
        """The project's id; its number is known when Terraform runs: ``Keys.project_number``."""
        return self.platform.target.account

    @property
    def labels(self) -> dict[str, str]:
        """The platform's tags as labels; the provider puts them on everything that takes any."""
        return {label(key): label(value) for key, value in self.platform.tags.items()}

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones for what stands in one: those that the network names, or as many of the region's as it asks for."""
        own = self.one_of(PrivateNetwork)
        known = zones_of(self.region)
        if own is None:
            return known
        return own.zone_ids or known[: own.zones]

    @property
    def keep(self) -> Lifecycle:
        """The lifecycle of what holds data: Terraform refuses a plan that destroys it."""
        return Lifecycle(prevent_destroy=self.protected)

    @property
    def deletion_policy(self) -> str:
        """The argument of that name for what holds data. Unlike ``keep`` it is in the state, and so holds too when
        the resource is no longer in the configuration.
        """
        return PREVENT if self.protected else DELETE

    def name(self, kind: str, *parts: str) -> str:
        """A legal name of a kind (see ``names.RULES``) that starts with the prefix."""
        return fitted(kind, "-".join((self.prefix, *parts)))

    def bucket(self, name: str) -> str:
        """A bucket's name: bucket names are global, so the project is part of it."""
        return self.name("bucket", name, self.project)

    def account_email(self, name: str) -> str:
        """The address of the platform's service account of a name, where a reference would go in a circle."""
        return f"{self.name('account', name)}@{self.project}.iam.gserviceaccount.com"

    def endpoint_id(self, name: str) -> str:
        """The number of an endpoint: Vertex AI takes at most ten digits, none of the first a zero."""
        return fitted("endpoint", numbered(f"{self.project}/{self.prefix}-{name}"))

    @property
    def has_own_network(self) -> bool:
        """Whether the platform makes its network; otherwise it is there already."""
        return self.one_of(ExistingNetwork) is None


@record
class Keys:
    """What the security stack hands on: crypto key ids, ``None`` where Google's own keys encrypt, and the project.

    ``agents`` are the IAM members of the service agents that were made, by API (``aiplatform``, ``storage``): each may
    use the keys already. A lazily made agent is never among them: a grant to one that is not there fails.
    """

    data: Value = None
    logs: Value = None
    project_number: Value
    billing_account: Value
    agents: Mapping[str, Value] = field(default_factory=dict)


@record
class Network:
    """Where workloads run.

    ``attachment_id`` is the network attachment that Vertex AI's jobs connect through (Private Service Connect
    interface); ``None`` in a network that is there already, which has none of ours.
    """

    network_id: Value
    network_name: Value
    subnet_id: Value
    subnet_name: Value
    attachment_id: Value = None


@record
class Store:
    """A bucket's reference values: its name and its address ``gs://name``."""

    name: Value
    url: Value


@record
class Stores:
    """The platform's buckets by name; data, artifacts and logs are always among them."""

    by_name: Mapping[str, Store]

    def bucket(self, name: str) -> Value:
        """A bucket's name in the cloud."""
        return self.by_name[name].name

    def place(self, bucket: str, path: str) -> Value:
        """An address below a bucket."""
        return text(self.by_name[bucket].url, f"/{path}")


@record
class Registry:
    """Repository ids and addresses (``europe-west4-docker.pkg.dev/project/name``) by the spec's names.

    ``templates`` is the address of the repository of pipeline templates, if there are pipelines.
    """

    ids: Mapping[str, Value] = field(default_factory=dict)
    urls: Mapping[str, Value] = field(default_factory=dict)
    templates: Value = None


@record
class Account:
    """A service account: its address, its IAM member (``serviceAccount:…``) and its full name, for act-as grants."""

    email: Value
    member: Value
    name: Value


Roles = Mapping[str, Account]
"""The service accounts by purpose: training, pipelines, serving, monitoring; workspace and triggers where asked;
tracking where the tracking server is managed."""


@record
class Served:
    """An endpoint's shell that the ml stack made; ``id`` is its number and ``name`` its full name."""

    intent: OnlineEndpoint
    id: Value
    name: Value


@record
class Runnable:
    """A run that can be started: ``template`` is the name of its text in the artifacts bucket."""

    name: str
    template: Value


@record
class Learning:
    """What the ml stack made that others watch and start, by the spec's names; ``watching`` are monitors' own jobs."""

    endpoints: Mapping[str, Served] = field(default_factory=dict)
    pipelines: Mapping[str, Runnable] = field(default_factory=dict)
    scoring: Mapping[str, Runnable] = field(default_factory=dict)
    watching: Mapping[str, Runnable] = field(default_factory=dict)


@record
class Surroundings:
    """What pipelines and endpoints are made with."""

    context: Context
    keys: Keys
    network: Network
    stores: Stores
    registry: Registry
    roles: Roles

    @property
    def models(self) -> Mapping[str, ModelRegistry]:
        """The models by name."""
        return {model.name: model for model in self.context.all_of(ModelRegistry)}
