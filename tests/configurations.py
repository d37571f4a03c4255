"""Mutated configurations, for the fuzz in the tests and for the long one among the benchmarks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

#: What no option is meant to be: of every type, at every limit
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 10**6, 10**9, 10**20, -(10**20), 0.5, -0.5, 1e-300, 1e300, float("inf"), float("nan"),
    "", "x", "1",
    "data", "~nosuchuser/x", "x" * 300, "\x1b[2J", [], [0], [1, 2], ["data", "code"], [None], [[]], {}, {"name": "x"},
    {"a": 1}, {1: 2}, {"from": 0, "to": 1, "steps": 1},
]  # fmt: skip

SECTIONS: dict[str, Any] = {
    "optimizer": [{"name": name} for name in ("sgd", "adam", "adamw", "rmsprop", "adagrad", "nadam", "radam", "rprop", "asgd",
                                               "adadelta", "adamax", "adafactor")],
    "scheduler": [{"name": "step", "step_size": 2}, {"name": "exponential", "gamma": 0.9}, {"name": "cyclic", "base_lr": 0.1,
                  "max_lr": 1.0}, {"name": "one-cycle", "max_lr": 0.1, "total_steps": 50}, {"name": "multi-step",
                  "milestones": [1]}, {"name": "cosine-annealing", "T_max": 5}, {"name": "polynomial"}, {"name": "linear"},
                  {"name": "constant"}, {"name": "cosine-annealing-warm-restarts", "T_0": 2}, {"name": "reduce-on-plateau"}],
}  # fmt: skip
OPTIONS = [
    "cycle_momentum", "lr", "betas", "eps", "momentum", "weight_decay", "dampening", "nesterov", "alpha", "centered",
    "foreach", "fused", "amsgrad", "etas", "step_sizes", "capturable", "differentiable", "maximize", "lambd", "t0",
    "rho", "gamma", "step_size", "milestones", "T_max", "eta_min", "last_epoch", "factor", "patience", "mode",
    "threshold_mode", "max_lr", "base_lr", "total_steps", "pct_start", "anneal_strategy", "div_factor",
    "final_div_factor", "T_0", "T_mult", "power", "total_iters", "start_factor", "end_factor", "cooldown", "interval",
    "three_phase",
]  # fmt: skip


def find_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the path of everything in a configuration."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from find_places(value[key], (*path, key))


def mutate(random: np.random.Generator, base: Any) -> Any:
    """Returns a configuration with one to three of its values replaced, taken out, or set beside."""
    values = copy.deepcopy(base)
    training: dict[str, Any] = values.setdefault("training", {})
    for section, choices in SECTIONS.items():
        if random.random() < 0.5:
            training[section] = copy.deepcopy(choices[random.integers(len(choices))])
            if random.random() < 0.7:
                training[section][OPTIONS[random.integers(len(OPTIONS))]] = copy.deepcopy(
                    ODD[random.integers(len(ODD))]
                )
    for _ in range(random.integers(0, 3)):
        paths = list(find_places(values))
        path = paths[random.integers(len(paths))]
        parent: Any = values
        for key in path[:-1]:
            parent = parent[key]
        odd = copy.deepcopy(ODD[random.integers(len(ODD))])
        match random.integers(4):
            case 0 if isinstance(parent, dict):
                del parent[path[-1]]
            case 1 if isinstance(parent, dict):
                parent[OPTIONS[random.integers(len(OPTIONS))]] = odd
            case _:
                parent[path[-1]] = odd
    return values
