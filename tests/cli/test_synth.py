from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

BAD = SPEC + "nmae: x\n"
OPENED = SPEC + 'overrides: {"aws_s3_bucket_public_access_block.data": {block_public_acls: false}}\n'
TWO = SPEC + "environments: {dev: {}, prod: {network: {cidr: 10.41.0.0/16}}}\n"


def resources(cli: Cli, folder: str) -> int:
    """Count what was written, without asking the program."""
    documents = [
        json.loads(content) for path, content in cli.files(folder).items() if path.endswith("/cdk.tf.json")
    ]
    return sum(len(names) for each in documents for names in each["resource"].values())


def test_the_layout_is_cdktfs(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("synth", "--out", "build")
    assert (ran.code, ran.stderr) == (0, "")
    files = cli.files("build")
    manifest = json.loads(files["manifest.json"])
    stacks = [*manifest["stacks"]]
    assert "churn-dev-state" in stacks
    assert set(files) == {
        ".scaffolder.json",
        "manifest.json",
        *(f"stacks/{name}/cdk.tf.json" for name in stacks),
    }
    lines = ran.stdout.splitlines()
    count = resources(cli, "build")
    assert lines[0] == f"churn: {len(stacks)} stacks, {count} resources in build ({len(stacks) + 1} written)"
    assert lines[1] == "Planned, and not made yet:"
    assert lines[2] == "  - human role admins: nobody could assume it"
    assert lines[-3:] == [
        "Next: terraform -chdir=build/stacks/churn-dev-state init",
        "      terraform -chdir=build/stacks/churn-dev-state apply",
        "      and so on in the order that `scaffolder preview` shows",
    ]


def test_the_same_bytes_every_time(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    for seed, folder in (("1", "one"), ("2", "two")):
        assert cli.run("synth", "--out", folder, environment={"PYTHONHASHSEED": seed}).code == 0
    assert cli.files("one") == cli.files("two")


def test_a_second_run_changes_nothing(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.run("synth")
    before = (cli.folder / "cdktf.out").stat().st_ino
    ran = cli.run("synth")
    assert ran.stdout.splitlines()[0].endswith(" resources in cdktf.out (unchanged)")
    assert (cli.folder / "cdktf.out").stat().st_ino == before


def test_as_an_app_command_it_writes_where_cdktf_says(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("synth", environment={"CDKTF_OUTDIR": "elsewhere"})
    assert ran.code == 0
    assert "manifest.json" in cli.files("elsewhere")
    assert "Next:" not in ran.stdout
    assert not (cli.folder / "cdktf.out").exists()


def test_in_a_cdktf_project_the_next_step_is_cdktfs(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.write("cdktf.json", "{}")
    assert cli.run("synth").stdout.splitlines()[-2:] == [
        "Next: cdktf deploy --skip-synth churn-dev-state   # once: the others keep their state there",
        "      cdktf deploy --skip-synth 'churn-dev-*'",
    ]
    cli.write("platform.yaml", f"{(cli.folder / 'platform.yaml').read_text()}state: {{backend: local}}\n")
    ran = cli.run("synth", "--out", "build")
    assert ran.stdout.splitlines()[-1] == "Next: cdktf deploy --skip-synth --output build 'churn-dev-*'"


def test_hcl(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("synth", "--format", "hcl", "--out", "build")
    assert (ran.code, ran.stderr) == (0, "")
    main = cli.files("build")["stacks/churn-dev-state/main.tf"].decode()
    assert 'resource "aws_s3_bucket" "state" {' in main
    assert "manifest.json" not in cli.files("build")


def test_one_environment(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    cli.run("synth", "--env", "prod")
    stacks = json.loads(cli.files("cdktf.out")["manifest.json"])["stacks"]
    assert {name.split("-")[1] for name in stacks} == {"prod"}


def test_the_document_says_what_was_written(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("synth", "--json")
    assert (ran.code, ran.stderr) == (0, "")
    (spec,) = ran.document["specs"]
    assert {**ran.document, "specs": None} == {"format": "terraform", "check": False, "specs": None}
    assert list(spec) == [
        *("spec", "platform", "out", "environments", "stacks", "resources"),
        *("written", "removed", "unchanged", "skipped", "findings", "error"),
    ]
    assert set(spec["written"]) == {*cli.files("cdktf.out")} - {".scaffolder.json"}
    assert spec["resources"] == resources(cli, "cdktf.out")
    again = cli.run("synth", "--json").document["specs"][0]
    assert (again["written"], again["unchanged"]) == ([], spec["written"])


def test_check_writes_nothing_and_tells_what_differs(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    missing = cli.run("synth", "--check")
    assert missing.code == 1
    assert "  differs: manifest.json\n" in missing.stdout
    assert not (cli.folder / "cdktf.out").exists()
    cli.run("synth")
    same = cli.run("synth", "--check")
    assert (same.code, len(same.stdout.splitlines())) == (0, 1)
    cli.write("platform.yaml", SPEC.replace("growth-ml", "other-team"))
    before = cli.files("cdktf.out")
    changed = cli.run("synth", "--check")
    assert changed.code == 1
    assert "  differs: stacks/churn-dev-state/cdk.tf.json\n" in changed.stdout
    assert "  to be removed: stacks/churn-prod-state/cdk.tf.json\n" in changed.stdout
    assert cli.files("cdktf.out") == before


def test_check_sees_an_edit(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.run("synth")
    cli.write("cdktf.out/manifest.json", "{}")
    ran = cli.run("synth", "--check")
    assert ran.code == 1
    assert ran.stdout.splitlines()[1:] == ["  differs: manifest.json"]


def test_an_edit_is_overwritten_only_by_force(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.run("synth")
    good = cli.files("cdktf.out")
    cli.write("cdktf.out/manifest.json", "{}")
    refused = cli.run("synth")
    assert (refused.code, refused.stdout) == (3, "")
    assert refused.stderr.startswith(
        "error: cdktf.out holds generated files that were edited since: manifest"
    )
    assert cli.run("synth", "--force").code == 0
    assert cli.files("cdktf.out") == good


def test_a_folder_of_others_is_refused(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.write("build/notes.txt", "mine")
    ran = cli.run("synth", "--out", "build")
    assert (ran.code, ran.stdout) == (3, "")
    assert "holds files: notes.txt" in ran.stderr
    assert cli.files("build") == {"notes.txt": b"mine"}


def test_strict_writes_nothing_when_there_is_a_warning(cli: Cli) -> None:
    cli.write("platform.yaml", OPENED)
    strict = cli.run("synth", "--strict")
    assert (strict.code, strict.stdout) == (2, "")
    assert "error[public-access]" in strict.stderr
    assert not (cli.folder / "cdktf.out").exists()
    loose = cli.run("synth")
    assert loose.code == 0
    assert "warning[public-access]" in loose.stderr


def test_several_specs_go_into_folders_by_name_and_a_bad_one_stops_no_other(cli: Cli) -> None:
    cli.write("a.yaml", SPEC.replace("churn", "alpha"))
    cli.write("b.yaml", BAD)
    cli.write("c.yaml", SPEC.replace("churn", "gamma"))
    ran = cli.run("synth", "a.yaml", "b.yaml", "c.yaml", "--out", "build")
    assert ran.code == 2
    assert {path.split("/")[0] for path in cli.files("build")} == {"alpha", "gamma"}
    heads = [line.split(" in ")[1] for line in ran.stdout.splitlines() if " resources in " in line]
    assert [head.split()[0] for head in heads] == ["build/alpha", "build/gamma"]
    assert "b.yaml:5:1: error[unknown-key]: " in ran.stderr


def test_several_specs_in_one_document(cli: Cli) -> None:
    cli.write("a.yaml", SPEC.replace("churn", "alpha"))
    cli.write("b.yaml", BAD)
    ran = cli.run("synth", "a.yaml", "b.yaml", "--json")
    assert (ran.code, ran.stderr) == (2, "")
    good, bad = ran.document["specs"]
    assert (good["platform"], good["out"], good["findings"]) == ("alpha", "cdktf.out/alpha", [])
    assert (bad["platform"], bad["out"], bad["written"]) == (None, None, [])
    assert [finding["code"] for finding in bad["findings"]] == ["unknown-key"]


def test_two_platforms_of_one_name_are_refused(cli: Cli) -> None:
    cli.write("a.yaml")
    cli.write("b.yaml", SPEC.replace("growth-ml", "other-team"))
    ran = cli.run("synth", "a.yaml", "b.yaml", "--out", "build")
    assert ran.code == 64
    assert ran.stderr == (
        'b.yaml: error: its platform is named "churn" like that of a.yaml, so it is not written\n'
    )
    cli.run("synth", "a.yaml", "--out", "alone")
    of_a = {path: content for path, content in cli.files("build").items() if path.endswith(".tf.json")}
    assert of_a == {
        f"churn/{path}": content for path, content in cli.files("alone").items() if path.endswith(".tf.json")
    }


def test_no_more_memory_is_held_for_more_specs(cli: Cli) -> None:
    """The graphs and documents of 40 platforms take tens of megabytes; 6 are room for noise."""
    one = memory_kib(cli, [cli.write("s0.yaml", SPEC.replace("churn", "plat-0")).name])
    many = [cli.write(f"s{n}.yaml", SPEC.replace("churn", f"plat-{n}")).name for n in range(40)]
    assert memory_kib(cli, many) - one < 6 * 1024


def memory_kib(cli: Cli, specs: list[str]) -> int:
    """Measure what a run took at most, as the parent of nothing else."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, cli.executable, "synth", *specs, "--out", f"out-{len(specs)}"],
        cwd=cli.folder,
        env=cli.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return int(done.stdout)
