"""Arrays that the command line reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from ..errors import ConfigError
from ..files import atomic
from ..kept_data import read_samples, require_same_data
from ..run import Run
from .forms import Form, write_table


def data_of(run: Run, path: Path | None, size: int, anyway: bool = False) -> Iterator[Tensor]:
    """Yields the samples of a file or folder at once, or all of the run's own data in batches, with shape (N, *data_shape).

    Args:
        run: The run.
        path: The file, or `None`.
        size: The largest number of samples in a batch.
        anyway: Whether the run's own data may have changed since it was trained.

    Raises:
        DataError: If the file cannot be read, or does not hold what the training data held.
        RunError: If the run's own data have changed.
    """
    if path is None:
        dataset = run.dataset
        if not anyway:
            require_same_data(run, dataset)
        for start in range(0, len(dataset), size):
            yield dataset.__getitems__(range(start, min(start + size, len(dataset))))
    else:
        yield read_samples(run, path)


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


def codes_at(run: Run, path: Path | None, count: int, component: int | None, seed: int | None) -> Tensor:
    """Returns the mean codes of a .npy file's samples, or draws from the prior, with shape (N, latent_dim).

    Args:
        run: The run.
        path: The file, or `None` for draws.
        count: The number of draws.
        component: The component of the prior to draw from; all of them where `None`.
        seed: The seed of the draws; a new one where `None`.

    Raises:
        ConfigError: If a component is asked for beside a file.
        DataError: If the file cannot be read, or holds no floating-point numbers.
    """
    if path is None:
        return run.model.sample_codes(count, component=component, generator=generator(seed))
    if component is not None:
        raise ConfigError("--component is of draws from the prior: leave it out, or the file.")
    return run.model.encode(read_samples(run, path))


def check_output(path: Path, overwrite: bool, images: bool = True, rows: bool = False) -> None:
    """Checks a file to write before any work is done.

    Args:
        path: The file.
        overwrite: Whether it may be there.
        images: Whether pictures can be written.
        rows: Whether rows of samples are to be written, which no table holds.

    Raises:
        ConfigError: If its kind is unknown, or it would be lost.
    """
    allowed = [".npy", *([] if rows else [".npz", ".csv", ".parquet"]), *([".png"] if images else [])]
    if path.suffix not in allowed:
        raise ConfigError(
            f"--output {path}: cannot write {path.suffix or 'a file without suffix'}. Allowed: {', '.join(allowed)}."
        )
    if path.exists() and not overwrite:
        raise ConfigError(f"--output {path}: the file is there already. Choose another, or pass --overwrite.")


def write(path: Path, values: Tensor, form: Form | None = None, rows: bool = False) -> Tensor:
    """Writes an array in the form that the file's suffix names, and returns it.

    Args:
        path: The file: .npy, .npz, .csv, .parquet, or .png for one picture of all samples.
        values: The samples or codes, with shape (N, …), or (N, T, …) for N rows of T samples.
        form: What else is known of them.
        rows: Whether the samples come in rows.

    Raises:
        ConfigError: If a picture or table is asked for and the values are none, or a package is missing.
    """
    form = form or Form()
    with atomic(path) as draft, draft.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, values.numpy(), allow_pickle=False)
        elif path.suffix == ".npz":
            np.savez(file, **{form.name: values.numpy(), **form.beside}, allow_pickle=False)
        elif path.suffix == ".png":
            flat, columns = (values.flatten(0, 1), values.shape[1]) if rows else (values, None)
            _picture(flat, columns, form.value_range).save(file, format="PNG")
        else:
            write_table(file, path.suffix, form.to_frame(values))
    return values


def _picture(values: Tensor, columns: int | None, value_range: tuple[float, float]) -> Image.Image:
    if values.ndim != 4 or values.shape[1] not in (1, 3):
        raise ConfigError(f"Samples of shape {tuple(values.shape[1:])} are no images: write them to a .npy file.")
    count, channels, height, width = values.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    low, high = value_range
    grid = values.new_zeros(rows * columns, channels, height, width)
    grid[:count] = ((values - low) / (high - low)).clamp(0, 1)
    tiled = grid.reshape(rows, columns, channels, height, width).permute(0, 3, 1, 4, 2)  # rows, height, columns, width
    tiled = tiled.reshape(rows * height, columns * width, channels)
    pixels = (255 * tiled).round().to(torch.uint8).numpy()
    return Image.fromarray(pixels.squeeze(-1) if channels == 1 else pixels)
