"""A start from another run's weights: those that fit by name and shape, kept in the run so that it can be repeated."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..build import Shape, build
from ..run import Run
from ..weights import read_weights, write_weights

START = Path("checkpoints") / "start.safetensors"


def start_from(run: Run, former: Run) -> str:
    """Writes the weights of another run into a new one, to be trained from, and returns in words which fit.

    Args:
        run: The new run.
        former: The run whose weights are taken.

    Raises:
        RunError: If the former run was not trained to its end.
    """
    dataset = run.dataset
    with torch.random.fork_rng(devices=[]):
        parts = build(run.experiment, Shape(dataset.data_shape, dataset.value_range))
    needed, there = _weights(parts.model, parts.objective), _weights(former.model, former.objective)
    fitting = {
        name: there[name] for name, value in needed.items() if name in there and there[name].shape == value.shape
    }
    left = [name for name in needed if name not in fitting]
    write_weights(run.path / START, fitting, {})
    run.record(start={"path": str(former.path), "fitting": len(fitting), "fresh": left})
    told = f"Started from {former.path}: {len(fitting)} of {len(needed)} tensors fit"
    return f"{told}; these start anew: {', '.join(left)}." if left else f"{told}."


def load_start(run: Run, engine: nn.Module) -> None:
    """Loads the weights to start from, where there are any.

    Args:
        run: The run.
        engine: The module of all its parts, changed in place.
    """
    if (run.path / START).exists():
        tensors, _ = read_weights(run.path / START)
        engine.load_state_dict(tensors, strict=False)


def _weights(model: nn.Module, objective: nn.Module) -> dict[str, Tensor]:
    modules = {"model": model, "objective": objective}
    return {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
