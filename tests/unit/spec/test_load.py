"""From text to specs: environments, places, defaults, and that nothing ends in a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaffolder.errors import Finding, SpecError, UsageError
from scaffolder.spec.load import LoadedSpec, load_spec, parse_spec
from scaffolder.spec.model import Bucket, PlatformSpec, Replicas, Target
from tests.strategies import spec_text, valid_specs
from tests.unit.spec.mutations import CHANGES, ODD, mutated, paths_in

BASE = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
"""
FULL = (
    BASE
    + """\
models: {churn: {}}
endpoints:
  churn: {model: churn, replicas: {min: 1, max: 4}}
storage: {buckets: {data: {expire_after_days: 30}}}
tags: {cost: a, team: b}
overrides: {"aws_s3_bucket.data": {bucket: null, tags: {a: 1, b: 2}}}
environments:
  dev:
  test: {tags: {cost: null}, overrides: {"aws_s3_bucket.data": null}}
  prod:
    target: {account: "210987654321"}
    deletion_protection: true
    endpoints:
      churn:
        replicas: {min: 2}
    overrides: {"aws_s3_bucket.data": {tags: null, force_destroy: false}}
"""
)


def specs(loaded: LoadedSpec) -> dict[str, PlatformSpec]:
    return {environment.name: environment.spec for environment in loaded.environments}


def test_a_short_spec_has_one_environment_and_every_default() -> None:
    loaded = parse_spec(BASE)
    target = Target(provider="aws", region="eu-west-1", account="123456789012")
    assert specs(loaded) == {"dev": PlatformSpec(version=1, name="churn", owner="growth-ml", target=target)}
    assert loaded.warnings == ()
    assert loaded.file == "platform.yaml"


def test_overlays_merge_deeply_replace_values_and_take_keys_away() -> None:
    loaded = specs(parse_spec(FULL))
    assert list(loaded) == ["dev", "test", "prod"]
    assert loaded["dev"].endpoints["churn"].replicas == Replicas(min=1, max=4)
    assert loaded["prod"].endpoints["churn"].replicas == Replicas(min=2, max=4)
    assert dict(loaded["test"].tags) == {"team": "b"}
    assert dict(loaded["prod"].tags) == {"cost": "a", "team": "b"}
    assert [spec.deletion_protection for spec in loaded.values()] == [False, False, True]
    assert loaded["prod"].storage.buckets["data"] == Bucket(expire_after_days=30)


def test_null_below_an_override_is_a_value_and_takes_a_whole_override_away() -> None:
    loaded = specs(parse_spec(FULL))
    assert loaded["dev"].overrides == {"aws_s3_bucket.data": {"bucket": None, "tags": {"a": 1, "b": 2}}}
    assert loaded["test"].overrides == {}
    assert loaded["prod"].overrides == {
        "aws_s3_bucket.data": {"bucket": None, "tags": None, "force_destroy": False}
    }


def test_an_empty_overlay_gives_a_section_that_the_rest_lacks() -> None:
    loaded = specs(parse_spec(BASE + "environments: {dev: {workspace: {}}, prod: {}}\n"))
    assert loaded["dev"].workspace is not None
    assert loaded["prod"].workspace is None


def test_positions_are_where_each_environments_value_is_written() -> None:
    dev, test, prod = parse_spec(FULL).environments
    assert dev.position(("endpoints", "churn", "replicas", "min")) == (7, 41)
    assert prod.position(("endpoints", "churn", "replicas", "min")) == (19, 25)
    assert prod.position(("endpoints", "churn", "replicas", "max")) == (7, 49)
    assert prod.position(("target", "account")) == (15, 23)
    assert prod.position(("target", "region")) == (4, 33)
    assert test.position(("tags", "cost")) == (13, 23)
    assert prod.position(("network", "cidr")) == (1, 1)
    assert prod.position(("overrides", "aws_s3_bucket.data", "force_destroy")) == (20, 67)


