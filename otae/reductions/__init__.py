"""Sums over all pairs of two clouds, from which costs are built: dense by blocks, or symbolic by KeOps."""

from __future__ import annotations

from .backend import Backend
from .keops.importing import load_library
from .numbers import in_transform, precise, safe_exp, safe_power, safe_sqrt
from .pairs import Dots, Pairs, Squares, Values
from .pairwise import batch_squares, distances, squared_distances
from .quantiles import couple_rows
from .radial import Radial
from .sorting import order_rows, sort_rows
from .sums import kernel_mean, kernel_product, log_sum_exp
from .weights import batch_pair_masses, pair_weights

__all__ = [
    "Backend",
    "Dots",
    "Pairs",
    "Radial",
    "Squares",
    "Values",
    "batch_pair_masses",
    "batch_squares",
    "couple_rows",
    "distances",
    "in_transform",
    "kernel_mean",
    "kernel_product",
    "load_library",
    "log_sum_exp",
    "order_rows",
    "pair_weights",
    "precise",
    "safe_exp",
    "safe_power",
    "safe_sqrt",
    "sort_rows",
    "squared_distances",
]
