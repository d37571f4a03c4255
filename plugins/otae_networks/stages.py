"""The stages of a convolutional network: how an image shrinks to a few pixels, and grows back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from otae.errors import ConfigError

SMALLEST_SIDE = 8
MOST_CHANNELS = 512


@dataclass(frozen=True)
class Stage:
    """Creates one stage, which halves each side of at least 8 pixels, rounding down, and keeps each shorter one.

    Args:
        in_channels: The channels on the side of the image.
        out_channels: The channels on the side of the code.
        in_size: The height and width on the side of the image.
    """

    in_channels: int
    out_channels: int
    in_size: tuple[int, int]

    @property
    def strides(self) -> tuple[int, int]:
        """Returns the step along height and width: 2 where the side is halved, else 1."""
        height, width = self.in_size
        return 1 + (height >= SMALLEST_SIDE), 1 + (width >= SMALLEST_SIDE)

    @property
    def out_size(self) -> tuple[int, int]:
        """Returns the height and width on the side of the code."""
        (height, width), (down, across) = self.in_size, self.strides
        return height // down, width // across

    @property
    def kernel(self) -> tuple[int, int]:
        """Returns the kernel that, padded by 1, gives exactly those sizes: 4 where the side is halved, else 3."""
        down, across = self.strides
        return 2 + down, 2 + across

    def downward(self) -> nn.Conv2d:
        """Returns the convolution from in_size to out_size."""
        return nn.Conv2d(self.in_channels, self.out_channels, self.kernel, self.strides, padding=1)

    def upward(self) -> nn.ConvTranspose2d:
        """Returns the transposed convolution from out_size back to in_size, odd sides included."""
        (height, width), (down, across) = self.in_size, self.strides
        rest, few, many = (height % down, width % across), self.in_channels, self.out_channels
        return nn.ConvTranspose2d(many, few, self.kernel, self.strides, padding=1, output_padding=rest)


def stages(data_shape: tuple[int, ...], channels: int, part: str) -> list[Stage]:
    """Returns the stages that shrink an image until both sides are between 4 and 7 pixels.

    An image of 64×64 takes four: channels, 2·channels, 4·channels, 8·channels; a stage has at most 512 or `channels`.

    Args:
        data_shape: The shape of one sample, which must be (C, H, W).
        channels: The channels of the first stage, doubled from stage to stage.
        part: What the stages are for, `encoder` or `decoder`, for the message.

    Raises:
        ConfigError: If the samples are no images, or smaller than 8×8.
    """
    if len(data_shape) != 3 or min(data_shape[1:]) < SMALLEST_SIDE:
        wanted = f"images of shape (C, H, W) with H and W of at least {SMALLEST_SIDE}"
        given = f"the data have shape {data_shape}"
        raise ConfigError(f"A convolutional {part} takes {wanted}, but {given}. Use `{part}: mlp`.")
    sizes = _sizes((data_shape[1], data_shape[2]))
    most = max(MOST_CHANNELS, channels)
    counts = [data_shape[0], *(min(channels * 2**stage, most) for stage in range(len(sizes)))]
    return [Stage(few, many, size) for (few, many), size in zip(pairwise(counts), sizes, strict=True)]


def _sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    sizes = []
    while max(size) >= SMALLEST_SIDE:
        sizes.append(size)
        size = Stage(1, 1, size).out_size
    return sizes
