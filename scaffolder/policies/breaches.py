"""Where a spec, its pipelines' steps and its overrides break policies: a finding for each, at its place in the file.

Sizes of machines are found by their kind, wherever the vocabulary has one. May not know a cloud, nor mend a spec.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from scaffolder.errors import Finding
from scaffolder.pipelines.load import DefinitionFile
from scaffolder.pipelines.model import PipelineSpec
from scaffolder.policies.model import Policy, Regions
from scaffolder.policies.rules import OWNER_TAG, same_tag
from scaffolder.spec.fields import Instance, Section, keys_of
from scaffolder.spec.load import EnvironmentSpec, LoadedSpec, told_once
from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.nodes import Path, Report, Tree, dotted, is_hidden, mark_of, nearest, printable, quoted
from scaffolder.spec.profiles import profiles_within
from scaffolder.spec.rules import MODE_KEYS, Written
from scaffolder.spec.scalars import NEUTRAL_SIZES
from scaffolder.spec.walk import texts_of
from stacks.record import record

__all__ = ["POLICY", "breaches", "untagged"]

POLICY = "policy"

MACHINES = frozenset(
    {
        *("instancetype", "instancetypes", "machinetype", "vmsize", "virtualmachinesize"),
        *("acceleratortype", "acceleratortypes"),
    }
)
"""What providers' schemas, and the JSON documents in their arguments, call a size of a machine, without capitals and
underscores (stacks/schema/data, 2026-11)."""
PLACES = re.compile(r"(?:[a-z_]+_)?(?:regions?|location)|locations")
NO_PLACES = re.compile(r".*(?:file|image|output|data_store|s3|http_server|http_element)_location")
"""What they call a region; and names of the same look that hold addresses."""
MOST_NAMED = 20
TAGS = frozenset({"tags", "labels", "user_labels"})


@record
class _Judged:
    """One environment under one policy."""

    policy: Policy
    environment: EnvironmentSpec
    files: Mapping[str, DefinitionFile]
    spec: Report
    definitions: Mapping[str, Report]

    def tell(self, path: Path, what: str, hint: str) -> None:
        self.tell_in(self.spec, self.environment.tree, path, what, hint)

    def tell_in(self, report: Report, tree: Tree, path: Path, what: str, hint: str) -> None:
        policy = self.policy
        says = f": {printable(policy.says)}" if policy.says else ""
        message = f"{dotted(path)} {what} against policy {policy.name} of {policy.owner}{says}"
        report.add(mark_of(tree, path), POLICY, path, message, hint)


def breaches(
    policies: Sequence[Policy], loaded: LoadedSpec, files: Mapping[str, DefinitionFile]
) -> Sequence[Finding]:
    """Hold each environment to the policies that are for it; ``files`` are the definitions that could be read."""
    found: dict[str, list[Finding]] = {}
    for environment in loaded.environments:
        report = Report(loaded.file)
        reports = {name: Report(file.name, "the pipeline") for name, file in files.items()}
        for policy in policies:
            if _is_for(policy, environment.name):
                judged = _Judged(
                    policy=policy, environment=environment, files=files, spec=report, definitions=reports
                )
                for check in CHECKS:
                    check(judged)
        found[environment.name] = [
            *report.findings,
            *(finding for each in reports.values() for finding in each.findings),
        ]
    return tuple(told_once(found))


def untagged(
    policies: Sequence[Policy],
    loaded: LoadedSpec,
    environment: EnvironmentSpec,
    made: Mapping[str, Mapping[str, object]],
) -> Sequence[Finding]:
    """Where overrides take away tags that policies ask for; ``made`` has each resource's arguments without overrides."""
    report = Report(loaded.file)
    for policy in policies:
        if not policy.mandatory_tags or not _is_for(policy, environment.name):
            continue
        judged = _Judged(policy=policy, environment=environment, files={}, spec=report, definitions={})
        for address, arguments in environment.spec.overrides.items():
            for name in sorted(TAGS & arguments.keys()):
                before, after = made.get(address, {}).get(name), arguments[name]
                kept = after if isinstance(after, Mapping) else {}
                for tag in policy.mandatory_tags:
                    if isinstance(before, Mapping) and tag in before and tag not in kept:
                        judged.tell(("overrides", address, name), f"lacks {tag},", f"Add {tag} to it.")
    return tuple(report.findings)


