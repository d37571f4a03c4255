"""The samples that probes are fitted to, and those that they are judged on: never the same."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from otae.interfaces import Samples, Specimen

_FEWEST = 0.1  # where fewer samples of a split are new than this share of it, it is halved instead
_ROWS = 256


def held_out(specimen: Specimen) -> tuple[Samples, Samples]:
    """Returns the samples to fit a probe to, and those to judge it on, none of which is among the former.

    These are the training samples and the split. Where the split holds training samples, such as all of the data, they
    are left out of it; where next to nothing is left, as of the training split itself, the split is halved. What goes
    where depends on the samples alone, not on their order.

    Args:
        specimen: The split and what the model makes of it.
    """
    judged = fingerprints(specimen.data)
    fresh = ~torch.isin(judged, fingerprints(specimen.train.data))
    if bool(fresh.all()):
        return specimen.train, specimen
    if fresh.sum() >= _FEWEST * len(fresh):
        return specimen.train, part(specimen, fresh)
    odd = judged.bitwise_right_shift(32) % 2 == 1
    return part(specimen, ~odd), part(specimen, odd)


def part(samples: Samples, rows: Tensor) -> Samples:
    """Returns some of the samples.

    Args:
        samples: The samples.
        rows: Their indices, or a mask.
    """
    return Samples(
        data=samples.data[rows],
        codes=samples.codes[rows],
        draws=None if samples.draws is None else samples.draws[rows],
        labels=None if samples.labels is None else samples.labels[rows],
        factors=None if samples.factors is None else samples.factors[rows],
    )


def fingerprints(samples: Tensor) -> Tensor:
    """Returns a whole number for each sample, equal for equal samples and else as good as never, with shape (N,).

    Args:
        samples: The samples, with shape (N, …).
    """
    words = samples.detach().reshape(len(samples), -1).float().contiguous().view(torch.int32)
    generator = Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, (words.shape[1],), generator=generator) * 2 + 1
    return torch.cat([(rows.long() * factors).sum(1) for rows in torch.split(words, _ROWS)])
