"""Arrays that the command line reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Generator, Tensor

from ..errors import ConfigError
from ..files import atomic, require_writable
from ..kept_data import read_samples, require_same_data
from ..run import Run
from .forms import Form, write_table
from .mosaics import SUFFIXES, Look, draw_mosaic, save_picture


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
    allowed = [".npy", *([] if rows else [".npz", ".csv", ".parquet"]), *(SUFFIXES if images else [])]
    if path.suffix not in allowed:
        raise ConfigError(
            f"--output {path}: cannot write {path.suffix or 'a file without suffix'}. Allowed: {', '.join(allowed)}."
        )
    if path.exists() and not overwrite:
        raise ConfigError(f"--output {path}: the file is there already. Choose another, or pass --overwrite.")
    require_writable(path)


def write(
    path: Path,
    values: Tensor,
    form: Form | None = None,
    rows: bool = False,
    columns: int | None = None,
    look: Look | None = None,
) -> Tensor:
    """Writes an array in the form that the file's suffix names, and returns it.

    Args:
        path: The file: .npy, .npz, .csv, .parquet, or .png, .svg, .pdf for one picture of all samples.
        values: The samples or codes, with shape (N, …), or (N, T, …) for N rows of T samples.
        form: What else is known of them.
        rows: Whether the samples come in rows.
        columns: The number of samples in a row of a picture; about as many as there are rows where `None`.
        look: How a picture looks: pixel by pixel where `None`.

    Raises:
        ConfigError: If a picture or table is asked for and the values are none, or a package is missing.
    """
    form = form or Form()
    with atomic(path) as draft, draft.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, values.numpy(), allow_pickle=False)
        elif path.suffix == ".npz":
            np.savez(file, **{form.name: values.numpy(), **form.beside}, allow_pickle=False)
        elif path.suffix in SUFFIXES:
            flat, columns = (values.flatten(0, 1), values.shape[1]) if rows else (values, columns)
            save_picture(draw_mosaic(flat, columns, form.value_range, look or Look()), file, path.suffix)
        else:
            write_table(file, path.suffix, form.to_frame(values))
    return values
