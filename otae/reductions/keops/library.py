"""KeOps, loaded when it is first asked for and without a word on the standard output, or the reason why it cannot be."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ...errors import BackendError
from .build_folder import remove_broken
from .gate import Gate
from .loading import NO_COMPILER, compiler, install

log = logging.getLogger("otae.reductions")

_NOT_INSTALLED = "KeOps is not installed. Install it by `pip install pykeops`."
_NO_CUDA = (
    "KeOps found no CUDA for points on a GPU: it needs the driver, the library libnvrtc where the system's linker finds it, "
    "and the headers cuda.h and nvrtc.h. Install the CUDA toolkit and set CUDA_PATH to it before Python starts; "
    "the CUDA packages that pip installs beside torch are not searched."
)
_loading = threading.RLock()


def load() -> Any:
    """Returns the package `pykeops`, its formulas loaded one process at a time, announced, and from files that are whole.

    Call it before a library that imports `pykeops` by itself, so that this library's formulas are loaded the same way.

    Raises:
        BackendError: If KeOps is not installed or cannot be imported.
    """
    with _loading:
        return _load_once()


@cache
def obstacle(device: str, dtype: torch.dtype, compiling: bool = True) -> str | None:
    """Returns the reason why KeOps cannot compute here, or `None`.

    Args:
        device: The type of the device, such as `cuda`.
        dtype: The type of the numbers.
        compiling: Whether formulas have to be compiled, as those have that no process compiled before.
    """
    return next(_obstacles(device, dtype, compiling), None)


def cache_folder() -> Path:
    """Returns the folder that KeOps keeps its build folders in."""
    default = Path.home() / ".cache" / f"keops{version('keopscore')}"
    return Path(os.environ.get("KEOPS_CACHE_FOLDER", default))


@cache
def _load_once() -> Any:
    if find_spec("pykeops") is None:
        raise BackendError(_NOT_INSTALLED)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        gate = Gate(folder)
        with gate.enter(lambda text: log.debug("%s", text.rstrip())):
            for each in folder.glob("*_p[0-9]*.[0-9]*"):  # one build folder for each machine and version of Python
                remove_broken(each)
            keops = importlib.import_module("pykeops")
            importlib.import_module("pykeops.torch")
        install(gate, keops)
    except OSError as error:
        raise BackendError(
            f"KeOps cannot use its folder {str(folder)!r}: {error}. Set KEOPS_CACHE_FOLDER to one that can be written."
        ) from error
    except (ImportError, AttributeError, ValueError) as error:
        raise BackendError(f"KeOps {version('pykeops')} cannot be loaded: {error}. Reinstall `pykeops`.") from error
    return keops


def _obstacles(device: str, dtype: torch.dtype, compiling: bool) -> Iterator[str]:
    if device not in {"cpu", "cuda"}:
        yield f"KeOps computes on CPU and CUDA, not on {device!r}. Use the backend 'dense'."
    if dtype not in {torch.float32, torch.float64}:
        yield f"KeOps computes in single and double precision, not in {dtype}. Convert the points with .float()."
    if find_spec("pykeops") is None:
        yield _NOT_INSTALLED
    if compiling and compiler() is None:
        yield NO_COMPILER
    if device == "cuda":
        yield from _cuda_obstacles()


def _cuda_obstacles() -> Iterator[str]:
    try:
        found = load().config.gpu_available
    except BackendError as error:
        yield str(error)
    else:
        if not found:
            yield _NO_CUDA
