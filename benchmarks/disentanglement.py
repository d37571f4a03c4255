"""Which prior disentangles: the points of a study, trained in memory, one row each.

python benchmarks/disentanglement.py examples/studies/rooms.yaml --seeds 0 1 2 3 4 --split test

The points are those of `otae study`, with the same splits, batches per epoch and steps; but that draws the pictures anew in
each epoch, and keeps a folder for each point. Here they are drawn once. A point that has a row is not trained again. All
variants of a seed come before the next seed: a study that is cut short compares fewer seeds, and all variants.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from otae.evaluation.judge import judge
from sides import machine
from torch import Tensor

from otae import Autoencoder
from otae.build import Shape, build, open_dataset
from otae.config import Experiment
from otae.evaluation.specimens import Specimens
from otae.interfaces import Dataset
from otae.objective import Objective
from otae.optimizers import optimizer, scheduler
from otae.splits import split
from otae.study.declaration import read_declaration
from otae.study.points import Point, expand
from otae.training.module import frozen

RESULTS = Path(__file__).parent / "results"


class Held(Dataset):
    """Creates a dataset whose samples are read once and held in memory.

    Args:
        dataset: The dataset.
    """

    def __init__(self, dataset: Dataset) -> None:
        super().__init__()
        self.data_shape, self.value_range = dataset.data_shape, dataset.value_range
        self.factors, self.labels = dataset.factors, dataset.labels
        self.points = dataset.__getitems__(list(range(len(dataset))))

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Tensor:
        return self.points[index]

    def __getitems__(self, indices: Any) -> Tensor:
        return self.points[torch.as_tensor(indices)]


def train(experiment: Experiment, data: Dataset, rows: list[int]) -> tuple[Autoencoder, Objective, dict[str, float]]:
    """Returns a trained model, its objective, and the mean of each term over the last epoch.

    Args:
        experiment: The experiment.
        data: The data, held in memory.
        rows: The training samples.
    """
    torch.manual_seed(experiment.seed)
    training, size = experiment.training, experiment.data.batch_size
    parts = build(experiment, Shape(data.data_shape, data.value_range))
    model, objective = parts.model.train(), parts.objective.train()
    rivals = objective.adversary_parameters()
    owned = [each for each in (*model.parameters(), *objective.minimised_parameters()) if each.requires_grad]
    main = optimizer(training.optimizer, owned, "training.optimizer")
    rival = optimizer(training.adversary.optimizer, rivals, "training.adversary.optimizer") if rivals else None
    falling = scheduler(training.scheduler, main, "training.scheduler") if training.scheduler else None
    step, last = 0, {}
    for epoch in range(training.epochs):
        last = {name: 0.0 for name, _ in objective}
        batches = torch.tensor(rows)[torch.randperm(len(rows))].tensor_split(-(-len(rows) // size))
        for batch in batches:
            x = data.__getitems__(batch)
            with frozen(rivals):
                losses = objective(model, x, step=step, epoch=epoch)
                main.zero_grad()
                losses.total.backward()
                main.step()
            if rival:
                for answers in objective.adversary_losses(model, x, training.adversary.steps):
                    rival.zero_grad()
                    torch.stack(list(answers.values())).sum().backward()
                    rival.step()
            step += 1
            for name, term in losses.terms.items():
                last[name] += float(term.raw.detach()) / len(batches)
        if falling:
            falling.step()
    return model.eval(), objective.eval(), last


def measure(point: Point, data: Dataset, judged: str) -> dict[str, Any]:
    """Returns the row of one point.

    Args:
        point: The point.
        data: The data, held in memory.
        judged: The split that is judged.
    """
    experiment = point.experiment
    parts = split(len(data), experiment.data, experiment.seed)
    started = time.process_time()
    model, _, last = train(experiment, data, parts.train)
    seconds = time.process_time() - started
    specimens = Specimens(
        model, data, {judged: getattr(parts, judged)}, parts.train, samples=1000, seed=experiment.seed
    )
    result = judge(specimens, experiment.evaluation.metrics)[judged]
    figures = {f"{metric}.{name}": float(value) for metric, values in result.items() for name, value in values.items()}
    with torch.no_grad():
        deviations = (
            torch.cat([model.encoder(x).stddev for x in data.points[getattr(parts, judged)].split(500)])
            .square()
            .mean(0)
            .sqrt()
        )
    scales = getattr(model.prior, "scales", None)
    return {
        "variant": point.variant,
        "seed": point.seed,
        "split": judged,
        "cpu_seconds": round(seconds, 1),
        **{name: round(value, 4) for name, value in sorted(figures.items())},
        "terms": json.dumps({name: round(value, 3) for name, value in last.items()}),
        "noise": json.dumps([round(value, 3) for value in deviations.tolist()]),
        "scales": json.dumps([] if scales is None else [round(value, 3) for value in scales.tolist()]),
        "hash": point.hash,
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    """Returns the rows that are there.

    Args:
        path: The table.
    """
    if not path.exists():
        return []
    with path.open() as file:
        return list(csv.DictReader(file))


def write(path: Path, row: dict[str, Any]) -> None:
    """Adds a row to a table, with a column for each figure that any row has.

    Args:
        path: The table.
        row: The row.
    """
    rows: list[dict[str, Any]] = [*rows_of(path), row]
    columns = list(dict.fromkeys(name for each in (row, *rows) for name in each))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def pending(points: list[Point], path: Path, judged: str) -> Iterator[Point]:
    """Yields the points that have no row yet, all variants of one seed before the next.

    Args:
        points: The points.
        path: The table.
        judged: The split that is judged.
    """
    done = {(row["hash"], row["split"]) for row in rows_of(path)}
    yield from (each for each in sorted(points, key=lambda each: each.seed) if (each.hash, judged) not in done)


def main() -> None:
    """Trains the points of a study that have no row yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--split", default="test", choices=["validation", "test"])
    parser.add_argument("--only", nargs="+", help="the variants to train")
    given = parser.parse_args()
    torch.set_num_threads(1)
    points = expand(read_declaration(given.study, {"seeds": given.seeds}))
    if given.only:
        points = [each for each in points if each.variant in given.only]
    data = Held(open_dataset(points[0].experiment))
    path = RESULTS / f"disentanglement_{given.study.stem}.csv"
    (RESULTS / f"disentanglement_{given.study.stem}.json").write_text(json.dumps(machine(), indent=2) + "\n")
    for point in pending(points, path, given.split):
        row = measure(point, data, given.split)
        write(path, row)
        print({name: row[name] for name in row if name not in ("hash", "split")}, flush=True)


if __name__ == "__main__":
    main()
