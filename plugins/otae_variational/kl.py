"""The Kullback-Leibler divergence."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.distributions import kl_divergence

from otae.cloud import Cloud
from otae.interfaces import Cost

from .density import law_of


class KL(Cost):
    r"""Creates the Kullback-Leibler divergence of the source's laws from the target's.

    $$\mathbb{E}_i\, \mathrm{KL}(q_i \,\|\, p) = \mathbb{E}_i\, \mathbb{E}_{z \sim q_i} \log \frac{q_i(z)}{p(z)}$$

    The divergence is in closed form where torch knows one, such as between normal laws. Otherwise it is the unbiased
    estimate $\log q_i(z_i) - \log p(z_i)$ at the source's own points, through which gradients flow. The mean is taken
    with the masses of the source. The target has one law for all points, or one for each point of the source. Where p
    has no mass but q has, as with a uniform prior and normal codes, the divergence is infinite: use another cost there.

    Raises:
        CloudError: If a cloud has no law, or one without a density.

    References:
        Auto-Encoding Variational Bayes (Kingma, Welling, 2014)
        https://arxiv.org/abs/1312.6114

    Examples:
        >>> import torch
        >>> from torch.distributions import Independent, Normal
        >>> q, p = (Independent(Normal(torch.full((2,), mean), torch.ones(2)), 1) for mean in (1.0, 0.0))
        >>> KL()(Cloud(q.sample((5,)), law=q), Cloud(p.sample((5,)), law=p)).item()
        1.0
    """

    needs_density: ClassVar[bool] = True
    separable: ClassVar[bool] = True

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        q = law_of(source, len(source), "KL needs the law of its source")
        p = law_of(target, len(source), "KL needs the law of its target")
        try:
            divergence = kl_divergence(q, p)
        except NotImplementedError:
            divergence = q.log_prob(source.points) - p.log_prob(source.points)
        return source.mean(divergence.expand(len(source)))
