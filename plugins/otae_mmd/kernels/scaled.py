"""What kernels share that are functions of the distance, summed over scales, once their lengths are fixed."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from otae.interfaces import Kernel
from otae.reductions import Radial

from .lengths import Scales


class Scaled(Kernel):
    """Abstract base of kernels that are 1 between equal points, summed over scales."""

    scales: Scales

    @abstractmethod
    def fix(self, x: Tensor, y: Tensor) -> Radial:
        """Returns the kernel with the lengths that it has between two clouds.

        Args:
            x: The points of the source, with shape (N, D).
            y: The points of the target, with shape (M, D).
        """

    @property
    def takes_batches(self) -> bool:
        """Returns that lengths are found for each pair of clouds."""
        return True

    @property
    def has_frequencies(self) -> bool:
        """Returns that the kernel has random frequencies."""
        return True

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        return self.fix(x, y)(x, y)

    def diagonal(self, x: Tensor) -> Tensor:
        return x.new_full((len(x),), float(len(self.scales)))
