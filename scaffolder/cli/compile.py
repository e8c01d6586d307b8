"""``scaffolder compile``: the document that a pipeline becomes.

Thin: reads the spec, compiles and prints. May not import an SDK, nor know a cloud.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import tell_findings
from scaffolder.errors import Finding, OutputFolderError
from scaffolder.operations.compiling import (
    KUBEFLOW,
    SERVICES,
    Document,
    as_text,
    for_kubeflow,
    for_service,
    is_like,
)
from scaffolder.spec.load import LoadedSpec, load_spec

__all__ = ["command"]


@click.command(name="compile", short_help="Print the document that a pipeline becomes.")
@click.argument("pipeline", metavar="PIPELINE")
@click.option(
    "-f",
    "--spec",
    "spec",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=options.DEFAULT_SPEC,
    show_default=True,
    help="The spec.",
)
@click.option("--env", "environment", metavar="ENV", help="The environment; the spec's first, when left out.")
@click.option(
    "--to",
    "to",
    type=click.Choice([*SERVICES, KUBEFLOW]),
    help="What it becomes; what the environment's cloud runs, when left out.",
)
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write a file instead of printing."
)
@options.findings_style()
def command(
    pipeline: str,
    spec: Path,
    environment: str | None,
    to: str | None,
    out: Path | None,
    style: options.FindingsStyle,
) -> None:
    r"""Print the document that a pipeline of the spec becomes, as its service's own tool takes it.

    PIPELINE is a name below `pipelines` in the spec. On AWS it is SageMaker's JSON, on Google Cloud the template of
    Vertex AI, on Azure the YAML of a pipeline job, and with `--to kubeflow` the YAML that any cluster with Kubeflow
    Pipelines runs, wherever the environment is. Names stand where a stack has references; what only the cloud knows
    has a stand-in that is named on stderr. Needs no credentials and no network.

    For the service of another cloud the environment is moved there first, as `diff --target` reckons it. What the
    target cannot express is a finding.

    \b
    Examples:
      scaffolder compile train
      scaffolder compile train --to kubeflow --out train.yaml
      scaffolder compile train --env dev --to vertex | jq .root
    """
    loaded = load_spec(spec, [environment] if environment else None)
    loaded = replace(loaded, environments=loaded.environments[:1])
    if to == KUBEFLOW:
        document, warnings = for_kubeflow(loaded, pipeline)
    else:
        document, warnings = _for_service(loaded, pipeline, to)
    tell_findings(warnings, style, err=True)
    for line in document.stand_ins:
        click.echo(f"stand-in: {line}", err=True)
    if out is None:
        click.echo(as_text(document).encode(), nl=False)
    else:
        _write(out, document)
        click.echo(f"wrote {out}", err=True)


def _for_service(loaded: LoadedSpec, pipeline: str, to: str | None) -> tuple[Document, tuple[Finding, ...]]:
    (environment,) = loaded.environments
    provider = SERVICES[to] if to else environment.spec.target.provider
    if provider == environment.spec.target.provider:
        return for_service(loaded, pipeline)
    from scaffolder.report.move import moved  # noqa: PLC0415 - only a move needs it
    from scaffolder.report.needs import Destination  # noqa: PLC0415

    there, stand_ins = moved(loaded, Destination(provider=provider))
    document, warnings = for_service(there, pipeline)
    return replace(document, stand_ins=(*stand_ins, *document.stand_ins)), warnings


def _write(path: Path, document: Document) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputFolderError: it cannot be written, or is there and is no such document.
    """
    try:
        if path.exists() and not is_like(document, path.read_bytes()):
            raise OutputFolderError(
                f"{path} is there and was not written by `scaffolder compile`; name another file"
            )
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(as_text(document), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise OutputFolderError(f"{path} cannot be written: {error.strerror}") from error
