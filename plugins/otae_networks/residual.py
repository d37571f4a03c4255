"""The parts of a residual network: blocks with group normalisation, and the way back up without checkerboards."""

from __future__ import annotations

from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


class Enlarged(nn.Conv2d):
    r"""Creates the step up from the side of the code to that of the image: each pixel copied, then a convolution.

    Copies and a kernel K of 3 pixels are one transposed convolution with stride 2, whose kernel is
    $W_t = K_{2-t} + K_{3-t}$ along each axis: the same values for less than half the work. Every pixel is a sum of the
    whole kernel, which transposed convolutions with kernels of their own do not give: no checkerboard.

    Args:
        stage: The stage; where it has 2n + 1 pixels a side, the last one comes of the last one of n.

    References:
        Deconvolution and Checkerboard Artifacts (Odena, Dumoulin, Olah, 2016)
        https://doi.org/10.23915/distill.00003
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.out_channels, stage.in_channels, 3, padding=1)
        self.steps = stage.strides
        self.rest = tuple(size % step for size, step in zip(stage.in_size, stage.strides, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.flip(2, 3).transpose(0, 1)
        for axis, step in zip((2, 3), self.steps, strict=True):
            kernel = _doubled(kernel, axis) if step == 2 else kernel
        return F.conv_transpose2d(x, kernel, self.bias, self.steps, padding=1, output_padding=self.rest)


def _doubled(kernel: Tensor, axis: int) -> Tensor:
    edge = torch.zeros_like(kernel.narrow(axis, 0, 1))
    return torch.cat([kernel, edge], axis) + torch.cat([edge, kernel], axis)
