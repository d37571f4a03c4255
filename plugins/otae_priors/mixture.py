"""The Gaussian mixture prior, with learned means, covariances and weights."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.distributions import MixtureSameFamily

from otae.errors import CloudError
from otae.interfaces import Prior

from .choice import argmax, perturb, sparsemax
from .estimates import Fitted, fit_mixture, log_likelihood, maximise
from .gaussians import Gaussians

_STEPS = 3  # of expectation maximisation, where components follow the codes


class Mixture(Prior):
    r"""Creates a mixture of Gaussians with full covariances, all learned; the meta-prior of clustering.

    $$z = \frac{m_k + S_k \varepsilon - \mu}{\sigma}, \qquad k \sim w, \quad \varepsilon \sim \mathcal{N}(0, I_d)$$

    The mean μ and the deviation σ of each dimension are those of the mixture itself, in closed form and differentiable:
    the prior has zero mean and unit variance exactly, without the noise, the running moments and the smallest batch of
    a batch normalisation. It is still a mixture of Gaussians, of which `law` and `components` speak.

    In evaluation, draws follow this law exactly. Such draws carry no gradient to the weights, for two clusters apart
    have nothing between them to differentiate; straight-through estimators do not help, since they move all clusters
    alike and the standardisation takes that back. In training, the component is therefore drawn by a Gumbel-sparsemax:
    most draws still come from one component, and a share of about the temperature lies on the way between two, where
    gradients measure what it costs to move mass from one to the other. They are exact for the relaxed law, whose
    distance to the mixture shrinks with the temperature as their variance grows.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        components: The number of components K.
        scale: The standard deviation of each component at the start, where the means are standard normal.
        temperature: How much the choice of a component is relaxed in training.
        warmup: The number of epochs after which the components start anew, as the mixture that expectation maximisation
            fits to the codes of the training data; the random start is kept where `None`.
        every: The number of epochs after which the components follow the codes again, by a few steps of expectation
            maximisation from where they are; gradients alone move them where `None`.
        tries: The number of starts of the first fit from k-means, of which the one with the highest likelihood counts.
        rivals: The number of starts from k-means that are fitted anew each time the components follow; the best of them
            takes their place where it makes the codes more likely, so that a class which was lost can come back.

    Attributes:
        means: The components' means m before standardisation, with shape (K, latent_dim).
        roots: The roots S of their covariances S Sᵀ before standardisation, with shape (K, latent_dim, latent_dim).
        logits: The unnormalised logarithms of the weights w, with shape (K,); all equal at the start.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

        Sparse Communication via Mixed Distributions (Farinhas et al., 2022)
        https://arxiv.org/abs/2108.02658

    Examples:
        >>> prior = Mixture(latent_dim=2, components=3).eval()
        >>> tuple(prior.components.assign(prior.sample(5)).shape)
        (5, 3)
    """

    def __init__(
        self,
        latent_dim: int,
        components: Annotated[int, Field(gt=0)] = 10,
        scale: Annotated[float, Field(gt=0)] = 0.5,
        temperature: Annotated[float, Field(gt=0)] = 0.1,
        warmup: Annotated[int, Field(gt=0)] | None = None,
        every: Annotated[int, Field(gt=0)] | None = None,
        tries: Annotated[int, Field(gt=0, le=1000)] = 10,
        rivals: Annotated[int, Field(ge=0, le=1000)] = 0,
    ) -> None:
        super().__init__(latent_dim)
        self.warmup, self.every, self.tries, self.rivals = warmup, every, tries, rivals
        self.temperature = temperature
        self.means = nn.Parameter(torch.randn(components, latent_dim))
        self.roots = nn.Parameter(scale * torch.eye(latent_dim).repeat(components, 1, 1))
        self.logits = nn.Parameter(torch.zeros(components))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        noise = self.normal(count, self.latent_dim, generator=generator)
        scores = perturb(self.logits, self.uniform(count, len(self.logits), generator=generator))
        choices = sparsemax(scores / self.temperature) if self.training else argmax(scores)  # (count, K)
        components = self.components
        candidates = components.means + torch.einsum("kde,ne->nkd", components.roots, noise)
        return torch.einsum("nk,nkd->nd", choices, candidates)

    @torch.no_grad()
    def start(self, codes: Tensor, again: bool = False) -> None:
        """Sets the components to the mixture that fits codes best, standardised as ever.

        Args:
            codes: The codes of the training data, with shape (N, latent_dim).
            again: Whether to go on from the components as they are instead of anew.

        Raises:
            CloudError: If there are fewer codes than components.
        """
        if len(codes) < (least := max(2, len(self.logits))):
            raise CloudError(
                f"The prior mixture starts from at least {least} codes, got {len(codes)}. Give more data, or leave out warmup."
            )
        codes = codes.detach().double().cpu()
        found = self._follow(codes) if again else fit_mixture(codes, len(self.logits), self.tries)
        for parameter, values in ((self.means, found.means), (self.roots, found.roots), (self.logits, found.logits)):
            parameter.copy_(values)

    def _follow(self, codes: Tensor) -> Fitted:
        """Returns the mixture after some steps of expectation maximisation, or a rival that makes the codes more likely.

        Args:
            codes: The codes, in double precision, with shape (N, latent_dim).
        """
        logits, means, roots = (each.detach().double().cpu() for each in (self.logits, self.means, self.roots))
        starts = [Fitted(logits, means, logits, roots)]
        if self.rivals:
            starts.append(fit_mixture(codes, len(logits), self.rivals))
        found = [_improve(start, codes) for start in starts]
        return max(found, key=lambda each: log_likelihood(each, codes))

    @property
    def components(self) -> Gaussians:
        """Returns the components after standardisation."""
        weights = self.logits.softmax(0)
        mean = weights @ self.means
        variance = weights @ ((self.means - mean).square() + self.roots.square().sum(2))
        means, roots = (self.means - mean) / variance.sqrt(), self.roots / variance.sqrt()[:, None]
        return Gaussians(self, self.logits, means, roots)

    @property
    def law(self) -> MixtureSameFamily:
        """Returns the mixture after standardisation, differentiable in all parameters."""
        return self.components.law

    def extra_repr(self) -> str:
        return f"components={len(self.logits)}, temperature={self.temperature:g}"


def _improve(mixture: Fitted, codes: Tensor) -> Fitted:
    for _ in range(_STEPS):
        mixture = maximise(mixture, codes)
    return mixture
