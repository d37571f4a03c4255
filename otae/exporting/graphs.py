"""The parts of an autoencoder as functions of tensors alone, which can be traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from ..autoencoder import Autoencoder
from ..interfaces import Decoder, Encoder, Prior

Draw = Callable[..., Tensor]


@dataclass(frozen=True)
class Noise:
    """Holds what one input of a sampler is.

    Args:
        kind: `normal` or `uniform`.
        shape: The shape of one sample's share of it.
    """

    kind: str
    shape: tuple[int, ...]


class MeanCode(nn.Module):
    """Holds an encoder as the map from samples to mean codes.

    Args:
        encoder: The encoder.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        codes: Tensor = self.encoder(x).mean
        return codes


class Decoding(nn.Module):
    """Holds a decoder as the map from codes to samples.

    Args:
        decoder: The decoder.
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, z: Tensor) -> Tensor:
        return self.decoder(z)


class Sampling(nn.Module):
    """Holds prior and decoder as the map from the prior's noise to samples: who calls it draws the noise.

    Args:
        model: The autoencoder.
    """

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.prior, self.decoder = model.prior, model.decoder

    def forward(self, *noises: Tensor) -> Tensor:
        given = iter(noises)
        with drawing(self.prior, lambda *_: next(given)):
            codes = self.prior.sample(noises[0].shape[0])
        samples: Tensor = self.decoder(codes)
        return samples


@contextmanager
def drawing(prior: Prior, give: Callable[[Draw, tuple[int, ...]], Tensor]) -> Iterator[None]:
    """Has a prior take its noise from a function, for as long as the context lasts.

    Args:
        prior: The prior.
        give: What is asked for noise, by the function that would draw it, and its shape.
    """
    own: Any = prior
    own._noise = lambda *asked: give(*asked[:2])
    try:
        yield
    finally:
        del own._noise


def find_noises(prior: Prior, count: int) -> list[Noise] | None:
    """Returns what noise a prior draws, or `None` where it is not a share for each sample, drawn by `normal` and `uniform`.

    Args:
        prior: The prior.
        count: The number of draws to look at.
    """
    found: list[tuple[str, tuple[int, ...]]] = []

    def give(draw: Draw, shape: tuple[int, ...]) -> Tensor:
        found.append(("normal" if draw is torch.Tensor.normal_ else "uniform", tuple(shape)))
        return draw(torch.empty(shape, dtype=prior._anchor.dtype))

    state = torch.get_rng_state()
    with torch.random.fork_rng(devices=[]), torch.no_grad(), drawing(prior, give):
        torch.set_rng_state(state)
        first = prior.sample(count)
        drawn = torch.get_rng_state()
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(state)
        for kind, shape in found:
            getattr(torch.empty(shape, dtype=prior._anchor.dtype), f"{kind}_")()
        same = torch.equal(torch.get_rng_state(), drawn)  # nothing else was drawn
    if not found or not same or not bool(first.isfinite().all()) or any(shape[0] != count for _, shape in found):
        return None
    return [Noise(kind, shape[1:]) for kind, shape in found]


@contextmanager
def unchecked() -> Iterator[None]:
    """Has distributions look at no values, which cannot be traced, for as long as the context lasts."""
    former = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(former)
