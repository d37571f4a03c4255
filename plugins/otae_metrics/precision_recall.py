"""Whether generations look like data, and whether they show all that data show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .features import Extraction, FeatureName
from .neighbours import nearest, radii, within
from .subset import subset


class PrecisionRecall(Metric):
    r"""Creates precision, recall, density and coverage of the generations.

    With $B(x_i)$ the ball around a sample that reaches to its k-th nearest other sample, and $B(y_j)$ likewise among the
    generations,

    $$\mathrm{precision} = \frac1M \sum_j [y_j \in \bigcup_i B(x_i)], \quad
    \mathrm{recall} = \frac1N \sum_i [x_i \in \bigcup_j B(y_j)],$$

    $$\mathrm{density} = \frac{1}{kM} \sum_{ij} [y_j \in B(x_i)], \quad
    \mathrm{coverage} = \frac1N \sum_i [\exists j: y_j \in B(x_i)]$$

    Precision and density ask whether generations look like data, recall and coverage whether they show all of them;
    density and coverage are robust to outliers. Of two equal laws, density is 1 on average, and coverage about
    $1 - 2^{-k}$, for equally many samples. As many generations as samples are looked at. Intervals are those of the
    bootstrap over the points that are counted, balls held.

    Figures: `precision`, `recall`, `density`, `coverage`, and `f1`, the harmonic mean of the first two.

    Args:
        nearest: The number k of neighbours.
        limit: The largest number of samples of each cloud to look at, drawn by seed; time grows with its square.
        features: Where the clouds are compared: `pixels` for the entries of samples as they are, `pca` for at most 64
            principal components, `classifier` for the hidden layer of a network trained on the labels.
        module: The name of a module of one's own that gives the features instead, offered under the entry-point group
            `otae_networks.modules`, as for the encoder `pretrained`.
        weights: A safetensors file with the module's state.

    References:
        Improved Precision and Recall Metric for Assessing Generative Models (Kynkäänniemi et al., 2019)
        https://arxiv.org/abs/1904.06991

        Reliable Fidelity and Diversity Metrics for Generative Models (Naeem et al., 2020)
        https://arxiv.org/abs/2002.09797
    """

    headline = "f1"
    figures: ClassVar[Mapping[str, Figure]] = {
        "f1": Figure("precision and recall", "harmonic mean of precision and recall of the generations", "higher", 1.0),
        "precision": Figure("precision", "share of generations within reach of a sample's neighbours", "higher", 1.0),
        "recall": Figure("recall", "share of samples within reach of a generation's neighbours", "higher", 1.0),
        "density": Figure("density", "number of samples' balls that a generation lies in, over k", "higher"),
        "coverage": Figure("coverage", "share of samples with a generation in their ball", "higher", 1.0),
    }

    def __init__(
        self,
        nearest: Annotated[int, Field(gt=0, le=100_000)] = 5,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 2_000,
        features: FeatureName = "pixels",
        module: str | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.nearest, self.limit = nearest, limit
        self.extraction = Extraction(features, module, weights)

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the shares of generations and samples that lie within reach of the others.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are no more samples, or generations, than neighbours.
        """
        seed, extract = specimen.seed, self.extraction(specimen)
        count = min(len(specimen.data), len(specimen.generations), self.limit)
        if count <= self.nearest:
            raise NotApplicableError(f"{self.nearest} neighbours need more samples and generations than {count}.")
        x, y = (extract(cloud[subset(cloud, count, seed)]) for cloud in (specimen.data, specimen.generations))
        inside, shown, covered = counts(x, y, self.nearest)
        reached, recalled = (inside > 0).double(), (shown > 0).double()
        return {
            "precision": bootstrap(_mean, reached, seed=seed),
            "recall": bootstrap(_mean, recalled, seed=seed),
            "density": bootstrap(_mean, inside / self.nearest, seed=seed),
            "coverage": bootstrap(_mean, covered, seed=seed),
            "f1": bootstrap(_harmonic, reached, recalled, seed=seed, paired=False),
        }


def counts(x: Tensor, y: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns how many balls of samples each generation lies in, (M,); of generations, each sample, (N,); and whether
    there is a generation in each sample's ball, (N,).

    Args:
        x: The samples, with shape (N, D).
        y: The generations, with shape (M, D).
        count: The number of neighbours that a ball reaches to.
    """
    reach = radii(x, count)
    covered = (nearest(x, y)[0][:, 0] <= reach).double()
    return within(y, x, reach), within(x, y, radii(y, count)), covered


def _mean(values: Tensor) -> float:
    return float(values.mean())


def _harmonic(precise: Tensor, recalled: Tensor) -> float:
    precision, recall = float(precise.mean()), float(recalled.mean())
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
