"""The comparison of runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import warn

from ..errors import RunError
from ..run import Run
from .comparison import Comparison, build_comparison
from .entries import find_runs, group, read_entry

if TYPE_CHECKING:
    import pandas as pd


def compare(
    runs: Iterable[str | Path | Run], metrics: Iterable[str] | None = None, *, split: str | None = None
) -> pd.DataFrame:
    """Returns runs side by side: what differs in their configurations, and every headline, over seeds.

    Runs that differ in seed alone are one row. Its figures are the mean, the standard deviation and the 95 % interval over
    seeds, whether the mean is the best among runs of the same data, the p-value of its difference from the best (t-test paired
    over seeds, Holm's correction), and the mean rank. Only the runs' files are read: no plugin, no data.

    Args:
        runs: Runs, their folders, or folders that hold runs.
        metrics: The figures: a metric for its headline, `metric.figure`, or a pattern such as `reconstruction.*`; the
            headline of every metric where `None`.
        split: The split; `test` where all runs were judged on it, else the first that all have, where `None`.

    Raises:
        RunError: If a folder holds no run, or a run was not evaluated.
        ConfigError: If no run has such a figure, or not all were judged on such a split.

    Warns:
        UserWarning: If the runs are of different data, or were judged differently.

    Examples:
        >>> otae.compare(["runs/a", "runs/b"])["reconstruction.ratio"]["mean"]  # doctest: +SKIP
    """
    from .frame import to_frame  # pandas takes a second that the command line need not wait for

    comparison = compare_runs(runs, metrics, split=split)
    for note in comparison.notes:
        warn(note, stacklevel=2)
    return to_frame(comparison)


def compare_runs(
    runs: Iterable[str | Path | Run], metrics: Iterable[str] | None = None, *, split: str | None = None
) -> Comparison:
    """Returns the same comparison with all that it knows of each run.

    Args:
        runs: Runs, their folders, or folders that hold runs.
        metrics: The figures, as for `compare`.
        split: The split, as for `compare`.

    Raises:
        RunError: If a folder holds no run, or a run was not evaluated.
        ConfigError: If no run has such a figure, or not all were judged on such a split.
    """
    paths = find_runs([runs] if isinstance(runs, str | Path | Run) else runs)
    if not paths:
        raise RunError("There is nothing to compare: give at least one run that was trained and evaluated.")
    return build_comparison(group([read_entry(path) for path in paths]), metrics, split)