def _is_for(policy: Policy, environment: str) -> bool:
    named = policy.environments
    return not named or any(fnmatchcase(environment, each) for each in named)


# --- regions ---------------------------------------------------------------------------------------------------------


def _regions(judged: _Judged) -> None:
    allowed = judged.policy.allowed_regions
    if allowed is None:
        return
    target = judged.environment.spec.target
    by_cloud: dict[str, tuple[str, ...]] = {
        name: named for name in keys_of(Regions) if (named := getattr(allowed, name))
    }
    if target.provider not in by_cloud:
        hint = f"It allows no region of {target.provider}, but some of {', '.join(by_cloud)}."
        judged.tell(("target", "provider"), f"{quoted(target.provider)} is", hint)
        return
    regions = by_cloud[target.provider]
    for path, region in _places(judged.environment.spec):
        if not _is_in(region, regions):
            judged.tell(path, f"{quoted(region)} is", _allows(region, regions, regions))


def _places(spec: PlatformSpec) -> Iterator[tuple[Path, str]]:
    yield ("target", "region"), spec.target.region
    place = spec.state.settings.get("region")
    if isinstance(place, str):
        yield ("state", "settings", "region"), place
    for path, name, value in _overridden(spec):
        if PLACES.fullmatch(name.lower()) and not NO_PLACES.fullmatch(name) and _is_word(value):
            yield path, value


def _is_word(value: str) -> bool:
    """Not an address, nor a reference."""
    return re.fullmatch(r"[A-Za-z0-9 -]+", value) is not None


def _is_in(place: str, regions: Iterable[str]) -> bool:
    """Whether a place is a region, as some clouds spell it with spaces and capitals, or a zone of one."""
    plain = _plain(place)
    return any(re.fullmatch(rf"{re.escape(_plain(region))}(?:-?[a-z])?", plain) for region in regions)


def _plain(text: str) -> str:
    return text.replace(" ", "").replace("_", "").lower()


# --- machines --------------------------------------------------------------------------------------------------------


def _instances(judged: _Judged) -> None:
    allowed = tuple(
        each.replace("x", "×") if each.startswith("gpu.") else each
        for each in judged.policy.allowed_instances
    )
    if not allowed:
        return
    environment = judged.environment
    fit = _fitting(allowed)
    for path, instance in texts_of(Instance, Section(PlatformSpec), environment.spec):
        if not fit(instance) and _matters(environment, path, judged.files):
            written = Written(environment.spec, environment.tree).has(*map(str, path))
            judged.tell(path, _sized(instance, written=written), _sizes(instance, allowed))
    for path, name, value in _overridden(environment.spec):
        if _plain(name) in MACHINES and not fit(value):
            judged.tell(path, f"{quoted(value)} is", _sizes(value, allowed))
    for file in dict.fromkeys(pipeline.definition for pipeline in environment.spec.pipelines.values()):
        if file in judged.files:
            definition = judged.files[file]
            for path, instance in texts_of(Instance, Section(PipelineSpec), definition.spec):
                if not fit(instance):
                    judged.tell_in(
                        judged.definitions[file],
                        definition.tree,
                        path,
                        f"{quoted(instance)} is",
                        _sizes(instance, allowed),
                    )


def _fitting(allowed: Sequence[str]) -> Callable[[str], bool]:
    return lambda instance: any(fnmatchcase(instance, each) for each in allowed)


def _sized(instance: str, *, written: bool) -> str:
    return f"{quoted(instance)}{'' if written else ', its default,'} is"


