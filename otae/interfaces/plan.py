"""The plan of a transport problem: how much of each source point goes to each target point, as a linear operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import CloudError


@dataclass(frozen=True, eq=False)
class Plan:
    """Holds a coupling of N source points and M target points, known by its products with vectors.

    A plan carries no gradient: by the envelope theorem, that of a cost needs none of it.

    Args:
        shape: The numbers (N, M).
        product: Values on the target, with shape (M, E), to their sums on the source under the plan, with shape (N, E).
        transposed: Values on the source, with shape (N, E), to their sums on the target, with shape (M, E).
        matrix: Returns the plan itself, with shape (N, M).
        like: A tensor with the type and the device of the plan.

    Examples:
        >>> import torch
        >>> plan = Plan.of(torch.eye(2) / 2)
        >>> (plan @ torch.tensor([1.0, 3.0])).tolist(), plan.dense().sum().item()
        ([0.5, 1.5], 1.0)
    """

    shape: tuple[int, int]
    product: Callable[[Tensor], Tensor]
    transposed: Callable[[Tensor], Tensor]
    matrix: Callable[[], Tensor]
    like: Tensor

    @classmethod
    def of(cls, matrix: Tensor) -> Plan:
        """Returns the plan that a matrix is.

        Args:
            matrix: The mass between every two points, with shape (N, M).
        """
        rows, columns = matrix.shape
        return cls(
            (rows, columns),
            lambda values: matrix @ values,
            lambda values: matrix.T @ values,
            lambda: matrix,
            matrix,
        )

    def __matmul__(self, values: Tensor) -> Tensor:
        """Returns the plan times values on the target, with shape (N,) or (N, E) as these have (M,) or (M, E).

        Args:
            values: The values, of any floating-point type; the sums are in that of the plan.

        Raises:
            CloudError: If the values do not fit the plan.
        """
        if values.ndim not in (1, 2) or len(values) != self.shape[1]:
            raise CloudError(
                f"A plan of shape {self.shape} multiplies values of shape ({self.shape[1]},) or ({self.shape[1]}, E), "
                f"got {tuple(values.shape)}. For values on the source take plan.T."
            )
        with torch.no_grad(), torch.autocast(values.device.type, enabled=False):
            sums = self.product(values.detach().to(self.like).reshape(len(values), -1))
        return sums.reshape(self.shape[0], *values.shape[1:])

    @property
    def T(self) -> Plan:
        """Returns the plan in the other direction."""
        return Plan((self.shape[1], self.shape[0]), self.transposed, self.product, lambda: self.matrix().T, self.like)

    def marginals(self) -> tuple[Tensor, Tensor]:
        """Returns the mass that leaves each source point and reaches each target point, with shapes (N,) and (M,)."""
        return self @ self.like.new_ones(self.shape[1]), self.T @ self.like.new_ones(self.shape[0])

    def dense(self) -> Tensor:
        """Returns the plan as a matrix, with shape (N, M): O(NM) memory."""
        with torch.no_grad():
            return self.matrix().detach()

    def __repr__(self) -> str:
        return f"Plan(shape={self.shape})"
