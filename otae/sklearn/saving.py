"""Fitted estimators as one file of safetensors, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, RunError
from ..weights import read_weights, write_weights

E = TypeVar("E", bound=Any)
_KEY = "estimator"
_FITTED = ("n_features_in_", "input_shape_", "feature_names_in_", "labels_", "offset_", "history_")


def write_estimator(estimator: Any, path: Path) -> None:
    """Writes a fitted estimator: its weights as tensors, all else as JSON.

    Args:
        estimator: The estimator.
        path: The file.

    Raises:
        ConfigError: If a parameter is no number, text, list or mapping.
    """
    learner, model = estimator._learner, estimator.model_
    narrow = estimator.configuration_["training"]["precision"] != "64-true"
    tensors = {
        name: value.float() if narrow and value.dtype == torch.float64 else value
        for name, value in learner.state_dict().items()
    }
    params = estimator.get_params(deep=False)
    if isinstance(params["random_state"], np.random.RandomState):
        params["random_state"] = learner.seed
    told = {
        "class": type(estimator).__name__,
        "params": params,
        "configuration": estimator.configuration_,
        "data_shape": model.data_shape,
        "fitted": {name: getattr(estimator, name) for name in _FITTED if hasattr(estimator, name)},
        "position": {"step": learner.step, "epochs_done": learner.epochs_done},
    }
    try:
        text = json.dumps(told, default=_to_plain)
    except TypeError as error:
        raise ConfigError(f"A parameter cannot be written: {error}. Use numbers, text, lists and mappings.") from error
    write_weights(path, tensors, {_KEY: text})


def read_estimator(kind: type[E], path: Path) -> E:
    """Returns an estimator that was written.

    Args:
        kind: The class that it must be of.
        path: The file.

    Raises:
        RunError: If the file is missing or corrupt, or holds something else.
    """
    try:
        tensors, metadata = read_weights(path)
    except FileNotFoundError as error:
        raise RunError(f"There is no file {path}. Give one that `save` of an estimator wrote.") from error
    if _KEY not in metadata:
        raise RunError(f"{path} holds no estimator. Give a file that `save` of an estimator wrote.")
    told = json.loads(metadata[_KEY])
    if told["class"] != kind.__name__:
        raise RunError(f"{path} holds an estimator {told['class']}, and was asked for a {kind.__name__}.")
    estimator: E = kind(**told["params"])
    _restore(estimator, tensors, told)
    return estimator


def _restore(estimator: Any, tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> None:
    bounds = estimator.value_range
    estimator._build(told["configuration"], tuple(told["data_shape"]), None if bounds is None else tuple(bounds))
    learner = estimator._learner
    if any(value.dtype == torch.float64 for value in tensors.values()):
        learner.double()
    learner.load_state_dict(dict(tensors))
    learner.double().eval()
    learner.step, learner.epochs_done = told["position"]["step"], told["position"]["epochs_done"]
    for name, value in told["fitted"].items():
        setattr(estimator, name, _FORMS.get(name, _as_it_is)(value))
    learner.history = estimator.history_


def _as_it_is(value: Any) -> Any:
    return value


def _to_objects(value: Any) -> Any:
    return np.asarray(value, dtype=object)


_FORMS: dict[str, Callable[[Any], Any]] = {
    "input_shape_": tuple,
    "labels_": np.asarray,
    "feature_names_in_": _to_objects,
}


def _to_plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r}")
