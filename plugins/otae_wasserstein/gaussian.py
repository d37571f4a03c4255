"""The Bures-Wasserstein cost: transport between the normal laws with the clouds' means and covariances."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Batch, Cost
from otae.reductions import in_transform, safe_sqrt
from otae.transport import cloud_masses, solve_with_gradients

from .points import centre

_BLOCK = 2**18  # entries to convert to double precision at a time, so that they stay in the processor's cache


class Gaussian(Cost):
    r"""Creates the squared Wasserstein distance between the normal laws with the means and covariances of the clouds.

    $$\mathrm{BW}(x, y) = \|m_x - m_y\|^2
    + \mathrm{tr}\!\left(A + B - 2 \left(A^{1/2} B A^{1/2}\right)^{1/2}\right)$$

    The trace of the root is the nuclear norm of $X Y^\top$, for the centred points X and Y weighted by the roots of their
    masses: no root of a covariance is taken, and its gradient is that of aligning X and Y by a rotation, which exists and
    is bounded for singular covariances too, as of fewer points than dimensions, of duplicates, or of a single point. The
    covariances are those of the masses (divided by N, not N - 1).

    It is a lower bound of the squared Wasserstein distance, and equal to it for normal laws, and for clouds that one
    translation or symmetric positive linear map takes to the other. Time is O((N+M) D² + D³) for more points than
    dimensions, O(NM D + NM min(N, M)) for fewer.

    References:
        The Fréchet Distance between Multivariate Normal Distributions (Dowson, Landau, 1982)
        https://doi.org/10.1016/0047-259X(82)90077-X

        On the Bures-Wasserstein Distance between Positive Definite Matrices (Bhatia, Jain, Lim, 2019)
        https://arxiv.org/abs/1712.01504

    Examples:
        >>> x = torch.randn(10, 3)
        >>> round(Gaussian()(x, 2 * x - x.mean(0) + 1).item() - x.var(0, correction=0).sum().item(), 4)
        3.0
    """

    vectorized = True

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the squared distance of the normal laws, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points are not finite.
        """
        x, y = centre(source, target)
        a, b = cloud_masses(source, x), cloud_masses(target, y)
        x_mean, y_mean = a @ x, b @ y
        apart = (x_mean - y_mean).square().sum()
        if not in_transform() and not apart.isfinite():  # as soon as one point is not
            raise CloudError("The clouds have points that are not finite: look for where they come from.")
        x, y = x - x_mean, y - y_mean
        value = apart + bures(_root(x, a), _root(y, b))
        for cloud, points, mass, other in ((source, x, a, _root(y, b)), (target, y, b, _root(x, a))):
            if cloud.weights is not None and mass.requires_grad and bool((mass == 0).any()):
                value = value + _of_weightless(points.detach(), mass, other.detach())
        return value

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the squared distances of a batch of pairs of normal laws, with shape (B,).

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        for side in (source, target):
            if side.weights is not None and side.weights.requires_grad and bool((side.weights == 0).any()):
                return super().compare_batch(source, target)  # the roots of their masses have no slope
        means = source.mean(), target.mean()
        apart = (means[0] - means[1]).square().sum(1)
        return apart + bures(_root_batch(source, means[0]), _root_batch(target, means[1]))


def _root_batch(batch: Batch, mean: Tensor) -> Tensor:
    return safe_sqrt(batch.masses)[:, :, None] * batch.move(-mean).points


def bures(x: Tensor, y: Tensor) -> Tensor:
    r"""Returns the squared Bures distance between the matrices $X^\top X$ and $Y^\top Y$, a scalar, or one for each of a batch.

    $$\|X\|^2 + \|Y\|^2 - 2\, \|X Y^\top\|_* = \min_{U, V} \|X - U V^\top Y\|^2$$

    It is computed as the second, which is never negative and does not cancel.

    Args:
        x: The first points, with shape (N, D) or (B, N, D).
        y: The second points, with shape (M, D) or (B, M, D).
    """
    if in_transform():
        common: Tensor = torch.linalg.svdvals(x @ y.T).sum()
        return x.square().sum() + y.square().sum() - 2 * common
    return solve_with_gradients(lambda both, needs: _align(both[0], both[1], any(needs)), (x, y))


