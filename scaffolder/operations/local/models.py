"""A model's folder as a function from requests to answers: by its ``serve.py``, or by the file that is in it.

``serve.py`` has ``load(folder)`` and ``predict(model, body, content_type) -> (bytes, content_type)``. Without one,
``model.joblib`` and ``model.skops`` hold an estimator, or a dict of ``model`` and ``columns``; ``model.onnx`` may have a
``columns.json`` beside it. Runs the model's code: may only be imported by a process of the model's own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from stacks.record import record

__all__ = ["TRUSTED", "Model", "ModelError", "Reply", "Request", "load_model"]

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""What skops 0.16 does not trust by itself and scikit-learn 1.9's estimators are made of (2026-11): data, no code."""

TOGETHER = 64
"""How many requests a built-in loader answers with one prediction: each row's answer is its own."""


class ModelError(Exception):
    """A folder from which no model can be loaded; the message says why."""


@record
class Request:
    """What a client sent."""

    body: bytes
    content_type: str


@record
class Reply:
    """What it gets: 200 and the answer, 400 and what is wrong with the request, or 500 and what went wrong."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class Model(Protocol):
    """A loaded model; ``together`` is how many requests it takes at once."""

    @property
    def together(self) -> int: ...
    def answer(self, requests: Sequence[Request]) -> Sequence[Reply]: ...


def load_model(folder: Path) -> Model:
    """Load a model.

    Raises:
        ModelError: there is none, a library is missing, or the model's own code failed.
    """
    if not folder.is_dir():
        raise ModelError(f"the model's folder {folder} is not there")
    for name, load in _LOADERS.items():
        if (folder / name).is_file():
            try:
                return load(folder, folder / name)
            except ModelError:
                raise
            except ModuleNotFoundError as missing:
                raise ModelError(
                    f"{name} needs the module {missing.name}, which is not installed"
                ) from missing
            except Exception as error:
                traceback.print_exc()
                raise ModelError(f"{name} cannot be loaded: {_said(error)}") from error
    found = ", ".join(sorted(each.name for each in folder.iterdir())) or "nothing"
    raise ModelError(f"the model's folder has none of {', '.join(_LOADERS)}; it holds {found}")


def _loaded(load: Callable[[Path, Path], Model], folder: Path, name: str) -> Model:
    try:
        return load(folder, folder / name)
    except ModelError:
        raise
    except ModuleNotFoundError as missing:
        raise ModelError(f"{name} needs the module {missing.name}, which is not installed") from missing
    except Exception as error:
        traceback.print_exc()
        raise ModelError(f"{name} cannot be loaded: {_said(error)}") from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


# --- the user's own code ---------------------------------------------------------------------------------------------


class _Served:
    """A ``serve.py``. What it raises as ValueError or LookupError is the request's fault, all else is the model's."""

    together = 1

    def __init__(self, model: Any, predict: Callable[[Any, bytes, str], object]) -> None:
        self._model = model
        self._predict = predict

    def answer(self, requests: Sequence[Request]) -> Sequence[Reply]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Reply:
        try:
            body, content_type = _checked(self._predict(self._model, request.body, request.content_type))
        except (ValueError, LookupError) as error:
            return Reply(status=400, body=f"the model refuses the request: {_said(error)}".encode())
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            traceback.print_exc()
            return Reply(status=500, body=_said(error).encode())
        return Reply(status=200, body=body, content_type=content_type)


def _checked(answer: object) -> tuple[bytes, str]:
    match answer:
        case (bytes() as body, str() as content_type):
            return body, content_type
        case _:
            raise TypeError(f"predict returned {answer!r:.80} instead of (bytes, str)")


def _load_served(folder: Path, file: Path) -> Model:
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # the folder is the registry's, and has the digest of what was registered
    spec = importlib.util.spec_from_file_location("serve", file)
    if spec is None or spec.loader is None:
        raise ModelError("serve.py cannot be imported")
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules["serve"] = module
    spec.loader.exec_module(module)
    for name in ("load", "predict"):
        if not callable(getattr(module, name, None)):
            raise ModelError(f"serve.py has no function {name}")
    return _Served(module.load(folder), module.predict)


# --- estimators ------------------------------------------------------------------------------------------------------


class _Tabular:
    """What answers rows with a value each. Requests with columns of the same kinds are answered together."""

    together = TOGETHER

    def __init__(
        self,
        predict: Callable[[Any], Sequence[Any]],
        columns: Sequence[str] | None,
        width: int | None,
    ) -> None:
        from scaffolder.operations.local import tables  # noqa: PLC0415 - numpy

        self._tables = tables
        self._predict = predict
        self._columns = columns
        self._width = width

    def answer(self, requests: Sequence[Request]) -> Sequence[Reply]:
        replies: dict[int, Reply] = {}
        parts: dict[tuple[str, ...], dict[int, Any]] = {}
        for place, request in enumerate(requests):
            try:
                table = self._tables.parse(
                    request.body, request.content_type, self._columns, width=self._width
                )
            except self._tables.BadRequestError as error:
                replies[place] = Reply(status=400, body=str(error).encode())
            else:
                parts.setdefault(table.kinds(), {})[place] = table
        for part in parts.values():
            replies |= self._together(part, requests)
        return [replies[place] for place in range(len(requests))]

    def _together(self, part: Mapping[int, Any], requests: Sequence[Request]) -> Mapping[int, Reply]:
        try:
            predicted = self._predict(self._tables.joined([*part.values()]))
        except Exception as error:  # noqa: BLE001 - an estimator may raise anything
            if len(part) > 1:  # whose fault is it?
                return {
                    place: reply
                    for place, table in part.items()
                    for reply in self._together({place: table}, requests).values()
                }
            return dict.fromkeys(part, _refusal(error))
        replies, begin = {}, 0
        for place, table in part.items():
            answers = predicted[begin : begin + table.rows]
            begin += table.rows
            body, content_type = self._tables.written(answers, requests[place].content_type)
            replies[place] = Reply(status=200, body=body, content_type=content_type)
        return replies


def _refusal(error: Exception) -> Reply:
    """scikit-learn raises ValueError for values that it cannot take: texts where numbers are wanted, NaN."""
    if isinstance(error, ValueError):
        return Reply(status=400, body=f"the model refuses the request: {_said(error)}".encode())
    traceback.print_exc()
    return Reply(status=500, body=_said(error).encode())


def _estimator(found: Any) -> Model:
    named = isinstance(found, Mapping)
    if named and "model" not in found:
        raise ModelError(f"the file holds a dict of {', '.join(map(repr, found))}, without 'model'")
    estimator = found["model"] if named else found
    if not callable(getattr(estimator, "predict", None)):
        raise ModelError(f"the file holds a {type(estimator).__name__}, which has no predict")
    fitted = getattr(estimator, "feature_names_in_", None)
    columns = found.get("columns") if named else None
    if columns is None and fitted is not None:
        columns = fitted
    width = getattr(estimator, "n_features_in_", None)
    return _Tabular(
        _predictor(estimator, framed=fitted is not None or columns is not None),
        None if columns is None else [str(name) for name in columns],
        None if width is None else int(width),
    )


def _predictor(estimator: Any, *, framed: bool) -> Callable[[Any], Sequence[Any]]:
    """Predict from a data frame where the estimator knows names; a data frame costs more than a small prediction."""
    if framed:
        import pandas as pd  # noqa: PLC0415 - only where names are known

        def predict(table: Any) -> Sequence[Any]:
            answers: Sequence[Any] = estimator.predict(pd.DataFrame(dict(table.columns), copy=False)).tolist()
            return answers

        return predict
    import numpy as np  # noqa: PLC0415

    def predict_array(table: Any) -> Sequence[Any]:
        answers: Sequence[Any] = estimator.predict(np.column_stack([*table.columns.values()])).tolist()
        return answers

    return predict_array


def _load_joblib(_folder: Path, file: Path) -> Model:
    import joblib  # noqa: PLC0415

    return _estimator(joblib.load(file))


def _load_skops(_folder: Path, file: Path) -> Model:
    import skops.io  # noqa: PLC0415

    strange = sorted({*skops.io.get_untrusted_types(file=file)} - TRUSTED)
    if strange:
        raise ModelError(
            f"{file.name} holds types that are not trusted: {', '.join(strange)}. "
            "Write a serve.py that loads them, if you trust them"
        )
    return _estimator(skops.io.load(file, trusted=sorted(TRUSTED)))


def _load_onnx(folder: Path, file: Path) -> Model:
    try:
        import onnxruntime  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ModelError("model.onnx needs onnxruntime: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    names = folder / "columns.json"
    columns = json.loads(names.read_text(encoding="utf-8")) if names.is_file() else None
    if len(inputs) > 1:
        columns = [each.name for each in inputs]
    width = inputs[0].shape[-1] if len(inputs) == 1 and isinstance(inputs[0].shape[-1], int) else None
    return _Tabular(_onnx_predictor(session, inputs), columns, width)


def _onnx_predictor(session: Any, inputs: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    import numpy as np  # noqa: PLC0415

    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    output = session.get_outputs()[0].name

    def predict(table: Any) -> Sequence[Any]:
        if len(inputs) == 1:
            whole = np.column_stack([*table.columns.values()]).astype(types.get(inputs[0].type, object))
            given = {inputs[0].name: whole}
        else:
            given = {
                each.name: table.columns[each.name].astype(types.get(each.type, object)).reshape(-1, 1)
                for each in inputs
            }
        answers = np.asarray(session.run([output], given)[0])
        flat = answers.reshape(-1) if answers.ndim == 2 and answers.shape[1] == 1 else answers
        found: Sequence[Any] = flat.tolist()
        return found

    return predict


_LOADERS: Mapping[str, Callable[[Path, Path], Model]] = {
    "serve.py": _load_served,
    "model.joblib": _load_joblib,
    "model.skops": _load_skops,
    "model.onnx": _load_onnx,
}
