"""The laws of costs about derivatives: in any precision, under any of torch's doors, of the second order or refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from .law_subject import LawSubject


class DerivativeLaws(LawSubject):
    """Holds the laws of costs about derivatives."""

    def test_functional_gradients_are_those_of_autograd(self: Any) -> None:
        self.skip_without_points()
        part, (x, y) = self.build().eval(), self.points()
        leaf = x.clone().requires_grad_()
        expected = torch.autograd.grad(self.evaluate(part, leaf, y), leaf)[0]
        try:
            found = torch.func.grad(lambda z: self.evaluate(part, z, y))(x)
        except RuntimeError as error:
            pytest.fail(f"torch.func.grad fails: give autograd functions a setup_context. {error}")
        torch.testing.assert_close(found, expected)

    def test_gradients_in_single_precision_are_those_in_double(self: Any) -> None:
        self.skip_without_points()
        if self.draws:
            pytest.skip("draws of one type are others than those of another")
        found = []
        for dtype in (torch.float32, torch.float64):
            x, y = (each.to(dtype).requires_grad_() for each in self.points())
            value = self.evaluate(self.build().to(dtype), x, y)
            found.append(
                [each.double() for each in torch.autograd.grad(value, (x, y), allow_unused=True) if each is not None]
            )
        for single, double in zip(*found, strict=True):
            torch.testing.assert_close(single, double, rtol=1e-2, atol=1e-2 * double.abs().max().item())

    def test_second_derivatives_are_right_or_refused(self: Any) -> None:
        self.skip_without_points()
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
