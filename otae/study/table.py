"""The results of a study as one tidy table: a row for each figure of each point."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..evaluation import Evaluation
from ..files import atomic

if TYPE_CHECKING:
    from .points import Point
    from .study import Study

_MIB = 2**20


def to_table(study: Study) -> pd.DataFrame:
    """Returns the results of a study: a row for each point, split, metric and figure; one row for a point that failed.

    Its columns are `variant`, one for each setting that tells variants apart (in words), `seed`, `state`, `seconds`, `memory`
    and `gpu_memory` (the peaks, in MiB), `machine`, `split`, `metric`, `figure`, `value`, `low` and `high` (the interval that
    the metric itself told), `error`, `run` (the run's folder) and `hash`.

    Args:
        study: The study.
    """
    names = dict.fromkeys(name for point in study.points for name in point.settings)
    rows = [row for point in study.points for row in _rows(study, point, list(names))]
    frame = pd.DataFrame(rows)
    numbers = ("seconds", "memory", "gpu_memory", "value", "low", "high")
    return frame.astype(dict.fromkeys(numbers, "float64") | {"seed": "int64"})


def write_tables(study: Study) -> list[Path]:
    """Returns the paths of the tables that were written: `results.csv`, and `results.parquet` where pyarrow is installed.

    Args:
        study: The study.
    """
    frame, written = to_table(study), [study.path / "results.csv"]
    with atomic(written[0]) as draft:
        frame.to_csv(draft, index=False)
    if find_spec("pyarrow") is not None:
        written.append(study.path / "results.parquet")
        with atomic(written[1]) as draft:
            frame.to_parquet(draft, index=False, engine="pyarrow")
    return written


def _rows(study: Study, point: Point, names: list[str]) -> Iterator[dict[str, Any]]:
    record = study.records.get(point.hash)
    path = study.run(point)
    known = {"variant": point.variant, **{name: point.settings.get(name, "") for name in names}} | {
        "seed": point.seed,
        "state": record.state if record else "left",
        "seconds": record.seconds if record else None,
        "memory": round(record.memory / _MIB, 1) if record else None,
        "gpu_memory": round(record.gpu_memory / _MIB, 1) if record and record.gpu_memory is not None else None,
        "machine": record.machine if record else "",
    }
    about = {"error": record.error if record else "", "run": str(path.relative_to(study.path)), "hash": point.hash}
    if record is None or record.state != "done":
        nothing = {"split": "", "metric": "", "figure": "", "value": None, "low": None, "high": None}
        yield known | nothing | about
        return
    found = Evaluation.read(path)
    for split, metrics in found.items():
        for metric, figures in metrics.items():
            for figure, value in figures.items():
                low, high = found.intervals.get(split, {}).get(metric, {}).get(figure, (None, None))
                yield (
                    known
                    | {"split": split, "metric": metric, "figure": figure, "value": value, "low": low, "high": high}
                    | about
                )
