from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scaffolder.errors import ScaffolderError
from scaffolder.pipeline import Synthesis, synthesize_loaded
from scaffolder.report.changes import Changes, IntentChange, compare
from scaffolder.spec.load import parse_spec
from stacks.graph import Backend, JsonText, Lifecycle, Stack, StackBuilder, Value, text
from stacks.intents import ModelRegistry
from tests.graphs import ALL
from tests.strategies import Spec, spec_text, valid_specs
from tests.unit.report.made import only_resource, only_stack, platform, stack, synthesis, synthesized

EXAMPLE = (Path(__file__).resolve().parents[3] / "examples/02-foundation-aws/platform.yaml").read_text(
    "utf-8"
)


def bucket(
    name: str = "churn-data", *, address: str = "data", protected: bool = False, **more: Value
) -> Stack:
    return stack(
        "storage",
        lambda builder: builder.resource(
            "aws_s3_bucket",
            address,
            {"bucket": name, **more},
            origin="object store data",
            lifecycle=Lifecycle(prevent_destroy=protected),
            holds="every object",
        ),
    )


def one(
    type_name: str, arguments: dict[str, Value], *, lifecycle: Lifecycle | None = None, **more: Any
) -> Stack:
    return stack(
        "storage",
        lambda builder: builder.resource(
            type_name, "x", arguments, origin="test", lifecycle=lifecycle, **more
        ),
    )


def changed(old: Stack, new: Stack) -> Changes:
    return compare(synthesis(old), synthesis(new))


def test_the_same_platform_has_no_changes() -> None:
    for make in ALL.values():
        stacks = [linked.stack for linked in make() if linked.stack.environment == "dev"]
        changes = compare(synthesis(*stacks), synthesis(*stacks))
        assert changes.environments == ()
        assert changes.is_empty


def test_a_changed_argument_is_a_change_in_place_with_both_values() -> None:
    resource = only_resource(changed(bucket(tags={"a": "1"}), bucket(tags={"a": "2"})))
    assert (resource.action, resource.loses) == ("changed", ())
    (argument,) = resource.arguments
    assert (argument.path, argument.kind, argument.old, argument.new) == ("tags.a", "changed", "1", "2")
    assert argument.forces is False


def test_an_argument_that_forces_replacement_loses_what_the_resource_holds() -> None:
    changes = changed(bucket("one"), bucket("two"))
    resource = only_resource(changes)
    assert (resource.action, resource.loses, resource.refused) == ("replaced", ("every object",), False)
    assert changes.totals.replaced == changes.totals.data_losing == 1


def test_replacing_a_protected_resource_is_refused_by_terraform() -> None:
    assert only_resource(changed(bucket("one", protected=True), bucket("two", protected=True))).refused


def test_a_replacement_of_an_unmeasured_type_is_not_claimed() -> None:
    resource = only_resource(changed(one("aws_made_up", {"name": "a"}), one("aws_made_up", {"name": "b"})))
    assert resource.action == "changed"
    assert resource.arguments[0].forces is None


def test_a_block_that_comes_is_asked_about_with_what_is_inside() -> None:
    old: dict[str, Value] = {"name": "x"}
    new: dict[str, Value] = {**old, "encryption_configuration": {"encryption_type": "KMS"}}
    assert (
        only_resource(changed(one("aws_ecr_repository", old), one("aws_ecr_repository", new))).action
        == "replaced"
    )


def test_a_removed_resource_loses_what_it_holds_and_an_added_one_nothing() -> None:
    both = (bucket(), stack("storage"))
    removed = only_resource(changed(*both))
    assert (removed.action, removed.loses) == ("removed", ("every object",))
    added = only_resource(changed(*reversed(both)))
    assert (added.action, added.loses) == ("added", ())


def test_true_is_not_one_and_the_order_of_keys_does_not_count() -> None:
    before, after = one("aws_x", {"a": True, "b": 1}), one("aws_x", {"b": 1, "a": 1})
    assert [change.path for change in only_resource(changed(before, after)).arguments] == ["a"]
    assert changed(one("aws_x", {"a": 1, "b": 2}), one("aws_x", {"b": 2, "a": 1})).is_empty


