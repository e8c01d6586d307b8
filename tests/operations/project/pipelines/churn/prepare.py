"""Split the rows below a folder into training and test rows; needs Python only."""

import argparse
import csv
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    given = parser.parse_args()
    rows = [row for file in sorted(given.raw.glob("*.csv")) for row in csv.DictReader(file.open())]
    if not rows:
        raise SystemExit(f"no rows below {given.raw}")
    parts = {given.test: rows[::4], given.train: [row for i, row in enumerate(rows) if i % 4]}
    for folder, part in parts.items():
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "rows.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(part)
        print(f"{folder.name}: {len(part)} rows")


if __name__ == "__main__":
    main()
