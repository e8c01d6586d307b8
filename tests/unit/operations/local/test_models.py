from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from scaffolder.operations.local.models import Model, ModelError, Reply, Request, load_model

ROWS = pd.DataFrame(
    {"tenure": np.arange(60.0), "charge": np.arange(60.0) % 7, "plan": ["basic", "full", "none"] * 20}
)
CHURNED = np.where(ROWS["tenure"] < 25, "yes", "no")


def _fitted(estimator: Any) -> Any:
    prepare = make_column_transformer(
        (StandardScaler(), ["tenure", "charge"]), (OneHotEncoder(sparse_output=False), ["plan"])
    )
    return make_pipeline(prepare, estimator).fit(ROWS, CHURNED)


def _asked(model: Model, *bodies: bytes, content_type: str = "text/csv") -> Sequence[Reply]:
    return model.answer([Request(body=body, content_type=content_type) for body in bodies])


def test_an_estimator_answers_by_its_own_columns(tmp_path: Path) -> None:
    joblib.dump(_fitted(LogisticRegression()), tmp_path / "model.joblib")
    model = load_model(tmp_path)
    [reply] = _asked(model, b"plan,charge,tenure\nfull,3,2\nnone,1,59\n")
    assert (reply.status, reply.body, reply.content_type) == (200, b"yes\nno\n", "text/csv")
    [reply] = _asked(model, b'[{"tenure": 2, "charge": 3, "plan": "full"}]', content_type="application/json")
    assert json.loads(reply.body) == {"predictions": ["yes"]}


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=3), DecisionTreeClassifier()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_usual_estimators_are_trusted_as_skops(tmp_path: Path, estimator: Any) -> None:
    skops.io.dump({"model": _fitted(estimator), "columns": [*ROWS.columns]}, tmp_path / "model.skops")
    [reply] = _asked(load_model(tmp_path), b"tenure,charge,plan\n2,3,full\n")
    assert reply == Reply(status=200, body=b"yes\n", content_type="text/csv")


def test_a_function_inside_of_skops_is_not_trusted(tmp_path: Path) -> None:
    whole = make_pipeline(FunctionTransformer(np.loadtxt), LogisticRegression())
    skops.io.dump(whole, tmp_path / "model.skops")
    with pytest.raises(ModelError, match=r"not trusted: numpy.*loadtxt"):
        load_model(tmp_path)


def test_requests_that_are_answered_together_are_answered_as_alone(tmp_path: Path) -> None:
    joblib.dump(_fitted(LogisticRegression()), tmp_path / "model.joblib")
    model = load_model(tmp_path)
    bodies = [
        b"tenure,charge,plan\n2,3,full\n",
        b"tenure,charge,plan\n2,3\n",
        b"tenure,charge,plan\n59,3,full\n2,3,full\n",
        b"tenure,charge,plan\nmany,3,full\n",
        b"tenure,charge,plan\n59,3,luxury\n",
        b"tenure,charge,plan\n58,3,full\n",
    ]
    together = _asked(model, *bodies)
    assert together == [_asked(model, body)[0] for body in bodies]
    assert [reply.status for reply in together] == [200, 400, 200, 400, 400, 200]
    assert b"luxury" in together[4].body


def test_an_estimator_without_names_takes_rows_of_its_width(tmp_path: Path) -> None:
    joblib.dump(DecisionTreeClassifier().fit([[0.0, 1.0], [9.0, 1.0]], [0, 1]), tmp_path / "model.joblib")
    good, bad = _asked(load_model(tmp_path), b"9,1\n", b"9\n")
    assert good.body == b"1\n"
    assert (bad.status, bad.body) == (400, b"a row has 1 cells, and the model 2 columns")


def test_loading_a_model_leaves_its_folder_as_it_was_registered(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text("import alongside\nload = predict = alongside.anything\n")
    (tmp_path / "alongside.py").write_text("def anything(*_): ...\n")
    load_model(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["alongside.py", "serve.py"]


def test_serve_py_comes_before_any_file(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").touch()
    (tmp_path / "beside.py").write_text("WORD = 'hello '\n")
    (tmp_path / "serve.py").write_text(
        "import beside\n"
        "def load(folder):\n    return beside.WORD\n"
        "def predict(model, body, content_type):\n    return model.encode() + body, content_type\n"
    )
    model = load_model(tmp_path)
    assert model.together == 1
    assert _asked(model, b"world") == [Reply(status=200, body=b"hello world", content_type="text/csv")]


@pytest.mark.parametrize(
    ("raises", "status"), [("ValueError('x')", 400), ("KeyError('x')", 400), ("OSError('x')", 500)]
)
def test_values_are_the_requests_fault_and_all_else_is_the_models(
    tmp_path: Path, raises: str, status: int
) -> None:
    (tmp_path / "serve.py").write_text(
        f"def load(folder): ...\ndef predict(model, body, content_type):\n    raise {raises}\n"
    )
    [reply] = _asked(load_model(tmp_path), b"")
    assert reply.status == status


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"weights.bin": ""},
            "none of serve.py, model.joblib, model.skops, model.onnx; it holds weights.bin",
        ),
        ({"serve.py": "def load(folder): ...\n"}, "serve.py has no function predict"),
        ({"serve.py": "import tensorfolw\n"}, "serve.py needs the module tensorfolw, which is not installed"),
        ({"serve.py": "def load(:\n"}, "serve.py cannot be loaded: SyntaxError"),
        ({"model.joblib": "no pickle"}, "model.joblib cannot be loaded"),
    ],
)
def test_a_folder_without_a_model_says_what_it_lacks(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ModelError) as refused:
        load_model(tmp_path)
    assert message in str(refused.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gone is not there"):
        load_model(tmp_path / "gone")


def test_a_file_that_holds_no_estimator_is_refused(tmp_path: Path) -> None:
    joblib.dump({"weights": [1]}, tmp_path / "model.joblib")
    with pytest.raises(ModelError, match="a dict of 'weights', without 'model'"):
        load_model(tmp_path)
    joblib.dump([1], tmp_path / "model.joblib")
    with pytest.raises(ModelError, match="holds a list, which has no predict"):
        load_model(tmp_path)
