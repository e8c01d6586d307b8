"""Terraform's HCL syntax, for people who read or take over what was generated: one ``main.tf`` a stack.

Says what :mod:`stacks.emit.terraform_json` says, laid out as ``terraform fmt`` would. It may not touch a file, and
it does not know which arguments are blocks: its caller passes a function that asks the provider's schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from stacks.emit.backend import StateRead, located, state_reads
from stacks.emit.expressions import bare, quoted
from stacks.emit.terraform_json import GENERATED
from stacks.graph import GraphError, JsonText, Lifecycle, LinkedStack, Node, ProviderBlock, Value

if TYPE_CHECKING:
    from stacks.schema.load import Schemas

__all__ = ["IsBlock", "Kind", "document_path", "files", "is_block_of", "main_tf"]

Kind: TypeAlias = Literal["resource", "data", "provider"]
# Whether the argument at a path (``("rule", "filter")``) of a resource type, data source or provider is a block.
IsBlock: TypeAlias = Callable[[Kind, str, tuple[str, ...]], bool]

_BARE_KEY = re.compile(r"(?!for$)[A-Za-z_][A-Za-z0-9_]*")
_LINE_LENGTH = 100
_INDENT = "  "


def main_tf(linked: LinkedStack, is_block: IsBlock) -> str:
    """Write one stack."""
    blocks = [
        _terraform(linked),
        *(_provider(block, is_block) for block in linked.stack.providers),
        *(_state_read(read) for read in state_reads(linked)),
        *(_node(node, is_block) for node in linked.nodes),
        *(_output(name, value) for name, value in sorted(linked.outputs.items())),
    ]
    return "\n".join([f"# {GENERATED}\n", *blocks])


def is_block_of(schemas: Schemas) -> IsBlock:
    """Ask the schemas of a platform's providers."""
    return lambda kind, type_, path: schemas.of(kind, type_).is_block(path)


def document_path(stack: str) -> str:
    """Say where a stack's file is in the output folder."""
    return f"stacks/{stack}/main.tf"


def files(stacks: Iterable[LinkedStack], is_block: IsBlock) -> dict[str, bytes]:
    """Make every file of the output folder, by its path in it."""
    return {document_path(linked.stack.name): main_tf(linked, is_block).encode() for linked in stacks}


def _terraform(linked: LinkedStack) -> str:
    stack = linked.stack
    backend = located(stack.backend, stack.name)
    providers = _attributes((block.name, _requirement(block)) for block in stack.providers)
    inner = [
        _attributes([("required_version", stack.required_terraform)]),
        _block("required_providers", providers),
        _block(f"backend {quoted(backend.kind)}", _attributes(backend.config.items())),
    ]
    return _block("terraform", "\n".join(inner))


def _requirement(block: ProviderBlock) -> Value:
    return {"source": block.source, "version": block.version}


def _provider(block: ProviderBlock, is_block: IsBlock) -> str:
    def nested(path: tuple[str, ...]) -> bool:
        return is_block("provider", block.name, path)

    return _block(f"provider {quoted(block.name)}", _body(block.config, nested))


def _state_read(read: StateRead) -> str:
    body = _attributes([("backend", read.backend.kind), ("config", read.backend.config)])
    return _block(f'data "terraform_remote_state" {quoted(read.name)}', body)


def _node(node: Node, is_block: IsBlock) -> str:
    address = node.address

    def nested(path: tuple[str, ...]) -> bool:
        return is_block(address.mode, address.type, path)

    parts = [_body(node.arguments, nested)]
    if node.provider:
        parts.append(f"provider = {node.provider}\n")
    if node.depends_on:
        parts.append(f"depends_on = {_list([str(needed) for needed in node.depends_on], '')}\n")
    if lifecycle := _lifecycle(node.lifecycle):
        parts.append(_block("lifecycle", lifecycle))
    head = f"{address.mode} {quoted(address.type)} {quoted(address.name)}"
    comment = f"# {' '.join(node.origin.split())}\n" if node.origin else ""
    return comment + _block(head, "\n".join(part for part in parts if part))


