"""What accounts, regions, principals and machine types look like in each cloud: data, with sources and dates.

Shapes only: what a region offers is the lowering's catalog. May not know a platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stacks.record import record

__all__ = ["PROVIDERS", "UUID", "ProviderShapes", "Shape"]

DATE = "2026-11"


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern over the whole text, the same in words, and a text that has it and belongs to nobody."""

    pattern: str
    says: str
    example: str


@record
class ProviderShapes:
    """What a cloud's own values look like; ``None`` where it has nothing of the sort.

    ``embedding_model`` is a model for text that serves vectors of 1024 numbers, the vocabulary's default.
    ``one_ci_provider`` says for what an account has one trust of a CI system: for each host, or for all; ``none`` where
    each identity has its own.
    """

    account: Shape
    region: Shape
    principal: Shape
    user: Shape
    boundary: Shape | None
    instance: Shape
    image: Shape
    network: Shape
    subnet: Shape
    security_group: Shape | None
    embedding_model: str
    tag_prefixes: tuple[str, ...]
    one_ci_provider: Literal["a host", "all", "none"]


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NOBODY = "00000000-0000-0000-0000-000000000000"
AZURE_NETWORK = (
    rf"/subscriptions/{UUID}/resourceGroups/[^/\s]+/providers/Microsoft\.Network/virtualNetworks/[^/\s]+"
)
AN_AZURE_NETWORK = (
    f"/subscriptions/{NOBODY}/resourceGroups/example/providers/Microsoft.Network/virtualNetworks/example"
)
A_NAME = Shape(
    r"(?=.{1,20}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
    "lower-case words joined by hyphens, 1 to 20 characters",
    "user-1",
)
GOOGLE_PROJECT = r"projects/[a-z0-9.:-]+"
GOOGLE_NAME = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"

