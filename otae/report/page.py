"""The page: one file that holds the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..evaluation import Evaluation, Specimens, Steps
from ..files import write_text
from ..run import Run
from ..training import history, seeded
from . import gallery, summary
from .canvas import Picture

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Section:
    """Creates a section of pictures.

    Args:
        title: Its heading.
        text: What to look for.
        pictures: The pictures.
        layout: How wide a picture stands: `wide`, `half` or `third` of the page.
    """

    title: str
    text: str
    pictures: list[Picture]
    layout: str


def write_report(run: Run, specimens: Specimens | None = None, *, console: Console | None = None) -> Path:
    """Returns the path of a run's `report.html`, written anew: one page without outside resources.

    Its pictures are also files in the folder `report`, for papers and slides: those ending in `-dark` are for dark pages.
    A run that was not evaluated has a report without figures, which says so.

    Args:
        run: The run, trained.
        specimens: The specimens of the run, where they are at hand; read and encoded again where `None`.
        console: Where progress is shown; nowhere where `None`.

    Raises:
        RunError: If the run was not trained to its end, or a plugin is missing.
        DataError: If the data are missing or corrupt.
    """
    with Steps(console, "Writing the report", 3) as steps:
        steps.begin("drawing pictures")
        sections = _sections(run, specimens or Specimens.of_run(run))
        steps.begin("saving pictures")
        for section in sections:
            for picture in section.pictures:
                picture.save(run.path / "report")
        steps.begin("writing the page")
        path = run.path / "report.html"
        write_text(path, _page(run, sections))
    return path


def _sections(run: Run, specimens: Specimens) -> list[Section]:
    split = "test" if "test" in specimens else next(iter(specimens))
    with seeded(specimens.seed):
        specimen = specimens[split]
    value_range = specimens.dataset.value_range
    image = gallery.is_image(specimen.data)
    few = "third" if not image else "wide"
    directions = "" if specimen.codes.shape[1] <= 2 else " in the two principal directions of the codes"
    return [
        Section(
            "Losses",
            "Each term before its weight: faint in training, bold in validation.",
            gallery.curves(run.path / "metrics.csv", list(run.experiment.objective)),
            "third",
        ),
        Section(
            "Reconstructions",
            "Samples of the test split, which training never saw.",
            gallery.reconstructions(specimen, value_range),
            few,
        ),
        Section("Generations", "What the decoder makes of the prior.", gallery.generations(specimen, value_range), few),
        Section(
            "Distances",
            "All pairs of samples: were the map an isometry up to scale, every pair would lie on the line. "
            "A Gromov-Wasserstein term between the prior and its generations draws the pairs of the decoder to it.",
            gallery.isometry(specimen),
            "half",
        ),
        Section(
            "Latent space",
            f"The test split and the prior{directions}. Generations are sound where the prior draws what codes fill.",
            gallery.latent_space(specimen),
            "half",
        ),
    ]


def _page(run: Run, sections: list[Section]) -> str:
    experiment, provenance = run.experiment, run.provenance
    figures = Evaluation.read(run.path) if (run.path / "evaluation.json").is_file() else Evaluation()
    table = run.path / "metrics.csv"
    past = history.read(table) if table.is_file() else {}
    return _template().render(
        title=experiment.title,
        experiment=experiment,
        shape=" × ".join(map(str, run.model.data_shape)),
        tiles=summary.tiles(run, figures, past),
        terms=summary.terms(experiment, past),
        sections=[section for section in sections if section.pictures],
        figures=figures,
        rows=_rows(figures),
        yaml=experiment.to_yaml(),
        provenance=provenance,
        command=summary.command(provenance),
        number=summary.number,
    )


def _rows(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
    names: dict[str, dict[str, None]] = {}  # ordered sets
    for kind in (evaluation.figures, evaluation.missing):
        for split in kind.values():
            for metric, values in split.items():
                names.setdefault(metric, {}).update(dict.fromkeys(values))
    return [(metric, list(values)) for metric, values in names.items()]


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("template.html.jinja")
