"""The composition root: load → resolve → lower → override → check → link, for one spec and its environments.

What the command line, CDKTF apps and tests call. Reads the spec's file, the pipeline definitions and code that it
names, and the policies that its project keeps; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scaffolder.errors import Finding, SpecError, UnsupportedError
from scaffolder.policies.place import place_of
from scaffolder.resolve import resolve
from scaffolder.spec.load import EnvironmentSpec, LoadedSpec, load_spec
from stacks.adapter import STACKS, Lowering, Skipped, lowering_of
from stacks.graph import GraphError, LinkedStack, Node, Stack, link
from stacks.intents import Platform
from stacks.overrides import OverrideProblem, apply_overrides
from stacks.record import record
from stacks.schema.check import Problem, check_nodes

if TYPE_CHECKING:
    from scaffolder.pipelines.load import Definitions
    from scaffolder.policies.model import Policy

__all__ = ["EnvironmentPlatform", "Synthesis", "check", "synthesize", "synthesize_loaded"]


@record
class EnvironmentPlatform:
    """One environment, checked and linked: its stacks in deployment order and what no stack carries."""

    name: str
    platform: Platform
    stacks: tuple[LinkedStack, ...]
    skipped: tuple[Skipped, ...]


@record
class Synthesis:
    """A spec's environments, ready to be emitted, and the warnings that did not stop them."""

    file: str
    environments: tuple[EnvironmentPlatform, ...]
    warnings: tuple[Finding, ...]

    @property
    def stacks(self) -> tuple[LinkedStack, ...]:
        """The stacks of all environments, in deployment order."""
        return tuple(stack for environment in self.environments for stack in environment.stacks)


def synthesize(
    path: str | Path,
    environments: Sequence[str] | None = None,
    *,
    policies: Sequence[Policy] | None = None,
) -> Synthesis:
    """Turn a spec's file into linked stacks, for some environments or for all.

    It is held to ``policies``, or, without any given, to those that its project keeps.

    Raises:
        SpecError: the spec, or what it asks of its target, has findings; all of them.
        UnsupportedError: no environment's provider has a lowering in this version.
        UsageError: an environment that the spec does not have.
    """
    return synthesize_loaded(load_spec(path, environments), policies=policies)


def check(
    path: str | Path,
    environments: Sequence[str] | None = None,
    *,
    policies: Sequence[Policy] | None = None,
) -> Synthesis:
    """As :func:`synthesize`, for those who want the findings and write nothing.

    Where nothing is overridden, the provider's schema could only find a bug in the lowering, and is not asked.
    """
    loaded = load_spec(path, environments)
    return synthesize_loaded(loaded, schema_of_overrides_only=True, policies=policies)


def synthesize_loaded(
    loaded: LoadedSpec,
    *,
    schema_of_overrides_only: bool = False,
    beside: Path | None = None,
    policies: Sequence[Policy] | None = None,
) -> Synthesis:
    """As :func:`synthesize`, or :func:`check`, for a spec that is loaded already.

    Pipeline definitions are read beside the spec's file, or in the folder ``beside``. Policies are as in
    :func:`synthesize`; an empty list is none.
    """
    definitions = _definitions(loaded, beside)
    pipelines = definitions.by_environment if definitions else {}
    held, told = _policies(loaded, policies)
    findings = [
        *(definitions.findings if definitions else ()),
        *told,
        *_breaches(held, loaded, definitions),
    ]
    ready = []
    for environment in loaded.environments:
        lowering = _lowering(environment)
        platform = resolve(
            environment.spec,
            environment.name,
            earlier_accounts=environment.earlier_accounts,
            logged_earlier=environment.logged_earlier,
            pipelines=pipelines.get(environment.name, {}),
        )
        asked = [*_target_findings(loaded, environment, lowering, platform)]
        findings += asked
        if any(finding.severity == "error" for finding in asked):
            continue
        lowered = lowering.lower(platform)
        stacks, problems = apply_overrides(lowered.stacks, platform.overrides)
        findings += [_override_finding(loaded, environment, problem) for problem in problems]
        findings += _untagged(held, loaded, environment, lowered.stacks)
        if environment.spec.overrides or not schema_of_overrides_only:
            findings += _schema_findings(loaded, environment, lowering, stacks)
        findings += _violation_findings(loaded, environment, lowering, stacks, platform, lowered.stacks)
        ready.append((environment.name, platform, stacks, lowered.skipped))
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise SpecError([*findings, *loaded.warnings])
    return Synthesis(
        file=loaded.file,
        environments=tuple(
            EnvironmentPlatform(name=name, platform=platform, stacks=link(stacks), skipped=skipped)
            for name, platform, stacks, skipped in ready
        ),
        warnings=tuple(sorted({*findings, *loaded.warnings})),
    )


def _definitions(loaded: LoadedSpec, beside: Path | None) -> Definitions | None:
    """The pipelines of each environment, and the findings in their files; ``None`` where there is no pipeline."""
    if not any(environment.spec.pipelines for environment in loaded.environments):
        return None
    from scaffolder.pipelines.load import load_definitions  # noqa: PLC0415 - only where there is one

    return load_definitions(loaded, beside)


def _policies(
    loaded: LoadedSpec, given: Sequence[Policy] | None
) -> tuple[Sequence[Policy], Sequence[Finding]]:
    """The policies given, or, where none are, those that the spec's project keeps, and what is wrong with its copy."""
    if given is not None:
        return given, ()
    place = place_of(loaded.file)
    if place is None:
        return (), ()
    from scaffolder.policies.files import read_kept  # noqa: PLC0415 - few projects have any

    kept = read_kept(place, loaded.file)
    return kept.policies, kept.findings


