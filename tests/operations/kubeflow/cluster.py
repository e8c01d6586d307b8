"""A cluster on this machine, for tests: runs the documents of a pipeline by the rules of KFP's driver and launcher.

Read from kubeflow/pipelines at 7b70c7b (August 2026): backend/src/v2/driver/{resolve,util,dag,container}.go and
component/launcher_v2.go; and Kubernetes' expansion of ``$(NAME)`` in a container's words. Each task has a folder of its own
where a pod has its own disk, so what is not handed on through the store is not there.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

from tests.operations.fakes.gcp.specs import judge_template, spec_messages

__all__ = ["Cluster", "Finished", "holds"]

PARAMETER = re.compile(r"\{\{\$\.inputs\.parameters\['(.+?)'\]\}\}")
VARIABLE = re.compile(r"\$(?:(\$)|\(([^)]*)\))")
CONDITION = re.compile(
    r"parseJson\(inputs\.parameter_values\['([^']+)'\]\)\['([^']+)'\] (>=|<=) "
    r"(?:inputs\.parameter_values\['([^']+)'\]|(-?[0-9.e+-]+))"
)
SCHEMES = ("gs", "minio", "s3")


class Refused(Exception):
    """The driver or the launcher would not go on."""


@dataclass
class Finished:
    """How a run ended: each task's end in order, and what those that are containers printed and left."""

    tasks: dict[str, str] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Path]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return "failed" if "failed" in self.tasks.values() else "succeeded"


@dataclass
class _Outputs:
    parameters: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)


def holds(condition: str, parameters: Mapping[str, Any]) -> bool:
    """Evaluate the conditions that there are, all of whose numbers are doubles."""
    negated = re.fullmatch(r"!\((.*)\)", condition)
    if negated is not None:
        return not holds(negated[1], parameters)
    found = CONDITION.fullmatch(condition)
    if found is None:
        raise Refused(f"no condition that this evaluator knows: {condition}")
    name, metric, comparison, bound, number = found.groups()
    left = float(json.loads(parameters[name])[metric])
    right = float(number if bound is None else parameters[bound])
    return left >= right if comparison == ">=" else left <= right


