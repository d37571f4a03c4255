"""What is checked before the first step: the device, and the terms on the smallest batch."""

from __future__ import annotations

import math
import warnings
from typing import NoReturn

import torch
from lightning.pytorch.accelerators import CUDAAccelerator, MPSAccelerator

from ..build import Parts
from ..config import TrainingConfig
from ..errors import ConfigError, DataError
from .batches import Batches

_CALLS = 2
_ACCELERATORS = {"gpu": (CUDAAccelerator, MPSAccelerator), "mps": (MPSAccelerator,)}


def check_accelerator(training: TrainingConfig) -> None:
    """Checks that the device to train on is there.

    Args:
        training: The training section.

    Raises:
        ConfigError: If it is not.
    """
    kinds = _ACCELERATORS.get(training.accelerator)
    if kinds and not any(kind.is_available() for kind in kinds):
        raise ConfigError(
            f"training.accelerator: there is no {training.accelerator} that torch {torch.__version__} can use here. Take cpu or "
            "auto, or install a torch for this machine's device."
        )
    there = torch.cuda.device_count() if uses_gpu(training) else None
    if there is not None and training.devices != "auto" and training.devices > there:
        raise ConfigError(
            f"training.devices is {training.devices}, but there are {there} GPUs here: take fewer, or training.accelerator=cpu."
        )


def uses_gpu(training: TrainingConfig) -> bool:
    """Returns whether a training runs on CUDA devices.

    Args:
        training: The training section.
    """
    return training.accelerator in ("auto", "gpu") and bool(CUDAAccelerator.is_available())


def check_single_samples(parts: Parts, batches: dict[str, Batches]) -> None:
    """Checks that there is more than one sample to train on, and that the terms say something on a batch of one sample,
    where a split has such a batch.

    Args:
        parts: The model and the objective, on the CPU.
        batches: The batches of each split, by its name.

    Raises:
        DataError: If there is one, or a term is not finite or always 0, as a spread of one point is.
    """
    for split, each in batches.items():
        if split == "train" and len(each.indices) == 1:
            raise DataError(
                "The train split has 1 sample: one point has no distribution to learn, and no spread to be judged by. Give more "
                "data, or smaller shares in data.validation and data.test."
            )
        if len(each.indices) // each.count > 1:
            continue
        guilty = _find_silent_terms(parts, each)
        if not_finite := [name for name, values in guilty.items() if not all(map(math.isfinite, values))]:
            _refuse(split, each, not_finite, "is not finite")
        if split == "train" and (always_zero := [name for name, values in guilty.items() if not any(values)]):
            _refuse(split, each, always_zero, "is always 0")


def _find_silent_terms(parts: Parts, batches: Batches) -> dict[str, list[float]]:
    """Returns the values of the terms on one sample that train nothing: not finite, or 0 in each of a few calls."""
    sample = batches.dataset.__getitems__([int(batches.indices[0])])
    dtype = next(parts.model.parameters()).dtype
    with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what one sample lacks is told by the caller
        calls = [parts.objective(parts.model, sample.to(dtype)).terms for _ in range(_CALLS)]
    values = {name: [float(call[name].raw) for call in calls] for name in calls[0]}
    return {name: each for name, each in values.items() if not all(map(math.isfinite, each)) or not any(each)}


def _refuse(split: str, batches: Batches, terms: list[str], what: str) -> NoReturn:
    raise DataError(
        f"The {split} split of {len(batches.indices)} samples has batches of one sample, on which the term "
        f"{', '.join(map(repr, terms))} {what}: it needs two or more. Give more data, another share in "
        f"data.{split if split != 'train' else 'validation'}, or a larger data.batch_size."
    )
