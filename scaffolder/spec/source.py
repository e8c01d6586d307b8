"""Reads a YAML file or text into a tree with positions; each hazard of YAML is a finding.

Strict YAML: one document, string keys, no custom tags. May not know what a key means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path as File
from typing import NoReturn, Protocol, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from scaffolder.spec.nodes import (
    EMPTY,
    Entry,
    List,
    Mark,
    Node,
    Path,
    Report,
    Scalar,
    Tree,
    dotted,
    nearest,
    printable,
    quoted,
)
from scaffolder.spec.secrets import secret_in, secrets_in
from scaffolder.spec.yaml_scalars import NotFinite, resolve_scalar

__all__ = ["LARGEST_BYTES", "Events", "parse_source", "read_source"]

LARGEST_BYTES = 1024 * 1024
DEEPEST = 50
MOST_ALIASED = 10_000
STR_TAG = "tag:yaml.org,2002:str"
MERGE = "<<"
BOM = "\ufeff"
# What YAML does not call printable (https://yaml.org/spec/1.2.2/#51-character-set), and line separators, which count as
# lines only in YAML. Compiled where a text is not plainly printable: that takes milliseconds.
CONTROL = r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
BLANKS = str.maketrans("", "", "\t\n\r")
CONTROL_VALUE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
SYNTAX_HINTS = (
    (
        "mapping values are not allowed",
        'A value with ": " in it needs quotes; a key starts where its neighbours do.',
    ),
    ("cannot start any token", "A value that starts with @, ` or % needs quotes."),
    (
        "did not find expected",
        "Look for a bracket or a quote that is not closed, or a line that is indented differently.",
    ),
    ("unexpected end of stream", "Look for a quote that is not closed."),
    ("could not find expected ':'", 'A key is followed by ": ".'),
    (
        "unknown escape character",
        "Between double quotes, a backslash is written twice; between single quotes, once.",
    ),
)


class Events(Protocol):
    """The part of PyYAML's loaders that is used, in C or in Python."""

    def check_event(self) -> bool: ...
    def get_event(self) -> Event: ...
    def dispose(self) -> None: ...


FASTEST: Callable[[str], Events] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    """The rest of the file cannot be read; why is in the report."""


def read_source(path: File, report: Report) -> Tree | None:
    """Read a file; ``None`` when it cannot be read as a tree at all. Other findings may be reported beside a tree."""
    raw = _bytes(path, report)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8")
        sort = (
            "UTF-16"
            if raw.startswith((b"\xff\xfe", b"\xfe\xff"))
            else f"the byte 0x{raw[error.start]:02x} is not"
        )
        problem = f"the file is {sort}, not UTF-8" if sort == "UTF-16" else f"the file is not UTF-8: {sort}"
        report.add(_mark_at(good, len(good)), "encoding", (), problem, "Save it as UTF-8.")
        return None
    return parse_source(text, report)


def _bytes(path: File, report: Report) -> bytes | None:
    try:
        if path.is_dir():
            problem, hint = (
                "this is a folder, not a file",
                "Name the spec's file in it, such as platform.yaml.",
            )
        else:
            with path.open("rb") as file:
                return file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        problem, hint = "there is no such file", _near_file(path)
    except (OSError, ValueError) as error:
        problem, hint = (
            f"the file cannot be read: {getattr(error, 'strerror', '') or 'its name is not one'}",
            "",
        )
    report.add(Mark(1, 1), "file", (), problem, hint)
    return None


def _near_file(path: File) -> str:
    try:
        specs = [file.name for file in path.parent.iterdir() if file.suffix in {".yaml", ".yml"}]
    except OSError:
        return ""
    return nearest(path.name, sorted(specs))


