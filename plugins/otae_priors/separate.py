"""One network per dimension, all evaluated at once."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn

from .activations import LeakySiLU


class Separate(nn.Module):
    """Creates one network per dimension, all evaluated at once; several times faster than grouped convolutions.

    Args:
        size: The number of dimensions, and so of networks.
        widths: The widths of each network's layers, from its input to its output.
    """

    def __init__(self, size: int, widths: list[int]) -> None:
        super().__init__()
        layers = [SeparateLinear(size, n, m) for n, m in pairwise(widths[:-1])]
        hidden = [part for layer in layers for part in (layer, LeakySiLU())]
        self.layers = nn.Sequential(*hidden, SeparateLinear(size, widths[-2], widths[-1], bias=False))

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns what each network makes of its inputs, with shape (N, size).

        Args:
            inputs: Each network's inputs, samples last, with shape (size, inputs, N).
        """
        result: Tensor = self.layers(inputs)  # (size, 1, N)
        return result[:, 0, :].T


class SeparateLinear(nn.Module):
    """Creates one linear map per dimension.

    Args:
        size: The number of dimensions.
        inputs: The number of inputs of each map.
        outputs: The number of outputs of each map.
        bias: Whether the maps add a constant.
    """

    def __init__(self, size: int, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        bound, keeps_variance = (
            1 / sqrt(inputs),
            sqrt(6 / inputs),
        )  # as He et al.: narrow layers would shrink their input
        self.weight = nn.Parameter(torch.empty(size, outputs, inputs).uniform_(-keeps_variance, keeps_variance))
        self.bias = nn.Parameter(torch.empty(size, outputs, 1).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Returns the mapped batch, with shape (size, outputs, N).

        Args:
            x: The batch, samples last, with shape (size, inputs, N).
        """
        return self.weight @ x if self.bias is None else torch.baddbmm(self.bias, self.weight, x)
