"""The rules of kernels, as a conformance suite."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from ..interfaces import Kernel
from .suite import Suite

_WAVES, _SIGMAS = 20_000, 6.0


class KernelSuite(Suite):
    """Holds the rules that kernels keep.

        class TestMatern(KernelSuite):
            plugin = Matern
            options = {"length": 2.0}

    Attributes:
        dims: The number of entries of a point that the kernel is tested with.
    """

    dims: ClassVar[int] = 3

    def points(self, count: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
        """Returns standard normal points, with shape (count, dims).

        Args:
            count: Their number.
            seed: The seed they are drawn by.
            dtype: Their type.
        """
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(count, self.dims, dtype=dtype, generator=generator)

    def fixed(self, dtype: torch.dtype = torch.float64) -> Any:
        """Returns the kernel with the lengths that it has between the test's points."""
        return self.build().fix(self.points(6, dtype=dtype), self.points(5, 1, dtype))

    def use(self, part: Any) -> None:
        part.fix(self.points(6), self.points(5, 1))(self.points(6), self.points(5, 1))

    def test_it_is_a_kernel(self) -> None:
        assert isinstance(self.build(), Kernel), "a kernel subclasses otae.Kernel"

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_it_gives_one_finite_value_of_the_points_type_for_each_pair(self, dtype: torch.dtype) -> None:
        values = self.fixed(dtype)(self.points(6, dtype=dtype), self.points(5, 1, dtype))
        assert values.shape == (6, 5), f"k(x, y) must have shape (N, M) = (6, 5), not {tuple(values.shape)}"
        assert values.dtype == dtype, f"the kernel of {dtype} points must be {dtype}, not {values.dtype}"
        assert values.isfinite().all(), "the kernel must be finite"

    def test_it_is_symmetric(self) -> None:
        kernel, x, y = self.fixed(), self.points(6), self.points(5, 1)
        torch.testing.assert_close(kernel(x, y), kernel(y, x).T, msg="a kernel is symmetric: k(x, y) = k(y, x)")

    def test_a_block_of_the_matrix_is_the_kernel_of_a_block_of_points(self) -> None:
        kernel, x, y = self.fixed(), self.points(6), self.points(5, 1)
        cure = "costs sum over blocks: what depends on all points belongs into `fix`"
        torch.testing.assert_close(kernel(x[2:4], y), kernel(x, y)[2:4], msg=lambda text: f"{cure}\n{text}")

    def test_its_diagonal_is_that_of_the_matrix(self) -> None:
        kernel, x = self.fixed(), self.points(6)
        torch.testing.assert_close(kernel.diagonal(x), kernel(x, x).diagonal(), atol=1e-6, rtol=1e-6)

    def test_it_is_positive_definite(self) -> None:
        kernel, x = self.fixed(), self.points(12)
        matrix = kernel(x, x)
        if kernel.conditional:
            centre = torch.eye(12).double() - 1 / 12
            matrix = centre @ matrix @ centre
        least = torch.linalg.eigvalsh(matrix).min()
        cure = "set `conditional` where it is positive definite for weights of sum 0 only"
        assert least >= -1e-9 * matrix.abs().max(), f"the kernel has the eigenvalue {least}: {cure}"

    def test_its_gradient_is_that_of_finite_differences(self) -> None:
        kernel, x = self.fixed(), self.points(3).requires_grad_()
        agrees = gradcheck(lambda x: kernel(x, self.points(4, 1)), (x,), raise_exception=False)
        assert agrees, "the gradient differs from finite differences: look for detach, no_grad or .data"

    def test_equal_points_have_a_finite_gradient(self) -> None:
        x = self.points(3).requires_grad_()
        (slope,) = torch.autograd.grad(self.fixed()(x, x.detach()).sum(), x)
        assert slope.isfinite().all(), (
            "the gradient must be finite where points coincide: use otae.reductions.safe_sqrt"
        )

    def test_its_lengths_do_not_depend_on_the_order_of_points(self) -> None:
        part, x, y = self.build(), self.points(6), self.points(5, 1)
        torch.testing.assert_close(part.fix(x.flip(0), y.flip(0))(x, y), part.fix(x, y)(x, y))

    def test_its_formula_is_the_kernel(self) -> None:
        kernel, x, y = self.fixed(), self.points(6), self.points(5, 1)
        formula = kernel.formula(x[:, None], y[None])  # tensors that broadcast are read as a LazyTensor is
        if formula is None:
            pytest.skip("the kernel has no formula for KeOps")
        torch.testing.assert_close(formula.reshape(6, 5), kernel(x, y), atol=1e-9, rtol=1e-7)

    def test_its_random_frequencies_have_it_for_their_mean(self) -> None:
        kernel, x, y = self.fixed(), self.points(6), self.points(5, 1)
        if not kernel.has_frequencies:
            pytest.skip("the kernel has no random frequencies")
        waves = kernel.draw_frequencies(_WAVES, x, torch.Generator().manual_seed(0))
        assert waves.shape == (self.dims, _WAVES), f"frequencies have shape (D, F), not {tuple(waves.shape)}"
        cosines = ((x[:, None] - y) @ waves).cos()  # (N, M, F)
        truth = kernel(x, y) / kernel.diagonal(x)[:, None]
        off = (cosines.mean(2) - truth).abs() / (cosines.std(2) / _WAVES**0.5 + 1e-12)
        assert off.max() < _SIGMAS, f"the mean of the waves differs from the kernel by {off.max():.1f} standard errors"
