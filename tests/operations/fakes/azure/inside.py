"""What is inside the free parts of Azure's descriptions: a pipeline's nodes, a component's specification, an autoscale setting.

Held to the same vendor's models: a node is a command job whose members have their names in Python, a component has the fields
of azure-ai-ml's own schema. May not know a state.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from tests.operations.fakes.azure.description import model, problems_of

__all__ = ["autoscale_problems", "component_problems", "ordered", "pipeline_problems", "schedule_problems"]

ML = "azure.ai.ml._restclient.arm_ml_service"
BINDING = re.compile(r"\$\{\{parent\.(?:inputs\.(\w+)|jobs\.(\w+)\.outputs\.(\w+))\}\}")
PLACEHOLDER = re.compile(r"\$\{\{(inputs|outputs)\.(\w+)\}\}")
NODE = {"name", "type", "componentId", "computeId", "display_name"}
OF_JOB = {"inputs", "outputs", "limits", "resources", "distribution", "identity"}
TYPES = {"uri_folder", "custom_model", "string", "integer", "number"}
DURATION = re.compile(r"PT\d+[HMS]")


def pipeline_problems(job: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a pipeline job's nodes."""
    nodes = job.get("jobs") or {}
    if not nodes:
        yield "the pipeline has no jobs"
    outputs = {name: set(node.get("outputs") or {}) for name, node in nodes.items()}
    if len(ordered(nodes)) != len(nodes):
        yield "the jobs wait for each other"
    for name, node in nodes.items():
        yield from (f"jobs.{name}.{it} is no member" for it in set(node) - NODE - OF_JOB)
        yield from (f"jobs.{name} has no {it}" for it in NODE - set(node))
        if node.get("type") != "command" or node.get("name") != name:
            yield f"jobs.{name} is not the command of that name"
        yield from _of_job(name, node)
        for bound in (node.get("inputs") or {}).values():
            yield from _dangling(name, str(bound.get("value", "")), job.get("inputs") or {}, outputs)
    known = {"default_datastore", "continue_on_step_failure"}
    yield from (f"settings.{it} is no member" for it in set(job.get("settings") or {}) - known)


def ordered(nodes: Mapping[str, Any]) -> list[str]:
    """The jobs that can run, each after those whose outputs it takes."""
    waits = {
        name: {it[1] for it in BINDING.findall(str(node.get("inputs"))) if it[1]}
        for name, node in nodes.items()
    }
    found: list[str] = []
    while True:
        ready = [name for name in nodes if name not in found and waits[name] <= set(found)]
        if not ready:
            return found
        found += ready


