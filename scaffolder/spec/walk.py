"""Finds the values of one kind in what was read by the vocabulary, wherever a section, a table or a list has them.

Goes by the kinds that keys are declared with, so that a new key is found without being named here. May not judge a
value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffolder.spec.fields import Each, Either, Kind, ScalarKind, Section, Table, keys_of
from scaffolder.spec.nodes import Path

__all__ = ["texts_of"]


def texts_of(
    sort: type[ScalarKind], kind: Kind, value: object, path: Path = ()
) -> Iterator[tuple[Path, str]]:
    """The texts of a kind's keys, each with its path, defaults among them; what is left out has none."""
    match kind:
        case Section(model=model):
            if isinstance(value, model):
                for name, key in keys_of(model).items():
                    yield from texts_of(sort, key.kind, getattr(value, name), (*path, name))
        case Table(kind=below):
            for name, item in value.items() if isinstance(value, Mapping) else ():
                yield from texts_of(sort, below, item, (*path, name))
        case Each(kind=below):
            for number, item in enumerate(value) if isinstance(value, tuple) else ():
                yield from texts_of(sort, below, item, (*path, number))
        case Either(kinds=kinds):
            found = (item for each in kinds for item in texts_of(sort, each, value, path))
            yield from dict.fromkeys(found)
        case _:
            if isinstance(kind, sort) and isinstance(value, str):
                yield path, value
