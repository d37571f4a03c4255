"""A search with Ray Tune: the weights of a recipe that give the lowest error on the validation split.

It needs `pip install 'otae[ray]'`. The test split is not looked at: it is for the winner alone.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ray import tune

import otae

SPACE = {
    "objective.match.weight": tune.loguniform(1.0, 100.0),
    "training.optimizer.lr": tune.loguniform(1e-4, 1e-2),
}


def train(overrides: dict[str, Any], recipe: str, epochs: int) -> dict[str, float]:
    """Returns what the search looks at, of one experiment.

    Args:
        overrides: The options that were drawn, by dotted path.
        recipe: The recipe.
        epochs: The number of epochs.
    """
    fixed = {"training.epochs": epochs, "evaluation.metrics": "[reconstruction]", "evaluation.splits": "[validation]"}
    experiment = otae.load_config(recipe, [f"{path}={value}" for path, value in {**fixed, **overrides}.items()])
    with tempfile.TemporaryDirectory() as folder:
        run = otae.train(experiment, Path(folder) / "run", report=False)
        return {"error": run.metrics["validation"]["reconstruction"]["mse"]}


def search(recipe: str, epochs: int, samples: int, storage: Path | None = None) -> tune.ResultGrid:
    """Returns the results of a search.

    Args:
        recipe: The recipe.
        epochs: The number of epochs of each experiment.
        samples: The number of experiments.
        storage: Where Ray keeps its files.
    """
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(train, recipe=recipe, epochs=epochs), {"cpu": 1}),
        param_space=SPACE,
        tune_config=tune.TuneConfig(metric="error", mode="min", num_samples=samples),
        run_config=tune.RunConfig(storage_path=str(storage) if storage else None, verbose=1),
    )
    return tuner.fit()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="wae-mmd")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=16)
    arguments = parser.parse_args()
    best = search(arguments.recipe, arguments.epochs, arguments.samples).get_best_result()
    chosen = " ".join(f"--set {path}={value:.3g}" for path, value in best.config.items())
    print(f"otae train {arguments.recipe} {chosen}")