def _of_job(name: str, node: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a command job's model does not allow of a node's parts."""
    parts = {key: value for key, value in node.items() if key in OF_JOB}
    inputs = parts.get("inputs") or {}
    for key, value in inputs.items():
        if str(value.get("value", "")).startswith("${{"):
            # A binding is written as a literal with a mode, which is the input's own.
            mode = {"job_input_type": "uri_folder", "uri": "x", "mode": value.get("mode")}
            bare = {it: value[it] for it in value if it != "mode"}
            yield from _checked("JobInput", mode, f"jobs.{name}.inputs.{key}")
            yield from _checked("JobInput", bare, f"jobs.{name}.inputs.{key}")
        else:
            yield from _checked("JobInput", value, f"jobs.{name}.inputs.{key}")
    for key, value in (parts.get("outputs") or {}).items():
        yield from _checked("JobOutput", value, f"jobs.{name}.outputs.{key}")
    for part, kind in (
        ("limits", "CommandJobLimits"),
        ("resources", "JobResourceConfiguration"),
        ("distribution", "DistributionConfiguration"),
        ("identity", "IdentityConfiguration"),
    ):
        if part in parts:
            yield from _checked(kind, parts[part], f"jobs.{name}.{part}")


def _checked(kind: str, value: Any, where: str) -> Iterator[str]:
    return problems_of(model(ML, kind), value, where, writing=True, attributes=True)


def _dangling(
    name: str, text: str, inputs: Mapping[str, Any], outputs: Mapping[str, set[str]]
) -> Iterator[str]:
    if not text.startswith("${{"):
        return
    found = BINDING.fullmatch(text)
    if found is None:
        yield f"jobs.{name}: {text} is no binding"
    elif found[1] and found[1] not in inputs:
        yield f"jobs.{name}: the pipeline has no input {found[1]}"
    elif found[2] and found[3] not in outputs.get(found[2], set()):
        yield f"jobs.{name}: no job has an output {found[2]}.{found[3]}"


@cache
def _component_fields() -> frozenset[str]:
    from azure.ai.ml._schema.component.command_component import CommandComponentSchema  # noqa: PLC0415 - private

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return frozenset(CommandComponentSchema(context={"base_path": "."}).fields)


def component_problems(spec: Any, version: str) -> Iterator[str]:
    """Yield what is wrong with a command component's specification."""
    if not isinstance(spec, dict):
        yield "componentSpec is no object"
        return
    yield from (f"componentSpec.{it} is no field" for it in set(spec) - _component_fields())
    for name in ("name", "version", "type", "command", "environment"):
        if not isinstance(spec.get(name), str):
            yield f"componentSpec has no {name}"
    if spec.get("type") != "command" or spec.get("version") != version:
        yield "componentSpec is not the command of that version"
    if not isinstance(spec.get("is_deterministic", False), bool):
        yield "componentSpec.is_deterministic is no boolean"
    for side in ("inputs", "outputs"):
        for name, port in (spec.get(side) or {}).items():
            if set(port) != {"type"} or port["type"] not in TYPES:
                yield f"componentSpec.{side}.{name} is {port}"
    for side, name in PLACEHOLDER.findall(str(spec.get("command", ""))):
        if name not in (spec.get(side) or {}):
            yield f"componentSpec.command has {side}.{name}, which it does not declare"


# --- Azure Monitor, whose generated models are of an older kind -------------------------------------------------------


def autoscale_problems(body: Any) -> Iterator[str]:
    """Yield what azure-mgmt-monitor's models do not allow of an autoscale setting."""
    from azure.mgmt.monitor import models  # noqa: PLC0415 - as late as it is asked for

    return _older(vars(models), "AutoscaleSettingResource", body, "")


def _older(models: Mapping[str, Any], kind: str, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where or kind} is no object"
        return
    described = models[kind]
    rules = described._validation  # noqa: SLF001 - the only place that says it
    members = described._attribute_map  # noqa: SLF001 - as above
    paths = {name: it["key"].split(".") for name, it in members.items()}
    inside = {path[0] for path in paths.values() if len(path) > 1}
    yield from (
        f"{where}.{it} is no member of {kind}" for it in set(value) - {path[0] for path in paths.values()}
    )
    for prefix in inside & set(value):
        known = {path[1] for path in paths.values() if path[0] == prefix and len(path) > 1}
        yield from (f"{where}.{prefix}.{it} is no member of {kind}" for it in set(value[prefix]) - known)
    for name, path in paths.items():
        there: Any = value
        for key in path:
            there = there.get(key) if isinstance(there, dict) else None
        here = f"{where}.{'.'.join(path)}"
        rule = rules.get(name, {})
        if there is None:
            if rule.get("required") and not rule.get("readonly"):
                yield f"{here} is required"
        elif rule.get("readonly"):
            yield f"{here} is read-only"
        else:
            yield from _older_type(models, members[name]["type"], there, here, described, name)


def _older_type(
    models: Mapping[str, Any], type_: str, value: Any, where: str, owner: Any, name: str
) -> Iterator[str]:
    if type_.startswith("["):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for it in value:
            yield from _older_type(models, type_[1:-1], it, where, owner, name)
    elif type_ in models:
        yield from _older(models, type_, value, where)
    elif type_ == "duration" and DURATION.fullmatch(str(value)) is None:
        yield f"{where} is {value!r}, and no duration"
    elif type_ in ("float", "int") and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield f"{where} is {value!r}, and no number"
    elif type_ == "bool" and not isinstance(value, bool):
        yield f"{where} is {value!r}, and no boolean"
    elif type_ == "str":
        known = _known_values(owner, name)
        if not isinstance(value, str) or (known and value not in known):
            yield f"{where} is {value!r}, which is none of {sorted(known)}"


@cache
def _known_values(owner: Any, name: str) -> frozenset[str]:
    """The values of an enum: an older model names it in its documentation only."""
    said = re.search(
        rf":vartype {name}: str or\s+~azure\.mgmt\.monitor\.models\.(\w+)", inspect.getdoc(owner) or ""
    )
    if said is None:
        return frozenset()
    from azure.mgmt.monitor import models  # noqa: PLC0415 - as late as it is asked for

    return frozenset(it.value for it in vars(models)[said[1]])


CRON = re.compile(r"(?P<minutes>\S+) (?P<hours>\S+) \* \* (?P<weekdays>\S+)")


def schedule_problems(trigger: Mapping[str, Any]) -> Iterator[str]:
    """Yield what Azure ML does not do with a trigger, or ignores: a cron expression's days of the month and months."""
    if trigger.get("timeZone") != "UTC" or not re.fullmatch(r"[\d-]+T[\d:]+", trigger.get("startTime", "")):
        yield f"{trigger} has no time zone, or no start without an offset"
    if trigger["triggerType"] == "Cron":
        found = CRON.fullmatch(trigger["expression"])
        if found is None:
            yield f"{trigger['expression']} has days or months, which are taken for stars"
            return
        for field, most in (("minutes", 59), ("hours", 23), ("weekdays", 6)):
            yield from _beyond(field, [int(it) for it in re.findall(r"\d+", found[field])], 0, most)
    else:
        schedule = trigger.get("schedule") or {}
        if trigger["interval"] < 1 or trigger["frequency"] not in {"Week", "Month"}:
            yield f"{trigger} has no frequency that goes with a schedule"
        yield from _beyond("minutes", schedule["minutes"], 0, 59)
        yield from _beyond("hours", schedule["hours"], 0, 23)
        yield from _beyond("monthDays", schedule.get("monthDays") or [], 1, 31)


def _beyond(field: str, numbers: Sequence[int], least: int, most: int) -> Iterator[str]:
    yield from (f"{field} has {number}" for number in numbers if not least <= number <= most)
