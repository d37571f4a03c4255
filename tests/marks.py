"""Marks for the cases of a test: the default suite runs a few, the slow suite all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from otae.testing.laws import CostLaws
from otae.transport import Transport

#: The suites that take all laws by default: one of each kind of cost
_QUICK = {"TestExact", "TestGap", "TestPaired", "TestSpectralGW", "TestBiasedMMD"}

#: The law that starts a process
_SENT = "test_it_can_be_copied_and_sent_to_another_process"

#: The laws that solve a problem many times
_MANY_SOLVES = {
    "test_a_kernel_that_is_summed_over_gives_what_a_held_one_does",
    "test_a_point_with_all_the_weight_is_the_cloud",
    "test_a_weight_that_is_nearly_0_nearly_does_not_matter",
    "test_autocast_costs_no_precision",
    "test_gradients_in_single_precision_are_those_in_double",
    "test_its_own_solution_is_a_start_that_is_not_left",
    "test_learned_weights_are_finite_and_right_however_uneven",
    "test_padded_batches_cost_what_their_clouds_do",
    "test_points_of_half_precision_cost_what_they_do_in_single",
    "test_the_gradient_to_a_weight_of_0_is_one_sided",
    "test_uneven_weights_converge",
    "test_vmap_sees_through_it_or_is_told_of_batched",
}


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


def leave_to_slow(items: Iterable[pytest.Item]) -> None:
    """Marks as slow the conformance suites of a plugin's other options, and the laws of costs that solve a problem many times.

    Each plugin keeps one suite in the default tests; costs keep all laws in a few.

    Args:
        items: The tests.
    """
    suites = [each for each in items if isinstance(each, pytest.Function) and hasattr(each.cls, "plugin")]
    kept: dict[Any, str] = {}
    for item in suites:
        if item.cls.plugin not in kept or item.cls.__name__ in _QUICK:
            kept[item.cls.plugin] = item.cls.__name__
    sent: dict[type, type] = {}
    for item in suites:
        kind = next(each for each in item.cls.__mro__ if each.__module__.startswith("otae.testing"))
        again = item.originalname == _SENT and sent.setdefault(kind, item.cls) is not item.cls
        if again or kept[item.cls.plugin] != item.cls.__name__ or _solves_often(item):
            item.add_marker(pytest.mark.slow)


def _solves_often(item: pytest.Function) -> bool:
    if not issubclass(item.cls, CostLaws) or item.cls.__name__ in _QUICK:
        return False
    single = "float32" in item.name and item.originalname.startswith(("test_units", "test_plans"))
    solves = issubclass(item.cls.plugin, Transport) and not item.name.endswith(("nan]", "-1.0]"))
    again = solves and item.originalname.startswith(("test_padding", "test_equal_clouds"))
    return single or again or item.originalname in _MANY_SOLVES
