"""The registry stack: repositories of container images.

May not know what the images are for.
"""

from __future__ import annotations

from stacks.aws.context import Context, Keys, Registry
from stacks.aws.names import fitted
from stacks.graph import JsonText, Lifecycle, StackBuilder, Value
from stacks.intents import ImageRepository, describe

__all__ = ["lower"]


def lower(context: Context, keys: Keys) -> tuple[StackBuilder | None, Registry]:
    """Make a repository for each intent; no stack when there is none."""
    intents = tuple(context.all_of(ImageRepository))
    if not intents:
        return None, Registry()
    stack = StackBuilder("registry")
    arns: dict[str, Value] = {}
    urls: dict[str, Value] = {}
    for intent in intents:
        origin = describe(intent)
        repository = stack.resource(
            "aws_ecr_repository",
            intent.name,
            {
                "name": fitted("repository", f"{context.prefix}/{intent.name}"),
                "image_tag_mutability": "IMMUTABLE",
                "force_delete": not context.protected,
                "image_scanning_configuration": {"scan_on_push": True},
                "encryption_configuration": _encryption(keys),
            },
            origin=origin,
            lifecycle=Lifecycle(prevent_destroy=context.protected),
            holds="every image in it",
        )
        stack.resource(
            "aws_ecr_lifecycle_policy",
            intent.name,
            {"repository": repository.ref("name"), "policy": JsonText(_cleanup(intent))},
            origin=origin,
        )
        arns[intent.name] = repository.ref("arn")
        urls[intent.name] = repository.ref("repository_url")
    stack.export("repository_urls", urls)
    stack.export("repository_arns", arns)
    return stack, Registry(arns=arns, urls=urls)


def _encryption(keys: Keys) -> Value:
    if keys.data is None:
        return {"encryption_type": "AES256"}
    return {"encryption_type": "KMS", "kms_key": keys.data}


def _cleanup(intent: ImageRepository) -> Value:
    """Rules run by priority; the one for any tag must come last (ECR User Guide, lifecycle policy properties)."""
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"Untagged images go after {intent.expire_untagged_days} days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": intent.expire_untagged_days,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"The newest {intent.keep_images} images stay",
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": intent.keep_images,
                },
                "action": {"type": "expire"},
            },
        ]
    }
