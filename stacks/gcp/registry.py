"""The registry stack: repositories of container images, and one of compiled pipeline templates.

May not know what the images are for.
"""

from __future__ import annotations

from stacks.gcp.context import Context, Keys, Registry
from stacks.graph import StackBuilder, Value, text
from stacks.intents import ImageRepository, OnlineEndpoint, TrainingPipeline, describe

__all__ = ["TEMPLATES", "lower"]

TEMPLATES = "pipeline--templates"
"""No name in a spec has two hyphens in a row."""
DAY_S = 86400


def lower(context: Context, keys: Keys) -> tuple[StackBuilder | None, Registry]:
    """Make a repository for each intent, and one of templates if pipelines run; no stack when there is none."""
    stack = StackBuilder("registry")
    ids: dict[str, Value] = {}
    urls: dict[str, Value] = {}
    for intent in context.all_of(ImageRepository):
        repository = stack.resource(
            "google_artifact_registry_repository",
            intent.name,
            {
                **_common(context, keys, f"images-{intent.name}"),
                "description": f"{context.prefix}: images {intent.name}",
                "format": "DOCKER",
                "docker_config": {"immutable_tags": True},
                "cleanup_policy_dry_run": False,
                "cleanup_policies": _cleanup(intent),
                "vulnerability_scanning_config": {"enablement_config": "INHERITED"},
            },
            origin=describe(intent),
            lifecycle=context.keep,
            holds="every image in it",
        )
        ids[intent.name] = repository.ref("name")
        urls[intent.name] = repository.ref("registry_uri")
    templates, repository_of_templates = _templates(stack, context, keys)
    if repository_of_templates is not None:
        ids[TEMPLATES] = repository_of_templates
    if not stack.nodes:
        return None, Registry()
    stack.export("repository_urls", urls)
    return stack, Registry(ids=ids, urls=urls, templates=templates)


def _common(context: Context, keys: Keys, name: str) -> dict[str, Value]:
    return {
        "project": context.project,
        "location": context.region,
        "repository_id": context.name("repository", name),
        "mode": "STANDARD_REPOSITORY",
        "kms_key_name": keys.data,
        "deletion_policy": context.deletion_policy,
    }


def _cleanup(intent: ImageRepository) -> Value:
    """Delete untagged images after some days, but none of the newest: what one policy keeps, no other deletes.

    There is none for tagged images: where tags are immutable, Artifact Registry deletes no image that has one.
    """
    return [
        {
            "id": "keep-newest",
            "action": "KEEP",
            "most_recent_versions": {"keep_count": intent.keep_images},
        },
        {
            "id": "delete-untagged",
            "action": "DELETE",
            "condition": {
                "tag_state": "UNTAGGED",
                "older_than": f"{intent.expire_untagged_days * DAY_S}s",
            },
        },
    ]


def _templates(stack: StackBuilder, context: Context, keys: Keys) -> tuple[Value, Value]:
    """Make the repository of compiled pipelines by version; return the address below which they are, and its name."""
    batch = (endpoint for endpoint in context.all_of(OnlineEndpoint) if endpoint.mode == "batch")
    first = context.one_of(TrainingPipeline) or next(batch, None)
    if first is None:
        return None, None
    repository = stack.resource(
        "google_artifact_registry_repository",
        TEMPLATES,
        {
            **_common(context, keys, "pipeline-templates"),
            "description": f"{context.prefix}: compiled pipelines",
            "format": "KFP",
            "cleanup_policy_dry_run": False,
        },
        origin=describe(first),
        lifecycle=context.keep,
        holds="every compiled pipeline in it",
    )
    address = text(
        f"https://{context.region}-kfp.pkg.dev/{context.project}/", repository.ref("repository_id")
    )
    stack.export("pipeline_templates_url", address)
    return address, repository.ref("name")
