"""The inside of one cloud as a Gromov-Wasserstein solver sees it: coordinates, norms and inner products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Batch, Ground
from otae.reductions import in_transform, precise

_INDEFINITE = 1e-3  # of the largest eigenvalue, that the least may be below 0


class Geometry(ABC):
    """Creates the geometry of one cloud: what depends on its points alone, with gradients to them.

    Attributes:
        masses: The masses, with shape (N,), with their graph.
        coordinates: Points with the inner products of the cloud's, with shape (N, K), cut from the graph.
        norms: The squared norms of the points, with shape (N,), with their graph.
    """

    masses: Tensor
    coordinates: Tensor
    norms: Tensor

    @property
    @abstractmethod
    def energy(self) -> Tensor:
        """Returns the mean squared inner product of two points, a scalar with its graph."""

    @abstractmethod
    def pull(self, image: Tensor) -> Tensor:
        """Returns a scalar whose gradient in the points x is W Wᵀ x, for a constant W.

        Args:
            image: The factor W, with shape (N, K).
        """

    @property
    def spread(self) -> Tensor:
        """Returns the mean squared norm, a scalar with its graph."""
        return (self.masses * self.norms).sum()

    @cached_property
    def principal(self) -> tuple[Tensor, Tensor]:
        """Returns the variances along the principal axes, with shape (K,), falling, and the axes, with shape (K, K).

        The axes are oriented by the skewness along them, so that a cloud and its image under an isometry match.
        """
        x, masses = self.coordinates, self.masses.detach()
        values, axes = torch.linalg.eigh(x.T @ (masses[:, None] * x))
        skew = masses @ (x @ axes).pow(3)
        return values.flip(0).clamp_min(0), torch.where(skew < 0, -axes, axes).flip(1)


class Features(Geometry):
    """Creates the geometry of a cloud through its points: for fewer dimensions than points.

    Args:
        points: The points, with shape (N, D), in the frame in which inner products are taken.
        masses: The masses, with shape (N,).
    """

    def __init__(self, points: Tensor, masses: Tensor) -> None:
        self.points, self.masses = points, masses
        self.coordinates = points.detach()
        self.norms = points.square().sum(1)

    @property
    def energy(self) -> Tensor:
        return (self.points.T @ (self.masses[:, None] * self.points)).square().sum()

    def pull(self, image: Tensor) -> Tensor:
        return (self.points * (image @ (image.T @ self.coordinates))).sum()


class Gram(Geometry):
    """Creates the geometry of a cloud through its inner products: for more dimensions than points, or a kernel.

    Args:
        products: The inner products of all pairs, with shape (N, N), positive semi-definite.
        masses: The masses, with shape (N,).
        components: The number of principal coordinates to solve with; all that matter where `None`.
    """

    def __init__(self, products: Tensor, masses: Tensor, components: int | None = None) -> None:
        self.products, self.masses = products, masses
        self.norms = products.diagonal()
        with torch.no_grad():
            values, axes = torch.linalg.eigh(products)
        self.definite = bool(values[0] >= -_INDEFINITE * values[-1].abs())
        values, axes = values.flip(0).clamp_min(0), axes.flip(1)
        noise = len(values) * torch.finfo(values.dtype).eps * values[0]
        count = max(int((values > noise).sum()), 1)
        kept = count if components is None else min(components, count)
        self.coordinates = axes[:, :kept] * values[:kept].sqrt()
        self.truncation = float(values[kept:count].sum() / values.sum().clamp_min(torch.finfo(values.dtype).tiny))

    @property
    def energy(self) -> Tensor:
        return self.masses @ self.products.square() @ self.masses

    def pull(self, image: Tensor) -> Tensor:
        return (self.products * (image @ image.T)).sum() / 2


def measure(cloud: Cloud) -> tuple[Tensor, Tensor]:
    """Returns the points of a cloud, with shape (N, D), and their masses, both in single precision at least.

    Args:
        cloud: A cloud, with shape (N, …).

    Raises:
        CloudError: If points are not finite, or have no entries.
    """
    points = precise(cloud.flat)
    _require_finite(points)
    weights = None if cloud.weights is None else cloud.weights.to(points.dtype)
    return points, Cloud(points, weights).masses  # of raised points: masses of half precision do not sum to 1


def measure_batch(batch: Batch) -> tuple[Tensor, Tensor]:
    """Returns the points of a batch of clouds, with shape (B, N, D), and their masses, with shape (B, N).

    Args:
        batch: The clouds.

    Raises:
        CloudError: If points are not finite, or have no entries.
    """
    _require_finite(batch.points)
    if batch.weights is None:
        count = batch.points.shape[1]
        return batch.points, batch.points.new_full((1, 1), 1 / count).expand(
            len(batch), count
        )  # strides of 0: all equal
    return batch.points, batch.masses


def _require_finite(points: Tensor) -> None:
    if points.shape[-1] == 0:
        raise CloudError("The points of the cloud have no entries: their distances mean nothing.")
    if in_transform():
        return
    extremes = torch.stack(points.detach().aminmax())  # one pass, where isfinite takes four
    if not torch.isfinite(extremes).all():
        raise CloudError("The cloud has points that are not finite: look for NaN and infinity where they come from.")


def squared_euclidean(cloud: Cloud, centred: bool = True) -> Geometry:
    """Returns the geometry of a cloud whose inner distances are squared Euclidean.

    Args:
        cloud: A cloud, with shape (N, …).
        centred: Whether inner products are taken about the mean of the cloud, or about the origin.
    """
    points, masses = measure(cloud)
    if centred:
        points = points - points[masses.argmax()].detach()  # points that coincide are then at 0 exactly
        points = points - (masses @ points).detach()  # a rough centre, so that what follows rounds well
    if points.shape[1] <= len(points):
        return Features(points - masses @ points if centred else points, masses)
    products = _products(points)
    return Gram(_about_mean(products, masses) if centred else products, masses)


def _products(points: Tensor) -> Tensor:
    """Returns the inner products of all pairs, with shape (N, N), whose gradient takes one matrix product, not two."""
    half = points @ points.detach().T  # carries the gradient of one side
    return half + half.T - half.detach()


def _about_mean(products: Tensor, masses: Tensor) -> Tensor:
    """Returns the inner products about the weighted mean of points that have the given ones about the origin."""
    means = products @ masses
    return products - means[:, None] - means + masses @ means


def lift(cloud: Cloud, ground: Ground, components: int | None = None) -> Gram:
    r"""Returns the geometry of a cloud whose inner distances are a ground cost of negative type, by kernel PCA.

    $$d(x_i, x_j) = \|\varphi_i - \varphi_j\|^2, \quad \langle\varphi_i, \varphi_j\rangle
    = \tfrac12 \left(\bar d_i + \bar d_j - \bar d - d(x_i, x_j)\right)$$

    with $\bar d_i$ the mean distance from $x_i$ under the masses. The lift φ exists where the ground cost is of negative
    type, as are the powers up to 2 of the Euclidean distance.

    Args:
        cloud: A cloud, with shape (N, …).
        ground: The ground cost.
        components: The number of dimensions of the lift; all where `None`.

    Raises:
        CloudError: If the ground cost is not of negative type on these points.

    References:
        Gromov-Wasserstein at Scale, Beyond Squared Norms (Houry, Feydy, Vialard, 2026)
        https://arxiv.org/abs/2602.06658
    """
    points, masses = measure(cloud)
    found = Gram(_about_mean(-ground.within(points) / 2, masses), masses, components)
    if not found.definite:
        raise CloudError(
            f"The ground cost {ground} has no lift on these points: it is not of negative type, as Gromov-Wasserstein between "
            "points needs. Give its matrices to 'matrix-gw', which takes any."
        )
    return found
