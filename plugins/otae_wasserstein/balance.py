"""Balancing an entropic transport problem: the potentials for which its plan has the marginals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .entropic import Problem

_REACH = 20.0  # change of a potential, in units of the temperature, beyond which the kernel is computed anew
_PLAIN = 2  # iterations before the first relaxed one
_MOST = 0.995  # rate of plain iterations beyond which they are relaxed no further


@dataclass(frozen=True, eq=False)
class Potentials:
    """Creates the potentials of an entropic transport problem, in units of its temperature.

    Args:
        phi: The potential of the source, with shape (N,).
        gamma: The potential of the target, with shape (M,).
        violation: By how much the marginals of the plan were off before the last step, as a share of the mass.
        iterations: How many iterations it took, those on sparser clouds included.
    """

    phi: Tensor
    gamma: Tensor
    violation: float = math.inf
    iterations: int = 0

    def times(self, factor: float) -> Potentials:
        """Returns the same potentials in units of another temperature.

        Args:
            factor: The old temperature over the new one.
        """
        return Potentials(self.phi * factor, self.gamma * factor, self.violation, self.iterations)


@dataclass(frozen=True)
class Until:
    """Creates the end of an iteration.

    Args:
        tolerance: The violation of the marginals to stop at, as a share of the mass.
        most: The number of iterations to stop at.
    """

    tolerance: float
    most: int


def balance(problem: Problem, start: Potentials, temperature: float, softness: float, until: Until) -> Potentials:
    r"""Returns the potentials of a problem between two clouds, for which the columns of the plan are exact.

    Sinkhorn's algorithm, overrelaxed by what the rate of convergence calls for:

    $$\phi_i \gets \phi_i - \frac{\omega}{1 + s} \left(\log \sum_j b_j E_{ij} + s \phi_i\right)$$

    and so for γ, with softness s = ε/ρ, which is 0 where the marginals are held. Where they are not, both potentials are
    shifted against each other first, which plain iterations are slow to do.

    Args:
        problem: The problem.
        start: The potentials to start from.
        temperature: The temperature ε.
        softness: The temperature over the price ρ of mass.
        until: When to stop.

    References:
        Sinkhorn Distances (Cuturi, 2013)
        https://arxiv.org/abs/1306.0895

        A Note on Overrelaxation in the Sinkhorn Algorithm (Lehmann, von Renesse, Sambale, Uschmajew, 2021)
        https://arxiv.org/abs/2012.12562

        Faster Unbalanced Optimal Transport: Translation Invariant Sinkhorn and 1-D Frank-Wolfe (Séjourné et al., 2022)
        https://arxiv.org/abs/2201.00730
    """
    state, relaxation, before = _State(problem, start, temperature, softness), 1.0, math.inf
    for iteration in range(1, until.most + 1):
        if softness:
            state.shift()
        off_rows = state.off_rows()
        state.u.sub_(off_rows, alpha=relaxation / (1 + softness))
        off_columns = state.off_columns()
        off, reach = state.judged(off_rows, off_columns)
        done = not off > until.tolerance or iteration == until.most  # also where it is not a number
        state.v.sub_(off_columns, alpha=(1 if done else relaxation) / (1 + softness))
        if done:
            break
        relaxation = 1.0 if iteration <= _PLAIN else _relaxed(relaxation, off / before)
        before = off
        if reach > _REACH:
            state = state.absorbed()
    return state.potentials(off, start.iterations + iteration)


def balance_alone(problem: Problem, start: Potentials, temperature: float, softness: float, until: Until) -> Potentials:
    r"""Returns the potential of a problem of a cloud with itself, and that of one step ahead, with exact columns.

    $$\phi_i \gets \phi_i - \frac{1}{2 (1 + s)} \left(\log \sum_j a_j E_{ij} + s \phi_i\right)$$

    Half steps converge at a rate below one half, whatever the temperature.

    Args:
        problem: The problem.
        start: The potentials to start from, both the same.
        temperature: The temperature ε.
        softness: The temperature over the price ρ of mass.
        until: When to stop.

    References:
        Interpolating between Optimal Transport and MMD using Sinkhorn Divergences (Feydy et al., 2019)
        https://arxiv.org/abs/1810.08278
    """
    state = _State(problem, start, temperature, softness)
    for iteration in range(1, until.most + 1):
        off_rows = state.off_rows()
        off, reach = state.judged(off_rows, off_rows)
        if not off > until.tolerance or iteration == until.most:
            break
        state.u = state.v = state.u - off_rows / (2 * (1 + softness))
        if reach > _REACH:
            state = state.absorbed()
    state.v = state.u - off_rows / (1 + softness)
    return state.potentials(off, start.iterations + iteration)


def violation(problem: Problem, potentials: Potentials, temperature: float, softness: float) -> float:
    """Returns by how much the rows of a plan with exact columns are off, as a share of the mass.

    Args:
        problem: The problem.
        potentials: Its potentials.
        temperature: The temperature ε.
        softness: The temperature over the price ρ of mass.
    """
    off = _State(problem, potentials, temperature, softness).off_rows()
    return torch.dot(problem.source.masses, off.abs()).item()


class _State:
    """Creates the state of an iteration: a kernel, and the changes u and v of the potentials since it was computed."""

    def __init__(self, problem: Problem, start: Potentials, temperature: float, softness: float) -> None:
        self.problem, self.start, self.temperature, self.softness = problem, start, temperature, softness
        self.kernel = problem.kernel(start.phi, start.gamma, temperature)
        self.u, self.v = torch.zeros_like(start.phi), torch.zeros_like(start.gamma)

    def off_rows(self) -> Tensor:
        """Returns the logarithms of how far off the rows' sums are, with shape (N,)."""
        sums = self.kernel.rows((self.v + self.problem.target.log_masses).exp_())
        return self._off(sums, self.start.phi, self.u)

    def off_columns(self) -> Tensor:
        """Returns the logarithms of how far off the columns' sums are, with shape (M,)."""
        sums = self.kernel.columns((self.u + self.problem.source.log_masses).exp_())
        return self._off(sums, self.start.gamma, self.v)

    def _off(self, sums: Tensor, potential: Tensor, change: Tensor) -> Tensor:
        off = sums.clamp_min_(torch.finfo(sums.dtype).tiny).log_().add_(change, alpha=1 + self.softness)
        return off.add_(potential, alpha=self.softness) if self.softness else off

    def judged(self, off_rows: Tensor, off_columns: Tensor) -> tuple[float, float]:
        """Returns the violation of the marginals, and how far the potentials have come since the kernel was computed.

        Args:
            off_rows: The logarithms of how far off the rows' sums are, with shape (N,).
            off_columns: Those of the columns, with shape (M,).
        """
        of_rows = torch.dot(self.problem.source.masses, off_rows.abs())
        of_columns = torch.dot(self.problem.target.masses, off_columns.abs())
        far_u, far_v = (torch.linalg.vector_norm(change, math.inf) for change in (self.u, self.v))
        first, second, *reaches = torch.stack([of_rows, of_columns, far_u, far_v]).tolist()
        return max(first, second), max(reaches)

    def shift(self) -> None:
        """Shifts the potentials against each other such that both marginals have one mass."""
        a, b = self.problem.source.masses, self.problem.target.masses
        mass_a = torch.dot(a, (-self.softness * (self.start.phi + self.u)).exp())
        mass_b = torch.dot(b, (-self.softness * (self.start.gamma + self.v)).exp())
        change = (mass_a / mass_b).log() / (2 * self.softness)
        self.u, self.v = self.u + change, self.v - change

    def absorbed(self) -> _State:
        """Returns the same state with the kernel computed anew."""
        return _State(self.problem, self.potentials(), self.temperature, self.softness)

    def potentials(self, violation: float = math.inf, iterations: int = 0) -> Potentials:
        """Returns the potentials of now.

        Args:
            violation: The violation of the marginals.
            iterations: The number of iterations.
        """
        phi = self.start.phi + self.u
        gamma = phi if self.u is self.v else self.start.gamma + self.v
        return Potentials(phi, gamma, violation, iterations)


def _relaxed(relaxation: float, rate: float) -> float:
    """Returns the relaxation that suits the rate of convergence which the last one has shown (Young, 1954)."""
    if rate >= 1:
        return max(1.0, relaxation - 0.1)
    if rate <= relaxation - 1:
        return relaxation
    plain = min((rate + relaxation - 1) ** 2 / (rate * relaxation**2), _MOST)
    return 2 / (1 + math.sqrt(1 - plain))