def _breaches(
    policies: Sequence[Policy], loaded: LoadedSpec, definitions: Definitions | None
) -> Sequence[Finding]:
    if not policies:
        return ()
    from scaffolder.policies.breaches import breaches  # noqa: PLC0415 - few projects have any

    return breaches(policies, loaded, definitions.files if definitions else {})


def _untagged(
    policies: Sequence[Policy], loaded: LoadedSpec, environment: EnvironmentSpec, made: Sequence[Stack]
) -> Sequence[Finding]:
    """Where an override takes a tag away, of those that the platform put on a resource and a policy asks for."""
    if not policies or not environment.spec.overrides:
        return ()
    from scaffolder.policies.breaches import untagged  # noqa: PLC0415 - few projects have any

    arguments = {str(node.address): node.arguments for stack in made for node in stack.nodes}
    return untagged(policies, loaded, environment, arguments)


def _lowering(environment: EnvironmentSpec) -> Lowering:
    provider = environment.spec.target.provider
    lowering = lowering_of(provider)
    if lowering is None:
        raise UnsupportedError(
            f'target.provider "{provider}" (environment {environment.name}) has no stacks in this version; '
            f"these have: {', '.join(sorted(STACKS))}"
        )
    return lowering


def _finding(
    loaded: LoadedSpec,
    environment: EnvironmentSpec,
    path: tuple[str, ...],
    code: str,
    message: str,
    hint: str,
    *,
    warning: bool = False,
) -> Finding:
    line, column = environment.position(path)
    return Finding(
        file=loaded.file,
        line=line,
        column=column,
        code=code,
        path=".".join(path),
        message=message,
        hint=hint,
        severity="warning" if warning else "error",
    )


def _target_findings(
    loaded: LoadedSpec, environment: EnvironmentSpec, lowering: Lowering, platform: Platform
) -> Iterator[Finding]:
    for problem in lowering.problems(platform):
        yield _finding(
            loaded,
            environment,
            problem.path,
            problem.code,
            problem.message,
            problem.hint,
            warning=problem.warning,
        )


def _override_finding(loaded: LoadedSpec, environment: EnvironmentSpec, problem: OverrideProblem) -> Finding:
    return _finding(
        loaded, environment, ("overrides", *problem.path), "override", problem.message, problem.hint
    )


def _schema_findings(
    loaded: LoadedSpec, environment: EnvironmentSpec, lowering: Lowering, stacks: Sequence[Stack]
) -> list[Finding]:
    """Check against the oldest and the newest provider that the output admits.

    Raises:
        GraphError: an argument that no override set is wrong: a bug in the lowering, not in the spec.
    """
    nodes = [node for stack in stacks for node in stack.nodes]
    overridden = environment.spec.overrides
    findings: dict[tuple[str, ...], Finding] = {}
    for versions in _version_sets(lowering.provider_versions()):
        for problem in check_nodes(nodes, versions):
            if not _is_overridden(problem, overridden):
                raise GraphError(f"the lowering made what provider {versions} does not take: {problem}")
            path = ("overrides", str(problem.address), str(problem.path[0]))
            findings.setdefault(
                (*path, *map(str, problem.path[1:])),
                _finding(
                    loaded,
                    environment,
                    path,
                    problem.code,
                    f"overrides of {problem.address}: {problem.message}",
                    problem.hint,
                ),
            )
    return [*findings.values(), *_value_findings(loaded, environment, nodes)]


def _value_findings(
    loaded: LoadedSpec, environment: EnvironmentSpec, nodes: Sequence[Node]
) -> Iterator[Finding]:
    """Check literal values, and what goes together, where something is overridden: tests hold the rest to it."""
    overridden = [node for node in nodes if str(node.address) in environment.spec.overrides]
    if not overridden:
        return
    from stacks.schema.constraints import check_values  # noqa: PLC0415 - only overrides need it

    for problem in check_values(overridden):
        path = ("overrides", str(problem.address), *map(str, problem.path))
        message = f"overrides of {problem.address}: {problem.message}"
        yield _finding(loaded, environment, path, problem.code, message, problem.hint)


def _version_sets(versions: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """One choice of every provider's version for each position: the oldest of all, then the newest of all."""
    for position in range(max(map(len, versions.values()))):
        yield {provider: known[min(position, len(known) - 1)] for provider, known in versions.items()}


def _is_overridden(problem: Problem, overrides: Mapping[str, Mapping[str, object]]) -> bool:
    return bool(problem.path) and str(problem.path[0]) in overrides.get(str(problem.address), {})


def _violation_findings(
    loaded: LoadedSpec,
    environment: EnvironmentSpec,
    lowering: Lowering,
    stacks: Sequence[Stack],
    platform: Platform,
    made: Sequence[Stack],
) -> list[Finding]:
    """A promise that an override breaks is a warning: the escape hatch stays open, and is never silent.

    Raises:
        GraphError: a promise is broken where nothing was overridden: a bug in the lowering.
    """
    findings = []
    for violation in lowering.violations(stacks, platform, made):
        if violation.address not in environment.spec.overrides:
            raise GraphError(f"the lowering broke a promise: {violation.address}: {violation.message}")
        findings.append(
            _finding(
                loaded,
                environment,
                ("overrides", violation.address),
                violation.code,
                f"overrides of {violation.address}: {violation.message}",
                violation.hint,
                warning=True,
            )
        )
    return findings
