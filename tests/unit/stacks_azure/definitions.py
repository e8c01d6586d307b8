"""What a pipeline job is checked for that Azure's reader does not check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["flaws"]

BINDING = re.compile(
    r"\$\{\{parent\.(inputs\.(?P<input>\w+)|jobs\.(?P<job>\w+)\.outputs\.(?P<output>\w+))\}\}"
)
PLACEHOLDER = re.compile(r"\$\{\{(inputs|outputs)\.(\w+)\}\}")


def flaws(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what hangs in the air: bindings to nothing, inputs that are bound and not declared, or the other way round."""
    jobs = document["jobs"]
    done: set[str] = set()
    for name, job in jobs.items():
        component = job["component"]
        declared, bound = set(component.get("inputs", {})), set(job.get("inputs", {}))
        if declared != bound:
            yield f"{name}: declared and bound differ: {declared ^ bound}"
        if set(component.get("outputs", {})) != set(job.get("outputs", {})):
            yield f"{name}: its outputs differ from its component's"
        for value in job.get("inputs", {}).values():
            yield from _dangling(name, value if isinstance(value, str) else value["path"], document, done)
        for side, used in PLACEHOLDER.findall(component["command"]):
            if used not in component.get(side, {}):
                yield f"{name}: the command has {side}.{used}, which is not declared"
        done.add(name)


def _dangling(name: str, text: str, document: Mapping[str, Any], done: set[str]) -> Iterator[str]:
    for found in BINDING.finditer(text):
        if found["input"] and found["input"] not in document["inputs"]:
            yield f"{name}: no input {found['input']}"
        if found["job"] and (
            found["job"] not in done
            or found["output"] not in document["jobs"][found["job"]].get("outputs", {})
        ):
            yield f"{name}: no output {found['output']} of a job {found['job']} before it"
    if "${{" in BINDING.sub("", text):
        yield f"{name}: {text} is half a binding"
