"""Copy the training rows to where the monitor compares with them."""

import argparse
import shutil
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--baseline", type=Path, required=True)
    given = parser.parse_args()
    given.baseline.mkdir(parents=True, exist_ok=True)
    shutil.copy(given.data / "rows.csv", given.baseline / "rows.csv")


if __name__ == "__main__":
    main()
