"""Marks for the cases of a test: the default suite runs a few, the slow suite all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet


def rest_slow(cases: Iterable[Any], first: int = 1, *, spread: bool = False) -> list[Any]:
    """Returns the cases of a test, of which all but a few are slow.

    Args:
        cases: The cases: plain values for a test of one argument, tuples for one of several, or `pytest.param`.
        first: How many stay in the default suite.
        spread: Whether those are spread evenly over the cases, instead of the first ones.
    """
    known = list(cases)
    stay = {index * len(known) // first for index in range(first)} if spread else set(range(first))
    return [case if index in stay else _slow(case) for index, case in enumerate(known)]


def _slow(case: Any) -> Any:
    if isinstance(case, ParameterSet):
        return pytest.param(*case.values, marks=[*case.marks, pytest.mark.slow], id=case.id)
    return pytest.param(*(case if type(case) is tuple else (case,)), marks=pytest.mark.slow)
