"""What a pipeline becomes, as a document with literal names: for the service of each cloud, and for any Kubeflow.

Offline: no SDK, no credentials, no file. May not start anything, nor know what a cloud's names are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, TypeAlias

from scaffolder.errors import Finding, SpecError, UnsupportedError
from scaffolder.operations.adapters import BUILT_IN
from scaffolder.operations.names import definition_of, intents_of, looked_up
from scaffolder.pipelines.load import load_definitions
from scaffolder.resolve import resolve
from scaffolder.spec.load import LoadedSpec
from stacks.adapter import TargetProblem, lowering_of
from stacks.intents import Platform, TrainingPipeline
from stacks.record import record

__all__ = ["KUBEFLOW", "SERVICES", "Document", "Form", "as_text", "for_kubeflow", "for_service", "is_like"]

KUBEFLOW = "kubeflow"
SERVICES: Mapping[str, str] = {"sagemaker": "aws", "vertex": "gcp", "azureml": "azure"}
"""A cloud's service for pipelines → the cloud."""

Form: TypeAlias = Literal["json", "yaml"]


@record
class Document:
    """What a service's own tool takes; ``stand_ins`` say what only the cloud knows, and what is written in its place."""

    parts: tuple[Mapping[str, Any], ...]
    form: Form
    stand_ins: tuple[str, ...] = ()


def as_text(document: Document) -> str:
    """Write a document; one of several parts is one YAML file."""
    # Through JSON, so that nothing is there twice: YAML would write an anchor for it.
    parts = [json.loads(json.dumps(part)) for part in document.parts]
    if document.form == "json":
        (only,) = parts
        return json.dumps(only, indent=2, ensure_ascii=False) + "\n"
    import yaml  # noqa: PLC0415 - slow, and only for this form

    return str(yaml.safe_dump_all(parts, sort_keys=False, allow_unicode=True, width=1000))


def is_like(document: Document, content: bytes) -> bool:
    """Whether a file is a document of the same kind, as this version or another wrote it: it has the same keys."""
    import yaml  # noqa: PLC0415 - slow, and only where a file is there

    try:
        first = next(iter(yaml.safe_load_all(content)), None)
    except yaml.YAMLError:
        return False
    return isinstance(first, dict) and first.keys() == document.parts[0].keys()


def for_service(loaded: LoadedSpec, pipeline: str) -> tuple[Document, tuple[Finding, ...]]:
    """A pipeline of a spec with one environment as that environment's cloud runs it, and warnings.

    Raises:
        SpecError: the definition has findings, or the cloud cannot be told what it asks for.
        UnsupportedError: the cloud has no stacks in this version.
        UsageError: the spec has no such pipeline.
        InvalidRequest: its file, or what that names, is not there.
    """
    platform, intent, read = _pipeline(loaded, pipeline)
    provider = platform.target.provider
    lowering = lowering_of(provider)
    if lowering is None:
        raise UnsupportedError(f'the target "{provider}" has no stacks in this version')
    said = [it for it in lowering.problems(platform) if it.path[:2] == ("pipelines", pipeline)]
    warnings = _checked(loaded, said, read)
    found: Document = _names(platform).document(platform, intent)
    return found, warnings


def for_kubeflow(loaded: LoadedSpec, pipeline: str) -> tuple[Document, tuple[Finding, ...]]:
    """A pipeline of a spec with one environment as any cluster with Kubeflow Pipelines runs it, and warnings.

    What only the environment's cloud refuses is no matter here; buckets and images are there.

    Raises:
        SpecError: the definition has findings, or Kubeflow cannot be told what it asks for.
        UsageError: the spec has no such pipeline.
        InvalidRequest: its file, or what that names, is not there.
    """
    from stacks.kubeflow import compiled, pipeline_problems, pipeline_warnings  # noqa: PLC0415 - only for it

    platform, intent, read = _pipeline(loaded, pipeline)
    cluster = _names(platform).cluster(platform)
    path = ("pipelines", pipeline, "definition")
    said = [
        TargetProblem(
            path=path, code=KUBEFLOW, message=f"{'.'.join(path)}: {message}", hint=hint, warning=warning
        )
        for warning, each in ((False, pipeline_problems(intent, cluster)), (True, pipeline_warnings(intent)))
        for message, hint in each
    ]
    warnings = _checked(loaded, said, read)
    name = f"{platform.name}-{platform.environment}-{pipeline}"
    return Document(parts=compiled(intent, definition_of(intent), cluster, name), form="yaml"), warnings


def _pipeline(loaded: LoadedSpec, name: str) -> tuple[Platform, TrainingPipeline, Sequence[Finding]]:
    """The platform of the only environment, a pipeline of it that has its definition, and what was warned of so far."""
    (environment,) = loaded.environments
    definitions = load_definitions(loaded)
    if any(finding.severity == "error" for finding in definitions.findings):
        raise SpecError(definitions.findings)
    platform = resolve(
        environment.spec, environment.name, pipelines=definitions.by_environment.get(environment.name, {})
    )
    intent = looked_up("pipeline", name, intents_of(platform, TrainingPipeline))
    definition_of(intent)
    return platform, intent, (*loaded.warnings, *definitions.findings)


def _names(platform: Platform) -> ModuleType:
    """The module that knows a cloud's names."""
    package, _ = BUILT_IN[platform.target.provider]
    return import_module(f"{package}.compiling")


def _checked(
    loaded: LoadedSpec, said: Sequence[TargetProblem], read: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Where each is in the spec's file, among those that were found by reading.

    Raises:
        SpecError: one of them is no warning.
    """
    (environment,) = loaded.environments
    findings = [*read]
    for problem in said:
        line, column = environment.position(problem.path)
        findings.append(
            Finding(
                file=loaded.file,
                line=line,
                column=column,
                code=problem.code,
                path=".".join(problem.path),
                message=problem.message,
                hint=problem.hint,
                severity="warning" if problem.warning else "error",
            )
        )
    if not all(problem.warning for problem in said):
        raise SpecError(findings)
    return tuple(sorted(set(findings)))
