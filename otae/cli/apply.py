"""`otae sample`, `interpolate`, `traverse`, `encode` and `reconstruct`: put a trained model to use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
        help="The file to write: .npy, .npz, .csv, .parquet, or .png for images; tables in their own units.",
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
) -> None:
    """Draw samples from the prior, or from one of its components, and decode them."""
    from .. import Run
    from .arrays import check_output, generator, write
    from .forms import restored

    check_output(output, overwrite)
    opened = Run(run)
    drawn = opened.model.sample(count, component=component, generator=generator(seed), batch_size=batch_size)
    _written(output, write(output, drawn, restored(opened, output)))


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
) -> None:
    """Decode the codes on the prior's ways from each code to the next, one row a way."""
    from .. import Run
    from .arrays import check_output, codes_at, write
    from .forms import pictures_of

    check_output(output, overwrite, rows=True)
    opened = Run(run)
    model = opened.model
    z = codes_at(opened, input, count + 1, component, seed)
    ways = model.interpolate(z[:-1], z[1:], steps, batch_size=batch_size)
    _written(output, write(output, ways, pictures_of(opened), rows=True))


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
) -> None:
    """Decode codes of which one entry takes equally spaced values, one row a code."""
    import numpy as np

    from .. import Run
    from .arrays import check_output, codes_at, write
    from .forms import pictures_of

    check_output(output, overwrite, rows=True)
    opened = Run(run)
    model = opened.model
    z = codes_at(opened, input, count, component, seed)
    values = np.linspace(start, stop, steps).tolist()
    changed = model.traverse(z, dimension, values, batch_size=batch_size)
    _written(output, write(output, changed, pictures_of(opened), rows=True))


def encode(
    run: RunFolder,
    input: Input = None,
    output: Output = Path("codes.npy"),
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    anyway: Anyway = False,
) -> None:
    """Encode samples to their mean codes."""
    _apply("encode", run, input, output, overwrite, batch_size, anyway)


def reconstruct(
    run: RunFolder,
    input: Input = None,
    output: Output = Path("reconstructions.npy"),
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
    anyway: Anyway = False,
) -> None:
    """Encode samples and decode their codes again."""
    _apply("reconstruct", run, input, output, overwrite, batch_size, anyway)


def _apply(
    verb: Literal["encode", "reconstruct"],
    run: Path,
    input: Path | None,
    output: Path,
    overwrite: bool,
    size: int,
    anyway: bool,
) -> None:
    import torch

    from .. import Run
    from .arrays import check_output, data_of, write
    from .forms import code_columns, restored

    check_output(output, overwrite, images=verb == "reconstruct")
    opened = Run(run)
    method = opened.model.encode if verb == "encode" else opened.model.reconstruct
    outcomes = [method(batch, batch_size=size) for batch in data_of(opened, input, size, anyway)]
    form = restored(opened, output) if verb == "reconstruct" else code_columns(opened, input)
    _written(output, write(output, torch.cat(outcomes), form))


def _written(output: Path, values: Tensor) -> None:
    shape = " × ".join(map(str, values.shape))
    results().print(f"{output}  {shape}", highlight=False, soft_wrap=True)
