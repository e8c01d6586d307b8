"""The tags of a service's things, by ARN. May not know which things there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.emulator.call import Answer, Call, Refusal, Result

__all__ = ["TagStyle", "Tags"]


@dataclass(frozen=True, slots=True)
class TagStyle:
    """How a service spells tags.

    `pair` are the members of one tag where tags are a list; None where they are a mapping. `missing` is the
    error for an ARN without an owner here; None leaves it to moto.
    """

    arn: str = "resourceArn"
    tags: str = "tags"
    keys: str = "tagKeys"
    pair: tuple[str, str] | None = None
    list_verb: str = "ListTagsForResource"
    add_verb: str = "TagResource"
    remove_verb: str = "UntagResource"
    missing: str | None = "ResourceNotFoundException"


class Tags:
    """The tags of everything that `own` was called for."""

    def __init__(self, style: TagStyle | None = None) -> None:
        self.style = style or TagStyle()
        self._tags: dict[str, dict[str, object]] = {}

    def own(self, arn: str, tags: object) -> None:
        """Keep the tags of a thing from now on, beginning with those that it was created with."""
        self._tags[arn] = self._parsed(tags)

    def owns(self, arn: str) -> bool:
        return arn in self._tags

    def drop(self, arn: str) -> None:
        self._tags.pop(arn, None)

    def shown(self, arn: str) -> dict[str, object] | list[dict[str, object]]:
        """The tags of a thing as the service spells them."""
        tags = self._tags.get(arn, {})
        if self.style.pair is None:
            return dict(tags)
        key_member, value_member = self.style.pair
        return [{key_member: key, value_member: value} for key, value in tags.items()]

    def answers(self) -> dict[str, Answer]:
        style = self.style
        return {style.list_verb: self._list, style.add_verb: self._add, style.remove_verb: self._remove}

    def _list(self, call: Call) -> Result | None:
        if self._owned(call) is None:
            return None
        return {self.style.tags: self.shown(call.text(self.style.arn))}

    def _add(self, call: Call) -> Result | None:
        owned = self._owned(call)
        if owned is None:
            return None
        owned.update(self._parsed(call.parameters.get(self.style.tags)))
        return {}

    def _remove(self, call: Call) -> Result | None:
        owned = self._owned(call)
        if owned is None:
            return None
        for key in call.listed(self.style.keys):
            owned.pop(str(key), None)
        return {}

    def _owned(self, call: Call) -> dict[str, object] | None:
        arn = call.text(self.style.arn)
        if arn not in self._tags and self.style.missing is not None:
            raise Refusal(self.style.missing, f"there is no {arn}")
        return self._tags.get(arn)

    def _parsed(self, tags: object) -> dict[str, object]:
        if isinstance(tags, Mapping):
            return dict(tags)
        if self.style.pair is None or not isinstance(tags, list):
            return {}
        key_member, value_member = self.style.pair
        return {tag[key_member]: tag.get(value_member, "") for tag in tags}
