"""Deploys a synthesized folder with the real Terraform and provider, in the order that its manifest gives.

May not know what the stacks hold, nor how they were made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from subprocess import CompletedProcess

from tests.external_tools import Terraform
from tests.terraform.attached import run_attached

__all__ = ["Deployment", "Plan"]

PARALLEL = 3
"""Terraform runs at once: the provider mostly waits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan says: Terraform's detailed exit code, the addresses it would touch, and its text."""

    exit_code: int
    changed: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A synthesized folder, and the Terraform and cloud that it is deployed with."""

    folder: Path
    terraform: Terraform
    environment: Mapping[str, str]

    @property
    def order(self) -> tuple[tuple[str, ...], ...]:
        """The stacks' names in waves: each wave needs only those before it."""
        waiting = self._needs()
        waves = []
        while waiting:
            wave = tuple(sorted(name for name, needs in waiting.items() if not needs & waiting.keys()))
            assert wave, f"stacks need each other: {waiting}"
            waves.append(wave)
            for name in wave:
                del waiting[name]
        return tuple(waves)

    def init_and_validate(self, stack: str) -> None:
        """Install the provider, reach the backend, validate."""
        self._must(stack, "init")
        self._must(stack, "validate")

    def deploy(self) -> None:
        """Init, validate and apply every stack as soon as those that it needs are there."""
        _in_order(self.deploy_stack, self._needs())

    def deploy_stack(self, stack: str) -> None:
        """Init, validate and apply one stack."""
        self.init_and_validate(stack)
        self._must(stack, "apply", "-auto-approve")

    def destroy_stack(self, stack: str) -> None:
        """Destroy one stack."""
        self._must(stack, "destroy", "-auto-approve")

    def destroy(self) -> None:
        """Destroy every stack as soon as none that needs it is left; then no state holds anything."""
        needs = self._needs()
        _in_order(self.destroy_stack, {name: {o for o in needs if name in needs[o]} for name in needs})

    def plans(self) -> dict[str, Plan]:
        """Plan every stack with a refresh."""
        names = [name for wave in self.order for name in wave]
        with ThreadPoolExecutor(PARALLEL) as pool:
            return dict(zip(names, pool.map(self.plan, names), strict=True))

    def plan(self, stack: str) -> Plan:
        """Plan one stack; a plan that fails is a failed test."""
        done = self._run(stack, "plan", "-detailed-exitcode", "-out=plan.bin")
        assert done.returncode in (0, 2), f"{stack}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        changes = self.show_plan(stack).get("resource_changes", [])
        assert isinstance(changes, list)
        changed = tuple(
            sorted(
                change["address"]
                for change in changes
                if change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
            )
        )
        return Plan(done.returncode, changed, done.stdout)

    def show_plan(self, stack: str) -> dict[str, object]:
        """The plan that :meth:`plan` wrote, as Terraform's JSON."""
        document = json.loads(self._must(stack, "show", "-json", "plan.bin").stdout)
        assert isinstance(document, dict)
        return document

    def state(self, stack: str) -> tuple[str, ...]:
        """The addresses in a stack's state."""
        return tuple(self._must(stack, "state", "list").stdout.split())

    def output(self, stack: str) -> dict[str, object]:
        """A stack's outputs by name."""
        outputs = json.loads(self._must(stack, "output", "-json").stdout)
        return {name: output["value"] for name, output in outputs.items()}

    def _needs(self) -> dict[str, set[str]]:
        stacks = json.loads((self.folder / "manifest.json").read_text())["stacks"]
        return {name: set(stack["dependencies"]) for name, stack in stacks.items()}

    def _must(self, stack: str, *arguments: str) -> CompletedProcess[str]:
        done = self._run(stack, *arguments)
        assert done.returncode == 0, (
            f"terraform {arguments[0]} of {stack}:\n{done.stdout[-2000:]}{done.stderr[-6000:]}"
        )
        return done

    def _run(self, stack: str, *arguments: str) -> CompletedProcess[str]:
        folder = self.folder / "stacks" / stack
        return run_attached(self.terraform, *arguments, cwd=folder, environment=self.environment)


def _in_order(work: Callable[[str], object], needs: Mapping[str, set[str]]) -> None:
    """Do the work of each name as soon as that of those it needs is done; the first failure is raised at the end."""
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    with ThreadPoolExecutor(PARALLEL) as pool:
        running: dict[Future[object], str] = {}
        while sorter.is_active():
            running.update({pool.submit(work, name): name for name in sorted(sorter.get_ready())})
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                done.result()
                sorter.done(running.pop(done))
