"""Factors: what they say of each quantity, and which of it is refused."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch

from otae.interfaces import Factor, Factors

HUE = Factor("hue", "circular", period=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cyclic"}, "has kind 'cyclic'. Allowed: categorical, ordered, circular"),
        ({"kind": "circular"}, "is circular with period None: a circular factor needs a positive period"),
        ({"kind": "circular", "period": -1.0}, "needs a positive period"),
        ({"period": 1.0}, "is ordered with period 1.0"),
        ({"values": ()}, "must ascend, at least one, not none"),
        ({"values": (0, 2, 1)}, "must ascend, at least one, not 0, 2, 1"),
        ({"values": (0, math.nan)}, "must ascend"),
        ({"values": tuple(range(9, 0, -1))}, "not 9, 8, 7, 6, 5, 4, …"),
        ({"kind": "circular", "period": 1.0, "values": (0, 1.5)}, "takes values in [0, 1], not 0, 1.5"),
        ({"kind": "categorical", "labels": ("a", "b")}, "has 2 labels, but 0 values"),
        ({"kind": "categorical", "values": (0, 1, 2), "labels": ("a", "b")}, "has 2 labels, but 3 values"),
    ],
)
def test_a_factor_that_contradicts_itself_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Factor("x", **options)


@pytest.mark.parametrize(
    ("table", "kinds", "message"),
    [
        (torch.zeros(5), (HUE,), "a table of shape (5,) and 1 of them"),
        (torch.zeros(5, 2), (HUE,), "a table of shape (5, 2) and 1 of them"),
        (torch.zeros(5, 0), (), "a table of shape (5, 0) and 0 of them"),
        (torch.tensor([[math.nan]]), (HUE,), "Factors are finite numbers"),
        (torch.zeros(5, 2), (HUE, HUE), "need different names, not hue, hue"),
    ],
)
def test_a_table_that_does_not_fit_its_factors_is_refused(table: Any, kinds: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Factors(table, kinds)


def test_a_full_turn_in_single_precision_is_on_the_circle() -> None:
    turn = float(torch.tensor(2 * math.pi, dtype=torch.float32))
    assert turn > 2 * math.pi
    assert Factor("angle", "circular", (0.0, turn), 2 * math.pi).values == (0.0, turn)


def test_samples_and_columns_are_chosen_by_index_and_by_name() -> None:
    factors = Factors(torch.arange(6).reshape(3, 2), (Factor("a"), Factor("b")))
    assert factors[[2, 0]].table.tolist() == [[4, 5], [0, 1]]
    assert factors[torch.tensor([False, True, False])].table.tolist() == [[2, 3]]
    assert factors.column("b").tolist() == [1, 3, 5]


def test_bins_are_the_distinct_values_or_equal_parts_of_the_range_or_of_the_circle() -> None:
    many = torch.linspace(0, 1, 101)[:100]
    table = torch.stack([torch.arange(100) % 3 * 5.0, many + 7, many * 0.5, (torch.arange(100) // 2).float()], dim=1)
    kinds = (Factor("few"), Factor("wide"), HUE, Factor("class", "categorical"))
    few, wide, hue, classes = Factors(table, kinds).bins(10).unbind(1)
    assert few.tolist() == [place % 3 for place in range(100)]
    assert wide.unique().tolist() == list(range(10))
    assert hue.unique().tolist() == list(range(5))  # half the circle fills half of its bins
    assert classes.tolist() == [place // 2 for place in range(100)]


def test_both_ends_of_the_circle_fall_into_one_bin() -> None:
    table = torch.tensor([*torch.linspace(0, 1, 20).tolist(), 0.0])[:, None]
    bins = Factors(table, (HUE,)).bins(4)[:, 0]
    assert bins[0] == bins[19] == bins[20] == 0
