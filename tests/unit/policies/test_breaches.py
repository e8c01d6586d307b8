"""What each kind of policy lets through and what it refuses, with the text that is told and its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from scaffolder.errors import Finding, SpecError
from scaffolder.pipeline import synthesize, synthesize_loaded
from scaffolder.pipelines.model import PipelineSpec
from scaffolder.policies.breaches import breaches
from scaffolder.policies.model import Policy, Regions
from scaffolder.spec.fields import Each, Either, Instance, Kind, Section, Table
from scaffolder.spec.load import parse_spec
from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.profiles import PROFILES, profiles_within
from scaffolder.spec.providers import PROVIDERS
from tests.clouds import cloud
from tests.contract.rich import rich_spec
from tests.strategies import SPEC_FILE, Spec, spec_text, valid_specs

BASE = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
"""
SERVED = "models: {churn: {}}\n"

EU = Policy(
    name="eu-only",
    owner="security@acme.example",
    says="customers' data stays in the EU",
    allowed_regions=Regions(aws=("eu-west-1", "eu-central-1"), azure=("westeurope",)),
)
SIZES = Policy(name="sizes", owner="finops", allowed_instances=("cpu.*", "gpu.t4", "ml.m5.*"))
COST = Policy(name="cost", owner="finops", mandatory_tags={"cost-center": "[0-9]{4}"})
COMPLIANCE = Policy(name="compliance", owner="legal", minimum_profiles=("soc2",))


def told(text: str, *policies: Policy) -> str:
    return "\n".join(str(finding) for finding in sorted(set(found(text, *policies))))


def found(text: str, *policies: Policy) -> list[Finding]:
    return [*breaches(policies, parse_spec(text), {})]


# --- regions ---------------------------------------------------------------------------------------------------------


def test_an_allowed_region_is_let_through() -> None:
    assert told(BASE, EU) == ""


def test_a_region_is_refused_with_the_policy_its_owner_and_why() -> None:
    assert told(BASE.replace("eu-west-1", "eu-west-3"), EU) == (
        'platform.yaml:4:33: error[policy]: target.region "eu-west-3" is against policy eu-only of '
        "security@acme.example: customers' data stays in the EU\n"
        '  Did you mean "eu-west-1"? It allows eu-west-1, eu-central-1.'
    )


def test_a_cloud_that_has_no_allowed_region_is_refused_as_such() -> None:
    text = BASE.replace("aws", "gcp").replace("eu-west-1", "europe-west4").replace("123456789012", "acme-ml")
    assert told(text, EU) == (
        'platform.yaml:4:20: error[policy]: target.provider "gcp" is against policy eu-only of '
        "security@acme.example: customers' data stays in the EU\n"
        "  It allows no region of gcp, but some of aws, azure."
    )


def test_an_environment_elsewhere_is_refused_where_it_says_so() -> None:
    text = BASE + "environments: {dev: {}, prod: {target: {region: us-east-1}}}\n"
    assert told(text, EU) == (
        'platform.yaml:5:49: error[policy]: target.region "us-east-1" is against policy eu-only of '
        "security@acme.example: customers' data stays in the EU (in environment prod)\n"
        "  It allows eu-west-1, eu-central-1."
    )


def test_what_all_environments_have_is_told_once() -> None:
    text = BASE.replace("eu-west-1", "eu-west-3") + "environments: {dev: {}, prod: {}}\n"
    assert [finding.path for finding in found(text, EU)] == ["target.region"]
    assert "environment" not in found(text, EU)[0].message


