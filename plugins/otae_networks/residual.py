"""The parts of a residual network: blocks with group normalisation, and the way back up without checkerboards."""

from __future__ import annotations

from math import gcd

from torch import Tensor, nn

from .activations import ACTIVATIONS, Activation
from .stages import Stage

_GROUPS = 8


class ResidualBlock(nn.Module):
    r"""Creates a block $x + f(x)$ of two convolutions (kernel 3), each after group normalisation and an activation.

    The last convolution starts at 0, so that a fresh block is the identity, whatever the depth of the network.

    Args:
        channels: The number of channels.
        activation: The activation's name.

    References:
        Identity Mappings in Deep Residual Networks (He et al., 2016)
        https://arxiv.org/abs/1603.05027

        Group Normalization (Wu, He, 2018)
        https://arxiv.org/abs/1803.08494
    """

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        first, last = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        self.branch = nn.Sequential(*normalised(channels, activation), first, *normalised(channels, activation), last)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.branch(x)
        return x + branch


def normalised(channels: int, activation: Activation) -> tuple[nn.Module, nn.Module]:
    """Returns a group normalisation, of up to 8 groups, and an activation.

    Args:
        channels: The number of channels.
        activation: The activation's name.
    """
    return nn.GroupNorm(gcd(channels, _GROUPS), channels), ACTIVATIONS[activation]()


def enlarged(stage: Stage) -> tuple[nn.Module, nn.Module]:
    """Returns the layers from the side of the code to the side of the image: the nearest pixel, then a convolution.

    Each pixel is the sum of equally many terms, which a transposed convolution does not give: no checkerboard.

    Args:
        stage: The stage.

    References:
        Deconvolution and Checkerboard Artifacts (Odena, Dumoulin, Olah, 2016)
        https://doi.org/10.23915/distill.00003
    """
    return nn.Upsample(stage.in_size), nn.Conv2d(stage.out_channels, stage.in_channels, 3, padding=1)
