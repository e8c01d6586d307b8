"""The vendors' own checks of CI files, run without their services. May not judge what they find.

Each check returns what is wrong, in the vendor's words; a checker that is not to be had here raises ``Missing``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from tests.external_tools import TOOLS, Missing, find_node_tools

__all__ = ["actionlint", "gitlab_jobs", "groovy", "schema", "shellcheck", "zizmor"]

SCHEMAS: dict[str, tuple[str, ...]] = {
    "github": ("--builtin-schema", "vendor.github-workflows"),
    "gitlab": ("--builtin-schema", "vendor.gitlab-ci"),
    "circleci": ("--builtin-schema", "vendor.circle-ci"),
    "azure-devops": (
        *("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
        *("--regex-variant", "nonunicode"),
    ),
}
PACKAGES = TOOLS / "node" / "node_modules"
LINT = """
const { createLinter } = require(process.argv[1]);
const text = require("node:fs").readFileSync(process.argv[2], "utf8");
createLinter().then((lint) => console.log(JSON.stringify(lint(text, ".github/workflows/ci.yml"))));
"""


def _said(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def schema(system: str, file: Path) -> str:
    """What a file has that its vendor's schema does not; empty when nothing."""
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[system], file.name]
    done = _said(command, file.parent)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-1500:]


def zizmor(folder: Path) -> list[str]:
    """What a repository's GitHub workflows do that is unsafe."""
    program = Path(sys.executable).with_name("zizmor")
    done = _said([program, "--offline", "--quiet", "--no-exit-codes", "--format", "json", "."], folder)
    return [finding["ident"] for finding in json.loads(done.stdout)]


def actionlint(file: Path) -> list[str]:
    """What is wrong in a workflow: expressions, needs, keywords of shells. It is older than some of GitHub's words."""
    package = PACKAGES / "actionlint"
    if not package.is_dir():
        raise Missing("actionlint is not installed: `make tools` does it")
    done = _said([find_node_tools().node, "-e", LINT, package / "node.cjs", file], package)
    assert done.returncode == 0, done.stderr
    found = [f"line {each['line']}: {each['message']}" for each in json.loads(done.stdout)]
    newer = ('label "ubuntu-24.04" is unknown', 'undefined variable "vars"')
    return [each for each in found if not any(word in each for word in newer)]


def gitlab_jobs(folder: Path) -> list[str]:
    """The jobs that GitLab would find in a repository; the folder becomes one."""
    program = PACKAGES / ".bin" / "gitlab-ci-local"
    if not program.is_file():
        raise Missing("gitlab-ci-local is not installed: `make tools` does it")
    node = find_node_tools().node
    for command in (
        ["git", "init", "--quiet", "--initial-branch", "main"],
        [
            "git",
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "a",
        ],
        ["git", "remote", "add", "origin", "https://gitlab.example.com/acme/churn.git"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = _said([node, program.resolve(), "--list-json"], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return [job["name"] for job in json.loads(done.stdout[done.stdout.index("[") :])]


def shellcheck(folder: Path, files: Sequence[str]) -> str:
    """What shellcheck warns of in scripts; those without a first line are sourced by bash."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which("shellcheck", path=places)
    if program is None:
        raise Missing("shellcheck is not installed: requirements/dev.txt has it")
    command: list[str | Path] = [
        program,
        "--severity",
        "warning",
        "--external-sources",
        "--shell",
        "bash",
        *files,
    ]
    return _said(command, folder).stdout


def groovy(text: str) -> Iterator[str]:
    """Where a Jenkinsfile is no Groovy."""
    try:
        tree_sitter, grammar = map(import_module, ("tree_sitter", "tree_sitter_groovy"))
    except ImportError as error:
        raise Missing(f"{error.name} is not installed: requirements/dev.txt has it") from error
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    nodes = [parser.parse(text.encode()).root_node]
    while nodes:
        node = nodes.pop()
        nodes += node.children
        if node.type == "ERROR" or node.is_missing:
            yield f"line {node.start_point[0] + 1}: {node.type}"
