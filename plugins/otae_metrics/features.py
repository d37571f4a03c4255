"""The features in which generations are compared with data: pixels, principal components, a classifier's, a module's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from otae.errors import ConfigError, NotApplicableError
from otae.interfaces import Samples, Specimen
from otae.modules import fill_module, load_module

from .linear import Linear, vectors

FeatureName: TypeAlias = Literal["pixels", "pca", "classifier"]
Extractor: TypeAlias = Callable[[Tensor], Tensor]

MODULES = "otae_networks.modules"  # one group for all modules of users
_COMPONENTS, _WIDTH, _BATCH = 64, 128, 256


class Extraction:
    """Creates the choice of features of a metric.

    Args:
        features: `pixels` for the entries themselves; `pca` for at most 64 principal components of the training samples;
            `classifier` for the hidden layer of a network trained on the labels of the training samples.
        module: The name of a module of one's own that gives the features instead, or `None`.
        weights: A safetensors file with the module's state; the weights it is made with where `None`.

    Raises:
        ConfigError: If there is no such module, it cannot be made, or the weights do not fit it.
    """

    def __init__(self, features: FeatureName, module: str | None = None, weights: str | None = None) -> None:
        self.features = features
        if weights is not None and module is None:
            raise ConfigError("`weights` are those of a module, and no `module` was given. Name it, or leave them out.")
        self.module = None if module is None else load_module(module, MODULES)
        if self.module is not None and weights is not None:
            fill_module(self.module, weights)

    def __call__(self, specimen: Specimen) -> Extractor:
        """Returns a function from samples with shape (N, …) to features with shape (N, D), in double precision.

        Args:
            specimen: The specimen, whose training samples components and classifiers are fitted to.

        Raises:
            NotApplicableError: If a classifier is asked for, and the training samples have no labels of two classes.
        """
        if self.module is not None:
            return _of_module(self.module)
        return _FEATURES[self.features](specimen.train, specimen.seed)


def _of_module(module: nn.Module) -> Extractor:
    module = module.eval()

    def extract(samples: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([vectors(module(batch)) for batch in torch.split(samples.float(), _BATCH)])

    return extract


def _classifier(train: Samples, seed: int) -> Extractor:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    if train.labels is None or len(torch.unique(train.labels)) < 2:
        raise NotApplicableError("Features of a classifier need training samples with labels of two classes at least.")
    points = vectors(train.data)
    mean, spread = points.mean(0), points.std().clamp_min(1e-12)  # one unit for all entries, as pixels have
    network = MLPClassifier((_WIDTH,), max_iter=50, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its features serve before it has converged
        network.fit(((points - mean) / spread).numpy(), train.labels.numpy())
    weight, bias = (torch.from_numpy(each[0]) for each in (network.coefs_, network.intercepts_))

    def extract(samples: Tensor) -> Tensor:
        return ((vectors(samples) - mean) / spread @ weight + bias).relu()

    return extract


_FEATURES: dict[FeatureName, Callable[[Samples, int], Extractor]] = {
    "pixels": lambda *_: vectors,
    "pca": lambda train, _: Linear(train.data, _COMPONENTS).encode,
    "classifier": _classifier,
}
