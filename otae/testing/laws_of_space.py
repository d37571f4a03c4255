"""The laws of costs about where points lie: equal clouds, units, translations and isometries."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ..errors import CloudError
from .law_subject import FLOATS, LawSubject

_ORDER = [4, 2, 8, 0, 6, 1, 7, 3, 5]
_UNITS = (1e-10, 1e-6, 1e4, 1e10)


class SpaceLaws(LawSubject):
    """Holds the laws of costs about where points lie."""

    @pytest.mark.parametrize("spread", [1e-2, 1.0, 100.0])
    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_equal_clouds_cost_nothing_in_any_order_at_any_spread(self: Any, dtype: torch.dtype, spread: float) -> None:
        self.skip_without_points()
        if not self.vanishes:
            pytest.skip("vanishes is not set")
        x = spread * self.points(9, 9)[0]
        order = torch.tensor(_ORDER) if not self.plugin.paired else torch.arange(9)
        twin = self.turn(x)[order]
        first, pull = self._pull(self.build(), x, 2 * twin.flip(0))
        value, left = self._pull(self.build().to(dtype), x.to(dtype), twin.to(dtype))
        if not self.degree or not self.keeps_mass:  # it has lengths of its own, at which it is as large as it gets
            others, force = self._pull(self.build(), x / spread, 2 * twin.flip(0) / spread)
            size, pull = max(abs(first), abs(others)), max(pull, force)
        else:
            size = max(abs(first), float(torch.pdist(x).max()) ** self.degree)
        bound = (1e-6 if dtype == torch.float64 else self.single) * max(size, 1e-12)
        assert abs(value) <= bound, f"equal clouds cost {value}, where others cost {first}: let errors cancel"
        assert not self.smooth or left <= 1e-2 * pull, (
            f"equal clouds pull by {left}, where others do by {pull}: descent would leave them"
        )

    def _pull(self: Any, part: Any, x: Tensor, y: Tensor) -> tuple[float, float]:
        """Returns the cost of two clouds, and the size of its gradient."""
        leaf = x.clone().requires_grad_()
        value = self.evaluate(part, leaf, y)
        (slopes,) = torch.autograd.grad(value, leaf)
        return value.item(), slopes.norm().item()

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_units_scale_it(self: Any, dtype: torch.dtype) -> None:
        self.skip_without_points()
        if self.degree is None:
            pytest.skip("degree is not set")
        x, y = self.points()
        value = self.evaluate(self.build(), x, y).item()
        noise = 1e-6 if dtype == torch.float32 else 0.0  # of points with lengths about 1
        if self.draws and dtype == torch.float32:
            pytest.skip("draws of one type are others than those of another")
        for factor in _UNITS:
            expected = value * factor**self.degree
            low, high = torch.finfo(dtype).tiny * 1e12, torch.finfo(dtype).max / 1e12
            try:
                part = self.build_in_units(factor, dtype)
                found = self.evaluate(part, (factor * x).to(dtype), (factor * y).to(dtype)).item()
            except CloudError:
                assert not low < abs(expected) < high, f"in units of {factor} it is refused, but {expected} is a number"
                continue
            assert not math.isnan(found), f"in units of {factor} it is not a number"
            close = pytest.approx(expected, rel=1e-3, abs=noise * factor**self.degree)
            assert not low < abs(expected) < high or found == close, (
                f"in units of {factor} it is {found}, not {expected}: let no constant carry a unit"
            )

    def test_translations_of_both_clouds_change_nothing(self: Any) -> None:
        self.skip_without_points()
        if not self.moves_freely:
            pytest.skip("moves_freely is not set")
        x, y = self.points()
        expected = self.evaluate(self.build(), x, y)
        torch.testing.assert_close(self.evaluate(self.build(), x + 50, y + 50), expected, rtol=1e-5, atol=1e-8)
        if self.draws:
            return
        moved = self.evaluate(self.build().float(), (x + 50).float(), (y + 50).float())
        torch.testing.assert_close(moved.double(), expected, rtol=1e-3, atol=1e-3 * abs(expected.item()))

    def test_isometries_of_one_cloud_change_nothing(self: Any) -> None:
        self.skip_without_points()
        if not self.isometries:
            pytest.skip("isometries is not set")
        x, y = self.points()
        turn = torch.linalg.qr(x.T @ x).Q
        expected = self.evaluate(self.build(), x, y)
        torch.testing.assert_close(self.evaluate(self.build(), x @ turn, y), expected, rtol=1e-5, atol=1e-8)
        torch.testing.assert_close(self.evaluate(self.build(), x + 50, y), expected, rtol=1e-5, atol=1e-8)
