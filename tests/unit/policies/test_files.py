"""The copy that a project keeps: written and read back, found, and held to what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.errors import SpecError
from scaffolder.pipeline import synthesize
from scaffolder.policies.files import digest_of, parse_policies, policy_file
from scaffolder.policies.model import Policy, Regions
from scaffolder.policies.place import POLICY_FILE, PROJECT_RECORD, place_of
from scaffolder.report.move import moves_of
from scaffolder.report.needs import Destination
from scaffolder.spec.load import load_spec

SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
"""
SIZES = Policy(name="sizes", owner="finops", allowed_instances=("cpu.small",))
BREACH = SPEC + "workspace: {instance: gpu.a10}\n"

TEXTS = st.text(st.characters(exclude_categories=["C", "Z"], codec="utf-8"), min_size=1, max_size=20)
POLICY = st.builds(
    Policy,
    name=st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,5})?", fullmatch=True),
    owner=st.just("security@acme.example"),
    says=TEXTS,
    environments=st.lists(st.sampled_from(["prod", "pr*", "*"]), unique=True, max_size=2).map(tuple),
    allowed_regions=st.none()
    | st.builds(Regions, aws=st.just(("eu-west-1",)), azure=st.sampled_from([(), ("uk",)])),
    allowed_instances=st.lists(st.sampled_from(["cpu.*", "gpu.t4×2", "no"]), min_size=1, unique=True).map(
        tuple
    ),
    mandatory_tags=st.dictionaries(
        st.sampled_from(["cost-center", "yes"]), st.sampled_from(["[0-9]{4}", '\\"']), max_size=2
    ),
    minimum_profiles=st.lists(st.sampled_from(["hipaa", "soc2"]), unique=True).map(tuple),
)


@given(st.lists(POLICY, max_size=4, unique_by=lambda policy: policy.name))
def test_what_is_written_is_read_back(policies: list[Policy]) -> None:
    content = policy_file("acme", policies)
    read = parse_policies(content.decode(), POLICY_FILE)
    assert (read.policies, read.findings) == (tuple(policies), ())
    assert policy_file("acme", read.policies) == content


def test_the_file_says_what_it_is_and_leaves_defaults_out() -> None:
    policy = Policy(
        name="eu-only",
        owner="security@acme.example",
        says='data "stays"',
        environments=("prod",),
        allowed_regions=Regions(aws=("eu-west-1",)),
    )
    assert policy_file("acme", [policy, SIZES]).decode() == (
        "# Policies of the catalog acme, which platform.yaml is held to. Written by Scaffolder: do not edit;\n"
        "# `scaffolder update` brings the catalog's newer ones.\n"
        "version: 1\n"
        "catalog: acme\n"
        "policies:\n"
        '  - name: "eu-only"\n'
        '    owner: "security@acme.example"\n'
        '    says: "data \\"stays\\""\n'
        '    environments: ["prod"]\n'
        '    allowed_regions: {"aws": ["eu-west-1"]}\n'
        '  - name: "sizes"\n'
        '    owner: "finops"\n'
        '    allowed_instances: ["cpu.small"]\n'
    )


def test_a_digest_is_of_the_text_and_not_of_its_line_endings() -> None:
    content = policy_file("acme", [SIZES])
    assert digest_of(content) == digest_of(content.replace(b"\n", b"\r\n"))
    assert digest_of(content) != digest_of(content.replace(b"small", b"large"))
    assert digest_of(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def project(
    folder: Path, *policies: Policy, spec: str = BREACH, edit: Callable[[bytes], bytes] | None = None
) -> Path:
    """A project as Scaffolder leaves it, and its copy edited afterwards."""
    content = policy_file("acme", policies)
    record = {"policies": {"catalog": "acme", "digest": digest_of(content)}}
    (folder / PROJECT_RECORD).write_text(json.dumps(record), encoding="utf-8")
    (folder / POLICY_FILE).write_bytes(edit(content) if edit else content)
    path = folder / "platform.yaml"
    path.write_text(spec, encoding="utf-8")
    return path


def told(path: Path) -> str:
    try:
        synthesize(path)
    except SpecError as error:
        return str(error).replace(f"{path.parent}/", "")
    return ""


SIZE_TOLD = (
    'platform.yaml:5:23: error[policy]: workspace.instance "gpu.a10" is against policy sizes of finops\n'
    "  It allows cpu.small."
)


def test_a_spec_is_held_to_what_its_project_keeps(tmp_path: Path) -> None:
    assert told(project(tmp_path, SIZES)) == SIZE_TOLD
    assert told(project(tmp_path, SIZES, spec=SPEC)) == ""


def test_a_copy_without_a_record_counts_too(tmp_path: Path) -> None:
    path = project(tmp_path, SIZES)
    (tmp_path / PROJECT_RECORD).unlink()
    assert told(path) == SIZE_TOLD


REPAIR = (
    "  Take .scaffolder-policies.yaml and .scaffolder-project.json from version control as they were, or run "
    "`scaffolder update`."
)


def test_an_edited_copy_is_told_and_still_counts(tmp_path: Path) -> None:
    path = project(tmp_path, SIZES, edit=lambda content: content.replace(b"cpu.small", b"cpu.medium"))
    assert told(path) == (
        ".scaffolder-policies.yaml:1:1: error[policies-edited]: the policies are not those that Scaffolder wrote: "
        f".scaffolder-project.json has another digest for them\n{REPAIR}\n"
        f"{SIZE_TOLD.replace('cpu.small', 'cpu.medium')}"
    )


def test_line_endings_that_git_changed_are_no_edit(tmp_path: Path) -> None:
    assert told(project(tmp_path, SIZES, edit=lambda content: content.replace(b"\n", b"\r\n"))) == SIZE_TOLD


def test_a_copy_that_was_taken_away_is_told(tmp_path: Path) -> None:
    path = project(tmp_path, SIZES)
    (tmp_path / POLICY_FILE).unlink()
    assert told(path) == (
        ".scaffolder-project.json:1:1: error[policies-edited]: the project was made under policies, and their copy "
        f".scaffolder-policies.yaml is not there\n{REPAIR}"
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"version: 1\ncatalog: acme\npolices: []\n", "unknown-key"),
        (b"version: 1\ncatalog: acme\npolicies: [{name: a, owner: b}]\n", "no-effect"),
        (b"", "no-content"),
        (b"\xff\xfe", "encoding"),
        (b"#" * (1024 * 1024 + 1), "size"),
        (b"a: [", "yaml"),
    ],
)
def test_a_copy_that_cannot_be_read_stops_everything(tmp_path: Path, content: bytes, code: str) -> None:
    path = project(tmp_path, SIZES, spec=SPEC)
    (tmp_path / PROJECT_RECORD).unlink()
    (tmp_path / POLICY_FILE).write_bytes(content)
    with pytest.raises(SpecError) as caught:
        synthesize(path)
    assert {finding.code for finding in caught.value.findings} >= {code}
    assert {Path(finding.file).name for finding in caught.value.findings} == {POLICY_FILE}


