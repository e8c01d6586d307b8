"""What accounts, regions, principals and machine types look like in each cloud: data, with sources and dates.

Shapes only: what a region offers is the lowering's catalog. May not know a platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.record import record

__all__ = ["PROVIDERS", "ProviderShapes", "Shape"]

DATE = "2026-11"


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern over the whole text, and the same in words."""

    pattern: str
    says: str


@record
class ProviderShapes:
    account: Shape
    region: Shape
    principal: Shape
    boundary: Shape | None  # None: the cloud has nothing of the sort
    instance: Shape
    tag_prefixes: tuple[str, ...]


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

# aws: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, .../global-infrastructure/regions,
#   .../tag-editor/latest/userguide/best-practices-and-strats.html
# gcp: https://cloud.google.com/resource-manager/docs/creating-managing-projects, .../compute/docs/regions-zones,
#   .../iam/docs/principal-identifiers, .../compute/docs/labeling-resources
# azure: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources, .../reliability/regions-list
PROVIDERS: Mapping[str, ProviderShapes] = {
    "aws": ProviderShapes(
        account=Shape(r"[0-9]{12}", "an AWS account's 12 digits, in quotes"),
        region=Shape(
            r"[a-z]{2}(-[a-z]+)+-[0-9]+",
            "an AWS region, such as eu-west-1",
        ),
        principal=Shape(
            r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+",
            "the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/team",
        ),
        boundary=Shape(
            r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+",
            "the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/boundary",
        ),
        instance=Shape(r"ml\.[a-z0-9-]+\.[a-z0-9-]+", "a SageMaker machine, such as ml.m5.xlarge"),
        tag_prefixes=("aws:",),
    ),
    "gcp": ProviderShapes(
        account=Shape(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project's id: 6 to 30 characters, a letter first"),
        region=Shape(
            r"(africa|asia|australia|europe|me|northamerica|southamerica|us)-(north|south|central)?(east|west|north|south|central)?[1-9][0-9]?",
            "a Google Cloud region, such as europe-west1",
        ),
        principal=Shape(
            r"(user|group|serviceAccount):[^\s:@]+@[A-Za-z0-9.-]+|principal(Set)?://iam\.googleapis\.com/\S+",
            "an IAM principal, such as group:team@example.com",
        ),
        boundary=None,
        instance=Shape(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", "a Compute Engine machine, such as n1-standard-4"),
        tag_prefixes=("goog",),
    ),
    "azure": ProviderShapes(
        account=Shape(UUID, "a subscription's id: a UUID in lower case"),
        region=Shape(r"[a-z]+[0-9]?", "an Azure region in one word, such as westeurope"),
        principal=Shape(UUID, "the object id (a UUID) of an Entra group, user or application"),
        boundary=None,
        instance=Shape(
            r"(Standard|Basic)_[A-Za-z0-9]+([_-][A-Za-z0-9]+)*",
            "a virtual machine's size, such as Standard_DS3_v2",
        ),
        tag_prefixes=("microsoft", "azure", "windows"),
    ),
}
