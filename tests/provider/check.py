"""Judges one spec, synthesized folder or Terraform configuration on all levels, and prints what Terraform says.

    python tests/provider/check.py SPEC_OR_FOLDER [--level validate|apply|mock] [--stack NAME] [--keep FOLDER]

Exit 1 where anything is wrong. May not use a real provider: that is what the tests do where one is to be had.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.external_tools import Terraform
from tests.provider.levels import Complaint, Levels, copied

LEVELS = ("validate", "apply", "mock")


def main() -> int:
    """Read the arguments, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spec_or_folder", type=Path)
    parser.add_argument(
        "--level", choices=LEVELS, default="mock", help="the last one; those before it come first"
    )
    parser.add_argument(
        "--stack", default="", help="of the complaints, print only those about stacks with this in the name"
    )
    parser.add_argument("--keep", type=Path, help="work in this folder, which must not exist, and leave it")
    options = parser.parse_args()
    with _folder(options.keep) as work:
        levels = copied(_synthesized(options.spec_or_folder, work), work, _terraform())
        complaints = _judged(levels, LEVELS[: LEVELS.index(options.level) + 1])
    wanted = [complaint for complaint in complaints if options.stack in complaint.stack]
    print(*wanted, sep="\n\n")  # noqa: T201
    return 1 if wanted else 0


def _judged(levels: Levels, wanted: tuple[str, ...]) -> list[Complaint]:
    judges = {"validate": levels.validate, "apply": levels.apply, "mock": levels.mock}
    complaints: list[Complaint] = []
    started = time.monotonic()
    for level in wanted:
        found = judges[level]()
        seconds = time.monotonic() - started
        said = f"{level}: {len(levels.stacks)} stacks, {len(found)} complaints ({seconds:.0f} s)"
        print(said, file=sys.stderr)  # noqa: T201
        complaints += found
        if level == "validate" and found:
            break
    return complaints


def _synthesized(given: Path, work: Path) -> Path:
    if given.is_dir():
        return given
    scaffolder = Path(sys.executable).parent / "scaffolder"
    done = subprocess.run(
        [scaffolder, "synth", given, "--out", work / "synthesized"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return work / "synthesized"


def _terraform() -> Terraform:
    found = shutil.which("terraform")
    if found is None:
        raise SystemExit("there is no terraform on PATH")
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    return Terraform(Path(found), {**environment, "TF_CLI_ARGS": "-no-color"})


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
