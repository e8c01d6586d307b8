"""The strategy makes valid specs, and its texts say the same as its dicts."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaffolder.spec.load import parse_spec
from tests.strategies import Spec, spec_text, valid_specs


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_made_spec_loads(provider: str, data: st.DataObject) -> None:
    spec: Spec = data.draw(valid_specs(provider=provider, overrides=True))
    loaded = parse_spec(spec_text(spec))
    assert [environment.name for environment in loaded.environments] == list(
        spec.get("environments") or ["dev"]
    )
    assert loaded.environments[0].spec.name == spec["name"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(spec=valid_specs(overrides=True))
def test_the_text_says_the_same_as_the_dict(spec: Spec) -> None:
    assert yaml.safe_load(spec_text(spec)) == spec
