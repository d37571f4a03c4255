"""Small parts that keep the core's promises, so that the core is tested without any plugin."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.distributions import Distribution, Independent, Normal

import otae
from otae.cloud import Cloud
from otae.interfaces import Components, Cost, Dataset, Decoder, Dirac, Encoder, Prior


class Blobs(Dataset):
    """Creates points around a few centres.

    Args:
        size: The number of points.
        seed: The seed of the draws.
        spoilt: Whether one point is not a number.
    """

    def __init__(self, size: Annotated[int, Field(gt=0)] = 60, seed: int = 0, spoilt: bool = False) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(3, (size,), generator=generator)
        self.points = torch.randn(size, 6, generator=generator) + 4 * self.labels[:, None]
        if spoilt:
            self.points[size // 2] = torch.nan
        self.data_shape = (6,)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Tensor:
        return self.points[index]


class LinearEncoder(Encoder):
    """Creates a linear map with Gaussian noise, or without.

    Args:
        data_shape: The shape of a sample.
        latent_dim: The number of entries of a code.
        noise: Whether the law is normal, or all mass on one code.
    """

    def __init__(
        self, data_shape: tuple[int, ...], latent_dim: int, noise: Literal["gaussian", "none"] = "gaussian"
    ) -> None:
        super().__init__(data_shape, latent_dim)
        self.has_density = noise == "gaussian"
        self.mean = nn.Linear(data_shape[0], latent_dim)
        self.log_scale = nn.Parameter(torch.zeros(latent_dim))

    def forward(self, x: Tensor) -> Distribution:
        mean = self.mean(x)
        return Independent(Normal(mean, self.log_scale.exp().expand_as(mean)), 1) if self.has_density else Dirac(mean)


class LinearDecoder(Decoder):
    """Creates a linear map."""

    def __init__(self, latent_dim: int, data_shape: tuple[int, ...]) -> None:
        super().__init__(latent_dim, data_shape)
        self.map = nn.Linear(latent_dim, data_shape[0])

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z)


class Standard(Prior):
    """Creates the standard normal law."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator)

    @property
    def law(self) -> Distribution:
        zero = self._anchor.new_zeros(self.latent_dim)
        return Independent(Normal(zero, torch.ones_like(zero)), 1)


class Shifted(Prior):
    """Creates a normal law with a learned mean, and no density to be had.

    Args:
        latent_dim: The number of entries of a code.
        shift: The mean before training.
    """

    def __init__(self, latent_dim: int, shift: float = 0.0) -> None:
        super().__init__(latent_dim)
        self.shift = nn.Parameter(torch.full((latent_dim,), shift))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator) + self.shift


