"""The transport cost of a coupling that is given: the mean of a ground cost over paired samples."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Cost, Ground
from otae.reductions import pair_weights, precise
from otae.transport import SqEuclidean, require_ground


class Paired(Cost):
    r"""Creates the transport cost of paired clouds: the error summed over entries, averaged over samples.

    $$\mathrm{W}(x, y) = \sum_{i=1}^N w_i \, c(x_i, y_i)$$

    with $w_i = 1/N$ where the clouds have no weights, and a ground cost c, such as

    - `sqeuclidean`: $\|x - y\|_2^2$;
    - `half-sqeuclidean`: $\tfrac12 \|x - y\|_2^2$, the negative log-likelihood of a unit Gaussian, as in GWAE;
    - `l1`: $\|x - y\|_1$, that of a Laplace law;
    - `bernoulli`: $-\sum_k x_k \log y_k + (1 - x_k) \log(1 - y_k)$, the cross-entropy of data x and probabilities
      y, both in [0, 1]; each logarithm is at least -100;
    - `chamfer`: of samples that are sets of P points, with shape (P, D), whose order means nothing,
      $\tfrac1P \sum_i \min_j \|x_i - y_j\|_2^2 + \tfrac1P \sum_j \min_i \|x_i - y_j\|_2^2$.

    Args:
        ground: The cost c of one pair: a ground cost, with its own options.

    References:
        Wasserstein Auto-Encoders (Tolstikhin et al., 2017)
        https://arxiv.org/abs/1711.01558

        A Point Set Generation Network for 3D Object Reconstruction from a Single Image (Fan, Su, Guibas, 2016)
        https://arxiv.org/abs/1612.00603

    Examples:
        >>> Paired()(torch.zeros(5, 1, 2, 2), torch.ones(5, 1, 2, 2)).item()
        4.0
    """

    paired = True

    def __init__(self, ground: Ground = SqEuclidean()) -> None:
        super().__init__()
        self.ground = require_ground(ground)

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean ground cost of the pairs, a scalar.

        Args:
            source: A cloud, with shape (N, …), such as data.
            target: The cloud it is paired with, with shape (N, …), such as reconstructions.

        Raises:
            CloudError: If the clouds differ in size, dimension or weights, or do not fit the ground cost.
        """
        x, y = precise(source.points), precise(target.points)
        with torch.autocast(x.device.type, enabled=False):
            return Cloud(x, pair_weights(source, target)).mean(self.ground.pair(x, y))

    def extra_repr(self) -> str:
        return f"ground={self.ground}"
