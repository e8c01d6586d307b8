"""Where a platform is on Google Cloud, by the names and ids that its stacks give: literal, where a stack has references.

May not call a service, and makes no name of its own that a stack makes too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

from scaffolder.operations.errors import InvalidRequest, NotFound
from stacks.gcp.context import Account, Context, Keys, Network, Registry, Store, Stores, Surroundings
from stacks.gcp.jobs import model_id
from stacks.intents import (
    ExistingNetwork,
    ImageRepository,
    ModelRegistry,
    ObjectStore,
    OnlineEndpoint,
    Platform,
    TrainingPipeline,
    WorkloadRole,
)

__all__ = ["Place", "carried", "digest_of", "read_carried"]

BUCKET_PATH = re.compile(r"(?P<bucket>[a-z][a-z0-9-]*):(?!//)(?P<path>.*)", re.DOTALL)
LABEL_LONGEST, ROWS = 63, 4
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

Named = TypeVar("Named", ModelRegistry, ObjectStore, OnlineEndpoint, TrainingPipeline)


def digest_of(*parts: str) -> str:
    """A short name for what has a long one: 16 hexadecimal digits."""
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def carried(key: str, text: str) -> dict[str, str]:
    """Write any text into labels, whose values are 63 lower-case letters, digits, ``-`` and ``_``: ``key``, ``key-2`` …

    What no label takes is written as ``_`` and two hexadecimal digits a byte; what is beyond four labels is cut.
    """
    spelled = [chr(byte) if chr(byte) in PLAIN else f"_{byte:02x}" for byte in text.encode()]
    rows = [""]
    for part in spelled:
        if len(rows[-1]) + len(part) > LABEL_LONGEST:
            rows.append("")
        rows[-1] += part
    return {_row(key, number): row for number, row in enumerate(rows[:ROWS])}


def read_carried(key: str, labels: Mapping[str, str]) -> str:
    """Read what :func:`carried` wrote; empty where there is nothing."""
    whole = "".join(labels.get(_row(key, number), "") for number in range(ROWS))
    return re.sub(r"(?:_[0-9a-f]{2})+", lambda match: _bytes(match[0]), whole)


def _row(key: str, number: int) -> str:
    return key if number == 0 else f"{key}-{number + 1}"


def _bytes(spelled: str) -> str:
    return bytes.fromhex(spelled.replace("_", "")).decode(errors="replace")


@dataclass(frozen=True)
class Place:
    """A platform's names and ids on Google Cloud."""

    platform: Platform

    @cached_property
    def context(self) -> Context:
        """The platform as its stacks see it."""
        return Context(self.platform)

    @property
    def project(self) -> str:
        """The project's id."""
        return self.context.project

    @property
    def parent(self) -> str:
        """Where everything of Vertex AI is."""
        return f"projects/{self.project}/locations/{self.context.region}"

    @cached_property
    def around(self) -> Surroundings:
        """What the stacks make pipelines and endpoints with, as literal values."""
        context = self.context
        buckets = {store.name: context.bucket(store.name) for store in context.all_of(ObjectStore)}
        urls = {
            repository.name: self._images(repository.name) for repository in context.all_of(ImageRepository)
        }
        return Surroundings(
            context=context,
            keys=Keys(data=self.key, project_number=None, billing_account=None),
            network=self._network(),
            stores=Stores(by_name={name: Store(name=it, url=f"gs://{it}") for name, it in buckets.items()}),
            registry=Registry(urls=urls),
            roles={role.purpose: self._account(role.purpose) for role in context.all_of(WorkloadRole)},
        )

    @property
    def key(self) -> str | None:
        """The key that encrypts data, if it is the customer's own."""
        if not self.context.own_keys:
            return None
        ring = self.context.name("key-ring")
        return f"{self.parent}/keyRings/{ring}/cryptoKeys/data"

    def _images(self, name: str) -> str:
        repository = self.context.name("repository", f"images-{name}")
        return f"{self.context.region}-docker.pkg.dev/{self.project}/{repository}"

    def _account(self, purpose: str) -> Account:
        email = self.context.account_email(purpose)
        return Account(
            email=email,
            member=f"serviceAccount:{email}",
            name=f"projects/{self.project}/serviceAccounts/{email}",
        )

    def _network(self) -> Network:
        """What jobs connect with; the attachment is the stacks' own network's."""
        context = self.context
        existing = context.one_of(ExistingNetwork)
        if existing is not None:
            network, subnet = existing.network_id, existing.subnet_ids[0]
            return Network(network_id=network, network_name=network, subnet_id=subnet, subnet_name=subnet)
        region = f"projects/{self.project}/regions/{context.region}"
        name, subnet = context.name("resource"), context.name("resource", "workloads")
        return Network(
            network_id=f"projects/{self.project}/global/networks/{name}",
            network_name=name,
            subnet_id=f"{region}/subnetworks/{subnet}",
            subnet_name=subnet,
            attachment_id=f"{region}/networkAttachments/{context.name('resource', 'vertex')}",
        )

    # --- what the spec names ---

    def named(self, name: str) -> str:
        """A resource's name with the project's id, where services answer with its number: refs are compared as text."""
        return re.sub(r"^projects/[^/]+/", f"projects/{self.project}/", name)

    def pipeline(self, name: str) -> TrainingPipeline:
        """The pipeline of a name.

        Raises:
            NotFound: the spec has none.
        """
        return _one(self.context.all_of(TrainingPipeline), "pipeline", name)

    def endpoint(self, name: str, *modes: str) -> OnlineEndpoint:
        """The endpoint of a name and of one of some modes.

        Raises:
            NotFound: the spec has none.
            InvalidRequest: it is of another mode.
        """
        found = _one(self.context.all_of(OnlineEndpoint), "endpoint", name)
        if modes and found.mode not in modes:
            raise InvalidRequest(
                f"endpoint {name} is {found.mode}, and this is for {' or '.join(modes)} endpoints"
            )
        return found

    def model(self, name: str) -> ModelRegistry:
        """The model of a name.

        Raises:
            NotFound: the spec has none.
        """
        return _one(self.context.all_of(ModelRegistry), "model", name)

    def model_name(self, model: str) -> str:
        """A model's line of versions in Vertex AI's registry."""
        return f"{self.parent}/models/{model_id(self.around, model)}"

    def endpoint_name(self, endpoint: str) -> str:
        """The shell that the ml stack makes."""
        return f"{self.parent}/endpoints/{self.context.endpoint_id(endpoint)}"

    def email(self, purpose: str) -> str:
        """The address of a service account."""
        return str(self.around.roles[purpose].email)

    def bucket(self, name: str) -> str:
        """The name of one of the platform's buckets in the cloud.

        Raises:
            NotFound: the spec has none.
        """
        return self.context.bucket(_one(self.context.all_of(ObjectStore), "bucket", name).name)

    def uri(self, given: str) -> str:
        """An address in Cloud Storage, without a slash at its end: ``gs://…`` as it is, ``BUCKET:PATH`` of the platform's.

        Raises:
            InvalidRequest: it is neither.
        """
        if given.startswith("gs://"):
            return given.rstrip("/")
        found = BUCKET_PATH.fullmatch(given)
        if found is None:
            raise InvalidRequest(
                f"{given!r} is no address in Cloud Storage",
                remedy="Write gs://BUCKET/PATH, or BUCKET:PATH with a bucket of the platform's.",
            )
        return f"gs://{self.bucket(found['bucket'])}/{found['path'].strip('/')}".rstrip("/")


def _one(intents: Iterable[Named], kind: str, name: str) -> Named:
    there = {intent.name: intent for intent in intents}
    if name not in there:
        known = ", ".join(sorted(there)) or "none"
        raise NotFound(f"the platform has no {kind} {name!r}; there is {known}")
    return there[name]
