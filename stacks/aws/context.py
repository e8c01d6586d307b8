"""What every AWS concern needs of a platform: its prefix, ARNs, names, tags, and the handles between stacks.

May not add a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacks.aws.names import fitted
from stacks.graph import Value, text
from stacks.intents import ExistingNetwork, ModelRegistry, OnlineEndpoint, PrivateNetwork
from stacks.record import record
from stacks.view import View

__all__ = [
    "Context",
    "Keys",
    "Learning",
    "Network",
    "Registry",
    "Runnable",
    "Served",
    "Store",
    "Stores",
    "Surroundings",
]


@dataclass(frozen=True, slots=True)
class Context(View):
    """A platform seen from AWS."""

    @property
    def account(self) -> str:
        """The account's twelve digits."""
        return self.platform.target.account

    @property
    def partition(self) -> str:
        """The ARN partition of the region; the catalog lists commercial regions only."""
        return "aws"

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """An ARN in this account; ``regional`` is false for IAM and the like."""
        return f"arn:{self.partition}:{service}:{self.region if regional else ''}:{self.account}:{resource}"

    def name(self, kind: str, *parts: str) -> str:
        """A legal name of a kind (see ``names.RULES``) that starts with the prefix."""
        return fitted(kind, "-".join((self.prefix, *parts)))

    def model_group(self, name: str) -> str:
        """The name of a model's group of versions."""
        return fitted("sagemaker", f"{self.prefix}-{name}")

    def endpoint(self, name: str) -> str:
        """The name of an endpoint's SageMaker endpoint."""
        return fitted("sagemaker", f"{self.prefix}-{name}")

    def pipeline(self, name: str) -> str:
        """The name of a pipeline's SageMaker pipeline."""
        return fitted("sagemaker", f"{self.prefix}-{name}")

    def watching(self, name: str) -> str:
        """The name of the SageMaker pipeline that is a monitor's job."""
        return fitted("sagemaker", f"{self.prefix}-{name}--monitor")

    @property
    def drift_namespace(self) -> str:
        """The namespace of the metrics that monitors' own jobs publish."""
        return f"{self.prefix}/drift"

    def scoring(self, name: str) -> str:
        """The name of the SageMaker pipeline that is a batch endpoint; no name in a spec has two hyphens in a row."""
        return fitted("sagemaker", f"{self.prefix}-{name}--batch")

    def collection(self, name: str) -> str:
        """The name of a knowledge base's collection of vectors, and of its policies."""
        return fitted("collection", f"{self.prefix}-{name}")

    def async_topic(self) -> str:
        """The name of the topic that tells of asynchronous answers."""
        return fitted("topic", f"{self.prefix}-async")

    def alias(self, name: str) -> str:
        """A key's alias."""
        return fitted("alias", f"alias/{self.prefix}/{name}")

    def bucket(self, name: str) -> str:
        """A bucket's name: bucket names are global, so account and region are part of it."""
        return self.name("bucket", name, self.account, self.region)

    def log_group(self, name: str) -> str:
        """The name of one of the platform's own log groups."""
        return fitted("log-group", f"/{self.prefix}/{name}")

    @property
    def placement(self) -> tuple[object, ...]:
        """What of the spec decides subnets and security groups, whose ids are not known here."""
        own, existing = self.one_of(PrivateNetwork), self.one_of(ExistingNetwork)
        if own:
            return (own.cidr, own.zones, own.zone_ids)
        return (existing.subnet_ids, existing.security_group_ids) if existing else ()


@record
class Keys:
    """Key ARNs, ``None`` where the cloud's own keys encrypt; and the ceiling over roles, if there is one."""

    data: Value = None
    logs: Value = None
    boundary: Value = None


@record
class Network:
    """Where workloads run."""

    network_id: Value
    network_arn: Value
    subnet_ids: tuple[Value, ...]
    subnet_arns: tuple[Value, ...]
    security_group_ids: tuple[Value, ...]
    security_group_arns: tuple[Value, ...]


@record
class Store:
    """A bucket's reference values."""

    id: Value
    arn: Value


@record
class Stores:
    """The platform's buckets by name; data, artifacts and logs are always among them."""

    by_name: Mapping[str, Store]

    def arn(self, name: str) -> Value:
        """A bucket's ARN."""
        return self.by_name[name].arn


@record
class Registry:
    """Repository ARNs and addresses by name."""

    arns: Mapping[str, Value] = field(default_factory=dict)
    urls: Mapping[str, Value] = field(default_factory=dict)


@record
class Served:
    """An endpoint that the ml stack made; ``name`` and ``arn`` are its, not its configuration's."""

    intent: OnlineEndpoint
    name: Value
    arn: Value
    variant: str


@record
class Runnable:
    """A pipeline that the ml stack made."""

    name: Value
    arn: Value


@record
class Learning:
    """What the ml stack made that others watch and start, by the spec's names.

    ``pipelines`` are the spec's; ``scoring`` are the pipelines of batch endpoints, by the endpoint's name, and
    ``watching`` those of monitors with a job of their own, by the monitor's.
    """

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
    roles: Mapping[str, Value]

    @property
    def models(self) -> Mapping[str, ModelRegistry]:
        """The models by name."""
        return {model.name: model for model in self.context.all_of(ModelRegistry)}

    def place(self, bucket: str, path: str) -> Value:
        """An address below a bucket."""
        return text("s3://", self.stores.by_name[bucket].id, f"/{path}")
