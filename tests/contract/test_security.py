"""Every cloud's platform is encrypted, closed, tagged and without secrets, whatever the spec."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaffolder.pipeline import Synthesis
from stacks.graph import Node, Value
from stacks.intents import Encryption
from stacks.schema.load import Schemas
from stacks.schema.model import Attribute, BlockSchema
from tests.clouds import Cloud, cloud
from tests.contract.platforms import (
    PROVIDERS,
    applies,
    documents,
    full,
    oldest_and_newest,
    resources,
    rich,
    synthesized,
    values_in,
)
from tests.strategies import valid_specs

KEY = re.compile(
    r"(.*_)?(kms_key|kms_key_(id|arn|name|self_link)|kms_master_key_id|kms_data_key_reuse.*|encryption_key|encryption_key_name"
    r"|default_kms_key_name|cmek_settings|encryption_spec|encryption_config(uration)?|customer_managed_key(_.*)?"
    r"|key_vault_key_id|disk_encryption_set_id)"
)
"""Arguments that take a key of the customer's own, in any cloud's words."""

PUBLIC = re.compile(r"(.*_)?public(ly)?(_.*)?")
CLOSING = ("block_", "deny_", "disable_", "ignore_", "restrict_")
CLOSED = (False, "Disabled", "disabled", "enforced")
EVERYBODY = ("allUsers", "allAuthenticatedUsers")
EVERYWHERE = ("0.0.0.0/0", "::/0", "Internet")
SECRET = re.compile(r"(.*_)?(password|passwd|secret|token|private_key|access_key|connection_string|api_key)")
LOOKS_SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN|AccountKey=|SharedAccessSignature|ya29\.|AIza[0-9A-Za-z_-]{30}"
)
DEEPEST = 5


def _settable(body: BlockSchema, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every argument of a type that a configuration may give."""
    for name in body.settable():
        yield (*path, name)
        inside = body.child(name) if len(path) < DEEPEST else None
        if inside is not None:
            yield from _settable(inside, (*path, name))


def _keyless(of: Cloud, nodes: Sequence[Node], schemas: Schemas) -> Iterator[str]:
    """Resources that take a key of the customer's own and have none."""
    excuses = of.reasons("keyless")
    for node in nodes:
        takes = {path for path in _settable(_block(schemas, node)) if KEY.fullmatch(path[-1])}
        given_ = {path for path, value in values_in(node.arguments) if value is not None}
        if takes and not takes & given_ and not any(applies(excuse, node) for excuse in excuses):
            yield f"{node.address} takes {sorted('.'.join(path) for path in takes)}"


def _open(of: Cloud, nodes: Sequence[Node], schemas: Schemas) -> Iterator[str]:
    """Resources that are open to the public, or may be: a default is not relied on."""
    excuses = of.reasons("open")
    for node in nodes:
        public = {name for name in _block(schemas, node).settable() if PUBLIC.fullmatch(name)}
        found = {
            (path[-1], str(value))
            for path, value in values_in(node.arguments)
            if path and _opens(path[-1], value)
        }
        found |= {(name, "its default") for name in public - node.arguments.keys()}
        found |= {
            (".".join(path), str(value)) for path, value in values_in(node.arguments) if value in EVERYBODY
        }
        yield from (
            f"{node.address}: {argument} is {value}"
            for argument, value in sorted(found)
            if not any(_opens_with_reason(excuse, argument, node) for excuse in excuses)
        )
        anywhere = any(
            isinstance(value, str) and value in EVERYWHERE for _, value in values_in(node.arguments)
        )
        if anywhere and not any(applies(excuse, node) for excuse in of.reasons("anywhere")):
            yield f"{node.address} names everywhere"


def _opens_with_reason(excuse: str, argument: str, node: Node) -> bool:
    """Whether an exception, ``type.argument`` and perhaps a condition, is about an argument of a resource."""
    head, _, condition = excuse.partition(":")
    type_, _, name = head.partition(".")
    return name == argument and applies(f"{type_}:{condition}" if condition else type_, node)


def _opens(name: str, value: Value) -> bool:
    """Whether an argument's value opens something; a reference or a text is not such a switch."""
    if PUBLIC.fullmatch(name) is None or not isinstance(value, bool | str):
        return False
    return value is not True if name.startswith(CLOSING) else value not in CLOSED


