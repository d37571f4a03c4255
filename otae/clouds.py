"""The named clouds of one batch, each drawn when it is first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from torch.distributions import Distribution

from .autoencoder import Autoencoder
from .chunks import apply_in_chunks
from .cloud import Cloud
from .contracts import require_law, require_shape
from .share import Share


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
        share: What x is of a batch that lies on several processes; `None` where it is the whole batch.
        chunks: In how many chunks the networks work through x, whose activations are held one after the other.

    Examples:
        >>> clouds = Clouds(model, x)  # doctest: +SKIP
        >>> clouds["generation"].points.shape  # doctest: +SKIP
        torch.Size([64, 1, 8, 8])
    """

    def __init__(
        self,
        model: Autoencoder,
        x: Tensor,
        share: Share | None = None,
        chunks: int = 1,
        *,
        weights: Tensor | None = None,
    ) -> None:
        self.model = model
        self.x = x
        self.share, self.chunks = share, chunks
        self.weights = weights
        self._drawn: dict[str, Cloud] = {}
        self._whole: dict[tuple[str, bool], Cloud] = {}
        self._law: Distribution | None = None

    @property
    def count(self) -> int:
        """Returns the number of samples of the whole batch."""
        return len(self.x) if self.share is None else self.share.count

    @property
    def law(self) -> Distribution:
        """Returns the law of the batch's codes, q(z|x), encoded when first asked for."""
        if self._law is None:
            self._law = self.encode(self.x)
        return self._law

    def encode(self, x: Tensor) -> Distribution:
        """Returns the laws of the codes of samples.

        Args:
            x: The samples, with shape (N, *data_shape).
        """
        return require_law(self._apply(self.model.encoder, x), self.model.encoder)

    def decode(self, codes: Tensor) -> Tensor:
        """Returns the decoded codes, with shape (N, *data_shape).

        Args:
            codes: The codes, with shape (N, latent_dim).
        """
        decoder, shape = self.model.decoder, (len(codes), *self.model.data_shape)
        cure = "End in the shape of the data, which the builder hands in as data_shape."
        return require_shape(self._apply(decoder, codes), shape, decoder, "samples", cure)

    def draw(self, law: Distribution, weights: Tensor | None = None) -> Cloud:
        """Returns one draw from each law, with the laws.

        Args:
            law: The laws, with batch shape (N,).
            weights: The weight of each draw, with shape (N,); uniform where `None`.
        """
        return Cloud(law.rsample() if self.share is None else self.share.draw(law.rsample), weights, law)

    def draw_prior(self) -> Cloud:
        """Returns the draws of the prior: those of the own rows. All processes draw the whole, since priors may look at it."""
        prior = self.model.prior
        cure = "Draw shape (count, latent_dim)."
        draws = require_shape(prior.sample(self.count), (self.count, prior.latent_dim), prior, "draws", cure)
        whole = Cloud(draws, law=prior.law)
        if self.share is None:
            return whole
        self._whole["prior", False] = self._whole["prior", True] = whole
        return Cloud(draws[self.share.rows], law=whole.law)

    def redrawn(self) -> Clouds:
        """Returns the clouds of the same batch, to be drawn anew, from the law of the codes that is known already."""
        fresh = Clouds(self.model, self.x, self.share, self.chunks, weights=self.weights)
        fresh._law = self._law
        fresh._whole = {key: cloud for key, cloud in self._whole.items() if key[0] == "data"}
        return fresh

    def view(self, names: Sequence[str], *, whole: bool, law: bool = False) -> Cloud:
        """Returns a cloud or the joint cloud of several names, of the own rows or gathered over all processes.

        Args:
            names: The names.
            whole: Whether to gather; without effect where there is but one process.
            law: Whether the laws of the samples are needed as well.
        """
        if not whole or self.share is None:
            return self[names]
        members = [self._gather(self.share, name, law) for name in names]
        return members[0] if len(members) == 1 else Cloud.joint(*members)

    def _gather(self, share: Share, name: str, law: bool) -> Cloud:
        own, key = self[name], (name, law)
        if key not in self._whole:
            self._whole[key] = share.gather(own, law=law)
        return self._whole[key]

    def _apply(self, module: nn.Module, x: Tensor) -> Any:
        if self.share is None:
            return apply_in_chunks(module, x, self.chunks)
        if self.chunks == 1:
            return self.share.compute((id(module), module.training), lambda: module(x))
        with self.share.apart():
            return apply_in_chunks(module, x, self.chunks)

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
    return clouds.draw(clouds.law, clouds.weights)


def _reconstruction(clouds: Clouds) -> Cloud:
    return Cloud(clouds.decode(clouds["code"].points), clouds.weights)


def _generation(clouds: Clouds) -> Cloud:
    return Cloud(clouds.decode(clouds["prior"].points))


def _recode(clouds: Clouds) -> Cloud:
    return clouds.draw(clouds.encode(clouds["generation"].points))


NAMED_CLOUDS: dict[str, NamedCloud] = {
    "data": NamedCloud("data", "data", None, _data),
    "code": NamedCloud("latent", "data", "encoder", _code),
    "reconstruction": NamedCloud("data", "data", None, _reconstruction),
    "prior": NamedCloud("latent", "prior", "prior", Clouds.draw_prior),
    "generation": NamedCloud("data", "prior", None, _generation),
    "recode": NamedCloud("latent", "prior", "encoder", _recode),
}
