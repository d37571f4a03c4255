"""Parts that break one promise each, as people who write their first plugin do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from fakes import Blobs, LinearDecoder, LinearEncoder
from torch import Generator, Tensor, nn
from torch.distributions import Normal

from otae.interfaces import Cost, Dataset, Decoder, Dirac, Encoder, Metric, Prior, Specimen


class Uninitialised(Prior):
    """Creates a prior that sets a parameter before its base class was called."""

    def __init__(self, latent_dim: int) -> None:
        self.shift = nn.Parameter(torch.zeros(latent_dim))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        raise NotImplementedError


class Silent(Uninitialised):
    """Creates a prior that never calls its base class."""

    def __init__(self, latent_dim: int) -> None:
        self.size = latent_dim


class Shrunk(Prior):
    """Creates a prior of another size than it was given."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__(latent_dim - 1)

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator)


class Numpy(Prior):
    """Creates a prior of NumPy's noise."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return torch.from_numpy(np.random.randn(count, self.latent_dim))


class Deaf(Prior):
    """Creates a prior that ignores the generator."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return torch.randn(count, self.latent_dim)


class Undefined(Prior):
    """Creates a prior of logarithms of negative numbers."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator).log()


class Single(Prior):
    """Creates a prior that gives one draw."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(self.latent_dim, generator=generator)


class Failing(Prior):
    """Creates a prior that fails when it is sampled."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        raise KeyError("table")


class Lawless(LinearEncoder):
    """Creates an encoder that returns codes."""

    def forward(self, x: Tensor) -> Any:
        return self.mean(x)


class Paired(LinearEncoder):
    """Creates an encoder that returns a pair."""

    def forward(self, x: Tensor) -> Any:
        return self.mean(x), self.log_scale


class Entrywise(LinearEncoder):
    """Creates an encoder whose law is one law an entry."""

    def forward(self, x: Tensor) -> Any:
        return Normal(self.mean(x), self.log_scale.exp())


class Misfit(Encoder):
    """Creates an encoder whose layer does not fit."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int) -> None:
        super().__init__(data_shape, latent_dim)
        self.layer = nn.Linear(99, latent_dim)

    def forward(self, x: Tensor) -> Any:
        return Dirac(self.layer(x))


class Infinite(LinearDecoder):
    """Creates a decoder to infinity."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z) / 0


class Folded(Decoder):
    """Creates a decoder that forgets the shape of the data."""

    def __init__(self, latent_dim: int, data_shape: tuple[int, ...]) -> None:
        super().__init__(latent_dim, data_shape)
        self.layer = nn.Linear(latent_dim, 4)

    def forward(self, z: Tensor) -> Tensor:
        out: Tensor = self.layer(z)
        return out


class Gap(Cost):
    """Creates the mean squared distance of codes and draws, which others spoil."""

    def forward(self, source: Any, target: Any) -> Any:
        return (source.flat - target.flat).square().mean()


class Forgetful(Gap):
    """Creates a cost without a return."""

    def forward(self, source: Any, target: Any) -> Any:
        super().forward(source, target)


class Number(Gap):
    """Creates a cost that is a Python number."""

    def forward(self, source: Any, target: Any) -> Any:
        return super().forward(source, target).item()


class Vector(Gap):
    """Creates a cost of each point."""

    def forward(self, source: Any, target: Any) -> Any:
        return (source.flat - target.flat).square().mean(1)


class Cut(Gap):
    """Creates a cost that is cut from the graph."""

    def forward(self, source: Any, target: Any) -> Any:
        return super().forward(source, target).detach()


class Annotated(Gap):
    """Creates a cost that takes its clouds for tensors."""

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return (source - target).square().mean()


class Divided(Gap):
    """Creates a cost that divides by zero."""

    def forward(self, source: Any, target: Any) -> Any:
        return super().forward(source, target) / 0


class Rooted(Gap):
    """Creates a cost with a root at zero."""

    def forward(self, source: Any, target: Any) -> Any:
        return (source.flat - source.flat).square().sum().sqrt() + super().forward(source, target)


class Tuples(Blobs):
    """Creates data that come with their labels."""

    def __getitem__(self, index: int) -> Any:
        return self.points[index], 0


class Arrays(Blobs):
    """Creates data as arrays."""

    def __getitem__(self, index: int) -> Any:
        return self.points[index].numpy()


class Matrices(Blobs):
    """Creates data of another shape than they tell."""

    def __getitem__(self, index: int) -> Any:
        return self.points[index][None]


class Integers(Blobs):
    """Creates data of whole numbers."""

    def __getitem__(self, index: int) -> Any:
        return self.points[index].long()


class Torn(Blobs):
    """Creates data of which one sample cannot be read."""

    def __getitem__(self, index: int) -> Tensor:
        if index == 30:
            raise KeyError("row")
        return self.points[index]


class Shapeless(Dataset):
    """Creates data that do not tell their shape."""

    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> Tensor:
        return torch.zeros(6)


class Labelled(Metric):
    """Creates a metric that takes labels for granted."""

    headline = "mean"
    figures = {}

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"mean": float(specimen.labels.double().mean())}  # type: ignore[union-attr]
