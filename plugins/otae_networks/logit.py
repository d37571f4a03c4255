"""The layer that spreads values of [0, 1] over the real line."""

from __future__ import annotations

from torch import Tensor, nn


class Logit(nn.Module):
    r"""Creates the inverse of the sigmoid, $\log x - \log (1 - x)$, of values clamped to $[\epsilon, 1 - \epsilon]$.

    Args:
        epsilon: The distance kept from 0 and 1; 1e-4 bounds the result by 9.2.
    """

    def __init__(self, epsilon: float = 1e-4) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return x.logit(self.epsilon)
