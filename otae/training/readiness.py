"""What is checked before the first step: the device, and the terms on the smallest batch."""

from __future__ import annotations

import warnings

import torch
from lightning.pytorch.accelerators import CUDAAccelerator, MPSAccelerator

from ..build import Parts
from ..config import TrainingConfig
from ..errors import ConfigError, DataError
from .batches import Batches

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
    """Checks that the terms are finite on a batch of one sample, where a split has such a batch.

    Args:
        parts: The model and the objective, on the CPU.
        batches: The batches of each split, by its name.

    Raises:
        DataError: If a term is not, as a spread of one point is not.
    """
    for split, each in batches.items():
        if len(each.indices) // each.count > 1:
            continue
        sample = each.dataset.__getitems__([int(each.indices[0])])
        dtype = next(parts.model.parameters()).dtype
        with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what one sample lacks is told below
            losses = parts.objective(parts.model, sample.to(dtype))
        if guilty := [name for name, term in losses.terms.items() if not bool(torch.isfinite(term.raw))]:
            raise DataError(
                f"The {split} split of {len(each.indices)} samples has batches of one sample, on which the term "
                f"{', '.join(map(repr, guilty))} is not finite: it needs two or more. Give more data, another share in "
                f"data.{split if split != 'train' else 'validation'}, or a larger data.batch_size."
            )
