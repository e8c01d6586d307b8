"""What is measured against what: the commands, each ready to run in a folder of its own. May not measure.

Every run gets a new empty folder, so that each synthesis writes all of its files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Command, command_environment

__all__ = [
    "CLOUDS",
    "COMMANDS",
    "EXAMPLE",
    "MANY_SPEC",
    "PEER_WRITER",
    "ROOT",
    "SPEC",
    "START",
    "SYNTHESIS",
    "THREE",
    "Bench",
    "Cloud",
    "Plan",
    "document_writer",
    "many_specs",
]

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "examples" / "04-full-aws" / "platform.yaml"
EXAMPLE = "full example"
# A spec without files beside it, so that copies under other names are whole.
MANY_SPEC = ROOT / "examples" / "02-foundation-aws" / "platform.yaml"
PEER_PYTHON = ROOT / ".tools" / "peer" / "bin" / "python"
PEER_WRITER = ROOT / "benchmarks" / "peers" / "write_cdktf_app.py"
THREE_SPEC = ROOT / "examples" / "09-one-spec-three-clouds" / "platform.yaml"
PEER_APP = ROOT / "benchmarks" / "peers" / "cdktf_app" / "main.py"
BIN = Path(sys.executable).parent
OUT = "cdktf.out"


@dataclass(frozen=True, slots=True)
class Bench:
    """The programs that are measured, and a folder to work in."""

    scaffolder: Path
    folder: Path

    @contextmanager
    def run_folder(self) -> Iterator[Path]:
        """A new empty folder, gone afterwards."""
        with TemporaryDirectory(dir=self.folder) as made:
            yield Path(made)

    def command(self, plan: Plan, cwd: Path) -> Command:
        """Make a plan's command for one run."""
        additions = {"CDKTF_OUTDIR": OUT, "JSII_NODE": str(BIN / "node"), "CHECKPOINT_DISABLE": "1"}
        argv = tuple(map(str, plan.argv(self)))
        return Command(argv=argv, cwd=cwd, environment=command_environment(additions))


@dataclass(frozen=True, slots=True)
class Plan:
    """One case: its key in the results, its name for people, and how its command is made."""

    key: str
    name: str
    argv: Callable[[Bench], tuple[str | Path, ...]]


START = Plan("python", "`python -c pass`", lambda _: (BIN / "python", "-c", "pass"))
# In the order of one round: what is compared runs in turns, so that a slow minute of the machine hits all of them.
SYNTHESIS = (
    Plan("synth", "scaffolder synth", lambda bench: (bench.scaffolder, "synth", SPEC, "--out", OUT)),
    Plan(
        "json",
        "plain Python that holds the same documents and writes them as JSON",
        lambda bench: (BIN / "python", bench.folder / "floor" / "main.py", OUT),
    ),
    Plan("bindings", "CDKTF with prebuilt bindings", lambda _: (PEER_PYTHON, PEER_APP)),
    Plan(
        "constructs",
        "scaffolder.constructs",
        lambda _: (BIN / "python", ROOT / "benchmarks" / "constructs_app.py", SPEC),
    ),
)
COMMANDS = (
    Plan("help", "scaffolder --help", lambda bench: (bench.scaffolder, "--help")),
    Plan("cookiecutter", "cookiecutter --help", lambda _: (BIN / "cookiecutter", "--help")),
    Plan("validate", "scaffolder validate", lambda bench: (bench.scaffolder, "validate", SPEC)),
)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Another cloud's full example, beside an app that is written of it with that cloud's prebuilt bindings."""

    key: str
    name: str
    spec: Path

    @property
    def synth(self) -> Plan:
        """Synthesize the example."""
        return Plan(
            self.key,
            f"scaffolder synth ({self.name})",
            lambda bench: (bench.scaffolder, "synth", self.spec, "--out", OUT),
        )

    @property
    def bindings(self) -> Plan:
        """Synthesize the app, which :meth:`app` has to be written before."""
        name = f"CDKTF's successor with the prebuilt {self.name} bindings"
        return Plan(f"{self.key}-bindings", name, lambda bench: (PEER_PYTHON, self.app(bench) / "main.py"))

    def app(self, bench: Bench) -> Path:
        """Where the app is."""
        return bench.folder / f"{self.key}-app"


CLOUDS = (
    Cloud("gcp", "Google Cloud", ROOT / "examples" / "07-full-gcp" / "platform.yaml"),
    Cloud("azure", "Azure", ROOT / "examples" / "08-full-azure" / "platform.yaml"),
)


def _of_three(environment: str) -> Plan:
    chosen = ("--env", environment) if environment else ()
    name = f"scaffolder synth of one spec for {environment or 'three clouds'}"
    argv: Callable[[Bench], tuple[str | Path, ...]] = lambda bench: (  # noqa: E731 - as the other plans
        *(bench.scaffolder, "synth", THREE_SPEC, "--out", OUT),
        *chosen,
    )
    return Plan(f"three-{environment}" if environment else "three", name, argv)


THREE = (_of_three(""), _of_three("aws"), _of_three("gcp"), _of_three("azure"))


def many_specs(folder: Path, count: int) -> tuple[Path, ...]:
    """Write the foundation example ``count`` times, each under another name."""
    text = MANY_SPEC.read_text(encoding="utf-8")
    specs = tuple(folder / f"p{number:04}.yaml" for number in range(count))
    for spec in specs:
        renamed = text.replace("\nname: churn\n", f"\nname: {spec.stem}\n")
        if renamed == text:
            raise ValueError(f"{MANY_SPEC} is not named churn any more")
        spec.write_text(renamed, encoding="utf-8")
    return specs


def document_writer(synthesized: Path, folder: Path) -> None:
    """Write the floor: a module that holds the documents of an output folder, and a program that writes them."""
    documents: Mapping[str, object] = {
        str(path.relative_to(synthesized)): json.loads(path.read_bytes())
        for path in sorted(synthesized.rglob("*.json"))
        if not path.name.startswith(".")
    }
    folder.mkdir(parents=True)
    (folder / "documents.py").write_text(f"DOCUMENTS = {documents!r}\n", encoding="utf-8")
    (folder / "main.py").write_text(_FLOOR, encoding="utf-8")


_FLOOR = """\
import json
import os
import sys

from documents import DOCUMENTS

for name, document in DOCUMENTS.items():
    path = os.path.join(sys.argv[1], name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(document, indent=2, sort_keys=True))
"""
