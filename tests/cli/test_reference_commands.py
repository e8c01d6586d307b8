"""``explain``, ``schema`` and ``completion``: what the program says of itself."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli


def test_explain_a_key(cli: Cli) -> None:
    ran = cli.run("explain", "network.zones")
    assert (ran.code, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == "network.zones"
    assert "  required  no" in lines
    assert "  default   3" in lines
    example = lines.index("  example")
    assert lines[example + 1] == "    network:"
    assert lines[example + 2].startswith("      zones: ")


def test_explain_lists_all_keys_without_a_field(cli: Cli) -> None:
    ran = cli.run("explain")
    assert ran.code == 0
    for key in ("version", "name", "environments", "overrides"):
        assert f"\n    {key} " in ran.stdout


@pytest.mark.parametrize("field", ["", "overrides", "endpoints.*.replicas", "network", "security.profiles"])
def test_explanations_fit_80_columns(cli: Cli, field: str) -> None:
    ran = cli.run("explain", field)
    assert ran.code == 0
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []


def test_explain_as_json(cli: Cli) -> None:
    ran = cli.run("explain", "network.zones", "--json")
    document = ran.document
    assert list(document) == ["path", "doc", "type", "required", "default", "valid", "example", "keys"]
    assert (document["path"], document["required"], document["default"]) == ("network.zones", False, "3")
    assert cli.run("explain", "name", "--json").document["default"] is None
    keys = cli.run("explain", "network", "--json").document["keys"]
    assert "zones" in [key["name"] for key in keys]


def test_an_unknown_key_gets_the_nearest_one(cli: Cli) -> None:
    ran = cli.run("explain", "network.zonse")
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr.startswith("error: ")
    assert ran.stderr.endswith('Did you mean "zones"?\n')


def test_the_schema_is_one_json_document(cli: Cli) -> None:
    ran = cli.run("schema")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.document["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_is_written_and_written_again_but_over_no_other_file(cli: Cli) -> None:
    printed = cli.run("schema").stdout
    ran = cli.run("schema", "--out", "platform.schema.json")
    assert (ran.code, ran.stdout) == (0, "wrote platform.schema.json\n")
    assert (cli.folder / "platform.schema.json").read_text(encoding="utf-8") == printed
    older = {**json.loads(printed), "properties": {}}
    cli.write("platform.schema.json", json.dumps(older))
    assert cli.run("schema", "--out", "platform.schema.json").code == 0
    assert (cli.folder / "platform.schema.json").read_text(encoding="utf-8") == printed
    cli.write("notes.json", "[]")
    refused = cli.run("schema", "--out", "notes.json")
    assert (refused.code, refused.stdout) == (3, "")
    assert refused.stderr == (
        "error: notes.json is there and was not written by `scaffolder schema`; name another file\n"
    )
    assert (cli.folder / "notes.json").read_text(encoding="utf-8") == "[]"


def test_a_schema_in_no_folder_is_refused(cli: Cli) -> None:
    ran = cli.run("schema", "--out", "nowhere/platform.schema.json")
    assert (ran.code, ran.stderr) == (
        3,
        "error: nowhere/platform.schema.json cannot be written: No such file or directory\n",
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(cli: Cli, shell: str) -> None:
    ran = cli.run("completion", shell)
    assert ran.code == 0
    assert f"_SCAFFOLDER_COMPLETE={shell}_complete" in ran.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (("scaffolder", "val"), {"validate"}),
        (("scaffolder", "--ver"), {"--version"}),
        (("scaffolder", "synth", "--che"), {"--check"}),
        (("scaffolder", "explain", "network.zo"), {"network.zones"}),
        (("scaffolder", "completion", "z"), {"zsh"}),
    ],
    ids=str,
)
def test_bash_completes(cli: Cli, words: tuple[str, ...], completed: set[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash on PATH")
    listed = " ".join(words)
    script = (
        f"source <(scaffolder completion bash)\nCOMP_WORDS=({listed})\nCOMP_CWORD={len(words) - 1}\n"
        '_scaffolder_completion scaffolder\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=cli.folder,
        env=cli.environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert {line for line in done.stdout.splitlines() if line} == completed, done.stderr


def test_bash_completes_specs_from_the_folder(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC)
    environment = {
        "_SCAFFOLDER_COMPLETE": "bash_complete",
        "COMP_WORDS": "scaffolder preview plat",
        "COMP_CWORD": "2",
    }
    assert cli.run(environment=environment).stdout == "file,plat\n"
