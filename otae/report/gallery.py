"""The pictures that a run has: chosen by the shape of its data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Generator, Tensor

from ..interfaces import Feature, Specimen
from ..training import history
from .canvas import Picture, drawn, photographed
from .pictures import distances, features, latent, losses, mosaic

_FEW = 12  # features that are shown one by one
_LINES = 6  # samples that are shown as lines
_LARGE = 64  # pixels above which an image gets more room


def curves(path: Path, terms: list[str]) -> list[Picture]:
    """Returns the course of the total, of each term, and of each adversary, over the steps.

    Args:
        path: The history, a CSV file; there are no curves where it is missing.
        terms: The names of the terms.
    """
    if not path.is_file():
        return []
    splits = history.read(path)
    train, validation = splits.get("train", {}), splits.get("validation", {})
    captions = {"total": "total, the weighted sum"} | {name: name for name in terms}
    captions |= {f"{name}.adversary": f"{name}, its adversary's loss" for name in terms}
    return [
        drawn(
            f"loss-{name}",
            caption,
            partial(
                losses.loss,
                (train["step"], train[name]),
                (validation["step"], validation[name]) if name in validation else None,
            ),
        )
        for name, caption in captions.items()
        if name in train
    ]


def reconstructions(
    specimen: Specimen, value_range: tuple[float, float] | None, named: Sequence[Feature]
) -> list[Picture]:
    """Returns what the model makes of samples: pairs of images, or features and lines where the data are none.

    Args:
        specimen: The split, and what the model makes of it.
        value_range: The smallest and largest value of the data, or `None`.
        named: The features, for data that are no images.
    """
    originals, copies = _chosen(specimen.data, specimen.reconstructions, specimen.seed)
    if is_image(specimen.data):
        columns = _columns(originals)
        count = columns * 3
        figure = mosaic.pairs(originals[:count], copies[:count], shown_range(originals, value_range), columns)
        return [photographed("reconstructions", "Each pair: an original above, its reconstruction below.", figure)]
    x, y = originals.flatten(1), copies.flatten(1)
    groups = grouped(named)
    if len(groups) <= _FEW:
        draws = [
            partial(features.agreement, *_measure(named, places[0], x, y), name)
            if len(places) == 1
            else partial(features.kept, x[:, places], y[:, places], _categories(named, places), name)
            for name, places in groups.items()
        ]
        captions = [f"{name}, before and after" for name in groups]
    else:
        draws = [partial(features.lines, x[row], y[row]) for row in range(min(_LINES, len(x)))]
        captions = [f"Sample {number}, feature by feature" for number in range(1, len(draws) + 1)]
    return [
        drawn(f"reconstruction-{number}", caption, draw)
        for number, (caption, draw) in enumerate(zip(captions, draws, strict=True), start=1)
    ]


def generations(specimen: Specimen, value_range: tuple[float, float] | None, named: Sequence[Feature]) -> list[Picture]:
    """Returns decoded draws from the prior: images, or their distribution beside that of the data where they are none.

    Args:
        specimen: The split, and what the model makes of it.
        value_range: The smallest and largest value of the data, or `None`.
        named: The features, for data that are no images.
    """
    if is_image(specimen.data):
        columns = _columns(specimen.data)
        figure = mosaic.images(specimen.generations[: columns * 5], shown_range(specimen.data, value_range), columns)
        return [photographed("generations", "Draws from the prior, decoded: none is chosen by hand.", figure)]
    x, y = specimen.data.flatten(1), specimen.generations.flatten(1)
    groups = grouped(named)
    if len(groups) > _FEW:
        caption = "Every feature in the data and in the generations: the median, and the band of four fifths."
        return [drawn("generations", caption, partial(features.bands, x, y))]
    panels = [
        drawn(
            f"generation-{number}",
            name,
            partial(features.density, *_measure(named, places[0], x, y), name)
            if len(places) == 1
            else partial(features.shares, x[:, places], y[:, places], _categories(named, places), name),
        )
        for number, (name, places) in enumerate(groups.items(), start=1)
    ]
    if x.shape[1] != 2 or len(groups) != 2:
        return panels
    (x0, y0), (x1, y1) = (_measure(named, place, x, y) for place in (0, 1))
    plane = partial(features.plane, torch.stack([x0, x1], 1), torch.stack([y0, y1], 1), list(groups))
    return [drawn("generations", "The data, and the generations upon them.", plane), *panels]


def grouped(named: Sequence[Feature]) -> dict[str, list[int]]:
    """Returns the places of each feature's entries, by its title: one of a number, several of one-hot categories.

    Args:
        named: What each entry of a sample is.
    """
    groups: dict[str, list[int]] = {}
    for place, feature in enumerate(named):
        groups.setdefault(feature.title if feature.category is None else feature.name, []).append(place)
    return groups


def _measure(named: Sequence[Feature], place: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return named[place].measure(x[:, place]), named[place].measure(y[:, place])


def _categories(named: Sequence[Feature], places: Sequence[int]) -> list[str]:
    return [named[place].category or named[place].name for place in places]


def latent_space(specimen: Specimen) -> list[Picture]:
    """Returns the codes, by label where there are labels, before draws from the prior; and the draws before the codes.

    Args:
        specimen: The split, and what the model makes of it.
    """
    codes, prior, labels = specimen.codes, specimen.prior, specimen.labels
    if codes.shape[1] == 1:
        return [drawn("latent", "The codes and the prior.", partial(latent.line, codes, prior))]
    inked = " by label" if labels is not None else ""
    return [
        drawn(
            "latent-codes",
            f"Codes{inked}, before draws from the prior.",
            partial(latent.codes, codes, prior, labels, class_names=specimen.class_names),
        ),
        drawn("latent-prior", "Draws from the prior, before the codes.", partial(latent.prior, codes, prior)),
    ]


def isometry(specimen: Specimen) -> list[Picture]:
    """Returns latent against data distances, of the decoder and of the encoder.

    Args:
        specimen: The split, and what the model makes of it.
    """
    sides = {
        "generations": ("The decoder.", specimen.prior, specimen.generations, "prior draws", "generations"),
        "codes": ("The encoder.", specimen.codes, specimen.data, "codes", "data"),
    }
    return [
        drawn(f"distances-{name}", caption, partial(distances.distances, latent, data, specimen.seed, x=x, y=y))
        for name, (caption, latent, data, x, y) in sides.items()
        if len(data) > 1
    ]


def is_image(data: Tensor) -> bool:
    """Returns whether samples are images: of 1, 3 or 4 channels, and more than one pixel in both directions.

    Args:
        data: The samples, with shape (N, …).
    """
    return data.ndim == 4 and data.shape[1] in (1, 3, 4) and min(data.shape[2:]) > 1


def _chosen(data: Tensor, copies: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    order = torch.randperm(len(data), generator=Generator().manual_seed(seed))
    return data[order], copies[order]


def _columns(images: Tensor) -> int:
    return 14 if max(images.shape[2:]) <= _LARGE else 8


def shown_range(data: Tensor, declared: tuple[float, float] | None) -> tuple[float, float]:
    """Returns the values to show as black and white: those declared, or the smallest and the largest there are.

    Args:
        data: The samples.
        declared: The smallest and largest value that the dataset declares, or `None`.
    """
    low, high = declared or (-math.inf, math.inf)
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    return float(data.min()), float(data.max())
