"""The page: one file that holds the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..evaluation import Evaluation, Specimens, Steps
from ..files import require_writable, write_text
from ..interfaces import Feature
from ..run import Run
from ..training import history, seeded
from . import exploration, gallery, summary
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


def write_report(
    run: Run, specimens: Specimens | None = None, *, anyway: bool = False, console: Console | None = None
) -> Path:
    """Returns the path of a run's `report.html`, written anew: one page without outside resources.

    Its pictures are also files in the folder `report`, for papers and slides: those ending in `-dark` are for dark pages.
    A run that was not evaluated has a report without figures, which says so.

    Args:
        run: The run, trained.
        specimens: The specimens of the run, where they are at hand; read and encoded again where `None`.
        anyway: Whether the data may have changed since the run was trained.
        console: Where progress is shown; nowhere where `None`.

    Raises:
        ConfigError: If the run's folder is read-only.
        RunError: If the run was not trained to its end, its data have changed, or a plugin is missing.
        DataError: If the data are missing or corrupt.
    """
    path = run.path / "report.html"
    require_writable(path)
    with Steps(console, "Writing the report", 3) as steps:
        steps.begin("drawing pictures")
        evaluation = Evaluation.read(run.path) if (run.path / "evaluation.json").is_file() else Evaluation()
        sections = _sections(run, specimens or Specimens.of_run(run, anyway=anyway), evaluation)
        steps.begin("saving pictures")
        for section in sections:
            for picture in section.pictures:
                picture.save(run.path / "report")
        steps.begin("writing the page")
        write_text(path, _page(run, sections, evaluation))
    return path


_DESCRIBED = {
    "train": "the training split",
    "validation": "the validation split",
    "test": "the test split",
    "all": "all splits together",
}


def _sections(run: Run, specimens: Specimens, evaluation: Evaluation) -> list[Section]:
    split = next((name for name in ("test", "validation") if name in specimens), next(iter(specimens)))
    with seeded(specimens.seed):
        specimen = specimens[split]
    dataset, image = specimens.dataset, gallery.is_image(specimen.data)
    declared = dataset.value_range
    shown = gallery.shown_range(specimen.data, declared) if image else None
    features = dataset.features or tuple(Feature(f"feature {i + 1}") for i in range(specimen.data[0].numel()))
    titles = [feature.title for feature in features]
    several = "wide" if image else "third"
    directions = "" if specimen.codes.shape[1] <= 2 else " in the two principal directions of the codes"
    which = (
        "Samples of the test split, which training never saw."
        if split == "test"
        else f"Samples of {_DESCRIBED[split]}."
    )
    return [
        Section(
            "Losses",
            "Each term before its weight: faint in training, bold in validation, where there is one.",
            gallery.curves(run.path / "metrics.csv", list(run.experiment.objective)),
            "third",
        ),
        Section("Reconstructions", which, gallery.reconstructions(specimen, declared, features), several),
        Section(
            "Generations",
            "What the decoder makes of the prior.",
            gallery.generations(specimen, declared, features),
            several,
        ),
        Section(
            "Traversals",
            "What each entry of a code stands for: the others keep the values of one sample in the middle of the data.",
            exploration.traversals(run.model, specimen, shown, titles),
            several,
        ),
        Section(
            "Components",
            "What each component of the prior draws.",
            exploration.components(run.model, shown, titles, specimens.seed),
            "wide",
        ),
        Section("Graph of the prior", "Which entry acts on which.", exploration.prior_graph(run.model), "half"),
        Section(
            "Distances",
            "All pairs of samples: were the map an isometry up to scale, every pair would lie on the line. "
            "A Gromov-Wasserstein term between the prior and its generations draws the pairs of the decoder to it.",
            gallery.isometry(specimen),
            "half",
        ),
        Section(
            "Latent space",
            f"Codes of {_DESCRIBED[split]}, and draws from the prior{directions}. Generations are sound where the prior "
            "draws what codes fill.",
            gallery.latent_space(specimen),
            "half",
        ),
        Section(
            "Factors, classes and codes", f"Of {_DESCRIBED[split]}.", exploration.tables(evaluation, split), "half"
        ),
    ]


def _page(run: Run, sections: list[Section], evaluation: Evaluation) -> str:
    experiment, provenance = run.experiment, run.provenance
    table = run.path / "metrics.csv"
    past = history.read(table) if table.is_file() else {}
    return _template().render(
        title=experiment.title,
        experiment=experiment,
        shape=" × ".join(map(str, run.model.data_shape)),
        tiles=summary.tiles(run, evaluation, past),
        terms=summary.terms(experiment, past),
        sections=[section for section in sections if section.pictures],
        evaluation=evaluation,
        rows=_rows(evaluation),
        reading=summary.reading,
        notes=summary.notes(evaluation),
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
