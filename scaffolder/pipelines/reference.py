"""The pipeline vocabulary for readers and for editors: a page of all keys, and a JSON Schema.

Generated from the model. May not state a default or a limit of its own.
"""

from __future__ import annotations

from scaffolder.pipelines.model import PipelineSpec
from scaffolder.spec.json_schema import document_schema
from scaffolder.spec.reference import document_page

__all__ = ["pipeline_page", "pipeline_schema"]

INTRODUCTION = """\
What a file that `pipelines.*.definition` names may say. `*` stands for a name of your own. A required key has to be there;
one without a default is off when it is left out. Paths are relative to the spec's folder.

A step runs a command in a container, or registers a model. It comes after the steps whose outputs it takes, whose numbers its
gate reads and that `after` names. In a command, `{params.NAME}` is the value of a parameter, `{inputs.NAME}` and
`{outputs.NAME}` are folders in the container; other braces stand for themselves. A step whose output is of kind `metrics`
writes `metrics.json` into it, a flat object of numbers. The folder `code` travels with the pipeline (text files, 1 MiB
together) and is where the command starts.

What is not there yet, the file, an image or the code, is no mistake: the pipeline is planned, and `scaffolder preview` says
what to do to get it.
"""


def pipeline_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a pipeline definition."""
    return document_schema(PipelineSpec, "Pipeline definition")


def pipeline_page() -> str:
    """The page of all keys, as Markdown."""
    return document_page(PipelineSpec, "A pipeline definition", INTRODUCTION.strip())
