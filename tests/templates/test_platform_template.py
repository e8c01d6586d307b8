"""The generated project is whole: every combination renders, is valid, passes its own tests and its vendors' linters."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import document
from tests.external_tools import ROOT, NodeTools
from tests.templates.projects import ENGINES, SYSTEMS, files_of, new_project

pytestmark = [pytest.mark.cli, pytest.mark.slow]

TEMPLATE = ROOT / "templates" / "platform"
FOUNDATION = ("state", "security", "network", "storage", "registry", "identity")
LEARNING = ("workspace", "ml", "monitoring")
SHARED = {
    *(".gitignore", ".scaffolder-project.json", "README.md", "cdktf.json", "main.py", "platform.schema.json"),
    *("platform.yaml", "requirements.txt", "tests/test_platform.py", "tests/test_pipeline.py"),
    *("pipelines/README.md", "pipelines/train.yaml"),
    *(f"pipelines/src/{step}.py" for step in ("prepare", "train", "evaluate")),
    *("containers/requirements.txt", "containers/training/Dockerfile", "containers/serving/Dockerfile"),
    *("containers/serving/serve.py", "tests/terraform/test_stacks.py"),
    "tests/terraform/mocks/aws/policies.tfmock.hcl",
    *("mypy.ini", "ruff.toml"),
    *(f"tests/terraform/{name}.tftest.hcl" for name in (*FOUNDATION, *LEARNING, "ml-endpoint")),
}
PIPELINE = {"github": ".github/workflows/platform.yml", "gitlab": ".gitlab-ci.yml"}
ACTION = ".github/actions/tools/action.yml"
CI = {
    *(".checkov.yaml", "ci/README.md", "ci/grype.yaml", "ci/images.sh", "ci/plan.sh", "ci/scan.sh"),
    "ci/stacks.sh",
}
ROLES = ("plan", "build", "deploy")
CI_OF = {
    "github": {PIPELINE["github"], ACTION, *CI},
    "gitlab": {PIPELINE["gitlab"], "ci/role.sh", "ci/tools.sh", *CI},
    "none": set(),
}


@pytest.fixture(scope="module", params=[(engine, ci) for engine in ENGINES for ci in SYSTEMS], ids="-".join)
def project(
    request: pytest.FixtureRequest, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """A project of each engine and CI system: its folder, engine and system."""
    engine, ci = request.param
    folder = tmp_path_factory.mktemp("projects") / "fraud-platform"
    return new_project(scaffolder_cli, folder, "--engine", engine, "--ci", ci), engine, ci


def test_a_project_has_its_files_and_no_markup(project: tuple[Path, str, str]) -> None:
    folder, engine, ci = project
    found = files_of(folder)
    assert found.keys() == SHARED | CI_OF[ci]
    for name, content in found.items():
        assert b"cookiecutter" not in content, name
        assert b"{%" not in content, name
    kept = json.loads(found[".scaffolder-project.json"])["layers"][0]["answers"]
    assert (kept["name"], kept["engine"], kept["ci"]) == ("fraud", engine, ci)


def test_a_project_is_valid_and_passes_its_own_tests(
    project: tuple[Path, str, str], scaffolder_cli: Path
) -> None:
    folder, _, _ = project
    subprocess.run([scaffolder_cli, "validate", "--strict"], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        # The others need Terraform and scikit-learn: test_project_terraform.py and test_project_pipeline.py run them.
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_platform.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_projects_python_passes_formatter_and_linter(project: tuple[Path, str, str]) -> None:
    folder, _, _ = project
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (
        ["format", "--isolated", "--line-length", "120", "--check", "."],
        ["check", "--isolated", "."],
    ):
        done = subprocess.run([*ruff, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_projects_app_synthesizes_what_the_spec_becomes(
    project: tuple[Path, str, str], node_tools: NodeTools, tmp_path: Path
) -> None:
    folder, _, _ = project
    environment = {**os.environ, **node_tools.environment, "CDKTF_OUTDIR": str(tmp_path / "out")}
    subprocess.run([sys.executable, "main.py"], cwd=folder, check=True, capture_output=True, env=environment)
    stacks = synthesize(folder / "platform.yaml").stacks
    assert stacks
    for linked in stacks:
        written = json.loads((tmp_path / "out" / "stacks" / linked.stack.name / "cdk.tf.json").read_text())
        ours = json.loads(json.dumps(document(linked)))
        del ours["//"], written["//"]
        assert written == ours


def test_the_example_of_own_constructs_works_as_it_stands(
    project: tuple[Path, str, str], node_tools: NodeTools, tmp_path: Path
) -> None:
    folder, _, _ = project
    lines = (folder / "main.py").read_text().splitlines()
    example = [line.removeprefix("#   ") if line.startswith("#   ") else line for line in lines]
    assert example != lines
    (tmp_path / "main.py").write_text("\n".join(example))
    (tmp_path / "platform.yaml").write_bytes((folder / "platform.yaml").read_bytes())
    environment = {**os.environ, **node_tools.environment, "CDKTF_OUTDIR": "out"}
    subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, check=True, capture_output=True, env=environment
    )
    stack = json.loads((tmp_path / "out" / "stacks" / "fraud-dev-network" / "cdk.tf.json").read_text())
    assert all(subnet.startswith("${aws_subnet.") for subnet in stack["output"]["my-subnets"]["value"])
    assert "terraform_remote_state" not in json.dumps(stack["output"]["my-subnets"])


def test_the_pipeline_fits_its_vendors_schema(project: tuple[Path, str, str]) -> None:
    folder, _, ci = project
    if ci not in PIPELINE:
        return
    schemas = {
        PIPELINE["github"]: "vendor.github-workflows",
        ACTION: "vendor.github-actions",
        PIPELINE["gitlab"]: "vendor.gitlab-ci",
    }
    for name in CI_OF[ci] & schemas.keys():
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schemas[name], name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_jobs_of_the_pipeline_check_test_scan_plan_build_and_deploy(
    project: tuple[Path, str, str],
) -> None:
    folder, _, ci = project
    if ci not in PIPELINE:
        return
    pipeline = yaml.safe_load((folder / PIPELINE[ci]).read_text())
    jobs = pipeline["jobs"] if ci == "github" else pipeline
    deploys = {"deploy"} if ci == "github" else {"deploy-dev", "deploy-prod"}
    assert jobs.keys() >= {"check", "terraform-test", "scan", "plan", "images", *deploys}
    if ci == "github":
        assert jobs["deploy"]["needs"] == "images"
        assert jobs["images"]["needs"] == ["check", "terraform-test", "scan"]
    else:
        assert pipeline["stages"] == ["check", "plan", "images", "deploy"]


def test_the_scanner_of_the_pipeline_is_the_one_that_this_repository_tests_with(
    project: tuple[Path, str, str],
) -> None:
    folder, _, ci = project
    if ci not in PIPELINE:
        return
    locked = (ROOT / "requirements" / "checkov.txt").read_text()
    (version,) = re.findall(r"^checkov==(\S+)", locked, re.MULTILINE)
    assert f'  CHECKOV_VERSION: "{version}"\n' in (folder / PIPELINE[ci]).read_text()


def test_the_scan_accepts_what_it_names_and_nothing_else(
    project: tuple[Path, str, str], scaffolder_cli: Path, checkov: Path
) -> None:
    folder, _, ci = project
    if ci != "github":
        return
    subprocess.run([scaffolder_cli, "synth"], cwd=folder, check=True, capture_output=True)
    scan = [str(checkov), "--config-file", ".checkov.yaml"]
    done = subprocess.run(scan, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    stack = folder / "cdktf.out" / "stacks" / "fraud-dev-registry" / "cdk.tf.json"
    stack.write_text(stack.read_text().replace('"IMMUTABLE"', '"MUTABLE"'))
    broken = subprocess.run(scan, cwd=folder, capture_output=True, text=True, check=False)
    shutil.rmtree(folder / "cdktf.out")
    assert broken.returncode == 1
    assert "CKV_AWS_51" in broken.stdout


def test_each_image_that_the_project_names_has_a_recipe(project: tuple[Path, str, str]) -> None:
    folder, _, _ = project
    definition = yaml.safe_load((folder / "pipelines" / "train.yaml").read_text())
    named = {definition["image"], definition["steps"]["register"]["register"]["image"]}
    recipes = {path.parent.name for path in folder.glob("containers/*/Dockerfile")}
    assert {image.partition(":")[0] for image in named} == recipes
    spec = yaml.safe_load((folder / "platform.yaml").read_text())
    assert recipes <= set(spec["containers"]["repositories"])


def test_the_pipeline_assumes_roles_that_the_platform_makes(project: tuple[Path, str, str]) -> None:
    folder, _, ci = project
    if ci not in PIPELINE:
        return
    roles = {
        node.arguments["name"]
        for linked in synthesize(folder / "platform.yaml").stacks
        for node in linked.nodes
        if node.address.type == "aws_iam_role"
    }
    assert roles >= {f"fraud-{name}-ci-{use}" for name in ("dev", "prod") for use in ROLES}
    text = (folder / PIPELINE[ci]).read_text()
    for use in ROLES:
        assert {"github": f"-ci-{use}\n", "gitlab": f"ROLE: ci-{use}\n"}[ci] in text
    assert "\n  PLATFORM: fraud\n" in text


def test_actions_are_pinned_and_nothing_is_granted_at_large(project: tuple[Path, str, str]) -> None:
    folder, _, ci = project
    if ci != "github":
        return
    text = (folder / PIPELINE[ci]).read_text()
    lines = [*text.splitlines(), *(folder / ACTION).read_text().splitlines()]
    uses = {line.split("uses:")[1].strip() for line in lines if "uses:" in line}
    own = f"$/{Path(ACTION).parent.as_posix()}"
    assert own in uses
    for use in uses - {own}:
        reference, _, version = use.partition(" # ")
        assert len(reference.partition("@")[2]) == 40, use
        assert version.startswith("v"), use
    assert "\npermissions: {}\n" in text
    assert "secrets." not in text
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("zizmor")),
            "--offline",
            "--quiet",
            "--no-exit-codes",
            "--format",
            "json",
            ".",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [finding["ident"] for finding in json.loads(done.stdout)] == []


def test_plain_cookiecutter_renders_the_same(scaffolder_cli: Path, tmp_path: Path) -> None:
    ours = new_project(scaffolder_cli, tmp_path / "fraud-platform", "--ci", "gitlab")
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        json.dumps({"cookiecutters_dir": str(tmp_path / "c"), "replay_dir": str(tmp_path / "r")})
    )
    target = tmp_path / "plain"
    target.mkdir()
    answers = {"platform": "ci=gitlab", "ci": "system=gitlab"}
    for template, answer in answers.items():
        subprocess.run(
            [
                *(sys.executable, "-m", "cookiecutter", str(TEMPLATE.parent / template), "--no-input"),
                *("--config-file", str(settings), "--overwrite-if-exists", "--output-dir", str(target)),
                *("name=fraud", "project_slug=fraud-platform", "repository=acme/fraud-platform", answer),
            ],
            check=True,
            capture_output=True,
        )
    made = files_of(ours)
    del made[".scaffolder-project.json"]
    assert files_of(target / "fraud-platform") == made


def test_the_schema_beside_the_spec_is_the_current_one() -> None:
    (shipped,) = TEMPLATE.glob("*/platform.schema.json")
    current = ROOT / "docs" / "reference" / "platform.schema.json"
    assert shipped.read_bytes() == current.read_bytes(), "`make regen` rewrites it"
