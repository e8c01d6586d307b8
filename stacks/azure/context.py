"""What every Azure concern needs of a platform: its prefix, names, tags, and the handles between stacks.

May not add a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacks.azure.names import fitted, unique
from stacks.graph import Value
from stacks.intents import ExistingNetwork, PrivateNetwork
from stacks.record import record
from stacks.view import View

__all__ = [
    "Account",
    "Base",
    "Context",
    "Keys",
    "Learning",
    "Network",
    "Registry",
    "Store",
    "Stores",
    "Surroundings",
    "Workplace",
]


@dataclass(frozen=True, slots=True)
class Context(View):
    """A platform seen from Azure."""

    @property
    def subscription(self) -> str:
        """The subscription's id, a UUID."""
        return self.platform.target.account

    @property
    def subscription_id(self) -> str:
        """The subscription as a scope."""
        return f"/subscriptions/{self.subscription}"

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of every resource that takes tags; azurerm has no default ones."""
        return dict(self.platform.tags)

    def name(self, kind: str, *parts: str) -> str:
        """A legal name of a kind (see ``names.RULES``) that starts with the prefix, unique within the resource group."""
        return fitted(kind, "-".join((self.prefix, *parts)))

    def unique_name(self, kind: str, *parts: str) -> str:
        """A legal name of a kind that is unique in all of Azure: it ends with a hash of the subscription and the whole name."""
        return unique(kind, (self.platform.name, self.platform.environment, *parts), self.subscription)

    @property
    def vault(self) -> str:
        """The vault's name."""
        return self.unique_name("key-vault", "kv")

    @property
    def vault_uri(self) -> str:
        """The vault's address; the catalog lists locations of the public cloud only."""
        return f"https://{self.vault}.vault.azure.net/"

    @property
    def placement(self) -> tuple[object, ...]:
        """What of the spec decides subnets, whose ids are not known here."""
        own, existing = self.one_of(PrivateNetwork), self.one_of(ExistingNetwork)
        if own:
            return (own.cidr, own.zones, own.zone_ids)
        return existing.subnet_ids if existing else ()


@record
class Account:
    """A managed identity: its resource id, and its ids in the directory."""

    id: Value
    principal_id: Value
    client_id: Value


@record
class Base:
    """The resource group, and what watches and keeps secrets for everything in it."""

    resource_group: Value
    resource_group_id: Value
    tenant_id: Value
    key_vault_id: Value
    key_vault_uri: Value
    log_analytics_id: Value
    application_insights_id: Value


@record
class Keys:
    """The key that encrypts data, and the identity that may use it; all ``None`` where the provider's own keys encrypt.

    ``data`` has no version, so that whoever uses it follows a rotation; ``data_scope`` is the key as a role's scope.
    """

    data: Value = None
    data_scope: Value = None
    user: Account | None = None


@record
class Network:
    """Where workloads and private endpoints are.

    ``zones`` are private DNS zones' ids by purpose (``blob``, ``vault``, ...); empty in a network that is not ours, whose
    owner registers endpoints.
    """

    vnet_id: Value
    subnet_ids: tuple[Value, ...]
    endpoint_subnet_id: Value
    zones: Mapping[str, Value] = field(default_factory=dict)


@record
class Store:
    """A bucket: a container of a storage account. ``id`` is the container as a role's scope."""

    id: Value
    container: Value
    account_id: Value
    account: Value


@record
class Stores:
    """The platform's buckets by name; data, artifacts and logs are always among them.

    ``workspace_id`` is the storage account of the Azure ML workspace, which has no bucket of the spec's in it;
    ``data_id`` is the account of all buckets but logs; ``history`` is where a feature store keeps its records.
    """

    by_name: Mapping[str, Store]
    workspace_id: Value
    data_id: Value
    history: Store | None = None


@record
class Registry:
    """The container registry, which is there only when the platform has repositories."""

    id: Value = None
    login_server: Value = None


@record
class Surroundings:
    """What everything after the identity stack is made with; ``roles`` are the workloads' identities by purpose."""

    context: Context
    base: Base
    keys: Keys
    network: Network
    stores: Stores
    registry: Registry
    roles: Mapping[str, Account]


@record
class Workplace:
    """The Azure ML workspace, and the identity that Azure ML itself acts as in it."""

    id: Value
    name: Value
    own: Account


@record
class Learning:
    """What the ml stack made that monitoring watches, by the spec's names: the ids of endpoints."""

    endpoints: Mapping[str, Value] = field(default_factory=dict)
