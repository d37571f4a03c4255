"""The solution of a transport problem, as costs that solve for a coupling return it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..notebook import to_table
from .plan import Plan


@dataclass(frozen=True, eq=False)
class Solution:
    """Holds the solution of a transport problem between N source points and M target points.

    Args:
        value: What the plan costs, without entropy or other regularisation; a scalar, cut from the graph.
        objective: What was minimised, regularisation included; a scalar that is differentiable in the clouds. Equal to
            the value where nothing regularises.
        plan: The coupling.
        potentials: The dual potentials of source and target, with shapes (N,) and (M,), in units of the cost.
        iterations: How many iterations the solver took.
        converged: Whether the marginals' error and the gap are within the solver's tolerance.
        asked: The temperature ε that was asked for, 0 where nothing regularises.
        temperature: The temperature ε that was used.
        marginal_error: The total mass by which the plan's marginals differ from those that were asked for.
        gap: A bound on how far the objective is from its optimum, in units of the cost; infinite where none is known, as for
            problems with local optima.
        state: What a later solve can start from; each solver has its own.
    """

    value: Tensor
    objective: Tensor
    plan: Plan
    potentials: tuple[Tensor, Tensor]
    iterations: int
    converged: bool
    asked: float = 0.0
    temperature: float = 0.0
    marginal_error: float = 0.0
    gap: float = math.inf
    state: Any = None

    def _repr_html_(self) -> str:
        """Returns what was found and how the solver fared, as a table for notebooks; the plan is not looked at."""
        rows = [
            ("value", f"{float(self.value):.6g}"),
            ("objective", f"{float(self.objective.detach()):.6g}"),
            ("converged", f"{'yes' if self.converged else 'no'}, {self.iterations} iterations"),
            ("temperature", f"{self.temperature:.4g} (asked for {self.asked:.4g})"),
            ("marginals' error", f"{self.marginal_error:.2g}"),
            ("gap", "not known" if math.isinf(self.gap) else f"{self.gap:.2g}"),
        ]
        return to_table((type(self).__name__, ""), rows)
