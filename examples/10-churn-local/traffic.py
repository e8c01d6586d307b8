"""Ask the endpoint about customers as they were on a day, and write down later what became of them.

Asks about customers whom training never saw. Their outcomes go to `data/labels/churn/`, where the monitor finds them.
"""

import argparse
import csv
import sys
import urllib.request
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "pipelines" / "churn"))

from features import is_test, snapshot  # noqa: E402 - the pipeline's own code

ROWS_A_REQUEST = 20
TARGET = "churned"


def ask(url: str, rows: pd.DataFrame) -> str:
    """Send one request and return its id."""
    body = rows.drop(columns=["customer_id", TARGET]).to_csv(index=False).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "text/csv"})  # noqa: S310 - the endpoint's own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return answer.headers["x-request-id"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True, help="the endpoint's address: scaffolder endpoints list")
    parser.add_argument("--as-of", type=pd.Timestamp, required=True)
    parser.add_argument("--horizon-days", type=int, default=180)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--skip", type=int, default=0, help="leave out so many customers first")
    given = parser.parse_args()
    orders = pd.read_csv(FOLDER / "data" / "orders" / "orders.csv", parse_dates=["date"])
    rows = snapshot(orders, given.as_of, given.horizon_days)
    rows = rows[rows["customer_id"].map(is_test)].sample(frac=1, random_state=7)[given.skip :]
    labels = FOLDER / "data" / "labels" / "churn"
    labels.mkdir(parents=True, exist_ok=True)
    outcomes = labels / f"{given.as_of:%Y-%m-%d}-{given.skip}.csv"
    with outcomes.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["request_id", "row", TARGET])
        for number in range(given.requests):
            some = rows[number * ROWS_A_REQUEST : (number + 1) * ROWS_A_REQUEST]
            answered = ask(given.url, some)
            writer.writerows([answered, place, lost] for place, lost in enumerate(some[TARGET]))
    print(
        f"{given.requests} requests about {given.requests * ROWS_A_REQUEST} customers as of {given.as_of:%Y-%m-%d}"
    )


if __name__ == "__main__":
    main()
