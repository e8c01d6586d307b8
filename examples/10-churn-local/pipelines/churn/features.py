"""What is known of each customer on a day, and whether they were lost after it; split by the hash of their id."""

import argparse
import hashlib
from pathlib import Path

import pandas as pd

RECENT_DAYS = 90
TEST_PERCENT = 25


def snapshot(orders: pd.DataFrame, as_of: pd.Timestamp, horizon_days: int) -> pd.DataFrame:
    """One row for each customer who ordered before the day. May not look beyond it, but for the label."""
    past = orders[orders["date"] < as_of]
    later = orders[(orders["date"] >= as_of) & (orders["date"] < as_of + pd.Timedelta(days=horizon_days))]
    recent = past[past["date"] >= as_of - pd.Timedelta(days=RECENT_DAYS)]
    by_customer, recently = past.groupby("customer_id"), recent.groupby("customer_id")
    rows = pd.DataFrame(
        {
            "orders": by_customer.size(),
            "discs": by_customer["discs"].sum(),
            "spent": by_customer["spent"].sum().round(2),
            "largest": by_customer["spent"].max(),
            "days_since_last": (as_of - by_customer["date"].max()).dt.days,
            "days_since_first": (as_of - by_customer["date"].min()).dt.days,
            "orders_90d": recently.size(),
            "spent_90d": recently["spent"].sum().round(2),
        }
    )
    rows = rows.fillna({"orders_90d": 0, "spent_90d": 0.0}).astype({"orders_90d": int})
    rows["churned"] = (~rows.index.isin(later["customer_id"])).astype(int)
    return rows.reset_index()


def is_test(customer_id: int) -> bool:
    return int(hashlib.sha256(str(customer_id).encode()).hexdigest(), 16) % 100 < TEST_PERCENT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=Path, required=True, help="folder with orders.csv")
    parser.add_argument("--as-of", required=True, help="a day, or latest")
    parser.add_argument("--horizon-days", type=int, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    given = parser.parse_args()
    orders = pd.read_csv(given.orders / "orders.csv", parse_dates=["date"])
    latest = orders["date"].max() + pd.Timedelta(days=1) - pd.Timedelta(days=given.horizon_days)
    as_of = latest if given.as_of == "latest" else pd.Timestamp(given.as_of)
    if as_of > latest:
        raise SystemExit(f"{as_of:%Y-%m-%d} is too late: who is lost is known until {latest:%Y-%m-%d}")
    rows = snapshot(orders, as_of, given.horizon_days)
    print(f"customers as of {as_of:%Y-%m-%d}")
    test = rows["customer_id"].map(is_test)
    for folder, part in ((given.train, rows[~test]), (given.test, rows[test])):
        folder.mkdir(parents=True, exist_ok=True)
        part.drop(columns="customer_id").to_csv(folder / "rows.csv", index=False)
        print(f"{folder.name}: {len(part)} customers, {part['churned'].mean():.0%} lost")


if __name__ == "__main__":
    main()