def parse_source(text: str, report: Report, loader: Callable[[str], Events] = FASTEST) -> Tree | None:
    """Read a text; as :func:`read_source`. Any of PyYAML's loaders gives the same tree."""
    if len(text) > LARGEST_BYTES or len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        report.add(
            Mark(1, 1),
            "size",
            (),
            f"the file is larger than {LARGEST_BYTES // 1024} KiB, the limit of {report.one}",
        )
        return None
    if text.startswith(BOM):
        report.add(
            Mark(1, 1),
            "byte-order-mark",
            (),
            "the file starts with a byte-order mark",
            "Save it as UTF-8 without one.",
        )
        text = text[1:]
    control = None if text.translate(BLANKS).isprintable() else re.search(CONTROL, text)
    if control is not None:
        report.add(
            _mark_at(text, control.start()),
            "control-character",
            (),
            f"the character U+{ord(control[0]):04X} cannot be seen and has no place in {report.one}",
            "Remove it.",
        )
        return None
    tree = _parse_events(text, report, loader)
    _report_secrets(text, tree, report)
    return tree


def _mark_at(text: str, offset: int) -> Mark:
    start = max(text.rfind(end, 0, offset) for end in "\r\n") + 1
    before = text[:start]
    return Mark(before.count("\n") + before.count("\r") - before.count("\r\n") + 1, offset - start + 1)


def _parse_events(text: str, report: Report, loader: Callable[[str], Events]) -> Tree | None:
    try:
        return _document(loader(text), report)
    except yaml.YAMLError as error:
        _report_syntax(text, error, report)
        return None


def _document(events: Events, report: Report) -> Tree | None:
    try:
        return _Builder(events, report).document()
    except _Stop:
        return None
    finally:
        events.dispose()


def _report_syntax(text: str, error: yaml.YAMLError, report: Report) -> None:
    place = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
    lines = text.splitlines()
    indent = re.match(r" *\t\s*", lines[mark.line - 1]) if mark.line <= len(lines) else None
    if indent is not None and mark.column <= len(indent[0]) + 1:
        at = Mark(mark.line, indent[0].index("\t") + 1)
        report.add(at, "tab", (), "a tab indents this line; YAML takes spaces only", "Replace it by spaces.")
        return
    problem = re.sub(
        r"\bb?'(\\.|[^'\\])'", r'"\1"', str(getattr(error, "problem", None) or "it cannot be read")
    )
    problem = problem.replace(
        "did not find expected <document start>", f"something stands after the end of {report.whole}"
    )
    context = str(getattr(error, "context", None) or "")
    hint = next((hint for sign, hint in SYNTAX_HINTS if sign in problem), "")
    where = f" {context}" if context.startswith("while") else ""
    report.add(mark, "yaml", (), printable(f"this is not YAML: {problem}{where}"), hint)


def _report_secrets(text: str, tree: Tree | None, report: Report) -> None:
    """Look for credentials in the whole text, comments too."""
    for start, kind in secrets_in(text):
        mark = _mark_at(text, start)
        path = _path_at(tree or EMPTY, mark)
        subject = f"{dotted(path)} holds what looks like" if path else "this looks like"
        report.add(
            mark,
            "secret",
            path,
            f"{subject} {kind}; {report.one} is kept in version control and takes no secret",
            "Revoke it, since it may have been seen, and keep its successor in the environment or in a secret store.",
        )


def _path_at(tree: Tree, mark: Mark) -> Path:
    """The path of the credential that starts at or before a mark; empty for a comment or a key."""
    found = [
        (scalar.mark, path)
        for scalar, path in _scalars(tree, ())
        if scalar.mark <= mark and secret_in(scalar.text)
    ]
    return max(found, key=lambda item: item[0], default=(mark, ()))[1]


def _scalars(node: Node, path: Path) -> Iterator[tuple[Scalar, Path]]:
    match node:
        case Scalar():
            yield node, path
        case List(items=items):
            for number, item in enumerate(items):
                yield from _scalars(item, (*path, number))
        case Tree(entries=entries):
            for name, entry in entries.items():
                yield from _scalars(entry.value, (*path, name))


