"""The record that a project keeps of how it was made: its layers, each with template, version and answers.

Only this program writes it. May not render or fetch a template.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from scaffolder.errors import TemplateError
from scaffolder.projects.answering import Answers
from scaffolder.projects.jinja import Chance
from scaffolder.projects.manifest import RECORD
from scaffolder.projects.tree import shown_path
from scaffolder.spec.secrets import secret_in
from stacks.record import record

__all__ = [
    "FORMAT",
    "RECORD",
    "Layer",
    "Policies",
    "Record",
    "find_project",
    "parse_record",
    "read_record",
    "record_bytes",
]

FORMAT: Final = 2
FIRST_VERSION: Final = "1.0.0"
"""Of the template ``platform`` in records of the first format, which had no versions."""
MOST_BYTES: Final = 1024 * 1024


@record
class Layer:
    """A template that a project is made of; ``part`` says that it came with the layer before it that is none.

    ``source`` is as :mod:`scaffolder.projects.sources` spells it; ``commit`` may be empty. ``chance`` is empty where the
    template asks for nothing random and not for the time. ``trusted`` says that its hooks were run.
    """

    template: str
    source: str
    version: str
    commit: str
    digest: str
    answers: Answers
    chance: Chance
    part: bool = False
    trusted: bool = False


@record
class Policies:
    """The catalog whose policies the project carries, and the digest of their file."""

    catalog: str
    digest: str


@record
class Record:
    """A project's name in its own files, the version of scaffolder that rendered it last, and its layers in order."""

    project: str
    scaffolder_version: str
    layers: tuple[Layer, ...]
    catalog: str = ""
    policies: Policies | None = None


def record_bytes(kept: Record) -> bytes:
    """The record's file: the same bytes for the same record, on many lines, so that git merges and shows it well."""
    document: dict[str, object] = {
        "format": FORMAT,
        "project": kept.project,
        "scaffolder_version": kept.scaffolder_version,
    }
    if kept.catalog:
        document["catalog"] = kept.catalog
    if kept.policies:
        document["policies"] = {"catalog": kept.policies.catalog, "digest": kept.policies.digest}
    document["layers"] = [_layer_document(layer) for layer in kept.layers]
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _layer_document(layer: Layer) -> dict[str, object]:
    document: dict[str, object] = {
        "template": layer.template,
        "source": layer.source,
        "version": layer.version,
    }
    if layer.part:
        document["part"] = True
    if layer.trusted:
        document["trusted"] = True
    optional = (
        ("commit", layer.commit),
        ("digest", layer.digest),
        ("seed", layer.chance.seed),
        ("moment", layer.chance.moment),
    )
    document |= {name: value for name, value in optional if value}
    document["answers"] = dict(layer.answers)
    return document


def find_project(folder: Path) -> Path:
    """The folder of the project that a folder is in: the nearest with a record, at it or above it.

    Raises:
        TemplateError: there is none.
    """
    start = folder.absolute()
    if not start.is_dir():
        raise TemplateError(f"there is no folder {start}")
    for place in (start, *start.parents):
        if (place / RECORD).is_file():
            return place
    raise TemplateError(
        f"{start} is no project of scaffolder: it has no {RECORD}. `scaffolder new` makes one, `scaffolder add` gives "
        "a template's files to a repository that is there."
    )


def read_record(project: Path) -> Record:
    """Read a project's record.

    Raises:
        TemplateError: it is not there, or is not one.
    """
    path = project / RECORD
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}") from error
    return parse_record(content, str(path))


