"""What is emitted, read by the real Terraform: it is formatted, valid, and its strings mean what they should."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from stacks.emit import hcl, terraform_json
from stacks.emit.expressions import Json
from stacks.emit.hcl import Kind, is_block_of
from stacks.graph import (
    Backend,
    JsonText,
    LinkedStack,
    Stack,
    StackBuilder,
    Text,
    Value,
    link,
)
from stacks.schema.load import Schemas
from tests.contract.platforms import PROVIDERS, lowering
from tests.external_tools import Terraform
from tests.graphs import ALL, GRAPHS, HOSTILE
from tests.terraform.attached import run_attached
from tests.terraform.judged import EXAMPLES
from tests.terraform_language import meaning

pytestmark = pytest.mark.terraform

VERSIONS = {name: known[0] for of in PROVIDERS for name, known in lowering(of).provider_versions().items()}
IS_BLOCK = is_block_of(Schemas(VERSIONS))
ALPHABET = "$$$$%%{{{}}}\"\\~'\n\t\r\ufeff<>&\u2028ab:/*é😀"


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def json_files(stacks: Sequence[LinkedStack]) -> dict[str, bytes]:
    return terraform_json.files(stacks)


def is_block(kind: Kind, type_: str, path: tuple[str, ...]) -> bool:
    """Terraform's own type has no blocks here; all others have a schema."""
    return type_ != "terraform_data" and IS_BLOCK(kind, type_, path)


def hcl_files(stacks: Sequence[LinkedStack]) -> dict[str, bytes]:
    return hcl.files(stacks, is_block)


SYNTAXES = pytest.mark.parametrize("emit", [json_files, hcl_files])
Emit = Callable[[Sequence[LinkedStack]], dict[str, bytes]]


@pytest.mark.parametrize("graph", ALL)
def test_hcl_is_formatted_as_terraform_formats(terraform: Terraform, tmp_path: Path, graph: str) -> None:
    write(hcl_files(ALL[graph]()), tmp_path)
    done = terraform.run("fmt", "-check", "-diff", "-recursive", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


# The examples' JSON is applied by the end-to-end tests, so only their HCL is left to try here. Where a provider cannot be
# had, the stand-in's tests validate the JSON, and those of the emitters hold the HCL to say the same.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("graph", "emit"),
    [
        *((name, hcl_files) for name in ALL if name not in EXAMPLES),
        *((name, json_files) for name in GRAPHS),
    ],
)
def test_terraform_accepts_every_stack(terraform: Terraform, tmp_path: Path, graph: str, emit: Emit) -> None:
    write(emit(ALL[graph]()), tmp_path)
    for folder in sorted((tmp_path / "stacks").iterdir()):
        started = run_attached(terraform, "init", "-backend=false", cwd=folder)
        assert started.returncode == 0, started.stderr
        checked = run_attached(terraform, "validate", cwd=folder)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def strings() -> list[str]:
    chance = random.Random(7)  # noqa: S311 - strings, not secrets
    made = ["".join(chance.choices(ALPHABET, k=chance.randint(1, 10))) for _ in range(150)]
    return [*HOSTILE, *made]


def evaluated_stack() -> tuple[LinkedStack, dict[str, Value]]:
    """A stack without a provider whose outputs hold hostile strings in every position."""
    builder = StackBuilder("strings")
    values: dict[str, Value] = {}
    for number, string in enumerate(strings()):
        node = builder.resource("terraform_data", f"n{number}", {"input": string}, origin="strings")
        out, identity = node.ref("output"), node.ref("id")
        values[f"v{number}"] = {
            "plain": string,
            "nested": [string, {string: string}],
            "text": Text((string, out, string, string, identity, string)),
            "json": JsonText(
                {
                    string: string,
                    "safe": Text((string, identity, string)),
                    "any": Text((string, out, string)),
                    "alone": [out, identity],
                    "inner": JsonText([string, out]),
                }
            ),
        }
        builder.export(f"v{number}", values[f"v{number}"])
        builder.export(f"n{number}_id", identity)
    made = Stack(
        name="strings",
        concern="strings",
        environment="dev",
        nodes=builder.nodes,
        providers=(),
        backend=Backend(kind="local", config={}),
        required_terraform=">= 1.4",
        exports=builder.exports,
    )
    return link([made])[0], values


def decoded(value: object) -> object:
    """Decode the JSON texts: Terraform spells some characters in them another way."""
    if isinstance(value, dict):
        return {
            key: (json.loads(cast(str, item)) if key in {"json", "inner"} else item)
            for key, item in value.items()
        }
    return value


def comparable(value: object) -> object:
    whole = cast("dict[str, object]", decoded(value))
    return {**whole, "json": decoded(whole["json"])}


@SYNTAXES
def test_strings_mean_themselves_to_terraform(tmp_path: Path, emit: Emit) -> None:
    # `terraform_data` is built in: this needs a terraform, but no provider and no network.
    executable = shutil.which("terraform")
    if executable is None:
        pytest.skip("there is no terraform on PATH")
    linked, values = evaluated_stack()
    write(emit([linked]), tmp_path / "a" / "out")
    folder = tmp_path / "a" / "out" / "stacks" / "strings"
    runner = Terraform(Path(executable), {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"})

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = runner.run(*arguments, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    run("init", "-input=false")
    run("apply", "-auto-approve", "-input=false")
    assert (tmp_path / "a" / "terraform.strings.tfstate").is_file(), "the state is not where CDKTF puts it"
    outputs = {name: item["value"] for name, item in json.loads(run("output", "-json").stdout).items()}
    inputs = dict(enumerate(strings()))

    def resolve(reference: str) -> Json:
        _, name, attribute = reference.split(".")
        return cast(str, outputs[f"{name}_id"]) if attribute == "id" else inputs[int(name[1:])]

    for name, value in values.items():
        assert comparable(outputs[name]) == comparable(meaning(value, resolve)), name
