"""The encoder and decoder around a module of one's own, such as a pretrained one."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Distribution

from otae.errors import ConfigError
from otae.interfaces import Decoder, PlainEncoder

from .feature_encoder import FeatureEncoder
from .heads import Noise
from .modules import Wrapped
from .outputs import Output, output_layer


class PretrainedEncoder(FeatureEncoder):
    """Creates an encoder from a module of one's own that gives features, with a trainable head.

    The module is offered by an installed package under the entry-point group `otae_networks.modules`, as a class or
    function that makes a `torch.nn.Module` without arguments: `resnet18 = "my_package:resnet18"`. It takes samples with
    shape (N, *data_shape), and its features are flattened. No code is loaded from a file: weights are safetensors.
    With `head: false` the module makes the law itself: a tensor is a deterministic code, a pair is mean and log-variance.

    Args:
        data_shape: The shape of one sample.
        latent_dim: The number of entries of a code.
        module: The module's name.
        weights: A safetensors file with all of the module's state; the weights it is made with where `None`.
        freeze: Whether only the head is trained, and the module stays in eval mode.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            the last layer and leaves no density, `none` for a deterministic code.
        head: Whether a trainable layer makes the law from the module's features; otherwise what the module gives is the law,
            and `noise` has no effect.

    Raises:
        ConfigError: If the module or its weights cannot be had, it cannot take the samples, or gives no codes without a head.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        latent_dim: int,
        *,
        module: str,
        weights: str | None = None,
        freeze: bool = True,
        noise: Noise = "gaussian",
        head: bool = True,
    ) -> None:
        super().__init__(data_shape, latent_dim)
        self.plain: PlainEncoder | None = None
        if head:
            self.body = Wrapped(module, weights, freeze, self.data_shape)
            self.attach_head(prod(self.body.outputs), noise)
        else:
            self.plain = PlainEncoder(Wrapped(module, weights, freeze, None), self.data_shape, latent_dim)
            self.has_density = self.plain.has_density

    def forward(self, x: Tensor) -> Distribution:
        return super().forward(x) if self.plain is None else self.plain(x)

    def extract(self, x: Tensor) -> Tensor:
        features: Tensor = self.body(x).flatten(1)
        return features


class PretrainedDecoder(Decoder):
    """Creates a decoder from a module of one's own that gives samples, after a trainable linear layer.

    The module is offered as one of `PretrainedEncoder` is. It must give samples of the data's shape.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one sample.
        module: The module's name.
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        weights: A safetensors file with all of the module's state; the weights it is made with where `None`.
        freeze: Whether only the linear layer is trained, and the module stays in eval mode.
        inputs: The shape of one input of the module, which a linear layer makes from the code, such as [512, 4, 4];
            where `None`, the module takes the codes themselves.
        output: A last layer after the module: `none`, since it may have its own; `auto` takes the sigmoid for data in
            [0, 1], tanh for [-1, 1], and none otherwise.

    Raises:
        ConfigError: If the module or its weights cannot be had, or it does not give samples of the data's shape.
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        module: str,
        value_range: tuple[float, float] | None = None,
        weights: str | None = None,
        freeze: bool = True,
        inputs: tuple[Annotated[int, Field(gt=0)], ...] | None = None,
        output: Output = "none",
    ) -> None:
        super().__init__(latent_dim, data_shape)
        body = Wrapped(module, weights, freeze, inputs or (latent_dim,))
        if body.outputs != self.data_shape:
            given = f"gives samples of shape {body.outputs}, but the data have shape {self.data_shape}"
            raise ConfigError(f"The module {module!r} {given}. Choose a module that fits the data.")
        adapter = [] if inputs is None else [nn.Linear(latent_dim, prod(inputs)), nn.Unflatten(1, inputs)]
        self.layers = nn.Sequential(*adapter, body, output_layer(output, value_range))

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
