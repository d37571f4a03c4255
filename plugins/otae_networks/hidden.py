"""The hidden layers of a fully connected network."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from .activations import ACTIVATIONS, Activation


class HiddenLayers(nn.Sequential):
    """Creates linear layers, each followed by an activation.

    Args:
        inputs: The number of entries of an input.
        width: The number of units of each layer.
        depth: The number of layers; with 0 the input passes unchanged.
        activation: The activation's name.

    Attributes:
        out_features: The number of entries of an output.
    """

    def __init__(self, inputs: int, width: int, depth: int, activation: Activation) -> None:
        sizes = [inputs, *[width] * depth]
        act = ACTIVATIONS[activation]
        super().__init__(*(layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), act())))
        self.out_features = sizes[-1]
