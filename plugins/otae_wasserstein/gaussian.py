"""The Bures-Wasserstein cost: transport between the normal laws with the clouds' means and covariances."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Cost
from otae.reductions import safe_sqrt

from .envelope import with_gradients
from .projections import centred, masses


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

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the squared distance of the normal laws, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points are not finite.
        """
        x, y = centred(source, target)
        if not bool(torch.isfinite(x).all() & torch.isfinite(y).all()):
            raise CloudError("The clouds have points that are not finite: look for where they come from.")
        with torch.autocast(x.device.type, enabled=False):
            a, b = masses(source, x), masses(target, y)
            x_mean, y_mean = a @ x, b @ y
            return (x_mean - y_mean).square().sum() + bures(_rooted(x - x_mean, a), _rooted(y - y_mean, b))


def bures(x: Tensor, y: Tensor) -> Tensor:
    r"""Returns the squared Bures distance between the matrices $X^\top X$ and $Y^\top Y$, a scalar.

    $$\|X\|^2 + \|Y\|^2 - 2\, \|X Y^\top\|_* = \min_{U, V} \|X - U V^\top Y\|^2$$

    It is computed as the second, which is never negative and does not cancel.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D).
    """
    with torch.no_grad():
        (q_x, r_x), (q_y, r_y) = _factors(x), _factors(y)
        u, values, v = torch.linalg.svd(r_x @ r_y.T, full_matrices=False)
        v = v.T
        u_x, v_y = u.T @ r_x, v.T @ r_y  # (K, D), turned to face each other
        value: Tensor = (u_x - v_y).square().sum() + _outside(r_x, u, u_x) + _outside(r_y, v, v_y)
        if not (x.requires_grad or y.requires_grad):
            return value
        rounding = values[0] * torch.finfo(values.dtype).eps * max(r_x.shape[0], r_y.shape[0])
        seen = (values > rounding)[:, None]  # what neither cloud sees of the other pulls nowhere
        gradients = 2 * (x - _product(q_x, u @ (seen * v_y))), 2 * (y - _product(q_y, v @ (seen * u_x)))
    return with_gradients(value, (x, y), gradients)


def _rooted(points: Tensor, masses: Tensor) -> Tensor:
    return safe_sqrt(masses)[:, None] * points


def _factors(points: Tensor) -> tuple[Tensor | None, Tensor]:
    """Returns orthonormal columns Q and a matrix R whose product is the points, which has at most D rows."""
    if len(points) <= points.shape[1]:
        return None, points
    q, r = torch.linalg.qr(points)
    return q, r


def _product(q: Tensor | None, r: Tensor) -> Tensor:
    return r if q is None else q @ r


def _outside(matrix: Tensor, basis: Tensor, inside: Tensor) -> Tensor:
    """Returns the squared norm of what a matrix has outside the span of a basis, a scalar."""
    if basis.shape[0] == basis.shape[1]:
        return matrix.new_zeros(())
    return (matrix - basis @ inside).square().sum()
