"""Studies: grids of runs, side by side; and comparisons of runs."""

from __future__ import annotations

from .campaign import run_study
from .declaration import Source, declare, read_declaration
from .folder import Record
from .points import Point, expand
from .side_by_side import compare, compare_runs
from .study import Study

__all__ = [
    "Point", "Record", "Source", "Study", "compare", "compare_runs", "declare", "expand", "read_declaration", "run_study",
]  # fmt: skip
