"""What a run's steps wrote of metrics, read from the buckets, and which steps a gate has left out for it.

Azure ML has no condition: a step behind a gate ends early by itself, and Azure calls it completed. May not fail a run's
description: from outside the platform's network nobody reads its buckets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from scaffolder.operations.azure.calls import Calls
from scaffolder.operations.azure.place import Place
from scaffolder.operations.errors import OperationError
from scaffolder.operations.values import ParameterValue
from stacks.azure.assets import datastore_uri, kept_path
from stacks.azure.pipelines import gates_of
from stacks.intents import TrainingPipeline
from stacks.pipelines import METRICS_FILE, Gate, Output, PipelineDefinition, Run, StepOutput, ValueOf

__all__ = ["Outputs"]


class Outputs:
    """The metrics of one run."""

    def __init__(
        self,
        calls: Calls,
        place: Place,
        intent: TrainingPipeline,
        definition: PipelineDefinition,
        values: Mapping[str, ParameterValue],
    ) -> None:
        self._calls = calls
        self._place = place
        self._intent = intent
        self._definition = definition
        self._values = values

    def metrics(self, jobs: Mapping[str, str]) -> Mapping[StepOutput, Mapping[str, float]]:
        """Read what the steps wrote whose jobs completed; ``jobs`` are those by the steps' names."""
        found: dict[StepOutput, Mapping[str, float]] = {}
        for step in self._definition.steps:
            if step.name not in jobs or not isinstance(step.action, Run):
                continue
            for name, output in step.action.outputs.items():
                if output.kind == "metrics":
                    numbers = self._read(self._uri(step.name, jobs[step.name], name, output))
                    if numbers is not None:
                        found[StepOutput(step=step.name, output=name)] = numbers
        return found

    def skipped(self, metrics: Mapping[StepOutput, Mapping[str, float]]) -> frozenset[str]:
        """The steps behind a gate that is not met."""
        gates = {step.name: step.gate for step in self._definition.steps}
        unmet = {name for name, gate in gates.items() if gate is not None and self._is_unmet(gate, metrics)}
        return frozenset(name for name, behind in gates_of(self._definition).items() if unmet & set(behind))

    def _is_unmet(self, gate: Gate, metrics: Mapping[StepOutput, Mapping[str, float]]) -> bool:
        numbers = metrics.get(StepOutput(step=gate.step, output=gate.output), {})
        if gate.metric not in numbers or gate.otherwise == "fail":
            return False
        bound = self._values[gate.bound.parameter] if isinstance(gate.bound, ValueOf) else gate.bound
        value = numbers[gate.metric]
        return value < float(bound) if gate.comparison == "at_least" else value > float(bound)

    def _uri(self, step: str, job: str, name: str, output: Output) -> str:
        if output.place is None:
            return datastore_uri("artifacts", kept_path(self._intent.name, job, step, name))
        parts = [self._values[it.parameter] if isinstance(it, ValueOf) else it for it in output.place.path]
        return datastore_uri(output.place.bucket, "".join(str(part) for part in parts))

    def _read(self, uri: str) -> Mapping[str, float] | None:
        url = self._place.blob_url(uri)
        if url is None:
            return None
        try:
            reply = self._calls.blob("GET", f"{url}/{METRICS_FILE}", "read a step's metrics")
            found = json.loads(reply.body)
        except (OperationError, ValueError):
            return None
        if not isinstance(found, dict):
            return None
        return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
