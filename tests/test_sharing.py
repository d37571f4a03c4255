"""Several processes that share batches give the losses, gradients and weights of one, for every cost and recipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import otae
from otae.errors import ObjectiveError

SCRIPT = Path(__file__).parent / "sharing.py"
BOUNDS = {
    "float64": {"loss": 1e-10, "gradient": 1e-10, "adversary": 1e-10, "weight": 1e-10},
    "float32": {"loss": 1e-6, "weight": 1e-6},
}


@pytest.fixture(scope="module")
def deviations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Returns the largest deviations of two processes from one, by case and quantity."""
    store = tmp_path_factory.mktemp("sharing") / "store"
    commands = [[sys.executable, str(SCRIPT), str(rank), "2", str(store)] for rank in range(2)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, **pipes) for command in commands]
    try:
        told = [each.communicate(timeout=600) for each in started]
    finally:
        for each in started:
            each.kill()
    assert [each.returncode for each in started] == [0, 0], told[0][1][-3000:] + told[1][1][-3000:]
    found: dict[str, dict[str, float]] = json.loads(told[0][0])
    return found


@pytest.mark.slow
def test_every_cost_and_recipe_is_the_same_on_two_processes(deviations: dict[str, dict[str, float]]) -> None:
    costs = {f"cost {name} float64" for name in set(otae.costs.names()) - {"matrix-gw"} if _is_installed(name)}
    assert costs <= set(deviations)
    assert any(case.startswith("recipe gwae ") for case in deviations)
    for case, found in deviations.items():
        for quantity, bound in BOUNDS.get(case.rpartition(" ")[2], {}).items():
            assert found.get(quantity, 0.0) <= bound, (case, quantity)


@pytest.mark.slow
def test_gathering_has_exact_first_and_second_derivatives(deviations: dict[str, dict[str, float]]) -> None:
    assert deviations["gathering"]["loss"] < 1e-10
    assert deviations["gathering"]["gradient"] < 1e-10


@pytest.mark.slow
def test_a_term_that_does_not_gather_compares_the_samples_of_each_process(
    deviations: dict[str, dict[str, float]],
) -> None:
    assert deviations["local"]["loss"] < 1e-10


@pytest.mark.slow
def test_noise_inside_networks_is_that_of_one_process(deviations: dict[str, dict[str, float]]) -> None:
    assert deviations["noisy"]["weight"] < 1e-10


def _is_installed(name: str) -> bool:
    return all(offer.distribution == "otae" for offer in otae.costs.offers() if offer.name == name)


def test_a_mean_over_samples_is_computed_without_gathering() -> None:
    separable = {name for name in otae.costs.names() if otae.costs.get(name).separable}
    assert {"paired", "entropy", "kl"} <= separable
    assert separable.isdisjoint({"mmd", "sinkhorn", "coupled-gw", "sliced", "critic"})
    assert not otae.Term(otae.costs.create("paired"), "data", "reconstruction").gather
    assert otae.Term(otae.costs.create("paired"), "data", "reconstruction", memory=8).gather


def test_a_term_with_a_memory_gathers() -> None:
    with pytest.raises(ObjectiveError, match="leave gather out"):
        otae.Term(otae.costs.create("mmd"), "code", "prior", memory=8, gather=False)
