"""A spec, and what its pipelines name, as they were at a git revision.

Runs git without the repository's filters, and without fetching anything. May not write outside a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffolder.errors import UsageError
from scaffolder.pipeline import Synthesis, synthesize_loaded
from scaffolder.spec.load import LoadedSpec, parse_spec

__all__ = ["synthesize_at"]

PLAIN_FILES = ("100644", "100755")


def synthesize_at(path: Path, revision: str) -> Synthesis:
    """Synthesize a spec as it was in git, with the pipeline definitions and code that were beside it.

    It is held to no policy: what was deployed under other ones can be compared.

    Raises:
        UsageError: there is no git, no such revision, or no such file in it.
        SpecError: the spec had findings.
    """
    if not revision or revision.startswith("-"):
        raise UsageError(f'--from "{revision}" is not a git revision')
    text = _git(path, revision, "cat-file", "blob", f"{revision}:./{path.name}")
    loaded = parse_spec(text.decode("utf-8", "replace"), file=f"{revision}:{path}")
    if not any(environment.spec.pipelines for environment in loaded.environments):
        return synthesize_loaded(loaded, policies=())
    with TemporaryDirectory(prefix="scaffolder-") as made:
        beside = Path(made)
        _bring_pipelines(path, revision, loaded, beside)
        return synthesize_loaded(loaded, beside=beside, policies=())


def _bring_pipelines(path: Path, revision: str, loaded: LoadedSpec, beside: Path) -> None:
    """Write the definitions, and then the code folders that they name, into a folder."""
    from scaffolder.pipelines.load import code_folders_of  # noqa: PLC0415 - only where there is a pipeline

    definitions = {
        pipeline.definition
        for environment in loaded.environments
        for pipeline in environment.spec.pipelines.values()
    }
    _bring(path, revision, definitions, beside)
    _bring(
        path, revision, {folder for file in definitions for folder in code_folders_of(beside, file)}, beside
    )


def _bring(path: Path, revision: str, names: Iterable[str], beside: Path) -> None:
    wanted = sorted(names)
    if not wanted:
        return
    listed = _git(path, revision, "ls-tree", "-r", "-z", revision, "--", *(f"./{name}" for name in wanted))
    for line in listed.decode("utf-8", "replace").split("\0"):
        about, _, name = line.partition("\t")
        if about and about.split()[0] in PLAIN_FILES:
            target = beside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_git(path, revision, "cat-file", "blob", about.split()[2]))


def _git(path: Path, revision: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - git from PATH, no shell
            ["git", *arguments],  # noqa: S607
            cwd=path.absolute().parent,
            env={**os.environ, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"--from {revision}: git cannot be run for {path}: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise UsageError(f"--from {revision}: git has no {path} there: {said}")
    return done.stdout
