"""The solution of a transport problem, as costs that solve for a coupling return it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .plan import Plan


@dataclass(frozen=True, eq=False)
class Solution:
    """Creates the solution of a transport problem between N source points and M target points.

    Args:
        value: What the plan costs, without entropy or other regularisation; a scalar, cut from the graph.
        objective: What was minimised, regularisation included; a scalar that is differentiable in the clouds. Equal to
            the value where nothing regularises.
        plan: The coupling.
        potentials: The dual potentials of source and target, with shapes (N,) and (M,), in units of the cost.
        iterations: How many iterations the solver took.
        converged: Whether the solver met its tolerance.
    """

    value: Tensor
    objective: Tensor
    plan: Plan
    potentials: tuple[Tensor, Tensor]
    iterations: int
    converged: bool
