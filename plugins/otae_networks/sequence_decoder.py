"""The decoder of sequences."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from otae.interfaces import Decoder

from .activations import Activation
from .attention import unrolling
from .lengths import Marked, check_sequences, growing
from .outputs import Output, output_layer
from .sequence_encoder import Body


class SequenceDecoder(Decoder):
    """Creates a decoder of sequences of any length, with shape (length, channels).

    With `conv`, a linear layer gives the shortest sequence; to double its length each step is copied to its neighbour
    and a convolution (kernel 3) follows. With `transformer`, each step starts as the code and its place, and attends to
    every other one.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one sequence, (length, channels).
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        body: What looks along the sequence.
        width: The channels before the last convolution, doubled at each half length, up to 256; or the entries of a
            step of the transformer.
        depth: The number of convolutions of each length; or of blocks.
        heads: The number of heads of the transformer, which must divide the width.
        activation: The activation after each hidden layer.
        output: The last layer: `auto` takes the sigmoid for data in [0, 1], tanh for [-1, 1], and none otherwise.
        padded: Whether the last channel is the probability that a step is there, as datasets with `lengths` give it.

    Raises:
        ConfigError: If the samples are no sequences, or the heads do not divide the width.

    Examples:
        >>> import torch
        >>> SequenceDecoder(2, (50, 3))(torch.zeros(5, 2)).shape
        torch.Size([5, 50, 3])
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        value_range: tuple[float, float] | None = None,
        body: Body = "conv",
        width: Annotated[int, Field(gt=0)] = 64,
        depth: Annotated[int, Field(gt=0, le=256)] = 2,
        heads: Annotated[int, Field(gt=0)] = 4,
        activation: Activation = "silu",
        output: Output = "auto",
        padded: bool = False,
    ) -> None:
        super().__init__(latent_dim, data_shape)
        shape = check_sequences(self.data_shape, "decoder", padded)
        layers = {
            "conv": lambda: growing(latent_dim, shape, width, depth, activation),
            "transformer": lambda: unrolling(latent_dim, shape, width, depth, heads, activation),
        }[body]()
        last = output_layer(output, value_range)
        self.layers = nn.Sequential(layers, Marked(last) if padded else last)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
