"""Application Auto Scaling: the tags of scalable targets, which moto 5.2.5 accepts and forgets."""

from __future__ import annotations

from tests.emulator.call import Call, Result, Service
from tests.emulator.tags import Tags, TagStyle

__all__ = ["service"]


def service() -> Service:
    """Application Auto Scaling without tags; targets, policies and actions are moto's."""
    tags = Tags(TagStyle(arn="ResourceARN", tags="Tags", keys="TagKeys"))

    def register(call: Call, result: Result) -> Result:
        """A target that is registered again keeps its tags."""
        arn = str(result["ScalableTargetARN"])
        if not tags.owns(arn):
            tags.own(arn, call.parameters.get("Tags"))
        return result

    return Service(
        name="application-autoscaling",
        answers=tags.answers(),
        amendments={"RegisterScalableTarget": register},
    )
