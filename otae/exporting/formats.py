"""Traced parts as files, and the functions that such a file holds, to check it by."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import ConfigError

Function = Callable[..., Tensor]


def write_onnx(module: nn.Module, inputs: Sequence[Tensor], names: Sequence[str], path: Path) -> Function:
    """Writes a part as ONNX, and returns what the file computes, by onnxruntime.

    Args:
        module: The part.
        inputs: Inputs to trace it with.
        names: Their names.
        path: The file.

    Raises:
        ConfigError: If a library is missing.
    """
    runtime = _load("onnxruntime")
    _load("onnx")
    _load("onnxscript")
    with _silent():
        torch.onnx.export(
            module,
            tuple(inputs),
            str(path),
            input_names=list(names),
            output_names=["output"],
            dynamic_shapes=_batches(module, inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(*values: Tensor) -> Tensor:
        feed = {name: value.numpy() for name, value in zip(names, values, strict=True)}
        return torch.from_numpy(session.run(None, feed)[0])

    return run


def write_program(module: nn.Module, inputs: Sequence[Tensor], _: Sequence[str], path: Path) -> Function:
    """Writes a part as a program of `torch.export`, and returns what the file computes.

    Args:
        module: The part.
        inputs: Inputs to trace it with.
        path: The file.
    """
    with _silent():
        torch.export.save(
            torch.export.export(module, tuple(inputs), dynamic_shapes=_batches(module, inputs)), str(path)
        )
        loaded: Function = torch.export.load(str(path)).module()
    return loaded


def _batches(module: nn.Module, inputs: Sequence[Tensor]) -> Any:
    """Returns that the first size of every input is one and the same, and free."""
    shapes = tuple({0: torch.export.Dim("batch", min=1)} for _ in inputs)
    return (shapes,) if module.forward.__code__.co_flags & 0x04 else shapes  # inputs that are taken as `*noises`


def _load(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"ONNX needs {name} ({error}). Install it: pip install 'otae[onnx]'.") from error


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps what tracing says about itself from standard output, for as long as the context lasts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
