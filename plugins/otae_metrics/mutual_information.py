"""The mutual information of codes and factors, by counting in bins."""

from __future__ import annotations

import torch
from torch import Tensor


def discretize(codes: Tensor, bins: int) -> Tensor:
    """Returns the bin of each entry, among bins of equal width over the values that occur, with shape (N, D).

    Args:
        codes: The codes, with shape (N, D).
        bins: The number of bins.
    """
    columns = [
        torch.bucketize(
            column, torch.linspace(column.min(), column.max(), bins + 1, dtype=column.dtype)[:-1], right=True
        )
        for column in codes.T.contiguous()
    ]
    return (torch.stack(columns, dim=1) - 1).clamp_min(0)


def mutual_information(codes: Tensor, factors: Tensor) -> Tensor:
    r"""Returns the mutual information of each factor and each code, in nats and with shape (F, D).

    $$I(f; z) = \sum_{ab} p_{ab} \log \frac{p_{ab}}{p_a p_b}$$

    Args:
        codes: The classes of the codes, with shape (N, D).
        factors: The classes of the factors, with shape (N, F).
    """
    joint = contingencies(codes, factors) / len(codes)  # (F, D, A, B)
    return (torch.xlogy(joint, joint).sum((2, 3)) + entropy(joint.sum(3)) + entropy(joint.sum(2))).clamp_min(0)


def contingencies(codes: Tensor, factors: Tensor) -> Tensor:
    """Returns how often each class of a factor meets each class of a code, in double precision, with shape (F, D, A, B).

    Args:
        codes: The classes of the codes, with shape (N, D).
        factors: The classes of the factors, with shape (N, F).
    """
    a, b = int(factors.max()) + 1, int(codes.max()) + 1
    pairs = torch.arange(factors.shape[1])[:, None] * codes.shape[1] + torch.arange(codes.shape[1])  # (F, D)
    cells = (pairs * a + factors[:, :, None]) * b + codes[:, None, :]  # (N, F, D)
    counts = torch.bincount(cells.flatten(), minlength=pairs.numel() * a * b)
    return counts.double().reshape(*pairs.shape, a, b)


def entropies(factors: Tensor) -> Tensor:
    """Returns the entropy of each factor, in nats and with shape (F,).

    Args:
        factors: The classes of the factors, with shape (N, F).
    """
    counts = [torch.bincount(column).double() for column in factors.T]
    return torch.stack([entropy(count / len(factors)) for count in counts])


def entropy(probabilities: Tensor) -> Tensor:
    """Returns the entropy over the last dimension, in nats.

    Args:
        probabilities: Probabilities, with sum 1 over the last dimension.
    """
    return -torch.xlogy(probabilities, probabilities).sum(-1)
