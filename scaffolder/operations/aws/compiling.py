"""A pipeline as SageMaker takes it, and where a platform's buckets and images are, by their names alone.

What AWS numbers by itself has a stand-in that says what it is. May not ask a service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from scaffolder.operations.compiling import Document
from scaffolder.operations.names import definition_of
from stacks.aws.context import Context, Keys, Network, Registry, Store, Stores, Surroundings
from stacks.aws.names import fitted
from stacks.aws.pipelines import compiled
from stacks.intents import (
    ExistingNetwork,
    ImageRepository,
    ObjectStore,
    Platform,
    PrivateNetwork,
    TrainingPipeline,
    WorkloadRole,
)
from stacks.kubeflow import Cluster

__all__ = ["cluster", "document"]


def document(platform: Platform, pipeline: TrainingPipeline) -> Document:
    """The pipeline's definition, as the stack gives it to SageMaker but for ids."""
    context = Context(platform)
    found = cast("Mapping[str, Any]", compiled(pipeline, definition_of(pipeline), _surroundings(context)))
    return Document(parts=(found,), form="json", stand_ins=tuple(_stand_ins(context)))


def cluster(platform: Platform) -> Cluster:
    """Where a cluster finds the platform's things."""
    context = Context(platform)
    return Cluster(
        buckets={store.name: f"s3://{context.bucket(store.name)}" for store in context.all_of(ObjectStore)},
        images=_images(context),
    )


def _images(context: Context) -> dict[str, str]:
    host = f"{context.account}.dkr.ecr.{context.region}.amazonaws.com"
    return {
        repository.name: f"{host}/{fitted('repository', f'{context.prefix}/{repository.name}')}"
        for repository in context.all_of(ImageRepository)
    }


def _surroundings(context: Context) -> Surroundings:
    buckets = {store.name: context.bucket(store.name) for store in context.all_of(ObjectStore)}
    key = context.arn("kms", context.alias("data")) if context.own_keys else None
    return Surroundings(
        context=context,
        keys=Keys(data=key),
        network=_network(context),
        stores=Stores(by_name={name: Store(id=it, arn=f"arn:aws:s3:::{it}") for name, it in buckets.items()}),
        registry=Registry(urls=_images(context)),
        roles={
            role.purpose: context.arn("iam", f"role/{context.name('role', role.purpose)}", regional=False)
            for role in context.all_of(WorkloadRole)
        },
    )


def _network(context: Context) -> Network:
    existing, own = context.one_of(ExistingNetwork), context.one_of(PrivateNetwork)
    if existing is not None:
        network, subnets, groups = existing.network_id, existing.subnet_ids, existing.security_group_ids
    else:
        zones = own.zones if own is not None else 0
        subnets = tuple(f"subnet-{context.prefix}-private-{number}" for number in range(1, zones + 1))
        network, groups = context.prefix, (f"sg-{context.name('security-group', 'workloads')}",)
    return Network(
        network_id=network,
        network_arn="",
        subnet_ids=subnets,
        subnet_arns=(),
        security_group_ids=groups,
        security_group_arns=(),
    )


def _stand_ins(context: Context) -> Iterator[str]:
    if context.one_of(ExistingNetwork) is None:
        yield f"subnet-{context.prefix}-private-… and sg-…: ids that AWS gives the network's subnets and security group"
    if context.own_keys:
        yield f"{context.alias('data')}: the alias of a key whose ARN AWS gives it"
