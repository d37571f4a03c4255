"""The Gromov-Wasserstein cost with inner products in place of distances."""

from __future__ import annotations

from otae.cloud import Cloud
from otae.reductions import Backend

from .geometry import squared_euclidean
from .options import Count, Epsilon, Solver, Starts, Tolerance
from .quadratic import Quadratic, inner_product_gw
from .solved import Solved


class InnerProductGW(Solved):
    r"""Creates the inner-product Gromov-Wasserstein cost: how far the best coupling is from a rotation.

    $$\min_{P \in \Pi(a, b)} \sum_{ijkl} \left( \langle x_i, x_k\rangle - \langle y_j, y_l\rangle \right)^2 P_{ij} P_{kl}
    + \varepsilon\, \mathrm{KL}(P \,|\, a \otimes b)$$

    Between centred Gaussians with the eigenvalues λ and μ of their covariances it is $\sum_i (\lambda_i - \mu_i)^2$.

    Args:
        centred: Whether inner products are taken about each cloud's mean, so that translations cost nothing, or about the
            origin.
        epsilon: The temperature ε, in units of the fourth power of the distance; 0.16 E‖x‖² E‖y‖² where `None`.
        solver: `entropic` or `exact`.
        tolerance: The share of mass, and of the coupling's moment, to solve to.
        max_iterations: The most linear transport problems to solve from each start.
        starts: The number of starts.
        backend: `dense`, `keops` or `auto`: what sums over kernels that are too large to be held.

    References:
        Entropic Gromov-Wasserstein between Gaussian Distributions (Le et al., 2022)
        https://arxiv.org/abs/2108.10961

    Examples:
        >>> import torch
        >>> x = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-3.0, 0.5]])
        >>> turned = torch.stack([-x[:, 1], x[:, 0]], dim=1)
        >>> abs(InnerProductGW(solver="exact")(x, turned).item()) < 1e-4
        True
    """

    def __init__(
        self,
        centred: bool = True,
        epsilon: Epsilon = None,
        solver: Solver = "entropic",
        tolerance: Tolerance = 1e-4,
        max_iterations: Count = 100,
        starts: Starts = 1,
        backend: Backend = "auto",
    ) -> None:
        super().__init__(epsilon, solver, tolerance, max_iterations, starts, backend)
        self.centred = centred

    def problem(self, source: Cloud, target: Cloud) -> Quadratic:
        """Returns the problem of two clouds.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """
        return inner_product_gw(squared_euclidean(source, self.centred), squared_euclidean(target, self.centred))
