"""Whether the prior's own components are the classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Components as PriorComponents
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .calibration import calibration_error
from .clustering import AGREEMENT
from .clusters import Classes, baselines, classes_of, separation
from .contingency import contingency, match, purity


class Components(Metric):
    r"""Creates measures of how well the components of the prior agree with the classes.

    Each code belongs to the component that it most likely stems from, $k_i = \arg\max_k p(k \mid z_i)$; the accuracy is that
    of the best matching of components to classes, one to one, so that components in excess count as wrong; `purity` lets
    several components stand for one class. The calibration error compares $p(k_i \mid z_i)$ with how often it is right:

    $$\mathrm{ECE} = \sum_b \frac{n_b}{n} \left| \overline{\mathrm{correct}}_b - \overline{\mathrm{confidence}}_b \right|$$

    Beside it stand, as baselines, as many clusters of k-means on the training samples themselves and on principal
    components. Intervals are those of the bootstrap over the split.

    Figures: `accuracy`, `nmi`, `ari`, `purity`, `calibration_error`, `confidence`, `used`, `silhouette`,
    `calinski_harabasz`; `pixels_` and `pca_` with `accuracy`, `nmi` and `ari`; the table `contingency`.

    Args:
        limit: The largest number of training samples to fit baselines to, and half as many codes for the silhouette, by seed.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

        On Calibration of Modern Neural Networks (Guo et al., 2017)
        https://arxiv.org/abs/1706.04599
    """

    headline = "accuracy"
    needs_labels = True
    figures: ClassVar[Mapping[str, Figure]] = {
        "accuracy": Figure(
            "accuracy of the prior's components",
            "share of samples whose most likely component is matched to their class",
            "higher",
            1.0,
        ),
        "purity": Figure("purity", "share of samples of the most frequent class of their component", "higher", 1.0),
        "calibration_error": Figure(
            "calibration error",
            "mean gap between the probability of a component and how often it is right",
            "lower",
            0.0,
        ),
        "confidence": Figure("confidence", "mean probability of the most likely component"),
        "used": Figure(
            "components in use", "exponential of the entropy of how often each component is the most likely"
        ),
        **AGREEMENT,
        "contingency": Figure("components and classes", "samples that each component shares with each class"),
    }

    def __init__(self, limit: Annotated[int, Field(gt=1, le=100_000)] = 4_000) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the agreement of components with classes, and how sure the assignments are.

        Args:
            specimen: The split, with labels, and what the model makes of it.

        Raises:
            NotApplicableError: If there is no model, or its prior has no components.
        """
        components = None if specimen.model is None else specimen.model.prior.components
        if components is None:
            raise NotApplicableError("The metric 'components' needs a prior with components, such as `mixture`.")
        seed, classes = specimen.seed, classes_of(specimen)
        confidences, assigned = _assign(components, specimen.codes).max(1)
        count = len(components)
        rows = tuple(f"component {number}" for number in range(count))
        return {
            **classes.agreement(assigned, count, seed),
            **_certainty(confidences, assigned, classes, count, seed),
            **separation(specimen.codes, assigned, self.limit // 2, seed),
            **baselines(specimen, classes, count, self.limit),
            "contingency": classes.table(assigned, rows, "The prior's components and classes"),
        }


def _assign(components: PriorComponents, codes: Tensor) -> Tensor:
    weights = components.weights
    with torch.no_grad():
        return components.assign(codes.to(weights.device, weights.dtype)).cpu().double()


def _certainty(
    confidences: Tensor, assigned: Tensor, classes: Classes, count: int, seed: int
) -> dict[str, FigureValue]:
    table = contingency(assigned, classes.of, (count, len(classes.names)))
    correct = match(table)[assigned] == classes.of
    shares = table.sum(1) / table.sum()
    return {
        "purity": purity(table),
        "calibration_error": bootstrap(calibration_error, confidences, correct, seed=seed),
        "confidence": float(confidences.mean()),
        "used": float(torch.exp(-torch.xlogy(shares, shares).sum())),
    }
