"""Write cdktf_app/, the benchmark's peer: an example's platform as a CDKTF app with the cloud's prebuilt bindings.

The resources are read from what `scaffolder synth` makes of the example, so that both sides deploy the same. Each
concern becomes a class that takes the environment, of which there are one or two: where two differ, the class asks
which one it is, as a person would write it. JSON texts become `json.dumps` of Python values. Run it with the Python
that has the bindings (`make peer` makes it), and give it the synthesized folder. The bindings of google 8 and azurerm 5
are published for CDKTF's successor `cdktn` only, so that the apps of those clouds are of that engine:

    .venv/bin/scaffolder synth examples/04-full-aws/platform.yaml --out /tmp/full
    .tools/peer/bin/python benchmarks/peers/write_cdktf_app.py /tmp/full [FOLDER]

May not import Scaffolder: what it knows of the platform stands in the documents.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from encoded import quoted

APP = Path(__file__).resolve().parent / "cdktf_app"
WIDTH = 110
# Terraform's names that the bindings change, because jsii cannot have them.
RENAMED = {"equals": "equal_to"}
GENERATED = "Written by write_cdktf_app.py beside this folder."
REFERENCE = re.compile(r"(?<!\$)\$\{([^}]*)\}")
REMOTE = re.compile(r"data\.terraform_remote_state\.(\w+)\.outputs\.([\w-]+)")




@dataclass(frozen=True)
class Bindings:
    """A provider's prebuilt bindings: their module, the class of the provider, and the engine that they are made for."""

    module: str
    provider: str
    engine: str
    account: str
    """The argument of the provider that holds the account."""


BINDINGS = {
    "aws": Bindings("cdktf_cdktf_provider_aws", "AwsProvider", "cdktf", "allowed_account_ids"),
    "azapi": Bindings("cdktn_provider_azapi", "AzapiProvider", "cdktn", "subscription_id"),
    "azurerm": Bindings("cdktn_provider_azurerm", "AzurermProvider", "cdktn", "subscription_id"),
    "google": Bindings("cdktn_provider_google", "GoogleProvider", "cdktn", "project"),
    "google-beta": Bindings("cdktn_provider_google_beta", "GoogleBetaProvider", "cdktn", "project"),
}
TYPE = re.compile(rf"(data_)?({'|'.join(sorted({name.partition('-')[0] for name in BINDINGS}))})_")
"""What the outputs of references to a resource or data source begin with."""


# A piece of Python: printed on one line where it fits, else one argument a line.


@dataclass(frozen=True)
class Atom:
    text: str

    def lines(self, _room: int, _taken: int = 0) -> list[str]:
        return [self.text]

    def flat(self) -> str:
        return self.text


@dataclass(frozen=True)
class Group:
    """A call, a list or a dict."""

    opening: str
    items: tuple[tuple[str, Code], ...]
    closing: str

    def flat(self) -> str:
        return self.opening + ", ".join(before + item.flat() for before, item in self.items) + self.closing

    def lines(self, room: int, taken: int = 0) -> list[str]:
        """Print in ``room`` columns, of which ``taken`` are used up on the first line."""
        if len(self.flat()) <= room - taken or not self.items:
            return [self.flat()]
        lines = [self.opening]
        for before, item in self.items:
            first, *rest = item.lines(room - 4, len(before) + 1)
            lines += [f"    {before}{first}", *(f"    {line}" for line in rest)]
            lines[-1] += ","
        return [*lines, self.closing]


@dataclass(frozen=True)
class Choice:
    """One value in production, another one elsewhere."""

    second: Code
    first: Code

    def flat(self) -> str:
        return f"{self.second.flat()} if environment.production else {self.first.flat()}"

    def lines(self, room: int, taken: int = 0) -> list[str]:
        if len(self.flat()) <= room - taken:
            return [self.flat()]
        second, first = self.second.lines(room - 4), self.first.lines(room - 4, len("else "))
        body = [*second, "if environment.production", f"else {first[0]}", *first[1:]]
        return ["(", *(f"    {line}" for line in body), ")"]


