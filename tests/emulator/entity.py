"""Create, read, list, update and delete of one kind of thing, from one table row. May not know a service.

An echo: what a Create call carried is what the Get call returns. That is enough for Terraform to apply,
refresh and destroy; it does not prove that AWS would accept the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from tests.emulator.call import Answer, Call, Refusal, Result

__all__ = ["Entity", "Tags", "entity_answers"]

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """One row: what a thing is called, what names it, and what its answers carry beside its parameters.

    `arn` is a template over `region`, `account` and the request's parameters. `renamed` maps a request's
    member to the answer's. `wrapped` and `listed` are the answer's members that hold one thing and all of
    them; without `wrapped` the thing is the answer. `timestamps` are set at creation.
    """

    noun: str
    key: Key
    arn: str
    arn_member: str
    listed: str
    wrapped: str | None = None
    read_verb: str = "Get"
    defaults: Mapping[str, object] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    timestamps: tuple[str, ...] = ()
    missing: str = "ResourceNotFoundException"
    exists: str = "ConflictException"


class Tags:
    """The tags of one service's things, by ARN, for services that send tags as a mapping."""

    def __init__(self, arn_member: str = "resourceArn", tags_member: str = "tags") -> None:
        self._arn_member = arn_member
        self._tags_member = tags_member
        self._tags: dict[str, dict[str, object]] = {}

    def put(self, arn: str, tags: object) -> None:
        self._tags.setdefault(arn, {}).update(tags if isinstance(tags, Mapping) else {})

    def of(self, arn: str) -> dict[str, object]:
        return dict(self._tags.get(arn, {}))

    def drop(self, arn: str) -> None:
        self._tags.pop(arn, None)

    def answers(self) -> dict[str, Answer]:
        return {"ListTagsForResource": self._list, "TagResource": self._tag, "UntagResource": self._untag}

    def _list(self, call: Call) -> Result:
        return {self._tags_member: self.of(call.text(self._arn_member))}

    def _tag(self, call: Call) -> Result:
        self.put(call.text(self._arn_member), call.parameters.get(self._tags_member))
        return {}

    def _untag(self, call: Call) -> Result:
        keys = call.parameters.get("tagKeys")
        for key in keys if isinstance(keys, list) else []:
            self._tags.get(call.text(self._arn_member), {}).pop(key, None)
        return {}


class _Store:
    """The living things of one kind; those of one account and region don't see those of another."""

    def __init__(self, entity: Entity, tags: Tags) -> None:
        self._entity = entity
        self._tags = tags
        self._things: dict[Key, dict[str, object]] = {}

    def create(self, call: Call) -> Result:
        key = self._key(call)
        if key in self._things:
            raise Refusal(self._entity.exists, f"{self._entity.noun} {'/'.join(key[2:])} already exists")
        arn = self._entity.arn.format(region=call.region, account=call.account, **call.parameters)
        created = dict.fromkeys(
            self._entity.timestamps, datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        )
        thing = {**self._entity.defaults, **created, **self._renamed(call), self._entity.arn_member: arn}
        self._tags.put(arn, thing.pop("tags", None))
        self._things[key] = thing
        return self._shown(thing) | {self._entity.arn_member: arn}

    def read(self, call: Call) -> Result:
        return self._shown(self._find(call))

    def list(self, call: Call) -> Result:
        here = (call.account, call.region)
        shown = [self._plain(thing) for key, thing in self._things.items() if key[:2] == here]
        return {self._entity.listed: shown}

    def update(self, call: Call) -> Result:
        thing = self._find(call)
        thing.update({member: value for member, value in self._renamed(call).items() if value is not None})
        return self._shown(thing)

    def delete(self, call: Call) -> Result:
        thing = self._find(call)
        self._tags.drop(str(thing[self._entity.arn_member]))
        del self._things[self._key(call)]
        return {}

    def _key(self, call: Call) -> Key:
        return (call.account, call.region, *(call.text(member) for member in self._entity.key))

    def _find(self, call: Call) -> dict[str, object]:
        key = self._key(call)
        if key not in self._things:
            raise Refusal(self._entity.missing, f"{self._entity.noun} {'/'.join(key[2:])} does not exist")
        return self._things[key]

    def _renamed(self, call: Call) -> dict[str, object]:
        return {self._entity.renamed.get(member, member): value for member, value in call.parameters.items()}

    def _plain(self, thing: dict[str, object]) -> dict[str, object]:
        return {**thing, "tags": self._tags.of(str(thing[self._entity.arn_member]))}

    def _shown(self, thing: dict[str, object]) -> dict[str, object]:
        plain = self._plain(thing)
        return plain if self._entity.wrapped is None else {self._entity.wrapped: plain}


def entity_answers(entity: Entity, tags: Tags) -> dict[str, Answer]:
    """The operations of one kind of thing over a store of its own."""
    store = _Store(entity, tags)
    return {
        f"Create{entity.noun}": store.create,
        f"{entity.read_verb}{entity.noun}": store.read,
        f"List{entity.noun}s": store.list,
        f"Update{entity.noun}": store.update,
        f"Delete{entity.noun}": store.delete,
    }
