"""The data: made the same each time, held to the schema, split so that no row is both learned from and tested on."""

from __future__ import annotations

{% if cookiecutter.task == "image" -%}
import base64
{% endif -%}
{% if cookiecutter.task == "image" -%}
import json
{% else -%}
import csv
{% endif -%}
from dataclasses import replace
from pathlib import Path
from typing import Any

{% if cookiecutter.task == "image" -%}
import numpy as np
{% else -%}
import pandas as pd
{% endif -%}
import pytest

from {{ cookiecutter.__package }}.examples import Examples, part_of, split, write_examples
from {{ cookiecutter.__package }}.features import derive
from {{ cookiecutter.__package }}.ingest import read_raw
from {{ cookiecutter.__package }}.sample import write_more, write_sample
from {{ cookiecutter.__package }}.schema import {% if cookiecutter.task != "image" %}LABEL, {% endif %}SCHEMA
from {{ cookiecutter.__package }}.signature import InvalidRows
from {{ cookiecutter.__package }}.validate import described, findings_of


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_sample_is_the_same_each_time(raw: Path, tmp_path: Path) -> None:
    write_sample(tmp_path)
    assert content(raw) == content(tmp_path)


def test_the_sample_may_be_learned_from(examples: Examples) -> None:
    assert findings_of(examples) == []
    assert described(examples)["rows"] == len(examples)


def test_the_other_pipelines_have_their_sample(examples: Examples, tmp_path: Path) -> None:
    write_more(tmp_path)
    recent = read_raw(tmp_path / "recent")
    assert findings_of(recent) == []
    assert len(recent) >= 100
    assert not set(recent.ids) & set(examples.ids)
{%- if cookiecutter.task == "image" %}
    assert len([*(tmp_path / "scoring").iterdir()]) == len([*(tmp_path / "scoring").glob("*.png")]) >= 100
    asked = json.loads((tmp_path / "request.json").read_text())["instances"]
    inputs, problems = SCHEMA.sorted_out([base64.b64decode(row["b64"]) for row in asked])
    assert (len(inputs), problems) == (2, [])
{%- else %}
    (table,) = (tmp_path / "scoring").glob("*.csv")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "request.csv").open(newline="") as file:
        asked = list(csv.DictReader(file))
    assert LABEL not in rows[0]
    assert asked == [{name: row[name] for name in SCHEMA.names} for row in rows[:2]]
    for each in (rows, asked):
        inputs, problems = SCHEMA.sorted_out([{name: row[name] for name in SCHEMA.names} for row in each])
        assert (len(inputs), problems) == (len(each), [])
{%- endif %}


def test_examples_are_read_as_they_were_written(examples: Examples, tmp_path: Path) -> None:
    write_examples(tmp_path / "once", examples)
    again = SCHEMA.read(tmp_path / "once")
    write_examples(tmp_path / "twice", again)
    assert (again.ids, again.labels) == (examples.ids, examples.labels)
    assert content(tmp_path / "once") == content(tmp_path / "twice")


def test_no_example_is_both_learned_from_and_tested_on(examples: Examples) -> None:
    train, test = split(examples, 20, "test")
    assert not set(train.ids) & set(test.ids)
    assert sorted((*train.ids, *test.ids)) == sorted(examples.ids)
    assert 0.1 < len(test) / len(examples) < 0.3


def test_an_example_stays_in_its_part_when_others_come(examples: Examples) -> None:
    few = examples.select([number < 200 for number in range(len(examples))])
    of_all = set(split(examples, 20, "test")[1].ids)
    assert set(split(few, 20, "test")[1].ids) == of_all & set(few.ids)
    assert part_of("a", "test") == part_of("a", "test") != part_of("a", "valid")


def test_too_few_examples_and_a_rare_class_are_found(examples: Examples) -> None:
    few = examples.select([number < 30 for number in range(len(examples))])
    assert "30 examples, at least 100 are needed" in findings_of(few)
    lopsided = replace(examples, labels=tuple(SCHEMA.classes[0] for _ in examples.labels))
    assert any(f"class {SCHEMA.classes[1]}: 0 of" in found for found in findings_of(lopsided))


def test_a_label_that_is_no_class_is_found(examples: Examples) -> None:
    wrong = replace(examples, labels=("martian", *examples.labels[1:]))
    assert any("label" in found and "martian" in found for found in findings_of(wrong))


def test_an_id_that_is_there_twice_is_found(examples: Examples) -> None:
    twice = replace(examples, ids=(examples.ids[1], *examples.ids[1:]))
    assert any("id" in found and examples.ids[1] in found for found in findings_of(twice))


def test_data_that_were_copied_are_found(examples: Examples) -> None:
    some = examples.select([number < 150 for number in range(len(examples))])
    inputs = {{ 'np' if cookiecutter.task == 'image' else 'pd' }}.concat{% if cookiecutter.task == 'image' %}enate{% endif %}([some.inputs, some.inputs]{% if cookiecutter.task != 'image' %}, ignore_index=True{% endif %})
    copied = Examples((*some.ids, *(f"copy-{each}" for each in some.ids)), inputs, some.labels * 2)
    assert any("are there twice" in found for found in findings_of(copied))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"there (is|are) no"):
        read_raw(tmp_path)

