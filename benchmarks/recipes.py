"""Every recipe on scikit-learn's digits over several seeds, and the table of them in the documentation.

python benchmarks/recipes.py                          # what results/recipes.json does not hold yet, then docs/recipes.md
python benchmarks/recipes.py wae-mmd swae --seeds 0   # some of it
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from sides import machine

from otae import evaluate, load_config
from otae.config import Experiment
from otae.files import write_json, write_text
from otae.recipes import recipes
from otae.run import Run
from otae.training import fit

ROOT = Path(__file__).parents[1]
RESULTS, PAGE = ROOT / "benchmarks/results/recipes.json", ROOT / "docs/recipes.md"
BEGIN, END = "<!-- the figures, written by benchmarks/recipes.py -->", "<!-- the end of the figures -->"
COLUMNS = {
    "reconstruction": ("reconstruction", "ratio"),
    "Fréchet": ("frechet", "ratio"),
    "prior-mmd": ("prior-mmd", "coefficient"),
    "distortion": ("distortion", "distortion"),
    "of generations": ("distortion", "generation_distortion"),
}
METRICS = sorted({metric for metric, _ in COLUMNS.values()})


def digest(experiment: Experiment, *more: object) -> str:
    """Returns what tells one training from another, whatever its seed, its evaluation, and options that stand at their
    defaults: a new one changes no training that leaves it there.

    Args:
        experiment: The experiment.
        *more: What else makes a difference, as plain values.
    """
    told = experiment.model_dump(mode="json", exclude_defaults=True)
    trained = {key: value for key, value in told.items() if key not in ("seed", "evaluation")}
    values = [trained, *more]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def measured(experiment: Experiment, train: Any = fit) -> dict[str, Any]:
    """Returns the processor's seconds of one training, which other jobs disturb less than the clock's, and the figures of
    its test split.

    Args:
        experiment: The experiment.
        train: What trains a run.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run", experiment)
        started = time.process_time()
        train(run)
        seconds = time.process_time() - started
        return {"seconds": round(seconds, 1), "figures": evaluate(run, metrics=METRICS)["test"]}


def row(name: str, seed: int) -> dict[str, Any]:
    """Returns what a row is known by: its model, its seed, its configuration.

    Args:
        name: The recipe's name.
        seed: The seed.
    """
    return {"model": name, "seed": seed, "configuration": digest(load_config(name))}


def held(path: Path = RESULTS) -> list[dict[str, Any]]:
    """Returns the rows that are there already.

    Args:
        path: The file of results.
    """
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    return rows


def add(new: dict[str, Any], path: Path = RESULTS) -> None:
    """Adds a row to the results, in place of one of the same model and seed; several processes may do so.

    Args:
        new: The row.
        path: The file of results.
    """
    with FileLock(f"{path}.lock"):
        others = [old for old in held(path) if (old["model"], old["seed"]) != (new["model"], new["seed"])]
        rows = sorted([*others, new], key=lambda each: (each["model"], each["seed"]))
        write_json(path, {"machine": machine("otae"), "rows": rows})


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Returns the table of all models in Markdown: medians, and ranges in brackets.

    Args:
        rows: The rows of all models and seeds.
    """
    if not rows:
        return "Not measured yet."
    heads = ["model", *COLUMNS, "seconds"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for model in sorted({each["model"] for each in rows}, key=lambda name: (name.startswith("Pythae"), name)):
        mine = [each for each in rows if each["model"] == model]
        cells = [_cell([each["figures"][metric][figure] for each in mine]) for metric, figure in COLUMNS.values()]
        seeds = "" if len(mine) == 3 else f" ({len(mine)} of 3 seeds)"
        seconds = statistics.median(each["seconds"] for each in mine)
        lines.append(f"| {model}{seeds} | {' | '.join(cells)} | {seconds:.0f} |")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    middle, low, high = (
        f"{round(value, 3) + 0.0:.3f}" for value in (statistics.median(values), min(values), max(values))
    )
    return middle if len(values) == 1 else f"{middle} ({low}–{high})"


def page(text: str, rows: Sequence[dict[str, Any]]) -> str:
    """Returns the text of the page with the table of the rows between its two marks.

    Args:
        text: The page as it is.
        rows: The rows of all models and seeds.
    """
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{rest.partition(END)[2]}"


def on_digits() -> list[str]:
    """Returns the names of otae's recipes that train on the digits."""
    mine = [each.name for each in recipes() if each.offer.distribution == "otae"]
    return [name for name in mine if load_config(name).data.name == "digits"]


def run(names: Sequence[str], seeds: Iterable[int]) -> None:
    """Trains what is not there yet, all recipes with one seed before the next, and writes each row as it comes.

    Args:
        names: The recipes.
        seeds: The seeds.
    """
    for seed in seeds:
        for name in names:
            key = row(name, seed)
            if not any(key.items() <= old.items() for old in held()):
                found = key | measured(load_config(name, [f"seed={seed}"]))
                add(found)
                print(table([found]).splitlines()[-1], flush=True)


def main() -> None:
    """Trains each recipe with each seed, and writes the results and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recipes", nargs="*", help="the recipes; all on digits if left out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="the seeds")
    options = parser.parse_args()
    run(options.recipes or on_digits(), options.seeds)
    if PAGE.exists():
        write_text(PAGE, page(PAGE.read_text(encoding="utf-8"), held()))


if __name__ == "__main__":
    main()
