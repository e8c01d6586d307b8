"""What Azure ML calls what a platform has: its workspace, datastores, code, images, and where jobs keep things.

Pure: names alone, as the stacks give them. May not know a pipeline's steps.
"""

from __future__ import annotations

import re

from stacks.azure.context import Context
from stacks.intents import ImageRepository, ObjectStore

__all__ = [
    "MANAGER",
    "code_asset",
    "code_prefix",
    "container_url",
    "datastore_of",
    "datastore_uri",
    "image_of",
    "kept_path",
    "node_name",
    "workspace_id",
]

MANAGER = "https://management.azure.com"
ML = "Microsoft.MachineLearningServices"
RUNS = "runs"


def workspace_id(context: Context) -> str:
    """The id of the platform's workspace."""
    group, name = context.name("resource-group"), context.unique_name("workspace", "workspace")
    return f"{context.subscription_id}/resourceGroups/{group}/providers/{ML}/workspaces/{name}"


def code_prefix(pipeline: str, digest: str) -> str:
    """Where a code folder's blobs are in the artifacts bucket: other code is another place."""
    return f"code/{pipeline}/{digest[:16]}"


def code_asset(pipeline: str, digest: str) -> tuple[str, str]:
    """The name and version of the asset that a code folder is to Azure ML."""
    return f"code-{pipeline}", digest[:16]


def datastore_of(bucket: str) -> str:
    """The datastore that a bucket is to Azure ML: its names take no hyphen."""
    return bucket.replace("-", "_")


def datastore_uri(bucket: str, path: str) -> str:
    """The address of a path of a bucket."""
    return f"azureml://datastores/{datastore_of(bucket)}/paths/{path.strip('/')}"


def container_url(context: Context, bucket: str) -> str:
    """The address of a bucket's container, for a program that goes there by itself."""
    stores = {it.name: it for it in context.all_of(ObjectStore)}
    purpose = "logs" if bucket in stores and stores[bucket].purpose == "logs" else "data"
    account = context.unique_name("storage-account", purpose)
    return f"https://{account}.blob.core.windows.net/{context.name('container', bucket)}"


def kept_path(pipeline: str, job: str, step: str, output: str) -> str:
    """Where in the artifacts bucket the job of a step keeps an output that has no place of its own."""
    return f"{RUNS}/{pipeline}/{job}/{step}/{output}"


def node_name(step: str) -> str:
    """A step's name in a pipeline job, which takes no hyphen; a definition's takes no underscore."""
    return step.replace("-", "_")


def image_of(image: str, context: Context) -> str:
    """The address of an image: one of the platform's repositories with its tag or digest, or as it is written."""
    found = re.fullmatch(r"([^/:@]+)([:@].+)", image)
    if found is None or found[1] not in {repository.name for repository in context.all_of(ImageRepository)}:
        return image
    return f"{context.unique_name('registry', 'images')}.azurecr.io/{found[1]}{found[2]}"
