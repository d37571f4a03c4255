"""`otae push` and `otae pull`: runs to the Hub and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import print_json, results

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def push(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    repository: Annotated[str, typer.Argument(help="Where it goes on the Hub, as user/name.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the folder here, and push nothing.")
    ] = None,
    json: Json = False,
) -> None:
    """Publish a trained run on the Hugging Face Hub, with a model card.

    [bold]otae push runs/gwae ada/digits-gwae[/]
    """
    from ..publishing import push as push_run
    from ..publishing import write_folder
    from ..run import Run

    where = str(write_folder(Run(run), output, repository)) if output else push_run(run, repository, private=private)
    if json:
        print_json({"run": str(run), "repository": repository, "written" if output else "commit": where})
    else:
        results().print(where, highlight=False, soft_wrap=True)


def pull(
    address: Annotated[
        str, typer.Argument(help="Where it is on the Hub, as hf://user/name or hf://user/name@revision.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write to; the Hub's cache if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Fetch a run from the Hugging Face Hub; its plugins are looked up before anything is downloaded.

    [bold]otae pull hf://ada/digits-gwae@v1 -o runs/digits[/]
    """
    from ..hub import pull as pull_run

    folder = pull_run(address, output)
    if json:
        print_json({"address": address, "run": str(folder)})
    else:
        results().print(folder, highlight=False, soft_wrap=True)
