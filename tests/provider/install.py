"""Installs the stand-ins where Terraform looks for providers: a mirror in a folder of the tests, and nothing else.

``terraform init`` then works without a network, and still checks the constraints on versions. May not touch a
configuration of Terraform's that is there already.
"""

from __future__ import annotations

import json
import platform
import re
import shlex
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from stacks.schema.load import open_pack, shipped_versions
from tests.external_tools import ROOT, Terraform
from tests.provider.server import TYPES_VARIABLE

__all__ = ["PROVIDERS", "installed", "types_in"]

PROVIDERS = ("aws", "azapi", "azurerm", "google", "google-beta")
REGISTRY = "registry.terraform.io"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
QUOTED = re.compile(r'"([a-z0-9]+_[a-z0-9_]+)"')


def installed(terraform: Terraform, folder: Path, types: Iterable[str] = ()) -> Terraform:
    """Make a mirror in ``folder`` and return the same Terraform with that alone to install from.

    Of each provider only ``types`` are served; all, where none is named, which takes seconds at each command.
    """
    mirror = folder / "mirror"
    for provider in PROVIDERS:
        for version in shipped_versions(provider):
            _write_program(mirror, provider, version)
    configuration = folder / "terraform.tfrc"
    path = json.dumps(str(mirror.resolve()))
    configuration.write_text(
        f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"
    )
    environment = {**terraform.environment, "TF_CLI_CONFIG_FILE": str(configuration)}
    environment.pop("TF_PLUGIN_CACHE_DIR", None)
    if types:
        environment[TYPES_VARIABLE] = ",".join(sorted(types))
    return Terraform(terraform.executable, environment)


def types_in(documents: Iterable[str]) -> frozenset[str]:
    """The types of any of the providers that are named, in quotes, in Terraform documents of either syntax."""
    words = {word for document in documents for word in QUOTED.findall(document)}
    return frozenset(word for word in words if word in _known())


@cache
def _known() -> frozenset[str]:
    return frozenset(
        name
        for provider in PROVIDERS
        for version in shipped_versions(provider)
        for mode in ("resource", "data")
        for name in open_pack(provider, version).names("data" if mode == "data" else "resource")
    )


def _write_program(mirror: Path, provider: str, version: str) -> None:
    system = f"{platform.system().lower()}_{MACHINES.get(platform.machine(), platform.machine())}"
    source = open_pack(provider, version).source.lower()
    folder = mirror / REGISTRY / source / version / system
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"terraform-provider-{provider}_v{version}"
    command = " ".join(map(shlex.quote, [sys.executable, "-m", "tests.provider.server", provider, version]))
    program.write_text(f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {command}\n")
    program.chmod(0o755)
