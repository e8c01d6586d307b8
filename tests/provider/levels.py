"""The three levels on which Terraform judges a synthesized folder, none of which finds what all the others do.

*validate* knows the schema; *apply*, against the stand-in and in the order of deployment, knows what one stack reads of
another, and that a second plan is empty; *mocked*, ``terraform test`` with mocked providers, applies each stack by
itself as its owner can without an account. May not change what was synthesized: it works in a copy.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.external_tools import Terraform
from tests.provider.install import PROVIDERS, installed, types_in
from tests.provider.mocks import mock_test

__all__ = ["Complaint", "Levels", "copied"]

OVERRIDE = "stand_in_override.tf.json"
TEST = "stand_in.tftest.json"
NOT_COPIED = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tftest.*", "mocks")
KEPT = re.compile(r"prevent_destroy\s*=\s*true")
LOCKED = re.compile(r'provider "[^"]*/([^"/]+)" \{\s*version\s*=\s*"([^"]+)"')
PARALLEL = 2
TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Complaint:
    """What Terraform said of a stack at a level."""

    level: str
    stack: str
    text: str

    def __str__(self) -> str:
        return f"{self.stack}: {self.level}: {self.text}"


@dataclass(frozen=True, slots=True)
class Levels:
    """A copy of a synthesized folder, and the Terraform that judges it.

    ``stand_in`` applies. ``real`` has the real provider of the stacks in ``really``, and validates and mocks those.
    """

    folder: Path
    stacks: Mapping[str, frozenset[str]]
    stand_in: Terraform
    real: Terraform
    really: frozenset[str]
    failed: set[str] = field(default_factory=set)
    ready: dict[str, Terraform] = field(default_factory=dict)

    @property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """The stacks in the order of deployment: each wave reads only those before it."""
        waves: list[tuple[str, ...]] = []
        waiting = dict(self.stacks)
        while waiting:
            wave = tuple(name for name, reads in sorted(waiting.items()) if not reads & waiting.keys())
            assert wave, f"stacks need each other: {waiting}"
            waves.append(wave)
            waiting = {name: reads for name, reads in waiting.items() if name not in wave}
        return tuple(waves)

    def validate(self) -> list[Complaint]:
        """Level 1, on every stack."""
        return self._on((tuple(self.stacks),), self.validate_stack)

    def apply(self) -> list[Complaint]:
        """Level 2, on every stack."""
        return self._on(self.waves, self.apply_stack)

    def mock(self) -> list[Complaint]:
        """Level 3, on every stack."""
        return self._on((tuple(self.stacks),), self.mock_stack)

    def destroy(self) -> list[Complaint]:
        """Destroy what level 2 made, the last stacks first, and look whether anything is left."""
        return self._on(self.waves[::-1], self.destroy_stack)

    def validate_stack(self, stack: str) -> list[Complaint]:
        """Level 1."""
        judge = self._judge(stack)
        if complaints := self._init(judge, stack):
            return complaints
        done = judge.run("validate", "-json", cwd=self.folder / stack, timeout_s=TIMEOUT_S)
        errors = [d for d in json.loads(done.stdout)["diagnostics"] if d["severity"] == "error"]
        return [Complaint("validate", stack, _said(error)) for error in errors]

    def plan_stack(self, stack: str) -> list[Complaint]:
        """The first half of level 2: what can be seen before anything is applied."""
        return self._init(self.stand_in, stack) or self._run("plan", stack, "plan")

    def apply_stack(self, stack: str) -> list[Complaint]:
        """Level 2: plan, apply, plan again: nothing may be left. What reads a stack that failed is not tried."""
        if failed := self.failed & self.stacks[stack]:
            self.failed.add(stack)
            return [Complaint("apply", stack, f"not tried, since it reads {', '.join(sorted(failed))}")]
        complaints = (
            self._init(self.stand_in, stack)
            or self._run("apply", stack, "apply", "-auto-approve")
            or self._run("second plan", stack, "plan", "-detailed-exitcode")
        )
        if complaints:
            self.failed.add(stack)
        return complaints

    def mock_stack(self, stack: str) -> list[Complaint]:
        """Level 3. What the stack reads of others is what level 2 left."""
        judge, place = self._judge(stack), self.folder / stack
        if complaints := self._init(judge, stack):
            return complaints
        types, document = types_in(_texts([place])), _document(place)
        locked = dict(LOCKED.findall((place / ".terraform.lock.hcl").read_text()))
        providers = _providers(document, types)
        _write(place / TEST, mock_test(providers, locked, types, document.get("resource", {})))
        done = judge.run("test", "-json", cwd=place, timeout_s=TIMEOUT_S)
        return _complaints("mock", stack, done.stdout, done.returncode)

    def destroy_stack(self, stack: str) -> list[Complaint]:
        """Destroy one stack."""
        complaints = self._init(self.stand_in, stack) or self._run(
            "destroy", stack, "destroy", "-auto-approve"
        )
        if complaints:
            return complaints
        left = json.loads((self.folder.parent / "states" / f"{stack}.tfstate").read_text())["resources"]
        return [Complaint("destroy", stack, f"{len(left)} resources are left")] if left else []

    def _on(self, waves: Iterable[Iterable[str]], judge: Callable[[str], list[Complaint]]) -> list[Complaint]:
        with ThreadPoolExecutor(PARALLEL) as pool:
            return [complaint for wave in waves for found in pool.map(judge, wave) for complaint in found]

    def _judge(self, stack: str) -> Terraform:
        return self.real if stack in self.really else self.stand_in

    def _init(self, terraform: Terraform, stack: str) -> list[Complaint]:
        """Install the providers, at versions that the stack allows, unless this is the last that did."""
        if self.ready.get(stack) is terraform:
            return []
        shutil.rmtree(self.folder / stack / ".terraform", ignore_errors=True)
        (self.folder / stack / ".terraform.lock.hcl").unlink(missing_ok=True)
        done = terraform.run("init", "-json", cwd=self.folder / stack, timeout_s=TIMEOUT_S)
        if not done.returncode:
            self.ready[stack] = terraform
        return _complaints("init", stack, done.stdout + done.stderr, done.returncode)

    def _run(self, level: str, stack: str, *arguments: str) -> list[Complaint]:
        done = self.stand_in.run(*arguments, "-json", cwd=self.folder / stack, timeout_s=TIMEOUT_S)
        return _complaints(level, stack, done.stdout + done.stderr, done.returncode)


def copied(synthesized: Path, work: Path, terraform: Terraform, real: Set[str] = frozenset()) -> Levels:
    """Copy a synthesized folder, or one of a single configuration, and prepare each stack for a local deployment.

    ``real`` are the sources of the providers that ``terraform`` can install.
    """
    manifest = synthesized / "manifest.json"
    if manifest.is_file():
        found = json.loads(manifest.read_text())["stacks"]
        stacks = {name: frozenset(stack["dependencies"]) for name, stack in found.items()}
        places = {name: synthesized / "stacks" / name for name in stacks}
    else:
        stacks, places = {synthesized.name: frozenset()}, {synthesized.name: synthesized}
    folder = work / "stacks"
    documents = {name: _document(place) for name, place in places.items()}
    backends = {_backend(document): name for name, document in documents.items()}
    for name, place in places.items():
        shutil.copytree(place, folder / name, ignore=NOT_COPIED)
        for path in (folder / name).glob("*.tf"):
            path.write_text(KEPT.sub("prevent_destroy = false", path.read_text()))
        _write(folder / name / OVERRIDE, _override(name, documents[name], backends, work / "states"))
    types = types_in(_texts(places.values()))
    really = {name for name, document in documents.items() if (used := _sources(document)) and used <= real}
    return Levels(folder, stacks, installed(terraform, work, types), terraform, frozenset(really))


def _sources(document: Mapping[str, Any]) -> frozenset[str]:
    """The sources of the providers that a stack requires."""
    required = document.get("terraform", {}).get("required_providers", {})
    return frozenset(provider["source"] for provider in required.values())


def _texts(places: Iterable[Path]) -> list[str]:
    return [
        path.read_text()
        for place in places
        for path in sorted((*place.glob("*.tf"), *place.glob("*.tf.json")))
    ]


def _document(place: Path) -> Mapping[str, Any]:
    """What a stack's one document says; nothing where it is not written in Terraform's JSON syntax."""
    path = place / "cdk.tf.json"
    document: Mapping[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return document


def _providers(document: Mapping[str, Any], types: Iterable[str]) -> Mapping[str, Sequence[str | None]]:
    """The configured providers and their aliases; those of the types where the document is not there to be read."""
    configured = document.get("provider") or {type_.partition("_")[0]: {} for type_ in types}
    return {
        name: [block.get("alias") for block in (blocks if isinstance(blocks, list) else [blocks])]
        for name, blocks in configured.items()
        if name in PROVIDERS
    }


def _backend(document: Mapping[str, Any]) -> str:
    """Where a stack keeps its state, or where a reading of it looks, in one form."""
    return json.dumps(document.get("terraform", {}).get("backend", {}), sort_keys=True)


def _override(
    stack: str, document: Mapping[str, Any], backends: Mapping[str, str], states: Path
) -> Mapping[str, Any]:
    """Keep states on this machine, read those of other stacks there, and let all be destroyed."""
    reads = {
        name: backends[json.dumps({read["backend"]: read.get("config", {})}, sort_keys=True)]
        for name, read in document.get("data", {}).get("terraform_remote_state", {}).items()
    }
    kept = {
        type_: {
            name: {"lifecycle": {"prevent_destroy": False}} for name, node in nodes.items() if _is_kept(node)
        }
        for type_, nodes in document.get("resource", {}).items()
    }
    local = {name: {"path": str(states / f"{name}.tfstate")} for name in (stack, *reads.values())}
    override: dict[str, Any] = {"terraform": {"backend": {"local": local[stack]}}}
    if reads:
        configs = {name: {"backend": "local", "config": local[other]} for name, other in reads.items()}
        override["data"] = {"terraform_remote_state": configs}
    if freed := {type_: nodes for type_, nodes in kept.items() if nodes}:
        override["resource"] = freed
    return override


def _is_kept(node: Mapping[str, Any]) -> bool:
    return "prevent_destroy" in json.dumps(node.get("lifecycle", {}))


def _complaints(level: str, stack: str, output: str, code: int) -> list[Complaint]:
    """The errors in Terraform's JSON lines; the whole output where it failed without one."""
    if code == 0:
        return []
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    errors = [
        event["diagnostic"] for event in events if event.get("diagnostic", {}).get("severity") == "error"
    ]
    if not errors and level == "second plan":
        changed = [
            event["change"]["resource"]["addr"] for event in events if event.get("type") == "planned_change"
        ]
        return [Complaint(level, stack, f"is not empty: {', '.join(changed)}")]
    if not errors:
        return [Complaint(level, stack, output[-3000:])]
    return [Complaint(level, stack, _said(error)) for error in errors]


def _said(error: Mapping[str, Any]) -> str:
    """The address, the summary and the detail in one line or few."""
    address = error.get("address") or (error.get("snippet") or {}).get("context") or ""
    return " – ".join(part for part in (address, error["summary"], error.get("detail", "")) if part)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, sort_keys=True))