{% if cookiecutter.task == "image" %}
def test_a_picture_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\n../outside.png,1\n")
    with pytest.raises(SystemExit, match="there is no picture"):
        read_raw(tmp_path)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\na.png,1\n")
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(SystemExit, match="is no picture"):
        read_raw(tmp_path)


def test_a_black_picture_is_found(examples: Examples) -> None:
    inputs = examples.inputs.copy()
    inputs[0] = 0
    assert any("shows nothing" in found for found in findings_of(replace(examples, inputs=inputs)))


def test_a_dim_picture_becomes_a_bright_one(examples: Examples) -> None:
    few = examples.inputs[:5]
    assert derive(few * np.float32(0.5)) == pytest.approx(derive(few), abs=1e-5)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ([[0.0] * 8] * 7, "has the shape 7x8"),
        ([[2.0] * 8] * 8, "not between 0 and 1"),
        ({"pixels": []}, "give image or b64"),
        ({"b64": "%"}, "no base64"),
        ({"b64": "aGVsbG8="}, "no picture"),
        ("text", "must be 8 lists of 8 numbers"),
    ],
)
def test_an_image_that_does_not_fit_is_refused(row: Any, problem: str) -> None:
    with pytest.raises(InvalidRows) as refused:
        SCHEMA.check([[[0.5] * 8] * 8, row])
    (told,) = refused.value.problems
    assert (told.row, told.field) == (1, "image")
    assert problem in told.problem
{%- elif cookiecutter.task == "text" %}
def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,body,topic\n1,hello,billing\n")
    with pytest.raises(SystemExit, match="has no column text; it has id, body, topic"):
        read_raw(tmp_path)


def test_a_text_without_words_is_found(examples: Examples) -> None:
    inputs = examples.inputs.copy()
    inputs.loc[0, "text"] = "  "
    assert any(examples.ids[0] in found and "text" in found for found in findings_of(replace(examples, inputs=inputs)))


def test_texts_are_written_plainly() -> None:
    inputs = SCHEMA.check(["Where  is\tORDER 1234?"])
    assert derive(inputs)["text"].tolist() == ["where is order 0?"]


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ({}, "text", "is missing"),
        ({"txt": "a"}, "txt", "Did you mean text?"),
        ({"text": 3}, "text", "3 is no text"),
        ({"text": " "}, "text", "is empty"),
        ({"text": "a" * 20_001}, "text", "20000 at most"),
        ([1, 2], "*", "has 2 values; the model takes 1"),
        (7, "*", "neither an object nor a list"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(row: Any, field: str, problem: str) -> None:
    with pytest.raises(InvalidRows) as refused:
        SCHEMA.check(["fine", row])
    told = {each.field: each for each in refused.value.problems}
    assert told[field].row == 1
    assert problem in told[field].problem
{%- else %}
def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("customer_id,churned\n1,yes\n")
    with pytest.raises(SystemExit, match="has no column tenure_months"):
        read_raw(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("tenure_months", -1.0), ("monthly_charge", 1e6), ("plan", "gold"), ("plan", None), ("support_calls", None)],
)
def test_a_value_that_does_not_fit_is_found(examples: Examples, field: str, value: object) -> None:
    inputs = examples.inputs.copy()
    inputs.loc[3, field] = value
    found = findings_of(replace(examples, inputs=inputs))
    assert any(field in each for each in found)
    assert any(examples.ids[3] in each for each in found) or value is None


def test_a_new_customer_has_features() -> None:
    row = {"tenure_months": 0, "monthly_charge": 10, "support_calls": 2, "plan": "basic", "payment": None}
    made = derive(SCHEMA.check([row]))
    assert made["calls_per_year"].tolist() == [24.0]
    assert made["paid_so_far"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"tenure_months": "x"}, "tenure_months", "'x' is no number"),
        ({"tenure_months": True}, "tenure_months", "True is no number"),
        ({"tenure_months": "inf"}, "tenure_months", "no finite number"),
        ({"tenure_months": -3}, "tenure_months", "-3 is less than 0"),
        ({"monthly_charge": None}, "monthly_charge", "is empty"),
        ({"plan": "premum"}, "plan", "Did you mean premium?"),
        ({"plan": 3}, "plan", "3 is no text"),
        ({"paymnt": "card"}, "paymnt", "Did you mean payment?"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(change: dict[str, Any], field: str, problem: str) -> None:
    good = {"tenure_months": 0, "monthly_charge": 10, "support_calls": 2, "plan": "basic", "payment": None}
    with pytest.raises(InvalidRows) as refused:
        SCHEMA.check([good, good | change])
    (told,) = refused.value.problems
    assert (told.row, told.field) == (1, field)
    assert problem in told.problem


def test_a_list_is_read_in_the_order_of_the_fields() -> None:
    assert SCHEMA.check([[1, "2", 3, "plus", ""]]).iloc[0].tolist() == [1.0, 2.0, 3.0, "plus", None]
    with pytest.raises(InvalidRows, match="has 2 values; the model takes 5"):
        SCHEMA.check([[1, 2]])
{%- endif %}


def test_every_problem_is_told_by_row() -> None:
    with pytest.raises(InvalidRows) as refused:
        SCHEMA.check([1] * 50)
    assert (refused.value.count, len(refused.value.problems)) == (50, 20)
    assert [problem.row for problem in refused.value.problems[:3]] == [0, 1, 2]
