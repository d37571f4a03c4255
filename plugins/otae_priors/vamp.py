"""The prior of variational mixtures of posteriors: what the encoder makes of learned pseudo-inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.distributions import Categorical, Distribution, MixtureSameFamily

from otae.errors import ConfigError
from otae.interfaces import Components, Encoder, Prior


class Vamp(Prior):
    r"""Creates a mixture of the encoder's laws of learned pseudo-inputs, all of one weight.

    $$\pi = \frac1K \sum_k q(z \mid u_k)$$

    Where the data are known to lie in a range, so do the pseudo-inputs, by a sigmoid. The mixture follows the encoder as
    it learns, and the encoder's gradient has a share from here. It is not standardised, for the laws are the encoder's:
    let the objective hold their scale, as a KL with the codes and a reconstruction do.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        data_shape: The shape of one sample; handed in by the builder.
        encoder: The encoder, shared with the model and no part of this prior's state; handed in by the builder.
        value_range: The smallest and largest value of a sample, or `None` where unbounded; handed in by the builder.
        inputs: The number K of pseudo-inputs.

    Raises:
        ConfigError: If the encoder's law has no density.

    Attributes:
        inputs: The pseudo-inputs before the sigmoid, with shape (K, *data_shape).

    References:
        VAE with a VampPrior (Tomczak, Welling, 2018)
        https://arxiv.org/abs/1705.07120
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        encoder: Encoder,
        value_range: tuple[float, float] | None = None,
        inputs: Annotated[int, Field(gt=0)] = 50,
    ) -> None:
        super().__init__(latent_dim)
        if not encoder.has_density:
            raise ConfigError(
                "it is a mixture of the encoder's laws, and these have no density. Set encoder.noise=gaussian."
            )
        self._shared = (encoder,)  # a tuple hides it from the state, which holds it once, as the model's
        self.value_range = value_range
        self.inputs = nn.Parameter(torch.randn(inputs, *data_shape))

    @property
    def encoder(self) -> Encoder:
        """Returns the encoder, which the model owns."""
        return self._shared[0]

    @property
    def pseudo_inputs(self) -> Tensor:
        """Returns the pseudo-inputs u, in the range of the data, with shape (K, *data_shape)."""
        if self.value_range is None:
            return self.inputs
        low, high = self.value_range
        return low + (high - low) * self.inputs.sigmoid()

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        choices = (len(self.inputs) * self.uniform(count, generator=generator)).long().clamp_max(len(self.inputs) - 1)
        law = self.encoder(self.pseudo_inputs[choices])
        with _obeying(generator):
            return law.rsample()

    @property
    def components(self) -> Posteriors:
        """Returns the laws of the pseudo-inputs as components."""
        return Posteriors(self)

    @property
    def law(self) -> MixtureSameFamily:
        """Returns the mixture, differentiable in the pseudo-inputs and the encoder."""
        return MixtureSameFamily(Categorical(logits=self.inputs.new_zeros(len(self.inputs))), self.posteriors())

    def posteriors(self) -> Distribution:
        """Returns the encoder's laws of the pseudo-inputs, with batch shape (K,)."""
        return self.encoder(self.pseudo_inputs)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Vamp:
        # A prior used alone takes its encoder along; in a model this changes nothing.
        self.encoder._apply(fn)  # type: ignore[no-untyped-call]
        result: Vamp = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return result

    def extra_repr(self) -> str:
        return f"inputs={len(self.inputs)}, value_range={self.value_range}"


@dataclass(frozen=True, eq=False)
class Posteriors(Components):
    """Creates the components of a `Vamp` prior.

    Args:
        prior: The prior.
    """

    prior: Vamp

    @property
    def weights(self) -> Tensor:
        count = len(self.prior.inputs)
        return self.prior.inputs.new_full((count,), 1 / count)

    def sample(self, component: int, count: int, generator: Generator | None = None) -> Tensor:
        law = self.prior.encoder(self.prior.pseudo_inputs[component : component + 1])
        with _obeying(generator):
            return law.rsample((count,))[:, 0]

    def assign(self, z: Tensor) -> Tensor:
        return self.prior.posteriors().log_prob(z[:, None]).softmax(1)


@contextmanager
def _obeying(generator: Generator | None) -> Iterator[None]:
    """Lets draws of torch's distributions, which take no generator, follow one; the global state stays as it was."""
    if generator is None:
        yield
        return
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
