"""The kernel of an entropic transport problem, scaled by potentials: held as a matrix, or summed over and never held."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from otae.interfaces import Plan
from otae.reductions import Backend, Dots, Pairs, kernel_product, log_sum_exp, safe_exp

_LEAST = {
    torch.float32: -60.0,
    torch.float64: -600.0,
}  # exponents to keep: scaled, their exponentials must not underflow


class ScaledKernel(ABC):
    r"""Creates the kernel $K_{ij} = a_i b_j \exp(f_i + g_j + \langle p_i, q_j\rangle)$, whose potentials are absorbed.

    Args:
        p: The factors of the source, with shape (N, R), in units of the temperature.
        q: The factors of the target, with shape (M, R).
        a: The masses of the source, with shape (N,), positive.
        b: The masses of the target, with shape (M,), positive.
    """

    def __init__(self, p: Tensor, q: Tensor, a: Tensor, b: Tensor) -> None:
        self.p, self.q, self.a, self.b = p, q, a, b

    @abstractmethod
    def absorb(self, g: Tensor) -> Tensor:
        """Returns the potential f, with shape (N,), for which the kernel's rows sum to a, and takes both in.

        Args:
            g: The potential of the target, with shape (M,).
        """

    @abstractmethod
    def rows(self, values: Tensor) -> Tensor:
        """Returns K times values, with shape (N,) or (N, E).

        Args:
            values: The values, with shape (M,) or (M, E).
        """

    @abstractmethod
    def columns(self, values: Tensor) -> Tensor:
        """Returns the transpose of K times values, with shape (M,) or (M, E).

        Args:
            values: The values, with shape (N,) or (N, E).
        """

    @abstractmethod
    def matrix(self) -> Tensor:
        """Returns K itself, with shape (N, M)."""

    def plan(self, u: Tensor, v: Tensor) -> Plan:
        """Returns the plan that the kernel is between two diagonal scalings.

        Args:
            u: The scaling of the rows, with shape (N,).
            v: The scaling of the columns, with shape (M,).
        """
        return Plan(
            (len(u), len(v)),
            lambda values: u[:, None] * self.rows(v[:, None] * values),
            lambda values: v[:, None] * self.columns(u[:, None] * values),
            lambda: u[:, None] * self.matrix() * v,
            self.a,
        )


class HeldKernel(ScaledKernel):
    """Creates a scaled kernel that is held as a matrix: O(NM) memory, and one product of it with a vector a sum."""

    def __init__(self, p: Tensor, q: Tensor, a: Tensor, b: Tensor) -> None:
        super().__init__(p, q, a, b)
        self._scores = p @ q.T

    def absorb(self, g: Tensor) -> Tensor:
        kernel = self._scores + (g + self.b.log())
        top = kernel.amax(1, keepdim=True)
        kernel.sub_(top).clamp_min_(_LEAST[kernel.dtype]).exp_()
        sums = kernel.sum(1)
        self._kernel = kernel.mul_((self.a / sums)[:, None])
        return -(sums.log() + top[:, 0])

    def rows(self, values: Tensor) -> Tensor:
        return self._kernel @ values

    def columns(self, values: Tensor) -> Tensor:
        return self._kernel.T @ values

    def matrix(self) -> Tensor:
        return self._kernel


class SummedKernel(ScaledKernel):
    """Creates a scaled kernel that is summed over by reductions, and never held: O(N + M) memory."""

    def __init__(self, p: Tensor, q: Tensor, a: Tensor, b: Tensor, backend: Backend = "auto") -> None:
        super().__init__(p, q, a, b)
        self.backend = backend

    def absorb(self, g: Tensor) -> Tensor:
        offset = (g + self.b.log())[:, None]
        one, other = torch.ones_like(self.p[:, :1]), torch.ones_like(offset)
        right = torch.cat([self.q, offset], dim=1)
        f = -log_sum_exp(_same, Dots(torch.cat([self.p, one], dim=1), right), backend=self.backend)
        left = torch.cat([self.p, one, (f + self.a.log())[:, None]], dim=1)
        self._pairs = Dots(left, torch.cat([right, other], dim=1))
        return f

    def rows(self, values: Tensor) -> Tensor:
        return self._sum(self._pairs, values)

    def columns(self, values: Tensor) -> Tensor:
        return self._sum(self._pairs.T, values)

    def matrix(self) -> Tensor:
        return safe_exp(self._pairs.x @ self._pairs.y.T)

    def _sum(self, pairs: Pairs, values: Tensor) -> Tensor:
        sums = kernel_product(safe_exp, pairs, values.reshape(len(values), -1), backend=self.backend)
        return sums.reshape(len(sums), *values.shape[1:])


def _same(scores: Tensor) -> Tensor:
    return scores
