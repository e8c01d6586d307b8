"""Write the orders that the example learns from, `data/orders/orders.csv`, out of the package `lifetimes`.

They are CDNOW's: what the 23,570 customers who first bought in the first quarter of 1997 bought until June 1998, as
Peter Fader and Bruce Hardie published it. The package is read, and not imported.
"""

import argparse
import csv
import hashlib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
FILE = "lifetimes/datasets/CDNOW_master.txt"
SHA256 = "0da3cbb18d20183f03baf07a2addee7b5445a6e94f962e092f24e174b208a358"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--until", default="1998-06-30", help="the last day, as if that were today (default: all)"
    )
    until = parser.parse_args().until
    try:
        found = next(file for file in files("lifetimes") or () if str(file) == FILE)
    except PackageNotFoundError:
        raise SystemExit(
            "The orders are in the package lifetimes: pip install --no-deps lifetimes==0.11.3"
        ) from None
    text = found.read_text(encoding="ascii")
    if hashlib.sha256(text.encode()).hexdigest() != SHA256:
        raise SystemExit(f"{FILE} is not the file that this example was made with: lifetimes==0.11.3 has it")
    target = FOLDER / "data" / "orders" / "orders.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        [int(customer), f"{day[:4]}-{day[4:6]}-{day[6:]}", discs, spent]
        for customer, day, discs, spent in map(str.split, text.splitlines()[1:])
    ]
    rows = [row for row in rows if row[1] <= until]
    with target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["customer_id", "date", "discs", "spent"])
        writer.writerows(rows)
    print(f"{len(rows)} orders until {until}: {target.relative_to(FOLDER)}")


if __name__ == "__main__":
    main()
