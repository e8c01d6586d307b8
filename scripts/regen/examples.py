"""Rewrite what the examples' specs synthesize to: examples/*/expected/."""

from __future__ import annotations

from pathlib import Path

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import files

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def expected(example: Path) -> dict[str, bytes]:
    """Each file of an example's output, by its path below ``expected/``."""
    return files(synthesize(example / "platform.yaml").stacks)


def main() -> None:
    """Write them, and remove those that are no more."""
    for spec in sorted(EXAMPLES.glob("*/platform.yaml")):
        folder = spec.parent / "expected"
        wanted = expected(spec.parent)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
                path.unlink()
        for name, content in wanted.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


if __name__ == "__main__":
    main()
