"""The maximum mean discrepancy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Batch, Cost
from otae.reductions import Backend

from .batches import compare_radially, fix_radial
from .discrepancy import discrepancy
from .estimators import Estimator, fix_on_mass, points_with_mass
from .kernels import IMQ
from .kernels.choice import Kernels, require_kernel


class MMD(Cost):
    r"""Creates the squared maximum mean discrepancy of a kernel.

    $$\mathrm{MMD}^2(x, y) = \mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y)$$

    A kernel is an object with options of its own, `imq`, `gaussian`, `laplacian`, `rational-quadratic`, `energy` or another
    package's; kernels add and multiply: `Gaussian(1.0) + 0.1 * Energy()`.

    Estimators: `unbiased` leaves out each point's pair with itself, so that clouds of one law have mean 0, as in WAE-MMD;
    single values may be negative. `biased` keeps these pairs: never negative, but positive by about
    (k(0) - E k) / N per cloud where the laws agree. Points of mass 0 do not take part.

    Memory is O((N+M) D), whatever the number of points; the time is that of one matrix product for each of the three
    means, however many scales there are.

    Args:
        kernel: The kernel, or several as their sum; that of WAE-MMD by default.
        estimator: The estimator of the means within a cloud.
        backend: What sums over the pairs: `dense` torch in tiles, `keops`, or `auto` for the faster one.

    Raises:
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.
        BackendError: If KeOps is asked for and cannot run here.

    References:
        A Kernel Two-Sample Test (Gretton et al., 2012)
        https://jmlr.org/papers/v13/gretton12a.html

        Wasserstein Auto-Encoders (Tolstikhin et al., 2018)
        https://arxiv.org/abs/1711.01558

        Equivalence of Distance-Based and RKHS-Based Statistics in Hypothesis Testing (Sejdinovic et al., 2013)
        https://arxiv.org/abs/1207.6076

    Examples:
        >>> import torch
        >>> from otae_mmd import Energy, Gaussian
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [4.0]])
        >>> round(MMD(Energy(), estimator="biased")(x, y).item(), 6)
        5.0
        >>> round(MMD(0.5 * Gaussian(1.0) + Energy())(x, x + 3).item(), 4)
        4.5671
    """

    vectorized = True

    former: ClassVar[Mapping[str, str]] = {
        "bandwidth": "kernel: {name: gaussian, bandwidth: VALUE}",
        "variance": "kernel: {name: imq, variance: VALUE}",
        "scales": "kernel: {name: imq, scales: VALUE}, or those of another kernel,",
        "alpha": "kernel: {name: rational-quadratic, alpha: VALUE}",
    }

    def __init__(
        self,
        kernel: Kernels = IMQ(),
        estimator: Estimator = "unbiased",
        backend: Backend = "auto",
    ) -> None:
        super().__init__()
        self.kernel, self.estimator, self.backend = require_kernel(kernel), estimator, backend

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        (x, a), (y, b) = (
            points_with_mass(cloud, side, self.estimator) for cloud, side in ((source, "source"), (target, "target"))
        )
        return discrepancy(fix_on_mass(self.kernel, (x, a), (y, b)), (x, a), (y, b), self.estimator, self.backend)

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the discrepancies of a batch of pairs of clouds, with shape (B,).

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        kernel = fix_radial(self.kernel, source, target)
        if kernel is None:
            return super().compare_batch(source, target)
        return compare_radially(kernel, source, target, self.estimator)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, estimator={self.estimator}"
