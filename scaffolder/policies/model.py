"""The vocabulary of policies: what an organisation may ask of each platform spec.

Written with the kinds of the spec's vocabulary. May not know a spec's values, a file or a catalog.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.spec.fields import Each, Integer, Section, Str, Table, key, keys_of
from scaffolder.spec.model import TAG_KEY, Security
from stacks.record import record

__all__ = ["CATALOG_NAME", "OWNER", "POLICIES", "Policy", "PolicyFile", "Regions"]

CATALOG_NAME = Str(
    pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", minimum=1, maximum=40, says="lower-case words joined by hyphens"
)
OWNER = Str(
    pattern=r"[A-Za-z0-9][A-Za-z0-9 _.:/@+=-]*",
    minimum=1,
    maximum=100,
    says="a team or a mail address: letters, digits, spaces, _.:/@+=-",
)
REGIONS = Each(
    Str(pattern=r"[A-Za-z][A-Za-z0-9 -]*", minimum=2, maximum=40, says="a region's name, such as eu-west-1"),
    minimum=1,
    maximum=200,
    unique=True,
)


@record
class Regions:
    """Regions by cloud; a cloud that is left out is not allowed at all."""

    aws: tuple[str, ...] = key(REGIONS, "Regions of AWS.", default=())
    gcp: tuple[str, ...] = key(REGIONS, "Regions of Google Cloud.", default=())
    azure: tuple[str, ...] = key(REGIONS, "Regions of Azure.", default=())


@record
class Policy:
    """What an organisation asks of each spec, who answers for it and why. It asks for one thing at least."""

    name: str = key(CATALOG_NAME, "The policy's name, which findings give.", required=True)
    owner: str = key(OWNER, "Who answers for it, and is asked for an exception.", required=True)
    says: str = key(Str(minimum=1, maximum=300), "Why it is there; findings say it.", default="")
    environments: tuple[str, ...] = key(
        Each(
            Str(
                pattern=r"[a-z*][a-z0-9*]*",
                minimum=1,
                maximum=20,
                says="an environment's name, in which * stands for any letters",
            ),
            minimum=1,
            maximum=20,
            unique=True,
        ),
        "The environments that it is for; all of them, when left out.",
        default=(),
    )
    allowed_regions: Regions | None = key(
        Section(Regions),
        "Where a platform may be, and what its overrides may name as a place.",
        default=None,
    )
    allowed_instances: tuple[str, ...] = key(
        Each(
            Str(
                pattern=r"[A-Za-z*][A-Za-z0-9_.*×-]*",
                minimum=1,
                maximum=63,
                says="an instance as specs name it, in which * stands for any text",
            ),
            minimum=1,
            maximum=200,
            unique=True,
        ),
        "The sizes of machines that may be named, or left to a default: in the spec, in the steps of its pipelines and in "
        "overrides. A size is compared as it is written: gpu.t4 is one GPU of that sort, gpu.t4* any number of them.",
        default=(),
    )
    mandatory_tags: Mapping[str, str] = key(
        Table(TAG_KEY, Str(minimum=1, maximum=200), maximum=40),
        "Tags that must be there, and for each a regular expression that its whole value fits; owner is the spec's own key.",
        default={},
    )
    minimum_profiles: tuple[str, ...] = key(
        keys_of(Security)["profiles"].kind,
        "Compliance profiles that must be among security.profiles, or whose floors those that are there set as well.",
        default=(),
    )


POLICIES = Each(Section(Policy), maximum=100)


@record
class PolicyFile:
    """The copy of a catalog's policies that a project keeps, written by Scaffolder."""

    version: int = key(Integer(minimum=1, maximum=1), "The version of this vocabulary.", required=True)
    catalog: str = key(CATALOG_NAME, "The catalog that they are from.", required=True)
    policies: tuple[Policy, ...] = key(POLICIES, "The policies.", required=True)
