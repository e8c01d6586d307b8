"""Every stack of every example whose providers no other test has is judged on three levels (docs/adr/0014).

Terraform validates it, applies it against a stand-in (:mod:`tests.provider`) after the stacks that it reads, plans it
again, and applies it with mocked providers. Validation and mocks are the real provider's where it can be had.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import files
from tests.external_tools import ROOT, Terraform
from tests.provider.levels import Complaint, Levels, copied
from tests.terraform.judged import EXAMPLES, HAD

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


class Judgement(NamedTuple):
    """What Terraform had to say against an example, by level."""

    validated: list[Complaint]
    applied: list[Complaint]
    mocked: list[Complaint]
    destroyed: list[Complaint]


@pytest.fixture(scope="module", params=EXAMPLES)
def levels(
    request: pytest.FixtureRequest, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> Levels:
    """An example, synthesized and ready to be judged."""
    folder = tmp_path_factory.mktemp(request.param)
    for name, content in files(
        synthesize(ROOT / "examples" / request.param / "platform.yaml").stacks
    ).items():
        (folder / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "out" / name).write_bytes(content)
    return copied(folder / "out", folder / "work", terraform, HAD)


@pytest.fixture(scope="module")
def judgement(levels: Levels) -> Judgement:
    """The levels in their order: mocks read the states that applying leaves."""
    return Judgement(levels.validate(), levels.apply(), levels.mock(), levels.destroy())


def shown(complaints: list[Complaint]) -> str:
    return "\n\n".join(map(str, complaints))


def test_some_examples_are_judged() -> None:
    assert EXAMPLES


def test_every_stack_is_valid(judgement: Judgement) -> None:
    assert not judgement.validated, shown(judgement.validated)


def test_every_stack_applies_after_those_that_it_reads_and_then_nothing_is_left_to_do(
    judgement: Judgement,
) -> None:
    assert not judgement.applied, shown(judgement.applied)


def test_every_stack_applies_with_mocked_providers(judgement: Judgement) -> None:
    assert not judgement.mocked, shown(judgement.mocked)


def test_every_stack_can_be_destroyed(judgement: Judgement) -> None:
    assert not judgement.destroyed, shown(judgement.destroyed)
