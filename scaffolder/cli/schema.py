"""``scaffolder schema``: the JSON Schema of the spec, or of a pipeline definition, for editors.

Thin: prints or writes one file. May not write over a file that it did not write.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from scaffolder.errors import OutputFolderError
from scaffolder.pipelines.reference import pipeline_schema
from scaffolder.spec.json_schema import json_schema

__all__ = ["command"]

KNOWN_BY = ("$schema", "title")


@click.command(name="schema", short_help="Print the spec's JSON Schema, for editors.")
@click.option("--pipeline", is_flag=True, help="The schema of a pipeline definition, instead of the spec's.")
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write a file instead of printing."
)
def command(*, pipeline: bool, out: Path | None) -> None:
    r"""Print the spec's JSON Schema (draft 2020-12), which gives editors completion and checks.

    \b
    An editor with the YAML language server finds it by the first line of a spec:
      # yaml-language-server: $schema=platform.schema.json

    \b
    Examples:
      scaffolder schema --out platform.schema.json
      scaffolder schema --pipeline --out pipeline.schema.json
      scaffolder schema | jq '."$defs" | keys'
    """
    schema = pipeline_schema() if pipeline else json_schema()
    content = f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n".encode()
    if out is None:
        click.echo(content, nl=False)
        return
    try:
        if out.exists() and not _is_ours(out.read_bytes(), schema):
            raise OutputFolderError(
                f"{out} is there and was not written by `scaffolder schema`; name another file"
            )
        temporary = out.with_name(f".{out.name}.{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(out)
    except OSError as error:
        raise OutputFolderError(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {out}")


def _is_ours(content: bytes, schema: dict[str, object]) -> bool:
    """Tell whether a file is this schema, as this version or another one wrote it."""
    try:
        document = json.loads(content)
    except ValueError:
        return False
    return isinstance(document, dict) and all(document.get(key) == schema[key] for key in KNOWN_BY)