def parse_record(content: bytes, where: str) -> Record:
    """Read a record from bytes; ``where`` is its file in messages.

    Raises:
        TemplateError: it is not one.
    """
    if len(content) > MOST_BYTES:
        raise TemplateError(f"{where} has more than {MOST_BYTES} bytes: it is no record of scaffolder")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        conflict = " It has a conflict of git's: solve it first." if b"<<<<<<<" in content else ""
        raise TemplateError(f"{where} is no JSON: {error}.{conflict}") from error
    reader = _Reader(where)
    if not isinstance(document, dict):
        raise reader.refused("", "an object")
    if "format" not in document:
        return _first_format(document, reader)
    if document["format"] != FORMAT:
        raise TemplateError(
            f"{where} has format {shown_path(str(document['format']))}, and this version of scaffolder reads {FORMAT}. "
            "Install a newer scaffolder."
        )
    layers = document.get("layers")
    if not isinstance(layers, list) or not layers:
        raise reader.refused("layers", "a list of layers")
    policies = document.get("policies")
    if policies is not None and not isinstance(policies, dict):
        raise reader.refused("policies", "an object")
    return Record(
        project=reader.text(document, "project"),
        scaffolder_version=reader.text(document, "scaffolder_version"),
        layers=tuple(_layer(layer, reader, f"layers[{number}]") for number, layer in enumerate(layers)),
        catalog=reader.text(document, "catalog", optional=True),
        policies=Policies(
            catalog=reader.text(policies, "catalog", "policies."),
            digest=reader.text(policies, "digest", "policies."),
        )
        if policies is not None
        else None,
    )


def _first_format(document: Mapping[str, object], reader: _Reader) -> Record:
    """What `scaffolder new` 0.1 wrote, and what plain cookiecutter still renders: one template, no version."""
    name = reader.text(document, "template")
    layer = Layer(
        template=name,
        source=f"builtin:{name}",
        version=reader.text(document, "version", optional=True) or FIRST_VERSION,
        commit="",
        digest="",
        answers=reader.answers(document, ""),
        chance=Chance(),
    )
    return Record(
        project=reader.text(document, "project"),
        scaffolder_version=reader.text(document, "scaffolder_version"),
        layers=(layer,),
    )


def _layer(document: object, reader: _Reader, where: str) -> Layer:
    if not isinstance(document, dict):
        raise reader.refused(where, "an object")
    dot = f"{where}."
    return Layer(
        template=reader.text(document, "template", dot),
        source=reader.text(document, "source", dot),
        version=reader.text(document, "version", dot),
        commit=reader.text(document, "commit", dot, optional=True),
        digest=reader.text(document, "digest", dot, optional=True),
        answers=reader.answers(document, dot),
        chance=Chance(
            seed=reader.text(document, "seed", dot, optional=True),
            moment=reader.text(document, "moment", dot, optional=True),
        ),
        part=reader.flag(document, "part", dot),
        trusted=reader.flag(document, "trusted", dot),
    )


class _Reader:
    """Takes values of a record, and says where one is not what it must be."""

    def __init__(self, where: str) -> None:
        self._where = where

    def refused(self, path: str, must_be: str) -> TemplateError:
        return TemplateError(
            f"{self._where}: {path or 'the record'} must be {must_be}. Take it back from git."
        )

    def text(
        self, document: Mapping[str, object], name: str, dot: str = "", *, optional: bool = False
    ) -> str:
        value = document.get(name, "" if optional else None)
        if not isinstance(value, str) or (not value and not optional) or not value.isprintable():
            raise self.refused(f"{dot}{name}", "a text")
        if secret_in(value):
            raise self.refused(f"{dot}{name}", "no secret")
        return value

    def flag(self, document: Mapping[str, object], name: str, dot: str) -> bool:
        value = document.get(name, False)
        if not isinstance(value, bool):
            raise self.refused(f"{dot}{name}", "true or false")
        return value

    def answers(self, document: Mapping[str, object], dot: str) -> Answers:
        answers = document.get("answers")
        if not isinstance(answers, dict) or not all(
            isinstance(each, str | bool) for each in answers.values()
        ):
            raise self.refused(f"{dot}answers", "an object of texts and flags")
        for name, value in answers.items():
            if isinstance(value, str) and not value.isprintable():
                raise self.refused(f"{dot}answers.{shown_path(name)}", "one line of text")
            if isinstance(value, str) and secret_in(value):
                raise self.refused(f"{dot}answers.{shown_path(name)}", "no secret")
        return MappingProxyType(answers)
