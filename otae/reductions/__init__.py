"""Sums over all pairs of two clouds, from which costs are built: dense by blocks, or symbolic by KeOps."""

from __future__ import annotations

from .backend import Backend
from .importing import imported
from .numbers import in_transform, precise, safe_exp, safe_power, safe_sqrt
from .pairs import Dots, Pairs, Squares, Values
from .pairwise import distances, squared_distances
from .radial import Radial
from .sums import kernel_mean, kernel_product, log_sum_exp
from .weights import pair_weights

__all__ = [
    "Backend",
    "Dots",
    "Pairs",
    "Radial",
    "Squares",
    "Values",
    "distances",
    "imported",
    "in_transform",
    "kernel_mean",
    "kernel_product",
    "log_sum_exp",
    "pair_weights",
    "precise",
    "safe_exp",
    "safe_power",
    "safe_sqrt",
    "squared_distances",
]
