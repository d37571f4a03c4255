"""The encoder of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from torch import Tensor, nn

from .activations import ACTIVATIONS, Activation
from .attention import attending
from .feature_encoder import FeatureEncoder
from .heads import Noise
from .lengths import Clear, check_sequences, shrinking

Body: TypeAlias = Literal["conv", "transformer"]


class SequenceEncoder(FeatureEncoder):
    """Creates an encoder of sequences of any length, with shape (length, channels).

    With `conv`, convolutions (kernel 4, stride 2) halve the length until it is below 8; the cost grows with the length.
    With `transformer`, every step attends to every other one, knows its place by sinusoids, and the mean over the steps
    is taken; the cost grows with the length squared. Sequences of unequal length are padded to one: with `padded`, nothing in
    the padding is seen.

    Args:
        data_shape: The shape of one sequence, (length, channels).
        latent_dim: The number of entries of a code.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            the last layer and leaves no density, `none` for a deterministic code.
        body: What looks along the sequence.
        width: The channels of the first convolution, doubled at each half length, up to 256; or the entries of a step
            of the transformer.
        depth: The number of convolutions of each length, of which the last one halves it; or of blocks.
        heads: The number of heads of the transformer, which must divide the width.
        activation: The activation after each hidden layer.
        padded: Whether the last channel is 1 where a step is there and 0 in the padding, as datasets with `lengths` give it.

    Raises:
        ConfigError: If the samples are no sequences, or the heads do not divide the width.

    Examples:
        >>> import torch
        >>> SequenceEncoder((50, 3), latent_dim=2, body="transformer")(torch.zeros(5, 50, 3)).mean.shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        latent_dim: int,
        *,
        noise: Noise = "gaussian",
        body: Body = "conv",
        width: Annotated[int, Field(gt=0)] = 64,
        depth: Annotated[int, Field(gt=0, le=256)] = 2,
        heads: Annotated[int, Field(gt=0)] = 4,
        activation: Activation = "silu",
        padded: bool = False,
    ) -> None:
        super().__init__(data_shape, latent_dim)
        shape = check_sequences(self.data_shape, "encoder", padded)
        bodies: dict[Body, Callable[[], tuple[nn.Module, int]]] = {
            "conv": lambda: shrinking(shape, width, depth, activation),
            "transformer": lambda: attending(shape, width, depth, heads, activation, padded),
        }
        layers, features = bodies[body]()
        cleared = [Clear()] if padded else []
        self.features = nn.Sequential(*cleared, layers, nn.Linear(features, 2 * width), ACTIVATIONS[activation]())
        self.attach_head(2 * width, noise)

    def extract(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(x)
        return features
