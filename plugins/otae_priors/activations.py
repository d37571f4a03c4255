"""The activation of the prior networks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class LeakySiLU(nn.Module):
    r"""Creates the activation $(1 - a) \operatorname{SiLU}(x) + a x$, whose slope does not vanish on the left.

    Args:
        slope: The slope a at minus infinity.
    """

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Returns the activations, with the shape of x.

        Args:
            x: Any tensor.
        """
        return (1 - self.slope) * F.silu(x) + self.slope * x