def test_the_order_in_a_set_does_not_count_but_in_a_list_it_does() -> None:
    in_set = [one("aws_nat", {}), one("aws_vpc_endpoint", {"subnet_ids": ["a", "b"]})]
    assert changed(in_set[1], one("aws_vpc_endpoint", {"subnet_ids": ["b", "a"]})).is_empty
    in_list = [one("aws_made_up", {"ids": ids}) for ids in (["a", "b"], ["b", "a"])]
    assert not changed(*in_list).is_empty


def test_an_item_put_into_the_middle_of_a_list_is_the_only_change() -> None:
    def policy(*sids: str) -> Stack:
        return one("aws_made_up", {"policy": JsonText({"Statement": [{"Sid": sid} for sid in sids]})})

    (change,) = only_resource(changed(policy("a", "c"), policy("a", "b", "c"))).arguments
    assert (change.path, change.kind, change.new) == ("policy.Statement[1]", "added", {"Sid": "b"})


def test_ignored_arguments_replace_nothing() -> None:
    ignoring = Lifecycle(ignore_changes=("bucket",))
    before, after = (
        one("aws_s3_bucket", {"bucket": name}, lifecycle=ignoring, holds="it") for name in ("a", "b")
    )
    resource = only_resource(changed(before, after))
    assert (resource.action, resource.loses) == ("changed", ())
    assert resource.arguments[0].ignored


@pytest.mark.parametrize(
    ("type_name", "old", "new", "path"),
    [
        ("aws_s3_bucket", {"force_destroy": False}, {"force_destroy": True}, "force_destroy"),
        ("aws_s3_bucket", {}, {"force_destroy": True}, "force_destroy"),
        ("aws_ecr_repository", {"force_delete": False}, {"force_delete": True}, "force_delete"),
        (
            "aws_kms_key",
            {"deletion_window_in_days": 30},
            {"deletion_window_in_days": 7},
            "deletion_window_in_days",
        ),
        ("aws_db_instance", {"deletion_protection": True}, {}, "deletion_protection"),
        (
            "aws_s3_bucket_versioning",
            {"versioning_configuration": {"status": "Enabled"}},
            {"versioning_configuration": {"status": "Suspended"}},
            "versioning_configuration.status",
        ),
    ],
)
def test_a_protection_that_is_taken_away_is_said(
    type_name: str, old: dict[str, Value], new: dict[str, Value], path: str
) -> None:
    changes = changed(one(type_name, old), one(type_name, new))
    assert only_resource(changes).lowered == (path,)
    assert changes.totals.lowered == 1
    assert only_resource(changed(one(type_name, new), one(type_name, old))).lowered == ()


def test_prevent_destroy_taken_away_is_a_protection_lowered() -> None:
    resource = only_resource(changed(bucket(protected=True), bucket()))
    assert resource.lowered == ("lifecycle.prevent_destroy",)
    assert resource.action == "changed"


def expiring(
    type_name: str, arguments: dict[str, Value], *, parent: bool = True, rules: bool = True
) -> Stack:
    def fill(builder: StackBuilder) -> None:
        store = builder.resource("aws_s3_bucket", "data", {"bucket": "d"}, origin="t") if parent else None
        if rules:
            at = {"bucket": store.ref("id")} if store else {}
            builder.resource(type_name, "data", {**at, **arguments}, origin="t")

    return stack("storage", fill)


RULES = "aws_s3_bucket_lifecycle_configuration"


def rule(days: int | None, status: str = "Enabled") -> dict[str, Value]:
    expiration: dict[str, Value] = {} if days is None else {"expiration": {"days": days}}
    return {"rule": [{"id": "keep", "status": status, **expiration}]}


@pytest.mark.parametrize(
    ("old", "new", "loses"),
    [
        (730, 30, ("every object older than 30 days (730 before)",)),
        (None, 30, ("every object older than 30 days (all were kept)",)),
        (30, 730, ()),
        (30, None, ()),
    ],
)
def test_objects_that_expire_earlier_are_lost(
    old: int | None, new: int | None, loses: tuple[str, ...]
) -> None:
    changes = changed(expiring(RULES, rule(old)), expiring(RULES, rule(new)))
    assert only_resource(changes).loses == loses
    assert only_resource(changes).action == "changed"


