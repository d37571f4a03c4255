"""The page of a study: one file that holds its tables and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ..errors import RunError
from ..files import write_text
from ..report.canvas import Picture, drawn
from ..report.summary import duration, reading
from . import pictures, samples
from .comparison import Comparison
from .wording import arrow, legend, write_cell

if TYPE_CHECKING:
    from jinja2 import Template

    from .points import Point
    from .study import Study

_MOST = 12  # variants whose samples are shown side by side


@dataclass(frozen=True)
class Block:
    """Holds what a page shows of the variants of the same data.

    Args:
        title: What the data are called; nothing where all are of the same.
        places: The places of the variants.
        pictures: A picture for each figure.
    """

    title: str
    places: Sequence[int]
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class PointLine:
    """Holds a point in words.

    Args:
        title: What it is called.
        seed: Its seed.
        state: Whether it is done or failed.
        time: The time it took.
        memory: Its peak of memory.
        error: What went wrong, or nothing.
        report: The address of its report, or nothing.
    """

    title: str
    seed: int
    state: str
    time: str
    memory: str
    error: str
    report: str


def write_page(study: Study) -> Path:
    """Returns the path of a study's `report.html`, written anew: one page without outside resources.

    Its pictures are also files in the folder `report`, for papers and slides: those ending in `-dark` are for dark pages.

    Args:
        study: The study; one of which no point is done has a page that tells the errors.
    """
    try:
        comparison = study.compare()
    except RunError:
        comparison = Comparison((), (), "")
    blocks = list(_blocks(comparison))
    shown, reasons = _samples(comparison)
    for picture in [
        *(each for block in blocks for each in block.pictures),
        *(each for _, own in shown for each in own),
    ]:
        picture.save(study.path / "report")
    path = study.path / "report.html"
    write_text(path, _render(study, comparison, blocks, samples.gather(shown), reasons))
    return path


def _blocks(comparison: Comparison) -> Iterator[Block]:
    several = len(comparison.groups) > 1
    for number, places in enumerate(comparison.groups):
        name = str(comparison.variants[places[0]].config.get("data", {}).get("name", "data"))
        title = f"{name} ({number + 1} of {len(comparison.groups)})" if several else ""
        path = pictures.find_axis(comparison, places)
        drawings = [
            drawn(
                f"figure-{number + 1}-{column.metric}-{column.name}".replace("/", "-"),
                column.figure.definition or column.figure.title,
                partial(pictures.lines, comparison, position, places, path)
                if path
                else partial(pictures.bars, comparison, position, places),
            )
            for position, column in enumerate(comparison.columns)
            if any(comparison.cells[place][position] for place in places)
        ]
        yield Block(title, places, drawings)


def _samples(comparison: Comparison) -> tuple[list[tuple[str, list[Picture]]], list[str]]:
    shown: list[tuple[str, list[Picture]]] = []
    reasons: list[str] = []
    for number, variant in enumerate(comparison.variants[:_MOST]):
        found, reason = samples.show_variant(variant.entries[0].path, f"variant-{number + 1}")
        shown.append((variant.title, found))
        reasons += [f"{variant.title}: {reason}"] if reason else []
    if len(comparison.variants) > _MOST:
        reasons.append(f"Only the first {_MOST} of {len(comparison.variants)} variants are shown.")
    return shown, reasons


def _render(
    study: Study,
    comparison: Comparison,
    blocks: Sequence[Block],
    shown: Sequence[tuple[str, Sequence[tuple[str, Picture]]]],
    reasons: Sequence[str],
) -> str:
    declaration = study.source.declaration.model_dump(mode="json", exclude_defaults=True)
    return _template().render(
        title=study.title,
        version=version("otae"),
        comparison=comparison,
        variants=len({point.variant for point in study.points}),
        seeds=len({point.seed for point in study.points}),
        done=len(study.done),
        failed=study.failed,
        total=len(study.points),
        seconds=duration(sum(record.seconds for record in study.records.values())),
        blocks=blocks,
        shown=shown,
        reasons=reasons,
        points=[_line(study, point) for point in study.points],
        yaml=yaml.safe_dump(declaration, sort_keys=False, allow_unicode=True),
        legend=legend(interval=True),
        cell=partial(write_cell, interval=True),
        arrow=arrow,
        reading=reading,
    )


def _line(study: Study, point: Point) -> PointLine:
    record = study.records.get(point.hash)
    report = study.run(point) / "report.html"
    if record is None:
        return PointLine(point.variant, point.seed, "left", "", "", "", "")
    gpu = f", GPU {record.gpu_memory / 2**30:.2f} GiB" if record.gpu_memory else ""
    return PointLine(
        point.variant,
        point.seed,
        record.state,
        duration(record.seconds),
        f"{record.memory / 2**30:.2f} GiB{gpu}" if record.memory else "",
        record.error,
        report.relative_to(study.path).as_posix() if report.is_file() else "",
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    here = Path(__file__).parent
    loader = FileSystemLoader([here, here.parent / "report"])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("study.html.jinja")