class Cluster:
    """Runs pipelines; ``folder`` has the object store below ``store/SCHEME/BUCKET``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.programs = folder / "programs"
        self.programs.mkdir(parents=True)
        python = self.programs / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)

    def put(self, uri: str, text: str) -> None:
        """Write a file into the store."""
        path = self.store / uri.replace("://", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, documents: Sequence[Mapping[str, Any]], **parameters: Any) -> Finished:
        """Run a pipeline with some parameters."""
        pipeline, *rest = documents
        judge_template(pipeline)
        for platform in rest:
            ParseDict(platform, spec_messages().PlatformSpec())
        return _Run(self, pipeline, rest).start(parameters)


class _Run:
    def __init__(
        self, cluster: Cluster, pipeline: Mapping[str, Any], platforms: Sequence[Mapping[str, Any]]
    ) -> None:
        self.cluster = cluster
        self.spec = pipeline
        self.pods = cluster.folder / f"run-{len([*cluster.folder.glob('run-*')]) + 1}"
        self.finished = Finished()
        kubernetes = platforms[0]["platforms"]["kubernetes"] if platforms else {}
        self.extended = kubernetes.get("deploymentSpec", {}).get("executors", {})

    def start(self, parameters: Mapping[str, Any]) -> Finished:
        declared = self.spec["root"].get("inputDefinitions", {}).get("parameters", {})
        unknown = set(parameters) - set(declared)
        if unknown:
            raise Refused(f"the pipeline has no parameters {unknown}")
        values = {name: it["defaultValue"] for name, it in declared.items()}
        values.update(parameters)
        self._level(self.spec["root"], _Outputs(parameters=values))
        return self.finished

    # --- the driver ---

    def _level(self, component: Mapping[str, Any], brought: _Outputs) -> str:
        done: dict[str, _Outputs] = {}
        states: dict[str, str] = {}
        for name, task in _in_order(component["dag"]["tasks"]):
            if any(states[other] != "succeeded" for other in task.get("dependentTasks", ())):
                states[name] = self.finished.tasks[name] = "omitted"
                continue
            inner = self.spec["components"][task["componentRef"]["name"]]
            inputs = self._resolved(task, inner, brought, done)
            condition = task.get("triggerPolicy", {}).get("condition")
            try:
                goes_on = not condition or holds(condition, inputs.parameters)
            except KeyError:  # as the driver: an expression that cannot be evaluated fails the task
                states[name] = self.finished.tasks[name] = "failed"
                continue
            if not goes_on:
                states[name] = self.finished.tasks[name] = "skipped"
                continue
            if "dag" in inner:
                states[name] = self._level(inner, inputs)
            else:
                states[name], done[name] = self._executed(name, task, inner, inputs)
            self.finished.tasks[name] = states[name]
        return "failed" if {"failed", "omitted"} & {*states.values()} else "succeeded"

    def _resolved(
        self,
        task: Mapping[str, Any],
        inner: Mapping[str, Any],
        brought: _Outputs,
        done: Mapping[str, _Outputs],
    ) -> _Outputs:
        found, given = _Outputs(), task.get("inputs", {})
        types = inner.get("inputDefinitions", {}).get("parameters", {})
        for name, source in given.get("parameters", {}).items():
            match source:
                case {"componentInputParameter": key, **rest}:
                    value = brought.parameters[key]
                case {"taskOutputParameter": upstream, **rest}:
                    value = done[upstream["producerTask"]].parameters[upstream["outputParameterKey"]]
                case {"runtimeValue": {"constant": constant}, **rest}:
                    value = self.pods.name if constant == "{{$.pipeline_job_uuid}}" else constant
                case _:
                    raise Refused(f"{name}: {source}")
            if rest:
                raise Refused(f"{name}: {rest}")
            found.parameters[name] = _of_type(name, value, types[name]["parameterType"])
        for name, source in given.get("artifacts", {}).items():
            match source:
                case {"componentInputArtifact": key}:
                    found.artifacts[name] = brought.artifacts[key]
                case {"taskOutputArtifact": upstream}:
                    outputs = done[upstream["producerTask"]].artifacts
                    found.artifacts[name] = outputs[upstream["outputArtifactKey"]]
        return found

    def _executed(
        self, name: str, task: Mapping[str, Any], component: Mapping[str, Any], inputs: _Outputs
    ) -> tuple[str, _Outputs]:
        label = component["executorLabel"]
        executor = self.spec["deploymentSpec"]["executors"][label]
        if "importer" in executor:
            uri = executor["importer"]["artifactUri"]["constant"]
            (output,) = component["outputDefinitions"]["artifacts"]
            return "succeeded", _Outputs(artifacts={output: uri})
        deadline = float(self.extended.get(label, {}).get("activeDeadlineSeconds", 3600))
        state, outputs = "failed", _Outputs()
        for attempt in range(1 + int(task.get("retryPolicy", {}).get("maxRetryCount", 0))):
            pod = _Pod(self.cluster, self.pods / f"{name}-{attempt}", component, executor["container"])
            state, outputs = pod.run(name, inputs, deadline)
            self.finished.printed[name] = self.finished.printed.get(name, "") + pod.printed
            if state == "succeeded":
                break
        self.finished.artifacts[name] = {
            key: self.cluster.store / uri.replace("://", "/") for key, uri in outputs.artifacts.items()
        }
        return state, outputs


class _Pod:
    """One try of a container: the launcher brings what comes in, runs the command, and takes what comes out."""

    def __init__(
        self, cluster: Cluster, disk: Path, component: Mapping[str, Any], container: Mapping[str, Any]
    ) -> None:
        self.cluster = cluster
        self.disk = disk
        self.container = container
        self.made = component.get("outputDefinitions", {})
        self.printed = ""

    def run(self, task: str, inputs: _Outputs, deadline_s: float) -> tuple[str, _Outputs]:
        root = f"minio://mlpipeline/v2/artifacts/{self.disk.parent.name}/{task}"
        outputs = _Outputs(
            artifacts={name: f"{root}/{self.disk.name}/{name}" for name in self.made.get("artifacts", {})}
        )
        files = {name: self.disk / "tmp/kfp/outputs" / name for name in self.made.get("parameters", {})}
        for path in (*files.values(), *map(self._local, outputs.artifacts.values())):
            path.parent.mkdir(parents=True, exist_ok=True)
        for uri in inputs.artifacts.values():
            self._download(uri)
        words = self._words(inputs, outputs, files)
        if not self._succeeds(words, deadline_s):
            return "failed", _Outputs()
        for name, path in files.items():
            if not path.is_file():
                self.printed += f"failed to read output parameter name={name}"
                return "failed", _Outputs()
            outputs.parameters[name] = path.read_text()
        for uri in outputs.artifacts.values():
            self._upload(uri)
        return "succeeded", outputs

    def _words(self, inputs: _Outputs, outputs: _Outputs, files: Mapping[str, Path]) -> list[str]:
        """The command after the driver, the kubelet and the launcher have each filled in what is theirs."""
        words = [*self.container["command"], *self.container.get("args", ())]
        driven = [
            word
            if "$.outputs" in word
            else PARAMETER.sub(lambda it: _driver_text(inputs.parameters[it[1]]), word)
            for word in words
        ]
        expanded = [_expanded(word, self._environment()) for word in driven]
        places = {
            f"{{{{$.inputs.parameters['{k}']}}}}": _launcher_text(v) for k, v in inputs.parameters.items()
        }
        for side, artifacts in (("inputs", inputs.artifacts), ("outputs", outputs.artifacts)):
            for name, uri in artifacts.items():
                places[f"{{{{$.{side}.artifacts['{name}'].uri}}}}"] = uri
                places[f"{{{{$.{side}.artifacts['{name}'].path}}}}"] = str(self._local(uri))
        places |= {f"{{{{$.outputs.parameters['{k}'].output_file}}}}": str(v) for k, v in files.items()}
        # The launcher fills nothing into the first word.
        filled = [expanded[0], *(_filled(word, places) for word in expanded[1:])]
        if left := [word for word in filled if "{{$" in word]:
            raise Refused(f"nobody fills the placeholders of {left}")
        return filled

    def _environment(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for variable in self.container.get("env", ()):
            found[variable["name"]] = _expanded(variable["value"], found)
        return found

    def _succeeds(self, words: Sequence[str], deadline_s: float) -> bool:
        folder = self.disk / "image"
        folder.mkdir(parents=True)
        kept = {"PATH": f"{self.cluster.programs}:/usr/bin:/bin", "TMPDIR": str(folder)}
        try:
            process = subprocess.run(
                words,
                cwd=folder,
                env=kept | self._environment(),
                timeout=deadline_s,
                check=False,
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired:
            self.printed += "DeadlineExceeded"
            return False
        self.printed += process.stdout + process.stderr
        return process.returncode == 0

    def _local(self, uri: str) -> Path:
        scheme, _, path = uri.partition("://")
        if scheme not in SCHEMES:
            raise Refused(f"unsupported storage scheme: {uri}")
        return self.disk / scheme / path

    def _download(self, uri: str) -> None:
        stored = self.cluster.store / uri.replace("://", "/")
        if stored.is_dir():
            shutil.copytree(stored, self._local(uri))

    def _upload(self, uri: str) -> None:
        """A store has files, and no folders: one that is empty is not there."""
        made, stored = self._local(uri), self.cluster.store / uri.replace("://", "/")
        for file in made.rglob("*"):
            if file.is_file():
                path = stored / file.relative_to(made)
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, path)


def _in_order(tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    left = dict(tasks)
    while left:
        name = next(it for it in left if not {*left[it].get("dependentTasks", ())} & {*left})
        yield name, left.pop(name)


def _of_type(name: str, value: Any, wanted: str) -> Any:
    """As the driver checks: anything becomes a text, and nothing else becomes anything."""
    if wanted == "STRING":
        return value if isinstance(value, str) else _launcher_text(value)
    fits: Any = {"BOOLEAN": bool, "NUMBER_INTEGER": (int, float), "NUMBER_DOUBLE": (int, float)}[wanted]
    if not isinstance(value, fits) or (wanted != "BOOLEAN" and isinstance(value, bool)):
        raise Refused(f"input parameter {name} type mismatch: expect {wanted}, got {value!r}")
    return value


def _driver_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else f"{value!r}"
    return str(value)


_launcher_text = _driver_text


def _filled(word: str, places: Mapping[str, str]) -> str:
    for placeholder, value in places.items():
        word = word.replace(placeholder, value)
    return word


def _expanded(word: str, variables: Mapping[str, str]) -> str:
    """Kubernetes: ``$(NAME)`` is a variable's value if there is one, and two dollars are one."""
    return VARIABLE.sub(lambda it: "$" if it[1] else variables.get(it[2], it[0]), word)