def test_a_disabled_rule_loses_nothing_until_it_is_enabled() -> None:
    disabled, enabled = expiring(RULES, rule(30, "Disabled")), expiring(RULES, rule(30))
    assert only_resource(changed(expiring(RULES, rule(None)), disabled)).loses == ()
    assert only_resource(changed(disabled, enabled)).loses == (
        "every object older than 30 days (all were kept)",
    )


def test_rules_added_to_a_bucket_that_is_there_lose_what_they_expire_but_not_with_a_new_bucket() -> None:
    after = expiring(RULES, rule(30))
    added = only_resource(changed(expiring(RULES, {}, rules=False), after))
    assert added.loses == ("every object older than 30 days (all were kept)",)
    assert changed(stack("storage"), after).totals.data_losing == 0


def test_logs_and_images_that_are_kept_shorter_are_lost() -> None:
    def logs(days: int) -> Stack:
        return one("aws_cloudwatch_log_group", {"retention_in_days": days})

    assert only_resource(changed(logs(90), logs(30))).loses == ("every log older than 30 days (90 before)",)
    assert only_resource(changed(logs(0), logs(30))).loses == (
        "every log older than 30 days (all were kept)",
    )
    assert only_resource(changed(logs(30), logs(0))).loses == ()

    def images(keep: int) -> Stack:
        rules: Value = [{"rulePriority": 2, "selection": {"countNumber": keep}}]
        return one("aws_ecr_lifecycle_policy", {"policy": JsonText({"rules": rules})})

    (lost,) = only_resource(changed(images(30), images(20))).loses
    assert lost == "the images that its rule no longer keeps: 20 now (30 before)"


def network(cidr: str) -> tuple[Stack, Stack]:
    """A VPC, what refers to its id in the same and in another stack, and what refers to an argument of it."""
    first = StackBuilder("network")
    vpc = first.resource("aws_vpc", "main", {"cidr_block": cidr, "instance_tenancy": "default"}, origin="t")
    document = first.data(
        "aws_iam_policy_document", "d", {"statement": [{"resources": [vpc.ref("arn")]}]}, origin="t"
    )
    first.resource("aws_subnet", "a", {"vpc_id": vpc.ref("id"), "cidr_block": "10.0.0.0/24"}, origin="t")
    first.resource("aws_internet_gateway", "a", {"vpc_id": vpc.ref("id")}, origin="t")
    first.resource(
        "aws_vpc",
        "other",
        {"cidr_block": "10.9.0.0/16", "tags": {"v": vpc.ref("instance_tenancy")}},
        origin="t",
    )
    second = StackBuilder("identity")
    second.resource("aws_iam_policy", "p", {"name": "p", "policy": document.ref("json")}, origin="t")
    second.resource("aws_security_group", "s", {"name": text("of-", vpc.ref("id"))}, origin="t")
    return tuple(  # type: ignore[return-value]
        replace(stack(builder.concern), nodes=builder.nodes) for builder in (first, second)
    )


def test_what_refers_to_a_replaced_resource_follows_it_through_stacks_and_data_sources() -> None:
    changes = compare(synthesis(*network("10.0.0.0/16")), synthesis(*network("10.1.0.0/16")))
    assert {str(each.address): each.action for each in changes.resources} == {
        "aws_vpc.main": "replaced",
        "data.aws_iam_policy_document.d": "changed",
        "aws_subnet.a": "replaced",
        "aws_internet_gateway.a": "changed",
        "aws_iam_policy.p": "changed",
        "aws_security_group.s": "replaced",
    }
    follows = {str(each.address): [change.follows for change in each.arguments] for each in changes.resources}
    assert follows["aws_vpc.main"] == [""]
    assert follows["aws_subnet.a"] == ["aws_vpc.main"]
    assert follows["aws_iam_policy.p"] == ["data.aws_iam_policy_document.d"]


