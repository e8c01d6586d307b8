"""A project's record: the same bytes for the same record, both formats, and what is no record is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.errors import TemplateError
from scaffolder.projects.jinja import Chance
from scaffolder.projects.record import (
    RECORD,
    Layer,
    Policies,
    Record,
    find_project,
    parse_record,
    read_record,
    record_bytes,
)
from scaffolder.spec.secrets import secret_in

LAYER: dict[str, Any] = {
    "template": "model",
    "source": "git+https://example.com/templates.git#subdirectory=model",
    "version": "1.2.0",
    "commit": "a" * 40,
    "digest": f"sha256:{'b' * 64}",
    "answers": {"name": "churn", "gpu": False},
}
DOCUMENT: dict[str, Any] = {
    "format": 2,
    "project": "churn",
    "scaffolder_version": "0.1.0",
    "catalog": "../catalog.yaml",
    "policies": {"catalog": "acme", "digest": f"sha256:{'c' * 64}"},
    "layers": [
        LAYER,
        {**LAYER, "template": "ci", "part": True, "seed": "5eed", "moment": "2026-11-27T00:00:00+00:00"},
    ],
}


def read(document: object) -> Record:
    return parse_record(json.dumps(document).encode(), "churn/.scaffolder-project.json")


def test_a_record_is_read_as_it_was_written() -> None:
    kept = read(DOCUMENT)
    assert parse_record(record_bytes(kept), "x") == kept
    assert kept.layers[1].part
    assert kept.layers[1].chance == Chance(seed="5eed", moment="2026-11-27T00:00:00+00:00")
    assert kept.policies == Policies(catalog="acme", digest=f"sha256:{'c' * 64}")
    assert (
        record_bytes(kept).decode()
        == json.dumps(
            {
                **DOCUMENT,
                "layers": [LAYER, dict(_ordered(DOCUMENT["layers"][1]))],
            },
            indent=2,
        )
        + "\n"
    )


def _ordered(layer: dict[str, Any]) -> list[tuple[str, Any]]:
    order = ("template", "source", "version", "part", "commit", "digest", "seed", "moment", "answers")
    return [(name, layer[name]) for name in order]


texts = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20).filter(
    lambda text: not secret_in(text)
)
answers = st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.booleans() | texts, max_size=4)
layers = st.builds(
    Layer,
    template=texts,
    source=texts,
    version=texts,
    commit=st.just("") | texts,
    digest=st.just("") | texts,
    answers=answers,
    chance=st.builds(Chance, seed=st.just("") | texts, moment=st.just("") | texts),
    part=st.booleans(),
    trusted=st.booleans(),
)


@given(
    st.builds(
        Record,
        project=texts,
        scaffolder_version=texts,
        layers=st.lists(layers, min_size=1, max_size=3).map(tuple),
        catalog=st.just("") | texts,
        policies=st.none() | st.builds(Policies, catalog=texts, digest=texts),
    )
)
def test_any_record_survives_its_file(kept: Record) -> None:
    assert parse_record(record_bytes(kept), "x") == kept
    assert record_bytes(parse_record(record_bytes(kept), "x")) == record_bytes(kept)


def test_nothing_is_recorded_that_was_not_asked_for() -> None:
    """No seed without chance, no commit of a folder, no policies without a catalog."""
    plain = Layer(
        template="a", source="./a", version="1.0.0", commit="", digest="", answers={}, chance=Chance()
    )
    document = json.loads(record_bytes(Record(project="p", scaffolder_version="1", layers=(plain,))))
    assert sorted(document) == ["format", "layers", "project", "scaffolder_version"]
    assert sorted(document["layers"][0]) == ["answers", "source", "template", "version"]


def test_the_first_format_is_a_platform_without_a_version() -> None:
    old = {
        "template": "platform",
        "scaffolder_version": "0.1.0",
        "project": "churn",
        "answers": {"name": "churn"},
    }
    kept = read(old)
    assert kept.layers == (
        Layer(
            template="platform",
            source="builtin:platform",
            version="1.0.0",
            commit="",
            digest="",
            answers={"name": "churn"},
            chance=Chance(),
        ),
    )
    assert json.loads(record_bytes(kept))["format"] == 2


def changed(path: str, value: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    *above, last = path.split(".")
    place: Any = document
    for part in above:
        place = place[int(part)] if part.isdigit() else place[part]
    place[last] = value
    return document


TAMPERED = [
    ("project", None, "project must be a text"),
    ("project", "", "project must be a text"),
    ("project", "a\nb", "project must be a text"),
    ("scaffolder_version", 1, "scaffolder_version must be a text"),
    ("layers", [], "layers must be a list of layers"),
    ("layers", {}, "layers must be a list of layers"),
    ("layers", ["model"], "layers[0] must be an object"),
    ("layers.0.source", ["x"], "layers[0].source must be a text"),
    ("layers.1.version", True, "layers[1].version must be a text"),
    ("layers.0.commit", 5, "layers[0].commit must be a text"),
    ("layers.0.trusted", "yes", "layers[0].trusted must be true or false"),
    ("layers.1.part", 1, "layers[1].part must be true or false"),
    ("layers.1.seed", {}, "layers[1].seed must be a text"),
    ("layers.0.answers", [], "layers[0].answers must be an object of texts and flags"),
    ("layers.0.answers", {"port": 8080}, "layers[0].answers must be an object of texts and flags"),
    ("layers.0.answers", {"name": "a\nb: c"}, "layers[0].answers.name must be one line of text"),
    ("layers.0.answers", {"k": "AKIAIOSFODNN7EXAMPLE"}, "layers[0].answers.k must be no secret"),
    (
        "layers.0.source",
        "git+https://u:ghp_0123456789abcdefghijABCDEFGHIJ456789@h/o/r.git",
        "layers[0].source must be no secret",
    ),
    ("policies", [], "policies must be an object"),
    ("policies", {"catalog": "acme"}, "policies.digest must be a text"),
    ("catalog", 1, "catalog must be a text"),
]


@pytest.mark.parametrize(
    ("path", "value", "told"), TAMPERED, ids=[f"{path}={value!r}"[:40] for path, value, _ in TAMPERED]
)
def test_what_somebody_tampered_with_is_refused_by_its_place(path: str, value: object, told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        read(changed(path, value))
    assert str(refused.value) == f"churn/.scaffolder-project.json: {told}. Take it back from git."


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "x is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."),
        (b"[]", "x: the record must be an object. Take it back from git."),
        (b"\xff\xfe\xff", "x is no JSON: "),
        (b"[" * 100_000, "x is no JSON: "),
        (b" " * 1_100_000, "x has more than 1048576 bytes: it is no record of scaffolder"),
        (
            b'{"format": 3}',
            "x has format 3, and this version of scaffolder reads 2. Install a newer scaffolder.",
        ),
        (b'{"format": "2"}', "x has format 2, and this version"),
        (
            b'{\n<<<<<<< HEAD\n  "format": 2,\n=======\n  "format": 2,\n>>>>>>> b\n}',
            (
                "x is no JSON: Expecting property name enclosed in double quotes: line 2 column 1 (char 2). It has a conflict "
                "of git's: solve it first."
            ),
        ),
    ],
)
def test_what_is_no_record_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        parse_record(content, "x")
    assert str(refused.value).startswith(told)


def test_the_nearest_project_above_a_folder_is_meant(tmp_path: Path) -> None:
    deep = tmp_path / "churn" / "src" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "churn" / RECORD).write_bytes(record_bytes(read(DOCUMENT)))
    assert find_project(deep) == tmp_path / "churn"
    assert read_record(tmp_path / "churn") == read(DOCUMENT)
    with pytest.raises(TemplateError) as refused:
        find_project(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} is no project of scaffolder: it has no .scaffolder-project.json. `scaffolder new` makes one, "
        "`scaffolder add` gives a template's files to a repository that is there."
    )


def test_a_record_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        TemplateError, match=r"\.scaffolder-project\.json cannot be read: No such file or directory$"
    ):
        read_record(tmp_path)
