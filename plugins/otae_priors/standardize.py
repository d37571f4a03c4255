"""Standardisation of what a network draws: zero mean and unit variance in each dimension."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Standardize(nn.Module):
    r"""Creates a map to zero mean and unit variance per dimension, without parameters.

    $$z_k = \frac{x_k - \mu_k}{\sqrt{\sigma_k^2 + \epsilon}}$$

    In training, the moments are those of the batch, which also update the running ones. In evaluation they are the
    running ones, so that each draw is mapped on its own. A training batch of one draw has no variance: it is mapped by
    the running moments, too, and does not update them. The default momentum averages some forty batches: with 0.5,
    as in the code of Gromov-Wasserstein autoencoders, the running moments are those of the last two, and on the digits
    the draws of a trained prior had a deviation of 0.85 where training had seen 1. The default ε is below a batch
    normalisation's usual 1e-5, for fresh networks draw values that vary as little as that.

    Args:
        size: The number of dimensions.
        momentum: The share of the newest batch in the running moments.
        epsilon: The constant ε that keeps a constant dimension finite.

    References:
        Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift
        (Ioffe, Szegedy, 2015)
        https://arxiv.org/abs/1502.03167
    """

    def __init__(self, size: int, momentum: float = 0.05, epsilon: float = 1e-8) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(size, eps=epsilon, momentum=momentum, affine=False)

    @property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Returns the running means and deviations by which draws are mapped in evaluation, each with shape (size,)."""
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        return mean.clone(), (variance + self.norm.eps).sqrt()

    def forward(self, x: Tensor, followed: Tensor | None = None) -> Tensor:
        """Returns the standardised draws, with shape (N, size).

        Args:
            x: The draws, with shape (N, size).
            followed: The draws whose moments the running ones follow in training, with shape (N, size); x itself where
                `None`. They differ where evaluation draws from another law than training does.
        """
        if self.training and len(x) > 1:
            if followed is None:
                result: Tensor = self.norm(x)
                return result
            self.norm(followed.detach())
            return F.batch_norm(x, None, None, training=True, eps=self.norm.eps)
        return F.batch_norm(x, self.norm.running_mean, self.norm.running_var, eps=self.norm.eps)
