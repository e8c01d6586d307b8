from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from scaffolder.operations.local.tables import CSV, JSON, BadRequestError, Table, joined, parse, written

COLUMNS = ("tenure", "plan")
MISSPELT = "the request lacks the column 'tenure' and the model does not know the column 'tenrue'. Did you mean 'tenure'?"
UNKNOWN_JSON = (
    'the JSON body is none of {"dataframe_split": {"columns": […], "data": [[…]]}}, '
    '{"dataframe_records": [{…}]}, {"instances": […]} and [{…}]'
)


def _values(table: Table) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in table.columns.items()}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"tenure,plan\n3,basic\n4,full\n", CSV),
        (b"\xef\xbb\xbfplan,tenure\r\nbasic,3\r\nfull,4\r\n", "text/csv; charset=utf-8"),
        (b'[{"tenure": 3, "plan": "basic"}, {"plan": "full", "tenure": 4}]', JSON),
        (b'{"instances": [[3, "basic"], [4, "full"]]}', JSON),
        (b'{"inputs": [{"tenure": 3, "plan": "basic"}, {"tenure": 4, "plan": "full"}]}', JSON),
        (b'{"dataframe_split": {"columns": ["plan", "tenure"], "data": [["basic", 3], ["full", 4]]}}', JSON),
        (b'{"dataframe_records": [{"tenure": 3, "plan": "basic"}, {"tenure": 4, "plan": "full"}]}', JSON),
    ],
)
def test_one_table_can_be_written_in_many_ways(body: bytes, content_type: str) -> None:
    assert _values(parse(body, content_type, COLUMNS)) == {"tenure": [3.0, 4.0], "plan": ["basic", "full"]}


def test_a_first_line_of_numbers_is_a_row() -> None:
    assert _values(parse(b"1,2\n3,4\n", CSV, ("a", "b"))) == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert _values(parse(b"1,2\n3,4\n", CSV, None, width=2)) == {"0": [1.0, 3.0], "1": [2.0, 4.0]}
    assert _values(parse(b"x,y\n3,4\n", CSV, None)) == {"0": [3.0], "1": [4.0]}


def test_columns_are_of_numbers_truth_values_or_texts() -> None:
    table = parse(b"n,t,b\n1,x,true\n,,False\n", CSV, ("n", "t", "b"))
    assert table.kinds() == ("f", "O", "b")
    assert math.isnan(table.columns["n"][1])
    assert math.isnan(table.columns["t"][1])
    assert table.columns["b"].tolist() == [True, False]
    assert parse(b'[{"n": 1, "t": "x", "b": true}]', JSON, ("n", "t", "b")).kinds() == ("f", "O", "b")
    assert math.isnan(parse(b'[{"n": null}]', JSON, ("n",)).columns["n"][0])


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"tenrue,plan\n3,x\n", CSV, MISSPELT),
        (b"tenure\n3\n", CSV, "the request lacks the column 'plan'."),
        (b"tenure,plan,age,id\n3,x,1,2\n", CSV, "the model does not know the columns 'age', 'id'."),
        (b"tenure,tenure,plan\n3,3,x\n", CSV, "the column 'tenure' is there twice"),
        (b"tenure,plan\n3\n", CSV, "row 1 has 1 cells, and the first line 2"),
        (b"1,2,3\n", CSV, "a row has 3 cells, and the model 2 columns"),
        (b"", CSV, "the request is empty"),
        (b"tenure,plan\n", CSV, "the request has no rows"),
        (b"\xff\xfe", CSV, "the body is not UTF-8: byte 0 is 0xff"),
        (b'tenure,plan\n"3,x\n', CSV, "the body is not CSV: unexpected end of data"),
        (b"no", JSON, "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[]", JSON, "the request has no rows"),
        (b'{"rows": []}', JSON, UNKNOWN_JSON),
        (b'[{"tenure": 3, "plan": "x"}, {"tenure": 4}]', JSON, "row 2 has no 'plan'"),
        (b'[{"tenure": [3], "plan": "x"}]', JSON,
         "a value is a list or an object, where a number or a text is wanted"),
        (b"[1, 2]", JSON, "row 1 is no object with a value for each column"),
        (b"[[1, 2], [3]]", JSON, "row 2 is no list of 2 values"),
        (b"x", "image/png", "the content type 'image/png' is not known; send text/csv or application/json"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_request_is_named(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        parse(body, content_type, COLUMNS)
    assert str(refused.value) == message


def test_joined_tables_have_the_rows_of_all_in_order() -> None:
    tables = [parse(f"tenure,plan\n{number},p{number}\n".encode(), CSV, COLUMNS) for number in range(3)]
    whole = joined(tables)
    assert whole.rows == 3
    assert _values(whole) == {"tenure": [0.0, 1.0, 2.0], "plan": ["p0", "p1", "p2"]}
    assert whole.kinds() == tables[0].kinds()


def test_predictions_are_lines_or_a_list() -> None:
    assert written([1, 0], CSV) == (b"1\n0\n", CSV)
    assert written([0.5, math.nan], JSON) == (b'{"predictions": [0.5, null]}', JSON)
    assert written(["a,b", 'c"'], CSV) == (b'"a,b"\n"c"""\n', CSV)
    assert written([[1, 2], [3, 4]], CSV) == (b"1,2\n3,4\n", CSV)
    assert json.loads(written(np.array([[1, 2]]).tolist(), JSON)[0]) == {"predictions": [[1, 2]]}
