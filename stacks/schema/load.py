"""Finds the schema of one type in the packs shipped beside this module, and remembers it.

May not read anything but its own ``data`` folder, nor more of a pack than the types that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from stacks.schema.model import Mode, TypeSchema, block_schema
from stacks.schema.pack import Pack

__all__ = [
    "SchemaError",
    "Schemas",
    "UnknownProviderError",
    "UnknownTypeError",
    "nearest",
    "open_pack",
    "provider_of",
    "schema_of",
    "shipped_versions",
]

_DATA = Path(__file__).with_name("data")
_SUFFIX = ".pack"


class SchemaError(Exception):
    """A schema was asked for that this program doesn't have."""


class UnknownProviderError(SchemaError):
    """No pack is shipped for a provider or for that version of it."""


class UnknownTypeError(SchemaError):
    """A provider has no such type. ``hint`` names the nearest match, if there is one."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


def shipped_versions(provider: str) -> tuple[str, ...]:
    """List the versions of a provider whose schema is shipped, oldest first."""
    names = (path.name.removesuffix(_SUFFIX) for path in _DATA.glob(f"{provider}-*{_SUFFIX}"))
    versions = (name.removeprefix(f"{provider}-") for name in names)
    return tuple(sorted((v for v in versions if v[0].isdigit()), key=_version_key))


def open_pack(provider: str, version: str) -> Pack:
    """Open a shipped pack.

    Raises:
        UnknownProviderError: it isn't shipped; the message names the versions that are.
    """
    return _open_pack(provider, version)


def schema_of(provider: str, mode: Mode, type_name: str, *, version: str) -> TypeSchema:
    """Return the schema of one type at one provider version.

    The provider's own configuration has the mode ``provider`` and the provider's name.

    Raises:
        UnknownProviderError: no such pack is shipped.
        UnknownTypeError: the provider has no such type.
    """
    return _schema_of(provider, mode, type_name, version)


def provider_of(type_name: str) -> str:
    """Return the provider that Terraform takes for a type: what stands before the first underscore."""
    return type_name.partition("_")[0]


class Schemas:
    """The schemas of one platform: those of each provider at the version that the platform uses."""

    def __init__(self, versions: Mapping[str, str]) -> None:
        self._versions = dict(versions)

    def of(self, mode: Mode, type_name: str) -> TypeSchema:
        """Return the schema of a type of this platform's providers.

        A type that its own provider lacks is looked for in the platform's other providers of that family, such as
        ``google-beta`` for ``google``.

        Raises:
            UnknownTypeError: the platform has no such provider, or the provider no such type.
            UnknownProviderError: the pack of the provider's version isn't shipped.
        """
        provider = type_name if mode == "provider" else self._provider_with(mode, type_name)
        version = self._versions.get(provider)
        if version is None:
            known = ", ".join(sorted(self._versions)) or "no provider"
            raise UnknownTypeError(
                f'"{type_name}" belongs to no provider of this platform, which uses {known}', ""
            )
        return _schema_of(provider, mode, type_name, _version_with(provider, mode, version))

    def _provider_with(self, mode: Mode, type_name: str) -> str:
        own = provider_of(type_name)
        for provider in (own, *(name for name in self._versions if name.startswith(f"{own}-"))):
            version = self._versions.get(provider)
            if version and type_name in _open_pack(provider, _version_with(provider, mode, version)).names(
                mode
            ):
                return provider
        return own


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``Did you mean "…"?`` for the most similar name; empty when none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes pay for it

    matches = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f'Did you mean "{matches[0]}"?' if matches else ""


@cache
def _version_with(provider: str, mode: Mode, version: str) -> str:
    """The version itself, or the newest one that has this mode at all where the version's source has none of it."""
    if mode == "resource" or any(_open_pack(provider, version).names(mode)):
        return version
    others = reversed(shipped_versions(provider))
    return next((other for other in others if any(_open_pack(provider, other).names(mode))), version)


@cache
def _open_pack(provider: str, version: str) -> Pack:
    path = _DATA / f"{provider}-{version}{_SUFFIX}"
    if not path.is_file():
        shipped = ", ".join(shipped_versions(provider)) or "none"
        raise UnknownProviderError(
            f"no schema of provider {provider} {version} is shipped; versions that are: {shipped}"
        )
    return Pack(path)


@cache
def _schema_of(provider: str, mode: Mode, type_name: str, version: str) -> TypeSchema:
    pack = _open_pack(provider, version)
    records = pack.records(mode, type_name)
    if records is None:
        raise _unknown_type(pack, provider, mode, type_name)
    return TypeSchema(provider, version, mode, type_name, block_schema(records))


def _unknown_type(pack: Pack, provider: str, mode: Mode, type_name: str) -> UnknownTypeError:
    words = {"resource": "resource type", "data": "data source", "provider": "provider configuration"}
    if not pack.names(mode):
        shipped = f"the shipped schema of provider {provider} {pack.version} has no {words[mode]}s"
        return UnknownTypeError(f'{shipped}, so "{type_name}" cannot be checked', "")
    other: Mode = "data" if mode == "resource" else "resource"
    if type_name in pack.names(other):
        hint = f"It is a {words[other]} there."
    else:
        hint = nearest(type_name, pack.names(mode))
    return UnknownTypeError(
        f'"{type_name}" is not a {words[mode]} of provider {provider} {pack.version}', hint
    )


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
