"""A project from the template `llm` is whole for every choice: markup is gone, the linter is content, the spec is valid."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from cookiecutter.main import cookiecutter

from tests.external_tools import ROOT
from tests.templates.llm import CHOICES, Choice, llm_project, package_of
from tests.templates.projects import files_of

pytestmark = [pytest.mark.cli, pytest.mark.slow]

TEMPLATE = ROOT / "templates" / "llm"
RECORD = ".scaffolder-project.json"
CLOUD_FILES = {
    "local": set(),
    "aws": {"bedrock.py"},
    "gcp": {"http_json.py", "model_files.py", "vertex.py"},
    "azure": {"azure_openai.py", "http_json.py"},
}
STORE_FILES = {"aws": "knowledge_base.py", "gcp": "vector_search.py", "azure": "ai_search.py"}
OTHERS_WORDS = {"aws": ("boto3", "Bedrock"), "gcp": ("google.auth", "Vertex"), "azure": ("azure.identity",)}
TARGETS = {"aws": "sagemaker", "gcp": "vertex", "azure": "azureml"}


@pytest.fixture(scope="module", params=CHOICES, ids=str)
def made(
    request: pytest.FixtureRequest, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Choice]:
    choice: Choice = request.param
    folder = tmp_path_factory.mktemp("llm") / "project"
    return llm_project(scaffolder_cli, folder, choice), choice


def test_no_markup_is_left(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    for path, content in files_of(folder).items():
        assert not re.search(rb"\{%|\{\{|cookiecutter", content), path
        assert not re.search(r"[{}%]", path)


def test_plain_cookiecutter_makes_the_same_bytes(made: tuple[Path, Choice], tmp_path: Path) -> None:
    folder, choice = made
    given = {"project_slug": folder.name, "scaffolder_version": version("scaffolder")}
    extra = {**choice.answers, **given, "pdf": choice.pdf == "yes"}
    config = tmp_path / "config.yaml"
    config.write_text(f"{{replay_dir: {tmp_path}, cookiecutters_dir: {tmp_path}}}", encoding="utf-8")
    cookiecutter(
        str(TEMPLATE),
        no_input=True,
        extra_context=extra,
        output_dir=str(tmp_path / "out"),
        config_file=str(config),
    )
    ours = files_of(folder)
    del ours[RECORD]
    theirs = files_of(tmp_path / "out" / folder.name)
    assert set(ours) == set(theirs)
    for path, content in ours.items():
        assert content == theirs[path], path


def test_a_project_has_its_own_clouds_code_and_no_other(made: tuple[Path, Choice]) -> None:
    folder, choice = made
    package = folder / "src" / package_of(choice)
    everything = set().union(*CLOUD_FILES.values(), STORE_FILES.values())
    wanted = CLOUD_FILES[choice.provider] | (
        {STORE_FILES[choice.provider]} if choice.store == "platform" else set()
    )
    assert {path.name for path in package.glob("*.py")} & everything == wanted
    code = b"".join(content for path, content in files_of(folder).items() if path.startswith("src/")).decode()
    for cloud, words in OTHERS_WORDS.items():
        assert cloud == choice.provider or not [word for word in words if f"import {word}" in code]


def test_the_linter_and_the_formatter_have_nothing_to_say(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    for words in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_spec_is_valid_without_a_warning(made: tuple[Path, Choice], scaffolder_cli: Path) -> None:
    folder, _ = made
    done = subprocess.run(
        [scaffolder_cli, "validate", "--strict"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_pipeline_compiles_for_its_cloud(made: tuple[Path, Choice], scaffolder_cli: Path) -> None:
    folder, choice = made
    target = TARGETS.get(choice.provider, "sagemaker")
    done = subprocess.run(
        [scaffolder_cli, "compile", "index", "--to", target],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for step in ("ingest", "chunk", "embed", "index", "evaluate", "register"):
        assert step in done.stdout


def test_the_platform_plans_what_the_application_asks_for(
    made: tuple[Path, Choice], scaffolder_cli: Path
) -> None:
    folder, choice = made
    done = subprocess.run(
        [scaffolder_cli, "preview"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    stores = {"aws": "opensearchserverless", "gcp": "vertex_ai_index", "azure": "search_service"}
    if choice.store == "platform":
        assert stores[choice.provider] in done.stdout
    else:
        assert not [each for each in stores.values() if each in done.stdout]


def test_the_image_is_pinned_has_two_stages_and_no_root_but_where_the_cloud_asks(
    made: tuple[Path, Choice],
) -> None:
    folder, choice = made
    lines = (folder / "containers" / "app" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith(("#", " "))]
    assert [found[1] for found in words if found[0] == "FROM"] == ["${PYTHON} AS build", "${PYTHON} AS run"]
    base, user, settings = (found[1] for found in words if found[0] == "ARG")
    assert settings == 'SETTINGS=""'
    assert re.fullmatch(r"PYTHON=python:3\.12\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert [found[1] for found in words if found[0] == "USER"] == ["${RUN_AS}"]
    assert user == ("RUN_AS=0:0" if choice.provider == "aws" else "RUN_AS=10001:10001")
    assert ("APP_MODELS=cloud" in "\n".join(lines)) == (choice.provider != "local")
    assert "EXPOSE 8080" in lines
    health = next(line for line in lines if line.strip().startswith("CMD [") and "healthz" in line)
    program = json.loads(health.strip().removeprefix("CMD "))
    compile(program[2], "HEALTHCHECK", "exec")


def test_requirements_are_exact_and_those_of_the_choice(made: tuple[Path, Choice]) -> None:
    folder, choice = made
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = {line.partition("==")[0] for line in lines if not line.startswith("#")}
    assert all("==" in line for line in lines if not line.startswith("#"))
    assert ("pypdf" in names) == (choice.pdf == "yes")
    assert ("boto3" in names) == (choice.provider == "aws")
    assert ("google-auth" in names) == (choice.provider == "gcp")
    assert ("azure-identity" in names) == (choice.provider == "azure")


def test_every_file_of_data_can_be_read(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    for path, content in files_of(folder).items():
        match path.rpartition(".")[2]:
            case "json":
                json.loads(content)
            case "jsonl":
                assert [json.loads(line) for line in content.splitlines()]
            case "toml":
                tomllib.loads(content.decode())
            case "yaml":
                assert yaml.safe_load(content)
            case "py":
                compile(content, path, "exec")


def test_the_code_that_travels_with_the_pipeline_is_small_enough(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    sizes = [len(content) for path, content in files_of(folder).items() if path.startswith("src/")]
    assert len(sizes) <= 200
    assert sum(sizes) <= 1024 * 1024
