"""What the variants make of the same data, side by side: reconstructions, samples and traversals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Generator, Tensor

from ..autoencoder import Autoencoder
from ..errors import OtaeError
from ..kept_data import find_splits
from ..report.canvas import Picture, drawn, photographed
from ..report.gallery import is_image
from ..report.pictures import mosaic
from ..run import Run
from .pictures import plane

_ORIGINALS, _SAMPLES, _ROWS, _STEPS = 8, 32, 8, 9
_DRAWS = 512  # from which the range of a code's entries is taken
_POINTS = 1_000  # of data that are no images


def show_variant(path: Path, name: str) -> tuple[list[Picture], str]:
    """Returns the pictures of a run, and why there are none where its data or plugins cannot be had any more.

    Images are shown as reconstructions, each original above its copy, as samples from the prior, and as traversals: a row for
    each entry of the code, from the lowest to the highest that the prior draws. Other data are shown in a plane.

    Args:
        path: The run's folder.
        name: What the pictures' files are called.
    """
    try:
        run = Run(path)
        dataset, experiment, model = run.dataset, run.experiment, run.model
        splits = find_splits(run, dataset)
        indices = splits.test or splits.validation or splits.train
    except OtaeError as error:
        return [], str(error)
    images = len(dataset.data_shape) == 3 and is_image(torch.empty(1, *dataset.data_shape))
    data = dataset.__getitems__(list(indices[: _ORIGINALS if images else _POINTS]))
    draws = model.sample_codes(_DRAWS, generator=Generator().manual_seed(experiment.seed))
    if not images:
        return _features(name, data, model.reconstruct(data), model.decode(draws)), ""
    return _images(name, model, data, draws, dataset.value_range or (float(data.min()), float(data.max()))), ""


def _images(name: str, model: Autoencoder, data: Tensor, draws: Tensor, limits: tuple[float, float]) -> list[Picture]:
    copies = mosaic.pairs(data, model.reconstruct(data), limits, _ORIGINALS)
    samples = mosaic.images(model.decode(draws[:_SAMPLES]), limits, _ORIGINALS)
    return [
        photographed(f"{name}-reconstructions", "Reconstructions, each under its original", copies),
        photographed(f"{name}-samples", "Samples from the prior", samples),
        photographed(
            f"{name}-traversals",
            "Traversals: each row changes one entry of a code, from low to high",
            mosaic.images(_traversals(model, data[:1], draws), limits, _STEPS),
        ),
    ]


def _traversals(model: Autoencoder, sample: Tensor, draws: Tensor) -> Tensor:
    """Returns a decoded code of which one entry after the other takes the values that the prior gives it."""
    code = model.encode(sample)
    spreads = draws.std(dim=0)
    chosen = sorted(spreads.argsort(descending=True, stable=True)[:_ROWS].tolist())
    steps = torch.linspace(0.02, 0.98, _STEPS, dtype=draws.dtype)
    rows = [model.traverse(code, entry, draws[:, entry].quantile(steps).tolist()) for entry in chosen]
    return torch.cat([row[0] for row in rows])


def _features(name: str, data: Tensor, copies: Tensor, generations: Tensor) -> list[Picture]:
    captions = {
        f"{name}-reconstructions": "Reconstructions of samples in the plane of their two largest directions",
        f"{name}-samples": "Samples from the prior in the same plane",
    }
    clouds = (copies, generations)
    return [
        drawn(picture, caption, partial(plane, data.flatten(1), cloud.flatten(1)))
        for (picture, caption), cloud in zip(captions.items(), clouds, strict=True)
    ]


def gather(shown: Sequence[tuple[str, list[Picture]]]) -> list[tuple[str, list[tuple[str, Picture]]]]:
    """Returns the pictures of all variants by what they show: its name, then each variant's title and picture.

    Args:
        shown: The title and the pictures of each variant.
    """
    kinds: dict[str, list[tuple[str, Picture]]] = {}
    for title, pictures in shown:
        for picture in pictures:
            kinds.setdefault(picture.caption, []).append((title, picture))
    return list(kinds.items())
