"""`otae sample`, `interpolate`, `traverse`, `encode` and `reconstruct`: put a trained model to use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import results

if TYPE_CHECKING:
    from torch import Tensor

RunFolder = Annotated[Path, typer.Argument(help="The run's folder.")]
Input = Annotated[
    Path | None,
    typer.Argument(
        help="New data in the form of the training data (a table, a picture, a folder of them, a .npy file); floating-point "
        "numbers in a .npy file are taken as scaled already. The run's own data if left out."
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="The file to write: .npy, .npz, .csv, .parquet, or .png, .svg, .pdf for images; tables in their own units.",
    ),
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Take the run's own data even if they changed since the training.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="The number of samples held at once.")]
Component = Annotated[
    int | None, typer.Option("--component", help="The component of the prior to draw from, counted from 0.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="The seed of the draws; a new one each time if left out.")]
Scale = Annotated[
    int | None,
    typer.Option(
        "--scale", min=1, max=256, help="Pixels of a picture for one of the data, each way; legible if left out."
    ),
]
Gap = Annotated[
    int | None,
    typer.Option("--gap", min=0, max=256, help="Pixels between the images of a picture; chosen if left out."),
]
Places = Annotated[
    Path | None,
    typer.Argument(help="New data to encode, in the form of the training data; draws from the prior if left out."),
]


def sample(
    run: RunFolder,
    output: Output = Path("samples.npy"),
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="The number of samples.")] = 64,
    component: Component = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    scale: Scale = None,
    gap: Gap = None,
) -> None:
    """Draw samples from the prior, or from one of its components, and decode them."""
    from .. import Run
    from .arrays import check_output, generator, write
    from .forms import describe_restored
    from .mosaics import Look

    check_output(output, overwrite)
    opened = Run(run)
    drawn = opened.model.sample(count, component=component, generator=generator(seed), batch_size=batch_size)
    _written(output, write(output, drawn, describe_restored(opened, output, drawn=True), look=Look(scale, gap)))


def interpolate(
    run: RunFolder,
    input: Places = None,
    output: Output = Path("interpolations.npy"),
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="The number of ways between draws.")] = 8,
    steps: Annotated[int, typer.Option("--steps", min=2, help="The number of samples on each way.")] = 10,
    component: Component = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    scale: Scale = None,
    gap: Gap = None,
) -> None:
    """Decode the codes on the prior's ways from each code to the next, one row a way."""
    from .. import Run
    from .arrays import check_output, codes_at, write
    from .forms import describe_pictures
    from .mosaics import Look

    check_output(output, overwrite, rows=True)
    opened = Run(run)
    model = opened.model
    z = codes_at(opened, input, count + 1, component, seed)
    ways = model.interpolate(z[:-1], z[1:], steps, batch_size=batch_size)
    _written(output, write(output, ways, describe_pictures(opened), rows=True, look=Look(scale, gap)))


def traverse(
    run: RunFolder,
    dimension: Annotated[int, typer.Option("--dimension", "-d", help="The entry to change, counted from 0.")],
    input: Places = None,
    output: Output = Path("traversal.npy"),
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="The number of draws to start from.")] = 8,
    start: Annotated[float, typer.Option("--from", help="The entry's first value.")] = -2.0,
    stop: Annotated[float, typer.Option("--to", help="Its last value.")] = 2.0,
    steps: Annotated[int, typer.Option("--steps", min=1, help="The number of its values.")] = 9,
    component: Component = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    scale: Scale = None,
    gap: Gap = None,
) -> None:
    """Decode codes of which one entry takes equally spaced values, one row a code."""
    import numpy as np

    from .. import Run
    from .arrays import check_output, codes_at, write
    from .forms import describe_pictures
    from .mosaics import Look

    check_output(output, overwrite, rows=True)
    opened = Run(run)
    model = opened.model
    z = codes_at(opened, input, count, component, seed)
    values = np.linspace(start, stop, steps).tolist()
    changed = model.traverse(z, dimension, values, batch_size=batch_size)
    _written(output, write(output, changed, describe_pictures(opened), rows=True, look=Look(scale, gap)))


def encode(
    run: RunFolder,
    input: Input = None,
    output: Output = Path("codes.npy"),
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    anyway: Anyway = False,
) -> None:
    """Encode samples to their mean codes."""
    import torch

    from .. import Run
    from .arrays import check_output, data_of, write
    from .forms import describe_codes

    check_output(output, overwrite, images=False)
    opened = Run(run)
    codes = [opened.model.encode(batch, batch_size=batch_size) for batch in data_of(opened, input, batch_size, anyway)]
    _written(output, write(output, torch.cat(codes), describe_codes(opened, input)))


def reconstruct(
    run: RunFolder,
    input: Input = None,
    output: Output = Path("reconstructions.npy"),
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    anyway: Anyway = False,
    originals: Annotated[
        bool, typer.Option("--originals", help="In a picture, show each row of originals over their reconstructions.")
    ] = False,
    scale: Scale = None,
    gap: Gap = None,
) -> None:
    """Encode samples and decode their codes again."""
    import torch

    from .. import Run
    from ..errors import ConfigError
    from .arrays import check_output, data_of, write
    from .forms import describe_restored
    from .mosaics import SUFFIXES, Look, choose_columns, interleave

    check_output(output, overwrite)
    if originals and output.suffix not in SUFFIXES:
        raise ConfigError(f"--originals is of pictures: write one of {', '.join(SUFFIXES)}, or leave it out.")
    opened = Run(run)
    read, copies, columns = [], [], None
    for batch in data_of(opened, input, batch_size, anyway):
        read += [batch] if originals else []
        copies.append(opened.model.reconstruct(batch, batch_size=batch_size))
    outcome = torch.cat(copies)
    if originals:
        columns = choose_columns(len(outcome), pairs=True)
        outcome = interleave(torch.cat(read), outcome, columns)
    form = describe_restored(opened, output, input)
    _written(output, write(output, outcome, form, columns=columns, look=Look(scale, gap)))


def _written(output: Path, values: Tensor) -> None:
    shape = " × ".join(map(str, values.shape))
    results().print(f"{output}  {shape}", highlight=False, soft_wrap=True)
