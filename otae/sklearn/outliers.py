"""The estimator that tells outliers from samples of the training law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..autoencoder import evaluating
from ..cloud import Cloud
from ..errors import ConfigError
from .base import Array, BaseAutoencoder
from .settings import Overrides, Recipe

Rating: TypeAlias = Literal["reconstruction", "potential", "density"]


class OTOutlierDetector(OutlierMixin, BaseAutoencoder):  # type: ignore[misc]
    r"""Creates a detector of outliers on an optimal-transport autoencoder.

    A sample is rated by one of, higher where it is more like the training samples:

    - `reconstruction`: $-\|x - G(E(x))\|^2 / D$;
    - `potential`: the dual potential $f(G(E(x)), E(x))$ that a cost of the objective has learned, such as a critic: high
      where points look like what the model generates;
    - `density`: $\log \pi(E(x))$, for priors that have a density.

    Args:
        recipe: The recipe, as for `OTAutoencoder`.
        contamination: The share of the training samples that is taken for outliers, in (0, 0.5].
        rating: What samples are rated by.
        latent_dim: The number of entries of a code; as in the recipe where `None`.
        prior: The prior by name, or with options; as in the recipe where `None`.
        epochs: The number of passes over the data; as in the recipe where `None`.
        batch_size: The largest number of samples in a batch; as in the recipe where `None`.
        overrides: Any further value of the configuration, as for `OTAutoencoder`.
        data_shape: The shape of one sample where rows are flattened.
        value_range: The smallest and largest value of a sample; unbounded where `None`.
        random_state: The seed of weights, order and draws.

    Attributes:
        offset_: The rating below which a sample is an outlier, by the training samples of the last call.
        model_: The trained `otae.Autoencoder`.
        objective_: The trained objective.
        history_: The mean of each term, epoch by epoch.
        configuration_: The resolved configuration.
    """

    def __init__(
        self,
        recipe: Recipe = "gwae",
        *,
        contamination: float = 0.1,
        rating: Rating = "reconstruction",
        latent_dim: int | None = None,
        prior: str | dict[str, Any] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        overrides: Overrides | None = None,
        data_shape: Sequence[int] | None = None,
        value_range: tuple[float, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.contamination = contamination
        self.rating = rating
        super().__init__(
            recipe,
            latent_dim=latent_dim,
            prior=prior,
            epochs=epochs,
            batch_size=batch_size,
            overrides=overrides,
            data_shape=data_shape,
            value_range=value_range,
            random_state=random_state,
        )

    def predict(self, X: Any) -> Array:
        """Returns 1 for each sample that is like the training samples, and -1 for each outlier, with shape (N,).

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def decision_function(self, X: Any) -> Array:
        """Returns each sample's rating less `offset_`, with shape (N,): negative for outliers.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        return self.score_samples(X) - self.offset_

    def score_samples(self, X: Any) -> Array:
        """Returns each sample's rating, with shape (N,): lower for outliers.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        check_is_fitted(self)
        return self._rate(self._read(X))

    def _create(self, samples: Array) -> None:
        if not 0 < self.contamination <= 0.5:
            raise ConfigError(f"contamination is a share in (0, 0.5], got {self.contamination}.")
        if self.rating not in get_args(Rating):
            raise ConfigError(f"rating is one of {', '.join(get_args(Rating))}, got {self.rating!r}.")
        super()._create(samples)

    def _finish(self, samples: Array, weights: Array | None) -> None:
        ratings = self._rate(samples)
        self.offset_ = _find_offset(ratings, np.ones(len(ratings)) if weights is None else weights, self.contamination)

    def _rate(self, samples: Array) -> Array:
        if self.rating == "reconstruction":
            return self._rate_reconstruction(samples)
        x = self._to_model(samples).double()
        codes = self.model_.encode(x)
        with evaluating(self.model_), evaluating(self.objective_):
            rated = self._rate_density(codes) if self.rating == "density" else self._rate_potential(x, codes)
        ratings: Array = rated.numpy()
        return ratings

    def _rate_density(self, codes: Tensor) -> Tensor:
        law = self.model_.prior.law
        if law is None:
            name = self.configuration_["model"]["prior"]["name"]
            raise ConfigError(f"The prior {name!r} has no density: take another prior, or rating='reconstruction'.")
        densities: Tensor = law.log_prob(codes)
        return densities

    def _rate_potential(self, x: Tensor, codes: Tensor) -> Tensor:
        decoded = torch.cat([self.model_.decoder(part) for part in torch.split(codes, 1024)])
        points = {"data": x, "reconstruction": decoded, "generation": decoded}
        for _, term in self.objective_:
            if term.target is None:
                continue
            cloud = Cloud.joint(*(Cloud(points.get(name, codes)) for name in term.target))
            if (potential := term.cost.potential(cloud)) is not None:
                return potential
        raise ConfigError(
            "No cost of this recipe learns a potential: take one with a critic, or rating='reconstruction'."
        )


def _find_offset(ratings: Array, weights: Array, share: float) -> float:
    """Returns the rating right below which the lowest share of all lies, by weight."""
    order = np.argsort(ratings, kind="stable")
    below = np.cumsum(weights[order])
    first = int(np.searchsorted(below, share * below[-1] * (1 + 1e-9), side="right"))  # the lowest that is no outlier
    lowest = float(ratings[order][min(first, len(order) - 1)])
    return lowest - 1e-9 * abs(lowest)  # so that rounding does not decide about that sample
