"""What each key of a spec is for, in text: for ``explain`` and for the reference page.

Generated from the model. May not state a default, a limit or a value of its own, but for the examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaffolder.errors import UsageError
from scaffolder.spec.environments import DOC, ENVIRONMENTS, MOST_ENVIRONMENTS, SHARED_KEYS
from scaffolder.spec.fields import (
    Anything,
    Boolean,
    Choice,
    Cidr,
    Cron,
    Duration,
    Each,
    Either,
    Email,
    Instance,
    Integer,
    Key,
    Kind,
    Number,
    RelativePath,
    ScalarKind,
    Section,
    Str,
    Table,
    default_of,
    keys_of,
    summary_of,
    valid,
)
from scaffolder.spec.model import ENVIRONMENT_NAME, PlatformSpec
from scaffolder.spec.nodes import nearest, printable, quoted
from stacks.record import record

__all__ = ["Explanation", "all_paths", "document_page", "explain", "reference_page"]

ANY = "*"
ROOT = Section(PlatformSpec)
ENVIRONMENTS_KEY = Key(
    name=ENVIRONMENTS,
    kind=Table(ENVIRONMENT_NAME, ROOT, maximum=MOST_ENVIRONMENTS),
    doc=DOC,
    required=False,
    default=None,
)

# Examples of texts, by key; everything else is made from its kind.
TEXTS = {
    "account": "123456789012",
    "branch": "main",
    "bucket": "data",
    "currency": "EUR",
    "endpoint": "churn",
    "event_time": "updated_at",
    "baseline": "churn/3",
    "columns": "tenure_months",
    "data": "churn/3/model.tar.gz",
    "host": "gitlab.example.com",
    "image": "serving:1.4.0",
    "on_approval": "deploy",
    "organization": "aaaaaaaa-0000-4000-8000-000000000001",
    "key": "customer_id",
    "model": "churn",
    "name": "churn",
    "network_id": "vpc-0123456789abcdef0",
    "owner": "growth-ml",
    "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
    "pipeline": "train",
    "region": "eu-west-1",
    "repositories": "training",
    "repository": "acme/churn",
    "security_group_ids": "sg-0123456789abcdef0",
    "settings": "acme-state",
    "blocked_message": "This is not something to ask here.",
    "definition": "Advice on contracts, claims or disputes.",
    "denied_words": "acme-rival",
    "description": "Ticket numbers",
    "embedding_model": "amazon.titan-embed-text-v2:0",
    "examples": "May I cancel my contract?",
    "index": "docs",
    "models": "amazon.nova-lite-v1:0",
    "prefix": "kb/docs",
    "regex": "[A-Z]{3}-[0-9]+",
    "subnet_ids": "subnet-0123456789abcdef0",
    "tags": "1234",
    "users": "scientist-1",
    "zones": "euw1-az1",
    **dict.fromkeys(("admins", "scientists", "viewers"), "arn:aws:iam::123456789012:role/team"),
}
NAMES = {
    "buckets": "data",
    "columns": "customer_id",
    "environments": "prod",
    "denied_topics": "legal-advice",
    "features": "customer",
    "guardrails": "default",
    "knowledge_bases": "docs",
    "overrides": "aws_s3_bucket.data",
    "patterns": "ticket",
    "pii": "email",
    "pipelines": "train",
    "settings": "bucket",
    "tags": "cost-center",
}
INTRODUCTION = (
    "Every key, its type, its default and what it is for. `*` stands for a name of your own. A required key has to be "
    "there; one without a default is off when it is left out. `scaffolder explain KEY` shows the same, with an example."
)


@record
class Explanation:
    """One key: ``keys`` are those below it, with their first sentences; ``default`` is empty where there is none."""

    path: str
    doc: str
    type: str
    required: bool
    default: str
    valid: str
    example: str
    keys: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        lines = [self.path or "the spec", f"  {self.doc}", "", f"  type      {self.type}"]
        lines.append(f"  required  {'yes' if self.required else 'no'}")
        if self.default:
            lines.append(f"  default   {self.default}")
        lines.append(f"  valid     {self.valid}")
        if self.keys:
            width = max(len(name) for name, _ in self.keys)
            lines += ["", "  keys", *(f"    {name:<{width}}  {doc}" for name, doc in self.keys)]
        return "\n".join([*lines, "", "  example", *(f"    {line}" for line in self.example.splitlines())])


@dataclass(frozen=True, slots=True)
class _Place:
    """A key, or what a table or a list has, and how its path is written with ``*`` for names."""

    parts: tuple[str, ...]
    kind: Kind
    doc: str
    required: bool = False
    default: object = None

    @property
    def path(self) -> str:
        return ".".join(self.parts)


def explain(path: str) -> Explanation:
    """Explain a key by its dotted path; any name, or ``*``, stands for a name of the user's own.

    Raises:
        UsageError: there is no such key.
    """
    place = _Place((), ROOT, summary_of(PlatformSpec))
    for part in _parts(path):
        place = _below(place, part)
    return Explanation(
        path=place.path,
        doc=place.doc,
        type=_type(place.kind),
        required=place.required,
        default=_default(place),
        valid=valid(place.kind),
        example=_example(place),
        keys=tuple((name, key.doc) for name, key in _keys(place).items()),
    )


def all_paths() -> tuple[str, ...]:
    """Every path that can be explained, names as ``*``, in the model's order."""
    return tuple(place.path for place in _places(_Place((), ROOT, "")))


