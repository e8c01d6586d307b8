"""From a spec's file to one checked ``PlatformSpec`` for each environment, with every finding at its place.

May not know a cloud's resources; reads the file and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path as File

from scaffolder.errors import Finding, SpecError, UsageError
from scaffolder.spec.environments import ENVIRONMENTS, Environment, split_environments
from scaffolder.spec.fields import Section, read
from scaffolder.spec.model import PlatformSpec, Target
from scaffolder.spec.nodes import Path, Report, Tree, mark_of, nearest
from scaffolder.spec.rules import check_environment, check_environments
from scaffolder.spec.source import parse_source, read_source
from stacks.record import record

__all__ = ["EnvironmentSpec", "LoadedSpec", "load_spec", "parse_spec", "reread", "told_once"]

ROOT = Section(PlatformSpec, (ENVIRONMENTS,))


@record
class EnvironmentSpec:
    """One environment: its spec, and where each value of it is written.

    ``earlier_accounts`` are the accounts of all environments that the file lists before this one; ``logged_earlier``
    says whether one of those logs the invocations of models in this one's account and region.
    """

    name: str
    spec: PlatformSpec
    earlier_accounts: tuple[str, ...]
    logged_earlier: bool
    tree: Tree = field(repr=False)

    def position(self, path: Path) -> tuple[int, int]:
        """Return the line and column of the nearest node of a path that is in the file."""
        mark = mark_of(self.tree, path)
        return mark.line, mark.column


@record
class LoadedSpec:
    """A spec without errors: the environments that were asked for, in the file's order, and warnings, sorted."""

    file: str
    environments: tuple[EnvironmentSpec, ...]
    warnings: tuple[Finding, ...]


def load_spec(path: str | File, environments: Sequence[str] | None = None) -> LoadedSpec:
    """Read, merge and check a spec's file. The whole file is checked, whichever environments are asked for.

    Raises:
        SpecError: the file has findings; all of them.
        UsageError: an environment that the file does not have.
    """
    report = Report(str(path))
    return _loaded(read_source(File(path), report), report, environments)


def parse_spec(
    text: str, *, file: str = "platform.yaml", environments: Sequence[str] | None = None
) -> LoadedSpec:
    """Read a spec from a text; as :func:`load_spec`."""
    report = Report(file)
    return _loaded(parse_source(text, report), report, environments)


def reread(environment: EnvironmentSpec, tree: Tree, *, file: str) -> LoadedSpec:
    """Read one environment again, from a tree in which something is changed.

    Raises:
        SpecError: it has findings now; all of them.
    """
    report = Report(file)
    spec = read(ROOT, tree, (), report)
    if isinstance(spec, PlatformSpec):
        check_environment(spec, tree, report)
        if not any(finding.severity == "error" for finding in report.findings):
            read_again = replace(environment, spec=spec, tree=tree)
            return LoadedSpec(
                file=file, environments=(read_again,), warnings=tuple(sorted(set(report.findings)))
            )
    raise SpecError(report.findings)


def _loaded(tree: Tree | None, report: Report, wanted: Sequence[str] | None) -> LoadedSpec:
    if tree is None:
        raise SpecError(report.findings)
    split = split_environments(tree, report)
    specs: dict[str, PlatformSpec] = {}
    reports = {environment.name: Report(report.file) for environment in split}
    for environment in split:
        spec = read(ROOT, environment.tree, (), reports[environment.name])
        if isinstance(spec, PlatformSpec):
            specs[environment.name] = spec
            check_environment(spec, environment.tree, reports[environment.name])
    # What YAML itself got wrong at a place is said once, and not again as a wrong value.
    told = {(finding.line, finding.column) for finding in report.findings if finding.path}
    if len(specs) == len(split):
        check_environments(split, specs, report)
    found = {
        name: [finding for finding in each.findings if (finding.line, finding.column) not in told]
        for name, each in reports.items()
    }
    findings = (*report.findings, *told_once(found))
    if any(finding.severity == "error" for finding in findings):
        raise SpecError(findings)
    return LoadedSpec(
        file=report.file,
        environments=_chosen(split, specs, wanted),
        warnings=tuple(sorted(set(findings))),
    )


def _chosen(
    split: Sequence[Environment], specs: Mapping[str, PlatformSpec], wanted: Sequence[str] | None
) -> tuple[EnvironmentSpec, ...]:
    for name in wanted or ():
        if name not in specs:
            hint = nearest(name, specs)
            raise UsageError(
                f'there is no environment "{name}"; the spec has {", ".join(specs)}.{f" {hint}" if hint else ""}'
            )
    accounts = [specs[environment.name].target.account for environment in split]
    logged = [_logged(specs[environment.name]) for environment in split]
    return tuple(
        EnvironmentSpec(
            name=environment.name,
            spec=specs[environment.name],
            earlier_accounts=tuple(accounts[:number]),
            logged_earlier=specs[environment.name].target in logged[:number],
            tree=environment.tree,
        )
        for number, environment in enumerate(split)
        if wanted is None or environment.name in wanted
    )


def told_once(findings: Mapping[str, Iterable[Finding]]) -> Iterable[Finding]:
    """Findings of all environments once; one that only some have names them."""
    where: dict[Finding, list[str]] = {}
    for name, found in findings.items():
        for finding in dict.fromkeys(found):
            where.setdefault(finding, []).append(name)
    for finding, names in where.items():
        if len(names) == len(findings):
            yield finding
        else:
            plural = "environments" if len(names) > 1 else "environment"
            yield replace(finding, message=f"{finding.message} (in {plural} {', '.join(names)})")


def _logged(spec: PlatformSpec) -> Target | None:
    """Where an environment logs the invocations of models, if it does."""
    return spec.target if spec.llm is not None and spec.llm.log_invocations else None
