"""The tags of SageMaker's things: those that live here, and a mend for those that live in moto."""

from __future__ import annotations

from collections.abc import Mapping

from moto.sagemaker.models import sagemaker_backends

from tests.emulator.call import Answer, Call, Result
from tests.emulator.tags import Tags, TagStyle

__all__ = ["sagemaker_tags", "tag_answers"]


def sagemaker_tags() -> Tags:
    """No tags yet."""
    style = TagStyle(
        arn="ResourceArn",
        tags="Tags",
        keys="TagKeys",
        pair=("Key", "Value"),
        list_verb="ListTags",
        add_verb="AddTags",
        remove_verb="DeleteTags",
        missing=None,
    )
    return Tags(style)


def tag_answers(tags: Tags) -> dict[str, Answer]:
    """The operations on tags."""
    own = tags.answers()
    add_own = own["AddTags"]

    def add(call: Call) -> Result | None:
        """moto appends a tag whose key is there already, so the old one has to go first."""
        answered = add_own(call)
        if answered is None:
            given = call.listed("Tags")
            keys = [str(tag["Key"]) for tag in given if isinstance(tag, Mapping)]
            sagemaker_backends[call.account][call.region].delete_tags(call.text("ResourceArn"), keys)
        return answered

    return {**own, "AddTags": add}