def _parts(path: str) -> list[str]:
    """Cut a dotted path; an override's address is one part, though it has a dot."""
    parts = [part for part in re.split(r"\.|\[|\]\.?", path.strip(". ")) if part]
    start = 2 if parts[:1] == [ENVIRONMENTS] else 0
    if parts[start : start + 1] == ["overrides"] and len(parts) > start + 2 and parts[start + 1] != ANY:
        parts[start + 1 : start + 3] = [".".join(parts[start + 1 : start + 3])]
    return parts


def _keys(place: _Place) -> dict[str, Key]:
    kind = place.kind
    if not isinstance(kind, Section):
        return {}
    keys = keys_of(kind.model)
    if kind is not ROOT:
        return dict(keys)
    if not place.parts:
        return {**keys, ENVIRONMENTS: ENVIRONMENTS_KEY}
    return {name: key for name, key in keys.items() if name not in SHARED_KEYS}


def _below(place: _Place, part: str) -> _Place:
    match place.kind:
        case Section():
            return _of_section(place, part)
        case Table(kind=kind):
            doc = summary_of(kind.model) if isinstance(kind, Section) else place.doc
            return _Place((*place.parts, ANY), kind, doc)
        case Each(kind=kind):
            return _Place((*place.parts, ANY), kind, place.doc)
        case Either(kinds=kinds) if any(isinstance(kind, Each) for kind in kinds):
            inner = next(kind.kind for kind in kinds if isinstance(kind, Each))
            return _Place((*place.parts, ANY), inner, place.doc)
        case _:
            raise UsageError(f"{place.path} has no keys below it: it is {valid(place.kind)}")


def _of_section(place: _Place, part: str) -> _Place:
    keys = _keys(place)
    if part not in keys:
        hint = nearest(part, keys)
        owner = place.path or "the spec"
        known = ", ".join(sorted(keys))
        raise UsageError(f"{owner} has no key {quoted(part)}; it has {known}.{f' {hint}' if hint else ''}")
    key = keys[part]
    required = key.required and place.parts[:1] != (ENVIRONMENTS,)
    return _Place((*place.parts, part), key.kind, key.doc, required, default_of(key))


def _places(place: _Place) -> Iterator[_Place]:
    """A place's own keys and all below them; not the overlays, which have the same."""
    for name in _keys(place):
        below = _below(place, name)
        yield below
        if name == ENVIRONMENTS:
            continue
        while isinstance(below.kind, Table | Each):
            below = _below(below, ANY)
            yield below
        yield from _places(below)


def _type(kind: Kind) -> str:
    match kind:
        case Anything():
            return "any"
        case Each():
            return f"list of {_type(kind.kind)}"
        case Either(kinds=kinds):
            return " or ".join(map(_type, kinds))
        case Section():
            return "mapping"
        case Table():
            return f"mapping of names to {_type(kind.kind)}"
        case Boolean():
            return "true or false"
        case Integer():
            return "whole number"
        case Number():
            return "number"
        case Choice() | Cidr() | Cron() | Duration() | Email() | Instance() | RelativePath() | Str():
            return "text"


def _default(place: _Place) -> str:
    if place.required or place.default is None:
        return ""
    return printable(_yaml(place.default))


