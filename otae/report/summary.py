"""What the report says in words and numbers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..config import Experiment
from ..evaluation import Evaluation
from ..interfaces import Figure
from ..registry import costs
from ..run import Run
from ..schedule import Schedule, Weight


@dataclass(frozen=True)
class Tile:
    """Creates a key figure.

    Args:
        name: What it is.
        value: Its value, in figures.
        note: How to read it.
        definition: What it is, in a sentence.
    """

    name: str
    value: str
    note: str
    definition: str = ""


@dataclass(frozen=True)
class TermLine:
    """Creates a term of the objective in words.

    Args:
        name: The term's name.
        cost: The name of its cost.
        clouds: The clouds it compares.
        weight: Its weight.
        meaning: What the cost is, from its own documentation.
        value: Its last value in validation, or in training where there is none, unweighted; or nothing.
    """

    name: str
    cost: str
    clouds: str
    weight: str
    meaning: str
    value: str


def tiles(run: Run, evaluation: Evaluation, history: Mapping[str, Mapping[str, list[float]]]) -> list[Tile]:
    """Returns the key figures, without those that are not known.

    Args:
        run: The run.
        evaluation: The evaluation; empty where there was none.
        history: The history, by split.
    """
    split = "test" if "test" in evaluation else next(iter(evaluation), "")
    known = [_headline(evaluation, split, metric) for metric in evaluation.get(split, {})]
    epochs = len(history.get("validation", {}).get("total", [])) or _count_epochs(run)
    steps = int(max(history.get("train", {}).get("step", [0])))
    size = sum(parameter.numel() for parameter in run.model.parameters())
    costs_size = sum(parameter.numel() for _, parameter in run.objective.named_parameters())
    seconds = run.provenance.get("training_seconds")
    took = f", {duration(seconds)}" if seconds is not None else ""
    return [
        *(tile for tile in known if tile is not None),
        *([Tile("Training", f"{epochs:,} epoch{'s' * (epochs != 1)}", f"{steps:,} steps{took}")] if epochs else []),
        Tile("Parameters", f"{size:,}", f"of the model; {costs_size:,} more of its costs"),
    ]


def _count_epochs(run: Run) -> int:
    """Returns the number of epochs of a finished run that nothing was validated in."""
    return run.experiment.training.epochs if (run.path / "model.safetensors").is_file() else 0


def _headline(evaluation: Evaluation, split: str, metric: str) -> Tile | None:
    name = evaluation.headline(metric)
    value = evaluation[split][metric].get(name) if name else None
    if name is None or value is None:
        return None
    figure = evaluation.describe(metric, name)
    return Tile(figure.title, number(value, 3), reading(figure), figure.definition)


def notes(evaluation: Evaluation) -> list[str]:
    """Returns why figures are left out, and which metrics were skipped or failed, a sentence each.

    Args:
        evaluation: The evaluation.
    """
    reasons = {
        f"{metric}, {name}: {reason}": None
        for found in evaluation.missing.values()
        for metric, names in found.items()
        for name, reason in names.items()
    }
    failed = [f"{metric} failed: {reason}" for metric, reason in evaluation.failed.items()]
    return [*reasons, *failed, *(f"{metric} was skipped: {reason}" for metric, reason in evaluation.skipped.items())]


def reading(figure: Figure) -> str:
    """Returns how to read a figure, in a few words.

    Args:
        figure: What the figure is.
    """
    direction = {"lower": "lower is better", "higher": "higher is better", "none": ""}[figure.better]
    best = "" if figure.best is None else f"best {figure.best:g}"
    return ", ".join(part for part in (direction, best) if part)


def terms(experiment: Experiment, history: Mapping[str, Mapping[str, list[float]]]) -> list[TermLine]:
    """Returns the objective, term by term.

    Args:
        experiment: The experiment.
        history: The history, by split.
    """
    last = history.get("validation") or history.get("train", {})
    return [
        TermLine(
            name,
            term.cost.name,
            ", ".join(_side(side) for side in (term.source, term.target) if side is not None),
            weight(term.weight),
            meaning(term.cost.name),
            number(last[name][-1]) if last.get(name) else "",
        )
        for name, term in experiment.objective.items()
    ]


def meaning(cost: str) -> str:
    """Returns the first sentence of a cost's documentation, without its opening word.

    Args:
        cost: The cost's name.
    """
    paragraph = (costs.get(cost).__doc__ or "").strip().partition("\n\n")[0]
    sentence = " ".join(paragraph.split()).replace("`", "").partition(". ")[0].rstrip(".")
    return sentence.removeprefix("Creates ") + "." if sentence else ""


def command(provenance: Mapping[str, Any]) -> str:
    """Returns the command that started a run, as a shell takes it.

    Args:
        provenance: What the run was made with.
    """
    return shlex.join(str(word) for word in provenance.get("command", []))


def weight(value: Weight) -> str:
    """Returns a weight in words.

    Args:
        value: A number or a schedule.
    """
    if not isinstance(value, Schedule):
        return f"{value:g}"
    clock = f"{value.steps:,} steps" if value.steps else f"{value.epochs:,} epochs"
    return f"{value.start:g} → {value.to:g} over {clock}"


def number(value: float, digits: int = 4) -> str:
    """Returns a number with some significant digits.

    Args:
        value: The number.
        digits: The number of digits.
    """
    if value != 0 and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:#.{digits}g}"


def duration(seconds: float) -> str:
    """Returns a time in hours, minutes and seconds.

    Args:
        seconds: The time.
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    units = ((hours, "h"), (minutes, "min"), (rest if not hours else 0, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in units if amount) or "0 s"


def _side(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"
