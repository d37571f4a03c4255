"""The costs of all pairs, given as a matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from .costs import PairCosts
from .kernels import Held, Kernel, Weigh
from .limits import Limits


class Matrix(PairCosts):
    """Holds costs that are given as a matrix.

    Args:
        matrix: The costs, with shape (N, M).
        limits: The sizes at which solvers change their ways.
    """

    def __init__(self, matrix: Tensor, limits: Limits) -> None:
        self.given = matrix
        rows, columns = matrix.shape
        super().__init__((rows, columns), matrix, "dense", limits)
        self.held, self._matrix = True, matrix

    def _compute(self) -> Tensor:
        return self.given

    @property
    def T(self) -> Matrix:
        other = self._turned()
        other.given = self.given.T
        return other

    def sparser(self) -> Matrix:
        return Matrix(self.given[:: self.limits.stride, :: self.limits.stride], self.limits)

    def thin_columns(self) -> Matrix:
        return Matrix(self.given[:, :: self.limits.stride], self.limits)

    def _sums(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None) -> Kernel:
        return Held(self.given, phi, gamma, temperature, weigh)

    def _soft_minimum(self, heights: Tensor, temperature: float) -> Tensor:
        return -torch.logsumexp(heights - self.given / temperature, 1)