@pytest.mark.parametrize(
    ("environments", "broken"),
    [(("prod",), ["prod"]), (("*",), ["dev", "prod"]), (("pr*", "dev"), ["dev", "prod"]), (("staging",), [])],
    ids=str,
)
def test_a_policy_is_for_the_environments_it_names(environments: tuple[str, ...], broken: list[str]) -> None:
    text = (
        BASE
        + "environments: {dev: {target: {region: us-east-1}}, prod: {target: {region: us-east-2}}, test: {}}\n"
    )
    policy = Policy(
        name="eu", owner="x", environments=environments, allowed_regions=Regions(aws=("eu-west-1",))
    )
    told = [finding.message.rpartition("(in environment ")[2].rstrip(")") for finding in found(text, policy)]
    assert sorted(told) == broken


def test_the_states_own_region_counts() -> None:
    text = BASE + "state: {backend: s3, settings: {bucket: acme-state, region: us-east-1}}\n"
    assert [(finding.line, finding.column, finding.path) for finding in found(text, EU)] == [
        (5, 61, "state.settings.region")
    ]


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("{region: us-east-1}", ["region"]),
        ("{region: eu-west-1}", []),
        ("{replica: [{region_name: us-east-1}, {kms: {destination_region: us-east-1}}]}", ["destination"]),
        ('{location: "West Europe"}', ["location"]),
        ("{location: eu-west-1a}", []),
        ("{availability: us-east-1}", []),
        ('{output_location: "s3://b/us-east-1"}', []),
        ("{source_file_location: reports}", []),
        ("{locations: [eu-central-1, us-east-1]}", ["locations[1]"]),
    ],
    ids=str,
)
def test_places_that_overrides_name_count(value: str, refused: list[str]) -> None:
    text = BASE + f'overrides: {{"aws_s3_bucket.data": {value}}}\n'
    paths = [finding.path for finding in found(text, EU)]
    assert len(paths) == len(refused)
    assert all(part in path for part, path in zip(refused, paths, strict=True))


def test_azures_regions_may_be_spelt_as_its_portal_does() -> None:
    spec = BASE.replace("aws", "azure").replace("eu-west-1", "westeurope")
    text = spec.replace("123456789012", "11111111-2222-4333-8444-555555555555")
    override = 'overrides: {"azurerm_key_vault.keys": {location: "West Europe"}}\n'
    assert found(text + override, EU) == []
    assert [finding.path for finding in found(text + override.replace("West", "North"), EU)] == [
        "overrides.azurerm_key_vault.keys.location"
    ]


def test_a_cloud_that_a_spec_may_name_is_one_that_a_policy_may_name() -> None:
    assert {each.name for each in fields(Regions)} == set(PROVIDERS)


# --- machines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instance", ["cpu.small", "cpu.xlarge", "gpu.t4", "ml.m5.large"])
def test_an_allowed_size_is_let_through(instance: str) -> None:
    assert told(BASE + f"workspace: {{instance: {instance}}}\n", SIZES) == ""


def test_a_size_is_refused_with_the_nearest_that_is_allowed() -> None:
    assert told(BASE + "workspace: {instance: gpu.l4}\n", SIZES) == (
        'platform.yaml:5:23: error[policy]: workspace.instance "gpu.l4" is against policy sizes of finops\n'
        '  Did you mean "gpu.t4"? It allows cpu.*, gpu.t4, ml.m5.*.'
    )


@pytest.mark.parametrize(
    ("allowed", "instance"), [("cpu.*", "ml.p4d.24xlarge"), ("ml.m4.large*", "ml.m5.large")]
)
def test_a_size_of_another_sort_or_a_pattern_is_no_near_one(allowed: str, instance: str) -> None:
    policy = Policy(name="sizes", owner="x", allowed_instances=(allowed,))
    (finding,) = found(BASE + f"workspace: {{instance: {instance}}}\n", policy)
    assert finding.hint == f"It allows {allowed}."


def test_several_gpus_are_another_size_than_one() -> None:
    text = BASE + 'workspace: {instance: "gpu.t4x2"}\n'
    assert [finding.path for finding in found(text, SIZES)] == ["workspace.instance"]
    for allowed in ("gpu.t4*", "gpu.t4x2", "gpu.t4×2"):
        assert found(text, Policy(name="sizes", owner="x", allowed_instances=(allowed,))) == []


