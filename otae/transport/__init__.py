"""Transport problems, solved: costs of pairs, kernels, balancing, annealing, couplings, and costs that solve."""

from __future__ import annotations

from ..interfaces import Plan, Solution
from .annealing import Schedule, anneal, finish
from .balancing import balance, balance_alone
from .costs import Distances, PairCosts, Products
from .coupling import Certificate, Coupling
from .envelope import once, solve_with_gradients, with_gradients
from .given_costs import Matrix
from .ground_costs import GroundCosts
from .grounds import Euclidean, HalfSqEuclidean, SqEuclidean, require_ground
from .limits import Limits
from .matrices import solve_matrix
from .measure import Measure
from .potentials import Potentials, Until
from .problem import Problem
from .scalings import Scalings
from .simplex import Flow, solve_simplex
from .slopes import by_point
from .transport import Optimum, Transport, cloud_masses

__all__ = [
    "Certificate",
    "Coupling",
    "Distances",
    "Flow",
    "Euclidean",
    "GroundCosts",
    "HalfSqEuclidean",
    "Limits",
    "Matrix",
    "Measure",
    "Optimum",
    "PairCosts",
    "Plan",
    "Potentials",
    "Problem",
    "Products",
    "Scalings",
    "Schedule",
    "Solution",
    "SqEuclidean",
    "Transport",
    "Until",
    "anneal",
    "balance",
    "balance_alone",
    "by_point",
    "cloud_masses",
    "finish",
    "once",
    "require_ground",
    "solve_matrix",
    "solve_simplex",
    "solve_with_gradients",
    "with_gradients",
]
