"""Write what each broken spec in tests/unit/spec/cases/ is told now. Read the difference before you keep it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.finding_cases import CASES, rewrite  # below the project's root

if __name__ == "__main__":
    for table in sorted(CASES.glob("*.txt")):
        rewrite(table)