def _secrets(of: Cloud, nodes: Sequence[Node], schemas: Schemas) -> Iterator[str]:
    """Literals where a secret goes."""
    for node in nodes:
        for path, value in values_in(node.arguments):
            if not path or not isinstance(value, str):
                continue
            argument = schemas.of("resource", node.address.type).at(path)
            sensitive = isinstance(argument, Attribute) and argument.sensitive
            named = f"{node.address.type}.{'.'.join(path)}"
            if (sensitive or SECRET.fullmatch(path[-1])) and named not in of.reasons("not_secret"):
                yield f"{node.address}: {'.'.join(path)}"


def _untagged(of: Cloud, synthesis: Synthesis, schemas: Schemas) -> Iterator[str]:
    """Resources without the platform's tags, where the provider does not add them by itself."""
    names, defaults, excuses = of.choices("tags"), of.words.get("default_tags"), of.reasons("untagged")
    for environment in synthesis.environments:
        for linked in environment.stacks:
            config = {block.name: block.config for block in linked.stack.providers}
            for node in linked.stack.nodes:
                if node.address.mode == "data" or any(applies(excuse, node) for excuse in excuses):
                    continue
                provider = node.provider or schemas.of("resource", node.address.type).provider
                settable = {*_block(schemas, node).settable()}
                takes = [name for name in names if name in settable]
                if takes and takes[0] == names[0] and defaults and _tags_in(config[provider], defaults):
                    continue
                if takes and not any(
                    _has_all(node.arguments.get(name), environment.platform.tags) for name in takes
                ):
                    yield str(node.address)


def _tags_in(config: Mapping[str, Value], path: str) -> bool:
    return any(".".join(at) == path and value for at, value in values_in(config))


def _has_all(given_: Value, tags: Mapping[str, str]) -> bool:
    """As many at least, since a cloud may spell a tag otherwise."""
    return isinstance(given_, Mapping) and len(given_) >= len(tags)


def _block(schemas: Schemas, node: Node) -> BlockSchema:
    return schemas.of("resource", node.address.type).block


def faults(provider: str, synthesis: Synthesis) -> list[str]:
    """What is wrong with a platform's security, by either end of the provider's versions."""
    of, newest = cloud(provider), oldest_and_newest(provider)[1]
    found = [*_untagged(of, synthesis, newest)]
    for environment in synthesis.environments:
        nodes = [
            node
            for linked in environment.stacks
            for node in linked.stack.nodes
            if node.address.mode == "resource"
        ]
        own_keys = any(
            isinstance(it, Encryption) and it.customer_managed for it in environment.platform.intents
        )
        found += [*_open(of, nodes, newest), *_secrets(of, nodes, newest)]
        found += _keyless(of, nodes, newest) if own_keys else []
    return found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_examples_and_the_rich_spec_are_sound(provider: str) -> None:
    assert [*faults(provider, full(provider)), *faults(provider, rich(provider))] == []


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_valid_spec_is_sound(provider: str, data: st.DataObject) -> None:
    assert faults(provider, synthesized(data.draw(valid_specs(provider=provider)))) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_document_has_what_looks_like_a_secret(provider: str) -> None:
    for synthesis in (full(provider), rich(provider)):
        assert [
            name for name, text in documents(synthesis).items() if LOOKS_SECRET.search(text.decode())
        ] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_platform_has_its_tags_in_every_stack(provider: str) -> None:
    """The values that nobody else writes are there: the owner's, and those of the user's own tags."""
    environment = full(provider).environments[0]
    own = {environment.platform.tags["owner"], environment.platform.tags["platform"]}
    for name, text in documents(full(provider)).items():
        strings = {value for _, value in values_in(json.loads(text)) if isinstance(value, str)}
        assert own <= strings, name


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("reasons", ["keyless", "open", "anywhere", "untagged"])
def test_every_exception_is_of_a_resource_that_is_made(provider: str, reasons: str) -> None:
    nodes = [*resources(full(provider)), *resources(rich(provider))]
    excuses = (re.sub(r"^(\w+)\.\w+", r"\1", excuse) for excuse in cloud(provider).reasons(reasons))
    assert [excuse for excuse in excuses if not any(applies(excuse, node) for node in nodes)] == []
