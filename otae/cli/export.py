"""`otae export`: a trained model for other programs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import print_json, results


def export(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")] = Path("exported"),
    format_: Annotated[str, typer.Option("--format", "-f", help="onnx, torch-export or safetensors.")] = "onnx",
    part: Annotated[
        list[str], typer.Option("--part", "-p", help="encoder, decoder or sampler; all if left out. Repeatable.")
    ] = [],  # noqa: B006 - typer copies it
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write encoder, decoder and sampler for other programs, each checked against the model.

    [bold]otae export runs/gwae --format onnx -o onnx[/]
    """
    from ..exporting import PARTS
    from ..exporting import export as export_run

    wanted: Any = part or list(PARTS)
    kind: Any = format_
    done = export_run(run, output, kind, wanted)
    if json:
        print_json([asdict(each) | {"file": str(output / each.file)} for each in done])
        return
    for each in done:
        told = ", ".join(f"{one['name']} (N, {', '.join(map(str, one['shape']))})" for one in each.inputs)
        results().print(f"{each.part}  {output / each.file}  {told}", highlight=False, soft_wrap=True)
