"""`otae evaluate` and `otae report`: judge a run again, write its page again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import print_json, results

RunFolder = Annotated[Path, typer.Argument(help="The run's folder.")]


def evaluate(
    run: RunFolder,
    metric: Annotated[list[str], typer.Option("--metric", "-m", help="Only this metric. Repeatable.")] = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a run by every metric that is installed, or by those named."""
    from ..evaluation import evaluate as judge
    from ..run import Run
    from .summary import summary

    judged = judge(run, metric or None)
    if json:
        print_json(judged)
    else:
        results().print(summary(Run(run)))


def report(run: RunFolder) -> None:
    """Write a run's report again: one HTML page that needs nothing beside it."""
    from ..report import write_report
    from ..run import Run

    results().print(str(write_report(Run(run))), highlight=False, soft_wrap=True)