def test_a_folder_in_the_copys_place_is_told(tmp_path: Path) -> None:
    path = project(tmp_path, SIZES, spec=SPEC)
    (tmp_path / POLICY_FILE).unlink()
    (tmp_path / POLICY_FILE).mkdir()
    assert "error[file]: the policies cannot be read: Is a directory" in told(path)


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"policies": null}', '{"policies": {"digest": 1}}', "<<<<<<< yours"]
)
def test_a_record_that_says_nothing_of_policies_asks_for_nothing(tmp_path: Path, record: str) -> None:
    path = project(tmp_path, SIZES, spec=SPEC)
    (tmp_path / PROJECT_RECORD).write_text(record, encoding="utf-8")
    assert told(path) == ""
    (tmp_path / POLICY_FILE).unlink()
    assert told(path) == ""


def moved_to(path: Path, to: Destination) -> list[str]:
    return [finding.message for move in moves_of(load_spec(path), to) for finding in move.findings]


def test_a_move_is_told_what_a_policy_refuses_there(tmp_path: Path) -> None:
    eu = Policy(name="eu", owner="sec", allowed_regions=Regions(gcp=("europe-west4",)))
    path = project(tmp_path, eu, spec=SPEC)
    assert "target.provider" in told(path)
    there = Destination(provider="gcp", region="europe-west1", account=None)
    assert moved_to(path, there) == ['target.region "europe-west1" is against policy eu of sec']
    assert moved_to(path, replace(there, region="europe-west4")) == []


# --- where it is looked for ------------------------------------------------------------------------------------------


def put(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}", encoding="utf-8")


def folder_of(spec: Path) -> str | None:
    place = place_of(str(spec))
    return place.folder if place else None


def test_a_spec_below_its_projects_top_has_its_policies(tmp_path: Path) -> None:
    put(tmp_path / POLICY_FILE, tmp_path / PROJECT_RECORD)
    assert folder_of(tmp_path / "infra" / "prod" / "platform.yaml") == str(tmp_path)


def test_a_repositorys_policies_hold_for_the_specs_in_it(tmp_path: Path) -> None:
    put(tmp_path / ".git" / "HEAD", tmp_path / POLICY_FILE)
    assert folder_of(tmp_path / "platforms" / "churn" / "platform.yaml") == str(tmp_path)


def test_nothing_above_a_project_or_a_repository_holds_for_it(tmp_path: Path) -> None:
    put(tmp_path / POLICY_FILE, tmp_path / "a" / PROJECT_RECORD, tmp_path / "b" / ".git")
    assert folder_of(tmp_path / "b" / "platform.yaml") is None
    place = place_of(str(tmp_path / "a" / "platform.yaml"))
    assert place is not None
    assert (place.folder, place.copy, place.record) == (str(tmp_path / "a"), False, True)


def test_the_nearest_copy_is_the_one(tmp_path: Path) -> None:
    put(tmp_path / ".git" / "HEAD", tmp_path / POLICY_FILE, tmp_path / "a" / POLICY_FILE)
    assert folder_of(tmp_path / "a" / "platform.yaml") == str(tmp_path / "a")


def test_in_no_project_and_no_repository_only_the_specs_own_folder_counts(tmp_path: Path) -> None:
    put(tmp_path / POLICY_FILE)
    assert folder_of(tmp_path / "platform.yaml") == str(tmp_path)
    assert folder_of(tmp_path / "below" / "platform.yaml") is None


def test_findings_name_the_copy_as_the_spec_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, SIZES, edit=lambda content: content + b"\n")
    spec = tmp_path / "infra" / "platform.yaml"
    put(spec)
    spec.write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "infra")
    with pytest.raises(SpecError) as caught:
        synthesize("platform.yaml")
    assert [finding.file for finding in caught.value.findings] == [f"../{POLICY_FILE}"]
