"""The state of Sinkhorn's iteration: a kernel, and how far the potentials have come since it was computed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .potentials import Potentials
from .problem import Problem


class Scalings:
    """Holds the state of an iteration: a kernel, and the changes u and v of the potentials since it was computed."""

    def __init__(self, problem: Problem, start: Potentials, temperature: float, softness: float) -> None:
        self.problem, self.start, self.temperature, self.softness = problem, start, temperature, softness
        self.kernel = problem.kernel(start.phi, start.gamma, temperature)
        self.u, self.v = torch.zeros_like(start.phi), torch.zeros_like(start.gamma)

    def row_scaling(self) -> Tensor:
        """Returns the masses of the source times the exponentials of their changes, with shape (N,)."""
        return (self.u + self.problem.log_a).exp_()

    def column_scaling(self) -> Tensor:
        """Returns the masses of the target times the exponentials of their changes, with shape (M,)."""
        return (self.v + self.problem.log_b).exp_()

    def reach(self) -> float:
        """Returns how far the potentials have come since the kernel was computed."""
        return max(float(torch.linalg.vector_norm(change, math.inf)) for change in (self.u, self.v))

    def off_rows(self) -> Tensor:
        """Returns the logarithms of how far off the rows' sums are, with shape (N,)."""
        sums = self.kernel.rows(self.column_scaling())
        return self._off(sums, self.start.phi, self.u)

    def off_columns(self) -> Tensor:
        """Returns the logarithms of how far off the columns' sums are, with shape (M,)."""
        sums = self.kernel.columns(self.row_scaling())
        return self._off(sums, self.start.gamma, self.v)

    def _off(self, sums: Tensor, potential: Tensor, change: Tensor) -> Tensor:
        off = sums.clamp_min_(torch.finfo(sums.dtype).tiny).log_().add_(change, alpha=1 + self.softness)
        return off.add_(potential, alpha=self.softness) if self.softness else off

    def judge(self, off_rows: Tensor, off_columns: Tensor) -> tuple[float, float]:
        """Returns the violation of the marginals, and how far the potentials have come since the kernel was computed.

        Args:
            off_rows: The logarithms of how far off the rows' sums are, with shape (N,).
            off_columns: Those of the columns, with shape (M,).
        """
        of_rows = torch.dot(self.problem.a, off_rows.abs())
        of_columns = torch.dot(self.problem.b, off_columns.abs())
        far_u, far_v = (torch.linalg.vector_norm(change, math.inf) for change in (self.u, self.v))
        first, second, *reaches = torch.stack([of_rows, of_columns, far_u, far_v]).tolist()
        return max(first, second), max(reaches)

    def shift(self) -> None:
        """Shifts the potentials against each other such that both marginals have one mass."""
        a, b = self.problem.a, self.problem.b
        mass_a = torch.dot(a, (-self.softness * (self.start.phi + self.u)).exp())
        mass_b = torch.dot(b, (-self.softness * (self.start.gamma + self.v)).exp())
        change = (mass_a / mass_b).log() / (2 * self.softness)
        self.u, self.v = self.u + change, self.v - change

    def absorb(self) -> Scalings:
        """Returns the same state with the kernel computed anew."""
        return Scalings(self.problem, self.potentials(), self.temperature, self.softness)

    def potentials(self, violation: float = math.inf, iterations: int = 0) -> Potentials:
        """Returns the potentials of now.

        Args:
            violation: The violation of the marginals.
            iterations: The number of iterations.
        """
        phi = self.start.phi + self.u
        gamma = phi if self.u is self.v else self.start.gamma + self.v
        return Potentials(phi, gamma, violation, iterations)
