"""Rows of ten features of different shapes, drawn with a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["NUMBERS", "SPREAD", "rows"]

Draw = Callable[[np.random.Generator, int], npt.NDArray[np.float64]]

NUMBERS: Mapping[str, Draw] = {
    "normal": lambda dice, size: dice.normal(40, 12, size),
    "other_normal": lambda dice, size: dice.normal(0, 1, size),
    "lognormal": lambda dice, size: dice.lognormal(0, 1, size),
    "uniform": lambda dice, size: dice.uniform(0, 1, size),
    "integer": lambda dice, size: dice.poisson(4, size).astype(np.float64),
    "few_integers": lambda dice, size: dice.integers(0, 3, size).astype(np.float64),
}
SPREAD: Mapping[str, float] = {
    "normal": 12.0,
    "other_normal": 1.0,
    "lognormal": float(np.sqrt((np.e - 1) * np.e)),
    "uniform": float(np.sqrt(1 / 12)),
    "integer": 2.0,
    "few_integers": float(np.sqrt(8 / 12)),
}
"""The standard deviation of each."""


def rows(seed: int, size: int, *, shifted: str = "") -> pd.DataFrame:
    """Draw rows; ``shifted`` names the one feature that is moved by a standard deviation."""
    dice = np.random.default_rng(seed)
    columns: dict[str, object] = {
        name: draw(dice, size) + (SPREAD[name] if name == shifted else 0.0) for name, draw in NUMBERS.items()
    }
    columns["plan"] = dice.choice(["basic", "plus", "pro", "müller"], size, p=[0.5, 0.25, 0.15, 0.1])
    columns["city"] = dice.choice([f"city {number}" for number in range(12)], size)
    columns["loyal"] = dice.random(size) < 0.3
    columns["income"] = np.where(dice.random(size) < 0.1, np.nan, dice.normal(3000, 500, size))
    return pd.DataFrame(columns)
