"""The prior under test: built with all that a builder hands in, trained for a moment, fitted to codes."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from ..interfaces import Encoder, Prior
from .suite import ModuleSuite

MANY = 20_000
SIGMAS = 6.0  # how many standard errors a correct statistic may be off: a false alarm in 10⁹


class Straight(Encoder):
    """Creates the encoder that the suite hands to priors which name one: a linear mean, and one learned deviation."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int) -> None:
        super().__init__(data_shape, latent_dim)
        self.mean = nn.Linear(torch.Size(data_shape).numel(), latent_dim)
        self.scale = nn.Parameter(torch.full((latent_dim,), 0.3))

    def forward(self, x: Tensor) -> Distribution:
        mean = self.mean(x.flatten(1))
        return Independent(Normal(mean, self.scale.expand_as(mean)), 1)


class PriorSubject(ModuleSuite):
    """Creates what the rules of priors look at."""

    plugin: ClassVar[type[Prior]]
    given: ClassVar[dict[str, Any]] = {"latent_dim": 3, "data_shape": (5,), "value_range": (0.0, 1.0), "encoder": None}

    def handed(self) -> dict[str, Any]:
        """Returns what the builder hands in, with a fresh encoder from one seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(4)
            shape = self.given.get("data_shape", (5,))
            return {**self.given, "encoder": Straight(shape, self.given["latent_dim"])}

    def trained(self) -> Any:
        """Returns a prior in eval mode after some batches in training and a fit, which may have updated its buffers."""
        part, generator = self.build().train(), torch.Generator().manual_seed(0)
        for _ in range(5):
            part.sample(256, generator).sum().backward() if self.owned(part) else part.sample(256, generator)
        part.fit(self.codes())
        return part.eval()

    def codes(self) -> Tensor:
        """Returns 300 codes around three places, what a prior may be fitted to."""
        size = self.given["latent_dim"]
        places = torch.randn(3, size, generator=generator_of(5), dtype=torch.float64) * 4
        noise = torch.randn(300, size, generator=generator_of(6), dtype=torch.float64)
        return places[torch.arange(300) % 3] + noise + 2

    def draws(self, part: Any, count: int, seed: int = 0) -> Tensor:
        """Returns draws from one seed of a generator, without gradients.

        Args:
            part: The prior.
            count: The number of draws.
            seed: The seed.
        """
        with torch.no_grad():
            draws: Tensor = part.sample(count, Generator().manual_seed(seed))
        return draws


def generator_of(seed: int) -> Generator:
    """Returns a generator with a seed."""
    return Generator().manual_seed(seed)
