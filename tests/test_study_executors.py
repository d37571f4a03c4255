"""The executors at work, each in processes of its own: joblib, Ray, and submitit on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import EXPERIMENT
from judges import Killer, Miss

import otae
from otae import run_study
from otae.study import Study

# loky warns of a killed worker from a thread of its own, which must not end by that
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:A worker stopped while some jobs:UserWarning")]


@pytest.fixture(autouse=True)
def _judges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Offers fake metrics, in a folder that holds the experiment of fakes."""
    otae.metrics.register("miss", Miss)
    otae.metrics.register("killer", Killer)
    monkeypatch.setattr("otae.study.campaign.write_page", lambda study: None)
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    yield
    otae.metrics.unregister("miss")
    otae.metrics.unregister("killer")


def study(output: str, executor: dict[str, Any], **more: Any) -> Study:
    """Returns a study of two seeds and a point that fails."""
    declaration = {
        "base": "tiny.yaml",
        "seeds": 2,
        "set": {"training.epochs": 1, "evaluation.metrics": ["miss"], "evaluation.samples": 8},
        "variants": {"sound": {}, "spoilt": {"data.spoilt": True}},
    }
    return run_study({**declaration, **more}, output, executor=executor, report=False)


def errors(done: Study) -> dict[int, float]:
    """Returns the figure of each seed."""
    (variant,) = done.compare().variants
    return dict(variant.values("test", "miss", "error"))


@pytest.mark.parametrize(
    "executor",
    [
        {"name": "local", "jobs": 2},
        pytest.param(
            {"name": "ray"},
            marks=pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install 'otae[ray]'"),
        ),
        pytest.param(
            {"name": "slurm", "cluster": "local", "minutes": 20},
            marks=pytest.mark.skipif(
                find_spec("submitit") is None, reason="submitit is not installed: pip install 'otae[slurm]'"
            ),
        ),
    ],
    ids=lambda executor: executor["name"],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_other_processes_give_the_figures_of_this_one(executor: dict[str, Any]) -> None:
    here = study("here", {"name": "local", "jobs": 1})
    there = study("there", executor)
    assert errors(there) == pytest.approx(errors(here), rel=1e-5)
    assert [point.variant for point in there.failed] == ["spoilt", "spoilt"]
    records = [there.records[point.hash] for point in there.points]
    assert all("DataError" in record.error or "Error" in record.error for record in records[2:])
    assert all(record.seconds > 0 and record.memory > 50 * 2**20 and record.machine for record in records[:2])


def test_a_process_that_is_killed_costs_only_its_own_point() -> None:
    metrics = {"evaluation.metrics": ["killer"]}
    done = study(
        "out", {"name": "local", "jobs": 2}, variants={"sound": {}, "fatal": {**metrics, "model.latent_dim": 3}}
    )
    assert [(point.variant, point.seed) for point in done.done] == [("sound", 0), ("sound", 1)]
    assert all("killed, or ran out of memory" in done.records[point.hash].error for point in done.failed)
