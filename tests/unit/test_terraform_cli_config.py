from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.external_tools import CLI_CONFIG_SCRIPT


def write_cli_config(mirror: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, CLI_CONFIG_SCRIPT, out],
        env={**os.environ, "TERRAFORM_PROVIDER_MIRROR": str(mirror)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_mirrored_providers_come_from_the_mirror_and_all_others_from_their_registry(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    for name in ("aws", "random"):
        (mirror / "registry.terraform.io" / "hashicorp" / name).mkdir(parents=True)
    out = tmp_path / "out" / "terraform.tfrc"

    done = write_cli_config(mirror, out)

    assert (done.returncode, done.stdout) == (0, f"{out}\n")
    providers = '["registry.terraform.io/hashicorp/aws", "registry.terraform.io/hashicorp/random"]'
    assert out.read_text(encoding="utf-8").splitlines() == [
        "provider_installation {",
        "  filesystem_mirror {",
        f'    path    = "{mirror}"',
        f"    include = {providers}",
        "  }",
        "  direct {",
        f"    exclude = {providers}",
        "  }",
        "}",
    ]


def test_a_folder_that_is_no_mirror_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "terraform.tfrc"
    done = write_cli_config(tmp_path, out)
    assert (done.returncode, done.stdout) == (1, "")
    assert not out.exists()


def test_an_empty_mirror_is_refused(tmp_path: Path) -> None:
    (tmp_path / "registry.terraform.io" / "hashicorp").mkdir(parents=True)
    done = write_cli_config(tmp_path, tmp_path / "terraform.tfrc")
    assert (done.returncode, done.stdout) == (1, "")
    assert "holds no providers" in done.stderr
