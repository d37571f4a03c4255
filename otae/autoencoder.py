"""The autoencoder: encoder, decoder and prior, used in bounded memory; it never computes a loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor, nn

from .arrays import is_floating, require_finite, to_tensor
from .errors import CloudError, ConfigError
from .interfaces import Components, Decoder, Encoder, Preparation, Prior
from .interfaces.plain import wrap_plain

Array = TypeVar("Array", Tensor, "np.ndarray[Any, Any]")


class Autoencoder(nn.Module):
    """Creates an autoencoder from its three parts.

    The methods `encode`, `decode`, `reconstruct`, `sample`, `interpolate` and `traverse` work in eval mode, without
    gradients, batch by batch; they take NumPy arrays or tensors and return the same kind, on the same device. Calling
    the module reconstructs with gradients.

    Args:
        encoder: The map from data to laws over codes; or a plain module, that gives a code, or a pair of mean and log-variance.
        decoder: The map from codes to data; or a plain module.
        prior: The law over codes to sample from.
        latent_dim: The number of entries of a code, which a plain module does not tell.
        data_shape: The shape of one sample, which a plain module does not tell.

    Raises:
        ConfigError: If the parts disagree on the latent dimension or the data shape, or a plain module does not fit them.

    Examples:
        >>> import otae
        >>> parts = dict(latent_dim=2, data_shape=(1, 8, 8))
        >>> encoder, decoder = otae.encoders.create("mlp", **parts), otae.decoders.create("mlp", **parts)
        >>> model = otae.Autoencoder(encoder, decoder, otae.priors.create("gaussian", latent_dim=2))
        >>> tuple(model.sample(3).shape)
        (3, 1, 8, 8)
    """

    def __init__(
        self,
        encoder: Encoder | nn.Module,
        decoder: Decoder | nn.Module,
        prior: Prior,
        *,
        latent_dim: int | None = None,
        data_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        encoder, decoder = wrap_plain(encoder, decoder, latent_dim, data_shape)
        dims = {encoder.latent_dim, decoder.latent_dim, prior.latent_dim}
        if len(dims) != 1:
            each = f"encoder {encoder.latent_dim}, decoder {decoder.latent_dim}, prior {prior.latent_dim}"
            raise ConfigError(f"The parts disagree on the latent dimension: {each}. Build them with one latent_dim.")
        if encoder.data_shape != decoder.data_shape:
            each = f"encoder {encoder.data_shape}, decoder {decoder.data_shape}"
            raise ConfigError(f"The parts disagree on the data shape: {each}. Build them with one data_shape.")
        self.encoder, self.decoder, self.prior = encoder, decoder, prior
        self.preparation: Preparation | None = None

    @property
    def latent_dim(self) -> int:
        """Returns the number of entries of a code."""
        return self.encoder.latent_dim

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Returns the shape of one sample."""
        return self.encoder.data_shape

    def forward(self, x: Tensor) -> Tensor:
        """Returns the reconstructions of the mean codes, with gradients and shape (N, *data_shape).

        Args:
            x: The samples, with shape (N, *data_shape).
        """
        return self.decoder(self.encoder(x).mean)

    def encode(self, x: Array, *, sample: bool = False, batch_size: int = 1024) -> Array:
        """Returns the codes of samples, with shape (N, latent_dim).

        Args:
            x: The samples, with shape (N, *data_shape), scaled as in training; of a run's model also raw data, in the form of
                the training data, such as a data frame or pixels in bytes.
            sample: Whether to draw each code from its law instead of taking its mean.
            batch_size: The number of samples held at once.

        Raises:
            CloudError: If the shape or type does not fit, or a value is not finite.
        """

        def codes(batch: Tensor) -> Tensor:
            law = self.encoder(batch)
            return law.sample() if sample else law.mean

        return self._map(codes, self._prepare(x), self.data_shape, "samples", batch_size)

    def transform(self, x: Any) -> np.ndarray[Any, Any]:
        """Returns the mean codes of samples or raw data as an array, under the name that pipelines of scikit-learn call.

        Args:
            x: As for `encode`.

        Raises:
            CloudError: If the shape or type does not fit, or a value is not finite.
        """
        codes = self.encode(x)
        return codes.cpu().numpy() if isinstance(codes, Tensor) else codes

    def decode(self, z: Array, *, batch_size: int = 1024) -> Array:
        """Returns the decoded codes, with shape (N, *data_shape).

        Args:
            z: The codes, with shape (N, latent_dim).
            batch_size: The number of codes held at once.

        Raises:
            CloudError: If the shape or type does not fit, or a value is not finite.
        """
        return self._map(self.decoder, z, (self.latent_dim,), "codes", batch_size)

    def reconstruct(self, x: Array, *, batch_size: int = 1024) -> Array:
        """Returns the decoded mean codes of samples, with shape (N, *data_shape).

        Args:
            x: The samples, with shape (N, *data_shape), scaled as in training.
            batch_size: The number of samples held at once.

        Raises:
            CloudError: If the shape or type does not fit, or a value is not finite.
        """
        return self._map(self.forward, self._prepare(x), self.data_shape, "samples", batch_size)

    def sample(
        self, count: int, *, component: int | None = None, generator: Generator | None = None, batch_size: int = 1024
    ) -> Tensor:
        """Returns decoded draws from the prior, with shape (count, *data_shape), on the model's device.

        Args:
            count: The number of draws.
            component: The component of the prior to draw from; all of them where `None`.
            generator: The source of randomness; torch's global one where `None`.
            batch_size: The number of draws held at once.

        Raises:
            CloudError: If `count` is not positive, or the prior has no such component.
        """
        return self.decode(self.sample_codes(count, component=component, generator=generator), batch_size=batch_size)

    def sample_codes(self, count: int, *, component: int | None = None, generator: Generator | None = None) -> Tensor:
        """Returns draws from the prior, with shape (count, latent_dim).

        Args:
            count: The number of draws.
            component: The component of the prior to draw from; all of them where `None`.
            generator: The source of randomness; torch's global one where `None`.

        Raises:
            CloudError: If `count` is not positive, or the prior has no such component.
        """
        if count < 1:
            raise CloudError(f"Cannot draw {count} samples: ask for at least 1.")
        with evaluating(self):
            if component is None:
                return self.prior.sample(count, generator)
            return _component(self.prior, component).sample(component, count, generator)

    def interpolate(self, a: Array, b: Array, steps: int = 10, *, batch_size: int = 1024) -> Array:
        """Returns decoded codes on the prior's ways from some codes to others, with shape (N, steps, *data_shape).

        Args:
            a: Where the ways begin, with shape (N, latent_dim).
            b: Where they end, with shape (N, latent_dim).
            steps: The number of codes on each way, both ends included.
            batch_size: The number of codes held at once.

        Raises:
            CloudError: If a shape or type does not fit, a value is not finite, or there are less than 2 steps.
        """
        if steps < 2:
            raise CloudError(f"Cannot interpolate in {steps} steps: the two ends are 2.")
        if np.shape(a) != np.shape(b):
            raise CloudError(
                f"Each way needs two ends: got codes of shapes {tuple(np.shape(a))} and {tuple(np.shape(b))}."
            )

        def ways(ends: Tensor) -> Tensor:
            fractions = torch.linspace(0, 1, steps, dtype=ends.dtype, device=ends.device)
            return self._decoded(self.prior.interpolate(ends[:, 0], ends[:, 1], fractions))

        ends = torch.stack([a, b], 1) if isinstance(a, Tensor) and isinstance(b, Tensor) else np.stack([a, b], 1)
        return self._map(ways, ends, (2, self.latent_dim), "pairs of codes", _rows(batch_size, steps))

    def traverse(self, z: Array, dimension: int, values: Sequence[float], *, batch_size: int = 1024) -> Array:
        """Returns decoded codes of which one entry takes given values, with shape (N, V, *data_shape).

        Args:
            z: The codes, with shape (N, latent_dim).
            dimension: The entry's index, in [0, latent_dim).
            values: Its V values.
            batch_size: The number of codes held at once.

        Raises:
            CloudError: If a shape or type does not fit, a value is not finite, or there is no such entry or no value.
        """
        if not 0 <= dimension < self.latent_dim:
            raise CloudError(f"There is no dimension {dimension}: codes have {self.latent_dim}, counted from 0.")
        if not len(values):
            raise CloudError("A traversal needs at least one value.")

        def changed(codes: Tensor) -> Tensor:
            copies = codes[:, None].repeat(1, len(values), 1)  # (N, V, latent_dim)
            copies[:, :, dimension] = torch.as_tensor(values, dtype=codes.dtype, device=codes.device)
            return self._decoded(copies)

        return self._map(changed, z, (self.latent_dim,), "codes", _rows(batch_size, len(values)))

    def _prepare(self, x: Array) -> Array:
        """Returns raw data as samples, and samples as they are."""
        if self.preparation is None or isinstance(x, Tensor) or (isinstance(x, np.ndarray) and is_floating(x)):
            return x
        return self.preparation.prepare(x).numpy()

    def _decoded(self, codes: Tensor) -> Tensor:
        decoded: Tensor = self.decoder(codes.flatten(0, 1))
        return decoded.reshape(*codes.shape[:2], *self.data_shape)

    def _map(
        self, function: Callable[[Tensor], Tensor], values: Array, shape: tuple[int, ...], what: str, size: int
    ) -> Array:
        if size < 1:
            raise CloudError(f"batch_size must be at least 1, got {size}.")
        inputs = values if isinstance(values, Tensor) else np.asarray(values)
        if tuple(inputs.shape[1:]) != shape or inputs.ndim != len(shape) + 1 or not is_floating(inputs):
            wanted = f"(N, {', '.join(map(str, shape))}) and a floating-point type"
            given = f"shape {tuple(inputs.shape)} and type {inputs.dtype}"
            raise CloudError(f"This model takes {what} of shape {wanted}, scaled as in training; got {given}.")
        if not len(inputs):
            raise CloudError(f"This model was given no {what}: the array is empty.")
        place = placement(self)
        batches = (to_tensor(inputs[start : start + size]) for start in range(0, len(inputs), size))
        with evaluating(self):
            result = torch.cat(
                [function(require_finite(batch, what).to(**place)).to(batch.device) for batch in batches]
            )
        return result if isinstance(values, Tensor) else result.numpy()


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Puts a module and all its children into eval mode, without gradients, and restores each one's mode afterwards.

    Args:
        module: The module.
    """
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for child, mode in modes.items():
            child.training = mode


def _component(prior: Prior, component: int) -> Components:
    components = prior.components
    if components is None:
        raise CloudError(
            f"The prior {type(prior).__name__} has no components: leave the component out, or train with a prior that is "
            "a mixture, such as model.prior=mixture."
        )
    if not 0 <= component < len(components):
        raise CloudError(f"There is no component {component}: the prior has {len(components)}, counted from 0.")
    return components


def _rows(batch_size: int, columns: int) -> int:
    return batch_size if batch_size < 1 else max(1, batch_size // columns)


def placement(module: nn.Module) -> dict[str, Any]:
    """Returns the device and the type of a module's parameters, as arguments of `Tensor.to`.

    Args:
        module: The module; one without parameters asks for nothing.
    """
    parameter = next(module.parameters(), None)
    return {} if parameter is None else {"device": parameter.device, "dtype": parameter.dtype}