def _sizes(instance: str, allowed: Sequence[str]) -> str:
    fit = _fitting(allowed)
    known = (*(size for size in NEUTRAL_SIZES if fit(size)), *(each for each in allowed if "*" not in each))
    return _allows(instance, [each for each in known if each[:2] == instance[:2]], allowed)


def _matters(environment: EnvironmentSpec, path: Path, files: Mapping[str, DefinitionFile]) -> bool:
    """Whether a size changes anything: not that of an endpoint without machines, nor one that every step replaces."""
    match path:
        case ("endpoints", str(name), "instance"):
            return environment.spec.endpoints[name].mode in MODE_KEYS["instance"]
        case ("pipelines", str(name), "instance"):
            file = files.get(environment.spec.pipelines[name].definition)
            steps = [step for step in file.spec.steps.values() if step.register is None] if file else []
            return not steps or any(step.instance is None for step in steps)
        case _:
            return True


# --- tags ------------------------------------------------------------------------------------------------------------


def _tags(judged: _Judged) -> None:
    spec = judged.environment.spec
    for tag, pattern in judged.policy.mandatory_tags.items():
        if tag == OWNER_TAG:
            _tag_fits(judged, ("owner",), spec.owner, pattern)
        elif tag in spec.tags:
            _tag_fits(judged, ("tags", tag), spec.tags[tag], pattern)
        else:
            near = nearest(tag, spec.tags)
            hint = f"{near} " if near else ""
            hint = f"{hint}Add {tag} to tags, with a value that fits {pattern}"
            judged.tell(("tags", tag), "is missing,", hint)
    for path, name, value in _overridden(spec):
        if len(path) > 1 and str(path[-2]) in TAGS:
            for tag, pattern in judged.policy.mandatory_tags.items():
                if same_tag(tag, name):
                    _tag_fits(judged, path, value, pattern)


def _tag_fits(judged: _Judged, path: Path, value: str, pattern: str) -> None:
    if re.fullmatch(pattern, value) is None:
        shown = "a value that is not shown here" if is_hidden(value, path) else quoted(value)
        judged.tell(path, f"{shown} is", f"It must fit {pattern}")


# --- profiles --------------------------------------------------------------------------------------------------------


def _profiles(judged: _Judged) -> None:
    given = judged.environment.spec.security.profiles
    lacks = [each for each in judged.policy.minimum_profiles if each not in profiles_within(given)]
    if lacks:
        names = " and ".join(lacks)
        judged.tell(("security", "profiles"), f"lacks {names},", f"Add {names} to it.")


# --- what they share -------------------------------------------------------------------------------------------------


def _allows(value: str, known: Sequence[str], allowed: Sequence[str]) -> str:
    near = nearest(value, known)
    more = len(allowed) - MOST_NAMED
    some = ", ".join(allowed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{near} It allows {some}." if near else f"It allows {some}."


def _overridden(spec: PlatformSpec) -> Iterator[tuple[Path, str, str]]:
    """Each text that an override sets: where, the name of its argument, and the text."""
    for address, arguments in spec.overrides.items():
        for name, value in arguments.items():
            yield from _texts_below(("overrides", address, name), name, value)


def _texts_below(path: Path, name: str, value: object) -> Iterator[tuple[Path, str, str]]:
    match value:
        case str() if value.lstrip()[:1] in {"{", "["} and (document := _document(value)) is not None:
            yield from _texts_below(path, name, document)
        case str():
            yield path, name, value
        case Mapping():
            for key, item in value.items():
                yield from _texts_below((*path, str(key)), str(key), item)
        case list() | tuple():
            for number, item in enumerate(value):
                yield from _texts_below((*path, number), name, item)
        case _:
            pass


def _document(text: str) -> object:
    """What a JSON document holds, such as a pipeline's definition; ``None`` for text that is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


CHECKS: tuple[Callable[[_Judged], None], ...] = (_regions, _instances, _tags, _profiles)
"""One for each thing that a policy may ask."""
