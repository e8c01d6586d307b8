"""Frozen records: what ``@dataclass(frozen=True, slots=True, kw_only=True)`` makes, made with less compiling.

Python compiles a dataclass's methods one by one each time a program starts. Here only ``__init__`` is compiled; the
other methods are shared. ADR 0013 has what that saves. Everything of :mod:`dataclasses` works on a record (``fields``,
``replace``, ``field``). May not know what any record holds.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform

__all__ = ["record"]

Class = TypeVar("Class", bound=type[Any])


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def record(cls: Class) -> Class:
    """Make a class a frozen record with slots, whose arguments have names."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)(cls)
    if "__init__" not in cls.__dict__:
        made.__init__ = _initializer(made)
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _repr
    made.__eq__ = _equals
    made.__hash__ = _hash
    made.__setattr__ = _set
    made.__delattr__ = _delete
    return made  # type: ignore[no-any-return]  # the class, with slots


def _initializer(cls: type[Any]) -> Any:
    """Compile ``__init__``: each argument by its name, defaults and factories as the fields have them."""
    names: dict[str, Any] = {"_set": object.__setattr__}
    arguments, body = [], []
    for each in fields(cls):
        arguments.append(f"{each.name}{_default(each, names)}")
        value = each.name
        if each.default_factory is not MISSING:
            value = f"_made_{each.name}() if {each.name} is _missing else {each.name}"
        body.append(f" _set(self, {each.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    head = f"def __init__(self{', *, ' if arguments else ''}{', '.join(arguments)}):"
    exec("\n".join([head, *(body or [" pass"])]), names)  # noqa: S102 - of names that are in this program's source
    return names["__init__"]


def _default(each: Field[Any], names: dict[str, Any]) -> str:
    if each.default_factory is not MISSING:
        names[f"_made_{each.name}"] = each.default_factory
        names["_missing"] = MISSING
        return "=_missing"
    if each.default is not MISSING:
        names[f"_default_{each.name}"] = each.default
        return f"=_default_{each.name}"
    return ""


def _values(one: Any) -> tuple[object, ...]:
    return tuple(getattr(one, name) for name in type(one).__dataclass_fields__)


def _equals(self: object, other: object) -> bool:
    if self is other:
        return True
    return type(other) is type(self) and _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash((type(self), _values(self)))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__dataclass_fields__)
    return f"{type(self).__qualname__}({shown})"


def _set(_self: Any, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
