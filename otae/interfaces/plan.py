"""The plan of a transport problem: how much of each source point goes to each target point, as a linear operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Plan:
    """Creates a coupling of N source points and M target points, known by its products with vectors.

    Args:
        shape: The numbers (N, M).
        product: Values on the target, with shape (M, E), to their sums on the source under the plan, with shape (N, E).
        transposed: Values on the source, with shape (N, E), to their sums on the target, with shape (M, E).
        matrix: Returns the plan itself, with shape (N, M).

    Examples:
        >>> import torch
        >>> plan = Plan.of(torch.eye(2) / 2)
        >>> (plan @ torch.tensor([[1.0], [3.0]])).flatten().tolist(), plan.dense().sum().item()
        ([0.5, 1.5], 1.0)
    """

    shape: tuple[int, int]
    product: Callable[[Tensor], Tensor]
    transposed: Callable[[Tensor], Tensor]
    matrix: Callable[[], Tensor]

    @classmethod
    def of(cls, matrix: Tensor) -> Plan:
        """Returns the plan that a matrix is.

        Args:
            matrix: The mass between every two points, with shape (N, M).
        """
        rows, columns = matrix.shape
        return cls((rows, columns), matrix.__matmul__, matrix.T.__matmul__, lambda: matrix)

    def __matmul__(self, values: Tensor) -> Tensor:
        return self.product(values)

    @property
    def T(self) -> Plan:
        """Returns the plan in the other direction."""
        return Plan((self.shape[1], self.shape[0]), self.transposed, self.product, lambda: self.matrix().T)

    def dense(self) -> Tensor:
        """Returns the plan as a matrix, with shape (N, M): O(NM) memory."""
        return self.matrix()

    def __repr__(self) -> str:
        return f"Plan(shape={self.shape})"
