"""Balancing an entropic transport problem: the potentials for which its plan has the marginals."""

from __future__ import annotations

import math

import torch

from .newton import ascend
from .potentials import Potentials, Until
from .problem import Problem
from .scalings import Scalings

_REACH = 20.0  # change of a potential, in units of the temperature, beyond which the kernel is computed anew
_WINDOW = 12  # iterations over which their rate of convergence is judged
_PATIENCE = 30  # further iterations that are worth less than a Newton step
_REST = 20  # iterations after a Newton step that fails
_PLAIN = 2  # iterations before the first relaxed one
_MOST = 0.995  # rate of plain iterations beyond which they are relaxed no further


def balance(problem: Problem, start: Potentials, temperature: float, softness: float, until: Until) -> Potentials:
    r"""Returns the potentials of a problem between two clouds, for which the columns of the plan are exact.

    Sinkhorn's algorithm, overrelaxed by what the rate of convergence calls for:

    $$\phi_i \gets \phi_i - \frac{\omega}{1 + s} \left(\log \sum_j b_j E_{ij} + s \phi_i\right)$$

    and so for γ, with softness s = ε/ρ, which is 0 where the marginals are held. Where they are not, both potentials are
    shifted against each other first, which plain iterations are slow to do. Where the marginals are held and iterations
    are slow all the same, as around points far from the others at low temperatures, Newton's method takes over.

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
    state, relaxation, before = Scalings(problem, start, temperature, softness), 1.0, math.inf
    pace, iteration = _Pace(until), 0
    while True:
        iteration += 1
        if softness:
            state.shift()
        off_rows = state.off_rows()
        state.u.sub_(off_rows, alpha=relaxation / (1 + softness))
        off_columns = state.off_columns()
        off, reach = state.judge(off_rows, off_columns)
        slow = not softness and pace.slow(off, iteration)
        done = not (off > until.tolerance or reach > _REACH) or iteration >= until.most  # also where it is not a number
        state.v.sub_(off_columns, alpha=(1 if done or slow else relaxation) / (1 + softness))
        if done:
            break
        relaxation = 1.0 if iteration <= _PLAIN or slow else _relax(relaxation, off / before)
        before = off
        if slow:
            state, off, products, rose = ascend(state, Until(until.tolerance, until.most - iteration))
            iteration += products
            pace.rest(iteration, rose)
            if not off > until.tolerance:
                break
            before = math.inf
        elif reach > _REACH:
            state = state.absorb()
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
    state = Scalings(problem, start, temperature, softness)
    for iteration in range(1, until.most + 1):
        off_rows = state.off_rows()
        off, reach = state.judge(off_rows, off_rows)
        if not (off > until.tolerance or reach > _REACH) or iteration == until.most:
            break
        state.u = state.v = state.u - off_rows / (2 * (1 + softness))
        if reach > _REACH:
            state = state.absorb()
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
    off = Scalings(problem, potentials, temperature, softness).off_rows()
    return torch.dot(problem.a, off.abs()).item()


class _Pace:
    """Judges whether Sinkhorn's algorithm will take too long, and Newton's method is worth a try.

    Args:
        until: When to stop.
    """

    def __init__(self, until: Until) -> None:
        self.until, self.resting, self.offs = until, 0, [math.inf]

    def slow(self, off: float, iteration: int) -> bool:
        """Tells whether more than a few dozen further iterations seem necessary.

        Args:
            off: The violation of the marginals.
            iteration: The number of iterations so far.
        """
        self.offs.append(off)
        if iteration - self.resting < _WINDOW or not 0 < off < math.inf:
            return False
        rate = (off / self.offs[-_WINDOW]) ** (1 / (_WINDOW - 1)) if self.offs[-_WINDOW] < math.inf else 1.0
        left = math.inf if rate >= 1 else math.log(self.until.tolerance / off) / math.log(rate)
        return left > _PATIENCE and self.until.newton

    def rest(self, iteration: int, rose: bool) -> None:
        """Leaves Newton's method alone for a while.

        Args:
            iteration: The number of iterations so far.
            rose: Whether its last step was any good.
        """
        self.resting, self.offs = iteration + (0 if rose else _REST), [math.inf]


def _relax(relaxation: float, rate: float) -> float:
    """Returns the relaxation that suits the rate of convergence which the last one has shown (Young, 1954)."""
    if rate >= 1:
        return max(1.0, relaxation - 0.1)
    if rate <= relaxation - 1:
        return relaxation
    plain = min((rate + relaxation - 1) ** 2 / (rate * relaxation**2), _MOST)
    return 2 / (1 + math.sqrt(1 - plain))