# aws: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, .../global-infrastructure/regions,
#   .../tag-editor/latest/userguide/best-practices-and-strats.html, .../bedrock/latest/userguide/titan-embedding-models.html
# gcp: https://cloud.google.com/resource-manager/docs/creating-managing-projects, .../compute/docs/regions-zones,
#   .../iam/docs/principal-identifiers, .../compute/docs/labeling-resources, .../artifact-registry/docs/docker/names,
#   .../vertex-ai/generative-ai/docs/embeddings/get-text-embeddings
# azure: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources, .../reliability/regions-list,
#   .../azure/virtual-network/manage-virtual-network, .../ai-foundry/openai/concepts/models
PROVIDERS: Mapping[str, ProviderShapes] = {
    "aws": ProviderShapes(
        account=Shape(r"[0-9]{12}", "an AWS account's 12 digits, in quotes", "000000000000"),
        region=Shape(r"[a-z]{2}(-[a-z]+)+-[0-9]+", "an AWS region, such as eu-west-1", "eu-west-1"),
        principal=Shape(
            r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+",
            "the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/team",
            "arn:aws:iam::000000000000:role/example",
        ),
        user=A_NAME,
        boundary=Shape(
            r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+",
            "the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/boundary",
            "arn:aws:iam::000000000000:policy/example",
        ),
        instance=Shape(
            r"ml\.[a-z0-9-]+\.[a-z0-9-]+", "a SageMaker machine, such as ml.m5.xlarge", "ml.m5.xlarge"
        ),
        image=Shape(
            r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/\S+",
            "an image in ECR, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving:1.0.0",
            "000000000000.dkr.ecr.eu-west-1.amazonaws.com/example:1.0.0",
        ),
        network=Shape(
            r"vpc-([0-9a-f]{8}|[0-9a-f]{17})",
            "a VPC's id, vpc- and 8 or 17 hexadecimal digits",
            "vpc-00000000000000000",
        ),
        subnet=Shape(
            r"subnet-([0-9a-f]{8}|[0-9a-f]{17})",
            "a subnet's id, subnet- and 8 or 17 hexadecimal digits",
            "subnet-00000000000000000",
        ),
        security_group=Shape(
            r"sg-([0-9a-f]{8}|[0-9a-f]{17})",
            "a security group's id, sg- and 8 or 17 hexadecimal digits",
            "sg-00000000000000000",
        ),
        embedding_model="amazon.titan-embed-text-v2:0",
        tag_prefixes=("aws:",),
        one_ci_provider="a host",
    ),
    "gcp": ProviderShapes(
        account=Shape(
            r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
            "a project's id: 6 to 30 characters, a letter first",
            "example-project",
        ),
        region=Shape(
            r"(africa|asia|australia|europe|me|northamerica|southamerica|us)-(north|south|central)?(east|west|north|south|central)?[1-9][0-9]?",
            "a Google Cloud region, such as europe-west4",
            "europe-west4",
        ),
        principal=Shape(
            r"(user|group|serviceAccount):[^\s:@]+@[A-Za-z0-9.-]+|principal(Set)?://iam\.googleapis\.com/\S+",
            "an IAM principal, such as group:team@example.com",
            "group:team@example.com",
        ),
        user=A_NAME,
        boundary=None,
        instance=Shape(
            r"[a-z][a-z0-9]*(-[a-z0-9]+)+",
            "a Compute Engine machine, such as n1-standard-4",
            "n1-standard-4",
        ),
        image=Shape(
            r"[a-z0-9-]+-docker\.pkg\.dev/\S+",
            "an image in Artifact Registry, such as europe-west4-docker.pkg.dev/acme-ml/images/serving:1.0.0",
            "europe-west4-docker.pkg.dev/example-project/example/example:1.0.0",
        ),
        network=Shape(
            rf"{GOOGLE_PROJECT}/global/networks/{GOOGLE_NAME}",
            "a network's id, such as projects/acme-ml/global/networks/main",
            "projects/example-project/global/networks/example",
        ),
        subnet=Shape(
            rf"{GOOGLE_PROJECT}/regions/[a-z0-9-]+/subnetworks/{GOOGLE_NAME}",
            "a subnetwork's id, such as projects/acme-ml/regions/europe-west4/subnetworks/main",
            "projects/example-project/regions/europe-west4/subnetworks/example",
        ),
        security_group=None,
        embedding_model="gemini-embedding-001",
        tag_prefixes=("goog",),
        one_ci_provider="all",
    ),
    "azure": ProviderShapes(
        account=Shape(UUID, "a subscription's id: a UUID in lower case", NOBODY),
        region=Shape(r"[a-z]+[0-9]?", "an Azure region in one word, such as westeurope", "westeurope"),
        principal=Shape(UUID, "the object id (a UUID) of an Entra group, user or application", NOBODY),
        user=Shape(rf"{A_NAME.pattern}|{UUID}", f"a person's object id (a UUID), or {A_NAME.says}", NOBODY),
        boundary=None,
        instance=Shape(
            r"(Standard|Basic)_[A-Za-z0-9]+([_-][A-Za-z0-9]+)*",
            "a virtual machine's size, such as Standard_DS3_v2",
            "Standard_DS3_v2",
        ),
        image=Shape(
            r"[a-z0-9]+\.azurecr\.io/\S+",
            "an image in a container registry, such as acmeml.azurecr.io/serving:1.0.0",
            "example.azurecr.io/example:1.0.0",
        ),
        network=Shape(
            AZURE_NETWORK,
            "a virtual network's id, /subscriptions/.../virtualNetworks/NAME",
            AN_AZURE_NETWORK,
        ),
        subnet=Shape(
            rf"{AZURE_NETWORK}/subnets/[^/\s]+",
            "a subnet's id, /subscriptions/.../virtualNetworks/NAME/subnets/NAME",
            f"{AN_AZURE_NETWORK}/subnets/example",
        ),
        security_group=None,
        embedding_model="text-embedding-3-large",
        tag_prefixes=("microsoft", "azure", "windows"),
        one_ci_provider="none",
    ),
}
