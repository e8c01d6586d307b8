"""checkov over what the examples synthesize: nothing fails but what is on the written list."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.external_tools import ROOT
from tests.terraform.scan import ACCEPTED, Scan, accepted_checks, scan, unaccepted

pytestmark = pytest.mark.slow

EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/platform.yaml"))
LEAST_PASSED = 100


def _synthesized(scaffolder: Path, example: str, folder: Path) -> dict[Path, str]:
    """Synthesize an example; return its documents and the concern of each."""
    spec = ROOT / "examples" / example / "platform.yaml"
    subprocess.run([scaffolder, "synth", spec, "--out", folder], check=True, capture_output=True)
    return {path: path.parent.name.rpartition("-")[2] for path in sorted(folder.glob("stacks/*/cdk.tf.json"))}


@pytest.fixture(scope="module")
def scans(checkov: Path, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scan]:
    """One scan of each example's Terraform JSON."""
    found = {}
    for example in EXAMPLES:
        documents = _synthesized(scaffolder_cli, example, tmp_path_factory.mktemp(example) / "out")
        found[example] = scan(checkov, "terraform_json", documents, documents)
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_passes_but_for_the_written_list(example: str, scans: dict[str, Scan]) -> None:
    found = scans[example]
    assert found.unread == 0
    assert found.passed > LEAST_PASSED
    assert unaccepted(found) == []


def test_the_written_list_has_reasons_and_no_line_that_nothing_needs(scans: dict[str, Scan]) -> None:
    failures = {failure for found in scans.values() for failure in found.failures}
    for item in accepted_checks():
        assert len(item.reason) > 40, item
        if item.plan_only:
            continue
        for pattern in item.resources:
            needed = [
                failure
                for failure in failures
                if type(item)(item.check, (pattern,), item.reason).covers(failure)
            ]
            assert needed, f"{ACCEPTED.name}: {item.check} {pattern} covers nothing"
