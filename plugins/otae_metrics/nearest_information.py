"""The mutual information of a code and classes by nearest neighbours, without bins."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import digamma
from torch import Generator, Tensor

Points: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]
_NOISE = 1e-10  # against ties, per spread


def nearest_information(codes: Tensor, classes: Tensor, neighbours: int, seed: int) -> Tensor:
    r"""Returns the mutual information of each code and the classes, in nats and with shape (D,).

    $$I = \psi(N) + \langle\psi(k)\rangle - \langle\psi(N_c)\rangle - \langle\psi(m)\rangle$$

    Here m is how many samples lie as near to a sample as its k-th neighbour of its own class, of which there are N_c.
    A class of one sample tells nothing and is left out, and an estimate below 0 is 0.

    Args:
        codes: The codes, standardised, with shape (N, D).
        classes: The class of each sample, with shape (N,).
        neighbours: The number k of neighbours; one less than the samples of a class where these are no more.
        seed: The seed of the noise, of 10⁻¹⁰, that tells equal codes apart.

    References:
        Mutual Information between Discrete and Continuous Data Sets (Ross, 2014)
        https://doi.org/10.1371/journal.pone.0087357
    """
    sizes = torch.bincount(classes)[classes]
    kept = sizes > 1
    if not bool(kept.any()):
        return torch.zeros(codes.shape[1], dtype=torch.float64)
    noise = torch.randn(codes.shape, generator=Generator().manual_seed(seed), dtype=torch.float64)
    points, labels, counts = (codes + _NOISE * noise)[kept].numpy(), classes[kept].numpy(), sizes[kept].numpy()
    constant = digamma(len(points)) + digamma(np.minimum(neighbours, counts - 1)).mean() - digamma(counts).mean()
    near = [digamma(_near(column, labels, neighbours)).mean() for column in np.ascontiguousarray(points.T)]
    return torch.from_numpy(np.maximum(constant - np.array(near), 0))


def _near(points: Points, labels: Labels, neighbours: int) -> Labels:
    """Returns how many points lie nearer to each than its k-th neighbour of its own class, itself included."""
    radii = np.empty_like(points)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        radii[members] = _radii(points[members], min(neighbours, len(members) - 1))
    rounding = 4 * np.spacing(np.abs(points).max())  # the neighbour itself must not slip in
    inside, ordered = np.maximum(radii - rounding, 0), np.sort(points)
    below = np.searchsorted(ordered, points - inside, side="left")
    above = np.searchsorted(ordered, points + inside, side="right")
    counts: Labels = above - below
    return counts


def _radii(points: Points, k: int) -> Points:
    """Returns the distance of each point to its k-th neighbour: of all windows of k + 1 in order, the shortest reach."""
    order = np.argsort(points)
    centre, count = points[order], len(points)
    padded = np.concatenate([np.full(k, -np.inf), centre, np.full(k, np.inf)])
    reaches = [
        np.maximum(centre - padded[shift : shift + count], padded[shift + k : shift + k + count] - centre)
        for shift in range(k + 1)
    ]
    radii = np.empty_like(points)
    radii[order] = np.min(reaches, axis=0)
    return radii
