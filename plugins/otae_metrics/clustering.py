"""Whether k-means on the codes finds the classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .clusters import baselines, classes_of, k_means, separation
from .linear import vectors
from .subset import subset

AGREEMENT: Mapping[str, Figure] = {
    "nmi": Figure("NMI", "mutual information of clusters and classes, over the mean of their entropies", "higher", 1.0),
    "ari": Figure("ARI", "adjusted Rand index of clusters and classes, 0 by chance", "higher", 1.0),
    "silhouette": Figure(
        "silhouette", "how much nearer codes lie to their own cluster than to the next", "higher", 1.0
    ),
    "calinski_harabasz": Figure(
        "Calinski-Harabasz index",
        "variance of codes between clusters over that within, per degree of freedom",
        "higher",
    ),
    "pixels_accuracy": Figure(
        "accuracy of k-means on the data", "accuracy by matching, of k-means on the samples", "higher"
    ),
    "pixels_nmi": Figure("NMI of k-means on the data", "NMI of k-means on the samples themselves", "higher"),
    "pixels_ari": Figure("ARI of k-means on the data", "ARI of k-means on the samples themselves", "higher"),
    "pca_accuracy": Figure(
        "accuracy of k-means on PCA", "accuracy by matching, of k-means on principal components", "higher"
    ),
    "pca_nmi": Figure(
        "NMI of k-means on PCA", "NMI of k-means on as many principal components as codes have", "higher"
    ),
    "pca_ari": Figure(
        "ARI of k-means on PCA", "ARI of k-means on as many principal components as codes have", "higher"
    ),
}
"""The figures that clusters of any origin share, without the accuracy."""


class Clustering(Metric):
    r"""Creates measures of how well clusters of k-means on the codes agree with the classes.

    k-means is fitted to the codes of the training samples, with as many clusters as there are classes, and assigns the
    codes of the split. The accuracy is that of the best matching of clusters to classes, one to one:

    $$\mathrm{accuracy} = \max_\sigma \frac1N \sum_i [\sigma(k_i) = c_i]$$

    Beside it stand the normalised mutual information, the adjusted Rand index, and how far apart the clusters lie; and,
    as baselines, k-means in the same way on the samples themselves and on as many of their principal components as codes
    have entries. The clusters of a prior's own components are judged by `components`. Intervals are those of the
    bootstrap over the split, clusters held.

    Figures: `accuracy`, `nmi`, `ari`, `silhouette`, `calinski_harabasz`; `pixels_` and `pca_` with `accuracy`, `nmi` and
    `ari`; the table `contingency`.

    Args:
        clusters: The number of clusters; that of the classes where `None`.
        limit: The largest number of training samples to fit to, and half as many codes for the silhouette, by seed.

    References:
        Unsupervised Deep Embedding for Clustering Analysis (Xie et al., 2016)
        https://arxiv.org/abs/1511.06335

        Information Theoretic Measures for Clusterings Comparison (Vinh et al., 2010)
        https://jmlr.org/papers/v11/vinh10a.html

        Comparing Partitions (Hubert and Arabie, 1985)
        https://doi.org/10.1007/BF01908075
    """

    headline = "accuracy"
    needs_labels = True
    figures: ClassVar[Mapping[str, Figure]] = {
        "accuracy": Figure(
            "accuracy of k-means on codes", "share of samples whose cluster is matched to their class", "higher", 1.0
        ),
        **AGREEMENT,
        "contingency": Figure("clusters and classes", "samples that each cluster shares with each class"),
    }

    def __init__(
        self,
        clusters: Annotated[int, Field(gt=1, le=100_000)] | None = None,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 4_000,
    ) -> None:
        super().__init__()
        self.clusters, self.limit = clusters, limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the agreement of k-means on codes, on samples and on components with the classes.

        Args:
            specimen: The split, with labels, and what the model makes of it.
        """
        seed, classes = specimen.seed, classes_of(specimen)
        count = self.clusters or len(classes.names)
        train = specimen.train.codes[subset(specimen.train.codes, self.limit, seed)]
        assigned = k_means(vectors(train), count, seed)(vectors(specimen.codes))
        rows = tuple(f"cluster {number}" for number in range(count))
        return {
            **classes.agreement(assigned, count, seed),
            **separation(specimen.codes, assigned, self.limit // 2, seed),
            **baselines(specimen, classes, count, self.limit),
            "contingency": classes.table(assigned, rows, "Clusters of k-means on codes, and classes"),
        }
