"""The words that a cloud's own description knows: members of requests, which of them are maps, and values of enums.

Read from what the vendors publish (see ``tests/operations/fakes``), and never from the adapters. A word counts in the
form that the description has, and in the one that the vendor's generated Python has.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["VOCABULARIES", "Words", "words_of"]

AWS_SERVICES = (
    *("application-autoscaling", "cloudwatch", "ec2", "efs", "events", "iam", "logs", "s3", "sagemaker"),
    *("sagemaker-runtime", "scheduler", "service-quotas", "sts"),
)
GOOGLE_DOCUMENTS = (
    *("aiplatform.v1", "aiplatform.v1beta1", "cloudresourcemanager.v3", "cloudscheduler.v1", "logging.v2"),
    *("monitoring.v3", "serviceusage.v1", "serviceusage.v1beta1", "storage.v1"),
)
AZURE_MODELS = ("azure.ai.ml._restclient.arm_ml_service.models",)


@dataclass
class Words:
    """``maps`` are members whose keys are the user's own; ``values`` are a member's enum, by the member's name."""

    members: set[str] = field(default_factory=set)
    maps: set[str] = field(default_factory=set)
    structures: set[str] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    operations: set[str] = field(default_factory=set)

    def enums(self) -> Iterator[frozenset[str]]:
        yield from {frozenset(values) for values in self.values.values()}

    def only_maps(self) -> set[str]:
        return self.maps - self.structures


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _aws() -> Words:
    from botocore.loaders import create_loader  # noqa: PLC0415 - an SDK, and only where it is looked at
    from botocore.model import ServiceModel  # noqa: PLC0415

    words, loader = Words(), create_loader()
    for service in AWS_SERVICES:
        model = ServiceModel(loader.load_service_model(service, "service-2"))
        words.operations |= {*model.operation_names}
        for name in model.shape_names:
            shape = model.shape_for(name)
            for member, it in getattr(shape, "members", {}).items():
                words.members.add(member)
                if it.type_name == "map":
                    words.maps.add(member)
                elif it.type_name == "structure":
                    words.structures.add(member)
                words.values[member] |= {*(getattr(it, "enum", None) or ())}
    return words


def _google() -> Words:
    import googleapiclient.discovery_cache  # noqa: PLC0415 - as above

    words = Words()
    folder = Path(googleapiclient.discovery_cache.__file__).parent / "documents"
    for document in GOOGLE_DOCUMENTS:
        described = json.loads((folder / f"{document}.json").read_text(encoding="utf-8"))
        for schema in described["schemas"].values():
            _google_schema(words, schema)
    return words


def _google_schema(words: Words, schema: Mapping[str, Any]) -> None:
    for name, it in schema.get("properties", {}).items():
        for word in {name, _snake(name)}:
            words.members.add(word)
            if "additionalProperties" in it or it.get("type") == "any":
                words.maps.add(word)
            elif "$ref" in it or "properties" in it:
                words.structures.add(word)
            words.values[word] |= {*it.get("enum", ()), *it.get("items", {}).get("enum", ())}
        _google_schema(words, it)


def _azure() -> Words:
    words = Words()
    enums: dict[str, set[str]] = {}
    for module in AZURE_MODELS:
        kinds = _kinds_below(module)
        for kind in kinds:
            if inspect.isclass(kind) and issubclass(kind, Enum):
                enums[kind.__name__] = {str(one.value) for one in kind}
        for kind in kinds:
            if inspect.isclass(kind) and kind.__module__.endswith("._models"):
                _azure_model(words, kind, enums)
    return words


def _kinds_below(module: str) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK is built with a library that it is too old for
        package = importlib.import_module(module)
        names = [module, *(f"{module}.{each.name}" for each in pkgutil.iter_modules(package.__path__))]
        return [kind for name in names for kind in vars(importlib.import_module(name)).values()]


def _azure_model(words: Words, kind: Any, enums: Mapping[str, set[str]]) -> None:
    hints = {
        name: str(hint)
        for base in reversed(kind.__mro__)
        for name, hint in vars(base).get("__annotations__", {}).items()
    }
    for owner in reversed(kind.__mro__):
        for name, value in vars(owner).items():
            if type(value).__name__ != "_RestField":
                continue
            rest = vars(value)["_rest_name_input"] or name
            hint = hints.get(name, "")
            for word in {name, rest}:
                words.members.add(word)
                if "Dict[" in hint or "dict[" in hint:
                    words.maps.add(word)
                elif "_models." in hint:
                    words.structures.add(word)
                for enum, values in enums.items():
                    if enum in re.findall(r"\w+", hint):
                        words.values[word] |= values


VOCABULARIES: Mapping[str, Callable[[], Words]] = {"aws": _aws, "azure": _azure, "gcp": _google}


@cache
def words_of(provider: str) -> Words:
    """Read a cloud's words, once."""
    return VOCABULARIES[provider]()
