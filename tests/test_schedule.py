"""Weights that change: their values at the start, on the way, at the end and after it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from otae.schedule import Schedule, Weight, weight_at

FINITE = st.floats(-1e6, 1e6)
SHAPES = st.sampled_from(["linear", "cosine", "step"])


@pytest.mark.parametrize(("shape", "expected"), [
    ("linear", [0, 0.25, 0.5, 0.75, 1, 1]),
    ("cosine", [0, (1 - math.sqrt(0.5)) / 2, 0.5, (1 + math.sqrt(0.5)) / 2, 1, 1]),
    ("step", [0, 0, 0, 0, 1, 1]),
])  # fmt: skip
@pytest.mark.parametrize("clock", ["step", "epoch"])
def test_a_shape_has_its_closed_form_by_either_clock(shape: Any, expected: list[float], clock: str) -> None:
    schedule = Schedule(start=0, to=1, shape=shape, **{f"{clock}s": 4})
    other = "epoch" if clock == "step" else "step"
    moments = [{clock: moment, other: 1000 - moment} for moment in (0, 1, 2, 3, 4, 400)]
    assert [schedule.at(**moment) for moment in moments] == pytest.approx(expected)


@given(start=FINITE, to=FINITE, steps=st.integers(1, 10**6), shape=SHAPES)
def test_every_schedule_starts_at_from_and_ends_at_to(start: float, to: float, steps: int, shape: Any) -> None:
    schedule = Schedule(start=start, to=to, steps=steps, shape=shape)
    assert schedule.at(0, 0) == pytest.approx(start)
    assert schedule.at(steps, 0) == schedule.at(steps + 7, 3) == pytest.approx(to, abs=1e-6)


@given(to=st.floats(0, 1e3), steps=st.integers(1, 100), shape=SHAPES, moment=st.integers(0, 120))
def test_a_schedule_that_rises_never_falls_and_stays_between_its_ends(
    to: float, steps: int, shape: Any, moment: int
) -> None:
    schedule = Schedule(start=0, to=to, steps=steps, shape=shape)
    assert 0 <= schedule.at(moment, 0) <= schedule.at(moment + 1, 0) <= to * (1 + 1e-9)


@given(start=FINITE, to=FINITE, steps=st.integers(1, 1000), shape=SHAPES, moment=st.integers(0, 1200))
def test_a_schedule_reads_back_from_what_it_writes(
    start: float, to: float, steps: int, shape: Any, moment: int
) -> None:
    schedule = Schedule(start=start, to=to, steps=steps, shape=shape)
    again = Schedule.model_validate(schedule.model_dump(by_alias=True))
    assert again == schedule
    assert again.at(moment, 0) == schedule.at(moment, 0)


def test_a_number_is_a_weight_that_stays() -> None:
    assert weight_at(0.5, 1000, 1000) == 0.5
    assert weight_at(Schedule(start=0, to=2, steps=4), 2, 0) == 1.0


@pytest.mark.parametrize(("value", "expected"), [
    (2, 2.0), (-1.5, -1.5), ({"from": 0, "to": 1, "epochs": 3}, Schedule(start=0, to=1, epochs=3)),
])  # fmt: skip
def test_a_weight_is_read_as_a_number_or_a_schedule(value: Any, expected: Weight) -> None:
    assert TypeAdapter(Weight).validate_python(value) == expected


@pytest.mark.parametrize(("values", "message"), [
    ({"from": 0, "to": 1}, "runs over either 'steps' or 'epochs': give one of them"),
    ({"from": 0, "to": 1, "steps": 3, "epochs": 3}, "runs over either 'steps' or 'epochs': give one of them"),
    ({"from": 0, "to": 1, "steps": 0}, "greater than 0"),
    ({"from": 0, "to": 1, "steps": 3, "shape": "square"}, "'linear', 'cosine' or 'step'"),
    ({"from": 0, "steps": 3}, "to\n  Field required"),
    ({"from": math.nan, "to": 1, "steps": 3}, "finite number"),
    ({"from": 0, "to": math.inf, "steps": 3}, "finite number"),
    ({"from": 0, "to": 1, "steps": 3, "step": 3}, "Extra inputs are not permitted"),
])  # fmt: skip
def test_a_schedule_that_cannot_run_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Schedule.model_validate(values)
