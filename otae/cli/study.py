"""`otae study`: a grid of runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .complete import recipe_names
from .console import errors, results
from .train import Quiet

if TYPE_CHECKING:
    from ..study import Record, Source
    from ..study.points import Point


def study(
    sources: Annotated[
        list[str],
        typer.Argument(help="A study's YAML file; or recipes and configurations.", autocompletion=recipe_names),
    ],
    seeds: Annotated[
        str | None, typer.Option("--seeds", metavar="SEEDS", help="The seeds, as 0 1 2, or 0,1,2, or 0-4.")
    ] = None,
    set_: Annotated[
        list[str], typer.Option("--set", "-s", metavar="PATH=VALUE", help="Set a value in all points. Repeatable.")
    ] = [],  # noqa: B006 - typer copies it
    grid: Annotated[
        list[str],
        typer.Option("--grid", "-g", metavar="PATH=[VALUE, …]", help="Go through values of an option. Repeatable."),
    ] = [],  # noqa: B006
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The study's folder; studies/TITLE if left out.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", "-e", help="Where to train: local, ray or slurm.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many points are trained at the same time.")
    ] = None,
    option: Annotated[
        list[str],
        typer.Option("--option", "-x", metavar="NAME=VALUE", help="An option of the executor, as cpus=4. Repeatable."),
    ] = [],  # noqa: B006
    retry: Annotated[bool, typer.Option("--retry", help="Try points again that failed.")] = False,
    no_reports: Annotated[bool, typer.Option("--no-reports", help="Write no report for each run.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the points, and train nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a grid of variants with several seeds, and show them side by side: a table and a page.

    Started again, it goes on: a point that is done is not trained again, one that failed is left out unless --retry.

    [bold]otae study priors.yaml --jobs 4[/]
    [bold]otae study gwae wae-mmd vae --seeds 0 1 2 --set training.epochs=40[/]
    [bold]otae study gwae --grid 'model.prior=[neural, factorized, mixture]' --seeds 0-4[/]
    """
    from ..study import expand, run_study

    source = _source(sources, seeds, set_, grid)
    points = expand(source)
    if dry_run:
        for point in points:
            results().print(f"{point.variant}, seed {point.seed}  {point.hash[:8]}", highlight=False, soft_wrap=True)
        return
    listener = None if quiet else Progress(len(points))
    finished = run_study(
        source,
        output,
        executor=_executor(source, executor, jobs, option),
        retry=retry,
        report=not no_reports,
        listener=listener,
    )
    from .compare import show

    show(finished.compare())
    results().print(f"Table   {finished.path / 'results.csv'}", highlight=False, soft_wrap=True)
    results().print(f"Page    {finished.path / 'report.html'}", highlight=False, soft_wrap=True)
    if finished.failed:
        errors().print(f"{len(finished.failed)} of {len(points)} points failed; try them again with --retry.")
        raise typer.Exit(1)


class Progress:
    """Creates a listener that prints a line for each point that ends.

    Args:
        total: The number of points.
    """

    def __init__(self, total: int) -> None:
        self.total, self.count = total, 0

    def __call__(self, point: Point, record: Record | None) -> None:
        """Prints a line.

        Args:
            point: The point.
            record: What is known of it; `None` where it was interrupted.
        """
        from ..report.summary import duration

        self.count += record is not None
        name = f"{point.variant}, seed {point.seed}"
        if record is None:
            line = f"{name}: interrupted"
        elif record.state == "done":
            line = f"{self.count}/{self.total}  {name}: done in {duration(record.seconds)}, {record.memory / 2**30:.1f} GiB"
        else:
            line = f"{self.count}/{self.total}  {name}: failed: {record.error}"
        errors().print(line, markup=False, highlight=False, soft_wrap=True)


def _source(sources: list[str], seeds: str | None, overrides: list[str], grid: list[str]) -> Source:
    from ..extending import is_path
    from ..study import declare, read_declaration

    names = [each for each in sources if not each.isdecimal()]
    more = [each for each in sources if each.isdecimal()]  # `--seeds 0 1 2` gives the option 0, and leaves 1 and 2 here
    changed: dict[str, Any] = {}
    if seeds is not None or more:
        changed["seeds"] = [seed for part in [*(seeds or "").replace(",", " ").split(), *more] for seed in _range(part)]
    added = {"set": _pairs(overrides, "--set"), "grid": _pairs(grid, "--grid")}
    changed |= {key: value for key, value in added.items() if value}
    if len(names) == 1 and is_path(names[0]) and _is_study(Path(names[0])):
        return read_declaration(Path(names[0]), changed)
    return declare({"base": names, **changed}, "otae study")


def _is_study(path: Path) -> bool:
    """Returns whether a file declares a study, and no experiment."""
    from ..extending import text
    from ..yaml_values import read_yaml

    values = read_yaml(text(path), str(path)) if path.is_file() else None
    return not isinstance(values, dict) or not {"model", "objective", "extends"} & set(values)


def _range(part: str) -> list[Any]:
    first, dash, last = part.partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        return list(range(int(first), int(last) + 1))
    return [int(part) if part.isdecimal() else part]


def _pairs(texts: list[str], option: str) -> dict[str, Any]:
    from ..errors import ConfigError
    from ..yaml_values import read_yaml

    found: dict[str, Any] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ConfigError(f"{option} {text}: it must read PATH=VALUE, such as training.epochs=40.")
        found[path.strip()] = read_yaml(value, f"{option} {path}")
    return found


def _executor(source: Source, name: str | None, jobs: int | None, options: list[str]) -> dict[str, Any] | None:
    declared = source.declaration.executor
    if name is None and jobs is None and not options:
        return None
    kept = declared.options if name in (None, declared.name) else {}
    return {"name": name or declared.name, **kept, **({"jobs": jobs} if jobs else {}), **_pairs(options, "--option")}