def test_environments_can_be_chosen_and_know_the_accounts_before_them() -> None:
    loaded = parse_spec(FULL, environments=["prod"])
    assert [environment.name for environment in loaded.environments] == ["prod"]
    assert loaded.environments[0].earlier_accounts == ("123456789012", "123456789012")
    assert parse_spec(FULL).environments[0].earlier_accounts == ()


def test_an_unknown_environment_is_a_usage_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(FULL, environments=["dev", "prd"])
    assert (
        str(caught.value)
        == 'there is no environment "prd"; the spec has dev, test, prod. Did you mean "prod"?'
    )


def test_a_broken_file_is_refused_whichever_environment_is_asked_for() -> None:
    with pytest.raises(SpecError):
        parse_spec(BASE + "environments: {dev: {}, prod: {network: {zones: 9}}}\n", environments=["dev"])


def test_findings_name_the_file_as_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(file)
    assert {finding.file for finding in caught.value.findings} == {str(file)}
    assert caught.value.findings == tuple(sorted(caught.value.findings))


def test_a_file_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(FULL, encoding="utf-8")
    assert specs(load_spec(str(file))) == specs(parse_spec(FULL))


def test_shared_parts_can_be_anchors() -> None:
    text = (
        BASE
        + "models: {a: &model {approval: automatic}, b: *model}\nenvironments:\n  dev: &small {tags: {a: b}}\n  test: {<<: *small}\n"
    )
    loaded = specs(parse_spec(text))
    assert loaded["dev"] == loaded["test"]
    assert loaded["dev"].models["b"].approval == "automatic"


@pytest.mark.parametrize("secret", ["AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghijABCDEFGHIJ012345"])
@pytest.mark.parametrize(
    "place",
    [
        "owner: {}",
        'owner: "x {}"',
        "tags: {{a: {}}}",
        "tags: {{{}: a}}",
        "{}: 1",
        "network: {{cidr: {}}}",
        "x: {{{}: {}}}",
        "overrides: {{{}: {{a: on}}}}",
        "models: {{{}: 1}}",
    ],
)
def test_no_message_repeats_a_credential(secret: str, place: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(BASE.replace("owner: growth-ml\n", "") + place.format(secret, secret) + "\n")
    assert "secret" in {finding.code for finding in caught.value.findings}
    assert secret not in "".join(f"{finding} {finding.path}" for finding in caught.value.findings)


def test_a_value_below_a_secrets_name_is_not_repeated() -> None:
    text = BASE + "state: {backend: s3, settings: {bucket: b, region: r, secret_key: on, token: 007}}\n"
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    assert "007" not in str(caught.value)


# --- mutations -------------------------------------------------------------------------------------------------------


def findings_in(text: str) -> tuple[Finding, ...]:
    """The findings, at least one where the spec is refused."""
    try:
        return parse_spec(text).warnings
    except SpecError as error:
        return error.findings or pytest.fail("refused without a finding")


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_change_of_a_valid_spec_is_loaded_or_gives_findings(data: st.DataObject) -> None:
    spec = data.draw(valid_specs(overrides=True))
    path = data.draw(st.sampled_from(paths_in(spec)))
    changed = mutated(
        spec,
        path,
        data.draw(st.sampled_from(CHANGES)),
        data.draw(st.sampled_from(ODD)),
    )
    for finding in findings_in(json.dumps(changed, ensure_ascii=False)):
        assert finding.message
        assert finding.line >= 1
        assert "\u0007" not in str(finding)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_spec_with_a_hole_in_it_is_loaded_or_gives_findings(data: st.DataObject) -> None:
    text = spec_text(data.draw(valid_specs()))
    start = data.draw(st.integers(0, len(text)))
    hole = (
        text[:start]
        + data.draw(st.sampled_from(["", " ", "\t", "{", "]", ":", "'", "&a", "*a", "\n", "- "]))
        + text[start + data.draw(st.integers(0, 5)) :]
    )
    assert all(finding.message for finding in findings_in(hole))
