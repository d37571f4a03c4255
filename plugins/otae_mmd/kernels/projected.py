"""The Gaussian kernel averaged over all one-dimensional projections."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.polynomial import Chebyshev, Polynomial
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from torch import Tensor

from otae.reductions import Radial, safe_power

_LEAST_KNEE = 8.0  # so that a degree below 40 gives double precision in every dimension
_DEGREE = 64  # of the interpolation before it is cut
_NOISE = 1e-13  # of the quadrature that it interpolates
_NODES = 300
_REACH = 12.0  # standard deviations that the quadrature covers


class Projected(Radial):
    r"""Creates the mean over directions θ on the unit sphere of the Gaussian kernel of the projections on θ.

    $$k(x, y) = \mathbb{E}_\theta \exp\left(-r \langle\theta, x - y\rangle^2\right)
    = {}_1F_1\!\left(\tfrac12; \tfrac D2; -s\right), \qquad s = r \|x - y\|^2$$

    With $v = c / (c + s)$ the kernel is $\sqrt v \, g(v)$, where g is smooth on [0, 1] and nearly 1 in many dimensions:
    one short polynomial computes it to rounding, whatever the distance.

    Args:
        rate: The rate r, in units of 1 / squared length; a number, or a scalar tensor.
        dim: The number of entries of a point, D, at least 2.
        precision: The type to be exact in.
    """

    def __init__(self, rate: float | Tensor, dim: int, precision: torch.dtype) -> None:
        self.knee = _knee(dim)
        self.rate = rate
        self.correction, self.slope = _polynomials(dim, torch.finfo(precision).eps)

    def of(self, squared: Any) -> Any:
        fractions = 1 / (squared * (self.rate / self.knee) + 1)  # v
        centred = fractions * 2 - 1
        total = centred * self.correction[-1] + self.correction[-2]
        for coefficient in self.correction[-3::-1]:
            total = total * centred + coefficient
        return safe_power(fractions, 0.5) * total

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        fractions = squared.mul_(self.rate / self.knee).add_(1).reciprocal_()
        centred, roots = fractions * 2 - 1, fractions.sqrt()
        slopes = _horner(self.slope, centred).mul_(fractions.mul_(roots)).mul_(-self.rate / self.knee)
        return _horner(self.correction, centred).mul_(roots), slopes


def _horner(coefficients: tuple[float, ...], values: Tensor) -> Tensor:
    total = torch.full_like(values, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total.mul_(values).add_(coefficient)
    return total


def _knee(dim: int) -> float:
    """Returns the constant c; from D = 18 on that of the approximation of Tabor et al., where g = 1."""
    return max((2 * dim - 3) / 4, _LEAST_KNEE)


@cache
def _polynomials(dim: int, tolerance: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the coefficients of g, and those of g/2 + v g', in powers of 2v - 1."""

    def correction(centred: NDArray[np.float64]) -> NDArray[np.float64]:
        fractions = (centred + 1) / 2
        values: NDArray[np.float64] = integrate(_knee(dim) * (1 / fractions - 1), dim) / np.sqrt(fractions)
        return values

    found = Chebyshev.interpolate(correction, _DEGREE)
    cut = max(2, int(np.flatnonzero(np.abs(found.coef) > max(tolerance / 4, _NOISE)).max(initial=0)) + 1)
    g = found.truncate(cut).convert(kind=Polynomial)
    slope = g / 2 + Polynomial([1, 1]) * g.deriv()  # v d/dv = (1 + t) d/dt
    return tuple(g.coef.tolist()), tuple(slope.coef.tolist())


def integrate(arguments: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    r"""Returns ${}_1F_1(1/2; D/2; -s)$ by quadrature over the angle between a direction and a fixed axis.

    Args:
        arguments: The arguments s, non-negative, with shape (K,).
        dim: The dimension D, at least 2.
    """
    nodes, weights = leggauss(_NODES)

    def integrals(rates: NDArray[np.float64]) -> NDArray[np.float64]:
        reach = np.minimum(np.pi / 2, _REACH / np.sqrt(rates + dim / 2))[:, None]
        angles = reach * (nodes + 1) / 2  # from the equator
        squares = np.sin(angles) ** 2
        densities = np.exp((dim - 2) / 2 * np.log1p(-squares) - rates[:, None] * squares)
        total: NDArray[np.float64] = reach[:, 0] * (densities @ weights)
        return total

    return integrals(arguments) / integrals(np.zeros(1))
