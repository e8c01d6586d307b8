"""The providers that operations have: found by an entry point, imported when an operation runs.

A package of anybody's adds one with an entry point of the group ``scaffolder.providers``: its name, and a function that
takes an :class:`~scaffolder.operations.port.Opening` and gives a provider. May not know what a provider does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, cast

from scaffolder.errors import MissingExtraError, UsageError
from scaffolder.operations.port import Opening, Provider

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["BUILT_IN", "GROUP", "extra_of", "open_provider", "provider_names"]

GROUP = "scaffolder.providers"
Opener: TypeAlias = Callable[[Opening], Provider]

BUILT_IN: Mapping[str, tuple[str, str]] = {
    "aws": ("scaffolder.operations.aws", "aws"),
    "azure": ("scaffolder.operations.azure", "azure"),
    "gcp": ("scaffolder.operations.gcp", "gcp"),
    "local": ("scaffolder.operations.local", "local"),
}
"""Name → the package whose ``open_provider`` opens it, and the extra that brings what it imports."""


def _added() -> dict[str, EntryPoint]:
    """The providers of other packages.

    Raises:
        UsageError: two of one name.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and only for a provider of somebody else's

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in found or point.name in BUILT_IN:
            other = found[point.name].value if point.name in found else BUILT_IN[point.name][0]
            raise UsageError(
                f"two operations providers are named {point.name!r}: {other} and {point.value}. "
                "Uninstall one of the packages."
            )
        found[point.name] = point
    return found


def provider_names() -> tuple[str, ...]:
    """Name the providers that can be opened, sorted."""
    return tuple(sorted({*BUILT_IN, *_added()}))


def open_provider(name: str, opening: Opening) -> Provider:
    """Import a provider and open it.

    Raises:
        MissingExtraError: what it imports is not installed.
        UsageError: there is no such provider.
    """
    with extra_of(name):
        return _opener(name)(opening)


@contextmanager
def extra_of(name: str) -> Iterator[None]:
    """Around what may import a provider's packages: name the extra that brings one which is missing.

    Raises:
        MissingExtraError: one is.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        module = missing.name or ""
        if name not in BUILT_IN or module.partition(".")[0] in {"scaffolder", "stacks"}:
            raise
        raise MissingExtraError(BUILT_IN[name][1], module) from missing


def _opener(name: str) -> Opener:
    if name in BUILT_IN:
        return cast("Opener", import_module(BUILT_IN[name][0]).open_provider)
    added = _added()
    if name not in added:
        raise UsageError(f"there is no operations provider {name!r}; there are {', '.join(provider_names())}")
    return cast("Opener", added[name].load())
