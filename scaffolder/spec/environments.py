"""Splits a spec's tree into one tree for each environment: its overlay merged over the rest.

Merging is of nodes, so that each keeps the place where it is written. May not know what a key means.
"""

from __future__ import annotations

from dataclasses import dataclass

from scaffolder.spec.model import ENVIRONMENT_NAME
from scaffolder.spec.nodes import EMPTY, Entry, Mark, Node, Path, Report, Scalar, Tree, dotted, quoted, shown

__all__ = [
    "DEFAULT_ENVIRONMENT",
    "DOC",
    "ENVIRONMENTS",
    "LOCAL",
    "MOST_ENVIRONMENTS",
    "SHARED_KEYS",
    "Environment",
    "split_environments",
]

ENVIRONMENTS = "environments"
DOC = (
    "Environments by name: what differs in each is merged over the rest of the spec, and null takes a key away. "
    "The name local is taken: it is the user's own machine, which every spec has."
)
DEFAULT_ENVIRONMENT = "dev"
LOCAL = "local"
"""The environment that every spec has without naming it, for operations on the user's own machine."""
MOST_ENVIRONMENTS = 20
SHARED_KEYS = ("version", "name", ENVIRONMENTS)
LITERAL = "overrides"
LITERAL_DEPTH = 3  # overrides.<address>.<argument>: from here on, null is a value and takes an argument away


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment's name, its whole tree, and where it is named."""

    name: str
    tree: Tree
    mark: Mark


def split_environments(tree: Tree, report: Report) -> tuple[Environment, ...]:
    """Return the environments in the file's order; a file that names none has one."""
    base = Tree(tree.mark, {name: entry for name, entry in tree.entries.items() if name != ENVIRONMENTS})
    entry = tree.entries.get(ENVIRONMENTS)
    if entry is None:
        return (Environment(DEFAULT_ENVIRONMENT, base, base.mark),)
    overlays = _overlays(entry.value, report)
    if not overlays:
        return (Environment(DEFAULT_ENVIRONMENT, base, base.mark),)
    return tuple(Environment(name, merged(base, tree, ()), mark) for name, (tree, mark) in overlays.items())


def _overlays(node: Node, report: Report) -> dict[str, tuple[Tree, Mark]]:
    """The overlays by name, and where each is named; unsound ones are reported, and empty."""
    path: Path = (ENVIRONMENTS,)
    if isinstance(node, Scalar) and node.value is None:
        report.add(
            node.mark, "empty", path, "environments is empty", "Write dev: {} below it, or leave it out."
        )
        return {}
    if not isinstance(node, Tree):
        hint = "Write dev: {} below it, or leave it out."
        report.add(
            node.mark,
            "value",
            path,
            f"environments must be a mapping of names to overlays, not {shown(node, path)}",
            hint,
        )
        return {}
    if not 1 <= len(node.entries) <= MOST_ENVIRONMENTS:
        count = f"must have 1 to {MOST_ENVIRONMENTS} names, not {len(node.entries)}"
        report.add(node.mark, "length", path, f"environments {count}")
        return {}
    return {name: (_overlay(name, entry, report), entry.mark) for name, entry in node.entries.items()}


def _overlay(name: str, entry: Entry, report: Report) -> Tree:
    path: Path = (ENVIRONMENTS, name)
    if not ENVIRONMENT_NAME.fits(name):
        message = f"environments has the name {quoted(name)}; a name there must be {ENVIRONMENT_NAME.valid}"
        report.add(entry.mark, "name", path, message, ENVIRONMENT_NAME.mended(name))
    if name == LOCAL:
        message = (
            'environments has the name "local", which is reserved: it is this machine, and every spec has it'
        )
        hint = "Give the environment another name; `scaffolder run PIPELINE --env local` needs none."
        report.add(entry.mark, "name", path, message, hint)
    node = entry.value
    if isinstance(node, Scalar) and node.value is None and not node.doubt:
        return Tree(node.mark, {})
    if not isinstance(node, Tree):
        message = f"{dotted(path)} must be a mapping with what differs in it, not {shown(node, path)}"
        report.add(node.mark, "value", path, message, "Write {} when nothing differs.")
        return EMPTY
    for shared in SHARED_KEYS:
        if shared in node.entries:
            where = (*path, shared)
            report.add(
                node.entries[shared].mark,
                "shared-key",
                where,
                f"{dotted(where)} cannot differ: {', '.join(SHARED_KEYS)} are the same in all environments",
                "Remove it.",
            )
    return Tree(node.mark, {key: value for key, value in node.entries.items() if key not in SHARED_KEYS})


def merged(base: Tree, overlay: Tree, path: Path) -> Tree:
    """Merge mappings deeply; anything else of the overlay replaces, and null takes a key away."""
    entries = dict(base.entries)
    removed: dict[str, Mark] = dict(base.removed)
    for name, entry in overlay.entries.items():
        where = (*path, name)
        value = entry.value
        literal = where[0] == LITERAL and len(where) >= LITERAL_DEPTH
        if isinstance(value, Scalar) and value.value is None and not literal:
            entries.pop(name, None)
            removed[name] = value.mark
            continue
        below = base.entries.get(name)
        if isinstance(value, Tree):
            over = below.value if below is not None and isinstance(below.value, Tree) else None
            merge = merged(over or Tree(value.mark, {}), value, where)
            entries[name] = Entry(entry.mark if over is None else below.mark if below else entry.mark, merge)
        else:
            entries[name] = entry
    return Tree(base.mark, entries, removed)
