"""The head of an encoder: from features to a law over codes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from otae.interfaces import Dirac

from .implicit import Implicit

Noise: TypeAlias = Literal["gaussian", "implicit", "none"]

_UNITS = 128  # of the layer that an implicit head feeds with noise

LOG_VARIANCE_BOUND = 20.0
"""The log-variance is kept within ±20, the deviation between 4.5e-5 and 2.2e4, which even half precision holds.

Codes of about unit scale stay far inside, so ordinary training never meets the bound; beyond it no gradient flows.
"""


class Head(nn.Module, ABC):
    """Creates a map from features to a law over codes.

    Args:
        features: The number of entries of a feature vector.
        latent_dim: The number of entries of a code.

    Attributes:
        has_density: Whether the law has a density.
    """

    has_density: ClassVar[bool]

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)

    @abstractmethod
    def forward(self, features: Tensor) -> Distribution:
        """Returns the law of each code, with batch shape (N,) and event shape (latent_dim,).

        Args:
            features: The features, with shape (N, features).
        """

    if TYPE_CHECKING:

        def __call__(self, features: Tensor) -> Distribution: ...


class GaussianHead(Head):
    r"""Creates the head of a Gaussian law with a diagonal covariance.

    $$q(z|x) = \mathcal{N}(\mu(x), \operatorname{diag} \sigma^2(x)), \quad \sigma = \exp(\tfrac12 \log \sigma^2)$$

    Args:
        features: The number of entries of a feature vector.
        latent_dim: The number of entries of a code.
    """

    has_density = True

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__(features, latent_dim)
        self.log_variance = nn.Linear(features, latent_dim)

    def forward(self, features: Tensor) -> Distribution:
        log_variance = self.log_variance(features).clamp(-LOG_VARIANCE_BOUND, LOG_VARIANCE_BOUND)
        # Validation would wait for the GPU at each batch, and turn a NaN into an error that names no term of the loss.
        law = Normal(self.mean(features), log_variance.mul(0.5).exp(), validate_args=False)
        return Independent(law, 1, validate_args=False)


class DiracHead(Head):
    """Creates the head of a deterministic encoder: all mass on one code.

    Args:
        features: The number of entries of a feature vector.
        latent_dim: The number of entries of a code.
    """

    has_density = False

    def forward(self, features: Tensor) -> Distribution:
        return Dirac(self.mean(features))


class ImplicitHead(Head):
    r"""Creates the head of an encoder without a density: noise enters its last hidden layer.

    $$z = \mu(x) + B \operatorname{relu}(c(x) + D \varepsilon), \quad \varepsilon \sim \mathcal{N}(0, I)$$

    The layer has 128 units, and the noise as many entries as a code. The units' offsets depend on x, so that the law may
    be wide for one sample and narrow for the next. The law's mean is exact, and needs no draws.

    Args:
        features: The number of entries of a feature vector.
        latent_dim: The number of entries of a code.

    References:
        Adversarial Variational Bayes (Mescheder, Nowozin, Geiger, 2017)
        https://arxiv.org/abs/1701.04722
    """

    has_density = False

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__(features, latent_dim)
        self.drive = nn.Linear(features, _UNITS)
        self.spread = nn.Parameter(torch.randn(_UNITS, latent_dim) / latent_dim**0.5)  # each unit's noise of variance 1
        self.readout = nn.Parameter(torch.randn(latent_dim, _UNITS) / _UNITS**0.5)

    def forward(self, features: Tensor) -> Distribution:
        return Implicit(self.mean(features), self.drive(features), self.spread, self.readout)


HEADS: Mapping[Noise, type[Head]] = {"gaussian": GaussianHead, "implicit": ImplicitHead, "none": DiracHead}
