"""`otae train` and `otae resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .complete import recipe_names
from .console import errors, print_json, results
from .summary import print_summary

if TYPE_CHECKING:
    from ..run import Run

NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.")]
NoEvaluation = Annotated[bool, typer.Option("--no-evaluation", help="Do not judge the trained model.")]
Changes = Annotated[
    list[str],
    typer.Option("--set", "-s", metavar="PATH=VALUE", help="Override a value, as model.prior=mixture. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the run's folder and figures as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def train(
    config: Annotated[
        str,
        typer.Argument(help="The name of a recipe, or a YAML file, or a run's folder.", autocompletion=recipe_names),
    ],
    set_: Changes = [],  # noqa: B006 - typer copies it
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run's folder, new or empty; a dated one under runs/ if left out."),
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", metavar="RUN", help="Start from the weights of this run, those that fit.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that is in the folder.")] = False,
    quiet: Quiet = False,
    no_evaluation: NoEvaluation = False,
    no_report: NoReport = False,
    json: Json = False,
) -> None:
    """Train an autoencoder, evaluate it, and write its report.

    [bold]otae train gwae[/]
    [bold]otae train gwae --set model.prior.name=mixture --set model.prior.components=10[/]
    [bold]otae train gwae --from runs/gwae --set training.optimizer.lr=1e-4[/]
    """
    from ..loading import load_config
    from ..workflow import train as run_training

    experiment = load_config(config, set_)
    console = None if quiet else errors()
    judged, told = not no_evaluation, not no_report
    _conclude(
        run_training(
            experiment, output, start=start, overwrite=overwrite, console=console, evaluation=judged, report=told
        ),
        json,
    )


def resume(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help="Train to this number of epochs in all; as configured if left out."),
    ] = None,
    set_: Changes = [],  # noqa: B006 - typer copies it
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Go on even if values of the data changed, as many samples of the same shape."),
    ] = False,
    quiet: Quiet = False,
    no_evaluation: NoEvaluation = False,
    no_report: NoReport = False,
    json: Json = False,
) -> None:
    """Continue an interrupted run to its end, as if it had never stopped, or a finished one to more epochs.

    [bold]otae resume runs/gwae[/]
    [bold]otae resume runs/gwae --epochs 120 --set training.optimizer.lr=1e-4[/]
    """
    from ..workflow import resume as resume_training

    console, judged, told = None if quiet else errors(), not no_evaluation, not no_report
    resumed = resume_training(run, set_, epochs=epochs, anyway=anyway, console=console, evaluation=judged, report=told)
    _conclude(resumed, json)


def _conclude(run: Run, json: bool) -> None:
    from ..training import is_first

    if not is_first(run.experiment.training):
        return
    judged, report = (run.path / "evaluation.json").is_file(), run.path / "report.html"
    if json:
        where = str(report) if report.is_file() else None
        print_json({"run": str(run.path), "report": where, "figures": run.metrics if judged else None})
        return
    if judged:
        print_summary(run, headlines=True)
    results().print(f"Run     {run.path}", highlight=False, soft_wrap=True)
    if report.is_file():
        results().print(f"Report  {report}", highlight=False, soft_wrap=True)
