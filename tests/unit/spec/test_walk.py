"""Values are found by their kind, wherever a section, a table or a list has them."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.spec.fields import Each, Either, Instance, Integer, Section, Str, Table, key
from scaffolder.spec.walk import texts_of
from stacks.record import record

NAME = Str(minimum=1, maximum=20)


@record
class Machine:
    """A machine."""

    size: str | None = key(Instance(), "Its size.", default=None)
    spare: str = key(Instance(), "Another.", default="cpu.small")
    owner: str = key(NAME, "Not a size.", default="cpu.large")


@record
class Fleet:
    """Machines in every way that a vocabulary can hold them."""

    first: Machine = key(Section(Machine), "One.", default=Machine)
    second: Machine | None = key(Section(Machine), "Perhaps one.", default=None)
    named: Mapping[str, Machine] = key(Table(NAME, Section(Machine)), "Some.", default={})
    sizes: tuple[str, ...] = key(Each(Instance(), maximum=9), "A list.", default=())
    either: int | str | tuple[str, ...] = key(
        Either(Integer(), Instance(), Each(Instance(), maximum=9)), "A number, a size, or some.", default=1
    )


def found(fleet: Fleet) -> dict[tuple[str | int, ...], str]:
    return dict(texts_of(Instance, Section(Fleet), fleet))


def test_defaults_are_found_and_what_is_left_out_is_not() -> None:
    assert found(Fleet()) == {("first", "spare"): "cpu.small"}


def test_sections_tables_and_lists_are_looked_into() -> None:
    fleet = Fleet(
        second=Machine(size="gpu.t4"),
        named={"a": Machine(size="gpu.l4", spare="gpu.a10")},
        sizes=("cpu.large", "cpu.xlarge"),
        either=("gpu.h100",),
    )
    assert found(fleet) == {
        ("first", "spare"): "cpu.small",
        ("second", "size"): "gpu.t4",
        ("second", "spare"): "cpu.small",
        ("named", "a", "size"): "gpu.l4",
        ("named", "a", "spare"): "gpu.a10",
        ("sizes", 0): "cpu.large",
        ("sizes", 1): "cpu.xlarge",
        ("either", 0): "gpu.h100",
    }


def test_one_of_several_kinds_is_found_once() -> None:
    assert found(Fleet(either="gpu.a100")) == {
        ("first", "spare"): "cpu.small",
        ("either",): "gpu.a100",
    }
    assert found(Fleet(either=3)) == {("first", "spare"): "cpu.small"}