def test_a_reference_to_an_argument_follows_that_argument_only() -> None:
    def pair(tags: str, name: str) -> Stack:
        def fill(builder: StackBuilder) -> None:
            first = builder.resource(
                "aws_ssm_parameter", "a", {"name": name, "tags": {"t": tags}}, origin="t"
            )
            builder.resource("aws_ssm_parameter", "b", {"name": "b", "value": first.ref("name")}, origin="t")

        return stack("storage", fill)

    assert only_resource(changed(pair("1", "x"), pair("2", "x"))).address.name == "a"
    names = {each.address.name for each in changed(pair("1", "x"), pair("1", "y")).resources}
    assert names == {"a", "b"}


def test_a_resource_in_another_stack_is_removed_there_and_added_here_and_both_say_so() -> None:
    here = replace(bucket(), name="churn-dev-other", concern="other")
    changes = compare(synthesis(bucket(), stack("other")), synthesis(stack("storage"), here))
    removed, added = sorted(changes.resources, key=lambda each: each.action, reverse=True)
    assert (removed.action, removed.moved_to, removed.importable) == ("removed", "churn-dev-other", True)
    assert removed.loses == ("every object",)
    assert (added.action, added.moved_from) == ("added", "churn-dev-storage")


def test_a_move_with_another_name_cannot_be_imported() -> None:
    here = replace(bucket("other"), name="churn-dev-other", concern="other")
    changes = compare(synthesis(bucket()), synthesis(here))
    assert [each.importable for each in changes.resources if each.action == "removed"] == [False]


def test_a_resource_with_another_name_and_the_same_arguments_is_seen_as_renamed() -> None:
    removed = next(
        each for each in changed(bucket(), bucket(address="new")).resources if each.action == "removed"
    )
    assert str(removed.renamed_to) == "aws_s3_bucket.new"


def test_no_rename_is_seen_where_arguments_differ_or_two_resources_would_do() -> None:
    different = changed(bucket(), bucket("other", address="new"))
    assert [each.renamed_to for each in different.resources] == [None, None]

    def two(builder: StackBuilder) -> None:
        for name in ("a", "b"):
            builder.resource("aws_s3_bucket", name, {"bucket": "churn-data"}, origin="t")

    ambiguous = changed(bucket(), stack("storage", two))
    assert {each.renamed_to for each in ambiguous.resources} == {None}


def test_outputs_providers_terraform_and_order_are_compared() -> None:
    before = stack("storage", lambda builder: builder.export("name", "a"))
    after = replace(before, exports={"name": "b", "more": "c"})
    provider = replace(before.providers[0], version=">= 6.0.0, < 7.0.0")
    after = replace(after, providers=(provider,), required_terraform=">= 1.11.0", needs=("churn-dev-other",))
    found = only_stack(compare(synthesis(stack("other"), before), synthesis(stack("other"), after)))
    assert [(each.kind, each.path) for each in found.outputs] == [("added", "more"), ("changed", "name")]
    assert [each.path for each in found.settings] == [
        "deployed_after[0]",
        "provider.aws.version",
        "terraform.required_version",
    ]
    assert found.backend is None
    assert found.leaves_behind == ()


def test_another_backend_is_a_change_though_no_resource_changes() -> None:
    after = replace(bucket(), backend=Backend(kind="s3", config={"bucket": "state"}))
    changes = changed(bucket(), after)
    backend = only_stack(changes).backend
    assert backend is not None
    assert (backend.old.kind, backend.new.kind) == ("local", "s3")
    assert not changes.is_empty
    assert changes.totals.data_losing == 0


def test_another_region_leaves_data_behind() -> None:
    before = bucket()
    aws = before.providers[0]
    after = replace(before, providers=(replace(aws, config={**aws.config, "region": "eu-west-2"}),))
    changes = changed(before, after)
    assert only_stack(changes).leaves_behind == ("provider aws: region",)
    assert changes.totals.data_losing == 1


