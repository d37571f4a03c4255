"""The base of all estimators: an autoencoder that is configured, trained and used as scikit-learn does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..arrays import to_tensor
from ..build import Shape
from ..errors import ConfigError
from ..faults import blaming
from .learner import Learner, Minibatches
from .saving import read_estimator, write_estimator
from .settings import Overrides, Recipe, configure

Array = np.ndarray[Any, Any]


class BaseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Abstract base of estimators on an optimal-transport autoencoder."""

    def __init__(
        self,
        recipe: Recipe = "gwae",
        *,
        latent_dim: int | None = None,
        prior: str | dict[str, Any] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        overrides: Overrides | None = None,
        data_shape: Sequence[int] | None = None,
        value_range: tuple[float, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.recipe = recipe
        self.latent_dim = latent_dim
        self.prior = prior
        self.epochs = epochs
        self.batch_size = batch_size
        self.overrides = overrides
        self.data_shape = data_shape
        self.value_range = value_range
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Trains a new autoencoder on samples.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
            y: Left aside.
            sample_weight: The weight of each sample, with shape (N,), for recipes whose costs take weights; uniform where
                `None`.

        Returns:
            The estimator.
        """
        samples = self._read(X, reset=True)
        self._create(samples)
        return self._learn(samples, sample_weight, self.configuration_["training"]["epochs"])

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Goes on with the training for one epoch of samples; begins it where there was none.

        The optimisers go on from where they are, so that data may come piece by piece.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
            y: Left aside.
            sample_weight: The weight of each sample, with shape (N,); uniform where `None`.

        Returns:
            The estimator.
        """
        begins = not hasattr(self, "model_")
        samples = self._read(X, reset=begins)
        if begins:
            self._create(samples)
        return self._learn(samples, sample_weight, 1)

    def transform(self, X: Any) -> Array:
        """Returns the mean codes of samples, with shape (N, latent_dim).

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        check_is_fitted(self)
        samples = self._read(X)
        return self._encode(samples).astype(samples.dtype)

    def inverse_transform(self, X: Any) -> Array:
        """Returns decoded codes, with shape (N, D), or (N, *data_shape) where the training data had that shape.

        Args:
            X: The codes, with shape (N, latent_dim).
        """
        check_is_fitted(self)
        codes = np.asarray(X, dtype=np.float64)
        return self._shape_back(self.model_.decode(codes))

    def sample(self, n_samples: int = 1, random_state: int | np.random.RandomState | None = None) -> Array:
        """Returns decoded draws from the prior, with shape (n_samples, D), or (n_samples, *data_shape).

        Args:
            n_samples: The number of draws.
            random_state: The source of randomness.
        """
        check_is_fitted(self)
        generator = torch.Generator().manual_seed(_draw_seed(random_state))
        return self._shape_back(self.model_.sample(n_samples, generator=generator).numpy())

    def score_samples(self, X: Any) -> Array:
        r"""Returns how well samples are reconstructed, $-\|x - G(E(x))\|^2 / D$, with shape (N,): higher is better.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
        """
        check_is_fitted(self)
        return self._rate_reconstruction(self._read(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Returns the mean of `score_samples`: higher is better.

        Args:
            X: The samples, with shape (N, D), or (N, *data_shape).
            y: Left aside.
            sample_weight: The weight of each sample, with shape (N,); uniform where `None`.
        """
        check_is_fitted(self)
        return float(np.average(self._rate_reconstruction(self._read(X)), weights=sample_weight))

    def save(self, path: str | Path) -> None:
        """Writes the fitted estimator to one file of safetensors, without pickle.

        Args:
            path: The file.

        Raises:
            ConfigError: If a parameter is no number, text, list or mapping.
        """
        check_is_fitted(self)
        write_estimator(self, Path(path).expanduser())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Returns a fitted estimator that `save` wrote; a further `partial_fit` begins with fresh optimisers.

        Args:
            path: The file.

        Raises:
            RunError: If the file is missing or corrupt, or holds another estimator.
        """
        return read_estimator(cls, Path(path).expanduser())

    @property
    def _n_features_out(self) -> int:
        return int(self.model_.latent_dim)

    def _settings(self) -> dict[str, Any]:
        """Returns the values of the configuration that parameters stand for, by dotted path."""
        return {
            "model.latent_dim": self.latent_dim,
            "model.prior": self.prior,
            "training.epochs": self.epochs,
            "data.batch_size": self.batch_size,
        }

    def _create(self, samples: Array) -> None:
        """Builds the parts anew for samples."""
        experiment = configure(self.recipe, self._settings(), self.overrides, _draw_seed(self.random_state))
        shape = self.input_shape_ if self.data_shape is None else tuple(self.data_shape)
        if math.prod(shape) != samples.shape[1]:
            raise ConfigError(
                f"data_shape {shape} has {math.prod(shape)} entries, and samples have {samples.shape[1]}."
            )
        bounds = None if self.value_range is None else (float(self.value_range[0]), float(self.value_range[1]))
        self._build(experiment.to_dict(), shape, bounds)

    def _build(self, configuration: dict[str, Any], shape: tuple[int, ...], bounds: tuple[float, float] | None) -> None:
        self._learner = Learner.of(configuration, Shape(shape, bounds))
        self.configuration_ = configuration
        self.model_, self.objective_ = self._learner.model, self._learner.objective
        self.history_ = self._learner.history

    def _learn(self, samples: Array, sample_weight: Any, epochs: int) -> Self:
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, samples, dtype=np.float64, ensure_non_negative=True)
            if not weights.any():
                raise ConfigError("The weights of all samples are zero: give at least one sample a weight.")
            samples, weights = samples[weights > 0], weights[weights > 0]  # a weight of 0 leaves a sample out
        x = self._to_model(samples)
        batch_size = self.configuration_["data"]["batch_size"]
        batches = Minibatches(x, None if weights is None else to_tensor(weights), batch_size, self._learner.seed)
        with blaming():
            self._learner.learn(batches, epochs)
        self._finish(samples, weights)
        return self

    def _finish(self, samples: Array, weights: Array | None) -> None:
        """Sets what a fitted estimator tells of its training samples."""

    def _read(self, X: Any, *, reset: bool = False) -> Array:
        """Returns samples as an array of floating-point numbers, with shape (N, D)."""
        shape = tuple(np.shape(X))[1:] if hasattr(X, "shape") else ()
        if len(shape) > 1:
            X = np.asarray(X).reshape(len(X), -1)
        least = 2 if reset else 1
        samples: Array = validate_data(self, X, reset=reset, dtype=(np.float64, np.float32), ensure_min_samples=least)
        if reset:
            self.input_shape_ = shape if len(shape) > 1 else (samples.shape[1],)
        return samples

    def _to_model(self, samples: Array) -> torch.Tensor:
        return to_tensor(samples).reshape(len(samples), *self.model_.data_shape)

    def _shape_back(self, samples: Array) -> Array:
        return samples.reshape(len(samples), *self.input_shape_)

    def _encode(self, samples: Array) -> Array:
        return self.model_.encode(self._to_model(samples).double()).numpy()

    def _rate_reconstruction(self, samples: Array) -> Array:
        x = self._to_model(samples).double()
        errors: Array = (x - self.model_.reconstruct(x)).flatten(1).square().mean(1).numpy()
        return -errors

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _draw_seed(random_state: Any) -> int:
    if isinstance(random_state, int | np.integer) and 0 <= random_state < 2**32:
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))
