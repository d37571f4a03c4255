"""The quadratic transport problem that Gromov-Wasserstein costs lift to, and its value with gradients by the envelope."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from otae.interfaces import Plan

from .geometry import Geometry

_ROUNDING = 32  # of the bound, in units of epsilon


@dataclass(frozen=True, eq=False)
class Quadratic:
    r"""Creates the problem of a coupling P with a low-rank linear part and a concave quadratic part.

    $$\min_P\; c - \langle P, U V^\top\rangle - \kappa \left\|X^\top P\, Y\right\|_F^2$$

    Since $-\|\Gamma\|^2 \le \|A\|^2 - 2\langle A, \Gamma\rangle$, with equality at $A = \Gamma = X^\top P Y$, it is an
    alternation of linear transport problems with the cost $-U V^\top - 2 \kappa X A Y^\top$: of inner products in few
    dimensions.

    Args:
        source: The geometry of the source, whose coordinates are X, with shape (N, K).
        target: The geometry of the target, whose coordinates are Y, with shape (M, L).
        left: The factor U, with shape (N, R), with its graph.
        right: The factor V, with shape (M, R), with its graph.
        curvature: The factor κ.
        constant: What does not depend on the plan, a scalar with its graph.
        unit: A sixteenth of the size of the linear cost, by which temperatures are measured, a scalar with its graph.
        ceiling: The most that ⟨P, U Vᵀ⟩ can be for a coupling P, or more; a scalar, cut from the graph.
    """

    source: Geometry
    target: Geometry
    left: Tensor
    right: Tensor
    curvature: float
    constant: Tensor
    unit: Tensor
    ceiling: Tensor

    def floor(self) -> Tensor:
        r"""Returns a lower bound of the objective of any coupling, a scalar in double precision: the spectral bound.

        $$\left\|X^\top P\, Y\right\|_F^2 \le \sum_i \lambda_i \mu_i$$

        for the eigenvalues λ and μ of $X^\top D_a X$ and $Y^\top D_b Y$, both falling.

        References:
            Entropic Gromov-Wasserstein between Gaussian Distributions (Le et al., 2022)
            https://arxiv.org/abs/2108.10961
        """
        (of_x, _), (of_y, _) = self.source.principal, self.target.principal
        count = min(len(of_x), len(of_y))
        bent = (of_x[:count].double() * of_y[:count].double()).sum()
        rounding = _ROUNDING * torch.finfo(of_x.dtype).eps * self.constant.detach().abs()
        return self.constant.detach() - self.ceiling - self.curvature * bent - rounding

    def factors(self, moment: Tensor) -> tuple[Tensor, Tensor]:
        """Returns p and q, with shapes (N, R + L) and (M, R + L), whose inner products are minus the linear cost.

        Args:
            moment: The moment A, with shape (K, L).
        """
        x, y = self.source.coordinates, self.target.coordinates
        if x.shape[1] < y.shape[1]:  # contract on the side with fewer dimensions
            p, q = x, 2 * self.curvature * (y @ moment.T)
        else:
            p, q = 2 * self.curvature * (x @ moment), y
        return torch.cat([self.left.detach(), p], dim=1), torch.cat([self.right.detach(), q], dim=1)

    def moment(self, plan: Plan) -> Tensor:
        """Returns the moment Xᵀ P Y of a plan, with shape (K, L).

        Args:
            plan: The plan, with shape (N, M).
        """
        return self.source.coordinates.T @ (plan @ self.target.coordinates)

    def value(self, plan: Plan, moment: Tensor) -> Tensor:
        """Returns the objective of a plan, a scalar in double precision, cut from the graph.

        Args:
            plan: The plan, with shape (N, M).
            moment: Its moment.
        """
        linear = (self.left.detach().double() * (plan @ self.right.detach()).double()).sum()
        return self.constant.detach() - linear - self.curvature * moment.double().square().sum()

    def envelope(self, plan: Plan, potentials: tuple[Tensor, Tensor]) -> Tensor:
        """Returns a scalar whose gradient, in points and masses, is that of the optimal objective; its value means nothing.

        Args:
            plan: The optimal plan.
            potentials: Its dual potentials for the linear cost, with shapes (N,) and (M,).
        """
        with torch.no_grad():
            to_left, to_right = plan @ self.right, plan.T @ self.left
            to_source, to_target = plan @ self.target.coordinates, plan.T @ self.source.coordinates
        linear = (self.left * to_left).sum() + (self.right * to_right).sum()
        bent = self.source.pull(to_source) + self.target.pull(to_target)
        masses = (self.source.masses * potentials[0]).sum() + (self.target.masses * potentials[1]).sum()
        return self.constant - linear - 2 * self.curvature * bent + masses


def squared_gw(source: Geometry, target: Geometry) -> Quadratic:
    r"""Returns the problem of Gromov-Wasserstein between centred clouds with squared Euclidean distances inside.

    $$\sum (\|x_i - x_k\|^2 - \|y_j - y_l\|^2)^2 P_{ij} P_{kl}
    = C_x + C_y - 4\, \mathbb{E}\|x\|^2\, \mathbb{E}\|y\|^2 - 4 \langle P, \|x\|^2 \|y\|^{2\top}\rangle - 8 \|X^\top P\, Y\|^2$$

    Args:
        source: The geometry of the source, centred.
        target: The geometry of the target, centred.
    """
    constant = _own(source) + _own(target) - 4 * source.spread.double() * target.spread.double()
    left, right = 4 * source.norms[:, None], target.norms[:, None]
    return Quadratic(
        source, target, left, right, 8.0, constant, _unit(source, target), 4 * _norm(source) * _norm(target)
    )


def _norm(cloud: Geometry) -> Tensor:
    """Returns the root of the mean fourth power of the points' norms, a scalar in double precision."""
    return (cloud.masses * cloud.norms.square()).sum().detach().double().sqrt()


def _unit(source: Geometry, target: Geometry) -> Tensor:
    return source.spread * target.spread


def _own(cloud: Geometry) -> Tensor:
    squares = (cloud.masses * cloud.norms.square()).sum()
    return 2 * squares.double() + 2 * cloud.spread.double().square() + 4 * cloud.energy.double()


def inner_product_gw(source: Geometry, target: Geometry) -> Quadratic:
    r"""Returns the problem of Gromov-Wasserstein with inner products in place of distances.

    $$\sum (\langle x_i, x_k\rangle - \langle y_j, y_l\rangle)^2 P_{ij} P_{kl}
    = \|X^\top D_a X\|^2 + \|Y^\top D_b Y\|^2 - 2 \|X^\top P\, Y\|^2$$

    Args:
        source: The geometry of the source, about the origin of its inner products.
        target: The geometry of the target, about the origin of its inner products.
    """
    constant = source.energy.double() + target.energy.double()
    left, right = source.norms[:, None][:, :0], target.norms[:, None][:, :0]
    unit = _unit(source, target)
    return Quadratic(source, target, left, right, 2.0, constant, unit, torch.zeros_like(constant).detach())
