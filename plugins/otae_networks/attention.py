"""Attention over sequences: a transformer that knows where each step stands."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from otae.errors import ConfigError

from .activations import ACTIVATIONS, Activation

_LONGEST_WAVE = 10_000.0


class Positions(nn.Module):
    r"""Creates the addition of sinusoidal positions to the steps of a sequence.

    $$p_{t,2k} = \sin(t\, \omega_k), \quad p_{t,2k+1} = \cos(t\, \omega_k), \quad \omega_k = 10000^{-2k/w}$$

    Args:
        length: The number of steps.
        width: The number w of entries of a step.

    References:
        Attention Is All You Need (Vaswani et al., 2017)
        https://arxiv.org/abs/1706.03762
    """

    codes: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        frequencies = _LONGEST_WAVE ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies
        codes = torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]
        self.register_buffer("codes", codes.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the steps with their positions added, with shape (N, length, width).

        Args:
            x: The steps, with shape (N, length, width), or (N, 1, width) where all are alike.
        """
        return x + self.codes


class Mean(nn.Module):
    """Creates the mean over the steps of a sequence, from shape (N, length, width) to (N, width)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


def transformer(width: int, depth: int, heads: int, activation: Activation) -> nn.TransformerEncoder:
    """Returns a transformer over sequences with shape (N, length, width); every step sees every other.

    Args:
        width: The number of entries of a step.
        depth: The number of blocks of attention and of a hidden layer four times as wide, each normalised beforehand.
        heads: The number of heads, which must divide the width.
        activation: The activation of the hidden layers.

    Raises:
        ConfigError: If the heads do not divide the width.
    """
    if width % heads:
        raise ConfigError(f"The width {width} cannot be shared by {heads} heads: choose a multiple of {heads}.")
    block = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation=ACTIVATIONS[activation](), batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(block, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False)


class Attending(nn.Module):
    """Holds a transformer over padded sequences, from shape (N, length, channels + 1) to (N, width): padding is not seen.

    Args:
        steps: The map from the channels of a step to its entries.
        positions: The positions.
        blocks: The transformer.
    """

    def __init__(self, steps: nn.Module, positions: nn.Module, blocks: nn.Module) -> None:
        super().__init__()
        self.steps, self.positions, self.blocks = steps, positions, blocks

    def forward(self, x: Tensor) -> Tensor:
        there = x[..., -1] > 0.5  # (N, length)
        there = there | (~there.any(1, keepdim=True))  # a generation may have no step, and yet needs a code
        steps: Tensor = self.blocks(self.positions(self.steps(x)), src_key_padding_mask=~there)
        weights = there.to(steps.dtype)[..., None]
        return (steps * weights).sum(1) / weights.sum(1)


def attending(
    data_shape: tuple[int, int], width: int, depth: int, heads: int, activation: Activation, padded: bool = False
) -> tuple[nn.Module, int]:
    """Returns layers from sequences, with shape (N, length, channels), to features, and the number of these.

    Args:
        data_shape: The length and the channels of a sequence.
        width: The number of entries of a step.
        depth: The number of blocks.
        heads: The number of heads.
        activation: The activation of the hidden layers.
        padded: Whether the last channel tells which steps are there.
    """
    length, channels = data_shape
    blocks = transformer(width, depth, heads, activation)
    if padded:
        return Attending(nn.Linear(channels, width), Positions(length, width), blocks), width
    return nn.Sequential(nn.Linear(channels, width), Positions(length, width), blocks, Mean()), width


def unrolling(
    latent_dim: int, data_shape: tuple[int, int], width: int, depth: int, heads: int, activation: Activation
) -> nn.Sequential:
    """Returns layers from codes to sequences, with shape (N, length, channels): each step starts as code and position.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The length and the channels of a sequence.
        width: The number of entries of a step.
        depth: The number of blocks.
        heads: The number of heads.
        activation: The activation of the hidden layers.
    """
    length, channels = data_shape
    return nn.Sequential(
        nn.Linear(latent_dim, width),
        nn.Unflatten(1, (1, width)),
        Positions(length, width),
        transformer(width, depth, heads, activation),
        nn.Linear(width, channels),
    )
