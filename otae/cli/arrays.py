"""Arrays that the command line reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from ..autoencoder import Autoencoder
from ..build import open_dataset
from ..errors import ConfigError, DataError
from ..files import atomic
from ..run import Run


def data_of(run: Run, path: Path | None, size: int) -> Iterator[Tensor]:
    """Yields the samples of a .npy file at once, or all of the run's own data in batches, with shape (N, *data_shape).

    Args:
        run: The run.
        path: The file, or `None`.
        size: The largest number of samples in a batch.

    Raises:
        DataError: If the file cannot be read, or holds no floating-point numbers.
    """
    if path is None:
        dataset = open_dataset(run.experiment)
        for start in range(0, len(dataset), size):
            yield dataset.__getitems__(range(start, min(start + size, len(dataset))))
    else:
        yield read_samples(path)


def read_samples(path: Path) -> Tensor:
    """Returns the samples of a .npy file, with the shape that they have there.

    Args:
        path: The file.

    Raises:
        DataError: If the file cannot be read, or holds no floating-point numbers.
    """
    try:
        with path.open("rb") as file:
            values = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"Cannot read {path} as a .npy file: {error}.") from error
    if not isinstance(values, np.ndarray) or not np.issubdtype(values.dtype, np.floating):
        kind = getattr(values, "dtype", "an archive")
        raise DataError(
            f"{path} must hold one array of floating-point numbers, scaled as in training; it holds {kind}."
        )
    return torch.from_numpy(values.astype(values.dtype.newbyteorder("=")))


def generator(seed: int | None) -> Generator:
    """Returns a generator with a seed, or with a new one.

    Args:
        seed: The seed, or `None`.
    """
    fresh = Generator()
    if seed is None:
        fresh.seed()
    else:
        fresh.manual_seed(seed)
    return fresh


def codes_at(model: Autoencoder, path: Path | None, count: int, component: int | None, seed: int | None) -> Tensor:
    """Returns the mean codes of a .npy file's samples, or draws from the prior, with shape (N, latent_dim).

    Args:
        model: The trained autoencoder.
        path: The file, or `None` for draws.
        count: The number of draws.
        component: The component of the prior to draw from; all of them where `None`.
        seed: The seed of the draws; a new one where `None`.

    Raises:
        ConfigError: If a component is asked for beside a file.
        DataError: If the file cannot be read, or holds no floating-point numbers.
    """
    if path is None:
        return model.sample_codes(count, component=component, generator=generator(seed))
    if component is not None:
        raise ConfigError("--component is of draws from the prior: leave it out, or the file.")
    return model.encode(read_samples(path))


def check_output(path: Path, overwrite: bool, images: bool = True) -> None:
    """Checks a file to write before any work is done.

    Args:
        path: The file.
        overwrite: Whether it may be there.
        images: Whether pictures can be written.

    Raises:
        ConfigError: If its kind is unknown, or it would be lost.
    """
    allowed = [".npy", ".png"] if images else [".npy"]
    if path.suffix not in allowed:
        raise ConfigError(
            f"--output {path}: cannot write {path.suffix or 'a file without suffix'}. Allowed: {', '.join(allowed)}."
        )
    if path.exists() and not overwrite:
        raise ConfigError(f"--output {path}: the file is there already. Choose another, or pass --overwrite.")


def write(path: Path, values: Tensor, rows: bool = False) -> Tensor:
    """Writes an array as .npy, or as one picture of all samples as .png, and returns it.

    Args:
        path: The file.
        values: The samples, with shape (N, *data_shape), or (N, T, *data_shape) for N rows of T samples.
        rows: Whether the samples come in rows.

    Raises:
        ConfigError: If a picture is asked for and the samples are no images.
    """
    with atomic(path) as draft, draft.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, values.numpy(), allow_pickle=False)
        else:
            _picture(values.flatten(0, 1) if rows else values, values.shape[1] if rows else None).save(
                file, format="PNG"
            )
    return values


def _picture(values: Tensor, columns: int | None) -> Image.Image:
    if values.ndim != 4 or values.shape[1] not in (1, 3):
        raise ConfigError(f"Samples of shape {tuple(values.shape[1:])} are no images: write them to a .npy file.")
    count, channels, height, width = values.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    grid = values.new_zeros(rows * columns, channels, height, width)
    grid[:count] = values.clamp(0, 1)
    tiled = grid.reshape(rows, columns, channels, height, width).permute(0, 3, 1, 4, 2)  # rows, height, columns, width
    tiled = tiled.reshape(rows * height, columns * width, channels)
    pixels = (255 * tiled).round().to(torch.uint8).numpy()
    return Image.fromarray(pixels.squeeze(-1) if channels == 1 else pixels)
