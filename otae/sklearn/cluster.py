"""The estimator that assigns samples to the components of a prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import ClusterMixin
from sklearn.utils.validation import check_is_fitted

from ..arrays import to_tensor
from ..autoencoder import evaluating
from ..errors import ConfigError
from .base import Array, BaseAutoencoder
from .settings import Overrides, Recipe


class OTCluster(ClusterMixin, BaseAutoencoder):  # type: ignore[misc]
    """Creates a clustering by the components of an autoencoder's prior: each sample belongs to the one that its code most
    likely stems from.

    Args:
        n_clusters: The number of clusters, the components of the prior.
        recipe: A recipe whose prior is a mixture, as for `OTAutoencoder`.
        latent_dim: The number of entries of a code; as in the recipe where `None`.
        prior: A prior that has `components`, by name or with options; as in the recipe where `None`.
        epochs: The number of passes over the data; as in the recipe where `None`.
        batch_size: The largest number of samples in a batch; as in the recipe where `None`.
        overrides: Any further value of the configuration, as for `OTAutoencoder`.
        data_shape: The shape of one sample where rows are flattened.
        value_range: The smallest and largest value of a sample; unbounded where `None`.
        random_state: The seed of weights, order and draws.

    Attributes:
        labels_: The cluster of each training sample, of the last call of `partial_fit` where there were several.
        model_: The trained `otae.Autoencoder`.
        objective_: The trained objective.
        history_: The mean of each term, epoch by epoch.
        configuration_: The resolved configuration.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007
    """

    def __init__(
        self,
        n_clusters: int = 10,
        *,
        recipe: Recipe = "gwae-mixture",
        latent_dim: int | None = None,
        prior: str | dict[str, Any] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        overrides: Overrides | None = None,
        data_shape: Sequence[int] | None = None,
        value_range: tuple[float, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
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

    def fit(self, X: Any, y: Any = None) -> Self:  # type: ignore[override]  # components start from codes without weights
        """Trains a new autoencoder on samples.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
            y: Left aside.

        Returns:
            The estimator.
        """
        return super().fit(X)

    def partial_fit(self, X: Any, y: Any = None) -> Self:  # type: ignore[override]
        """Goes on with the training for one epoch of samples; begins it where there was none.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
            y: Left aside.

        Returns:
            The estimator.
        """
        return super().partial_fit(X)

    def predict(self, X: Any) -> Array:
        """Returns the cluster of each sample, with shape (N,).

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        labels: Array = self.predict_proba(X).argmax(1)
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Returns the probability that each sample's code stems from each component, with shape (N, n_clusters).

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        check_is_fitted(self)
        return self._assign(self._read(X))

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"model.prior.components": self.n_clusters}

    def _finish(self, samples: Array, weights: Array | None) -> None:
        self.labels_ = self._assign(samples).argmax(1)

    def _assign(self, samples: Array) -> Array:
        codes = to_tensor(self._encode(samples))
        with evaluating(self.model_):
            components = self.model_.prior.components
            if components is None:
                name = self.configuration_["model"]["prior"]["name"]
                raise ConfigError(
                    f"The prior {name!r} has no components: take one that is a mixture, such as 'mixture'."
                )
            probabilities: Array = components.assign(codes).numpy()
        return probabilities
