"""Convolutions over sequences: how one shrinks to a few steps, and grows back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from otae.errors import ConfigError

from .activations import ACTIVATIONS, Activation

SHORTEST = 8
MOST_CHANNELS = 256


class Swap(nn.Module):
    """Creates the exchange of the last two axes: (N, length, channels) to (N, channels, length), and back."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class Clear(nn.Module):
    """Creates the removal of what stands in the padding of sequences, with shape (N, length, channels + 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (x[..., -1:] > 0.5)


class Marked(nn.Module):
    """Creates the output layer of padded sequences: of the values the given one, of their presence the sigmoid.

    Args:
        output: The output layer of the values.
    """

    def __init__(self, output: nn.Module) -> None:
        super().__init__()
        self.output = output

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.output(x[..., :-1]), x[..., -1:].sigmoid()], dim=2)


def check_sequences(data_shape: tuple[int, ...], part: str, padded: bool = False) -> tuple[int, int]:
    """Returns the length and the channels of one sequence.

    Args:
        data_shape: The shape of one sample, which must be (length, channels).
        part: What asks, `encoder` or `decoder`, for the message.
        padded: Whether the last channel tells which steps are there.

    Raises:
        ConfigError: If the samples are no sequences.
    """
    if len(data_shape) != 2:
        wanted = "sequences of shape (length, channels), one value per step being (length, 1)"
        raise ConfigError(f"A sequence {part} takes {wanted}, but the data have shape {data_shape}. Use `{part}: mlp`.")
    length, channels = data_shape
    if padded and channels < 2:
        raise ConfigError(
            f"Padded sequences have a last channel that tells which steps are there, but the data have shape {data_shape}. Give "
            "the dataset its option lengths, or leave padded out."
        )
    return length, channels


def halvings(length: int) -> list[int]:
    """Returns a length and its halves, rounded down, to the first that is below 8.

    Args:
        length: The length.
    """
    return [length] if length < SHORTEST else [length, *halvings(length // 2)]


def widths(length: int, width: int) -> list[int]:
    """Returns the channels at each of these lengths: the width, doubled from one to the next, up to 256.

    Args:
        length: The length of a sequence.
        width: The channels at full length.
    """
    most = max(MOST_CHANNELS, width)
    return [min(width * 2**stage, most) for stage in range(len(halvings(length)))]


def shrinking(data_shape: tuple[int, int], width: int, depth: int, activation: Activation) -> tuple[nn.Sequential, int]:
    """Returns layers from sequences, with shape (N, length, channels), to features, and the number of these.

    Args:
        data_shape: The length and the channels of a sequence.
        width: The channels of the first convolution.
        depth: The number of convolutions of each length, of which the last one halves it.
        activation: The activation after each convolution.
    """
    (length, channels), act = data_shape, ACTIVATIONS[activation]
    counts = widths(length, width)

    def layers() -> Iterator[nn.Module]:
        yield from (Swap(), nn.Conv1d(channels, width, 3, padding=1), act())
        for few, many in pairwise(counts):
            for _ in range(depth - 1):
                yield from (nn.Conv1d(few, few, 3, padding=1), act())
            yield from (nn.Conv1d(few, many, 4, stride=2, padding=1), act())
        yield nn.Flatten()

    return nn.Sequential(*layers()), counts[-1] * halvings(length)[-1]


def growing(
    latent_dim: int, data_shape: tuple[int, int], width: int, depth: int, activation: Activation
) -> nn.Sequential:
    """Returns layers from codes to sequences, with shape (N, length, channels).

    From one length to the next each step is copied to its neighbour and a convolution follows.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The length and the channels of a sequence.
        width: The channels of the last but one convolution.
        depth: The number of convolutions of each length.
        activation: The activation after each convolution but the last.
    """
    (length, channels), act = data_shape, ACTIVATIONS[activation]
    counts, lengths = widths(length, width), halvings(length)

    def layers() -> Iterator[nn.Module]:
        smallest = (counts[-1], lengths[-1])
        yield from (nn.Linear(latent_dim, counts[-1] * lengths[-1]), nn.Unflatten(1, smallest), act())
        for (few, many), longer in reversed(list(zip(pairwise(counts), lengths[:-1], strict=True))):
            yield from (nn.Upsample(longer), nn.Conv1d(many, few, 3, padding=1), act())
            for _ in range(depth - 1):
                yield from (nn.Conv1d(few, few, 3, padding=1), act())
        yield from (nn.Conv1d(width, channels, 3, padding=1), Swap())

    return nn.Sequential(*layers())
