"""The options that Gromov-Wasserstein costs share when they solve for their coupling, and what a solve may start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from otae.interfaces import Plan

Epsilon = Annotated[float, Field(gt=0)] | None
Solver = Literal["entropic", "exact"]
Tolerance = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0, le=10**9)]
Starts = Annotated[int, Field(gt=0, le=1024)]


@dataclass(frozen=True, eq=False)
class Start:
    """Holds what a later solve starts from.

    Args:
        plan: The plan of the earlier solution.
        g: Its potential of the target, with shape (M,), in units of the cost.
    """

    plan: Plan
    g: Tensor
