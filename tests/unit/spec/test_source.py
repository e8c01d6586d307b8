"""Reading YAML: what is read, where it stands, and what a hostile file can do."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scaffolder.spec.nodes import Report, Scalar, mark_of, plain
from scaffolder.spec.source import LARGEST_BYTES, parse_source, read_source
from scaffolder.spec.yaml_scalars import NotFinite, resolve_scalar
from tests.strategies import Spec, spec_text, valid_specs


def read_text(text: str) -> tuple[object, list[str]]:
    report = Report("f")
    tree = parse_source(text, report)
    return (None if tree is None else plain(tree)), [str(finding) for finding in report.findings]


def test_anchors_aliases_and_merges_are_read() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [*a, {z: 4, x: 9}]}\n"
    assert read_text(text) == (
        {
            "a": {"x": 1, "y": 2},
            "b": {"y": 3, "x": 1},
            "c": {"x": 1, "y": 2},
            "d": {"x": 1, "y": 2, "z": 4},
        },
        [],
    )


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read_text('a: {"<<": 1}\n') == ({"a": {"<<": 1}}, [])


def test_two_merges_in_a_mapping_are_a_duplicate_key() -> None:
    _, findings = read_text("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n")
    assert findings == [
        "f:4:3: error[duplicate-key]: b.<< is there twice; it is on line 3 already\n  Keep one of the two."
    ]


def test_block_texts_and_a_text_tag_are_read() -> None:
    assert read_text("a: |\n  one\n  \ttwo\nb: >\n  one\n  two\nc: !!str 1\n") == (
        {"a": "one\n\ttwo\n", "b": "one two\n", "c": "1"},
        [],
    )


def test_windows_line_ends_count_as_one() -> None:
    report = Report("f")
    tree = parse_source("a: 1\r\nb:\r\n  c: 2\r\n", report)
    assert tree is not None
    assert (mark_of(tree, ("b", "c")).line, mark_of(tree, ("b", "c")).column) == (3, 6)


def test_columns_count_characters_not_bytes() -> None:
    report = Report("f")
    tree = parse_source("ä: {ö😀: ü, z: 1}\n", report)
    assert tree is not None
    assert mark_of(tree, ("ä", "z")).column == 15


def test_a_position_below_what_is_there_is_the_nearest_one() -> None:
    tree = parse_source("a:\n  b: [x, {c: 1}]\n", Report("f"))
    assert tree is not None
    places = {
        path: mark_of(tree, path)
        for path in [("a", "b", 1, "c"), ("a", "b", "1"), ("a", "b", 7), ("a", "z", "y"), ("q",)]
    }
    assert [(mark.line, mark.column) for mark in places.values()] == [
        (2, 14),
        (2, 10),
        (2, 6),
        (2, 3),
        (1, 1),
    ]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_a_bomb_of_aliases_stays_small() -> None:
    assert len(BOMB) < 500
    tracemalloc.start()
    tree, findings = read_text(BOMB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tree is None
    assert findings == [
        "f:5:8: error[alias-bomb]: the aliases up to *d repeat more than 10000 values, the limit"
    ]
    assert peak < 2_000_000


def test_a_bomb_of_merges_stays_small() -> None:
    keys = "".join(f"k{number}: 1, " for number in range(100))
    text = f"a: &a {{{keys}}}\nb: [{', '.join(['{<<: *a}'] * 200)}]\n"
    _, findings = read_text(text)
    assert [finding.split("]")[0] for finding in findings] == ["f:2:500: error[alias-bomb"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_a_finding(opening: str) -> None:
    tree, findings = read_text(opening * 20_000)
    assert tree is None
    assert len(findings) == 1


def test_aliases_do_not_nest_deeper_than_what_is_written() -> None:
    levels = "".join(f"a{n}: &a{n} {'[' * 40}*a{n - 1}{']' * 40}\n" for n in range(1, 15))
    tree, findings = read_text(f"a0: &a0 x\n{levels}")
    assert tree is None
    assert findings == ["f:3:49: error[depth]: values are nested more than 50 deep here"]


def test_a_wide_file_of_aliases_within_the_limits_is_read() -> None:
    tree, findings = read_text("a: &a [x, [y]]\n" + "".join(f"b{n}: [[*a], *a]\n" for n in range(50)))
    assert isinstance(tree, dict)
    assert (tree["b49"], findings) == ([[["x", ["y"]]], ["x", ["y"]]], [])


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "platform.yaml").write_text("version: 1\n", encoding="utf-8")
    report = Report("platfrom.yaml")
    assert read_source(tmp_path / "platfrom.yaml", report) is None
    assert [str(finding) for finding in report.findings] == [
        'platfrom.yaml:1:1: error[file]: there is no such file\n  Did you mean "platform.yaml"?'
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            b"a: \xff\n",
            "f:1:4: error[encoding]: the file is not UTF-8: the byte 0xff is not\n  Save it as UTF-8.",
        ),
        (
            "a: ä\n".encode("latin-1"),
            "f:1:4: error[encoding]: the file is not UTF-8: the byte 0xe4 is not\n  Save it as UTF-8.",
        ),
        (
            "a: 1\n".encode("utf-16"),
            "f:1:1: error[encoding]: the file is UTF-16, not UTF-8\n  Save it as UTF-8.",
        ),
        (
            b"a: \x00\n",
            "f:1:4: error[control-character]: the character U+0000 cannot be seen and has no place in a spec\n  Remove it.",
        ),
        (
            b"#" * (LARGEST_BYTES + 1),
            "f:1:1: error[size]: the file is larger than 1024 KiB, the limit of a spec",
        ),
    ],
    ids=["a byte", "Latin-1", "UTF-16", "NUL", "size"],
)
def test_bytes_that_are_no_spec_are_findings(raw: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(raw)
    report = Report("f")
    assert read_source(tmp_path / "f", report) is None
    assert [str(finding) for finding in report.findings] == [told]


def test_a_file_at_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a: 1\n" + b"#" * (LARGEST_BYTES - 5))
    assert read_source(tmp_path / "f", Report("f")) is not None


def test_a_folder_and_an_impossible_name_are_findings(tmp_path: Path) -> None:
    report = Report("f")
    assert read_source(tmp_path, report) is None
    assert read_source(Path("a\0b"), report) is None
    assert read_source(tmp_path / ("x" * 300), report) is None
    assert [finding.message for finding in report.findings] == [
        "this is a folder, not a file",
        "the file cannot be read: its name is not one",
        "the file cannot be read: File name too long",
    ]


SCALARS = st.text(
    st.sampled_from("0123456789.+-_:eExobnfTZ tyYsNnOo~aul"), min_size=1, max_size=12
) | st.sampled_from(
    [
        *(
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "n",
            "True",
            "null",
            "NULL",
            "~",
            "1e3",
            "1.",
            ".5",
            "-.5",
            "0o7",
            "0b1",
        ),
        "0xff",
        "1:30",
        "2026-11-24",
        "007",
        "+1",
        "-0",
        "1_0",
        "=",
        "<<",
    ]
)


@settings(max_examples=1500)
@given(text=SCALARS)
@example(text="012345678901")
@example(text="1.0e+3")
def test_a_text_without_doubt_is_the_same_to_a_yaml_1_1_reader(text: str) -> None:
    """What PyYAML, which follows YAML 1.1, makes of it."""
    try:
        event = next(
            event for event in yaml.parse(f"{text}\n", yaml.SafeLoader) if isinstance(event, yaml.ScalarEvent)
        )
    except (yaml.YAMLError, StopIteration):
        return
    if event.value != text or not event.implicit[0] or text in {"=", "<<"}:
        return
    try:
        value, doubt = resolve_scalar(text)
    except NotFinite:
        return
    if doubt:
        return
    theirs = yaml.safe_load(f"{text}\n")
    assert (type(theirs), theirs) == (type(value), value)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(spec=valid_specs(overrides=True))
def test_the_parsers_in_c_and_in_python_give_the_same_tree(spec: Spec) -> None:
    text = spec_text(spec)
    assert parse_source(text, Report("f")) == parse_source(text, Report("f"), yaml.SafeLoader)


YAMLISH = st.text(st.sampled_from("ab1:-?[]{},&*!|>'\"%@`#\\ \n\t<~.\u00e9\u2028\ufeff\x00"), max_size=80)


@settings(max_examples=1500)
@given(text=YAMLISH)
def test_any_text_gives_a_tree_or_findings(text: str) -> None:
    report = Report("f")
    tree = parse_source(text, report)
    assert tree is not None or report.findings
    assert all(finding.line >= 1 and finding.column >= 1 for finding in report.findings)
    assert not any(
        "yaml." in finding.message or "<" in finding.message.replace("<<", "")
        for finding in report.findings
        if finding.code == "yaml"
    )


@settings(max_examples=300)
@given(raw=st.binary(max_size=60))
def test_any_bytes_give_a_tree_or_findings(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.yaml"
    file.write_bytes(raw)
    report = Report("f")
    assert read_source(file, report) is not None or report.findings


def test_a_scalar_keeps_its_text() -> None:
    tree = parse_source("a: 007\n", Report("f"))
    assert tree is not None
    value = tree.entries["a"].value
    assert isinstance(value, Scalar)
    assert (value.text, value.value, value.doubt) == ("007", "007", "an octal number")
