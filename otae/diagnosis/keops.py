"""The state of KeOps, learned without loading it or compiling anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from ..reductions.keops import cache_folder
from ..reductions.keops.loading import compiler
from .finding import Finding

_TOPIC = "keops"


def keops() -> Iterator[Finding]:
    """Yields KeOps' version, its compiler, what it has compiled already, and whether it would find CUDA."""
    try:
        yield Finding(_TOPIC, "pykeops", version("pykeops"))
    except PackageNotFoundError:
        yield Finding(_TOPIC, "pykeops", "not installed: large sums are dense", "lacking", "pip install pykeops")
        return
    yield _compiler()
    yield _formulas(cache_folder())
    if torch.cuda.is_available():
        yield _cuda()


def _compiler() -> Finding:
    found = compiler()
    if found:
        return Finding(_TOPIC, "compiler", found)
    cure = "apt install g++, or conda install gxx, or set CXX to a compiler"
    return Finding(_TOPIC, "compiler", "none: large sums are dense", "lacking", cure)


def _formulas(folder: Path) -> Finding:
    built = len(list(folder.glob("*/pykeops_cpp_*.so")))
    return Finding(_TOPIC, "compiled", f"{built} formulas in {folder}")


def _cuda() -> Finding:
    library, toolkit = find_library("nvrtc"), os.environ.get("CUDA_PATH", "")
    if library:
        return Finding(_TOPIC, "cuda", f"{library}, CUDA_PATH={toolkit or 'not set'}")
    cure = "install the CUDA toolkit, and set CUDA_PATH to it"
    return Finding(_TOPIC, "cuda", "no libnvrtc: large sums on the GPU are dense", "lacking", cure)
