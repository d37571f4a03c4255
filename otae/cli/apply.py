"""`otae sample`, `otae encode` and `otae reconstruct`: put a trained model to use."""

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


def sample(
    run: RunFolder,
    output: Output = Path("samples.npy"),
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="The number of samples.")] = 64,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The seed of the draws; a new one each time if left out.")
    ] = None,
    overwrite: Overwrite = False,
    batch_size: BatchSize = 1024,
) -> None:
    """Draw samples from the prior and decode them."""
    import torch

    from .. import load
    from .arrays import check_output, write

    check_output(output, overwrite)
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    model = load(run)
    _written(output, write(output, model.sample(count, generator=generator, batch_size=batch_size)))


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
    from .. import Run
    from .arrays import check_output, data_of, write

    check_output(output, overwrite, images=verb == "reconstruct")
    opened = Run(run)
    method = opened.model.encode if verb == "encode" else opened.model.reconstruct
    _written(output, write(output, method(data_of(opened, input), batch_size=size)))


def _written(output: Path, values: Tensor) -> None:
    shape = " × ".join(map(str, values.shape))
    results().print(f"{output}  {shape}", highlight=False, soft_wrap=True)
