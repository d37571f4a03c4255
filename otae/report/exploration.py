"""The pictures that explore a model: along each entry of a code, component by component, and the prior's graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Generator, Tensor

from ..autoencoder import Autoencoder
from ..evaluation import Evaluation
from ..interfaces import Specimen, Table
from .canvas import Picture, drawn, photographed
from .pictures import graph, heatmap, mosaic, responses

_DIMENSIONS = 16  # entries of a code that are explored
_STEPS = 11  # values of an entry
_EACH = 12  # samples of a component
_FEW = 12  # features that are told apart
_COMPONENTS = 30  # components that are shown


def traversals(
    model: Autoencoder, specimen: Specimen, value_range: tuple[float, float] | None, names: Sequence[str]
) -> list[Picture]:
    """Returns what each entry of a code does: one code of which one entry takes the values that the prior gives it.

    The code is that of the sample nearest to the middle of all codes; the values are quantiles of the prior's draws.

    Args:
        model: The autoencoder.
        specimen: The split, and what the model makes of it.
        value_range: The smallest and largest value of the data for images, or `None` where the data are no images.
        names: The names of the features, for data that are no images.
    """
    start = _middle(specimen.codes)
    chosen = _strongest(specimen)
    quantiles = torch.linspace(0.02, 0.98, _STEPS, dtype=torch.float64)
    values = torch.quantile(specimen.prior[:, chosen].double(), quantiles, dim=0).T.tolist()
    rows = [model.traverse(start, index, row)[0] for index, row in zip(chosen, values, strict=True)]
    if value_range is not None:
        labels = [f"{index + 1}" for index in chosen]
        caption = (
            f"Each row: one entry of a code from its low to its high values under the prior. {_told(chosen, specimen)}"
        )
        return [photographed("traversals", caption, mosaic.rows(rows, value_range, labels))]
    pictures = []
    for index, row, decoded in zip(chosen, values, rows, strict=True):
        flat = decoded.flatten(1)
        few = flat.shape[1] <= _FEW
        draw = (
            partial(responses.responses, row, flat, names, index) if few else partial(responses.sweep, row, flat, index)
        )
        pictures.append(drawn(f"traversal-{index + 1}", f"Entry {index + 1}", draw))
    return pictures


def components(
    model: Autoencoder, value_range: tuple[float, float] | None, names: Sequence[str], seed: int
) -> list[Picture]:
    """Returns decoded draws from each component of the prior: a row of images each, or the mean of each feature.

    Args:
        model: The autoencoder.
        value_range: The smallest and largest value of the data for images, or `None` where the data are no images.
        names: The names of the features, for data that are no images.
        seed: The seed of the draws.
    """
    found = model.prior.components
    if found is None:
        return []
    weights = found.weights.tolist()
    heaviest = sorted(range(len(weights)), key=lambda index: -weights[index])[:_COMPONENTS]
    shown, count = sorted(heaviest), _EACH if value_range is not None else 500
    rows = [model.sample(count, component=k, generator=Generator().manual_seed(seed)).cpu() for k in shown]
    labels = [f"{k + 1}: {weights[k]:.0%}" for k in shown]
    if value_range is not None:
        caption = "Each row: draws from one component of the prior, with its number and its weight."
        return [photographed("components", caption, mosaic.rows(rows, value_range, labels))]
    means = torch.stack([row.flatten(1).double().mean(0) for row in rows])
    if means.shape[1] > 3 * _FEW:
        return []
    title = "The mean of each feature in each component of the prior, with the component's weight"
    return [
        drawn("components", f"{title}.", partial(heatmap.heatmap, Table(means, tuple(labels), tuple(names), title)))
    ]


def prior_graph(model: Autoencoder) -> list[Picture]:
    """Returns the graph by which the entries of a code act on one another, where the prior has one.

    Args:
        model: The autoencoder.
    """
    adjacency = model.prior.graph
    if adjacency is None:
        return []
    caption = f"Entries of a code, from causes to effects: {int(adjacency.sum())} edges."
    return [drawn("prior-graph", caption, partial(graph.graph, adjacency.cpu()))]


def tables(evaluation: Evaluation, split: str) -> list[Picture]:
    """Returns the matrices that metrics returned, as colours.

    Args:
        evaluation: The evaluation.
        split: The split whose matrices are shown.
    """
    return [
        drawn(f"table-{_slug(metric)}-{_slug(name)}", f"{table.title}.", partial(heatmap.heatmap, table))
        for metric, found in evaluation.tables.get(split, {}).items()
        for name, table in found.items()
    ]


def _middle(codes: Tensor) -> Tensor:
    nearest = (codes - codes.median(0).values).square().sum(1).argmin()
    return codes[nearest : nearest + 1]


def _strongest(specimen: Specimen) -> list[int]:
    """Returns the entries of a code that are explored: those that vary most, in their order."""
    spreads = specimen.codes.double().std(0, correction=0)
    return sorted(spreads.argsort(descending=True)[:_DIMENSIONS].tolist())


def _told(chosen: list[int], specimen: Specimen) -> str:
    whole = specimen.codes.shape[1]
    return "" if len(chosen) == whole else f"Of {whole} entries, the {len(chosen)} that vary most."


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text).strip("-")
