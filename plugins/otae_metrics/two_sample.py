"""Whether generations can be told from data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .arrangement import arrange
from .bootstrap import bootstrap
from .features import Extraction, FeatureName
from .neighbours import nearest
from .roc import area
from .two_samples import classifier_scores

_LEAST = 8


class TwoSample(Metric):
    r"""Creates two measures of how well generations can be told from data: by nearest neighbours, and by a classifier.

    - `neighbours`: the share of points of both clouds whose nearest other point is of their own cloud. Of equal laws it
      is 0.5; above, clouds are apart, as where generations are blurred; below, generations are copies of the samples.
      `data_neighbours` and `generation_neighbours` are those of either cloud.
    - `auc`: the area under the ROC curve of gradient-boosted trees, fitted to one half of both clouds and judged on the
      other: the probability that a sample scores higher than a generation. Of equal laws it is 0.5, and 1 where they can
      always be told apart.

    Equally many samples and generations are looked at. Intervals are those of the bootstrap, neighbours and classifier
    held.

    Figures: `auc`, `neighbours`, `data_neighbours`, `generation_neighbours`.

    Args:
        limit: The largest number of samples of each cloud to look at, drawn by seed; time grows with its square.
        features: Where the clouds are compared: `pixels` for the entries of samples as they are, `pca` for at most 64
            principal components, `classifier` for the hidden layer of a network trained on the labels.
        module: The name of a module of one's own that gives the features instead, offered under the entry-point group
            `otae_networks.modules`, as for the encoder `pretrained`.
        weights: A safetensors file with the module's state.

    References:
        Revisiting Classifier Two-Sample Tests (Lopez-Paz and Oquab, 2017)
        https://arxiv.org/abs/1610.06545

        An Empirical Study on Evaluation Metrics of Generative Adversarial Networks (Xu et al., 2018)
        https://arxiv.org/abs/1806.07755
    """

    headline = "auc"
    costly = True
    figures: ClassVar[Mapping[str, Figure]] = {
        "auc": Figure(
            "generations told from data", "area under the ROC curve of a classifier, 0.5 where it cannot", "lower", 0.5
        ),
        "neighbours": Figure(
            "nearest neighbours of one's own", "share of points whose nearest is of their own cloud, 0.5 by chance"
        ),
        "data_neighbours": Figure("samples next to samples", "share of samples whose nearest is a sample"),
        "generation_neighbours": Figure("generations next to generations", "share of generations next to a generation"),
    }

    def __init__(
        self,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 1_000,
        features: FeatureName = "pixels",
        module: str | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.limit = limit
        self.extraction = Extraction(features, module, weights)

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns how well generations can be told from data.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than 8 samples or generations.
        """
        seed, extract = specimen.seed, self.extraction(specimen)
        count = min(len(specimen.data), len(specimen.generations), self.limit)
        if count < _LEAST:
            raise NotApplicableError(f"A two-sample test needs {_LEAST} samples and generations, got {count}.")
        orders = arrange(specimen.data, seed), arrange(specimen.generations, seed)
        clouds = specimen.data[orders[0][:count]], specimen.generations[orders[1][:count]]
        x, y = (extract(cloud) for cloud in clouds)
        half = count // 2
        low, high = classifier_scores((y[:half], x[:half]), (y[half:], x[half:]), seed)
        own = own_neighbours(x, y)
        return {
            "auc": bootstrap(area, low, high, seed=seed, paired=False),
            "neighbours": bootstrap(_mean, torch.cat(own), seed=seed),
            "data_neighbours": bootstrap(_mean, own[0], seed=seed),
            "generation_neighbours": bootstrap(_mean, own[1], seed=seed),
        }


def own_neighbours(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns of each point whether its nearest other point is of its own cloud, with shapes (N,) and (M,); a half where
    both clouds have one at that distance.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D).
    """
    found = []
    for cloud, other in ((x, y), (y, x)):
        own, across = nearest(cloud, cloud, 2)[0][:, 1], nearest(cloud, other)[0][:, 0]
        found.append((own < across).double() + 0.5 * (own == across).double())
    return found[0], found[1]


def _mean(values: Tensor) -> float:
    return float(values.mean())
