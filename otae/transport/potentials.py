"""The potentials of an entropic transport problem, and when to stop looking for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Potentials:
    """Holds the potentials of an entropic transport problem, in units of its temperature.

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
    """Holds the end of an iteration.

    Args:
        tolerance: The violation of the marginals to stop at, as a share of the mass.
        most: The number of iterations to stop at.
        newton: Whether Newton's method may take over from Sinkhorn's algorithm.
    """

    tolerance: float
    most: int
    newton: bool = True
