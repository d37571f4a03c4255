"""The maximum mean discrepancy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Cost
from otae.reductions import Backend

from .discrepancy import discrepancy
from .estimators import Estimator, points_with_mass
from .lengths import Lengths
from .named import Name, Positive, Scales, in_words, mixed


class MMD(Cost):
    r"""Creates the squared maximum mean discrepancy of a kernel.

    $$\mathrm{MMD}^2(x, y) = \mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y)$$

    Kernels, with the distance d of two points:

    - `imq`: the inverse multiquadratic $\sum_s Cs / (Cs + d^2)$ with $C = 2 D \sigma^2$, whose slow decay reaches clouds
      far apart; by default with the seven scales s of WAE-MMD;
    - `gaussian`: $\sum_s \exp(-d^2 / 2sh^2)$;
    - `laplacian`: $\sum_s \exp(-d / \sqrt{s}\,h)$;
    - `rational-quadratic`: $\sum_s (1 + d^2 / 2 \alpha sh^2)^{-\alpha}$, a mixture of Gaussians of all lengths;
    - `energy`: $-d$, the energy distance $2\,\mathbb{E}\|x-y\| - \mathbb{E}\|x-x'\| - \mathbb{E}\|y-y'\|$, which has
      no length to choose and grows linearly with the distance of the clouds;
    - several of them, by their weights: `{gaussian: 1, energy: 0.1}`.

    Estimators: `unbiased` leaves out each point's pair with itself, so that clouds of one law have mean 0, as in WAE-MMD;
    single values may be negative. `biased` keeps these pairs: never negative, but positive by about
    (k(0) - E k) / N per cloud where the laws agree. Points of mass 0 do not take part.

    Memory is O((N+M) D), whatever the number of points; the time is that of one matrix product for each of the three
    means, however many scales there are.

    Args:
        kernel: The kernel, or the weight of each of several.
        estimator: The estimator of the means within a cloud.
        variance: The variance σ² of the prior in each dimension, the length of `imq`.
        scales: The factors s of the squared length over which a kernel is summed; by default those of WAE for `imq`, and 1
            for the others.
        bandwidth: The length h of `gaussian`, `laplacian` and `rational-quadratic`; `median` is the median distance of
            the points of both clouds (of at most 256 of each), without gradients.
        alpha: The exponent α of `rational-quadratic`.
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
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [4.0]])
        >>> round(MMD(kernel="energy", estimator="biased")(x, y).item(), 6)
        5.0
        >>> round(MMD(kernel={"gaussian": 0.5, "energy": 1.0}, bandwidth=1.0)(x, x + 3).item(), 4)
        4.5671
    """

    vectorized = True

    def __init__(
        self,
        kernel: Name | Annotated[dict[Name, Positive], Field(min_length=1)] = "imq",
        estimator: Estimator = "unbiased",
        variance: Positive = 1.0,
        scales: Scales | None = None,
        bandwidth: Positive | Literal["median"] = "median",
        alpha: Positive = 1.0,
        backend: Backend = "auto",
    ) -> None:
        super().__init__()
        self.weights = dict(kernel) if isinstance(kernel, dict) else {kernel: 1.0}
        self.estimator = estimator
        self.lengths = Lengths(variance, None if scales is None else tuple(scales), bandwidth, alpha)
        self.backend = backend

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        (x, a), (y, b) = (
            points_with_mass(cloud, side, self.estimator) for cloud, side in ((source, "source"), (target, "target"))
        )
        kernel = mixed(self.weights, self.lengths.between(x, y))
        return discrepancy(kernel, (x, a), (y, b), self.estimator, self.backend)

    def extra_repr(self) -> str:
        return f"kernel={in_words(self.weights)}, estimator={self.estimator}"
