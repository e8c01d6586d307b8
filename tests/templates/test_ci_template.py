"""The part ci: every kind, system and cloud renders, is what its vendor takes, and keeps no key."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from scaffolder.pipeline import synthesize_loaded
from scaffolder.projects.rendering import render
from scaffolder.projects.template import Template, built_in, read_folder, template_of
from scaffolder.projects.tree import Tree
from scaffolder.spec.load import parse_spec
from tests.external_tools import ROOT, Missing
from tests.strategies import spec_text
from tests.templates import vendors
from tests.templates.projects import files_of, new_project

KINDS = ("platform", "model", "llm")
SYSTEMS = ("github", "gitlab", "circleci", "jenkins", "azure-devops")
PROVIDERS = ("aws", "gcp", "azure", "local")
CASES = [
    (kind, system, provider)
    for kind, system, provider in product(KINDS, SYSTEMS, PROVIDERS)
    if (kind, provider) != ("platform", "local")
]
PAIRS = [
    (kind, system, PROVIDERS[(row + column) % (3 if kind == "platform" else 4)])
    for row, kind in enumerate(KINDS)
    for column, system in enumerate(SYSTEMS)
]
"""Each kind with each system, and each system with most clouds: for checkers that take seconds."""
FILES = {
    "gitlab": ".gitlab-ci.yml",
    "circleci": ".circleci/config.yml",
    "jenkins": "Jenkinsfile",
    "azure-devops": "azure-pipelines.yml",
}
WITHOUT_DEPLOYMENT = [("circleci", "azure"), *((system, "local") for system in SYSTEMS)]
SPEC: dict[str, Any] = {
    "version": 1,
    "name": "churn",
    "owner": "ml-platform",
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
}
AWS_SHELL_SCRIPT = {
    *("awsCredentials", "regionName", "scriptType", "inlineScript", "disableAutoCwd", "workingDirectory"),
}
"""Inputs of a task that the vendored schema does not know (aws/aws-toolkit-azure-devops, task.json, November 2026)."""
PINNED = re.compile(r"(?:[a-z0-9./-]+)(?::[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64}")
T = TypeVar("T")


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of(
        read_folder(built_in("ci"), "ci"), source="builtin:ci", name="ci", where="ci", trusted=True
    )


Rendered = Callable[[str, str, str], Tree]


@pytest.fixture(scope="module")
def rendered(template: Template) -> Rendered:
    """What each combination becomes, rendered once."""
    made: dict[tuple[str, str, str], Tree] = {}

    def tree_of(kind: str, system: str, provider: str) -> Tree:
        case = (kind, system, provider)
        if case not in made:
            made[case] = render(template, answers_of(*case), given_of(*case))
        return made[case]

    return tree_of


def answers_of(kind: str, system: str, provider: str) -> dict[str, str | bool]:
    return {
        "kind": kind,
        "system": system,
        "provider": provider,
        "name": "churn",
        "region": {"gcp": "europe-west4", "azure": "westeurope"}.get(provider, "eu-west-1"),
        "engine": "cdktf",
        "serving": "both",
        "repository": "acme/churn",
    }


def given_of(kind: str, system: str, provider: str) -> dict[str, str]:
    return {"project_slug": f"{kind}-{system}-{provider}", "scaffolder_version": "0.1.0"}


def text_of(tree: Tree, path: str) -> str:
    return tree[path].content.decode()


def pipeline_of(kind: str, system: str) -> str:
    return FILES.get(system, f".github/workflows/{kind}.yml")


def written(tree: Tree, folder: Path) -> Path:
    for path, file in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
    return folder


def or_skip(check: Callable[[], T]) -> T:
    try:
        return check()
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_combination_has_its_pipeline_and_no_markup(
    case: tuple[str, str, str], rendered: Rendered
) -> None:
    kind, system, provider = case
    tree = rendered(*case)
    pipelines = {*FILES.values(), *(f".github/workflows/{each}.yml" for each in KINDS)}
    assert pipelines & tree.keys() == {pipeline_of(kind, system)}
    assert {"ci/README.md", "ci/scan.sh", "ci/grype.yaml"} <= tree.keys()
    signs_in = provider != "local" and (system, provider) not in WITHOUT_DEPLOYMENT
    assert ("ci/role.sh" in tree) is (signs_in and (kind, system) != ("platform", "github"))
    for path, file in tree.items():
        text = file.content.decode()
        assert "cookiecutter" not in text, path
        assert "{%" not in text, path
        assert "{{" not in re.sub(r"\$\{\{|\{\{ checksum ", "", text), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path


@pytest.mark.slow
def test_plain_cookiecutter_renders_the_same(rendered: Rendered, tmp_path: Path) -> None:
    from cookiecutter.main import cookiecutter  # noqa: PLC0415

    settings = tmp_path / "settings.yaml"
    settings.write_text(f"{{cookiecutters_dir: {tmp_path / 'c'}, replay_dir: {tmp_path / 'r'}}}")
    for case in CASES:
        cookiecutter(
            str(ROOT / "templates" / "ci"),
            no_input=True,
            output_dir=str(tmp_path / "out"),
            config_file=str(settings),
            extra_context={**answers_of(*case), **given_of(*case)},
        )
        ours = {path: file.content for path, file in rendered(*case).items()}
        assert files_of(tmp_path / "out" / "-".join(case)) == ours


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_images_and_actions_are_pinned_and_no_key_is_stored(
    case: tuple[str, str, str], rendered: Rendered
) -> None:
    kind, system, _ = case
    tree = rendered(*case)
    pipeline = text_of(tree, pipeline_of(kind, system))
    for image in re.findall(r"""(?:image|name|image:) ?:? ['"]?((?:python|docker):[^\s'"]+)""", pipeline):
        assert PINNED.fullmatch(image), image
    for image in re.findall(r"^[A-Z]+=(\S+/\S+:v\S+)$", text_of(tree, "ci/scan.sh"), re.MULTILINE):
        assert PINNED.fullmatch(image), image
    for path, file in tree.items():
        text = file.content.decode()
        for action in re.findall(r"uses: (\S+)", text):
            assert action.startswith("$/") or re.search(r"@[0-9a-f]{40}$", action), action
        for word in ("secrets.", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "CLIENT_SECRET", "_PASSWORD"):
            assert word not in text, (path, word)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_job_that_a_pipeline_names_is_one_of_the_script(
    case: tuple[str, str, str], rendered: Rendered
) -> None:
    kind, system, provider = case
    tree = rendered(*case)
    if "ci/job.sh" not in tree:
        return
    jobs = set(re.findall(r"^  ([a-z-]+)\)$", text_of(tree, "ci/job.sh"), re.MULTILINE))
    pipeline = text_of(tree, pipeline_of(kind, system))
    named = set(re.findall(r"bash ci/job\.sh ([a-z-]+)", pipeline))
    named |= set(re.findall(r"^ +job: ([a-z-]+)$", pipeline, re.MULTILINE)) if system == "circleci" else set()
    assert named == jobs
    deploys = {"deploy"} if kind == "platform" else {"promote"}
    assert (deploys <= jobs) is ((system, provider) not in WITHOUT_DEPLOYMENT)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_what_a_job_waits_for_is_there(case: tuple[str, str, str], rendered: Rendered) -> None:
    kind, system, _ = case
    if system == "jenkins":
        return  # stages run one after another
    document = yaml.safe_load(text_of(rendered(*case), pipeline_of(kind, system)))
    names, waits = WAITS[system](document)
    assert len(names) == len(set(names))
    assert waits - set(names) == set()
    assert waits or case == ("platform", "circleci", "azure")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _github(document: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    jobs = document["jobs"]
    return list(jobs), {name for job in jobs.values() for name in _listed(job.get("needs"))}


def _gitlab(document: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    jobs = {name: job for name, job in document.items() if isinstance(job, dict) and name != "variables"}
    for name, job in jobs.items():
        assert job.get("stage", "check") in document["stages"], name
    waits = {name for job in jobs.values() for key in ("needs", "extends") for name in _listed(job.get(key))}
    return list(jobs), waits


def _circleci(document: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    names, waits = [], set()
    (workflow,) = document["workflows"].values()
    for entry in workflow["jobs"]:
        ((job, given),) = entry.items() if isinstance(entry, dict) else ((entry, {}),)
        assert job in document["jobs"] or given.get("type") == "approval", job
        declared = document["jobs"].get(job, {}).get("parameters", {})
        assert {name: given[name] in each["enum"] for name, each in declared.items()} == dict.fromkeys(
            declared, True
        )
        names.append(given.get("name", job))
        waits |= set(_listed(given.get("requires")))
    return names, waits


def _azure(document: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    names, waits = [], set()
    for stage in document["stages"]:
        jobs = [job.get("job") or job["deployment"] for job in stage["jobs"]]
        inside = {name for job in stage["jobs"] for name in _listed(job.get("dependsOn"))}
        assert inside - set(jobs) == set()
        names.append(stage["stage"])
        waits |= set(_listed(stage.get("dependsOn"))) or {stage["stage"]}
    return names, waits


WAITS = {"github": _github, "gitlab": _gitlab, "circleci": _circleci, "azure-devops": _azure}


def _names(script: str) -> Iterator[str]:
    yield from re.findall(r"(?:awsCredentials|azureSubscription): (\S+)", script)


def _subjects(repository: str) -> set[str]:
    """The service connections that the lowered platform trusts."""
    ci = {
        "system": "azure-devops",
        "repository": repository,
        "organization": "00000000-0000-4000-8000-000000000000",
    }
    spec = {
        **SPEC,
        "identity": {"ci": ci},
        "environments": {"dev": {}, "prod": {"network": {"cidr": "10.41.0.0/16"}}},
    }
    stacks = synthesize_loaded(parse_spec(spec_text(spec))).stacks
    documents = [str(node.arguments) for linked in stacks for node in linked.nodes]
    return {name for text in documents for name in re.findall(rf"sc://{repository}/([a-z0-9-]+)", text)}


def test_a_platforms_service_connections_are_those_that_its_stacks_trust(rendered: Rendered) -> None:
    pipeline = text_of(rendered("platform", "azure-devops", "aws"), "azure-pipelines.yml")
    assert set(_names(pipeline)) == _subjects("acme/ml")


def test_tasks_that_the_vendors_schema_does_not_know_have_inputs_that_they_take(rendered: Rendered) -> None:
    for kind in KINDS:
        pipeline = yaml.safe_load(text_of(rendered(kind, "azure-devops", "aws"), "azure-pipelines.yml"))
        tasks = [task for task in _tasks(pipeline) if task["task"] == "AWSShellScript@1"]
        assert tasks
        for task in tasks:
            assert set(task["inputs"]) <= AWS_SHELL_SCRIPT
            assert task["inputs"]["scriptType"] == "inline"


def _tasks(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "task" in value:
            yield value
        for each in value.values():
            yield from _tasks(each)
    elif isinstance(value, list):
        for each in value:
            yield from _tasks(each)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in PAIRS if case[1] != "jenkins"], ids="-".join)
def test_a_pipeline_fits_its_vendors_schema(
    case: tuple[str, str, str], rendered: Rendered, tmp_path: Path
) -> None:
    kind, system, _ = case
    text = text_of(rendered(*case), pipeline_of(kind, system))
    if "AWSShellScript@1" in text:
        document = yaml.safe_load(text)
        for task in _tasks(document):
            if task["task"] == "AWSShellScript@1":
                task |= {"task": "Bash@3", "inputs": {"targetType": "inline", "script": "true"}}
        text = yaml.safe_dump(document)
    file = tmp_path / Path(pipeline_of(kind, system)).name
    file.write_text(text)
    assert vendors.schema(system, file) == ""


@pytest.mark.slow
def test_the_schema_refuses_what_is_wrong(rendered: Rendered, tmp_path: Path) -> None:
    for system, (right, wrong) in {
        "github": ("runs-on:", "run-on:"),
        "gitlab": ("stage: check", "stages: check"),
        "circleci": ("executor: python", "executors: python"),
        "azure-devops": ("pool:", "pools:"),
    }.items():
        file = tmp_path / Path(pipeline_of("model", system)).name
        text = text_of(rendered("model", system, "gcp"), pipeline_of("model", system))
        assert right in text
        file.write_text(text.replace(right, wrong))
        assert vendors.schema(system, file), system


@pytest.mark.slow
def test_workflows_of_github_are_safe(rendered: Rendered, tmp_path: Path) -> None:
    for kind, provider in product(KINDS, PROVIDERS):
        if (kind, provider) != ("platform", "local"):
            assert (
                vendors.zizmor(written(rendered(kind, "github", provider), tmp_path / kind / provider)) == []
            )


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in PAIRS if case[1] == "github"], ids="-".join)
def test_expressions_and_needs_of_a_workflow_are_right(
    case: tuple[str, str, str], rendered: Rendered, tmp_path: Path
) -> None:
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(text_of(rendered(*case), pipeline_of(*case[:2])))
    found = or_skip(lambda: vendors.actionlint(workflow))
    # The linter that can be had here is older than actions of one's own repository by `$/`.
    assert [each for each in found if "$/.github/actions/tools" not in each] == []
    workflow.write_text(workflow.read_text().replace("github.ref", "github.reff", 1))
    assert any("reff" in each for each in vendors.actionlint(workflow))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_gitlab_finds_the_jobs(kind: str, rendered: Rendered, tmp_path: Path) -> None:
    folder = written(rendered(kind, "gitlab", "aws"), tmp_path / kind)
    jobs = {name.partition(":")[0] for name in or_skip(lambda: vendors.gitlab_jobs(folder))}
    expected = {
        "platform": {"check", "terraform-test", "scan", "deploy-dev", "deploy-prod", "images"},
        "model": {"check", "images", "evaluate", "push-dev", "train-dev", "promote-dev", "promote-prod"},
        "llm": {"check", "images", "evaluate", "push-dev", "index-dev", "promote-dev", "promote-prod"},
    }[kind]
    assert {name.split(" ")[0] for name in jobs} >= expected


@pytest.mark.parametrize("case", [case for case in CASES if case[1] == "jenkins"], ids="-".join)
def test_a_jenkinsfile_is_groovy_and_a_declarative_pipeline(
    case: tuple[str, str, str], rendered: Rendered
) -> None:
    text = text_of(rendered(*case), "Jenkinsfile")
    assert list(_declarative(text)) == []
    assert or_skip(lambda: list(vendors.groovy(text))) == []


PARTS = {
    "pipeline": {"agent", "options", "environment", "stages"},
    "stages": {"stage"},
    "stage": {"agent", "options", "when", "steps", "post"},
    "post": {"always"},
    "steps": {"sh", "input", "withCredentials"},
    "withCredentials": {"sh"},
    "always": {"archiveArtifacts"},
    "options": {"buildDiscarder", "disableConcurrentBuilds", "timeout", "timestamps"},
    "agent": {"docker", "label"},
    "docker": {"image", "args", "label"},
    "environment": {"PIP_CACHE_DIR"},
    "when": {"beforeAgent", "branch", "changeRequest"},
}
"""What may stand in which block, of what is used here (Pipeline Syntax, jenkins.io, November 2026)."""
OPENS = re.compile(r"^(\w+)(?:\(.*\))? \{(?: (.*) \})?$")


def _declarative(text: str) -> Iterator[str]:
    """Where a Jenkinsfile says what its block does not take; blocks open and close at lines' ends."""
    blocks: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        code = line.strip()
        if not code or code.startswith("//"):
            continue
        if code == "}":
            blocks.pop()
            continue
        word = re.split(r"\W", code, maxsplit=1)[0]
        if blocks and word not in PARTS.get(blocks[-1], set()):
            yield f"line {number}: {word} in {blocks[-1]}"
        opened = OPENS.match(code)
        if opened is None or (opened[2] is None and not code.endswith("{")):
            continue
        if opened[2] is None:
            blocks.append(opened[1])
            continue
        for inner in re.split(r"; (?![^{]*\})", opened[2]):
            name = re.split(r"\W", inner.strip(), maxsplit=1)[0]
            if name not in PARTS.get(opened[1], set()):
                yield f"line {number}: {name} in {opened[1]}"
    if blocks:
        yield f"the end: {' '.join(blocks)} not closed"


def test_a_pipeline_that_jenkins_would_not_take_is_noticed(rendered: Rendered) -> None:
    text = text_of(rendered("model", "jenkins", "aws"), "Jenkinsfile")
    assert list(_declarative(text.replace("steps {", "step {", 1)))
    assert list(_declarative(text.replace("      steps {\n", "      steps {\n        stage('a')\n", 1)))
    assert list(_declarative(text[:-3]))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_scripts_are_bash_and_shellcheck_warns_of_nothing(
    case: tuple[str, str, str], rendered: Rendered, tmp_path: Path
) -> None:
    folder = written(rendered(*case), tmp_path / "project")
    scripts = sorted(path.relative_to(folder).as_posix() for path in folder.glob("ci/*.sh"))
    for script in scripts:
        done = subprocess.run(["bash", "-n", script], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), script
    assert or_skip(lambda: vendors.shellcheck(folder, scripts)) == ""


SCAFFOLDER = """#!/usr/bin/env bash
# A registry of models: a version a line, as NUMBER STAGE SCORE. Takes the commands of ci/job.sh.
set -eu
registry=$REGISTRY_FILE
case "$1 ${2:-}" in
  "run train" | "run index")
    number=$(($(wc -l < "$registry") + 1))
    [ -n "${GATE_IS_CLOSED:-}" ] || echo "$number none $SCORE" >> "$registry"
    echo "{\\"run\\": {\\"ref\\": \\"run-$number\\"}}" ;;
  "models list")
    jq -Rs '{versions: (split("\\n") | map(select(. != "") | split(" ") | {version: (.[0] | tonumber), run: ("run-" + .[0]), stage: .[1]}))}' \\
      "$registry" ;;
  "models promote")
    stage=production
    [[ "$*" != *"--stage staging"* ]] || stage=staging
    [ -z "${REGISTRY_IS_AWAY:-}" ] || { echo "error: no answer" >&2; exit 26; }
    score=$(awk -v v="$4" '$1 == v {print $3}' "$registry")
    best=$(awk '$2 == "production" {print $3}' "$registry")
    if [[ "$*" == *--if-better* && -n "$best" && "$score" -le "$best" ]]; then
      echo "error: version $4 of $3 stays where it is: not better" >&2
      exit 26
    fi
    awk -v v="$4" -v s="$stage" '{if ($1 == v) $2 = s; else if ($2 == s) $2 = "archived"; print}' "$registry" > "$registry.new"
    mv "$registry.new" "$registry" ;;
  "models approve" | "models deploy") awk -v v="$4" '$1 == v {found = 1} END {exit !found}' "$registry" ;;
  *) echo "unknown: $*" >&2; exit 64 ;;
esac
"""
DOCKER = """#!/usr/bin/env bash
# A builder whose images are the arguments they were built with, and a registry of files. Takes the commands of ci/job.sh.
set -eu
images=$(dirname "$0")/images pushed=$(dirname "$0")/pushed
mkdir -p "$images" "$pushed"
path() { tr / % <<< "$1"; }
case "$1 $2" in
  "login "*) ;;
  "manifest inspect") [ -f "$pushed/$(path "$3")" ] ;;
  "build "*) echo "$*" > "$images/$(path "$7")" ;;
  "tag "*) cp "$images/$(path "$2")" "$images/$(path "$3")" ;;
  "push "*)
    [ ! -f "$pushed/$(path "$2")" ] || { echo "the tag is there: $2" >&2; exit 1; }
    cp "$images/$(path "$2")" "$pushed/$(path "$2")" ;;
  *) echo "unknown: $*" >&2; exit 64 ;;
esac
"""
AWS_PLACE = "ROLE_ARN=arn:aws:iam::123456789012:role/churn\nREGION=eu-west-1\nREGISTRY=example.com/churn\n"


class Job:
    """A project of CircleCI on AWS, in which jobs are run with registries of models and of images that are files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = folder.parent / "registry"
        self.registry.touch()
        programs = folder.parent / "programs"
        programs.mkdir()
        for name, text in {
            "scaffolder": SCAFFOLDER,
            "docker": DOCKER,
            "aws": "#!/bin/sh\necho token\n",
            "pip": "#!/bin/sh\n",
        }.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (folder / "ci" / "scan.sh").write_text("")  # pulls scanners
        self.pushed = programs / "pushed"
        self.path = os.pathsep.join([str(programs), os.environ["PATH"]])

    def run(self, *job: str, score: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": self.path,
            "HOME": str(self.folder.parent),
            "REGISTRY_FILE": str(self.registry),
        }
        return subprocess.run(
            ["bash", "ci/job.sh", *job],
            cwd=self.folder,
            env={
                **environment,
                "SCORE": str(score),
                "CIRCLE_OIDC_TOKEN_V2": "token",
                "CIRCLE_WORKFLOW_ID": "1",
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def versions(self) -> list[str]:
        return self.registry.read_text().splitlines()

    @property
    def images(self) -> dict[str, str]:
        """What was pushed, without the registry's address, and what it was built with."""
        paths = sorted(self.pushed.iterdir()) if self.pushed.is_dir() else []
        return {path.name.removeprefix("example.com%churn%"): path.read_text() for path in paths}


@pytest.fixture
def job(rendered: Rendered, tmp_path: Path) -> Job:
    for program in ("bash", "jq", "awk"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on PATH")
    return Job(written(rendered("model", "circleci", "aws"), tmp_path / "project"))


@pytest.fixture
def with_images(job: Job) -> Job:
    """A job's project with an image that holds code, one that does not, and a spec that names both."""
    (job.folder / "ci" / "dev.env").write_text(AWS_PLACE)
    recipes = {
        "serving": "FROM a AS build\nCOPY requirements.txt /tmp/r.txt\nFROM a\nCOPY --from=build /opt /opt\nCOPY src/churn /opt/churn\n",
        "training": "FROM a AS program\nCOPY src/churn /opt/churn\nFROM a\nCOPY requirements.txt /tmp/r.txt\n",
    }
    for name, recipe in recipes.items():
        (job.folder / "containers" / name).mkdir(parents=True)
        (job.folder / "containers" / name / "Dockerfile").write_text(recipe)
    for path in ("src/churn/serve.py", "requirements.txt"):
        (job.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (job.folder / path).write_text("a\n")
    (job.folder / "platform.yaml").write_text("image: serving:0.1.0\n")
    (job.folder / "pipelines").mkdir()
    (job.folder / "pipelines" / "train.yaml").write_text("image: training:0.1.0\n")
    return job


def test_nothing_is_done_in_an_environment_that_is_not_there_yet(job: Job) -> None:
    done = job.run("train", "dev", score=1)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "ci/dev.env has no REGISTRY: there is no dev yet, and nothing to do in it\n"
    assert job.versions == []


def test_an_environment_that_is_half_there_is_an_error_that_names_what_is_missing(job: Job) -> None:
    (job.folder / "ci" / "dev.env").write_text(AWS_PLACE.replace("arn:aws:iam::123456789012:role/churn", ""))
    done = job.run("train", "dev", score=1)
    assert done.returncode == 1
    assert done.stderr == "ci/dev.env has no value for ROLE_ARN= \n"


def test_what_is_better_is_staged_and_promoted_and_what_is_not_stays_out(job: Job) -> None:
    (job.folder / "ci" / "dev.env").write_text(AWS_PLACE)
    for arguments in (("train", "dev"), ("promote", "dev")):
        done = job.run(*arguments, score=5)
        assert done.returncode == 0, done.stderr
    assert job.versions == ["1 production 5"]
    worse = job.run("train", "dev", score=3)
    assert (worse.returncode, worse.stderr) == (
        0,
        "error: version 2 of churn stays where it is: not better\n",
    )
    assert job.versions == ["1 production 5", "2 none 3"]
    idle = job.run("promote", "dev")
    assert idle.returncode == 0
    assert "no version of churn is staged in dev" in idle.stdout
    assert job.run("train", "dev", score=8).returncode == 0
    assert job.run("promote", "dev").returncode == 0
    assert job.versions == ["1 archived 5", "2 none 3", "3 production 8"]


def test_what_the_gate_does_not_let_through_leaves_older_versions_as_they_are(job: Job) -> None:
    (job.folder / "ci" / "dev.env").write_text(AWS_PLACE)
    for score in (5, 3):
        assert job.run("train", "dev", score=score).returncode == 0
        assert job.run("promote", "dev").returncode == 0
    before = job.versions
    assert before == ["1 production 5", "2 none 3"]
    done = job.run("train", "dev", GATE_IS_CLOSED="yes")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "the pipeline's gate let no version of churn through in dev: nothing is staged",
    )
    assert job.versions == before


def test_a_comparison_that_could_not_be_made_fails_the_job(job: Job) -> None:
    (job.folder / "ci" / "dev.env").write_text(AWS_PLACE)
    done = job.run("train", "dev", score=5, REGISTRY_IS_AWAY="yes")
    assert (done.returncode, done.stderr) == (26, "error: no answer\n")


def test_an_index_that_passes_its_gate_is_staged_and_need_not_be_better(
    rendered: Rendered, tmp_path: Path
) -> None:
    """Its metric is whether it passed: 1 for each version that there is."""
    job = Job(written(rendered("llm", "circleci", "aws"), tmp_path / "project"))
    (job.folder / "ci" / "dev.env").write_text(AWS_PLACE)
    for _ in range(2):
        for arguments in (("index", "dev"), ("promote", "dev")):
            done = job.run(*arguments, score=1)
            assert done.returncode == 0, done.stderr
    assert job.versions == ["1 archived 1", "2 production 1"]


def test_images_that_the_registry_has_are_left_alone(with_images: Job) -> None:
    assert with_images.run("images", "dev").returncode == 0
    pushed = with_images.images
    assert sorted(re.sub("-[0-9a-f]{12}$", "-…", name) for name in pushed) == [
        "serving:0.1.0",
        "serving:0.1.0-…",
        "training:0.1.0",
        "training:0.1.0-…",
    ]
    again = with_images.run("images", "dev")
    assert (again.returncode, again.stdout) == (0, "serving:0.1.0 is there\ntraining:0.1.0 is there\n")
    assert with_images.images == pushed


@pytest.mark.parametrize("path", ["src/churn/serve.py", "containers/serving/Dockerfile"])
def test_other_content_under_an_old_tag_fails_until_the_tag_is_raised(with_images: Job, path: str) -> None:
    """Else a model would be answered with by the code of another one."""
    assert with_images.run("images", "dev").returncode == 0
    with (with_images.folder / path).open("a") as file:
        file.write("# b\n")
    stale = with_images.run("images", "dev")
    assert stale.returncode == 1
    assert stale.stderr == (
        "serving:0.1.0 is in the registry of dev already, and was built from something else:"
        " give it a new tag in platform.yaml and pipelines/\n"
    )
    (with_images.folder / "platform.yaml").write_text("image: serving:0.2.0\n")
    raised = with_images.run("images", "dev")
    assert raised.returncode == 0, raised.stderr
    assert "serving:0.2.0" in with_images.images
    assert "training:0.1.0 is there" in raised.stdout  # pipelines bring its code along


def test_an_image_whose_push_was_cut_off_is_pushed_by_the_next_job(with_images: Job) -> None:
    assert with_images.run("images", "dev").returncode == 0
    (with_images.pushed / "example.com%churn%serving:0.1.0").unlink()
    again = with_images.run("images", "dev")
    assert again.returncode == 0, again.stderr
    assert "serving:0.1.0" in with_images.images


@pytest.mark.parametrize("system", ["github", "gitlab", "circleci", "jenkins", "azure-devops"])
def test_an_applications_image_is_built_with_its_environments_settings(
    system: str, rendered: Rendered, tmp_path: Path
) -> None:
    job = Job(written(rendered("llm", system, "aws"), tmp_path / "project"))
    recipe = job.folder / "containers" / "app" / "Dockerfile"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("FROM a\nCOPY src /opt/app\n")
    (job.folder / "src").mkdir()
    (job.folder / "platform.yaml").write_text("image: app:1.0.0\n")
    (job.folder / "ci" / "role.sh").write_text("")  # each system's own is tested below
    place = (job.folder / "ci" / "dev.env").read_text()
    assert place.endswith('SETTINGS=""\n')
    place = place.replace('SETTINGS=""', 'SETTINGS="APP_PASSAGES=6 APP_MOST_AT_ONCE=32"')
    filled = re.sub("^(ROLE_ARN|REGISTRY)=$", r"\1=example.com/churn", place, flags=re.MULTILINE)
    (job.folder / "ci" / "dev.env").write_text(filled)
    done = job.run("images", "dev")
    assert done.returncode == 0, done.stderr
    assert "--build-arg SETTINGS=APP_PASSAGES=6 APP_MOST_AT_ONCE=32 ." in job.images["app:1.0.0"]
    (job.folder / "ci" / "dev.env").write_text(filled.replace("=6", "=8"))
    stale = job.run("images", "dev")
    assert (stale.returncode, "give it a new tag" in stale.stderr) == (1, True)


def test_a_job_that_there_is_not_is_an_error(job: Job) -> None:
    done = job.run("trian", "dev")
    assert (done.returncode, done.stderr) == (64, "there is no job trian\n")


CURL = """#!/usr/bin/env bash
# Whoever is asked, answers with a token; where to, and with what, is kept.
echo "$*" >> "$ASKED"
echo '{"value": "token", "access_token": "federated", "accessToken": "registry", "refresh_token": "registry"}'
"""
SIGNED_IN = """
set -euo pipefail
. ci/role.sh
cat "${AWS_WEB_IDENTITY_TOKEN_FILE:-${AZURE_FEDERATED_TOKEN_FILE:-/dev/null}}" > token
[ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}" ] || jq -r .credential_source.file "$GOOGLE_APPLICATION_CREDENTIALS" | xargs cat > token
[ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}" ] || cp "$GOOGLE_APPLICATION_CREDENTIALS" google.json
env
"""
TOKENS = ("AWS_TOKEN", "GCP_TOKEN", "AZURE_TOKEN", "CIRCLE_OIDC_TOKEN_V2", "idToken")
CONNECTION = {
    "AZURESUBSCRIPTION_CLIENT_ID": "client",
    "AZURESUBSCRIPTION_TENANT_ID": "tenant",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "connection",
}
POOL = "projects/1/locations/global/workloadIdentityPools/p/providers/x"


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_job_signs_in_by_its_token_and_as_the_role_that_it_takes(
    case: tuple[str, str, str], rendered: Rendered, tmp_path: Path
) -> None:
    kind, system, provider = case
    if "ci/role.sh" not in rendered(*case):
        return
    folder = written(rendered(*case), tmp_path / "project")
    account = '{"environments": [{"account": "123456789012", "region": "eu-west-1"}]}'
    (folder / "preview-dev.json").write_text(account)
    (folder / "where-dev.json").write_text(
        '{"registry": "r.example.com", "accounts": {"ci-build": "churn@x.iam.gserviceaccount.com"}}'
    )
    (tmp_path / "curl").write_text(CURL)
    (tmp_path / "curl").chmod(0o755)
    told = {
        "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]),
        "ASKED": str(tmp_path / "asked"),
        "ENVIRONMENT": "dev",
        "ROLE": "ci-build",
        "PLATFORM": "churn",
        "REGION": "eu-west-1",
        "ROLE_ARN": "arn:aws:iam::123456789012:role/churn-dev-ci-build",
        "IDENTITY_PROVIDER": POOL,
        "SERVICE_ACCOUNT": "churn@x.iam.gserviceaccount.com",
        "TENANT_ID": "tenant",
        "CLIENT_ID": "client",
        "CLIENT_ID_BUILD": "client",
        "SUBSCRIPTION_ID": "s",
        "REGISTRY": "r.example.com/churn",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/?a=b",
        "GITHUB_RUN_ID": "1",
        "CI_PIPELINE_ID": "1",
        "CIRCLE_WORKFLOW_ID": "1",
        "BUILD_NUMBER": "1",
        "BUILD_BUILDID": "1",
        **(CONNECTION if system == "azure-devops" else {}),
        **(dict.fromkeys(TOKENS, "token") if system != "github" else {}),
    }
    done = subprocess.run(
        ["bash", "-c", SIGNED_IN], cwd=folder, env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    has = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    match provider, system:
        case "aws", "azure-devops":
            assert has["AWS_REGION"] == "eu-west-1"  # the task of the service connection has the rest
        case "aws", _:
            assert has["AWS_ROLE_ARN"] == "arn:aws:iam::123456789012:role/churn-dev-ci-build"
            assert has["AWS_ROLE_SESSION_NAME"] == f"{system}-1"
        case "gcp", _:
            google = yaml.safe_load((folder / "google.json").read_text())
            assert google["audience"] == f"//iam.googleapis.com/{POOL}"
            assert "/churn@x.iam.gserviceaccount.com:" in google["service_account_impersonation_url"]
            assert has["REGISTRY_TOKEN"] == "registry"
        case _, "azure-devops":
            assert has["ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID"] == "connection"
            assert (has["ARM_CLIENT_ID"], has["ARM_TENANT_ID"]) == ("client", "tenant")
        case _:
            assert (has["REGISTRY_TOKEN"], "r.example.com" in (tmp_path / "asked").read_text()) == (
                "registry",
                True,
            )
            if (kind, system) != ("platform", "gitlab"):
                assert (has["AZURE_CLIENT_ID"], has["AZURE_TENANT_ID"]) == ("client", "tenant")
            if kind == "platform":
                assert (has["ARM_OIDC_TOKEN"], has["ARM_SUBSCRIPTION_ID"]) == ("token", "123456789012")
    carried = (provider, system) not in {("aws", "azure-devops"), ("azure", "azure-devops")}
    if carried and (kind, system, provider) != ("platform", "gitlab", "azure"):
        assert (folder / "token").read_text() == "token"


@pytest.mark.cli
@pytest.mark.slow
@pytest.mark.parametrize("system", ["circleci", "jenkins", "azure-devops"])
@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_platform_of_each_system_and_cloud_is_valid_and_passes_its_own_tests(
    system: str, provider: str, scaffolder_cli: Path, tmp_path: Path
) -> None:
    folder = new_project(scaffolder_cli, tmp_path / "fraud", "--provider", provider, "--ci", system)
    subprocess.run([scaffolder_cli, "validate"], cwd=folder, check=True, capture_output=True)
    own = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_platform.py"]
    done = subprocess.run(own, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    trusts = (system, provider) != ("circleci", "azure")
    assert ("ci: {system: " + system in (folder / "platform.yaml").read_text()) is trusts


@pytest.mark.cli
@pytest.mark.slow
def test_a_project_that_is_given_ci_later_has_the_same_ci(scaffolder_cli: Path, tmp_path: Path) -> None:
    for name in ("first", "later"):
        (tmp_path / name).mkdir()
    first = new_project(scaffolder_cli, tmp_path / "first" / "fraud", "--ci", "jenkins")
    later = new_project(scaffolder_cli, tmp_path / "later" / "fraud", "--ci", "none")
    before = files_of(later)
    asked = ("--system", "jenkins", "--repository", "acme/fraud-platform")
    for command in (
        ["git", "init", "--quiet"],
        ["git", "add", "--all"],
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "a"],
        [str(scaffolder_cli), "add", "ci", *asked, "--defaults"],
    ):
        subprocess.run(command, cwd=later, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    made = {path: content for path, content in files_of(first).items() if path not in before}
    assert made.keys() == {path for path in files_of(later) if not path.startswith(".git/")} - before.keys()
    assert {path: files_of(later)[path] for path in made} == made


@pytest.mark.cli
@pytest.mark.slow
def test_a_platform_from_before_ci_was_a_part_is_updated_and_keeps_what_its_owners_changed(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    folder = tmp_path / "old" / "fraud"
    subprocess.run(
        [scaffolder_cli, "new", "platform@1.0.0", folder, "--defaults", "--ci", "gitlab"],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    pipeline = folder / ".gitlab-ci.yml"
    pipeline.write_text(f"{pipeline.read_text()}\n# Ours.\n")
    for command in (
        ["git", "init", "--quiet"],
        ["git", "add", "--all"],
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "a"],
        [str(scaffolder_cli), "update"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    updated = {path: content for path, content in files_of(folder).items() if not path.startswith(".git/")}
    fresh = files_of(new_project(scaffolder_cli, tmp_path / "new" / "fraud", "--ci", "gitlab"))
    assert updated.keys() == fresh.keys()
    assert updated[".gitlab-ci.yml"] == fresh[".gitlab-ci.yml"] + b"\n# Ours.\n"
    differ = {path for path in updated if updated[path] != fresh[path]}
    assert differ <= {".gitlab-ci.yml", ".scaffolder-project.json"}
