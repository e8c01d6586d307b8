"""What training may be told. May not know a framework: each estimator has defaults of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Note = Callable[[str, float, int], None]
"""Takes a metric's name, its value and the round: training tells how it goes."""


@dataclass(frozen=True)
class Settings:
    """The seed, how long to learn and how fast, and how large the model is."""

    seed: int = 7
    rounds: int = 100
    """Trees or epochs, at most."""
    learning_rate: float = 0.1
    size: int = 6
    """The depth of a tree, or the width of a hidden layer."""
    patience: int = 10
    """Rounds without a better validation loss before it stops."""
    batch_size: int = 64
    threads: int = 1
    """The same number of threads gives the same model."""
    checkpoints: str = ""
    """A folder to go on from and to write to; none when empty."""
