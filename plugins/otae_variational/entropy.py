"""The entropy of a cloud's law, as a cost that rewards it."""

from __future__ import annotations

from functools import singledispatch
from math import e, log, pi
from typing import ClassVar

from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from otae.cloud import Cloud
from otae.interfaces import Cost

from .density import law_of


class Entropy(Cost):
    r"""Creates the negative entropy of the source's laws, doubled and without constants: it spreads the codes.

    $$-2\, \mathbb{E}_i \Big[ H(q_i) - \tfrac d2 \log(2 \pi e) \Big]
    \qquad = \quad -\mathbb{E}_i \sum_k \log \sigma_{ik}^2 \quad \text{for } q_i = \mathcal{N}(\mu_i, \sigma_i^2)$$

    It looks at its source alone. For normal laws it is the entropy term of the Gromov-Wasserstein autoencoder exactly.
    Laws whose entropy has no closed form are given the unbiased estimate $-\log q_i(z_i)$ at the cloud's own points.

    Raises:
        CloudError: If the source has no law, or one without a density.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

    Examples:
        >>> import torch
        >>> law = Independent(Normal(torch.zeros(5, 2), torch.full((5, 2), 0.5)), 1)
        >>> round(Entropy()(Cloud(law.sample(), law=law)).item(), 4)  # -2 log(0.25)
        2.7726
    """

    unary: ClassVar[bool] = True
    needs_density: ClassVar[bool] = True
    separable: ClassVar[bool] = True

    def forward(self, source: Cloud, target: Cloud | None = None) -> Tensor:
        law = law_of(source, len(source), "Entropy needs the law of its source")
        try:
            excess = excess_entropy(law)
        except NotImplementedError:
            excess = -law.log_prob(source.points) - _standard(law)
        return -2 * source.mean(excess.expand(len(source)))


@singledispatch
def excess_entropy(law: Distribution) -> Tensor:
    r"""Returns by how much a law's entropy exceeds that of a standard normal law, with the law's batch shape.

    $$H(q) - \tfrac d2 \log(2 \pi e)$$

    Args:
        law: The law, over events of d entries.

    Raises:
        NotImplementedError: If the entropy has no closed form.
    """
    return law.entropy() - _standard(law)


@excess_entropy.register(Independent)
def _(law: Independent[Distribution]) -> Tensor:
    each, dims = excess_entropy(law.base_dist), law.reinterpreted_batch_ndims
    return each.sum(tuple(range(-dims, 0))) if dims else each


@excess_entropy.register(Normal)
def _(law: Normal) -> Tensor:
    return law.scale.log()  # nothing to cancel: exact where the entropy is small, in single precision as well


def _standard(law: Distribution) -> float:
    return law.event_shape.numel() / 2 * log(2 * pi * e)
