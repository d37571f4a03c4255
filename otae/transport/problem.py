"""An entropic transport problem: the costs of all pairs, and the masses on either side."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from .costs import PairCosts
from .kernels import Kernel, Weigh


class Problem:
    """Holds the entropic transport problem of costs between masses.

    Args:
        costs: The costs, with shape (N, M).
        a: The masses of the source, with shape (N,), positive and of sum 1.
        b: The masses of the target, with shape (M,).
    """

    def __init__(self, costs: PairCosts, a: Tensor, b: Tensor) -> None:
        self.costs, self.a, self.b = costs, a, b

    @property
    def alone(self) -> bool:
        """Returns whether it is the problem of a cloud with itself."""
        return self.costs.symmetric

    @cached_property
    def log_a(self) -> Tensor:
        """Returns the logarithms of the masses of the source, with shape (N,)."""
        return self.a.log()

    @cached_property
    def log_b(self) -> Tensor:
        """Returns the logarithms of the masses of the target, with shape (M,)."""
        return self.log_a if self.b is self.a else self.b.log()

    @property
    def T(self) -> Problem:
        """Returns the problem with the sides exchanged."""
        return Problem(self.costs.T, self.b, self.a)

    def sparser(self) -> Problem:
        """Returns the problem of one point of every few on either side."""
        stride = self.costs.limits.stride
        a = self.a[::stride] / self.a[::stride].sum()
        b = a if self.b is self.a else self.b[::stride] / self.b[::stride].sum()
        return Problem(self.costs.sparser(), a, b)

    def kernel(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None = None) -> Kernel:
        """Returns the kernel, the density of the plan by the product of the masses, with shape (N, M).

        Args:
            phi: The potential of the source in units of the temperature, with shape (N,).
            gamma: That of the target, with shape (M,).
            temperature: The temperature ε.
            weigh: What to multiply the kernel by, as a function of the cost; nothing where `None`.
        """
        return self.costs.kernel(phi, gamma, temperature, weigh)

    def extrapolate(self, gamma: Tensor, temperature: float) -> Tensor:
        r"""Returns the potential of the source that fits one of the target, in units of the temperature, with shape (N,).

        $$\phi_i = -\log \sum_j b_j \exp(\gamma_j - c_{ij} / \varepsilon)$$

        Args:
            gamma: The potential of the target, with shape (M,).
            temperature: The temperature ε.
        """
        return self.costs.soft_minimum(gamma + self.log_b, temperature)

    def zeros(self) -> tuple[Tensor, Tensor]:
        """Returns potentials of zeros, with shapes (N,) and (M,)."""
        phi = torch.zeros_like(self.a)
        return phi, phi if self.alone else torch.zeros_like(self.b)