def _align(x: Tensor, y: Tensor, sloped: bool) -> tuple[Tensor, tuple[Tensor | None, Tensor | None]]:
    """Returns the squared Bures distance, and where they are asked for its gradients to the points of both."""
    of_x, of_y = _factor(x), _factor(y)
    r_x, r_y = of_x.r, of_y.r
    u, values, v = torch.linalg.svd(r_x @ r_y.mT, full_matrices=False)
    v = v.mT
    u_x, v_y = u.mT @ r_x, v.mT @ r_y  # (K, D), turned to face each other
    value: Tensor = (u_x - v_y).square().sum((-2, -1)) + _outside(r_x, u, u_x) + _outside(r_y, v, v_y)
    if not sloped:
        return value, (None, None)
    rounding = values[..., :1] * torch.finfo(values.dtype).eps * max(r_x.shape[-2], r_y.shape[-2])
    seen = (values > rounding)[..., None]  # what neither cloud sees of the other pulls nowhere
    return value, (2 * (x - of_x.turn(u @ (seen * v_y))), 2 * (y - of_y.turn(v @ (seen * u_x))))


def _of_weightless(points: Tensor, masses: Tensor, other: Tensor) -> Tensor:
    """Returns a scalar of value 0, with the gradient to masses that are 0, whose roots have no slope.

    Args:
        points: The centred points, with shape (N, D), cut from the graph.
        masses: Their masses, with shape (N,).
        other: The other cloud's points times the roots of their masses, with shape (M, D), cut from the graph.
    """
    kept = masses.detach() > 0
    with torch.enable_grad():
        leaf = _root(points, masses.detach())[kept].requires_grad_()
        (slopes,) = torch.autograd.grad(bures(leaf, other), leaf)
    images = torch.linalg.lstsq(leaf.detach(), leaf.detach() - slopes / 2).solution  # the map to the other normal law
    lost = points[~kept]
    gains = (lost * (lost - lost @ images)).sum(1)
    return torch.dot((masses - masses.detach())[~kept], gains)


def _root(points: Tensor, masses: Tensor) -> Tensor:
    return safe_sqrt(masses)[:, None] * points


@dataclass(frozen=True, eq=False)
class _Factored:
    """Creates points X = Q R, with orthonormal columns Q, of which R has at most D rows.

    Args:
        q: The columns, times `inverse` where it is given; the identity where `None`.
        r: The factor R, with shape (K, D).
        inverse: The triangular matrix whose inverse turns `q` into the columns, with shape (D, D), in double precision.
    """

    q: Tensor | None
    r: Tensor
    inverse: Tensor | None = None

    def turn(self, values: Tensor) -> Tensor:
        """Returns the columns Q times values, with shape (N, D).

        Args:
            values: The values, with shape (K, D).
        """
        if self.q is None:
            return values
        if self.inverse is not None:
            values = torch.linalg.solve_triangular(self.inverse, values.double(), upper=True).to(values)
        return self.q @ values


def _factor(points: Tensor) -> _Factored:
    """Returns points as orthonormal columns times a matrix.

    In single precision, Cholesky's factor of their products in double precision is as good as Householder's of the points,
    and several times as fast; where it does not exist, as of points in a plane, Householder's does.
    """
    if points.shape[-2] <= points.shape[-1]:
        return _Factored(None, points)
    if points.dtype == torch.float32 and points.ndim == 2:
        r, failed = torch.linalg.cholesky_ex(_products(points), upper=True)
        if not failed:
            return _Factored(points, r.to(points), r)
    return _Factored(*torch.linalg.qr(points))


def _products(points: Tensor) -> Tensor:
    total = points.new_zeros(points.shape[1], points.shape[1], dtype=torch.float64)
    for block in torch.split(points, max(1, _BLOCK // points.shape[1])):
        exact = block.double()
        total.addmm_(exact.T, exact)
    return total


def _outside(matrix: Tensor, basis: Tensor, inside: Tensor) -> Tensor:
    """Returns the squared norm of what a matrix has outside the span of a basis, a scalar."""
    if basis.shape[-2] == basis.shape[-1]:
        return matrix.new_zeros(())
    return (matrix - basis @ inside).square().sum((-2, -1))
