"""Clusters of samples against their classes: the figures of any assignment, and k-means."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.interfaces import Estimate, FigureValue, Missing, Specimen, Table

from .arrangement import arrange
from .bootstrap import interval
from .contingency import accuracy, contingency, match, mutual_information, rand_index, redraw
from .linear import Linear, vectors
from .subset import subset

Assign = Callable[[Tensor], Tensor]
_STARTS, _REPLICATES = 10, 200


@dataclass(frozen=True, eq=False)
class Classes:
    """Holds the classes of a split, numbered from 0 over those that occur in it or in the training samples.

    Args:
        of: The class of each sample, with shape (N,).
        names: A name for each class.
    """

    of: Tensor
    names: tuple[str, ...]

    def agreement(self, clusters: Tensor, count: int, seed: int) -> dict[str, Estimate]:
        """Returns accuracy by matching, NMI and ARI of clusters, with intervals of the bootstrap over the samples.

        Args:
            clusters: The cluster of each sample, with shape (N,).
            count: The number of clusters.
            seed: The seed of the bootstrap.
        """
        table = contingency(clusters, self.of, self._shape(count))
        again = redraw(table, _REPLICATES, seed)
        replicates = {
            "accuracy": [accuracy(each) for each in again],
            "nmi": mutual_information(again).tolist(),
            "ari": rand_index(again).tolist(),
        }
        values = {
            "accuracy": accuracy(table),
            "nmi": float(mutual_information(table)),
            "ari": float(rand_index(table)),
        }
        return {name: interval(value, replicates[name]) for name, value in values.items()}

    def table(self, clusters: Tensor, rows: Sequence[str], title: str) -> Table:
        """Returns how many samples each cluster shares with each class, the matched ones on the diagonal.

        Args:
            clusters: The cluster of each sample, with shape (N,).
            rows: A name for each cluster.
            title: What the table shows.
        """
        table = contingency(clusters, self.of, self._shape(len(rows)))
        matched = match(table)
        order = torch.where(matched < 0, len(self.names), matched).argsort(stable=True)
        return Table(table[order], tuple(rows[k] for k in order.tolist()), self.names, title)

    def _shape(self, clusters: int) -> tuple[int, int]:
        return clusters, len(self.names)


def classes_of(specimen: Specimen) -> Classes:
    """Returns the classes of a specimen, which has labels.

    Args:
        specimen: The specimen.
    """
    labels = specimen.labels
    assert labels is not None, "metrics that declare `needs_labels` see data with labels only"
    known = labels if specimen.train.labels is None else torch.cat([labels, specimen.train.labels])
    values = torch.unique(known)
    named = specimen.class_names
    names = tuple(str(value) if named is None or value >= len(named) else named[value] for value in values.tolist())
    return Classes(torch.searchsorted(values, labels), names)


def k_means(points: Tensor, clusters: int, seed: int) -> Assign:
    """Returns the assignment of points to the clusters of k-means, the best of ten starts.

    Args:
        points: The points that it is fitted to, with shape (T, D).
        clusters: The number of clusters; as many as there are points where these are fewer.
        seed: The seed of the starts.

    References:
        k-means++: The Advantages of Careful Seeding (Arthur and Vassilvitskii, 2007)
        https://dl.acm.org/doi/10.5555/1283383.1283494
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    ordered = points[arrange(points, seed)].numpy()
    fitted = KMeans(min(clusters, len(points)), n_init=_STARTS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
        fitted.fit(ordered)
    return lambda x: torch.from_numpy(fitted.predict(x.numpy())).long()


def baselines(specimen: Specimen, classes: Classes, clusters: int, limit: int) -> dict[str, FigureValue]:
    """Returns the agreement of k-means on the samples themselves and on their principal components.

    Args:
        specimen: The specimen; both are fitted to its training samples.
        classes: Its classes.
        clusters: The number of clusters.
        limit: The largest number of training samples to fit to.
    """
    train = specimen.train.data[subset(specimen.train.data, limit, specimen.seed)]
    linear = Linear(train, specimen.codes.shape[1])
    figures: dict[str, FigureValue] = {}
    for name, encode in (("pixels", vectors), ("pca", linear.encode)):
        assigned = k_means(encode(train), clusters, specimen.seed)(encode(specimen.data))
        found = classes.agreement(assigned, clusters, specimen.seed)
        figures |= {f"{name}_{figure}": value for figure, value in found.items()}
    return figures


def separation(codes: Tensor, clusters: Tensor, limit: int, seed: int) -> dict[str, FigureValue]:
    """Returns how far apart clusters lie, whatever the classes: the silhouette and the Calinski-Harabasz index.

    Args:
        codes: The codes, with shape (N, D).
        clusters: The cluster of each, with shape (N,).
        limit: The largest number of codes to look at, drawn by seed; time grows with its square.
        seed: The seed.

    References:
        Silhouettes: A Graphical Aid to the Interpretation and Validation of Cluster Analysis (Rousseeuw, 1987)
        https://doi.org/10.1016/0377-0427(87)90125-7

        A Dendrite Method for Cluster Analysis (Caliński and Harabasz, 1974)
        https://doi.org/10.1080/03610927408827101
    """
    from sklearn.metrics import calinski_harabasz_score, silhouette_score

    chosen = arrange(codes, seed)[:limit]
    points, found = vectors(codes[chosen]), clusters[chosen]
    count = len(torch.unique(found))
    if not 1 < count < len(found):
        reason = f"{len(found)} codes in {count} clusters: it is defined for 2 clusters at least, and fewer than codes."
        return {"silhouette": Missing(reason), "calinski_harabasz": Missing(reason)}
    return {
        "silhouette": float(silhouette_score(points.numpy(), found.numpy())),
        "calinski_harabasz": float(calinski_harabasz_score(points.numpy(), found.numpy())),
    }
