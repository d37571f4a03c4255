"""A lower bound of Gromov-Wasserstein costs by the spectra of the clouds, without a coupling to solve for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from otae.cloud import Cloud
from otae.interfaces import Batch, Cost
from otae.reductions import safe_sqrt

from .geometry import measure, measure_batch


class SpectralGW(Cost):
    r"""Creates the spectral lower bound of Gromov-Wasserstein costs.

    With λ and μ the eigenvalues of the two covariances, falling and filled up by zeros,

    - `inner-product`: $\sum_i (\lambda_i - \mu_i)^2$, at most the `inner-product-gw` cost of the clouds, and equal to it
      between Gaussians;
    - `sqeuclidean`: $4 \sum_i (\lambda_i - \mu_i)^2 + 2 (\sum_i \lambda_i - \mu_i)^2
      + 2 (\sqrt{\mathbb{E}\|x\|^4} - \sqrt{\mathbb{E}\|y\|^4})^2$, at most the `gw` cost of the clouds.

    It is 0 for isometric clouds, costs one Gram or covariance matrix each, and is far less biased by mini-batches than a
    cost that solves for a coupling. It cannot tell laws of one spectrum apart.

    Args:
        bound: The cost that it bounds from below.

    References:
        Entropic Gromov-Wasserstein between Gaussian Distributions (Le et al., 2022)
        https://arxiv.org/abs/2108.10961

        Gromov-Wasserstein Distances between Gaussian Distributions (Delon, Desolneux, Salmona, 2022)
        https://arxiv.org/abs/2104.07970

    Examples:
        >>> x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        >>> round(SpectralGW()(x, 2 * x).item(), 4)
        9.0
    """

    vectorized = True
    same_space = False

    def __init__(self, bound: Literal["inner-product", "sqeuclidean"] = "inner-product") -> None:
        super().__init__()
        self.bound = bound

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the bound, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points are not finite.
        """
        (x, a), (y, b) = (_centre(*measure(side)) for side in (source, target))
        unit = torch.maximum(x.detach().abs().max(), y.detach().abs().max()).clamp_min(torch.finfo(x.dtype).tiny)
        return _BOUNDS[self.bound]((x / unit, a), (y / unit, b)) * unit.square() * unit.square()  # no inf - inf

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the bounds of a batch of pairs of clouds, with shape (B,).

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D').

        Raises:
            CloudError: If points are not finite.
        """
        (x, a), (y, b) = (_centre(*measure_batch(side)) for side in (source, target))
        units = [each.detach().abs().amax((1, 2), keepdim=True) for each in (x, y)]
        unit = torch.maximum(*units).clamp_min(torch.finfo(x.dtype).tiny)
        return _BOUNDS[self.bound]((x / unit, a), (y / unit, b)) * unit[:, 0, 0].square() * unit[:, 0, 0].square()

    def extra_repr(self) -> str:
        return f"bound={self.bound!r}"


def _centre(points: Tensor, masses: Tensor) -> tuple[Tensor, Tensor]:
    """Returns points about their mean, with shape (…, N, D), and their masses, with shape (…, N)."""
    points = points - points.detach().mean(-2, keepdim=True)
    return points - masses[..., None, :] @ points, masses


def _spectrum(points: Tensor, masses: Tensor) -> Tensor:
    """Returns the eigenvalues of the covariance, falling, with shape (…, min(N, D))."""
    weightless = masses.requires_grad and bool((masses == 0).any())  # roots of their masses have no slope
    if points.shape[-2] < points.shape[-1] and not weightless:
        rooted = safe_sqrt(masses)[..., None] * points
        matrix = rooted @ rooted.mT
    else:
        matrix = points.mT @ (masses[..., None] * points)
    values: Tensor = torch.linalg.eigvalsh(matrix)
    return values.flip(-1)


def _gaps(x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
    of_x, of_y = _spectrum(*x), _spectrum(*y)
    count = max(of_x.shape[-1], of_y.shape[-1])
    return F.pad(of_x, (0, count - of_x.shape[-1])) - F.pad(of_y, (0, count - of_y.shape[-1]))


def _inner_product(x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
    return _gaps(x, y).square().sum(-1)


def _sqeuclidean(x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
    gaps = _gaps(x, y)
    radial = _radius(*x) - _radius(*y)
    return 4 * gaps.square().sum(-1) + 2 * gaps.sum(-1).square() + 2 * radial.square()


def _radius(points: Tensor, masses: Tensor) -> Tensor:
    return safe_sqrt((masses * points.square().sum(-1).square()).sum(-1))


_BOUNDS: dict[str, Callable[[tuple[Tensor, Tensor], tuple[Tensor, Tensor]], Tensor]] = {
    "inner-product": _inner_product,
    "sqeuclidean": _sqeuclidean,
}
