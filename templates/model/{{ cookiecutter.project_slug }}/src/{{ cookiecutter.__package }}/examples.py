"""Labelled examples, and how they lie in a folder. May not change what they say."""

from __future__ import annotations

import hashlib
{%- if cookiecutter.task == "image" %}
import io
import zipfile
{%- endif %}
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
{%- if cookiecutter.task != "image" %}
import pandas as pd
{%- endif %}
from numpy.typing import NDArray

{% if cookiecutter.task == "image" -%}
Inputs: TypeAlias = NDArray[np.float32]
"""Rows of images: height and width, grey between 0 and 1."""

FILE = "images.npz"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time in every archive: the same examples give the same bytes."""
{%- else -%}
Inputs: TypeAlias = pd.DataFrame
"""A column for each field of the signature: numbers as float64, all else as text or None."""

FILE = "rows.csv"
ID, LABEL = "id", "label"
{%- endif %}


@dataclass(frozen=True)
class Examples:
    """Inputs with an id and a label each."""

    ids: tuple[str, ...]
    inputs: Inputs
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.labels) == len(self.inputs):
            raise ValueError("ids, inputs and labels have different lengths")

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, chosen: Sequence[bool] | NDArray[np.bool_]) -> Examples:
        """The examples that are chosen, in their order."""
        mask = np.asarray(chosen, dtype=bool)
{%- if cookiecutter.task == "image" %}
        inputs = self.inputs[mask]
{%- else %}
        inputs = self.inputs[mask].reset_index(drop=True)
{%- endif %}
        ids = tuple(each for each, kept in zip(self.ids, mask, strict=True) if kept)
        labels = tuple(each for each, kept in zip(self.labels, mask, strict=True) if kept)
        return Examples(ids, inputs, labels)


def part_of(identity: str, salt: str) -> int:
    """A number from 0 to 99 that an id always has: rows that come later do not move those that were there."""
    return int(hashlib.sha256(f"{salt}:{identity}".encode()).hexdigest(), 16) % 100


def split(examples: Examples, percent: int, salt: str) -> tuple[Examples, Examples]:
    """Split off about so many percent, by the hash of the id; return the rest and the part."""
    apart = [part_of(identity, salt) < percent for identity in examples.ids]
    return examples.select([not each for each in apart]), examples.select(apart)

{% if cookiecutter.task == "image" %}
def write_examples(folder: Path, examples: Examples) -> None:
    """Write them into the folder; the same examples give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "ids": np.array(examples.ids, dtype="U"),
        "images": np.round(examples.inputs * 255).astype(np.uint8),
        "labels": np.array(examples.labels, dtype="U"),
    }
    with zipfile.ZipFile(folder / FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), member.getvalue())


def read_examples(folder: Path) -> Examples:
    """Read what ``write_examples`` wrote."""
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        images = arrays["images"].astype(np.float32) / np.float32(255)
        return Examples(tuple(arrays["ids"].tolist()), images, tuple(arrays["labels"].tolist()))
{%- else %}
def write_examples(folder: Path, examples: Examples) -> None:
    """Write them into the folder as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = examples.inputs.copy()
    table.insert(0, ID, list(examples.ids))
    table[LABEL] = list(examples.labels)
    table.to_csv(folder / FILE, index=False, lineterminator="\n")


def read_examples(folder: Path) -> Examples:
    """Read what ``write_examples`` wrote."""
    texts = pd.read_csv(folder / FILE, dtype=str, keep_default_na=False, na_values=[""])
    inputs = texts.drop(columns=[ID, LABEL])
    for name in inputs:
        column = inputs[name].astype("object")
        inputs[name] = column.where(column.notna(), None)
    return Examples(tuple(texts[ID]), inputs, tuple(texts[LABEL]))
{%- endif %}
