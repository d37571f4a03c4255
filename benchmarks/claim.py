"""Whether codes follow their prior: one training after another with overrides, and what each changes.

python benchmarks/claim.py --recipe gwae-mixture --seeds 0 1 --label "kl 0.3" \
    --set 'objective.kl={cost: kl, source: code, target: prior, weight: 0.3}'

Each training adds a row to results/claim.csv: the overrides, the seed, and the figures of `judgement`.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sides import machine
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from otae import load_config
from otae.build import resolve
from otae.evaluation import evaluate
from otae.evaluation.specimens import Specimens
from otae.run import Run
from otae.training import fit

Array = np.ndarray[Any, np.dtype[Any]]
RESULTS = Path(__file__).parent / "results/claim.csv"
COLUMNS = [
    *("label", "recipe", "seed", "overrides", "reconstruction", "frechet", "auc", "own", "own_nmi", "own_test"),
    *("em", "kmeans", "log_prior", "log_em", "seconds", "processor", "torch"),
]


def auc(codes: Array, draws: Array, seed: int = 0) -> float:
    """Returns how well gradient boosting tells codes from as many draws of the prior: 0.5 where their laws are equal.

    The probabilities are those of five folds, stratified and shuffled, each judged by the classifier that did not see
    it; the area is that over all of them together. Both clouds are standardised by their pooled moments, which trees do
    not need.

    Args:
        codes: One code of each sample, drawn from its law, with shape (N, D).
        draws: Draws of the prior, with shape (M, D); the first min(N, M) of both are compared.
        seed: The seed of folds and classifier.
    """
    count = min(len(codes), len(draws))
    points = np.concatenate([codes[:count], draws[:count]])
    side = np.repeat([1, 0], count)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    chances = cross_val_predict(
        HistGradientBoostingClassifier(random_state=seed), points, side, cv=folds, method="predict_proba"
    )
    return float(roc_auc_score(side, chances[:, 1]))


def accuracy(clusters: Array, labels: Array) -> float:
    """Returns the share of samples whose cluster is matched to their class, by the best one-to-one matching.

    Args:
        clusters: A cluster for each sample, with shape (N,).
        labels: A class for each sample, with shape (N,).
    """
    size = int(max(clusters.max(), labels.max())) + 1
    counts = np.zeros((size, size), dtype=int)
    np.add.at(counts, (clusters, labels), 1)
    rows, columns = linear_sum_assignment(-counts)
    return float(counts[rows, columns].sum() / len(labels))


def judgement(run: Run, quick: bool = False) -> dict[str, float]:
    """Returns the figures of a run: those of the recipes' table on the test split, and those of codes and prior on all.

    `reconstruction` and `frechet` are ratios to principal components, on the test split. `auc` compares one code of each
    sample with as many draws. `own` is the accuracy of the prior's components, where it has some, at the means of the
    codes' laws; `em` and `kmeans` those of a Gaussian mixture and of k-means fitted to the same. `log_prior` is the
    mean log-likelihood of drawn codes under the prior, `log_em` that under the mixture of full covariances.

    Args:
        run: The run, trained.
        quick: Whether to leave out what takes long.
    """
    figures = evaluate(run, metrics=["reconstruction", "frechet"], splits=["test"])["test"]
    specimens = Specimens.of_run(run, splits=["test", "all"])
    torch.manual_seed(run.experiment.seed)
    specimen, test = specimens["all"], specimens["test"]
    assert specimen.draws is not None
    codes, draws, prior = specimen.codes.numpy(), specimen.draws.numpy(), specimen.prior.numpy()
    found = {name: figures[name]["ratio"] for name in ("reconstruction", "frechet")}
    found["auc"] = auc(draws, prior, run.experiment.seed)
    if specimen.labels is None:
        return found
    labels, model = specimen.labels.numpy(), run.model
    if model.prior.components is not None:
        with torch.no_grad():
            mine = model.prior.components.assign(specimen.codes).argmax(1).numpy()
            own_test = model.prior.components.assign(test.codes).argmax(1).numpy()
        assert test.labels is not None
        found["own"], found["own_test"] = accuracy(mine, labels), accuracy(own_test, test.labels.numpy())
        found["own_nmi"] = float(normalized_mutual_info_score(labels, mine))
    if model.prior.law is not None:
        with torch.no_grad():
            found["log_prior"] = float(model.prior.law.log_prob(specimen.draws).mean())
    if not quick:
        classes = int(labels.max()) + 1
        mixture = GaussianMixture(classes, n_init=3, reg_covar=1e-4, random_state=0).fit(codes)
        found["em"] = accuracy(mixture.predict(codes), labels)
        found["kmeans"] = accuracy(KMeans(classes, n_init=10, random_state=0).fit_predict(codes), labels)
        found["log_em"] = float(GaussianMixture(classes, n_init=3, random_state=0).fit(draws).score(draws))
    return found


def measure(recipe: str, overrides: Sequence[str], seed: int, quick: bool = False) -> dict[str, Any]:
    """Returns the figures of one training.

    Args:
        recipe: The name of a recipe, or a file.
        overrides: Dotted overrides.
        seed: The seed.
        quick: Whether to leave out what takes long.
    """
    experiment = resolve(load_config(recipe, [*overrides, f"seed={seed}"]))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = Run.create(Path(folder) / "run", experiment)
        started = time.perf_counter()
        fit(run)
        seconds = time.perf_counter() - started
        return judgement(run, quick) | {"seconds": round(seconds, 1)}


def add(row: dict[str, Any], path: Path) -> None:
    """Appends a row to the results.

    Args:
        row: Values by the names of columns.
        path: The file, which starts with the names where it is new.
    """
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.4g}" if isinstance(value, float) else value for name, value in row.items()})


def main() -> None:
    """Trains what the command line asks for, and adds a row for each training."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recipe", nargs="+", default=["gwae"])
    parser.add_argument("--label", default="recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    here = machine("otae")
    for seed in options.seeds:
        for recipe in options.recipe:
            found = measure(recipe, options.overrides, seed, options.quick)
            known = {"label": options.label, "recipe": recipe, "seed": seed, "overrides": " ".join(options.overrides)}
            about = {"processor": here["processor"], "torch": here["versions"]["torch"]}
            add(known | found | about, options.output)
            told = "  ".join(f"{name} {value:.3f}" for name, value in found.items())
            print(f"{options.label} | {recipe} {seed} | {told}", flush=True)


if __name__ == "__main__":
    main()
