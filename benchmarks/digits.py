"""The recipes on scikit-learn's digits over several seeds: reconstruction and samples against PCA, distances kept.

python benchmarks/digits.py gwae --seeds 0 1 2 --output benchmarks/results/digits.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from otae import evaluate, load_config
from otae.run import Run, versions
from otae.training import fit

FIGURES = [
    ("reconstruction", "ratio"),
    ("frechet", "ratio"),
    ("distortion", "correlation"),
    ("distortion", "generation_correlation"),
]


def measure(recipe: str, seed: int) -> dict[str, Any]:
    """Returns the figures of one training, by split, with its seconds.

    Args:
        recipe: The recipe's name.
        seed: The seed.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run", load_config(recipe, [f"seed={seed}"]))
        started = time.perf_counter()
        fit(run)
        seconds = time.perf_counter() - started
        return {"recipe": recipe, "seed": seed, "seconds": round(seconds, 1), "figures": evaluate(run)}


def table(rows: list[dict[str, Any]]) -> Table:
    """Returns the rows as a table, a column for each figure of each split.

    Args:
        rows: What `measure` gave.
    """
    heads = [f"{metric} {figure}, {split}" for metric, figure in FIGURES for split in ("test", "all")]
    shown = Table("recipe", "seed", "seconds", *heads)
    for row in rows:
        cells = [row["figures"][split][metric][figure] for metric, figure in FIGURES for split in ("test", "all")]
        shown.add_row(row["recipe"], str(row["seed"]), f"{row['seconds']:.0f}", *(f"{cell:.3f}" for cell in cells))
    return shown


def main() -> None:
    """Trains each recipe with each seed, prints the table, and writes it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipes", nargs="*", default=["gwae"], help="the recipes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="the seeds")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    options = parser.parse_args()
    rows = [measure(recipe, seed) for recipe in options.recipes for seed in options.seeds]
    Console(width=200).print(table(rows))
    if options.output:
        options.output.write_text(json.dumps({"versions": dict(versions()), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
