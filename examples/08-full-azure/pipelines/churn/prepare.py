"""Split the raw customers into training and test rows, always the same ones: by the hash of their id."""

import argparse
import hashlib
from pathlib import Path

import pandas as pd

FEATURES = ["tenure_months", "monthly_charge", "active"]
TARGET = "churned"
TEST_PERCENT = 20


def is_test(customer_id: str) -> bool:
    return int(hashlib.sha256(customer_id.encode()).hexdigest(), 16) % 100 < TEST_PERCENT


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    given = parser.parse_args()
    files = sorted(given.raw.glob("**/*.csv"))
    if not files:
        raise SystemExit(f"no CSV files below {given.raw}")
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    rows = rows.dropna(subset=["customer_id", TARGET]).drop_duplicates("customer_id", keep="last")
    test = rows["customer_id"].astype(str).map(is_test)
    for folder, part in ((given.train, rows[~test]), (given.test, rows[test])):
        folder.mkdir(parents=True, exist_ok=True)
        part[[TARGET, *FEATURES]].to_csv(folder / "rows.csv", index=False)
        print(f"{folder}: {len(part)} rows")


if __name__ == "__main__":
    main()
