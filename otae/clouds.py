"""The named clouds of one batch, each drawn when it is first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.distributions import Distribution

from .autoencoder import Autoencoder
from .cloud import Cloud
from .contracts import require_law, require_shape


@dataclass(frozen=True)
class NamedCloud:
    """Creates what is known of a cloud before it is drawn.

    Args:
        space: Where its points live.
        line: Which samples it is paired with, in order.
        origin: The part of the model that knows its law, or `None`.
        draw: The function that draws it from the other clouds of the batch.
    """

    space: Literal["data", "latent"]
    line: Literal["data", "prior"]
    origin: Literal["encoder", "prior"] | None
    draw: Callable[[Clouds], Cloud]


class Clouds:
    """Creates the clouds of one batch, drawn lazily.

    Args:
        model: The autoencoder.
        x: The batch, with shape (N, *data_shape).
        weights: The weight of each sample, with shape (N,), which all clouds on its line bear; uniform where `None`.

    Examples:
        >>> clouds = Clouds(model, x)  # doctest: +SKIP
        >>> clouds["generation"].points.shape  # doctest: +SKIP
        torch.Size([64, 1, 8, 8])
    """

    def __init__(self, model: Autoencoder, x: Tensor, weights: Tensor | None = None) -> None:
        self.model = model
        self.x = x
        self.weights = weights
        self._drawn: dict[str, Cloud] = {}
        self._law: Distribution | None = None

    @property
    def law(self) -> Distribution:
        """Returns the law of the batch's codes, q(z|x), encoded when first asked for."""
        if self._law is None:
            self._law = require_law(self.model.encoder(self.x), self.model.encoder)
        return self._law

    def redrawn(self) -> Clouds:
        """Returns the clouds of the same batch, to be drawn anew, from the law of the codes that is known already."""
        fresh = Clouds(self.model, self.x, self.weights)
        fresh._law = self._law
        return fresh

    def __getitem__(self, names: str | Sequence[str]) -> Cloud:
        """Returns a cloud by its name, or the joint cloud of several names."""
        if isinstance(names, str):
            if names not in self._drawn:
                self._drawn[names] = NAMED_CLOUDS[names].draw(self)
            return self._drawn[names]
        return self[names[0]] if len(names) == 1 else Cloud.joint(*(self[name] for name in names))


def _data(clouds: Clouds) -> Cloud:
    return Cloud(clouds.x, clouds.weights)


def _code(clouds: Clouds) -> Cloud:
    return Cloud(clouds.law.rsample(), clouds.weights, clouds.law)


def _reconstruction(clouds: Clouds) -> Cloud:
    return Cloud(_decode(clouds.model, clouds["code"].points), clouds.weights)


def _prior(clouds: Clouds) -> Cloud:
    prior = clouds.model.prior
    cure = "Draw shape (count, latent_dim)."
    draws = require_shape(prior.sample(len(clouds.x)), (len(clouds.x), prior.latent_dim), prior, "draws", cure)
    return Cloud(draws, law=prior.law)


def _generation(clouds: Clouds) -> Cloud:
    return Cloud(_decode(clouds.model, clouds["prior"].points))


def _recode(clouds: Clouds) -> Cloud:
    law = require_law(clouds.model.encoder(clouds["generation"].points), clouds.model.encoder)
    return Cloud(law.rsample(), law=law)


def _decode(model: Autoencoder, codes: Tensor) -> Tensor:
    cure = "End in the shape of the data, which the builder hands in as data_shape."
    return require_shape(model.decoder(codes), (len(codes), *model.data_shape), model.decoder, "samples", cure)


NAMED_CLOUDS: dict[str, NamedCloud] = {
    "data": NamedCloud("data", "data", None, _data),
    "code": NamedCloud("latent", "data", "encoder", _code),
    "reconstruction": NamedCloud("data", "data", None, _reconstruction),
    "prior": NamedCloud("latent", "prior", "prior", _prior),
    "generation": NamedCloud("data", "prior", None, _generation),
    "recode": NamedCloud("latent", "prior", "encoder", _recode),
}
