"""The agreement of clusters with classes, from the table of how many samples they share."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def contingency(clusters: Tensor, classes: Tensor, shape: tuple[int, int]) -> Tensor:
    """Returns how many samples each cluster shares with each class, in double precision and with shape (K, C).

    Args:
        clusters: The cluster of each sample, with shape (N,).
        classes: The class of each sample, with shape (N,).
        shape: The numbers of clusters and of classes, K and C.
    """
    counts = torch.bincount(clusters * shape[1] + classes, minlength=shape[0] * shape[1])
    return counts.reshape(shape).double()


def match(table: Tensor) -> Tensor:
    """Returns the class that each cluster stands for, with shape (K,), so that most samples agree; −1 for none.

    No class is taken twice: where there are more clusters than classes, some stand for none.

    Args:
        table: The samples shared, with shape (K, C).

    References:
        The Hungarian Method for the Assignment Problem (Kuhn, 1955)
        https://doi.org/10.1002/nav.3800020109
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table.numpy(), maximize=True)
    matched = torch.full((len(table),), -1)
    matched[torch.from_numpy(rows)] = torch.from_numpy(columns)
    return matched


def accuracy(table: Tensor) -> float:
    """Returns the share of samples whose cluster stands for their class.

    Args:
        table: The samples shared, with shape (K, C).
    """
    matched = match(table)
    rows = (matched >= 0).nonzero().flatten()
    return float(table[rows, matched[rows]].sum() / table.sum())


def purity(table: Tensor) -> float:
    """Returns the share of samples that are of the most frequent class of their cluster.

    Args:
        table: The samples shared, with shape (K, C).
    """
    return float(table.max(1).values.sum() / table.sum())


def mutual_information(tables: Tensor) -> Tensor:
    r"""Returns the mutual information of clusters and classes, over the mean of their entropies; 1 where both are constant.

    $$\mathrm{NMI} = \frac{2\, I(k; c)}{H(k) + H(c)}$$

    Args:
        tables: The samples shared, with shape (…, K, C); one result for each table.
    """
    joint = tables / tables.sum((-2, -1), keepdim=True)
    entropies = _entropy(joint.sum(-1)) + _entropy(joint.sum(-2))
    shared = (entropies - _entropy(joint.flatten(-2))).clamp_min(0)
    return torch.where(entropies > 0, (2 * shared / entropies).clamp_max(1), 1.0)


def rand_index(tables: Tensor) -> Tensor:
    r"""Returns the adjusted Rand index: the share of pairs on which clusters and classes agree, 0 by chance and 1 at best.

    $$\mathrm{ARI} = \frac{\sum_{kc} \binom{n_{kc}}{2} - e}{\frac12 (a + b) - e}, \quad a = \sum_k \binom{n_k}{2},\
    b = \sum_c \binom{n_c}{2},\ e = a b / \tbinom{n}{2}$$

    Args:
        tables: The samples shared, with shape (…, K, C); one result for each table.
    """
    a, b = (_pairs(tables.sum(axis)).sum(-1) for axis in (-1, -2))
    both, pairs = _pairs(tables).sum((-2, -1)), _pairs(tables.sum((-2, -1)))
    chance = a * b / pairs.clamp_min(1)
    most = (a + b) / 2
    return torch.where(most == chance, 1.0, (both - chance) / (most - chance))


def redraw(table: Tensor, count: int, seed: int) -> Tensor:
    """Returns the tables of samples drawn again with replacement, with shape (count, K, C).

    Args:
        table: The samples shared, with shape (K, C).
        count: The number of tables.
        seed: The seed of the draws.
    """
    size = int(table.sum())
    cells = torch.repeat_interleave(torch.arange(table.numel()), table.flatten().long())
    drawn = cells[torch.randint(size, (count, size), generator=Generator().manual_seed(seed))]
    offsets = torch.arange(count)[:, None] * table.numel()
    counts = torch.bincount((drawn + offsets).flatten(), minlength=count * table.numel())
    return counts.reshape(count, *table.shape).double()


def _entropy(shares: Tensor) -> Tensor:
    return -torch.xlogy(shares, shares).sum(-1)


def _pairs(counts: Tensor) -> Tensor:
    return counts * (counts - 1) / 2
