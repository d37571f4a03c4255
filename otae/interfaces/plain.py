"""Plain modules as encoders and decoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.parameter import UninitializedParameter

from ..errors import ConfigError
from .decoder import Decoder
from .dirac import Dirac
from .encoder import Encoder


class PlainEncoder(Encoder):
    """Creates an encoder from a plain module, which is called once on zeros to learn what it gives.

    A tensor is a deterministic code; a pair of tensors is the mean and the log-variance of a normal law.

    Args:
        module: The module; it takes samples with shape (N, *data_shape) and gives one or two tensors with shape (N, latent_dim).
        data_shape: The shape of one sample.
        latent_dim: The number of entries of a code.

    Raises:
        ConfigError: If the module cannot take samples, or gives something else.

    Examples:
        >>> encoder = PlainEncoder(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), (1, 8, 8), 2)
        >>> encoder.has_density, tuple(encoder(torch.zeros(5, 1, 8, 8)).mean.shape)
        (False, (5, 2))
    """

    def __init__(self, module: nn.Module, data_shape: tuple[int, ...], latent_dim: int) -> None:
        super().__init__(data_shape, latent_dim)
        self.module = module
        outputs = _call(module, self.data_shape, "encoder", "samples")
        parts = outputs if isinstance(outputs, tuple | list) else (outputs,)
        shapes = [tuple(each.shape) if isinstance(each, Tensor) else type(each).__name__ for each in parts]
        if len(parts) not in (1, 2) or any(shape != (2, latent_dim) for shape in shapes):
            raise ConfigError(
                f"The encoder's module must give codes of shape (N, {latent_dim}), or a pair of such: mean and log-variance. "
                f"For 2 samples it gave {', '.join(map(str, shapes)) or 'nothing'}."
            )
        self.has_density = len(parts) == 2

    def forward(self, x: Tensor) -> Distribution:
        if not self.has_density:
            (code,) = _as_tuple(self.module(x))
            return Dirac(code)
        mean, log_variance = self.module(x)
        return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)


class PlainDecoder(Decoder):
    """Creates a decoder from a plain module, which is called once on zeros to check what it gives.

    Args:
        module: The module; it takes codes with shape (N, latent_dim) and gives samples with shape (N, *data_shape).
        latent_dim: The number of entries of a code.
        data_shape: The shape of one sample.

    Raises:
        ConfigError: If the module cannot take codes, or gives something else.
    """

    def __init__(self, module: nn.Module, latent_dim: int, data_shape: tuple[int, ...]) -> None:
        super().__init__(latent_dim, data_shape)
        self.module = module
        samples = _call(module, (latent_dim,), "decoder", "codes")
        shape, wanted = tuple(samples.shape) if isinstance(samples, Tensor) else (), (2, *self.data_shape)
        if shape != wanted:
            given = f"a tensor of shape {shape}" if isinstance(samples, Tensor) else f"a {type(samples).__name__}"
            flat = len(shape) == 2 and shape[1] == torch.Size(self.data_shape).numel()
            cure = f" End it with nn.Unflatten(1, {self.data_shape})." if flat else ""
            raise ConfigError(
                f"The decoder's module must give samples of shape {wanted} for 2 codes, and gave {given}.{cure}"
            )

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.module(z)
        return x


def wrap_plain(
    encoder: nn.Module, decoder: nn.Module, latent_dim: int | None, data_shape: Sequence[int] | None
) -> tuple[Encoder, Decoder]:
    """Returns an encoder and a decoder, plain modules wrapped as such.

    Args:
        encoder: An encoder or a plain module.
        decoder: A decoder or a plain module.
        latent_dim: The number of entries of a code; that of the part that tells it where `None`.
        data_shape: The shape of one sample; that of the part that tells it where `None`.

    Raises:
        ConfigError: If nobody tells the sizes, or a part disagrees.
    """
    if isinstance(encoder, Encoder) and isinstance(decoder, Decoder) and latent_dim is None and data_shape is None:
        return encoder, decoder
    for part in (encoder, decoder):
        if isinstance(part, Encoder | Decoder):
            latent_dim = part.latent_dim if latent_dim is None else latent_dim
            data_shape = part.data_shape if data_shape is None else data_shape
            if (part.latent_dim, part.data_shape) != (latent_dim, tuple(data_shape)):
                raise ConfigError(
                    f"The {type(part).__name__} has latent_dim {part.latent_dim} and data_shape {part.data_shape}, which is not "
                    f"the latent_dim {latent_dim} and the data_shape {tuple(data_shape)} that were given or that the other has."
                )
    if latent_dim is None or data_shape is None:
        raise ConfigError(
            "Plain modules do not tell their sizes: give latent_dim, and data_shape, the shape of one sample."
        )
    shape = tuple(data_shape)
    return (
        encoder if isinstance(encoder, Encoder) else PlainEncoder(encoder, shape, latent_dim),
        decoder if isinstance(decoder, Decoder) else PlainDecoder(decoder, latent_dim, shape),
    )


def _as_tuple(outputs: Any) -> tuple[Any, ...]:
    return tuple(outputs) if isinstance(outputs, tuple | list) else (outputs,)


def _call(module: nn.Module, shape: tuple[int, ...], what: str, inputs: str) -> Any:
    """Returns what a module gives for two inputs of zeros; its mode and the global random state stay as they are."""
    parameter = next(module.parameters(), torch.empty(0))
    lazy = isinstance(parameter, UninitializedParameter)
    place: dict[str, Any] = {} if lazy else {"device": parameter.device, "dtype": parameter.dtype}
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            return module(torch.zeros(2, *shape, **place))
    except Exception as error:  # a stranger's code may raise anything
        cure = " Begin it with nn.Flatten()." if len(shape) > 1 and "cannot be multiplied" in str(error) else ""
        raise ConfigError(
            f"The {what}'s module cannot take {inputs} of shape (N, {', '.join(map(str, shape))}): "
            f"{type(error).__name__}: {str(error).partition(chr(10))[0]}.{cure}"
        ) from error
    finally:
        for child, mode in modes.items():
            child.training = mode
