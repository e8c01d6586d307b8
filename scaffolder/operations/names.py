"""Looks names and values up in what the spec says, and refuses what it does not, with the nearest that it does.

May not ask a provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

from scaffolder.errors import UsageError
from scaffolder.operations.errors import InvalidRequest, Unsupported
from scaffolder.operations.port import Provider, Schedules, Scheduling
from scaffolder.operations.values import Capability, ParameterValue
from scaffolder.spec.nodes import nearest
from stacks.intents import Intent, Platform, SupportLevel, TrainingPipeline
from stacks.pipelines import Parameter, PipelineDefinition

__all__ = [
    "checked_parameters",
    "checked_token",
    "definition_of",
    "intents_of",
    "looked_up",
    "parsed_parameters",
    "require",
    "schedules_of",
]

One = TypeVar("One")
Kind = TypeVar("Kind", bound=Intent)
SECTIONS: Mapping[str, str] = {
    "pipeline": "pipelines",
    "model": "models",
    "endpoint": "endpoints",
    "monitor": "monitors",
}
"""What a thing is called, and the spec's section that would have it."""
BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}


def intents_of(platform: Platform, kind: type[Kind]) -> dict[str, Kind]:
    """Name the platform's intents of a kind, in the spec's order."""
    return {getattr(each, "name", ""): each for each in platform.intents if isinstance(each, kind)}


def looked_up(kind: str, name: str, there: Mapping[str, One]) -> One:
    """Look one up that the spec has to have.

    Raises:
        UsageError: it has not; the nearest is named.
    """
    if name in there:
        return there[name]
    if not there:
        raise UsageError(
            f'there is no {kind} "{name}": the spec has none. Add it below {SECTIONS.get(kind, kind)}.'
        )
    hint = nearest(name, there) or f"There are {', '.join(there)}."
    raise UsageError(f'there is no {kind} "{name}". {hint}')


def definition_of(pipeline: TrainingPipeline) -> PipelineDefinition:
    """Return a pipeline's steps.

    Raises:
        InvalidRequest: its definition, or what that names, is not there yet.
    """
    if pipeline.steps is None:
        raise InvalidRequest(
            f'the pipeline "{pipeline.name}" cannot run: {pipeline.lacks}', remedy=pipeline.remedy
        )
    return pipeline.steps


def parsed_parameters(definition: PipelineDefinition, texts: Sequence[str]) -> dict[str, ParameterValue]:
    """Read ``NAME=VALUE``; a value has the type of the definition's default.

    Raises:
        UsageError: one has no ``=``, an unknown name, or a value of another type.
    """
    values: dict[str, ParameterValue] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f'--set "{text}" is not NAME=VALUE, such as --set {_example(definition)}')
        if name in values:
            raise UsageError(f'--set gives the parameter "{name}" twice')
        values[name] = _parsed(_parameter(definition, name), value)
    return values


def checked_parameters(
    definition: PipelineDefinition, values: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue]:
    """Hold values to the types of the definition's defaults; a whole number is taken for a number.

    Raises:
        UsageError: an unknown name, or a value of another type.
    """
    checked: dict[str, ParameterValue] = {}
    for name, value in values.items():
        default = _parameter(definition, name).default
        if type(default) is float and type(value) is int:
            checked[name] = float(value)
        elif type(value) is type(default):
            checked[name] = value
        else:
            raise _mistyped(name, value, default)
    return checked


def _example(definition: PipelineDefinition) -> str:
    first = next(iter(definition.parameters), Parameter(name="max_depth", default=8))
    return f"{first.name}={_shown(first.default)}"


def _shown(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(definition: PipelineDefinition, name: str) -> Parameter:
    known = {each.name: each for each in definition.parameters}
    if name in known:
        return known[name]
    hint = nearest(name, known) or (
        f"There are {', '.join(known)}." if known else "Its definition has no parameters."
    )
    raise UsageError(f'the pipeline has no parameter "{name}". {hint}')


def _parsed(parameter: Parameter, text: str) -> ParameterValue:
    default = parameter.default
    try:
        match default:
            case bool():
                return BOOLEANS[text.lower()]
            case int():
                return int(text)
            case float():
                return float(text)
            case str():
                return text
    except (KeyError, ValueError):
        raise _mistyped(parameter.name, text, default) from None


def _mistyped(name: str, value: object, default: ParameterValue) -> UsageError:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return UsageError(
        f'the parameter "{name}" is {kinds[type(default)]}, such as {_shown(default)}, and not {value!r}'
    )


def checked_token(token: str | None) -> str:
    """Return a token that makes a creating call safe to repeat: the one given, or a new one.

    Raises:
        UsageError: the one given is not a UUID; every provider takes those.
    """
    if token is None:
        return str(uuid4())
    try:
        return str(UUID(token))
    except ValueError:
        raise UsageError(
            f'the token "{token}" is not a UUID, such as {uuid4()}; the output of the first try has it'
        ) from None


def require(provider: Provider, capability: Capability) -> None:
    """Refuse by name what a provider does not do.

    Raises:
        Unsupported: it cannot, or this version does not do it there.
    """
    support = provider.support[capability]
    if support.level in {SupportLevel.FULL, SupportLevel.PARTIAL}:
        return
    raise Unsupported(
        capability.value,
        f"{capability.value}: {support.level.value} on {provider.name}: {support.reason}",
    )


def schedules_of(provider: Provider, platform: Platform) -> Schedules:
    """Return what makes a provider's schedules.

    Raises:
        Unsupported: nothing of ours does; the remedy has the lines of a crontab where nothing else makes them either.
    """
    if isinstance(provider, Scheduling):
        return provider.schedules
    support = provider.support[Capability.SCHEDULES]
    lines = [
        f"{each.schedule} cd FOLDER && scaffolder run {each.name}"
        for each in intents_of(platform, TrainingPipeline).values()
        if each.schedule is not None
    ]
    crontab = support.level is not SupportLevel.PARTIAL and lines
    raise Unsupported(
        Capability.SCHEDULES.value,
        f"{Capability.SCHEDULES.value}: {support.level.value} on {provider.name}: {support.reason}",
        remedy="\n".join(["`crontab -e`, in UTC, where FOLDER is the spec's:", *lines]) if crontab else "",
    )
