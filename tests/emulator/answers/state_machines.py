"""Step Functions: the check that Terraform asks for before it plans, and versions, which moto 5.2.5 lacks."""

from __future__ import annotations

import json

from tests.emulator.call import Call, Result, Service

__all__ = ["service"]


def service() -> Service:
    """Step Functions; the state machines are moto's, and none has a published version."""
    return Service(
        name="stepfunctions",
        answers={"ValidateStateMachineDefinition": _validate, "ListStateMachineVersions": _no_versions},
    )


def _validate(call: Call) -> Result:
    problem = _problem(call.text("definition"))
    if problem is None:
        return {"result": "OK", "diagnostics": []}
    code, message = problem
    return {"result": "FAIL", "diagnostics": [{"severity": "ERROR", "code": code, "message": message}]}


def _problem(definition: str) -> tuple[str, str] | None:
    """The first thing that keeps a definition from being run: JSON, the states, where one leads to."""
    try:
        machine = json.loads(definition)
    except json.JSONDecodeError as error:
        return "INVALID_JSON_DESCRIPTION", str(error)
    states = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(states, dict) or not states:
        return "SCHEMA_VALIDATION_FAILED", "States is missing or empty"
    leads_to = [machine.get("StartAt"), *(state["Next"] for state in states.values() if "Next" in state)]
    for name in leads_to:
        if name not in states:
            return "MISSING_TRANSITION_TARGET", f"there is no state {name}"
    return None


def _no_versions(_call: Call) -> Result:
    return {"stateMachineVersions": []}
