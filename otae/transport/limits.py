"""The sizes at which a solver changes its ways, in one place: where matrices are held, tiled, or solved directly."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Limits:
    """Holds the sizes at which solvers change their ways; a test sets its own on a cost, `cost.limits = Limits(held=0)`.

    Args:
        held: The pairs up to which a kernel is held as a matrix on the processor: 16 MB in single precision.
        device_held: The same on other devices.
        keops_held: The same where KeOps is asked for.
        simplex: The pairs up to which a problem that Sinkhorn's algorithm leaves unsolved is finished by the network simplex
            and Newton's method.
        direct: The points of the source up to which Newton's linear systems are solved directly.
        stride: The points of a problem to one of the sparser problem that a large one starts from.
    """

    held: int = 2**22
    device_held: int = 2**26
    keops_held: int = 2**10
    simplex: int = 2**18
    direct: int = 512
    stride: int = 4

    def finishes(self, pairs: int) -> bool:
        """Tells whether a problem of so many pairs may be finished by the network simplex.

        Args:
            pairs: The number of pairs.
        """
        return pairs <= min(self.simplex, self.held)

    def holds(self, pairs: int, device: torch.device, backend: str = "auto") -> bool:
        """Tells whether the kernel of so many pairs is held as a matrix.

        Args:
            pairs: The number of pairs.
            device: Where the points are.
            backend: The backend that was asked for.
        """
        most = self.held if device.type == "cpu" else self.device_held
        return pairs <= (min(most, self.keops_held) if backend == "keops" else most)


NEVER = Limits(held=-1, device_held=-1, keops_held=-1)  # nothing is held
