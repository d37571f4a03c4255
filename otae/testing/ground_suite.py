"""The rules of ground costs, as a conformance suite."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from ..interfaces import Ground
from .suite import Suite


class GroundSuite(Suite):
    """Holds the rules that ground costs keep.

        class TestCosine(GroundSuite):
            plugin = Cosine

    Attributes:
        shape: The shape of one point that the ground cost is tested with.
        unit: Whether entries are in [0, 1], as of probabilities; else they are standard normal.
    """

    shape: ClassVar[tuple[int, ...]] = (4,)
    unit: ClassVar[bool] = False

    def points(self, count: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
        """Returns points, with shape (count, *shape).

        Args:
            count: Their number.
            seed: The seed they are drawn by.
            dtype: Their type.
        """
        drawn = torch.randn(count, *self.shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
        return drawn.sigmoid() if self.unit else drawn

    def use(self, part: Any) -> None:
        part(self.points(3), self.points(2, 1))

    def test_it_is_a_ground_cost(self) -> None:
        assert isinstance(self.build(), Ground), "a ground cost subclasses otae.Ground"

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_it_gives_one_finite_cost_of_the_points_type_for_each_pair(self, dtype: torch.dtype) -> None:
        costs = self.build()(self.points(6, dtype=dtype), self.points(5, 1, dtype))
        assert costs.shape == (6, 5), f"c(x, y) must have shape (N, M) = (6, 5), not {tuple(costs.shape)}"
        assert costs.dtype == dtype, f"costs of {dtype} points must be {dtype}, not {costs.dtype}"
        assert costs.isfinite().all(), "costs must be finite"

    def test_half_precision_is_computed_in_single_or_better(self) -> None:
        part, x, y = self.build(), self.points(6).bfloat16(), self.points(5, 1).bfloat16()
        costs = part(x.float(), y.float())
        torch.testing.assert_close(costs.double(), part(x.double(), y.double()), rtol=1e-3, atol=1e-3)

    def test_pairs_cost_what_the_diagonal_says(self) -> None:
        part, x, y = self.build(), self.points(6), self.points(6, 1)
        torch.testing.assert_close(part.pair(x, y), part(x, y).diagonal())

    def test_a_block_of_the_matrix_is_the_cost_of_a_block_of_points(self) -> None:
        part, x, y = self.build(), self.points(6), self.points(5, 1)
        torch.testing.assert_close(part(x[2:4], y), part(x, y)[2:4])

    def test_within_a_cloud_it_costs_as_between_two(self) -> None:
        part, x = self.build(), self.points(6)
        torch.testing.assert_close(part.within(x), part(x, x), atol=1e-6, rtol=1e-6)

    def test_it_is_symmetric_and_0_between_equal_points_or_says_that_it_is_not(self) -> None:
        part, x, y = self.build(), self.points(6), self.points(5, 1)
        if not part.symmetric:
            pytest.skip("the ground cost says that it is not symmetric")
        cure = "set `symmetric = False` where c(x, y) differs from c(y, x), or c(x, x) from 0"
        torch.testing.assert_close(part(x, y), part(y, x).T, msg=lambda text: f"{cure}\n{text}")
        torch.testing.assert_close(
            part.pair(x, x), x.new_zeros(6), atol=1e-9, rtol=0, msg=lambda text: f"{cure}\n{text}"
        )

    def test_its_gradient_is_that_of_finite_differences(self) -> None:
        part, x, y = self.build(), self.points(3).requires_grad_(), self.points(3, 1).requires_grad_()
        for function in (part, part.pair):
            agrees = gradcheck(function, (x, y), raise_exception=False)
            assert agrees, "the gradient differs from finite differences: look for detach, no_grad or .data"

    def test_equal_points_have_a_finite_gradient(self) -> None:
        x = self.points(3).requires_grad_()
        (slope,) = torch.autograd.grad(self.build().pair(x, x.detach()).sum(), x)
        assert slope.isfinite().all(), (
            "the gradient must be finite where points coincide: use otae.reductions.safe_sqrt"
        )

    def test_its_formula_is_the_cost(self) -> None:
        part, x, y = self.build(), self.points(6).flatten(1), self.points(5, 1).flatten(1)
        formula = part.formula(x[:, None], y[None])  # tensors that broadcast are read as a LazyTensor is
        if formula is None:
            pytest.skip("the ground cost has no formula for KeOps")
        torch.testing.assert_close(formula.reshape(6, 5), part(x, y), atol=1e-9, rtol=1e-7)

    def test_its_power_of_the_distance_is_the_cost(self) -> None:
        part, x, y = self.build(), self.points(6), self.points(5, 1)
        if (power := part.distance_power) is None:
            pytest.skip("the ground cost is no power of the distance")
        truth = power.factor * torch.cdist(x.flatten(1), y.flatten(1)) ** power.exponent
        torch.testing.assert_close(part(x, y), truth)
        assert part.degree == power.exponent, "the degree of a power of the distance is its exponent"