def _lifecycle(lifecycle: Lifecycle) -> str:
    entries: list[tuple[str, str]] = []
    if lifecycle.prevent_destroy:
        entries.append(("prevent_destroy", "true"))
    if lifecycle.create_before_destroy:
        entries.append(("create_before_destroy", "true"))
    if lifecycle.ignore_changes == ("all",):
        entries.append(("ignore_changes", "all"))
    elif lifecycle.ignore_changes:
        entries.append(("ignore_changes", _list(list(lifecycle.ignore_changes), "")))
    return _aligned(entries, "")


def _output(name: str, value: Value) -> str:
    return _block(f"output {quoted(name)}", _attributes([("value", value)]))


def _body(arguments: Mapping[str, Value], is_block: Callable[[tuple[str, ...]], bool]) -> str:
    """Write attributes, then nested blocks, each in the order given."""

    def body(arguments: Mapping[str, Value], path: tuple[str, ...]) -> str:
        plain = [(name, value) for name, value in arguments.items() if not is_block((*path, name))]
        parts = [_attributes(plain)] if plain else []
        for name, value in arguments.items():
            if is_block((*path, name)):
                parts += [_block(name, body(item, (*path, name))) for item in _items(value, (*path, name))]
        return "\n".join(parts)

    return body(arguments, ())


def _items(value: Value, path: tuple[str, ...]) -> Iterator[Mapping[str, Value]]:
    """Take a block's one body, or each of its bodies."""
    match value:
        case None:
            return
        case Mapping():
            yield value
        case Sequence() if not isinstance(value, str):
            for item in value:
                yield from _items(item, path)
        case _:
            raise GraphError(f"{'.'.join(path)} is a block, but its value is {value!r}")


def _block(head: str, body: str) -> str:
    if not body:
        return f"{head} {{}}\n"
    lines = (f"{_INDENT}{line}" if line else "" for line in body.splitlines())
    return "\n".join([f"{head} {{", *lines, "}"]) + "\n"


def _attributes(arguments: Iterable[tuple[str, Value]]) -> str:
    return _aligned([(name, _expression(value, "", len(name) + 5)) for name, value in arguments], "")


def _aligned(entries: Sequence[tuple[str, str]], indent: str) -> str:
    """Write ``key = value`` lines; neighbours on one line each have their ``=`` in one column."""
    lines: list[str] = []
    group: list[tuple[str, str]] = []

    def flush() -> None:
        width = max((len(key) for key, _ in group), default=0)
        lines.extend(f"{indent}{key.ljust(width)} = {value}\n" for key, value in group)
        group.clear()

    for key, value in entries:
        if "\n" in value:
            flush()
            lines.append(f"{indent}{key} = {value}\n")
        else:
            group.append((key, value))
    flush()
    return "".join(lines)


def _expression(value: Value, indent: str, taken: int) -> str:
    """Write a value; ``indent`` is that of its first line, ``taken`` the columns used there before it."""
    match value:
        case JsonText(document=document):
            return f"jsonencode({_expression(document, indent, taken)})"
        case str():
            return quoted(value)
        case Mapping() if value:
            deeper = indent + _INDENT
            entries = [(_key(key), _expression(item, deeper, len(deeper))) for key, item in value.items()]
            return "{\n" + _aligned(entries, deeper) + indent + "}"
        case Sequence() if value:
            return _sequence(value, indent, taken)
        case _:
            return bare(value)


def _sequence(value: Sequence[Value], indent: str, taken: int) -> str:
    deeper = indent + _INDENT
    items = [_expression(item, deeper, len(deeper)) for item in value]
    one_line = f"[{', '.join(items)}]"
    if not any("\n" in item for item in items) and taken + len(one_line) <= _LINE_LENGTH:
        return one_line
    return _list(items, indent)


def _list(items: Sequence[str], indent: str) -> str:
    deeper = indent + _INDENT
    return "[\n" + "".join(f"{deeper}{item},\n" for item in items) + indent + "]"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quoted(key)