def _yaml(value: object) -> str:
    """A value in YAML on one line; texts that another reader could take for something else in quotes."""
    if isinstance(value, str):
        return (
            value
            if re.fullmatch(r"[a-z][A-Za-z0-9_./-]*", value) and value not in {"no", "off", "on", "yes"}
            else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(name)}: {_yaml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return json.dumps(value)


def _example(place: _Place) -> str:
    """The key where it stands, as a piece of a spec."""
    parts = [_name(place.parts[:depth]) if part == ANY else part for depth, part in enumerate(place.parts)]
    value = _yaml(_sample(place.kind, place.parts))
    lists = [depth for depth, part in enumerate(place.parts) if part == ANY and parts[depth] == ""]
    if lists:
        parts, value = parts[: lists[0]], f"[{value}]"
    lines = [f"{'  ' * depth}{_yaml(part)}:" for depth, part in enumerate(parts)]
    return "\n".join([*lines[:-1], f"{lines[-1]} {value}"]) if lines else "version: 1"


def _name(owner: Sequence[str]) -> str:
    """An example of a name in a table; empty in a list."""
    kind = ROOT if not owner else _walk(owner).kind
    if not isinstance(kind, Table):
        return ""
    table = next(part for part in reversed(owner) if part != ANY)
    return "tags" if owner[-1] == ANY else NAMES.get(table, "churn")


def _walk(parts: Sequence[str]) -> _Place:
    place = _Place((), ROOT, "")
    for part in parts:
        place = _below(place, part)
    return place


def _sample(kind: Kind, parts: Sequence[str]) -> object:
    """A valid value."""
    name = next((part for part in reversed(parts) if part != ANY), "")
    match kind:
        case Anything():
            return True
        case Each():
            return [_sample(kind.kind, parts)]
        case Either(kinds=kinds):
            return _sample(kinds[0], parts)
        case Section() if kind is ROOT:
            return {"deletion_protection": True}
        case Section(model=model):
            return {
                key.name: _sample(key.kind, (*parts, key.name))
                for key in keys_of(model).values()
                if key.required
            }
        case Table():
            return {_name(parts) or "churn": _sample(kind.kind, (*parts, ANY))}
        case _:
            return _scalar_sample(kind, name)


def _scalar_sample(kind: ScalarKind, name: str) -> object:
    match kind:
        case Boolean():
            return True
        case Integer(minimum=minimum):
            return minimum
        case Number(minimum=minimum, maximum=maximum):
            return round(minimum + min(maximum - minimum, 1000) / 5, 3)
        case Choice(values=values):
            return values[0]
        case Str():
            return TEXTS[name]
        case Cidr(shortest=shortest):
            return f"10.40.0.0/{shortest}"
        case Cron():
            return "0 3 * * *"
        case Duration():
            return "12h"
        case Email():
            return "team@example.com"
        case Instance():
            return "cpu.large"
        case RelativePath():
            return "pipelines/train.yaml"


def reference_page() -> str:
    """The page of all keys, as Markdown."""
    return _page("The platform spec", INTRODUCTION, ROOT)


def document_page(model: type[object], title: str, introduction: str) -> str:
    """The page of all keys of a document that is one section, as Markdown."""
    return _page(title, introduction, Section(model))


def _page(title: str, introduction: str, root: Section) -> str:
    lines = [
        f"# {title}",
        "",
        "<!-- Generated from the model by scripts/regen/spec_reference.py; do not edit. -->",
        "",
        introduction,
    ]
    for place in (_Place((), root, summary_of(root.model)), *_places(_Place((), root, ""))):
        if isinstance(place.kind, Section):
            lines += [
                "",
                f"## `{place.path}`" if place.parts else "## Top level",
                "",
                place.doc,
                "",
                *_table(place),
            ]
    return "\n".join(lines) + "\n"


def _table(place: _Place) -> Iterator[str]:
    yield "| Key | Type | Default | Valid | |"
    yield "|---|---|---|---|---|"
    for name in _keys(place):
        below = _below(place, name)
        default = "required" if below.required else f"`{_default(below)}`" if _default(below) else ""
        shown = (
            "see below" if isinstance(below.kind, Section | Table) and name != "tags" else valid(below.kind)
        )
        cells = (f"`{name}`", _type(below.kind), default, shown, below.doc)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
