"""The devices that torch computes on, and its threads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import torch

from .finding import Finding

_TOPIC = "devices"


def devices() -> Iterator[Finding]:
    """Yields what torch can compute on: the CPU and its threads, CUDA, Apple's GPU."""
    yield _threads()
    yield _cuda()
    mps = "available" if torch.backends.mps.is_available() else "none"
    yield Finding(_TOPIC, "mps", mps)


def _threads() -> Finding:
    cores, threads = _cores(), torch.get_num_threads()
    found = f"{threads} threads on {cores} cores"
    if threads <= cores:
        return Finding(_TOPIC, "cpu", found)
    return Finding(_TOPIC, "cpu", found, "lacking", f"export OMP_NUM_THREADS={cores}: threads beyond the cores wait")


def _cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _cuda() -> Finding:
    if torch.version.cuda is None:
        return Finding(_TOPIC, "cuda", "none: torch is built for the CPU")
    if not torch.cuda.is_available():
        cure = "where there is a GPU: install its driver, and see that nvidia-smi lists it"
        return Finding(_TOPIC, "cuda", f"no device, for torch's CUDA {torch.version.cuda}", "lacking", cure)
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return Finding(_TOPIC, "cuda", f"{names}, CUDA {torch.version.cuda}")