def test_a_default_that_is_not_allowed_is_refused_and_said_to_be_one() -> None:
    policy = Policy(name="small", owner="finops", allowed_instances=("cpu.small",))
    text = BASE + SERVED + "endpoints:\n  churn: {model: churn}\n"
    assert told(text, policy) == (
        'platform.yaml:7:10: error[policy]: endpoints.churn.instance "cpu.medium", its default, is against policy '
        "small of finops\n"
        "  It allows cpu.small."
    )


def test_an_endpoint_without_machines_has_no_size_to_refuse() -> None:
    policy = Policy(name="small", owner="finops", allowed_instances=("cpu.small",))
    assert found(BASE + SERVED + "endpoints: {churn: {model: churn, mode: serverless}}\n", policy) == []


@pytest.mark.parametrize(
    "override",
    [
        '"aws_sagemaker_endpoint_configuration.churn": {production_variants: [{instance_type: ml.p4d.24xlarge}]}',
        '"google_workbench_instance.ada": {gce_setup: {machine_type: a3-highgpu-8g}}',
        '"azapi_resource.compute": {body: {properties: {vmSize: Standard_NC96ads_A100_v4}}}',
        '"google_workbench_instance.ada": {accelerator_configs: [{accelerator_type: NVIDIA_H100}]}',
        """"aws_sagemaker_pipeline.train": {pipeline_definition: '{"Steps": [{"InstanceType": "ml.p5.48xlarge"}]}'}""",
    ],
)
def test_sizes_that_overrides_name_count(override: str) -> None:
    assert len(found(BASE + f"overrides: {{{override}}}\n", SIZES)) == 1


def test_a_long_list_of_what_is_allowed_is_cut() -> None:
    policy = Policy(name="many", owner="x", allowed_instances=tuple(f"ml.m5.{n}xlarge" for n in range(30)))
    (finding,) = found(BASE + "workspace: {instance: gpu.l4}\n", policy)
    assert finding.hint.endswith("ml.m5.19xlarge and 10 more.")


PIPELINE = """\
version: 1
image: training:1.0.0
code: code
steps:
  train:
    command: [python, train.py]
    outputs: {model: model}
    instance: gpu.h100
"""


def project(folder: Path, spec: str, pipeline: str) -> Path:
    (folder / "code").mkdir()
    (folder / "code" / "train.py").write_text("", encoding="utf-8")
    (folder / "train.yaml").write_text(pipeline, encoding="utf-8")
    path = folder / "platform.yaml"
    path.write_text(spec, encoding="utf-8")
    return path


def refused(path: Path, *policies: Policy) -> list[Finding]:
    try:
        synthesize(path, policies=policies)
    except SpecError as error:
        return [finding for finding in error.findings if finding.code == "policy"]
    return []


def test_a_step_of_a_pipeline_is_refused_in_its_own_file(tmp_path: Path) -> None:
    spec = BASE + "pipelines: {train: {definition: train.yaml}, again: {definition: train.yaml}}\n"
    (finding,) = refused(project(tmp_path, spec, PIPELINE), SIZES)
    assert (finding.file, finding.line, finding.column) == (str(tmp_path / "train.yaml"), 8, 15)
    assert finding.message == 'steps.train.instance "gpu.h100" is against policy sizes of finops'


def test_a_step_is_refused_in_the_environments_that_the_policy_is_for(tmp_path: Path) -> None:
    spec = BASE + "pipelines: {train: {definition: train.yaml}}\nenvironments: {dev: {}, prod: {}}\n"
    policy = Policy(name="sizes", owner="x", environments=("prod",), allowed_instances=("cpu.*",))
    (finding,) = refused(project(tmp_path, spec, PIPELINE), policy)
    assert finding.message.endswith("(in environment prod)")