@dataclass(frozen=True)
class Text:
    """A string of several lines."""

    value: str

    def flat(self) -> str:
        return literal(self.value)

    def lines(self, _room: int, _taken: int = 0) -> list[str]:
        return ["(", *(f"    {literal(line)}" for line in self.value.splitlines(keepends=True)), ")"]


Code = Atom | Group | Choice | Text


def literal(value: str) -> str:
    return repr(value) if '"' in value else json.dumps(value, ensure_ascii=False)


def call(name: str, items: Iterable[tuple[str, Code]]) -> Group:
    return Group(f"{name}(", tuple((f"{key}=" if key else "", item) for key, item in items), ")")


# What the documents say.


class Absent:
    """Stands for an argument that one environment does not have."""


ABSENT = Absent()


@dataclass(frozen=True)
class Node:
    """One resource or data source, in both environments; ``Absent`` where an environment lacks it."""

    mode: str
    type: str
    name: str
    first: Mapping[str, Any] | Absent
    second: Mapping[str, Any] | Absent

    @property
    def address(self) -> str:
        return f"data.{self.type}.{self.name}" if self.mode == "data" else f"{self.type}.{self.name}"

    @property
    def construct_id(self) -> str:
        return self.address.replace(".", "_", 1 if self.mode == "data" else 0).replace(".", "_")

    @property
    def variable(self) -> str:
        short = self.type.partition("_")[2].replace("iam_policy_document", "policy_document")
        return f"{short}_{self.name}".replace("-", "_")

    @property
    def provider(self) -> str:
        """The provider that makes it, where its type does not say so."""
        return next((str(side.get("provider", "")) for side in (self.first, self.second) if not isinstance(side, Absent)), "")

    def texts(self) -> str:
        return json.dumps([side for side in (self.first, self.second) if not isinstance(side, Absent)])


