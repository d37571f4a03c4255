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
    Path | None, typer.Argument(help="A .npy file of samples, scaled as in training; the run's own data if left out.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write: .npy, or .png for images.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="The number of samples held at once.")]
Component = Annotated[
    int | None, typer.Option("--component", help="The component of the prior to draw from, counted from 0.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="The seed of the draws; a new one each time if left out.")]
Places = Annotated[
    Path | None,
    typer.Argument(help="A .npy file of samples to encode, scaled as in training; draws from the prior if left out."),
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
    from .. import load
    from .arrays import check_output, generator, write

    check_output(output, overwrite)
    model = load(run)
    drawn = model.sample(count, component=component, generator=generator(seed), batch_size=batch_size)
    _written(output, write(output, drawn))


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
    from .. import load
    from .arrays import check_output, codes_at, write

    check_output(output, overwrite)
    model = load(run)
    z = codes_at(model, input, count + 1, component, seed)
    _written(output, write(output, model.interpolate(z[:-1], z[1:], steps, batch_size=batch_size), rows=True))


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

    from .. import load
    from .arrays import check_output, codes_at, write

    check_output(output, overwrite)
    model = load(run)
    z = codes_at(model, input, count, component, seed)
    values = np.linspace(start, stop, steps).tolist()
    _written(output, write(output, model.traverse(z, dimension, values, batch_size=batch_size), rows=True))


def encode(
    run: RunFolder,
    input: Input = None,
    output: Output = Path("codes.npy"),
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
) -> None:
    """Encode samples to their mean codes."""
    _apply("encode", run, input, output, overwrite, batch_size)


def reconstruct(
    run: RunFolder,
    input: Input = None,
    output: Output = Path("reconstructions.npy"),
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
) -> None:
    """Encode samples and decode their codes again."""
    _apply("reconstruct", run, input, output, overwrite, batch_size)


def _apply(
    verb: Literal["encode", "reconstruct"], run: Path, input: Path | None, output: Path, overwrite: bool, size: int
) -> None:
    import torch

    from .. import Run
    from .arrays import check_output, data_of, write

    check_output(output, overwrite, images=verb == "reconstruct")
    opened = Run(run)
    method = opened.model.encode if verb == "encode" else opened.model.reconstruct
    outcomes = [method(batch, batch_size=size) for batch in data_of(opened, input, size)]
    _written(output, write(output, torch.cat(outcomes)))


def _written(output: Path, values: Tensor) -> None:
    shape = " × ".join(map(str, values.shape))
    results().print(f"{output}  {shape}", highlight=False, soft_wrap=True)
