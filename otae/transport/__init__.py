"""Transport problems, solved: costs of pairs, kernels, balancing, annealing, couplings, and costs that solve."""

from __future__ import annotations

from ..interfaces import Plan, Solution
from .annealing import Schedule, anneal, finish
from .balancing import balance, balance_alone
from .costs import Distances, PairCosts, Products
from .coupling import Certificate, Coupling
from .envelope import once, solve_with_gradients, with_gradients
from .given_costs import Matrix
from .limits import Limits
from .matrices import Ground, solve_matrix
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
    "Ground",
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
    "Transport",
    "Until",
    "anneal",
    "balance",
    "balance_alone",
    "by_point",
    "cloud_masses",
    "finish",
    "once",
    "solve_matrix",
    "solve_simplex",
    "solve_with_gradients",
    "with_gradients",
]
