"""Batches in which one factor is held fixed, drawn from samples by their classes."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from otae.errors import NotApplicableError

from .representation import Representation


class Interventions:
    """Creates groups of samples that share a class of a factor, for each factor, to draw from.

    Args:
        samples: Codes and factors.
        least: The fewest samples of a group; smaller ones are not drawn from.

    Raises:
        NotApplicableError: If a factor has no group of so many samples.
    """

    def __init__(self, samples: Representation, least: int) -> None:
        self.codes = samples.codes
        self.groups = [_groups(labels, least) for labels in samples.classes.T]
        for name, labels, groups in zip(samples.names, samples.classes.T, self.groups, strict=True):
            if not len(groups):
                raise NotApplicableError(
                    f"Holding the factor {name!r} fixed needs {least} samples of one value, and of {len(samples)} samples "
                    f"{int(torch.bincount(labels).max())} have one at most. Judge more samples, or ask for smaller batches."
                )

    def batches(self, count: int, size: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Returns the factor that each batch holds fixed, with shape (count,), and the codes, with shape (count, size, D).

        The factor is drawn evenly, then one of its classes evenly, then samples of it, with replacement.

        Args:
            count: The number of batches.
            size: The number of samples of each.
            generator: The source of randomness.
        """
        factors = torch.randint(len(self.groups), (count,), generator=generator)
        shares = torch.rand(count, 1 + size, generator=generator, dtype=torch.float64)
        rows = torch.empty(count, size, dtype=torch.long)
        for f, groups in enumerate(self.groups):
            of = factors == f
            chosen = (shares[of, 0] * len(groups)).long()  # a group of each batch
            rows[of] = groups.members((shares[of, 1:]), chosen[:, None])
        return factors, self.codes[rows]

    def pairs(self, count: int, size: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Returns the factor that the pairs of each batch share, with shape (count,), and the differences of their codes,
        with shape (count, size, D).

        The factor is drawn evenly, then the first of each pair from all samples, and the second from those others that
        have its class.

        Args:
            count: The number of batches.
            size: The number of pairs of each.
            generator: The source of randomness.
        """
        factors = torch.randint(len(self.groups), (count,), generator=generator)
        shares = torch.rand(2, count, size, generator=generator, dtype=torch.float64)
        gaps = torch.empty(count, size, self.codes.shape[1], dtype=torch.float64)
        for f, groups in enumerate(self.groups):
            of = factors == f
            first, second = groups.pairs(*shares[:, of])
            gaps[of] = self.codes[first] - self.codes[second]
        return factors, gaps


class _Groups:
    """Holds groups of samples: their indices in order of groups, where each group begins, and how large it is."""

    def __init__(self, order: Tensor, starts: Tensor, sizes: Tensor) -> None:
        self.order, self.starts, self.sizes = order, starts, sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self, shares: Tensor, groups: Tensor) -> Tensor:
        """Returns a member of each group, by a share in [0, 1) of the way through it."""
        return self.order[self.starts[groups] + (shares * self.sizes[groups]).long()]

    def pairs(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Returns two different members of one group, by shares in [0, 1) of the way through all samples and a group."""
        places = (first * len(self.order)).long()
        groups = torch.searchsorted(self.starts, places, right=True) - 1
        starts, sizes = self.starts[groups], self.sizes[groups]
        steps = 1 + (second * (sizes - 1)).long()
        return self.order[places], self.order[starts + (places - starts + steps) % sizes]


def _groups(labels: Tensor, least: int) -> _Groups:
    sizes = torch.bincount(labels)
    kept = (sizes >= least).nonzero().flatten()
    order = torch.cat([(labels == label).nonzero().flatten() for label in kept] or [labels[:0]])
    return _Groups(order, sizes[kept].cumsum(0) - sizes[kept], sizes[kept])
