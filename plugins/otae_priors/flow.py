"""The flow prior: an invertible network makes it of normal noise, so that it has a density."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Generator, Tensor
from torch.distributions import AffineTransform, Distribution, TransformedDistribution
from zuko.flows import NSF

from otae.interfaces import Prior

from .standardize import Standardize


class Flow(Prior):
    r"""Creates a prior by a neural spline flow: as free as `neural`, and with a density.

    $$z = \frac{f_\theta^{-1}(\varepsilon) - \mu}{\sigma}, \qquad
    \log \pi(z) = \log \mathcal{N}\big(f_\theta(x); 0, I_d\big) + \log \big|\det f_\theta'(x)\big| + \sum_k \log \sigma_k,
    \quad x = \sigma z + \mu$$

    The flow f is of coupling layers whose splines are monotone: both ways cost one pass per half of the dimensions. The
    moments μ and σ are those of a batch in training, the running ones in evaluation. `law` takes the running moments
    always, as constants. Set `standardize` to false where the objective holds the scale of the codes by itself, such as a
    KL with the codes: the law is then exactly that of the draws in training, too.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        transforms: The number of coupling layers.
        width: The width of the two hidden layers of each layer's network.
        bins: The number of bins of each spline.
        standardize: Whether the draws have zero mean and unit variance.

    References:
        Neural Spline Flows (Durkan et al., 2019)
        https://arxiv.org/abs/1906.04032

    Examples:
        >>> prior = Flow(latent_dim=2).eval()
        >>> tuple(prior.law.log_prob(prior.sample(5)).shape)
        (5,)
    """

    def __init__(
        self,
        latent_dim: int,
        transforms: Annotated[int, Field(gt=0, le=64)] = 3,
        width: Annotated[int, Field(gt=0)] = 64,
        bins: Annotated[int, Field(gt=1)] = 8,
        standardize: bool = True,
    ) -> None:
        super().__init__(latent_dim)
        self.flow = NSF(latent_dim, bins=bins, transforms=transforms, passes=2, hidden_features=(width, width))
        self.standardize = Standardize(latent_dim) if standardize else None

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        x: Tensor = self.flow().transform.inv(self.normal(count, self.latent_dim, generator=generator))
        return x if self.standardize is None else self.standardize(x)

    @property
    def law(self) -> Distribution:
        """Returns the law of draws in evaluation, differentiable in the flow."""
        mean, scale = self._moments()
        affine = AffineTransform(-mean / scale, 1 / scale, event_dim=1)
        return TransformedDistribution(self.flow(), [affine], validate_args=False)

    def interpolate(self, a: Tensor, b: Tensor, fractions: Tensor) -> Tensor:
        """Returns what the flow makes of straight lines between the codes' noises, with shape (N, T, latent_dim).

        Args:
            a: Where the ways begin, with shape (N, latent_dim).
            b: Where they end, with shape (N, latent_dim).
            fractions: The shares of the way that are done, with shape (T,).
        """
        mean, scale = self._moments()
        transform = self.flow().transform
        lines = super().interpolate(transform(a * scale + mean), transform(b * scale + mean), fractions)
        ways: Tensor = transform.inv(lines.flatten(0, 1)).unflatten(0, lines.shape[:2])
        return (ways - mean) / scale

    def _moments(self) -> tuple[Tensor, Tensor]:
        if self.standardize is None:
            return self._anchor.new_zeros(self.latent_dim), self._anchor.new_ones(self.latent_dim)
        return self.standardize.moments