def test_environments_that_come_and_go_are_whole() -> None:
    prod = platform("prod", [bucket()])
    old, new = synthesis(bucket()), synthesis(bucket(), prod=prod)
    (environment,) = compare(old, new).environments
    assert (environment.name, environment.action) == ("prod", "added")
    (gone,) = compare(new, old).environments
    assert gone.action == "removed"
    assert compare(new, old).totals.data_losing == 1


def test_an_empty_environment_that_comes_is_a_change() -> None:
    assert not compare(synthesis(), synthesis(prod=platform("prod", []))).is_empty


def test_parts_of_the_spec_that_no_stack_carries_are_named_and_are_no_change() -> None:
    before = platform(
        "dev",
        [],
        (
            ModelRegistry(
                name="a", approval="manual", version=None, image=None, data=None, approval_pipeline=None
            ),
            ModelRegistry(
                name="b", approval="manual", version=None, image=None, data=None, approval_pipeline=None
            ),
        ),
    )
    after = platform(
        "dev",
        [],
        (
            ModelRegistry(
                name="a", approval="automatic", version=None, image=None, data=None, approval_pipeline=None
            ),
            ModelRegistry(
                name="c", approval="manual", version=None, image=None, data=None, approval_pipeline=None
            ),
        ),
    )
    old, new = (Synthesis(file="p", environments=(each,), warnings=()) for each in (before, after))
    changes = compare(old, new)
    assert changes.is_empty
    assert changes.environments[0].uncarried == (
        IntentChange(intent="model registry a", action="changed"),
        IntentChange(intent="model registry c", action="added"),
        IntentChange(intent="model registry b", action="removed"),
    )


@pytest.mark.parametrize(
    ("changed_words", "actions", "losing"),
    [
        ({"exports:": "imports:"}, {"added", "changed", "removed"}, 2),
        ({"keep_images: 30": "keep_images: 20"}, {"replaced"}, 4),
        ({"keep_images: 30": "keep_images: 40"}, {"replaced"}, 0),
        ({"expire_after_days: 730": "expire_after_days: 365"}, {"changed"}, 2),
        ({"deletion_protection: true": "deletion_protection: false"}, {"changed"}, 0),
        ({"owner: growth-ml": "owner: other"}, set(), 0),
        ({"[training, serving]": "[training, serving, more]"}, {"added", "changed"}, 0),
    ],
)
def test_changes_of_a_real_spec(changed_words: dict[str, str], actions: set[str], losing: int) -> None:
    changes = compare(synthesized(EXAMPLE), synthesized(EXAMPLE, changed_words))
    assert not changes.is_empty
    assert {each.action for each in changes.resources} == actions
    assert changes.totals.data_losing == losing


def _synthesized(spec: Spec) -> Synthesis:
    try:
        return synthesize_loaded(parse_spec(spec_text(spec)))
    except ScaffolderError:  # a spec may ask for what a region lacks
        assume(condition=False)
        raise


@settings(max_examples=30)
@given(valid_specs())
def test_a_spec_does_not_differ_from_itself(spec: Spec) -> None:
    assert compare(_synthesized(spec), _synthesized(spec)).environments == ()


@settings(max_examples=30)
@given(st.tuples(valid_specs(), valid_specs()), st.booleans())
def test_the_way_back_swaps_what_is_added_and_removed(specs: tuple[Spec, Spec], same_name: bool) -> None:  # noqa: FBT001
    first, second = specs
    if same_name:
        second = {**second, "name": first["name"]}
    old, new = _synthesized(first), _synthesized(second)
    there, back = compare(old, new), compare(new, old)
    assert (there.totals.added, there.totals.removed) == (back.totals.removed, back.totals.added)

    def by_action(changes: Changes, action: str) -> set[tuple[str, str, str]]:
        return {
            (environment.name, found.name, str(resource.address))
            for environment in changes.environments
            for found in environment.stacks
            for resource in found.resources
            if resource.action == action
        }

    assert by_action(there, "added") == by_action(back, "removed")
    assert by_action(there, "replaced") | by_action(there, "changed") == by_action(
        back, "replaced"
    ) | by_action(back, "changed")
