"""Functions that generalised slices are the level sets of."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from otae.errors import CloudError
from otae.reductions import distances

_MOST_TERMS = 2**18  # of a polynomial: a gigabyte for a thousand points


def polynomials(x: Tensor, y: Tensor, count: int, degree: int) -> tuple[Tensor, Tensor]:
    """Returns random homogeneous polynomials of the points, with shapes (L, N) and (L, M).

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D).
        count: The number L of polynomials, whose coefficients are uniform on the sphere.
        degree: Their degree.

    Raises:
        CloudError: If the polynomials have too many terms.
    """
    dimension = x.shape[1]
    if (terms := math.comb(dimension + degree - 1, degree)) > _MOST_TERMS:
        raise CloudError(
            f"A polynomial of degree {degree} in {dimension} dimensions has {terms} terms, of which at most {_MOST_TERMS} "
            "are allowed. Lower the degree, slice a cloud of fewer dimensions, or choose defining='circular'."
        )
    coefficients = F.normalize(torch.randn(count, terms, dtype=x.dtype, device=x.device), dim=1)
    first, second = (coefficients @ _monomials(points, degree).T for points in (x, y))
    return first, second


def circles(x: Tensor, y: Tensor, count: int, radius: float) -> tuple[Tensor, Tensor]:
    """Returns the distances of the points from random points on a sphere, with shapes (L, N) and (L, M).

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D).
        count: The number L of points on the sphere.
        radius: The radius of the sphere.
    """
    centres = radius * F.normalize(torch.randn(count, x.shape[1], dtype=x.dtype, device=x.device), dim=1)
    return distances(centres, x), distances(centres, y)


def _monomials(points: Tensor, degree: int) -> Tensor:
    """Returns the products of all choices of some entries, with shape (N, K)."""
    choices = torch.combinations(torch.arange(points.shape[1], device=points.device), degree, with_replacement=True)
    products = points[:, choices[:, 0]]
    for column in choices.T[1:]:
        products = products * points[:, column]
    return products
