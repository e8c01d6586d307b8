"""Opening a provider imports no SDK and opens no socket; and what is not installed is named with what installs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from scaffolder.operations.adapters import BUILT_IN
from tests.operations.platforms import write_project

START = """
import json, sys

before = {*sys.modules}
spec, name, blocked = sys.argv[1], sys.argv[2], {*json.loads(sys.argv[3])}

class Blocker:
    def find_spec(self, module, path=None, target=None):
        if module.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)

sys.meta_path.insert(0, Blocker())
for module in [module for module in sys.modules if module.partition(".")[0] in blocked]:
    del sys.modules[module]

def hook(event, arguments):
    if event.startswith("socket."):
        print(json.dumps({"socket": event}))
        sys.exit(1)

sys.addaudithook(hook)
from scaffolder.errors import MissingExtraError
from scaffolder.operations.errors import OperationError
from scaffolder.operations.opening import open_environment

def provider():
    return open_environment(spec, "local" if name == "local" else "dev", name).provider

"""
OPENED = """
made = provider()
made.support
print(json.dumps(sorted({module.partition(".")[0] for module in {*sys.modules} - before})))
"""
ASKED = """
from pathlib import Path
from scaffolder.operations.adapters import extra_of
from scaffolder.operations.values import Registration

made = Registration(model="churn", artifact_uri=str(Path(spec).parent / "pipelines"), token="one", image="serving:1.0.0")
missing = []
for ask in (
    lambda: provider().identity.whoami(),
    lambda: [*provider().registry.list("churn")],
    lambda: provider().registry.register(made),
):
    try:
        with extra_of(name):
            ask()
    except MissingExtraError as error:
        missing.append([error.exit_code, str(error)])
    except OperationError:
        pass  # it is refused before anything is imported
print(json.dumps(missing))
"""
OWN = {"scaffolder", "stacks", "yaml", "_yaml"}
"""What may be imported beside Python's own; what libyaml's binding was built with comes with it."""


def _python(code: str, spec: Path, provider: str, blocked: list[str]) -> object:
    done = subprocess.run(
        [sys.executable, "-c", code, spec, provider, json.dumps(blocked)],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("provider", BUILT_IN)
def test_opening_a_provider_imports_no_sdk_and_opens_no_socket(provider: str, tmp_path: Path) -> None:
    imported = _python(START + OPENED, write_project(provider, tmp_path), provider, [])
    assert isinstance(imported, list)
    foreign = {*imported} - {*sys.stdlib_module_names} - OWN
    assert {module for module in foreign if "cython" not in module} == set()


@pytest.mark.parametrize("provider", BUILT_IN)
def test_what_an_operation_lacks_is_named_with_what_installs_it(provider: str, tmp_path: Path) -> None:
    extra = BUILT_IN[provider][1]
    needed = _closure(f"scaffolder[{extra}]") - _closure("scaffolder")
    blocked = sorted(
        module
        for module, distributions in packages_distributions().items()
        if needed & {_normal(name) for name in distributions}
    )
    missing = _python(START + ASKED, write_project(provider, tmp_path), provider, blocked)
    assert isinstance(missing, list)
    assert missing
    for code, said in missing:
        assert code == 5
        assert said.endswith(f"which the extra {extra!r} installs: pip install 'scaffolder[{extra}]'")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _closure(requirement: str) -> frozenset[str]:
    """Everything that a requirement brings, by normal names, without its own."""
    found: set[str] = set()
    left = [requirement]
    while left:
        name, extras = _parsed(left.pop())
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        for each in needed:
            marker = re.search(r"extra\s*==\s*['\"]([^'\"]+)", each)
            other = _parsed(each)[0]
            if (marker is None or marker[1] in extras) and other not in found:
                found.add(other)
                left.append(each.partition(";")[0])
    return frozenset(found)


def _parsed(requirement: str) -> tuple[str, set[str]]:
    matched = re.match(r"([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?", requirement)
    assert matched
    return _normal(matched[1]), {*(matched[2] or "").split(",")}
