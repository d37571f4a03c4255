"""`otae evaluate` and `otae report`: judge a run again, write its page again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import errors, print_json, results

RunFolder = Annotated[Path, typer.Argument(help="The run's folder.")]


def evaluate(
    run: RunFolder,
    metric: Annotated[
        list[str],
        typer.Option(
            "--metric",
            "-m",
            help="A metric, by name or as '{name: dci, model: lasso}'; default stands for all that are not costly. "
            "Repeatable; those of the run's configuration if left out.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    split: Annotated[
        list[str], typer.Option("--split", help="A split to judge: train, validation, test or all. Repeatable.")
    ] = [],  # noqa: B006
    samples: Annotated[int | None, typer.Option("--samples", help="The number of generations to judge.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="The most samples of a split to judge.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Judge the run on its data even if they changed since the training.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Judge a run by the metrics of its configuration, or by those named."""
    from ..evaluation import evaluate as judge
    from ..run import Run
    from ..yaml_values import read_yaml
    from .summary import print_summary

    metrics = [read_yaml(each, "--metric") for each in metric] or None
    console = None if quiet or json else errors()
    judged = judge(
        run, metrics=metrics, splits=split or None, samples=samples, limit=limit, anyway=anyway, console=console
    )
    if json:
        print_json(judged.to_dict())
    else:
        print_summary(Run(run))
    if judged.failed:
        raise typer.Exit(1)


def report(
    run: RunFolder,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Report the run on its data even if they changed since the training.")
    ] = False,
) -> None:
    """Write a run's report again: one HTML page that needs nothing beside it."""
    from ..report import write_report
    from ..run import Run

    results().print(str(write_report(Run(run), anyway=anyway, console=errors())), highlight=False, soft_wrap=True)
