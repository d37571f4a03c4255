"""Densities fitted to codes: one Gaussian, a mixture of them, or one around every code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from otae.errors import CloudError


@dataclass(frozen=True, eq=False)
class Fitted:
    """Creates a mixture of Gaussians as numbers.

    Args:
        logits: The logarithms of the weights, up to a constant, with shape (K,).
        means: The means, with shape (K, D).
        scales: A factor of each root, with shape (K,).
        roots: The roots of the covariances, with shape (K, D, D), or (1, D, D) where all share one.
    """

    logits: Tensor
    means: Tensor
    scales: Tensor
    roots: Tensor


@dataclass(frozen=True)
class Estimate(ABC):
    """Creates a way to fit a density to codes.

    Args:
        components: The number of Gaussians of a mixture.
        neighbours: The neighbour whose distance sets a width.
        limit: The largest number of codes kept.
    """

    components: int
    neighbours: int
    limit: int
    has_components: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, codes: Tensor) -> Fitted:
        """Returns the density fitted to codes.

        Args:
            codes: The codes, in double precision, with shape (N, D).

        Raises:
            CloudError: If there are too few codes.
        """


class OneGaussian(Estimate):
    """Creates the estimate by one Gaussian; a millionth of the mean variance keeps it regular on flat codes."""

    def __call__(self, codes: Tensor) -> Fitted:
        _need(2, codes, "a covariance")
        covariance = codes.T.cov().reshape(codes.shape[1], -1)
        ridge = 1e-6 * covariance.diagonal().mean().clamp_min(1e-12) * torch.eye(codes.shape[1]).to(codes)
        root = torch.linalg.cholesky(covariance + ridge)
        return Fitted(codes.new_zeros(1), codes.mean(0, keepdim=True), codes.new_ones(1), root[None])


class GaussianMixture(Estimate):
    """Creates the estimate by a mixture of Gaussians with full covariances, by scikit-learn's expectation maximisation."""

    has_components: ClassVar[bool] = True

    def __call__(self, codes: Tensor) -> Fitted:
        _need(max(2, self.components), codes, f"a mixture of {self.components} components")
        return fit_mixture(codes, self.components)


class Neighbours(Estimate):
    """Creates the estimate by a Gaussian around every code, as wide as its k-th neighbour is far."""

    def __call__(self, codes: Tensor) -> Fitted:
        from sklearn.neighbors import NearestNeighbors

        _need(self.neighbours + 1, codes, f"the distance to neighbour {self.neighbours}")
        order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(0))
        kept = codes[order[: self.limit]]
        _need(self.neighbours + 1, kept, f"the distance to neighbour {self.neighbours} within the limit")
        near, _ = NearestNeighbors(n_neighbors=self.neighbours).fit(kept.numpy()).kneighbors()
        radii = torch.from_numpy(near[:, -1])  # no code is its own neighbour here
        size = codes.shape[1]
        scales = radii.clamp_min(max(1e-3 * radii.median().item(), 1e-6)) / sqrt(size)  # codes may coincide
        return Fitted(codes.new_zeros(len(kept)), kept, scales, torch.eye(size, dtype=codes.dtype)[None])


ESTIMATES: dict[str, type[Estimate]] = {
    "gaussian": OneGaussian,
    "mixture": GaussianMixture,
    "neighbours": Neighbours,
}


def fit_mixture(codes: Tensor, components: int, tries: int = 1) -> Fitted:
    """Returns the mixture of Gaussians with full covariances that scikit-learn's expectation maximisation finds.

    Args:
        codes: The codes, in double precision, with shape (N, D), at least as many as components.
        components: The number of components.
        tries: The number of starts from k-means, of which the one with the highest likelihood counts.
    """
    from sklearn import mixture

    found = mixture.GaussianMixture(components, max_iter=500, n_init=tries, random_state=0).fit(codes.numpy())
    roots = torch.linalg.cholesky(torch.from_numpy(found.covariances_))
    weights, means = torch.from_numpy(found.weights_), torch.from_numpy(found.means_)
    return Fitted(weights.log(), means, codes.new_ones(len(means)), roots)


def maximise(mixture: Fitted, codes: Tensor) -> Fitted:
    """Returns a mixture after one step of expectation maximisation; a thousandth of the mean variance keeps it regular.

    Args:
        mixture: The mixture, with one root a component; its scales count for nothing.
        codes: The codes, in double precision, with shape (N, D).
    """
    gaussians = MultivariateNormal(mixture.means, mixture.roots @ mixture.roots.mT + _ridge(codes))
    shares: Tensor = (mixture.logits + gaussians.log_prob(codes[:, None])).softmax(1)  # type: ignore[no-untyped-call]  # (N, K)
    masses = shares.sum(0).clamp_min(1e-6)
    means = shares.T @ codes / masses[:, None]
    gaps = codes[:, None] - means  # (N, K, D)
    covariances = torch.einsum("nk,nkd,nke->kde", shares, gaps, gaps) / masses[:, None, None] + _ridge(codes)
    return Fitted((masses / masses.sum()).log(), means, torch.ones_like(masses), torch.linalg.cholesky(covariances))


def log_likelihood(mixture: Fitted, codes: Tensor) -> float:
    """Returns the mean log-density of a mixture at codes, in nats.

    Args:
        mixture: The mixture, with one root a component; its scales count for nothing.
        codes: The codes, in double precision, with shape (N, D).
    """
    gaussians = MultivariateNormal(mixture.means, mixture.roots @ mixture.roots.mT)
    joint = mixture.logits.log_softmax(0) + gaussians.log_prob(codes[:, None])  # type: ignore[no-untyped-call]  # (N, K)
    return float(joint.logsumexp(1).mean())


def _ridge(codes: Tensor) -> Tensor:
    return 1e-3 * codes.var(0).mean().clamp_min(1e-12) * torch.eye(codes.shape[1]).to(codes)


def _need(count: int, codes: Tensor, what: str) -> None:
    if len(codes) < count:
        raise CloudError(f"The prior empirical needs at least {count} codes for {what}, got {len(codes)}.")
