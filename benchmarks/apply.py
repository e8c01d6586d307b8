"""Measure how long Terraform takes to deploy the full example on emulated AWS, stack by stack, and to destroy it.

    .venv/bin/python benchmarks/apply.py              rewrites this part of results.json and RESULTS.md
    .venv/bin/python benchmarks/apply.py --json FILE  writes the whole results to FILE instead

Each command of Terraform runs alone: a stack is initialised, planned, applied and planned again before the next one,
in the order of their dependencies; at the end all are destroyed, last first. A second plan with changes, a call that
the emulator does not know, or anything that a destroy leaves, ends the run. It takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import BIN, EXAMPLE, ROOT, SPEC
from benchmarks.machine import this_machine
from benchmarks.measure import FailedError
from benchmarks.report import page
from benchmarks.results import Applied, Apply, load_results, save_results
from tests.emulator.fixture import Emulator, running_emulator
from tests.external_tools import Missing, Terraform, find_terraform
from tests.terraform.deployment import Deployment

__all__ = ["StackRunner", "deployed"]

BENCHMARKS = ROOT / "benchmarks"
SAVED = BENCHMARKS / "results.json"
PROVIDER = "/hashicorp/aws"
SHOWN_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class StackRunner:
    """Runs Terraform in one stack's folder, and times it."""

    folder: Path
    terraform: Terraform
    environment: Mapping[str, str]

    def seconds(self, *arguments: str) -> float:
        """Run a command of Terraform to its end and say how long it took.

        Raises:
            FailedError: it did not exit with 0, which is what a plan with changes does under ``-detailed-exitcode``.
        """
        start = time.perf_counter()
        self.said(*arguments)
        return time.perf_counter() - start

    def said(self, *arguments: str) -> str:
        """Run a command of Terraform and give what it printed; raises like :meth:`seconds`."""
        done = self.terraform.run(*arguments, cwd=self.folder, environment=self.environment)
        if done.returncode:
            talk = f"{done.stdout}{done.stderr}"[-SHOWN_CHARACTERS:]
            command = f"terraform {arguments[0]} of {self.folder.name}"
            raise FailedError(f"exit code {done.returncode} from {command}\n{talk}")
        return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure the deployment of the full example on emulated AWS."
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the results to FILE instead of results.json"
    )
    options = parser.parse_args()
    try:
        apply = _measured()
    except (FailedError, Missing) as error:
        print(error, file=sys.stderr)
        return 1
    results = replace(load_results(SAVED), apply=apply)
    save_results(results, options.json or SAVED)
    if not options.json:
        (BENCHMARKS / "RESULTS.md").write_text(page(results), encoding="utf-8")
    print(page(results).partition("\n## ")[2])
    return 0


def _measured() -> Apply:
    with TemporaryDirectory(prefix="scaffolder-benchmark-") as made:
        out = Path(made) / "project" / "cdktf.out"
        subprocess.run(
            [BIN / "scaffolder", "synth", SPEC, "--out", out], check=True, stdout=subprocess.DEVNULL
        )
        terraform = find_terraform(Path(made))
        with running_emulator(Path(made) / "emulator.log") as emulator:
            deployment = Deployment(out, terraform, emulator.environment({}))
            stacks = deployed(deployment)
            versions = _versions(deployment)
            _check_calls(emulator)
    return Apply(
        date=time.strftime("%Y-%m-%d"), example=EXAMPLE, machine=this_machine(versions), stacks=stacks
    )


def deployed(deployment: Deployment) -> tuple[Applied, ...]:
    """Deploy and destroy every stack of a folder, one command at a time, in the order of their dependencies.

    Raises:
        FailedError: a command failed, a second plan had changes, or a destroy left something.
    """
    runners = [
        StackRunner(deployment.folder / "stacks" / stack, deployment.terraform, deployment.environment)
        for wave in deployment.order
        for stack in wave
    ]
    stood = [_stood(runner) for runner in runners]
    destroyed = [_destroyed(runner) for runner in reversed(runners)]
    return tuple(
        replace(stack, destroy_s=seconds) for stack, seconds in zip(stood, reversed(destroyed), strict=True)
    )


def _stood(runner: StackRunner) -> Applied:
    _say(f"deploying {runner.folder.name}")
    return Applied(
        stack=runner.folder.name,
        init_s=runner.seconds("init"),
        plan_s=runner.seconds("plan", "-out=plan.bin"),
        apply_s=runner.seconds("apply", "plan.bin"),
        second_plan_s=runner.seconds("plan", "-detailed-exitcode"),
        resources=len(_managed(runner)),
        destroy_s=0,
    )


def _destroyed(runner: StackRunner) -> float:
    _say(f"destroying {runner.folder.name}")
    seconds = runner.seconds("destroy", "-auto-approve")
    # The stack that holds the others' states goes last, and its own is a file.
    if left := _managed(runner):
        raise FailedError(f"destroy of {runner.folder.name} left {', '.join(left)}")
    return seconds


def _managed(runner: StackRunner) -> Sequence[str]:
    """The addresses of resources in a stack's state, without data sources."""
    return [address for address in runner.said("state", "list").split() if not address.startswith("data.")]


def _check_calls(emulator: Emulator) -> None:
    """An emulator that did not know a call measured something else than a deployment."""
    if failures := emulator.failures():
        raise FailedError("the emulator refused calls:\n" + "\n".join(map(str, failures)))


def _versions(deployment: Deployment) -> dict[str, str]:
    stack = deployment.order[-1][-1]
    runner = StackRunner(deployment.folder / "stacks" / stack, deployment.terraform, deployment.environment)
    told = json.loads(runner.said("version", "-json"))
    providers = told["provider_selections"].items()
    return {
        "Terraform": told["terraform_version"],
        "the AWS provider": next(number for name, number in providers if name.endswith(PROVIDER)),
        "moto": version("moto"),
        "scaffolder": version("scaffolder"),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
