"""A mixture of Gaussians, in components: the shape of every prior here whose density is such a mixture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from otae.interfaces import Components, Prior


@dataclass(frozen=True, eq=False)
class Gaussians(Components):
    r"""Creates a mixture of Gaussians with full covariances.

    $$\sum_k w_k \, \mathcal{N}(m_k, S_k S_k^\top)$$

    Args:
        prior: The prior whose mixture it is, the source of noise.
        logits: The logarithms of the weights w, up to a constant, with shape (K,).
        means: The means m, with shape (K, D).
        roots: The roots S of the covariances S Sᵀ, with shape (K, D, D).
    """

    prior: Prior
    logits: Tensor
    means: Tensor
    roots: Tensor

    @property
    def weights(self) -> Tensor:
        return self.logits.softmax(0)

    def sample(self, component: int, count: int, generator: Generator | None = None) -> Tensor:
        noise = self.prior.normal(count, self.means.shape[1], generator=generator)
        return self.means[component] + noise @ self.roots[component].T

    def assign(self, z: Tensor) -> Tensor:
        r"""Returns the posterior probability of each component, with shape (N, K).

        $$p(k \mid z) \propto w_k \, \mathcal{N}(z; m_k, S_k S_k^\top)$$

        Args:
            z: The codes, with shape (N, D).
        """
        joint: Tensor = self.logits + self.law.component_distribution.log_prob(z[:, None, :])
        return joint.softmax(1)

    @property
    def law(self) -> MixtureSameFamily:
        """Returns the mixture, differentiable in its weights, means and roots."""
        gaussians = MultivariateNormal(self.means, scale_tril=_triangular(self.roots))
        return MixtureSameFamily(Categorical(logits=self.logits), gaussians)


def _triangular(roots: Tensor) -> Tensor:
    """Returns the Cholesky factors of S Sᵀ, with shape (K, D, D), without squaring the condition number of S.

    Args:
        roots: The roots S, with shape (K, D, D).
    """
    upper: Tensor = torch.linalg.qr(roots.mT).R
    diagonal = upper.diagonal(dim1=-2, dim2=-1)
    return upper.mT * torch.where(diagonal < 0, -1, 1)[:, None, :]
