"""Solvers of the linear transport problems in the alternation: entropic, cooling as it goes, and exact."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.interfaces import Plan
from otae.reductions import Backend, imported

from .balance import balance
from .scaling import HeldKernel, ScaledKernel, SummedKernel

_SWEEPS = 300  # products with the kernel that one linear problem may take: the next one starts where it stopped
_COOLING = 0.5  # the ratio of temperatures from one linear problem to the next
_SLOWER = 0.7  # the same where it is cold, and local optima part
_COLD = 1 / 30  # where it is cold, in units of the first temperature
_HELD = {"cpu": 2**25, "cuda": 2**28}  # entries up to which a kernel is held as a matrix


@dataclass(frozen=True, eq=False)
class Transported:
    """Creates the solution of a linear transport problem.

    Args:
        plan: The plan.
        potentials: The dual potentials, with shapes (N,) and (M,), in units of the cost.
        violation: The share of the mass by which the marginals are missed.
        settled: Whether the problem was solved at its final temperature.
        sweeps: How many products with the kernel, or pivots, it took; 0 where unknown.
    """

    plan: Plan
    potentials: tuple[Tensor, Tensor]
    violation: float
    settled: bool
    sweeps: int


class Linear(ABC):
    """Creates a solver of linear transport problems between two fixed sets of masses, with warm starts.

    Args:
        a: The masses of the source, with shape (N,).
        b: The masses of the target, with shape (M,).
    """

    def __init__(self, a: Tensor, b: Tensor) -> None:
        self.a, self.b = a, b

    @abstractmethod
    def solve(self, p: Tensor, q: Tensor, tolerance: float) -> Transported:
        """Returns the solution for the cost of minus the inner products of factors.

        Args:
            p: The factors of the source, with shape (N, R).
            q: The factors of the target, with shape (M, R).
            tolerance: The share of the mass by which the marginals may be missed.
        """


class Entropic(Linear):
    r"""Creates a solver of $\min_P \langle P, C\rangle + \varepsilon\, \mathrm{KL}(P \,|\, a \otimes b)$.

    Args:
        a: The masses of the source, with shape (N,).
        b: The masses of the target, with shape (M,).
        epsilon: The final temperature ε, in units of the cost.
        start: The temperature of the first problem; each later one is cooler, until ε.
        backend: Which backend sums over kernels that are too large to be held.
        g: Where the potential of the target starts, with shape (M,), in units of the cost; 0 where `None`.
    """

    def __init__(
        self, a: Tensor, b: Tensor, epsilon: float, start: float, backend: Backend, g: Tensor | None = None
    ) -> None:
        least = 1e-20  # points without mass keep potentials, and draw none
        super().__init__(a.clamp_min(least), b.clamp_min(least))
        self.epsilon, self.temperature, self.cold = epsilon, max(start, epsilon), _COLD * start
        self.backend = backend
        self.g = torch.zeros_like(b) if g is None else g

    def solve(self, p: Tensor, q: Tensor, tolerance: float) -> Transported:
        temperature = self.temperature
        found = balance(self._kernel(p / temperature, q), self.g / temperature, tolerance, _SWEEPS)
        self.g = temperature * found.g
        self.temperature = max(self.epsilon, temperature * (_COOLING if temperature > self.cold else _SLOWER))
        potentials = temperature * found.f, self.g
        return Transported(found.plan, potentials, found.violation, temperature == self.epsilon, found.sweeps)

    def _kernel(self, p: Tensor, q: Tensor) -> ScaledKernel:
        if held(p, q, self.backend):
            return HeldKernel(p, q, self.a, self.b)
        return SummedKernel(p, q, self.a, self.b, self.backend)


def held(source: Tensor, target: Tensor, backend: Backend) -> bool:
    """Tells whether the kernel between two sets of points is held as a matrix.

    Args:
        source: The points of the source, with shape (N, …).
        target: The points of the target, with shape (M, …).
        backend: The backend that was asked for: KeOps never holds a kernel.
    """
    return backend != "keops" and len(source) * len(target) <= _HELD.get(source.device.type, _HELD["cpu"])


class Exact(Linear):
    """Creates a solver of linear transport by the network simplex of POT, in double precision on the CPU."""

    def solve(self, p: Tensor, q: Tensor, tolerance: float) -> Transported:
        ot = imported("ot")
        a, b, cost = (each.double().cpu().numpy() for each in (self.a, self.b, -(p.double() @ q.double().T)))
        least = cost.min()  # the simplex takes costs below 0 for infeasible, and judges optimality by absolute size
        size = max(cost.max() - least, 1e-300)
        plan, log = ot.lp.emd(a / a.sum(), b / b.sum(), (cost - least) / size, numItermax=10**7, log=True)
        log["u"] = size * log["u"] + least
        log["v"] = size * log["v"]
        f, g, matrix = (torch.as_tensor(each, dtype=p.dtype, device=p.device) for each in (log["u"], log["v"], plan))
        return Transported(Plan.of(matrix), (f, g), 0.0, True, 0)
