"""Create, read, list, update and delete of one kind of thing, from one table row. May not know a service.

An echo: what a Create call carried is what the Get call returns. That is enough for Terraform to apply,
refresh and destroy; it does not prove that AWS would accept the values.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from tests.emulator.call import Answer, Call, Refusal, Result
from tests.emulator.tags import Tags

__all__ = ["Entity", "Identifier", "Store", "Thing", "now"]

Key: TypeAlias = tuple[str, ...]
Thing: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Identifier:
    """The shape of the ids that a service makes: a prefix, and random letters and digits after it."""

    prefix: str
    length: int
    capitals: bool = False

    def new(self) -> str:
        letters = string.ascii_uppercase if self.capitals else string.ascii_lowercase
        return self.prefix + "".join(secrets.choice(letters + string.digits) for _ in range(self.length))


@dataclass(frozen=True, slots=True)
class Entity:
    """One row: what a thing is called, what names it, and what its answers carry beside its parameters.

    `key` are the request's members that name one thing, by a name or an ARN. Those in `generated` are made at
    creation. `arn` is a template over `region`, `account`
    and the request's parameters. `renamed` maps a request's member to the answer's, at any depth. `wrapped`
    and `listed` are the answer's members that hold one thing and all of them; without `wrapped` the thing is
    the answer. `narrowed` maps a parameter of List to the member that must equal it. `timestamps` are set at
    creation.
    """

    noun: str
    key: Key
    arn: str
    arn_member: str
    listed: str
    wrapped: str | None = None
    plural: str | None = None
    read_verb: str = "Get"
    generated: Mapping[str, Identifier] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    narrowed: Mapping[str, str] = field(default_factory=dict)
    timestamps: tuple[str, ...] = ()
    missing: str = "ResourceNotFoundException"
    missing_message: str = "{noun} {key} does not exist"
    exists: str = "ConflictException"


class Store:
    """The living things of one kind; those of one account and region don't see those of another."""

    def __init__(self, entity: Entity, tags: Tags) -> None:
        self._entity = entity
        self._tags = tags
        self._things: dict[Key, Thing] = {}

    def answers(self) -> dict[str, Answer]:
        """The operations that every kind of thing has."""
        noun = self._entity.noun
        return {
            f"Create{noun}": self.create,
            f"{self._entity.read_verb}{noun}": self.read,
            f"List{self._entity.plural or f'{noun}s'}": self.listing,
            f"Update{noun}": self.update,
            f"Delete{noun}": self.delete,
        }

    def create(self, call: Call) -> Result:
        generated = {member: shape.new() for member, shape in self._entity.generated.items()}
        call = call.carrying(**generated)
        key = self._key(call)
        if key in self._things:
            raise Refusal(self._entity.exists, f"{self._entity.noun} {'/'.join(key[2:])} already exists")
        arn = self._entity.arn.format(region=call.region, account=call.account, **call.parameters)
        created = dict.fromkeys(self._entity.timestamps, now())
        given = {member: value for member, value in call.parameters.items() if value is not None}
        self._tags.own(arn, given.pop(self._tags.style.tags, None))
        thing = {**self._entity.defaults, **created, **self._renamed(given), self._entity.arn_member: arn}
        self._things[key] = thing
        return self._shown(thing) | {self._entity.arn_member: arn}

    def read(self, call: Call) -> Result:
        return self._shown(self.find(call))

    def listing(self, call: Call) -> Result:
        wanted = {
            member: call.parameters[parameter]
            for parameter, member in self._entity.narrowed.items()
            if call.parameters.get(parameter) is not None
        }
        shown = [
            self._plain(thing)
            for thing in self.living(call)
            if all(thing.get(member) == value for member, value in wanted.items())
        ]
        return {self._entity.listed: shown}

    def update(self, call: Call) -> Result:
        thing = self.find(call)
        given = {member: value for member, value in call.parameters.items() if value is not None}
        for member in self._entity.key:
            given.pop(member, None)
        thing.update(self._renamed(given))
        return self._shown(thing)

    def delete(self, call: Call) -> Result:
        thing = self.find(call)
        self._tags.drop(str(thing[self._entity.arn_member]))
        del self._things[self._key(call)]
        return self._plain(thing)

    def find(self, call: Call) -> Thing:
        """The thing that a call names; refuses the call where there is none."""
        key = self._key(call)
        if key not in self._things:
            named = self._entity.missing_message.format(noun=self._entity.noun, key="/".join(key[2:]))
            raise Refusal(self._entity.missing, named)
        return self._things[key]

    def living(self, call: Call) -> list[Thing]:
        """Everything in the account and region of a call."""
        here = (call.account, call.region)
        return [thing for key, thing in self._things.items() if key[:2] == here]

    def _key(self, call: Call) -> Key:
        return (call.account, call.region, *(_name(call.text(member)) for member in self._entity.key))

    def _renamed(self, parameters: Mapping[str, object]) -> Thing:
        return {
            self._entity.renamed.get(member, member): self._renamed_within(value)
            for member, value in parameters.items()
        }

    def _renamed_within(self, value: object) -> object:
        if isinstance(value, Mapping):
            return self._renamed(value)
        return [self._renamed_within(item) for item in value] if isinstance(value, list) else value

    def _plain(self, thing: Thing) -> Thing:
        return {**thing, self._tags.style.tags: self._tags.shown(str(thing[self._entity.arn_member]))}

    def _shown(self, thing: Thing) -> Thing:
        plain = self._plain(thing)
        return plain if self._entity.wrapped is None else {self._entity.wrapped: plain}


def now() -> datetime:
    """The time in whole seconds of UTC, as moto's serializers want it."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def _name(named: str) -> str:
    """What a name or an ARN names; ids, the names among them, have neither slashes nor colons."""
    return re.split("[:/]", named)[-1] if named.startswith("arn:") else named
