"""The laws of costs that solve: plans, held and summed kernels, warm starts, and what solutions say of themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ..transport import Limits, Transport
from .law_subject import FLOATS, LawSubject


class SolutionLaws(LawSubject):
    """Holds the laws of costs that solve."""

    def skip_without_solution(self, plan: bool = True) -> None:
        """Skips a law of solutions for a cost that solves nothing.

        Args:
            plan: Whether the law is one of plans, which paired costs are given.
        """
        if not issubclass(self.plugin, Transport) or (plan and self.plugin.paired):
            pytest.skip("the cost solves for no plan")

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_a_kernel_that_is_summed_over_gives_what_a_held_one_does(self: Any, dtype: torch.dtype) -> None:
        self.skip_without_solution(plan=False)
        found = []
        for limits in (Limits(), Limits(held=0)):
            part, (x, y) = self.build().to(dtype), (each.to(dtype).requires_grad_() for each in self.points(8, 8))
            part.limits = limits
            value = self.evaluate(part, x, y)
            found.append((value.detach(), *torch.autograd.grad(value, (x, y))))
        error = 1e-5 if dtype == torch.float64 else 1e-3
        for summed, held in zip(found[1], found[0], strict=True):
            torch.testing.assert_close(summed, held, rtol=error, atol=error * max(held.abs().max().item(), 1e-3))

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    @pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
    def test_plans_multiply_vectors_and_matrices(self: Any, dtype: torch.dtype, weighted: bool) -> None:
        self.skip_without_solution()
        x, y = (each.to(dtype) for each in self.points(6, 5))
        v = torch.tensor([1, 0, 2, 1, 0, 3], dtype=dtype) if weighted else None
        w = torch.tensor([1, 0, 2, 1, 1], dtype=dtype) if weighted else None
        with torch.autocast("cpu", torch.bfloat16):
            solution = self.build().to(dtype).solve(self.source(x, v), self.target(y, w))
            plan, values = solution.plan, torch.arange(10, dtype=dtype).reshape(5, 2)
            products = plan @ values[:, 0], plan @ values, plan.T @ values.new_ones(6, 3), *plan.marginals()
        matrix = plan.dense()
        assert matrix.shape == plan.shape == (6, 5)
        assert (matrix >= 0).all(), "the plan has entries below 0"
        expected = (
            matrix @ values[:, 0],
            matrix @ values,
            matrix.T @ values.new_ones(6, 3),
            matrix.sum(1),
            matrix.sum(0),
        )
        for product, truth in zip(products, expected, strict=True):
            torch.testing.assert_close(product, truth, rtol=1e-4, atol=1e-6)
        if v is not None and w is not None:
            lost = matrix[v == 0].abs().sum() + matrix[:, w == 0].abs().sum()
            assert lost == 0, "points without weight send and receive no mass"

    def test_a_solution_says_how_far_its_marginals_are_off(self: Any) -> None:
        self.skip_without_solution()
        x, y = self.points(6, 5)
        solution = self.build().solve(self.source(x), self.target(y))
        assert solution.gap >= 0, f"the gap is {solution.gap}"
        if self.keeps_mass:
            rows, columns = solution.plan.marginals()
            off = max((rows - 1 / 6).abs().sum().item(), (columns - 1 / 5).abs().sum().item())
            assert off <= solution.marginal_error + 1e-6, f"off by {off}, but it says {solution.marginal_error}"
        assert solution.converged, "generic clouds must be solved for with the options of the suite"

    def test_its_own_solution_is_a_start_that_is_not_left(self: Any) -> None:
        self.skip_without_solution()
        x, y = self.points()
        part: Any = self.build()
        cold = part.solve(self.source(x), self.target(y))
        warm = part.solve(self.source(x), self.target(y), start=cold)
        assert 3 * warm.iterations <= max(cold.iterations, 3), f"{warm.iterations} iterations after {cold.iterations}"
        values: list[Tensor] = [warm.objective.detach(), cold.objective.detach()]
        torch.testing.assert_close(*values, rtol=1e-4, atol=1e-6)
