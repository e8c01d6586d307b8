"""What a request costs, by prices that are data with a source and a date. A model without a price has none: no guess.

May not ask a cloud for its prices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from .gateway import Usage

__all__ = ["Cost", "Price", "ledger", "load_prices", "price_of", "spend", "total"]

FILE = Path(__file__).parent / "data" / "prices.json"
PER = 1_000_000
_LEDGER: ContextVar[list[tuple[str, Usage]] | None] = ContextVar("ledger", default=None)


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens."""

    input: float
    output: float
    currency: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent; ``amount`` is nothing where ``note`` says why it is not known."""

    amount: float | None
    currency: str
    note: str


def load_prices(path: Path = FILE) -> Mapping[str, Price]:
    """Read the prices by model."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return {model: Price(**price) for model, price in found["models"].items()}


def price_of(usage: Usage, model: str, prices: Mapping[str, Price]) -> Cost:
    """Price what a model used."""
    price = prices.get(model)
    if price is None:
        return Cost(
            None,
            "",
            f"the price of {model} is not known; add it to data/prices.json with its source and date",
        )
    amount = (usage.input_tokens * price.input + usage.output_tokens * price.output) / PER
    return Cost(round(amount, 9), price.currency, f"list price of {price.date}")


def total(spent: list[tuple[str, Usage]], prices: Mapping[str, Price]) -> Cost:
    """Price everything that a request used; one unknown price makes the sum unknown."""
    costs = [price_of(usage, model, prices) for model, usage in spent]
    unknown = next((cost for cost in costs if cost.amount is None), None)
    if unknown is not None:
        return unknown
    currencies = sorted({cost.currency for cost in costs})
    if len(currencies) > 1:
        return Cost(None, "", f"prices are in {' and '.join(currencies)}, which are not added up")
    notes = "; ".join(dict.fromkeys(cost.note for cost in costs))
    return Cost(
        round(sum(cost.amount or 0.0 for cost in costs), 9), currencies[0] if currencies else "", notes
    )


@contextmanager
def ledger() -> Iterator[list[tuple[str, Usage]]]:
    """Collect what is spent inside, by model."""
    spent: list[tuple[str, Usage]] = []
    token = _LEDGER.set(spent)
    try:
        yield spent
    finally:
        _LEDGER.reset(token)


def spend(model: str, usage: Usage) -> None:
    """Note what a model used, where somebody collects it."""
    spent = _LEDGER.get()
    if spent is not None:
        spent.append((model, usage))
