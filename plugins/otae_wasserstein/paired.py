"""The transport cost of a coupling that is given: the mean of a ground cost over paired samples."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError
from otae.interfaces import Batch, Cost, Ground
from otae.reductions import batch_pair_masses, pair_weights, precise
from otae.transport import SqEuclidean, require_ground

from .grounds import Chamfer


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

    With `padded`, x and y are sequences of unequal length, with shape (L, C + 1), whose last channel m tells which steps are
    there: in the padding of x nothing is compared, and $-\sum_t m_t \log m'_t + (1 - m_t) \log(1 - m'_t)$ of the last
    channels is added.

    Args:
        ground: The cost c of one pair: a ground cost, with its own options.
        padded: Whether the last channel tells which steps are there, as datasets with `lengths` give it.

    References:
        Wasserstein Auto-Encoders (Tolstikhin et al., 2017)
        https://arxiv.org/abs/1711.01558

        A Point Set Generation Network for 3D Object Reconstruction from a Single Image (Fan, Su, Guibas, 2016)
        https://arxiv.org/abs/1612.00603

    Examples:
        >>> import torch
        >>> Paired()(torch.zeros(5, 1, 2, 2), torch.ones(5, 1, 2, 2)).item()
        4.0
    """

    paired = True
    separable = True

    def __init__(self, ground: Ground = SqEuclidean(), *, padded: bool = False) -> None:
        super().__init__()
        self.ground, self.padded = require_ground(ground), padded
        if padded and isinstance(self.ground, Chamfer):
            raise ConfigError("The ground cost 'chamfer' is of sets of points, which have no padding. Choose another.")

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean ground cost of the pairs, a scalar.

        Args:
            source: A cloud, with shape (N, …), such as data.
            target: The cloud it is paired with, with shape (N, …), such as reconstructions.

        Raises:
            CloudError: If the clouds differ in size, dimension or weights, or do not fit the ground cost.
        """
        x, y = precise(source.points), precise(target.points)
        return Cloud(x, pair_weights(source, target)).mean(self._compare(x, y))

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the ground cost of each pair, with shape (N,)."""
        if not self.padded:
            return self.ground.pair(x, y)
        if x.ndim != 3 or x.shape[2] < 2:
            raise CloudError(f"Padded sequences have shape (N, L, C + 1), got {tuple(x.shape)}: leave padded out.")
        there = (x[..., -1] > 0.5).to(y.dtype)  # (N, L)
        lengths = F.binary_cross_entropy(y[..., -1].clamp(0, 1), there, reduction="none").sum(1)
        kept = there[..., None]
        return self.ground.pair(x[..., :-1] * kept, y[..., :-1] * kept) + lengths

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the mean ground costs of a batch of pairs of clouds, with shape (B,).

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The clouds they are paired with, with shape (B, N, D).

        Raises:
            CloudError: If both have weights and their masses differ.
        """
        masses = batch_pair_masses(source, target)
        costs = self._compare(source.points.flatten(0, 1), target.points.flatten(0, 1))
        return (costs.reshape(masses.shape) * masses).sum(1)

    def extra_repr(self) -> str:
        return f"ground={self.ground}"
