"""What every test may ask for: the command under test, the programs from outside, and the offline guard."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import Phase, settings

from tests.external_tools import (
    Missing,
    NodeTools,
    Terraform,
    find_checkov,
    find_node_tools,
    find_scaffolder,
    find_terraform,
)
from tests.offline_guard import GUARDED, offline

T = TypeVar("T")
TESTS = Path(__file__).resolve().parent

# No deadline: machines that run tests are shared, and time is what benchmarks/ measures. The same examples every time.
settings.register_profile("scaffolder", deadline=None, derandomize=True)
# `HYPOTHESIS_PROFILE=unshrunk` says what fails without looking for the smallest example of it, which may take minutes.
settings.register_profile(
    "unshrunk",
    settings.get_profile("scaffolder"),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "scaffolder"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that deploy first: they take minutes each, and last, processes would wait for one of them."""
    deploy = {item.path for item in items if item.get_closest_marker("terraform")}
    items.sort(key=lambda item: item.path not in deploy)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests found worth telling though they passed: they record it as the property `told`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(f"{report.nodeid}: {value}")


def _found(find: Callable[[], T]) -> T:
    """Return what ``find`` finds; skip with its reason, or fail where ``SCAFFOLDER_REQUIRE_TERRAFORM`` is set."""
    try:
        return find()
    except Missing as missing:
        if os.environ.get("SCAFFOLDER_REQUIRE_TERRAFORM", "0") not in {"", "0"}:
            pytest.fail(f"SCAFFOLDER_REQUIRE_TERRAFORM is set, but {missing}")
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def _offline_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    below_tests = request.path.relative_to(TESTS).parts
    if below_tests[0] not in GUARDED:
        yield
        return
    with offline():
        yield


@pytest.fixture(scope="session")
def scaffolder_cli() -> Path:
    """The ``scaffolder`` executable; `make test-wheel` points ``SCAFFOLDER_EXE`` at the installed wheel's."""
    return find_scaffolder()


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """A Terraform that can install the AWS provider. Mark the test `terraform`."""
    return _found(lambda: find_terraform(tmp_path_factory.mktemp("terraform")))


@pytest.fixture(scope="session")
def node_tools() -> NodeTools:
    """The real `cdktf` and `cdktn` command lines. Mark the test `slow`."""
    return _found(find_node_tools)


@pytest.fixture(scope="session")
def checkov() -> Path:
    """The checkov executable. Mark the test `slow`."""
    return _found(find_checkov)
