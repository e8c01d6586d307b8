"""Made-up data to start with, until there are real ones: the same seed gives the same bytes. May not be served on.

`python -m {{ cookiecutter.__package }}.sample --out data/raw` writes them where the pipeline looks for the real ones.
With `--more data` the other pipelines have theirs, too: recent/ is newer, scoring/ has no labels. A request, too.
"""

from __future__ import annotations

import argparse
{%- if cookiecutter.task == "image" %}
import base64
{%- endif %}
import csv
{%- if cookiecutter.task == "image" %}
import json
{%- endif %}
{%- if cookiecutter.task == "tabular" %}
import math
{%- endif %}
{%- if cookiecutter.task != "image" %}
import random
{%- endif %}
from collections.abc import Sequence
from pathlib import Path

{% if cookiecutter.task == "image" -%}
from {{ cookiecutter.__package }}.schema import ID, LABEL

PICTURES = 1_200
HELP = "folder for pictures and labels.csv"


def write_sample(folder: Path, count: int = PICTURES, first: int = 0) -> None:
    """Handwritten digits of 8x8 pixels, which scikit-learn brings (UCI's optical recognition of digits)."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([ID, LABEL])
        for number in range(first, min(first + count, len(digits.images))):
            name = f"{number:04}.png"
            pixels = (digits.images[number] * (255 / 16)).round().astype("uint8")
            Image.fromarray(pixels).save(folder / name)
            table.writerow([name, int(digits.target[number])])


def write_more(folder: Path, count: int = 250) -> None:
    """Write the digits after those of the sample: labelled, not labelled, and two as a request."""
    write_sample(folder / "recent", count, PICTURES)
    write_sample(folder / "scoring", count, PICTURES + count)
    (folder / "scoring" / "labels.csv").unlink()
    pictures = sorted((folder / "scoring").glob("*.png"))[:2]
    rows = [{"b64": base64.b64encode(path.read_bytes()).decode()} for path in pictures]
    (folder / "request.json").write_text(json.dumps({"instances": rows}) + "\n")
{%- elif cookiecutter.task == "text" -%}
from {{ cookiecutter.__package }}.schema import ID, LABEL

MESSAGES = 1_200
SEED = 11
MISTAKEN = 0.04
HELP = "folder for messages.csv"

OPENINGS = ("Hello,", "Hi team,", "Good morning,", "Dear support,", "", "", "Please help:", "Once again:")
CLOSINGS = ("Thank you.", "Thanks!", "Please answer soon.", "", "", "Regards, a customer", "I am waiting.")
PHRASES = {
    "billing": (
        "I was charged twice on my invoice",
        "the refund of {amount} euros has not reached my bank account",
        "my card was declined although it is valid",
        "the price on the invoice differs from the offer",
        "please send the receipt for my last payment of {amount} euros",
        "why does the subscription cost {amount} euros now",
        "the discount is missing on the bill",
    ),
    "delivery": (
        "my parcel has not arrived for {amount} days",
        "the courier left the box at the wrong address",
        "tracking says shipped but nothing came",
        "the package arrived damaged",
        "can I change the delivery address of my order",
        "the order came with {amount} items missing",
        "the driver did not ring and took the parcel back",
    ),
    "technical": (
        "the app crashes when I open the settings",
        "I cannot log in after the update",
        "the page shows error {amount} and stays blank",
        "the password reset mail never comes",
        "sync between my phone and my laptop is broken",
        "the upload stops at {amount} percent",
        "the screen freezes after the new version was installed",
    ),
}


def messages(count: int = MESSAGES, seed: int = SEED, first: int = 0) -> list[dict[str, str]]:
    """Messages to a support team, of which a few have the wrong topic, as real ones do."""
    chance = random.Random(seed)
    topics = sorted(PHRASES)
    made = []
    for number in range(count):
        topic = chance.choice(topics)
        phrase = chance.choice(PHRASES[topic]).format(amount=chance.randint(2, 90))
        second = chance.choice(PHRASES[topic]).format(amount=chance.randint(2, 90))
        words = [chance.choice(OPENINGS), phrase, "and", second + ".", chance.choice(CLOSINGS)]
        label = chance.choice(topics) if chance.random() < MISTAKEN else topic
        made.append({ID: f"m{first + number:05}", "text": " ".join(word for word in words if word), LABEL: label})
    return made


def write_sample(folder: Path, count: int = MESSAGES) -> None:
    """Write them as a table."""
    _write(folder / "messages.csv", messages(count))


def write_more(folder: Path, count: int = 400) -> None:
    """Write newer messages: labelled, not labelled, and two as a request."""
    _write(folder / "recent" / "messages.csv", messages(count, SEED + 1, 10_000))
    rows = messages(count, SEED + 2, 20_000)
    unlabelled = [{name: value for name, value in row.items() if name != LABEL} for row in rows]
    _write(folder / "scoring" / "messages.csv", unlabelled)
    asked = [{name: value for name, value in row.items() if name != ID} for row in unlabelled[:2]]
    _write(folder / "request.csv", asked)
{%- else -%}
from {{ cookiecutter.__package }}.schema import ID, LABEL

CUSTOMERS = 1_500
SEED = 11
HELP = "folder for customers.csv"


def customers(count: int = CUSTOMERS, seed: int = SEED, first: int = 0) -> list[dict[str, object]]:
    """Customers who leave: the newer, the dearer and the oftener they call, the likelier; never for certain."""
    chance = random.Random(seed)
    made: list[dict[str, object]] = []
    for number in range(count):
        tenure = min(int(chance.expovariate(1 / 26)), 120)
        plan = chance.choices(("basic", "plus", "premium"), (5, 3, 2))[0]
        charge = round(chance.gauss({"basic": 20, "plus": 45, "premium": 80}[plan], 6), 2)
        calls = min(int(chance.expovariate(1 / 1.6)), 20)
        payment = chance.choices(("card", "debit", "invoice", ""), (5, 3, 2, 0.4))[0]
        log_odds = -0.6 - 0.06 * tenure + 0.8 * calls + 0.02 * (charge - 40)
        log_odds += {"invoice": 0.8, "card": 0.0, "debit": -0.6, "": 0.2}[payment]
        leaves = chance.random() < 1 / (1 + math.exp(-log_odds))
        made.append(
            {
                ID: f"c{first + number:05}",
                "tenure_months": tenure,
                "monthly_charge": max(charge, 1.0),
                "support_calls": calls,
                "plan": plan,
                "payment": payment,
                LABEL: "yes" if leaves else "no",
            }
        )
    return made


def write_sample(folder: Path, count: int = CUSTOMERS) -> None:
    """Write them as a table."""
    _write(folder / "customers.csv", customers(count))


def write_more(folder: Path, count: int = 400) -> None:
    """Write newer customers: labelled, not labelled, and two as a request."""
    _write(folder / "recent" / "customers.csv", customers(count, SEED + 1, 10_000))
    rows = customers(count, SEED + 2, 20_000)
    unlabelled = [{name: value for name, value in row.items() if name != LABEL} for row in rows]
    _write(folder / "scoring" / "customers.csv", unlabelled)
    asked = [{name: value for name, value in row.items() if name != ID} for row in unlabelled[:2]]
    _write(folder / "request.csv", asked)
{%- endif %}
{%- if cookiecutter.task != "image" %}


def _write(path: Path, rows: list[dict[str, {{ 'str' if cookiecutter.task == 'text' else 'object' }}]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
{%- endif %}


def main(argv: Sequence[str] | None = None) -> None:
    """Write the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help=HELP)
    parser.add_argument("--more", type=Path, help="folder for recent/, scoring/ and a request")
    given = parser.parse_args(argv)
    write_sample(given.out)
    if given.more:
        write_more(given.more)


if __name__ == "__main__":
    main()
