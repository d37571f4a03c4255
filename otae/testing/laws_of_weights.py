"""The laws of costs about weights: of any kind, of any size, 0 included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ..cloud import Cloud
from ..errors import CloudError
from ..transport import Transport
from .law_subject import FLOATS, LawSubject


class WeightLaws(LawSubject):
    """Holds the laws of costs about weights."""

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
        self.skip_without_points()
        x, y = (each.requires_grad_() for each in self.points(5, 5))
        weights = torch.tensor([2, 1, 1, 3, 1], dtype=torch.float64)
        padded = torch.cat([weights, torch.zeros(2, dtype=torch.float64)])
        expected = self.evaluate(self.build(), x, y, weights, weights)
        slopes = torch.autograd.grad(expected, (x, y), allow_unused=True)
        wide, high = (torch.cat([each, torch.full_like(each[:2], pad)]) for each in (x, y))
        for given in (padded, padded.clone().requires_grad_()):
            try:
                value = self.evaluate(self.build(), wide, high, given, given)
            except CloudError:
                continue  # a clear refusal, as of values out of range
            told = f"two points of weight 0 at {pad} changed {expected} to {value}"
            torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-7, msg=told)
            found = torch.autograd.grad(value, (x, y), allow_unused=True, retain_graph=True)
            told = f"two points of weight 0 at {pad} changed the gradient"
            torch.testing.assert_close(found, slopes, rtol=1e-4, atol=1e-6, msg=told)

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_a_point_with_all_the_weight_is_the_cloud(self: Any, dtype: torch.dtype) -> None:
        self.skip_without_points()
        x, y = (each.to(dtype) for each in self.points(5, 5))
        first, second = torch.eye(5, dtype=dtype)[1], torch.eye(5, dtype=dtype)[1 if self.plugin.paired else 2]
        try:
            expected = self.evaluate(self.build().to(dtype), x[first > 0], y[second > 0])
        except CloudError:
            return  # one point alone is refused
        for given in (first, first.clone().requires_grad_()):
            value = self.evaluate(self.build().to(dtype), x, y, given, second)
            told = f"all weight on one point each costs {value}, and these points alone {expected}"
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5, msg=told)

    def test_learned_weights_are_finite_and_right_however_uneven(self: Any) -> None:
        self.skip_without_points()
        x, y = self.points()
        values = []
        for dtype in FLOATS:
            logits = torch.linspace(-20, 20, 6, dtype=dtype, requires_grad=True)
            v = torch.softmax(logits, 0)
            w = v if self.plugin.paired else torch.softmax(-logits, 0)
            value = self.evaluate(self.build().to(dtype), x.to(dtype), y.to(dtype), v, w)
            assert value.isfinite(), f"weights of a softmax gave {value}"
            if value.requires_grad:
                slopes = torch.autograd.grad(value, logits, allow_unused=True)[0]
                assert slopes is None or slopes.isfinite().all(), "the gradient to a softmax is not finite"
            values.append(value.item())
        if self.draws:
            return  # directions of one type are others than those of another
        size = self.evaluate(self.build(), x, y).abs().item()
        assert values[0] == pytest.approx(values[1], rel=1e-3, abs=1e-3 * size), f"in single and double: {values}"

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_a_weight_that_is_nearly_0_nearly_does_not_matter(self: Any, dtype: torch.dtype) -> None:
        self.skip_without_points()
        x, y = (each.to(dtype) for each in self.points(5, 5))
        weights = torch.tensor([2, 1, 1, 3, 1e-9], dtype=dtype)
        value = self.evaluate(self.build().to(dtype), x, y, weights, weights)
        expected = self.evaluate(self.build().to(dtype), x[:4], y[:4], weights[:4], weights[:4])
        told = f"a weight of 1e-9 changed {expected} to {value}"
        torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-5, msg=told)

    def test_a_point_split_in_two_of_half_its_weight_is_the_point(self: Any) -> None:
        self.skip_without_points()
        if not self.counts_multiplicity:
            pytest.skip("counts_multiplicity is not set")
        x, y = self.points(4, 4)
        v, w = (torch.tensor(each, dtype=torch.float64) for each in ([1.0, 2, 1, 3], [2.0, 1, 1, 1]))
        w = v if self.plugin.paired else w
        split = torch.tensor([0, 1, 1, 2, 3])
        halves = torch.tensor([1, 0.5, 0.5, 1, 1], dtype=torch.float64)
        expected = self.evaluate(self.build(), x, y, v, w)
        value = self.evaluate(self.build(), x[split], y[split], v[split] * halves, w[split] * halves)
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-7, msg=f"split, {expected} became {value}")

    def test_the_gradient_to_a_weight_of_0_is_one_sided(self: Any) -> None:
        self.skip_without_points()
        if not self.differentiates_weights:
            pytest.skip("differentiates_weights is not set")
        part, (x, y) = self.build().eval(), self.points(7, 7)
        weights, others = (
            torch.tensor(each, dtype=torch.float64)
            for each in ([2, 1, 0, 1.5, 3, 0.7, 1.1], [1, 1.3, 0.9, 1.7, 0.61, 1.2, 0.83])
        )

        def cost(given: Tensor) -> Tensor:
            found: Tensor = self.evaluate(part, x, y, given, given if self.plugin.paired else others)
            return found

        leaf, step = weights.clone().requires_grad_(), torch.zeros_like(weights)
        value = cost(leaf)
        if not value.requires_grad or (slopes := torch.autograd.grad(value, leaf, allow_unused=True)[0]) is None:
            pytest.skip("the cost has no gradient in the weights")
        step[2] = 1e-6
        expected = (-3 * cost(weights) + 4 * cost(weights + step) - cost(weights + 2 * step)) / 2e-6
        size = slopes.abs().max().item() + value.abs().item()
        told = f"the slope at a weight of 0 is {slopes[2].item()}, but differences say {expected.item()}"
        torch.testing.assert_close(slopes[2], expected, rtol=1e-3, atol=1e-3 * size, msg=told)

    def test_padded_batches_cost_what_their_clouds_do(self: Any) -> None:
        self.skip_without_points()
        if self.draws or len(self.given["shapes"]) > 1 or self.build().adversary is not None:
            pytest.skip("the cost draws, or looks at more than points")
        (x, y), part = self.points(5, 5), self.build().eval()
        weights = torch.tensor([[1.0, 1, 2, 1, 1], [1, 1, 2, 0, 0]], dtype=torch.float64)
        first, second = torch.stack([x, 2 * x]), torch.stack([y, y])
        first[1, 3:] = torch.nan
        second[1, 3:] = torch.nan
        try:
            found = part.batched(first, second, weights, weights)
            few = [part(Cloud(each[0][0], weights[0]), Cloud(each[1][0], weights[0])) for each in [(first, second)]]
            rest = part(Cloud(first[1, :3], weights[1, :3]), Cloud(second[1, :3], weights[1, :3]))
        except CloudError:
            return  # the cost is choosy about values
        torch.testing.assert_close(found, torch.stack([*few, rest]), rtol=1e-5, atol=1e-8)

    def test_uneven_weights_converge(self: Any) -> None:
        if not issubclass(self.plugin, Transport):
            pytest.skip("the cost solves nothing")
        x, y = self.points()
        weights = torch.softmax(torch.linspace(-10, 10, 6, dtype=torch.float64), 0)
        solution = self.build().solve(self.source(x, weights), self.target(y, weights))
        assert solution.converged, f"weights of a softmax leave its marginals off by {solution.marginal_error}"
