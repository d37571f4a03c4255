"""Whether generations are copies of training samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .features import Extraction, FeatureName
from .held_out import held_out
from .neighbours import nearest
from .roc import area
from .subset import subset


class Memorisation(Metric):
    r"""Creates measures of whether generations lie nearer to the training samples than new samples do.

    With $d(\cdot)$ the distance to the nearest training sample,

    $$\mathrm{copied} = P\left(d(y) < d(x)\right) + \tfrac12 P\left(d(y) = d(x)\right)$$

    for a generation y and a sample x that was not trained on: 0.5 where generations are as new as samples, 1 where all
    are copies, and below 0.5 where they are off the data, as blurred ones are. `z` is the statistic of Mann and Whitney in
    units of its deviation under equal laws, the test C_T in one cell with its sign turned: above about 2, copying is
    significant. `ratio` is the median distance of generations over that of samples.

    Figures: `copied`, `z`, `ratio`.

    Args:
        limit: The largest number of samples of each cloud to look at, drawn by seed; time grows with its square.
        features: Where distances are taken: `pixels` for the entries of samples as they are, `pca` for at most 64
            principal components, `classifier` for the hidden layer of a network trained on the labels.
        module: The name of a module of one's own that gives the features instead, offered under the entry-point group
            `otae_networks.modules`, as for the encoder `pretrained`.
        weights: A safetensors file with the module's state.

    References:
        A Non-Parametric Test to Detect Data-Copying in Generative Models (Meehan et al., 2020)
        https://arxiv.org/abs/2004.05675

        On a Test of Whether One of Two Random Variables Is Stochastically Larger than the Other (Mann and Whitney, 1947)
        https://doi.org/10.1214/aoms/1177730491
    """

    headline = "copied"
    figures: ClassVar[Mapping[str, Figure]] = {
        "copied": Figure(
            "nearer to training samples than data", "probability that a generation is nearer to them than a new sample"
        ),
        "z": Figure("data copying", "Mann-Whitney statistic in standard deviations; copying is significant above 2"),
        "ratio": Figure(
            "distance to training samples, of data's",
            "median distance of generations over that of samples not trained on",
        ),
    }

    def __init__(
        self,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 4_000,
        features: FeatureName = "pixels",
        module: str | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.limit = limit
        self.extraction = Extraction(features, module, weights)

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns how much nearer to the training samples generations lie than new samples.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If the split holds training samples only.
        """
        seed, extract = specimen.seed, self.extraction(specimen)
        train, fresh = held_out(specimen)
        if train is not specimen.train or not len(fresh.data):
            raise NotApplicableError(
                "Memorisation is measured against samples that were not trained on: judge a test split."
            )
        clouds = (specimen.generations, fresh.data, train.data)
        generated, samples, known = (extract(cloud[subset(cloud, self.limit, seed)]) for cloud in clouds)
        y, x = (nearest(cloud, known)[0][:, 0] for cloud in (generated, samples))
        copied = bootstrap(_copied, y, x, seed=seed, paired=False)
        figures: dict[str, FigureValue] = {"copied": copied, "z": (copied - 0.5) / _deviation(y, x)}
        if x.median() > 0:
            figures["ratio"] = bootstrap(_ratio, y, x, seed=seed, paired=False)
        return figures


def _copied(y: Tensor, x: Tensor) -> float:
    return area(y, x)


def _ratio(y: Tensor, x: Tensor) -> float:
    middle = float(torch.quantile(x, 0.5))
    return float(torch.quantile(y, 0.5)) / middle if middle else math.nan


def _deviation(y: Tensor, x: Tensor) -> float:
    """Returns the standard deviation of the share of pairs in order, of equal laws, with ties taken into account."""
    n, m = len(y), len(x)
    total = n + m
    ties = torch.unique(torch.cat([y, x]), return_counts=True)[1].double()
    lost = float((ties.pow(3) - ties).sum()) / (total * (total - 1)) if total > 1 else 0.0
    variance = (total + 1 - lost) / (12 * n * m)
    return math.sqrt(variance) if variance > 0 else math.inf
