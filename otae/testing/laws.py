"""The laws that every cost keeps: of equal clouds, weights, order, units, types, and of what torch may do around it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from ..cloud import Cloud
from ..errors import CloudError
from ..interfaces import Cost
from ..transport import Limits, Transport

_FLOATS = [torch.float32, torch.float64]


class CostLaws:
    """Holds the laws of costs, as tests that `CostSuite` adds to its own; each attribute says where a law does not hold.

    Attributes:
        vanishes: Whether the cost of equal clouds is 0.
        degree: The power p of `cost(s x, s y) = s^p cost(x, y)`; `None` where lengths of its own stop that.
        moves_freely: Whether moving both clouds together costs nothing.
        draws: Whether each call draws anew, so that the order of points may matter to a draw.
    """

    plugin: ClassVar[type[Cost]]
    vanishes: ClassVar[bool] = False
    degree: ClassVar[float | None] = None
    moves_freely: ClassVar[bool] = False

    def _skip_laws_of_points(self) -> None:
        if self.plugin.unary or self.plugin.needs_density:
            pytest.skip("the cost does not compare the points of two clouds")

    @pytest.mark.parametrize("spread", [1e-2, 1.0, 100.0])
    @pytest.mark.parametrize("dtype", _FLOATS, ids=str)
    def test_equal_clouds_cost_nothing_in_any_order_at_any_spread(self: Any, dtype: torch.dtype, spread: float) -> None:
        self._skip_laws_of_points()
        if not self.vanishes:
            pytest.skip("vanishes is not set")
        x = spread * self.points(9, 9)[0]
        order = torch.tensor([4, 2, 8, 0, 6, 1, 7, 3, 5]) if not self.plugin.paired else torch.arange(9)
        size = self.evaluate(self.build(), x, 2 * x.flip(0)).abs().item()
        value = self.evaluate(self.build().to(dtype), x.to(dtype), x[order].to(dtype)).item()
        assert abs(value) <= 1e-6 * max(size, 1e-12) * (100 if dtype == torch.float32 else 1), (
            f"equal clouds cost {value}, where others cost {size}: let errors cancel"
        )

    def test_clouds_of_both_types_are_promoted(self: Any) -> None:
        self._skip_laws_of_points()
        x, y = self.points()
        value = self.seeded_call(self.build(), self.source(x.float()), self.target(y))
        assert value.dtype == torch.float64, (
            f"float32 with float64 is float64, as everywhere in torch: got {value.dtype}"
        )

    @pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, list, np.ndarray])
    def test_weights_may_be_of_any_kind(self: Any, kind: Any) -> None:
        x, y = self.points()
        given = torch.tensor([2, 1, 1, 3, 1, 1], dtype=torch.float64)
        other = given.tolist() if kind is list else given.numpy() if kind is np.ndarray else given.to(kind)
        part = self.build()
        expected = self.evaluate(part, x, y, given, given)
        torch.testing.assert_close(self.evaluate(part, x, y, other, other), expected, msg="raise weights: cloud.masses")

    @pytest.mark.parametrize("pad", [0.0, -999.0, 1e5, float("nan")])
    def test_padding_without_weight_changes_nothing(self: Any, pad: float) -> None:
        self._skip_laws_of_points()
        x, y = self.points(5, 5)
        weights = torch.tensor([2, 1, 1, 3, 1], dtype=torch.float64)
        expected = self.evaluate(self.build(), x, y, weights, weights)
        wide, high = (torch.cat([each, torch.full_like(each[:2], pad)]) for each in (x, y))
        padded = torch.cat([weights, torch.zeros(2, dtype=torch.float64)])
        try:
            value = self.evaluate(self.build(), wide, high, padded, padded)
        except CloudError:
            return  # a clear refusal, as of values out of range
        torch.testing.assert_close(
            value, expected, msg=f"two points of weight 0 at {pad} changed {expected} to {value}"
        )

    def test_a_batch_of_clouds_is_not_taken_for_one(self: Any) -> None:
        self._skip_laws_of_points()
        if self.plugin.paired:
            pytest.skip("samples of a paired cost may be of any shape")
        with pytest.raises(CloudError, match="batched"):
            self.build()(torch.zeros(2, 3, 4, dtype=torch.float64), torch.zeros(2, 3, 4, dtype=torch.float64))

    def test_a_batch_costs_what_its_clouds_do(self: Any) -> None:
        self._skip_laws_of_points()
        if self.build().adversary is not None:
            pytest.skip("the cost has an adversary")
        pairs = [self.points(5, 5), tuple(2 * each for each in self.points(5, 5))]
        if not self.plugin.paired and len(self.given["shapes"]) > 1:
            pytest.skip("the clouds are joint")
        x, y = (torch.stack([pair[side] for pair in pairs]).clamp(-1e3, 1e3) for side in (0, 1))
        part = self.build().eval()
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(3)
                found = part.batched(x, y)
                torch.manual_seed(3)
                apart = torch.stack([part(Cloud(a), Cloud(b)) for a, b in zip(x, y, strict=True)])
        except CloudError:
            return  # the cost is choosy about values
        assert found.shape == (2,), f"batched returns one value for each cloud, got shape {tuple(found.shape)}"
        if not self.draws:
            torch.testing.assert_close(found, apart, rtol=1e-5, atol=1e-8)

    draws: ClassVar[bool] = False

    def test_units_scale_it(self: Any) -> None:
        self._skip_laws_of_points()
        if self.degree is None:
            pytest.skip("degree is not set")
        x, y = self.points()
        value = self.evaluate(self.build(), x, y)
        for factor in (1e-6, 1e4):
            scaled = self.evaluate(self.build(), factor * x, factor * y) / factor**self.degree
            torch.testing.assert_close(
                scaled, value, rtol=1e-4, atol=0, msg=f"in units of {factor}: {scaled}, not {value}"
            )

    def test_translations_of_both_clouds_change_nothing(self: Any) -> None:
        self._skip_laws_of_points()
        if not self.moves_freely:
            pytest.skip("moves_freely is not set")
        x, y = self.points()
        torch.testing.assert_close(
            self.evaluate(self.build(), x + 50, y + 50), self.evaluate(self.build(), x, y), rtol=1e-5, atol=1e-8
        )

    def test_it_works_in_inference_mode(self: Any) -> None:
        x, y = self.points()
        expected = self.evaluate(self.build(), x, y).detach()
        part = self.build()
        with torch.inference_mode():
            value = self.evaluate(part, x * 1, y * 1)
        torch.testing.assert_close(
            value.clone(), expected, msg="compute gradients, if at all, outside of inference mode"
        )

    def test_functional_gradients_are_those_of_autograd(self: Any) -> None:
        self._skip_laws_of_points()
        part, (x, y) = self.build().eval(), self.points()
        leaf = x.clone().requires_grad_()
        expected = torch.autograd.grad(self.evaluate(part, leaf, y), leaf)[0]
        try:
            found = torch.func.grad(lambda z: self.evaluate(part, z, y))(x)
        except RuntimeError as error:
            pytest.fail(f"torch.func.grad fails: give autograd functions a setup_context. {error}")
        torch.testing.assert_close(found, expected)

    def test_second_derivatives_are_right_or_refused(self: Any) -> None:
        self._skip_laws_of_points()
        part, (x, y) = self.build().eval(), self.points(5, 5)
        direction = torch.linspace(-1, 1, x.numel(), dtype=x.dtype).reshape(x.shape)

        def slope(points: Tensor, graph: bool = False) -> Tensor:
            points = points if points.requires_grad else points.detach().requires_grad_()
            return torch.autograd.grad(self.evaluate(part, points, y), points, create_graph=graph)[0]

        leaf = x.clone().requires_grad_()
        first = slope(leaf, graph=True)
        if not first.requires_grad:
            return
        try:
            product = torch.autograd.grad((first * direction).sum(), leaf, allow_unused=True)[0]
        except (NotImplementedError, RuntimeError):
            return  # refused
        step = 1e-5
        expected = (slope(x + step * direction) - slope(x - step * direction)) / (2 * step)
        product = torch.zeros_like(x) if product is None else product
        size = expected.abs().max().item() + first.detach().abs().max().item()
        torch.testing.assert_close(
            product, expected, rtol=1e-3, atol=1e-3 * size, msg="second derivatives are wrong: refuse them"
        )

    def test_a_kernel_that_is_summed_over_gives_what_a_held_one_does(self: Any) -> None:
        if not issubclass(self.plugin, Transport):
            pytest.skip("the cost holds no kernel")
        x, y = self.points(8, 8)
        held, summed = self.build(), self.build()
        summed.limits = Limits(held=0)
        torch.testing.assert_close(self.evaluate(summed, x, y), self.evaluate(held, x, y), rtol=1e-5, atol=1e-8)

    def test_plans_multiply_vectors_and_matrices(self: Any) -> None:
        if not issubclass(self.plugin, Transport) or self.plugin.paired:
            pytest.skip("the cost solves for no plan")
        x, y = self.points(6, 6)
        solution = self.build().solve(self.source(x), self.target(y))
        plan, matrix = solution.plan, solution.plan.dense()
        values = torch.arange(12, dtype=torch.float64).reshape(6, 2)
        torch.testing.assert_close(plan @ values[:, 0], matrix @ values[:, 0])
        torch.testing.assert_close(plan @ values, matrix @ values)
        torch.testing.assert_close(plan.T @ values, matrix.T @ values)
        for marginal, sums in zip(plan.marginals(), (matrix.sum(1), matrix.sum(0)), strict=True):
            torch.testing.assert_close(marginal, sums)
