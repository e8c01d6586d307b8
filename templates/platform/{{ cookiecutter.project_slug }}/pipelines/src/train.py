"""Trains a classifier on `train.csv` and writes it as `model.joblib`. May not see the rows that it is tested on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where they are used: `--help` needs no library
    import pandas
    from sklearn.pipeline import Pipeline

SEED = 7
MOST_WORDS = 50


def make_model(features: pandas.DataFrame, max_depth: int) -> Pipeline:
    """A model for these columns: numbers as they are, missing ones too; words one-hot, rare ones together."""
    from pandas.api.types import is_numeric_dtype
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    words = [name for name in features.columns if not is_numeric_dtype(features[name])]
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_WORDS, sparse_output=False)
    columns = ColumnTransformer([("words", encoder, words)], remainder="passthrough")
    classifier = HistGradientBoostingClassifier(max_depth=max_depth, random_state=SEED)
    return Pipeline([("columns", columns), ("classifier", classifier)])


def main() -> None:
    """Write the model with the names of its columns, in the order in which they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv")
    parser.add_argument("--label", required=True, help="the column to predict")
    parser.add_argument("--model", type=Path, required=True, help="folder for model.joblib")
    parser.add_argument("--max-depth", type=int, default=6, help="depth of a tree")
    arguments = parser.parse_args()
    import joblib
    import pandas

    rows = pandas.read_csv(arguments.data / "train.csv")
    features = rows.drop(columns=[arguments.label])
    model = make_model(features, arguments.max_depth).fit(features, rows[arguments.label])
    arguments.model.mkdir(parents=True, exist_ok=True)
    joblib.dump({"model": model, "columns": list(features.columns)}, arguments.model / "model.joblib")
    print(f"trained on {len(rows)} rows with {len(features.columns)} columns")


if __name__ == "__main__":
    main()
