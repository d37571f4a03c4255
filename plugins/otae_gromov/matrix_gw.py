"""The Gromov-Wasserstein cost of two matrices of distances, for those who have them instead of points."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.cloud import Cloud, CloudLike, as_cloud
from otae.errors import CloudError
from otae.interfaces import Cost, Plan, Solution
from otae.reductions import imported

from .solved import Count, Tolerance


class MatrixGW(Cost):
    r"""Creates the Gromov-Wasserstein cost of clouds whose points are the rows of matrices of distances, of any kind.

    $$\min_{P \in \Pi(a, b)} \sum_{ijkl} \left( C_{ik} - D_{jl} \right)^2 P_{ij} P_{kl}$$

    POT's conditional gradient solves it, in double precision on the CPU, with O(N²) memory and O(N³) time. Gradients, to
    the matrices and the weights, are those of the envelope theorem.

    Args:
        tolerance: The relative change of the objective to stop at.
        max_iterations: The most linear transport problems to solve.

    References:
        Gromov-Wasserstein Averaging of Kernel and Distance Matrices (Peyré, Cuturi, Solomon, 2016)
        https://proceedings.mlr.press/v48/peyre16.html

    Examples:
        >>> path = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
        >>> abs(MatrixGW()(path, path[[1, 0, 2]][:, [1, 0, 2]]).item()) < 1e-9
        True
    """

    same_space = False

    def __init__(self, tolerance: Tolerance = 1e-9, max_iterations: Count = 1000) -> None:
        super().__init__()
        self.tolerance, self.max_iterations = tolerance, max_iterations

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the least cost over all couplings, a scalar.

        Args:
            source: A cloud whose point i is the row of the distances from i, with shape (N, N).
            target: The same of the target, with shape (M, M).

        Raises:
            CloudError: If the matrices are not square and symmetric, or not finite.
        """
        return self._solution(source, target).objective

    def solve(self, source: CloudLike, target: CloudLike) -> Solution:
        """Returns the best coupling that was found, with its value and potentials.

        Args:
            source: A cloud whose point i is the row of the distances from i, with shape (N, N).
            target: The same of the target, with shape (M, M).

        Raises:
            CloudError: If the matrices are not square and symmetric, or not finite.
        """
        return self._solution(as_cloud(source), as_cloud(target))

    def _solution(self, source: Cloud, target: Cloud) -> Solution:
        ot = imported("ot")
        (c, a), (d, b) = _square(source), _square(target)
        arrays = [each.detach().cpu().numpy() for each in (c, d, a, b)]
        limits = {"max_iter": self.max_iterations, "tol_rel": self.tolerance, "tol_abs": 0.0}
        found, log = ot.gromov.gromov_wasserstein(*arrays, "square_loss", log=True, **limits)
        plan = torch.as_tensor(found, device=c.device)
        f, g = (torch.as_tensor(log[key], device=c.device) for key in ("u", "v"))
        slopes = (
            a @ f + b @ g
        )  # what the optimum gains by mass: the given masses enter the value through the plan alone
        a, b = a.detach(), b.detach()
        value = a @ c.square() @ a + b @ d.square() @ b - 2 * ((c @ plan @ d) * plan).sum()
        objective = value + slopes - slopes.detach()
        return Solution(
            value=objective.detach().to(source.points.dtype),
            objective=objective.to(source.points.dtype),
            plan=Plan.of(plan.to(source.points.dtype)),
            potentials=(f, g),
            iterations=len(log["loss"]) - 1,
            converged=len(log["loss"]) <= self.max_iterations,
        )


def _square(cloud: Cloud) -> tuple[Tensor, Tensor]:
    """Returns a matrix of distances and the masses, in double precision."""
    matrix = cloud.flat.double()
    if matrix.shape[0] != matrix.shape[1]:
        raise CloudError(
            f"Distances form a square matrix, one row a point, but these have shape {tuple(matrix.shape)}."
        )
    if not torch.isfinite(matrix).all() or not torch.allclose(matrix, matrix.T, rtol=1e-5):
        raise CloudError("A matrix of distances must be finite and symmetric. Take (C + C.T) / 2 of one that is not.")
    weights = None if cloud.weights is None else cloud.weights.double()
    return matrix, Cloud(matrix, weights).masses