@dataclass
class Documents:
    """The synthesized documents of one or two environments, by concern and environment."""

    folder: Path
    platform: str = ""
    environments: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    dependencies: dict[str, list[str]] = field(default_factory=dict)
    read: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stacks = json.loads((self.folder / "manifest.json").read_text())["stacks"]
        ordered = TopologicalSorter(
            {name: sorted(stack["dependencies"]) for name, stack in sorted(stacks.items())}
        )
        order = list(ordered.static_order())
        self.environments = tuple(sorted({name.split("-")[-2] for name in order}))
        if len(self.environments) > 2:
            raise SystemExit(f"this script knows one or two environments, not {', '.join(self.environments)}")
        self.platform = order[0].partition(f"-{order[0].split('-')[-2]}-")[0]
        names = [name for name in order if f"-{self.environments[0]}-" in name]
        self.concerns = tuple(name.rpartition("-")[2] for name in names)
        for concern, name in zip(self.concerns, names, strict=True):
            self.dependencies[concern] = [other.rpartition("-")[2] for other in stacks[name]["dependencies"]]
            for environment in self.environments:
                path = self.folder / "stacks" / f"{self.platform}-{environment}-{concern}" / "cdk.tf.json"
                self.read[concern, environment] = rewritten(json.loads(path.read_text()), quoted)
        for (concern, environment), document in self.read.items():
            self.read[concern, environment] = self._local(document)

    @property
    def provider(self) -> str:
        """The cloud's own provider, which every stack has first."""
        return next(iter(self.both(self.concerns[0])[0]["provider"]))

    @property
    def engine(self) -> str:
        """The engine that the cloud's bindings are made for."""
        return BINDINGS[self.provider].engine

    def accounts(self, concern: str) -> list[str]:
        """The account of each of both environments."""
        found = [document["provider"][self.provider][0][BINDINGS[self.provider].account] for document in self.both(concern)]
        return [account[0] if isinstance(account, list) else account for account in found]

    def both(self, concern: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A concern's documents in the first and in the last environment; one document twice where there is one."""
        return self.read[concern, self.environments[0]], self.read[concern, self.environments[-1]]

    def _local(self, document: dict[str, Any]) -> dict[str, Any]:
        """Write reads of other stacks' states as ``${@security.aws_kms_key.data.arn}``: the object's own attribute."""

        def replaced(found: re.Match[str]) -> str:
            _platform, environment, concern = found[1].split("_")
            value = self.read[concern, environment]["output"][found[2]]["value"]
            expression = REFERENCE.fullmatch(value)
            if expression is None:
                raise SystemExit(f"output {found[2]} of {concern} is not one reference: {value}")
            return f"@{concern}.{expression[1]}"

        return typing.cast("dict[str, Any]", rewritten(document, lambda text: REMOTE.sub(replaced, text)))

    def nodes(self, concern: str) -> list[Node]:
        """The nodes of a stack, each after those it refers to."""
        found = {node.address: node for mode in ("resource", "data") for node in self._of_mode(concern, mode)}
        ordered: dict[str, Node] = {}

        def add(node: Node) -> None:
            if node.address in ordered:
                return
            for needed in self._needs(node, found):
                add(found[needed])
            ordered[node.address] = node

        for node in found.values():
            add(node)
        return list(ordered.values())

    def _of_mode(self, concern: str, mode: str) -> Iterator[Node]:
        first, second = (document.get(mode, {}) for document in self.both(concern))
        for type_ in sorted({**first, **second}):
            ours, theirs = first.get(type_, {}), second.get(type_, {})
            for name in sorted({**ours, **theirs}) if type_ != "terraform_remote_state" else ():
                yield Node(mode, type_, name, ours.get(name, ABSENT), theirs.get(name, ABSENT))

    def _needs(self, node: Node, known: Mapping[str, Node]) -> Iterator[str]:
        for expression in REFERENCE.findall(node.texts()):
            if not expression.startswith("@") and expression != "null":
                yield split_reference(expression)[0]
        for side in (node.first, node.second):
            if not isinstance(side, Absent):
                yield from (other for other in side.get("depends_on", ()) if other in known)


def rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """A document with every string changed."""
    match value:
        case str():
            return change(value)
        case dict():
            return {key: rewritten(item, change) for key, item in value.items()}
        case list():
            return [rewritten(item, change) for item in value]
    return value


def json_text(text: str) -> Any:
    """What a JSON text of an object or a list holds; ``ABSENT`` where it is none."""
    if text.startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return ABSENT


def split_reference(expression: str) -> tuple[str, str]:
    """``aws_kms_key.data.arn`` is the attribute ``arn`` of ``aws_kms_key.data``."""
    parts = expression.split(".")
    size = 3 if parts[0] == "data" else 2
    return ".".join(parts[:size]), ".".join(parts[size:])


# What the bindings take.


@dataclass(frozen=True)
class Parameter:
    """What a binding wants for one argument: a struct, a list of it, or neither."""

    struct: type | None
    many: bool


def parameters(of: type) -> dict[str, Parameter]:
    hints = typing.get_type_hints(of.__init__)  # type: ignore[misc]
    return {name: _parameter(hint) for name, hint in hints.items() if name != "return"}


def _parameter(hint: Any) -> Parameter:
    modules = tuple(bindings.module for bindings in BINDINGS.values())
    structs = [part for part in _flat(hint) if getattr(part, "__module__", "").startswith(modules)]
    many = any(str(typing.get_origin(part)).endswith("Sequence'>") for part in typing.get_args(hint) or ())
    return Parameter(structs[0] if structs else None, many or "Sequence[" in str(hint))


def _flat(hint: Any) -> Iterator[Any]:
    arguments = typing.get_args(hint)
    if not arguments:
        yield hint
    for argument in arguments:
        yield from _flat(argument)


def binding(type_: str, provider: str, *, data: bool) -> type:
    """Find the class of a resource type in a provider's bindings."""
    family, _, short = type_.partition("_")
    start = f"data_{family}_" if data else ""
    bindings = BINDINGS[provider or family].module
    # google-beta's modules have the whole name of the type.
    name = next(name for name in (f"{start}{short}", type_) if importlib.util.find_spec(f"{bindings}.{name}"))
    module = importlib.import_module(f"{bindings}.{name}")
    for value in vars(module).values():
        if isinstance(value, type) and getattr(value, "TF_RESOURCE_TYPE", None) == type_:
            return value
    raise SystemExit(f"the bindings have no class for {type_}")


# From documents to Python.


class StackWriter:
    """Writes the module of one concern."""

    def __init__(self, documents: Documents, concern: str, exported: Mapping[str, set[str]]) -> None:
        self.documents, self.concern = documents, concern
        self.nodes = documents.nodes(concern)
        self.public = exported.get(concern, set())
        self.variables = {node.address: self._variable(node) for node in self.nodes}
        self.referred = self._referred()
        self.named_providers = {node.provider for node in self.nodes if node.provider}
        self.engine = documents.engine
        self.imports: dict[str, set[str]] = {self.engine: {"TerraformStack"}}
        self.writes_json = False
        self.accounts = documents.accounts(concern)

    def _variable(self, node: Node) -> str:
        return f"self.{node.variable}" if node.address in self.public else node.variable

    def _referred(self) -> set[str]:
        texts = json.dumps(self.documents.both(self.concern))
        referred = {split_reference(found)[0] for found in REFERENCE.findall(texts) if found[0] != "@"}
        for node in self.nodes:
            for side in (node.first, node.second):
                referred |= set() if isinstance(side, Absent) else set(side.get("depends_on", ()))
        return referred

    def module(self) -> str:
        body = [*self._head(), *self._backend(), *self._providers(), ""]
        for node in self.nodes:
            body += self._node(node)
        body += ["", *self._outputs()]
        others = self.documents.dependencies[self.concern]
        imports = "\n".join(import_line(module, names) for module, names in sorted(self.imports.items()))
        standard = "import json\n\n" if self.writes_json else ""
        local = "\n".join(f"from {other}_stack import {class_name(other)}" for other in sorted(others))
        text = "\n".join(f"        {line}".rstrip() for line in body)
        return (
            f'"""The {self.concern} stack. {GENERATED}"""\n\nfrom __future__ import annotations\n\n'
            f"{standard}{imports}\nfrom constructs import Construct\nfrom environment import Environment\n{local}\n\n\n"
            f"class {class_name(self.concern)}(TerraformStack):\n{text}\n"
        ).replace("\n\n\n\n", "\n\n\n")

    def _head(self) -> list[str]:
        others = self.documents.dependencies[self.concern]
        arguments = ["self", "scope: Construct", "environment: Environment"]
        arguments += [f"{other}: {class_name(other)}" for other in others]
        *signature, last = call("def __init__", [("", Atom(argument)) for argument in arguments]).lines(
            WIDTH - 15
        )
        head = [
            *(f"@@{line}" for line in signature),
            f"@@{last} -> None:",
            f'super().__init__(scope, f"{{environment.prefix}}-{self.concern}")',
        ]
        return [*head, *(f"self.add_dependency({other})" for other in others)]

    def _backend(self) -> list[str]:
        (kind, first), (_, second) = (
            next(iter(document["terraform"]["backend"].items()))
            for document in self.documents.both(self.concern)
        )
        if kind == "local":  # CDKTF's own default
            return []
        made = f"{kind.capitalize()}Backend"
        self.imports[self.engine].add(made)
        takes = parameters(getattr(importlib.import_module(self.engine), made))
        items = [(key, self._plain(first[key], second[key])) for key in first if key in takes]
        missing = [
            f'self.add_override("terraform.backend.{kind}.{key}", {self._plain(first[key], second[key]).flat()})'
            for key in first
            if key not in takes
        ]
        return [*call(made, [("", Atom("self")), *items]).lines(WIDTH - 8), *missing]

    def _providers(self) -> Iterator[str]:
        first, second = (document["provider"] for document in self.documents.both(self.concern))
        for name in first:
            bindings = BINDINGS[name]
            made = getattr(importlib.import_module(f"{bindings.module}.provider"), bindings.provider)
            start: list[tuple[str, Code]] = [("", Atom("self")), ("", Atom(json.dumps(name)))]
            ours, theirs = first[name][0], second[name][0]
            # The bindings would write the keys of a provider's map in snake case.
            maps = [key for key, value in ours.items() if isinstance(value, dict) and any("-" in k for k in value)]
            code = self._struct(made, without(ours, maps), without(theirs, maps), start)
            before = f"{variable_of(name)} = " if maps or name in self.named_providers else ""
            head, *rest = code.lines(WIDTH - 8, len(before))
            yield from (f"{before}{head}", *rest)
            for key in maps:
                value = self._plain(ours[key], theirs[key]).flat()
                yield f"{variable_of(name)}.add_override({json.dumps(key)}, {value})"

    def _node(self, node: Node) -> list[str]:
        only_second = isinstance(node.first, Absent)
        first = node.second if only_second else node.first
        second = node.first if isinstance(node.second, Absent) else node.second
        if isinstance(first, Absent) or isinstance(second, Absent) or isinstance(node.second, Absent):
            raise SystemExit(
                f"{node.address} is in the first environment only, which this script cannot write"
            )
        made = binding(node.type, node.provider, data=node.mode == "data")
        start: list[tuple[str, Code]] = [("", Atom("self")), ("", Atom(json.dumps(node.construct_id)))]
        code = self._struct(made, plain(first), plain(second), start)
        before = f"{self.variables[node.address]} = " if node.address in self.referred else ""
        indent = 4 if only_second else 0
        head, *rest = code.lines(WIDTH - 8 - indent, len(before))
        lines = [f"{before}{head}", *rest]
        return ["if environment.production:", *(f"    {line}" for line in lines)] if only_second else lines

    def _outputs(self) -> list[str]:
        first, second = (document.get("output", {}) for document in self.documents.both(self.concern))
        named = [name for name in first if not TYPE.match(name)]
        if named:
            self.imports[self.engine].add("TerraformOutput")
        lines: list[str] = []
        for name in named:
            value = self._plain(first[name]["value"], second[name]["value"])
            items = [("", Atom("self")), ("", Atom(json.dumps(name))), ("value", value)]
            lines += call("TerraformOutput", items).lines(WIDTH - 8)
        return lines

    def _struct(
        self, made: type, first: Mapping[str, Any], second: Mapping[str, Any], start: list[tuple[str, Code]]
    ) -> Group:
        self.imports.setdefault(made.__module__, set()).add(made.__name__)
        takes = parameters(made)
        items = list(start)
        for key in {**first, **second}:
            name = RENAMED.get(key, key)
            if name not in takes:
                raise SystemExit(f"{made.__name__} takes no argument {key}")
            value = self._argument(name, takes[name], first.get(key, ABSENT), second.get(key, ABSENT))
            items.append((name, value))
        return call(made.__name__, items)

    def _argument(self, key: str, takes: Parameter, first: Any, second: Any) -> Code:
        if isinstance(first, Absent) or isinstance(second, Absent):
            present = second if isinstance(first, Absent) else first
            code = self._argument(key, takes, present, present)
            absent = Atom("None")
            return Choice(code, absent) if isinstance(first, Absent) else Choice(absent, code)
        if key == "depends_on" and self.variables.keys() >= {*first}:
            return Group("[", tuple(("", Atom(self.variables[address])) for address in first), "]")
        if key == "provider" and first in BINDINGS:
            return Atom(variable_of(first))
        if key == "lifecycle":
            self.imports[self.engine].add("TerraformResourceLifecycle")
            return call("TerraformResourceLifecycle", [(k, self._plain(v, v)) for k, v in first.items()])
        if takes.struct is None:
            return self._plain(first, second)
        return self._blocks(takes.struct, first, second, many=takes.many)

    def _blocks(self, struct: type, first: Any, second: Any, *, many: bool) -> Code:
        firsts, seconds = (value if isinstance(value, list) else [value] for value in (first, second))
        if len(firsts) != len(seconds):
            return Choice(
                self._blocks(struct, second, second, many=many), self._blocks(struct, first, first, many=many)
            )
        codes = [self._struct(struct, a, b, []) for a, b in zip(firsts, seconds, strict=True)]
        return Group("[", tuple(("", code) for code in codes), "]") if many else codes[0]

    def _plain(self, first: Any, second: Any) -> Code:
        match first, second:
            case bool(), bool() if first != second:
                return Atom("environment.production" if second else "not environment.production")
            case str(), str():
                return self._text(first, second)
            case list(), list() if len(first) == len(second):
                return Group(
                    "[", tuple(("", self._plain(a, b)) for a, b in zip(first, second, strict=True)), "]"
                )
            case dict(), dict() if first.keys() == second.keys():
                items = ((f"{self._plain(k, k).flat()}: ", self._plain(first[k], second[k])) for k in first)
                return Group("{", tuple(items), "}")
        if first != second:
            return Choice(self._plain(second, second), self._plain(first, first))
        return Atom(repr(first))

    def _text(self, first: str, second: str) -> Code:
        held = json_text(first), json_text(second)
        if not any(isinstance(value, Absent) for value in held):
            self.writes_json = True
            return call("json.dumps", [("", self._plain(*held))])
        if first == second and len(self.documents.environments) == 2:
            return self._fixed(first)
        marked = self._marked(first)
        if (
            marked.replace("\x00", self.documents.environments[-1]).replace("\x01", self.accounts[1])
            == second
        ):
            return self._fixed(first) if marked == first else Atom(self._string(marked))
        return Choice(self._fixed(second), self._fixed(first))

    def _marked(self, text: str) -> str:
        """A text of the first environment with marks for its name and its account, references left alone."""
        pieces = re.split(r"((?<!\$)\$\{[^}]*\})", text)
        name = rf"(?<![a-z]){self.documents.environments[0]}(?![a-z])"
        for place in range(0, len(pieces), 2):
            pieces[place] = re.sub(name, "\x00", pieces[place]).replace(self.accounts[0], "\x01")
        return "".join(pieces)

    def _fixed(self, text: str) -> Code:
        """A text that is the same in both environments."""
        several_lines = text.count("\n") > 1 and not REFERENCE.search(text)
        return Text(text) if several_lines else Atom(self._string(text))

    def _string(self, value: str) -> str:
        """A string with references and parameters in it, as one expression or an f-string."""
        pieces = re.split(r"((?<!\$)\$\{[^}]*\}|\x00|\x01)", value)
        if len(pieces) == 1:
            return literal(value)
        codes = [self._piece(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
        if not "".join(pieces[::2]) and len(codes) == 3:
            return codes[1]
        inner = "".join(
            f"{{{code}}}"
            if place % 2
            else json.dumps(code, ensure_ascii=False)[1:-1].replace("{", "{{").replace("}", "}}")
            for place, code in enumerate(codes)
        ).replace(f"{self.documents.platform}-{{environment.name}}", "{environment.prefix}")
        return f'f"{inner}"'

    def _piece(self, piece: str) -> str:
        if piece in "\x00\x01":
            return "environment.name" if piece == "\x00" else "environment.account"
        expression = piece[2:-1]
        if expression.startswith("@"):
            concern, _, local = expression[1:].partition(".")
            address, attribute = split_reference(local)
            type_, name = address.removeprefix("data.").split(".")
            return self._attribute(f"{concern}.{Node('', type_, name, ABSENT, ABSENT).variable}", attribute)
        address, attribute = split_reference(expression)
        return self._attribute(self.variables[address], attribute)

    def _attribute(self, variable: str, attribute: str) -> str:
        """An attribute of a construct; cdktn's bindings have no index for what the provider computes in blocks."""
        if self.engine == "cdktf" or "[" not in attribute:
            return f"{variable}.{attribute}"
        self.imports[self.engine].add("Token")
        return f"Token.as_string({variable}.interpolation_for_attribute('{attribute}'))"


def variable_of(provider: str) -> str:
    """The variable that holds a provider."""
    return provider.replace("-", "_")


def without(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The values but for some keys."""
    return {key: value for key, value in values.items() if key not in keys}


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without comments; an explicit null is what CDKTF makes of an absent argument."""
    return {
        key: _without_nulls(value) for key, value in arguments.items() if key != "//" and value != "${null}"
    }


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item != "${null}"}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def import_line(module: str, names: set[str]) -> str:
    line = f"from {module} import {', '.join(sorted(names))}"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in sorted(names)) + ")"


def class_name(concern: str) -> str:
    return f"{concern.capitalize()}Stack"


def exported(documents: Documents) -> dict[str, set[str]]:
    """The addresses of each stack that other stacks refer to."""
    found: dict[str, set[str]] = {}
    for document in documents.read.values():
        for expression in REFERENCE.findall(json.dumps(document)):
            if expression.startswith("@"):
                concern, _, local = expression[1:].partition(".")
                found.setdefault(concern, set()).add(split_reference(local)[0])
    return found


def environment_module(documents: Documents) -> str:
    production = "    production: bool\n" if len(documents.environments) == 2 else ""
    return (
        f'"""What an environment is called, and what sets it apart. {GENERATED}"""\n\n'
        "from __future__ import annotations\n\n"
        "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Environment:\n"
        f"    name: str\n    account: str\n{production}\n    @property\n    def prefix(self) -> str:\n"
        f'        return f"{documents.platform}-{{self.name}}"\n'
    )


def main_module(documents: Documents, accounts: list[str]) -> str:
    imports = "\n".join(
        f"from {concern}_stack import {class_name(concern)}" for concern in sorted(documents.concerns)
    )
    lines = []
    for concern in documents.concerns:
        others = "".join(f", {other}" for other in documents.dependencies[concern])
        call_ = f"{class_name(concern)}(app, environment{others})"
        used = any(concern in needed for needed in documents.dependencies.values())
        lines.append(f"{concern} = {call_}" if used else call_)
    return (
        f'"""The {documents.platform} platform as a CDKTF app with prebuilt bindings. {GENERATED}"""\n\n'
        f"from __future__ import annotations\n\nfrom {documents.engine} import App\nfrom environment import Environment\n"
        f"{imports}\n\napp = App()\n{in_environments(documents, accounts, lines)}\napp.synth()\n"
    )


def in_environments(documents: Documents, accounts: list[str], lines: list[str]) -> str:
    """The lines that make the stacks, once for each environment."""
    if len(documents.environments) == 1:
        made = f'Environment("{documents.environments[0]}", account="{accounts[0]}")'
        return "\n".join([f"environment = {made}", *lines])
    first, second = documents.environments
    return "\n".join(
        [
            "for environment in (",
            f'    Environment("{first}", account="{accounts[0]}", production=False),',
            f'    Environment("{second}", account="{accounts[1]}", production=True),',
            "):",
            *(f"    {line}" for line in lines),
        ]
    )


def modules(documents: Documents) -> dict[str, str]:
    public = exported(documents)
    writers = {concern: StackWriter(documents, concern, public) for concern in documents.concerns}
    accounts = writers[documents.concerns[0]].accounts
    return {
        "main.py": main_module(documents, accounts),
        "environment.py": environment_module(documents),
        **{
            f"{concern}_stack.py": writer.module().replace("        @@", "    ")
            for concern, writer in writers.items()
        },
    }


if __name__ == "__main__":
    into = Path(sys.argv[2]) if len(sys.argv) > 2 else APP
    for name, text in modules(Documents(Path(sys.argv[1]))).items():
        (into / name).write_text(text, encoding="utf-8")
