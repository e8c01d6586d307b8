"""Compliance profiles as data: the floors that each sets, with their sources and dates.

A floor is a technical minimum that the source asks for or is commonly read to ask for; meeting all of them does not
make a platform compliant. May not mend a spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, assert_never

from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.nodes import Path
from stacks.record import record

__all__ = [
    "DATE",
    "PROFILES",
    "AtLeast",
    "Expires",
    "Floor",
    "InRegions",
    "IsSet",
    "ModelsApproved",
    "profiles_within",
    "shortfalls",
]

DATE = "2026-11"


@record
class IsSet:
    """A key has one value."""

    path: tuple[str, ...]
    value: str | bool
    source: str


@record
class AtLeast:
    """A number of days is not below a minimum; what is left out passes."""

    path: tuple[str, ...]
    minimum: int
    source: str


@record
class InRegions:
    """The platform is in one of each provider's regions."""

    regions: Mapping[str, Sequence[str]]
    says: str
    source: str


@record
class Expires:
    """Buckets with data of people (data, and all of the user's own) delete objects at some time."""

    source: str


@record
class ModelsApproved:
    """A person approves each model."""

    source: str


Floor: TypeAlias = IsSet | AtLeast | InRegions | Expires | ModelsApproved

# EU and EEA. aws: docs.aws.amazon.com/global-infrastructure; gcp: cloud.google.com/about/locations;
# azure: learn.microsoft.com/azure/reliability/regions-list (2026-11). Not London, Zurich or Switzerland's.
EEA_REGIONS: Mapping[str, Sequence[str]] = {
    "aws": ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"),
    "gcp": (
        *(
            "europe-central2",
            "europe-north1",
            "europe-north2",
            "europe-southwest1",
            "europe-west1",
            "europe-west10",
        ),
        *("europe-west12", "europe-west3", "europe-west4", "europe-west8", "europe-west9"),
    ),
    "azure": (
        *(
            "austriaeast",
            "belgiumcentral",
            "francecentral",
            "francesouth",
            "germanynorth",
            "germanywestcentral",
        ),
        *("italynorth", "northeurope", "norwayeast", "norwaywest", "polandcentral", "spaincentral"),
        *("swedencentral", "swedensouth", "westeurope"),
    ),
}

HIPAA_AUDIT = "45 CFR 164.312(b)"
HIPAA_KEEP = "45 CFR 164.316(b)(2)(i)"
SOC2 = "AICPA Trust Services Criteria 2017 (points of focus 2022), CC7.2"
AI_ACT_LOGS = "Regulation (EU) 2024/1689, Articles 19 and 26(6)"
SIX_YEARS = 2190

PROFILES: Mapping[str, tuple[Floor, ...]] = {
    "hipaa": (
        IsSet(path=("security", "audit"), value=True, source=HIPAA_AUDIT),
        IsSet(path=("security", "encryption"), value="customer", source="45 CFR 164.312(a)(2)(iv)"),
        AtLeast(path=("security", "audit_retention_days"), minimum=SIX_YEARS, source=HIPAA_KEEP),
        AtLeast(path=("security", "log_retention_days"), minimum=SIX_YEARS, source=HIPAA_KEEP),
        AtLeast(
            path=("storage", "buckets", "logs", "expire_after_days"), minimum=SIX_YEARS, source=HIPAA_KEEP
        ),
    ),
    "soc2": (
        IsSet(path=("security", "audit"), value=True, source=SOC2),
        AtLeast(path=("security", "audit_retention_days"), minimum=365, source=SOC2),
        AtLeast(path=("security", "log_retention_days"), minimum=365, source=SOC2),
    ),
    "gdpr": (
        InRegions(
            regions=EEA_REGIONS,
            says="a region in the EU or EEA",
            source="Regulation (EU) 2016/679, Article 44",
        ),
        Expires(source="Regulation (EU) 2016/679, Article 5(1)(e)"),
    ),
    "eu-ai-act": (
        IsSet(path=("security", "audit"), value=True, source="Regulation (EU) 2024/1689, Article 12"),
        AtLeast(path=("security", "audit_retention_days"), minimum=183, source=AI_ACT_LOGS),
        AtLeast(path=("security", "log_retention_days"), minimum=183, source=AI_ACT_LOGS),
        AtLeast(path=("storage", "buckets", "logs", "expire_after_days"), minimum=183, source=AI_ACT_LOGS),
        ModelsApproved(source="Regulation (EU) 2024/1689, Article 14"),
    ),
}


def profiles_within(profiles: Iterable[str]) -> frozenset[str]:
    """The profiles given, and those whose every floor is as high in one of these."""
    given = tuple(profiles)
    floors = [floor for profile in given for floor in PROFILES[profile]]
    within = (
        profile
        for profile, wanted in PROFILES.items()
        if all(any(_is_as_high(floor, each) for floor in floors) for each in wanted)
    )
    return frozenset((*given, *within))


def _is_as_high(floor: Floor, wanted: Floor) -> bool:
    """Whether what meets a floor meets the one that is wanted."""
    match floor, wanted:
        case IsSet(), IsSet():
            return (floor.path, floor.value) == (wanted.path, wanted.value)
        case AtLeast(), AtLeast():
            return floor.path == wanted.path and floor.minimum >= wanted.minimum
        case InRegions(), InRegions():
            return all(set(regions) <= set(wanted.regions[cloud]) for cloud, regions in floor.regions.items())
        case (Expires(), Expires()) | (ModelsApproved(), ModelsApproved()):
            return True
        case _:
            return False


def shortfalls(spec: PlatformSpec, floor: Floor) -> Iterator[tuple[Path, str, object]]:
    """Where a spec is below a floor: the key, what it must be, and what it is."""
    match floor:
        case IsSet(path=path, value=wanted):
            if (value := _value(spec, path)) != wanted:
                yield path, _written(wanted), value
        case AtLeast(path=path, minimum=minimum):
            value = _value(spec, path)
            if isinstance(value, int) and value < minimum:
                yield path, f"{minimum} or more", value
        case InRegions(regions=regions, says=says):
            known = regions[spec.target.provider]
            if spec.target.region not in known:
                yield ("target", "region"), f"{says} ({', '.join(known)})", spec.target.region
        case Expires():
            yield from _kept_for_ever(spec)
        case ModelsApproved():
            unapproved = (name for name, model in spec.models.items() if model.approval != "manual")
            yield from ((("models", name, "approval"), "manual", "automatic") for name in unapproved)
        case _:
            assert_never(floor)


def _kept_for_ever(spec: PlatformSpec) -> Iterator[tuple[Path, str, object]]:
    for name in sorted({"data", *spec.storage.buckets} - {"artifacts", "logs"}):
        path = ("storage", "buckets", name, "expire_after_days")
        if _value(spec, path) is None:
            yield path, "set", None


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(spec: PlatformSpec, path: Sequence[str]) -> object:
    """The value at a path; None below what is left out."""
    value: object = spec
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value