def test_a_pipelines_size_counts_where_a_step_takes_it(tmp_path: Path) -> None:
    policy = Policy(name="one", owner="x", allowed_instances=("gpu.h100",))
    path = project(tmp_path, BASE + "pipelines: {train: {definition: train.yaml}}\n", PIPELINE)
    assert refused(path, policy) == []
    registers = "  register:\n    register: {model: churn, artifact: train.model, image: 'serving:1.0.0'}\n"
    (tmp_path / "train.yaml").write_text(PIPELINE + registers, encoding="utf-8")
    assert refused(path, policy) == []
    (tmp_path / "train.yaml").write_text(PIPELINE.replace("    instance: gpu.h100\n", ""), encoding="utf-8")
    assert [finding.path for finding in refused(path, policy)] == ["pipelines.train.instance"]


def declared(kind: Kind, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every place of the vocabulary that takes an instance, by the classes alone; ``*`` is a name of the user's."""
    match kind:
        case Instance():
            yield path
        case Section(model=model):
            for item in fields(model):  # type: ignore[arg-type]  # a section's model is a dataclass
                yield from declared(item.metadata["kind"], (*path, item.name))
        case Table():
            yield from declared(kind.kind, (*path, "*"))
        case Each():
            yield from declared(kind.kind, (*path, "*"))
        case Either():
            for each in kind.kinds:
                yield from declared(each, path)
        case _:
            pass


IN_SPECS = sorted(declared(Section(PlatformSpec)))
IN_PIPELINES = sorted(declared(Section(PipelineSpec)))


def test_the_vocabulary_has_instances() -> None:
    """So that the two tests below cannot pass by finding none."""
    assert ("workspace", "instance") in IN_SPECS
    assert ("endpoints", "*", "instance") in IN_SPECS
    assert ("steps", "*", "instance") in IN_PIPELINES


def put(spec: Spec, path: tuple[str, ...], value: str) -> str:
    """Set what is at a path; return the path with its names."""
    *above, last = path
    names = []
    below: Any = spec
    for part in above:
        name = next(iter(below)) if part == "*" else part
        names.append(str(name))
        below = below.setdefault(name, {})
    below[last] = value
    return ".".join([*names, last])


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@pytest.mark.parametrize("path", IN_SPECS, ids=".".join)
def test_every_instance_of_the_spec_is_reached(provider: str, path: tuple[str, ...]) -> None:
    spec = rich_spec(cloud(provider))
    spec.pop("overrides", None)
    for endpoint in spec["endpoints"].values():
        endpoint["mode"] = "realtime"
    named = put(spec, path, "gpu.h100×3")
    others = Policy(
        name="not-three", owner="x", allowed_instances=("cpu.*", "gpu.[!h]*", "ml.*", "*-*", "S*")
    )
    told = [
        finding.path
        for finding in breaches([others], parse_spec(spec_text(spec), file=SPEC_FILE), {})
        if finding.path == named
    ]
    assert told == [named]


@pytest.mark.parametrize("path", IN_PIPELINES, ids=".".join)
def test_every_instance_of_a_pipeline_is_reached(tmp_path: Path, path: tuple[str, ...]) -> None:
    pipeline: Spec = {
        "version": 1,
        "image": "training:1.0.0",
        "steps": {"train": {"command": ["x"], "outputs": {"model": "model"}}},
    }
    named = put(pipeline, path, "gpu.h100")
    spec = BASE + "pipelines: {train: {definition: train.yaml}}\n"
    assert [finding.path for finding in refused(project(tmp_path, spec, spec_text(pipeline)), SIZES)] == [
        named
    ]


# --- tags ------------------------------------------------------------------------------------------------------------


def test_a_tag_that_fits_is_let_through() -> None:
    assert told(BASE + 'tags: {cost-center: "1234"}\n', COST) == ""


def test_a_missing_tag_is_told_with_the_nearest_that_is_there() -> None:
    assert told(BASE + 'tags: {cost_center: "1234"}\n', COST) == (
        "platform.yaml:5:7: error[policy]: tags.cost-center is missing, against policy cost of finops\n"
        '  Did you mean "cost_center"? Add cost-center to tags, with a value that fits [0-9]{4}'
    )
    assert told(BASE, COST) == (
        "platform.yaml:1:1: error[policy]: tags.cost-center is missing, against policy cost of finops\n"
        "  Add cost-center to tags, with a value that fits [0-9]{4}"
    )


def test_a_tags_whole_value_must_fit() -> None:
    assert told(BASE + 'tags: {cost-center: "12345"}\n', COST) == (
        'platform.yaml:5:21: error[policy]: tags.cost-center "12345" is against policy cost of finops\n'
        "  It must fit [0-9]{4}"
    )


def test_a_tag_that_an_environment_takes_away_is_missing_where_it_does_so() -> None:
    text = BASE + 'tags: {cost-center: "1234"}\nenvironments: {dev: {tags: {cost-center: null}}, prod: {}}\n'
    assert [(finding.line, finding.column, finding.path) for finding in found(text, COST)] == [
        (6, 42, "tags.cost-center")
    ]


def test_the_owner_is_a_tag_that_the_spec_has_a_key_for() -> None:
    policy = Policy(name="teams", owner="x", mandatory_tags={"owner": "team-[a-z]+"})
    assert [(finding.line, finding.path) for finding in found(BASE, policy)] == [(3, "owner")]
    assert found(BASE.replace("growth-ml", "team-growth"), policy) == []


def test_an_override_may_not_give_a_resource_another_value() -> None:
    text = (
        BASE + 'tags: {cost-center: "1234"}\noverrides: {"aws_s3_bucket.data": {tags: {cost-center: none}}}\n'
    )
    assert [finding.path for finding in found(text, COST)] == [
        "overrides.aws_s3_bucket.data.tags.cost-center"
    ]


AZURE = (
    BASE.replace("aws", "azure")
    .replace("eu-west-1", "westeurope")
    .replace("123456789012", "11111111-2222-4333-8444-555555555555")
    + 'tags: {cost-center: "1234"}\n'
)


@pytest.mark.parametrize(
    ("tags", "lacks"),
    [("null", True), ("{}", True), ('{cost-center: "4321"}', False)],
)
def test_an_override_may_not_take_a_tag_off_a_resource_that_has_it(tags: str, *, lacks: bool) -> None:
    text = AZURE + f'overrides: {{"azurerm_storage_account.data": {{tags: {tags}}}}}\n'
    try:
        synthesize_loaded(parse_spec(text), policies=[COST])
        said = ""
    except SpecError as error:
        said = "\n".join(str(finding) for finding in error.findings if finding.code == "policy")
    assert said == (
        "platform.yaml:6:52: error[policy]: overrides.azurerm_storage_account.data.tags lacks cost-center, against "
        "policy cost of finops\n  Add cost-center to it."
        if lacks
        else ""
    )


def test_an_override_of_what_the_provider_tags_by_itself_takes_nothing_away() -> None:
    overrides = 'overrides: {"aws_s3_bucket.data": {tags: {a: b}}, "aws_vpc.main": {tags: {a: b}}}\n'
    loaded = parse_spec(BASE + 'tags: {cost-center: "1234"}\n' + overrides)
    assert synthesize_loaded(loaded, policies=[COST]).environments


def test_a_value_that_may_be_a_secret_is_not_repeated() -> None:
    policy = Policy(name="x", owner="x", mandatory_tags={"password": "none"})
    (finding,) = found(BASE + "tags: {password: hunter2}\n", policy)
    assert "hunter2" not in str(finding)
    assert finding.message == "tags.password a value that is not shown here is against policy x of x"


# --- profiles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profiles", ["soc2", "gdpr, soc2"])
def test_the_profile_itself_is_let_through(profiles: str) -> None:
    text = (
        BASE
        + f"security: {{profiles: [{profiles}]}}\nstorage: {{buckets: {{data: {{expire_after_days: 30}}}}}}\n"
    )
    assert told(text, COMPLIANCE) == ""


def test_a_profile_that_is_stricter_is_enough() -> None:
    years = "audit_retention_days: 2190, log_retention_days: 2190"
    text = (
        BASE
        + f"security: {{profiles: [hipaa], {years}}}\nstorage: {{buckets: {{logs: {{expire_after_days: 2190}}}}}}\n"
    )
    assert told(text, COMPLIANCE) == ""


def test_a_profile_that_is_missing_is_named() -> None:
    policy = Policy(name="compliance", owner="legal", minimum_profiles=("soc2", "gdpr"))
    assert told(BASE + "security: {profiles: []}\n", policy) == (
        "platform.yaml:5:22: error[policy]: security.profiles lacks soc2 and gdpr, against policy compliance of legal\n"
        "  Add soc2 and gdpr to it."
    )


def test_what_one_profile_holds_of_the_others() -> None:
    assert {name: sorted(profiles_within([name])) for name in PROFILES} == {
        "hipaa": ["hipaa", "soc2"],
        "soc2": ["soc2"],
        "gdpr": ["gdpr"],
        "eu-ai-act": ["eu-ai-act"],
    }
    assert profiles_within([]) == frozenset()


@settings(max_examples=25, deadline=None)
@given(valid_specs(provider="aws"))
def test_a_spec_that_meets_a_profile_meets_what_is_within_it(spec: Spec) -> None:
    """By the floors themselves: the loader has no finding when the profile within is asked for in its place."""
    given_profiles = spec.get("security", {}).get("profiles", [])
    within = sorted(profiles_within(given_profiles))
    spec.setdefault("security", {})["profiles"] = within
    (first, *_) = parse_spec(spec_text(spec), file=SPEC_FILE).environments
    assert sorted(first.spec.security.profiles) == within


# --- all of it -------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(valid_specs())
def test_what_allows_everything_refuses_nothing(spec: Spec) -> None:
    provider = spec["target"]["provider"]
    regions: Mapping[str, tuple[str, ...]] = {provider: tuple(cloud(provider).regions)}
    policy = Policy(
        name="all",
        owner="x",
        allowed_regions=Regions(**regions),
        allowed_instances=("*",),
        mandatory_tags=dict.fromkeys(spec.get("tags", {}), ".*"),
        minimum_profiles=tuple(spec.get("security", {}).get("profiles", ())),
    )
    spec.pop("environments", None)
    spec.get("state", {}).pop("settings", None)
    if spec.get("state", {}).get("backend", "managed") not in {"managed", "local"}:
        del spec["state"]
    loaded = parse_spec(spec_text(spec), file=SPEC_FILE)
    assert [*breaches([policy], loaded, {})] == []
    nowhere = {provider: ("mars-north-1",)}
    assert {
        finding.path
        for finding in breaches(
            [Policy(name="no", owner="x", allowed_regions=Regions(**nowhere))], loaded, {}
        )
    } == {"target.region"}


def test_all_breaches_are_told_at_once_and_beside_other_findings(tmp_path: Path) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text(
        BASE.replace("eu-west-1", "eu-west-9") + "workspace: {instance: gpu.l4}\n", encoding="utf-8"
    )
    with pytest.raises(SpecError) as caught:
        synthesize(path, policies=[EU, SIZES, COST, COMPLIANCE])
    codes = sorted(finding.code for finding in caught.value.findings)
    assert codes == ["policy", "policy", "policy", "policy", "region"]


def test_no_policies_are_no_findings() -> None:
    assert synthesize_loaded(parse_spec(BASE), policies=()).environments
