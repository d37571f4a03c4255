"""The model card of a run: what it is, how to load it, how good it is, what it was made with, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from ..errors import RunError
from ..evaluation import Evaluation
from ..report.summary import duration, meaning, number, reading, terms
from ..run import Run


def write_card(run: Run, repository: str, pictures: Sequence[str] = ()) -> str:
    """Returns the model card of a run as Markdown.

    Args:
        run: A trained run.
        repository: Where it will be, as `user/name`.
        pictures: The paths of its pictures, relative to the card.
    """
    evaluation = _read_evaluation(run)
    parts = [
        _front_matter(run),
        f"# {repository.partition('/')[2]}",
        f"An optimal-transport autoencoder, `{run.experiment.title}`, trained with [otae](https://pypi.org/project/otae).",
        "## Use",
        _usage(run, repository),
        "## Model",
        _model(run),
        *(["## Figures", _figures(evaluation)] if evaluation else []),
        *(
            ["## Pictures", *(f"![{Path(each).stem.replace('_', ' ')}]({each})" for each in pictures)]
            if pictures
            else []
        ),
        "## Provenance",
        _provenance(run),
    ]
    return "\n\n".join(parts) + "\n"


def _read_evaluation(run: Run) -> Evaluation:
    try:
        return Evaluation.read(run.path)
    except RunError:
        return Evaluation()


def _front_matter(run: Run) -> str:
    model = run.experiment.model
    tags = ["optimal-transport", "autoencoder", "model_hub_mixin", f"prior-{model.prior.name}"]
    values = {
        "library_name": "otae",
        "tags": [*tags, *sorted({term.cost.name for term in run.experiment.objective.values()})],
    }
    return f"---\n{yaml.safe_dump(values, sort_keys=False)}---"


def _usage(run: Run, repository: str) -> str:
    used = {each["distribution"] for each in run.provenance.get("plugins", {}).values()}
    install = " ".join(["'otae[hub]'", *sorted(used - {"otae", "session"})])
    return (
        f"```console\n$ pip install {install}\n```\n\n```python\nimport otae\n\n"
        f'model = otae.load("hf://{repository}")\ncodes = model.encode(x)\nsamples = model.sample(16)\n```'
    )


def _model(run: Run) -> str:
    experiment = run.experiment
    model = experiment.model
    rows = [
        ("encoder", model.encoder.name),
        ("decoder", model.decoder.name),
        ("prior", model.prior.name),
        ("entries of a code", str(model.latent_dim)),
        ("shape of a sample", " × ".join(map(str, run.model.data_shape))),
        ("data", experiment.data.name),
    ]
    lines = [
        (line.name, f"`{line.cost}`", line.clouds, line.weight, meaning(line.cost)) for line in terms(experiment, {})
    ]
    return f"{_table(('part', ''), rows)}\n\n{_table(('term', 'cost', 'clouds', 'weight', ''), lines)}"


def _figures(evaluation: Evaluation) -> str:
    rows = []
    for split, metrics in evaluation.items():
        for metric in metrics:
            name = evaluation.headline(metric)
            value = metrics[metric].get(name) if name else None
            if name and value is not None:
                figure = evaluation.describe(metric, name)
                rows.append((figure.title, split, number(value), reading(figure)))
    return _table(("figure", "split", "value", ""), rows)


def _provenance(run: Run) -> str:
    told = run.provenance
    plugins = sorted({f"{each['distribution']} {each['version']}" for each in told.get("plugins", {}).values()})
    rows = [
        ("otae", told.get("otae", "")),
        ("torch", told.get("torch", "")),
        ("Python", told.get("python", "")),
        ("plugins", ", ".join(plugins)),
        ("seed", str(told.get("seed", ""))),
        ("training", duration(told.get("training_seconds", 0.0))),
        ("started", told.get("started", "")),
    ]
    return f"{_table(('', ''), rows)}\n\nThe whole configuration is in `config.yaml`; `otae train config.yaml` runs it again."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '∣') for cell in line)} |" for line in lines)