class Twin(Prior):
    """Creates two unit normal laws around (±5, …, ±5), with weights 0.75 and 0.25."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        signs = torch.where(self.uniform(count, 1, generator=generator) < 0.75, 1.0, -1.0)
        return self.normal(count, self.latent_dim, generator=generator) + 5 * signs

    @property
    def components(self) -> Components:
        return Sides(self)


class Sides(Components):
    """Creates the two halves of `Twin`."""

    def __init__(self, prior: Prior) -> None:
        self.prior = prior

    @property
    def weights(self) -> Tensor:
        return torch.tensor([0.75, 0.25])

    def sample(self, component: int, count: int, generator: Generator | None = None) -> Tensor:
        return self.prior.normal(count, self.prior.latent_dim, generator=generator) + (5, -5)[component]

    def assign(self, z: Tensor) -> Tensor:
        odds = 10 * z.sum(1) + self.weights.log().diff().neg()
        return torch.stack([odds, -odds], 1).div(2).softmax(1)


class Keeper(Prior):
    """Creates a prior that draws from the codes it was fitted to; from a standard normal law before."""

    fits_codes = True

    def __init__(self, latent_dim: int) -> None:
        super().__init__(latent_dim)
        self.register_buffer("codes", torch.empty(0, latent_dim))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        noise = self.normal(count, self.latent_dim, generator=generator)
        if not len(self.codes):
            return noise
        return self.codes[(len(self.codes) * self.uniform(count, generator=generator)).long()]

    def fit(self, codes: Tensor) -> None:
        self.codes = codes


class Late(Prior):
    """Creates a normal law with unit deviations that starts around the codes of its second epoch."""

    warmup, every = 1, 2

    def __init__(self, latent_dim: int) -> None:
        super().__init__(latent_dim)
        self.centre = nn.Parameter(torch.zeros(latent_dim))
        self.register_buffer("starts", torch.zeros(1))
        self.register_buffer("seen", torch.zeros(1))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.centre + self.normal(count, self.latent_dim, generator=generator)

    @torch.no_grad()
    def start(self, codes: Tensor, again: bool = False) -> None:
        self.starts += 100 if again else 1
        self.seen.fill_(len(codes))
        self.centre.copy_(codes.mean(0) + 10)


class MeanGap(Cost):
    """Creates the squared distance of the means.

    Args:
        scale: The factor before it.
    """

    def __init__(self, scale: Annotated[float, Field(gt=0)] = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return (
            self.scale
            * (source.masses.to(source.flat) @ source.flat - target.masses.to(target.flat) @ target.flat).square().sum()
        )


class Fit(Cost):
    """Creates the mean squared distance of paired points."""

    paired = True

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return (source.flat - target.flat).square().sum(1).mean()


class Spread(Cost):
    """Creates the difference of the spreads of two clouds of any spaces, with a learned scale."""

    same_space = False

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return (self.scale * source.flat.var() - target.flat.var()).abs()


class Duel(Cost):
    """Creates a linear critic with a penalty on its slope."""

    def __init__(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.line = nn.Linear(sum(torch.Size(shape).numel() for shape in shapes), 1)

    @property
    def adversary(self) -> nn.Module:
        return self.line

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return target.mean(self.line(target.flat)[:, 0]) - source.mean(self.line(source.flat)[:, 0])

    def adversary_loss(self, source: Cloud, target: Cloud) -> Tensor:
        return self.line.weight.square().sum() - self.forward(source, target)


class Surprise(Cost):
    """Creates the mean log-density of a cloud under its own law."""

    unary = True
    needs_density = True

    def forward(self, source: Cloud, target: Cloud | None = None) -> Tensor:
        assert source.law is not None
        return source.law.log_prob(source.points).mean()


class Poison(Cost):
    """Creates a cost that turns infinite after some calls.

    Args:
        after: The number of finite calls.
    """

    def __init__(self, after: int = 3) -> None:
        super().__init__()
        self.calls, self.after = 0, after

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        self.calls += self.training
        return source.flat.mean() * (torch.inf if self.calls > self.after else 1.0)


FAKES = [
    (otae.datasets, "blobs", Blobs),
    (otae.encoders, "linear-encoder", LinearEncoder),
    (otae.decoders, "linear-decoder", LinearDecoder),
    (otae.priors, "standard", Standard),
    (otae.priors, "shifted", Shifted),
    (otae.priors, "twin", Twin),
    (otae.priors, "keeper", Keeper),
    (otae.priors, "late", Late),
    (otae.costs, "mean-gap", MeanGap),
    (otae.costs, "fit", Fit),
    (otae.costs, "spread", Spread),
    (otae.costs, "duel", Duel),
    (otae.costs, "surprise", Surprise),
    (otae.costs, "poison", Poison),
]

EXPERIMENT = {
    "data": {"name": "blobs", "batch_size": 16},
    "model": {"latent_dim": 2, "encoder": "linear-encoder", "decoder": "linear-decoder", "prior": "shifted"},
    "objective": {
        "reconstruction": {"cost": "fit", "source": "data", "target": "reconstruction"},
        "spread": {"cost": "spread", "source": "prior", "target": "generation"},
        "merge": {"cost": "duel", "source": ["data", "code"], "target": ["generation", "prior"]},
        "surprise": {"cost": "surprise", "source": "code", "weight": {"from": 0, "to": 0.1, "steps": 6}},
    },
    "training": {"epochs": 3, "adversary": {"steps": 2}},
}