class _Builder:
    """Builds the tree of one document out of events. Aliased nodes are shared, not copied."""

    def __init__(self, loader: Events, report: Report) -> None:
        self._loader = loader
        self._report = report
        self._anchors: dict[str, tuple[Node, int, int]] = {}  # with its nodes and its height
        self._open: set[str] = set()
        self._nodes = 0  # with each alias counted as what it stands for
        self._aliased = 0
        self._reached = 0  # the deepest level in the node that is being built

    def document(self) -> Tree | None:

        self._loader.get_event()  # the stream's start
        event = self._loader.get_event()
        if not isinstance(event, DocumentStartEvent):
            self._no_content()
            return None
        root = self._node(self._start(), (), 0)
        while self._loader.check_event():
            event = self._loader.get_event()
            if isinstance(event, DocumentStartEvent):
                message = f"a second document starts here; {self._report.one} is one document"
                self._stop(event, "documents", (), message)
        if isinstance(root, Tree):
            return root
        if isinstance(root, Scalar) and root.value is None:
            self._no_content()
            return None
        message = f"{self._report.one} is a mapping of keys to values, such as {self._report.begins}"
        self._report.add(root.mark, "no-mapping", (), message)
        return None

    def _no_content(self) -> None:
        message = f"the file is empty; {self._report.one} starts with {self._report.begins}"
        self._report.add(Mark(1, 1), "no-content", (), message)

    def _stop(self, event: Event, code: str, path: Path, message: str, hint: str = "") -> NoReturn:
        self._report.add(_mark(event), code, path, message, hint)
        raise _Stop

    def _node(self, event: NodeEvent, path: Path, depth: int) -> Node:

        if depth > DEEPEST:
            self._too_deep(event, path)
        if isinstance(event, AliasEvent):
            return self._alias(event, path, depth)
        self._refuse_tag(event, path)
        before, reached = self._nodes, self._reached
        self._nodes += 1
        self._reached = depth
        if event.anchor:
            self._open.add(event.anchor)
        node: Node
        if isinstance(event, ScalarEvent):
            node = self._scalar(event, path)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(event, path, depth)
        else:  # a MappingStartEvent
            node = self._mapping(event, path, depth)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = (node, self._nodes - before, self._reached - depth)
        self._reached = max(reached, self._reached)
        return node

    def _too_deep(self, event: Event, path: Path) -> NoReturn:
        self._stop(event, "depth", path[:6], f"values are nested more than {DEEPEST} deep here")

    def _alias(self, event: NodeEvent, path: Path, depth: int) -> Node:
        name = str(event.anchor)
        if name in self._open:
            self._stop(event, "recursive-alias", path, f"the alias *{name} stands inside of what it repeats")
        if name not in self._anchors:
            known = nearest(name, self._anchors)
            self._stop(
                event, "unknown-alias", path, f"the alias *{name} has no anchor &{name} before it", known
            )
        node, size, height = self._anchors[name]
        if depth + height > DEEPEST:
            self._too_deep(event, path)
        self._reached = max(self._reached, depth + height)
        self._nodes += size
        self._aliased += size
        if self._aliased > MOST_ALIASED:
            self._stop(
                event,
                "alias-bomb",
                path,
                f"the aliases up to *{name} repeat more than {MOST_ALIASED} values, the limit",
            )
        return node

    def _refuse_tag(self, event: NodeEvent, path: Path) -> None:
        tag = getattr(event, "tag", None)
        if tag not in {None, STR_TAG}:
            name = str(tag).replace("tag:yaml.org,2002:", "!!")
            self._report.add(
                _mark(event),
                "tag",
                path,
                f"{dotted(path) or self._report.whole} has the tag {printable(name)}; {self._report.one} has no tags",
                "Remove the tag; put text in quotes.",
            )

    def _scalar(self, event: ScalarEvent, path: Path) -> Scalar:
        mark = _mark(event)
        text = str(event.value)
        control = CONTROL_VALUE.search(text)
        if control is not None:
            self._report.add(
                mark,
                "control-character",
                path,
                f"{dotted(path)} holds the character U+{ord(control[0]):04X}, which has no place in {self._report.one}",
            )
        if not event.implicit[0]:
            return Scalar(mark, text, text)
        try:
            value, doubt = resolve_scalar(text)
        except NotFinite:
            self._report.add(
                mark,
                "number",
                path,
                f"{dotted(path)} {quoted(text)[1:-1]} is not a number that every program can hold",
                "Write a finite number, or put it in quotes when it is text.",
            )
            return Scalar(mark, text, 0)
        return Scalar(mark, text, value, doubt)

    def _start(self) -> NodeEvent:
        """The event that starts a node, where the grammar lets nothing else stand."""
        return cast("NodeEvent", self._loader.get_event())

    def _list(self, event: NodeEvent, path: Path, depth: int) -> List:
        items: list[Node] = []
        while not isinstance(following := self._start(), SequenceEndEvent):
            items.append(self._node(following, (*path, len(items)), depth + 1))
        return List(_mark(event), tuple(items))

    def _mapping(self, event: NodeEvent, path: Path, depth: int) -> Tree:

        entries: dict[str, Entry] = {}
        merges: list[tuple[Mark, Node]] = []
        while not isinstance(following := self._start(), MappingEndEvent):
            mark = _mark(following)
            name = self._key(following, path, depth)
            value = self._node(self._start(), (*path, name or "…"), depth + 1)
            if name == MERGE and isinstance(following, ScalarEvent) and following.implicit[0] and not merges:
                merges.append((mark, value))
            elif name in entries or (name == MERGE and merges):
                first = entries[name].mark if name in entries else merges[0][0]
                self._repeated(name, mark, first, path)
            elif name is not None:
                entries[name] = Entry(mark, value)
        for mark, value in merges:
            self._merge(entries, value, mark, path)
        return Tree(_mark(event), entries)

    def _repeated(self, name: str, mark: Mark, first: Mark, path: Path) -> None:
        where = (*path, name)
        self._report.add(
            mark,
            "duplicate-key",
            where,
            f"{dotted(where)} is there twice; it is on line {first.line} already",
            "Keep one of the two.",
        )

    def _key(self, event: NodeEvent, path: Path, depth: int) -> str | None:
        """Read a key; ``None`` for one that is reported."""
        node = self._node(event, path, depth + 1)
        where = f"in {dotted(path)}" if path else f"in {self._report.whole}"
        if not isinstance(node, Scalar):
            self._report.add(
                _mark(event), "key", path, f"a key {where} is a list or a mapping; keys are text"
            )
            return None
        if isinstance(node.value, str) and not node.doubt:
            return node.text
        key = quoted(node.text)
        sort = node.doubt or "text only when it is in quotes"
        readers = " to some YAML readers" if node.doubt else ""
        self._report.add(
            _mark(event),
            "key",
            path,
            f"the key {key[1:-1]} {where} is {sort}{readers}; keys are text",
            f"Put it in quotes: {key}",
        )
        return None

    def _merge(self, entries: dict[str, Entry], value: Node, mark: Mark, path: Path) -> None:
        """Add what ``<<`` refers to; what the mapping says itself, and what comes first, wins."""
        sources = value.items if isinstance(value, List) else (value,)
        for source in sources:
            if isinstance(source, Tree):
                for name, entry in source.entries.items():
                    entries.setdefault(name, entry)
            else:
                self._report.add(
                    mark,
                    "merge",
                    path,
                    "<< takes an alias of a mapping, or a list of them",
                    "Write it as <<: *name",
                )


def _mark(event: Event) -> Mark:
    place = event.start_mark
    return Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
