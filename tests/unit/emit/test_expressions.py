from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.emit.expressions import Json, bare, escape, json_template, quoted, remote_name, render
from stacks.graph import Address, GraphError, JsonText, Ref, RemoteRef, Text, Value, text
from tests.graphs import HOSTILE
from tests.terraform_language import expression, meaning, template

BUCKET = Ref(Address("resource", "aws_s3_bucket", "data"), "arn")
ACCOUNT = Ref(Address("data", "aws_caller_identity", "current"), "account_id")
NAME = Ref(Address("resource", "aws_sns_topic", "alerts"), "display_name")
REMOTE = RemoteRef("churn-dev-security", "aws_kms_key_data_arn")
INDEXED = Ref(Address("resource", "aws_vpc_endpoint", "s3"), "dns_entry[0].dns_name")

# Letters that mean something somewhere, and enough others.
LITERALS: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("$%{}\"\\~'\n\t\r\ufeff\x00\x1f\x7f\u2028ab:/*é😀"), max_size=12),
    st.text(max_size=8),
)
REFERENCES: st.SearchStrategy[Ref | RemoteRef] = st.sampled_from([BUCKET, ACCOUNT, NAME, REMOTE, INDEXED])
PARTS: st.SearchStrategy[str | Ref | RemoteRef] = st.one_of(LITERALS, REFERENCES)
TEXTS = st.lists(PARTS, max_size=6).map(lambda parts: Text(tuple(parts)))
SCALARS: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), LITERALS
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    st.one_of(SCALARS, REFERENCES, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(LITERALS, inner, max_size=4),
        inner.map(JsonText),
    ),
    max_leaves=12,
)


def resolve(reference: str) -> Json:
    """Values that references have: an identifier without JSON's special characters, anything else with them."""
    if reference.endswith(("arn", "_id")):
        return f"({reference})"
    return f'<{reference} "\\\n${{x}} \u2028>'


def read_meaning(value: Value) -> Json:
    return meaning(value, resolve)


def read(rendered: Json) -> Json:
    """What Terraform makes of rendered JSON."""
    match rendered:
        case str():
            return template(rendered, resolve)
        case list():
            return [read(item) for item in rendered]
        case dict():
            return {str(template(key, resolve)): read(item) for key, item in rendered.items()}
        case _:
            return rendered


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        ("plain", "plain"),
        ("${aws_x.y.z}", "$${aws_x.y.z}"),
        ("%{ if x }", "%%{ if x }"),
        ("$${x}", "$$${x}"),
        ("100% of $5 {x}", "100% of $5 {x}"),
        (BUCKET, "${aws_s3_bucket.data.arn}"),
        (ACCOUNT, "${data.aws_caller_identity.current.account_id}"),
        (INDEXED, "${aws_vpc_endpoint.s3.dns_entry[0].dns_name}"),
        (REMOTE, "${data.terraform_remote_state.churn_dev_security.outputs.aws_kms_key_data_arn}"),
        (text(BUCKET, "/*"), "${aws_s3_bucket.data.arn}/*"),
        (text("cost $", BUCKET), 'cost ${"$"}${aws_s3_bucket.data.arn}'),
        (text("$$", BUCKET), '${"$$"}${aws_s3_bucket.data.arn}'),
        (text("50%", BUCKET), "50%${aws_s3_bucket.data.arn}"),
        (text(BUCKET, "$", "{x}"), "${aws_s3_bucket.data.arn}$${x}"),
        (text("a\rb\r\n", BUCKET), 'a${"\\r"}b\r\n${aws_s3_bucket.data.arn}'),
        ("\ufeffa\r", '${"\\ufeff"}a${"\\r"}'),
        ({"${k}": [True, 1, 1.5, None]}, {"$${k}": [True, 1, 1.5, "${null}"]}),
    ],
)
def test_a_value_is_rendered_for_the_json_syntax(value: Value, rendered: Json) -> None:
    assert render(value) == rendered


@pytest.mark.parametrize(
    ("document", "rendered"),
    [
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
        ({"Resource": [BUCKET, text(BUCKET, "/*")]}, '{"Resource":["${aws_s3_bucket.data.arn}","${aws_s3_bucket.data.arn}/*"]}'),
        ({"who": NAME}, '{"who":${jsonencode(aws_sns_topic.alerts.display_name)}}'),
        ({"who": text('"', NAME)}, '{"who":${jsonencode("\\"${aws_sns_topic.alerts.display_name}")}}'),
        ({"path": text('"${x}"', BUCKET)}, '{"path":"\\"$${x}\\"${aws_s3_bucket.data.arn}"}'),
        ({"a>": "b < c & d"}, '{"a\\u003e":"b \\u003c c \\u0026 d"}'),
        ({"in": JsonText({"x": BUCKET})}, '{"in":${jsonencode(jsonencode({ "x" = aws_s3_bucket.data.arn }))}}'),
    ],
)  # fmt: skip
def test_a_json_text_is_compact_and_sorted_with_references_inside(document: Value, rendered: str) -> None:
    assert json_template(document) == rendered


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        ("back\\slash ${x}", '"back\\\\slash $${x}"'),
        ("\x07\u2028", '"\\u0007\\u2028"'),
        (BUCKET, "aws_s3_bucket.data.arn"),
        (text("a$", BUCKET), '"a${"$"}${aws_s3_bucket.data.arn}"'),
        (JsonText({"a": [BUCKET]}), 'jsonencode({ "a" = [aws_s3_bucket.data.arn] })'),
        ([1, None, False, {}], "[1, null, false, {}]"),
    ],
)
def test_a_value_is_written_as_an_expression_of_hcl(value: Value, written: str) -> None:
    assert bare(value) == written


@given(VALUES)
def test_rendered_json_means_the_value(value: Value) -> None:
    assert read(render(value)) == read_meaning(value)


@given(VALUES)
def test_a_written_expression_means_the_value(value: Value) -> None:
    assert expression(bare(value), resolve) == read_meaning(value)


@given(VALUES)
def test_a_json_text_is_json_that_means_the_document(document: Value) -> None:
    rendered = json_template(document)
    assert json.loads(str(template(f"{rendered} ", resolve))) == read_meaning(document)


@given(LITERALS)
def test_an_escaped_string_holds_no_live_template(literal: str) -> None:
    assert template(escape(literal), resolve) == literal
    assert expression(quoted(literal), resolve) == literal
    assert "\n" not in quoted(literal)


@given(VALUES)
def test_rendering_is_json_without_graph_objects(value: Value) -> None:
    assert json.loads(json.dumps(render(value))) == render(value)


@pytest.mark.parametrize("stack", ["1-platform", "a b", "", "a.b", 'a"b'])
def test_a_stack_that_cannot_be_named_in_terraform_is_refused(stack: str) -> None:
    with pytest.raises(GraphError, match="cannot be read from another one"):
        remote_name(stack)


def test_a_stack_is_read_under_its_name_with_underscores() -> None:
    assert remote_name("churn-dev-network") == "churn_dev_network"
    assert render(RemoteRef("a-b", "c")) == "${data.terraform_remote_state.a_b.outputs.c}"
