"""A run's life: begun again, continued, changed, started from another, one process at a time."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import Blobs
from test_checkpoints import events, last, stop_at
from test_training import Make, assert_same, make, trained

import otae
from otae import Run, workflow
from otae.errors import RunError
from otae.fingerprint import compute_fingerprint
from otae.kept_data import find_splits, read_kept_data
from otae.training import accept_data, fit, go_on
from otae.training.checkpoint_file import read
from otae.training.history import read as read_history

__all__ = ["make"]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither judges nor draws."""
    plain = {name: getattr(workflow, name) for name in ("train", "resume")}
    monkeypatch.setattr("otae.workflow.write_report", lambda run, *_, **__: (run.path / "report.html").write_text(""))
    for name, function in plain.items():
        monkeypatch.setattr(otae, name, partial(function, evaluation=False))


def files(folder: Path) -> dict[str, bytes]:
    """Returns the content of all files below a folder, without those that tell the time."""
    names = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("provenance.json", ".lock"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in names if "tfevents" not in path.name}


def test_the_same_run_gives_the_same_bytes(make: Make) -> None:
    first, second = trained(make()), trained(make())
    for name in ("model.safetensors", "objective.safetensors", "metrics.csv", "config.yaml", "checkpoints/last.ckpt"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes(), name


@pytest.mark.parametrize("name", ["model.safetensors", "objective.safetensors"])
@pytest.mark.slow
def test_any_flipped_bit_of_the_weights_is_found(finished: Run, tmp_path: Path, name: str) -> None:
    run = Run(shutil.copytree(finished.path, tmp_path / "run"))
    sound = (run.path / name).read_bytes()
    for place in np.random.default_rng(0).integers(8, len(sound), 40):
        flipped = bytearray(sound)
        flipped[place] ^= 1 << int(place) % 8
        (run.path / name).write_bytes(flipped)
        with pytest.raises(RunError, match=r"is corrupt|did not write it|lacks"):
            _ = Run(run.path).model


@pytest.mark.parametrize("overrides", [(), ("training.scheduler={name: exponential, gamma: 0.7}",)])
@pytest.mark.slow
def test_a_finished_run_goes_on_as_if_it_had_been_longer_from_the_start(make: Make, overrides: tuple[str, ...]) -> None:
    longer, run = trained(make(*overrides, "training.epochs=5")), trained(make(*overrides))
    go_on(run, ["training.epochs=5"])
    assert_same(longer, trained(run))
    assert (run.path / "metrics.csv").read_text() == (longer.path / "metrics.csv").read_text()
    assert events(run) == events(longer)
    (entry,) = run.provenance["continued"]
    assert (entry["step"], entry["changes"]) == (9, {"training.epochs": [3, 5]})


def test_a_learning_rate_changes_while_a_run_goes_on(make: Make) -> None:
    run = trained(make())
    go_on(run, ["training.epochs=5", "training.optimizer.lr=1e-4"])
    assert read_history(trained(run).path / "metrics.csv")["train"]["lr"] == [1e-3] * 9 + [1e-4] * 6
    assert run.experiment.training.optimizer.lr == 1e-4


def test_a_learning_rate_changes_under_a_schedule_which_goes_on(make: Make) -> None:
    run = trained(make("training.scheduler={name: cosine-annealing, T_max: 5}"))
    go_on(run, ["training.epochs=5", "training.optimizer.lr=1e-4"])
    rates = read_history(trained(run).path / "metrics.csv")["train"]["lr"]
    wave = (1 + np.cos(np.pi * np.repeat(np.arange(5), 3) / 5)) / 2
    np.testing.assert_allclose(rates, wave * np.repeat([1e-3, 1e-4], [9, 6]), rtol=1e-6)


def test_another_schedule_begins_where_the_run_goes_on(make: Make) -> None:
    run = trained(make())
    go_on(run, ["training.epochs=5", "training.scheduler={name: exponential, gamma: 0.5}"])
    rates = read_history(trained(run).path / "metrics.csv")["train"]["lr"]
    np.testing.assert_allclose(rates, [1e-3] * 12 + [5e-4] * 3)


def test_a_weight_changes_while_a_run_goes_on(make: Make) -> None:
    run = trained(make())
    go_on(run, ["training.epochs=4", "objective.reconstruction.weight=3"])
    history = read_history(trained(run).path / "metrics.csv")["train"]
    ratio = np.array(history["reconstruction.weighted"]) / np.array(history["reconstruction"])
    np.testing.assert_allclose(ratio, [1.0] * 9 + [3.0] * 3, rtol=1e-6)


@pytest.mark.parametrize("override", ["seed=1", "data.batch_size=8", "data.validation=0.2", "model.latent_dim=3",
                                      "model.prior=standard", "training.optimizer.name=adam", "objective.spread=null",
                                      "training.precision=64-true"])  # fmt: skip
def test_what_would_be_another_training_is_refused(make: Make, override: str) -> None:
    run = trained(make())
    before = files(run.path)
    with pytest.raises(RunError, match=r"cannot go on with .* \(it was .*that would be another training"):
        go_on(run, ["training.epochs=5", override])
    assert files(run.path) == before


@pytest.mark.parametrize(("overrides", "message"), [
    (["training.epochs=2"], "has 3 epochs behind it: training.epochs cannot be fewer"),
    (["training.epochs=3"], "is complete, and nothing was changed"),
])  # fmt: skip
def test_a_change_that_leads_nowhere_is_refused(make: Make, overrides: list[str], message: str) -> None:
    run = trained(make())
    (run.path / "report.html").write_text("")
    with pytest.raises(RunError, match=message):
        go_on(run, overrides)


@pytest.mark.parametrize(("line", "told"), [
    ("seed: 0", "seed = 1"), ("  batch_size: 16", "data.batch_size = 1"), ("  epochs: 3", "training.epochs = 1"),
    ("    lr: 0.001", "training.optimizer.lr = 1"), ("  latent_dim: 2", "model.latent_dim = 1"),
    ("  validation: 0.1", "data.validation = 0.2"),
])  # fmt: skip
def test_an_edited_configuration_is_told_and_not_trained(
    make: Make, monkeypatch: pytest.MonkeyPatch, line: str, told: str
) -> None:
    run = stop_at(make(), monkeypatch, 7)
    config = run.path / "config.yaml"
    assert config.read_text().count(line + "\n") >= 1
    config.write_text(
        config.read_text().replace(line + "\n", f"{line.partition(':')[0]}: {told.rpartition(' ')[2]}\n", 1)
    )
    before = read(last(run))["otae"]
    with pytest.raises(RunError, match=rf"{told}.* \(it was"):
        fit(run)
    assert read(last(run))["otae"] == before


def test_other_data_are_told_and_not_trained_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run, original = stop_at(make(), monkeypatch, 7), Blobs.__getitem__
    monkeypatch.setattr(Blobs, "__getitem__", lambda self, index: original(self, index) + (index == 3))
    with pytest.raises(RunError, match=r"not those that this run began with: 60 samples of shape 6, checksum"):
        fit(run)


def test_a_training_goes_on_with_other_data_where_asked_to_and_the_change_is_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, original = stop_at(make(), monkeypatch, 7), Blobs.__getitem__
    former, splits = read_kept_data(run), find_splits(run, run.dataset)
    assert former is not None
    monkeypatch.setattr(Blobs, "__getitem__", lambda self, index: original(self, index) + (index == 3))
    run = Run(run.path)
    accept_data(run)
    fit(run)
    kept, entry = read_kept_data(run), run.continuations[-1]
    assert kept is not None
    assert (entry["step"], list(entry["changes"])) == (8, ["data"])
    assert entry["changes"]["data"] == [str(former.fingerprint), str(kept.fingerprint)]
    assert kept.fingerprint == compute_fingerprint(run.dataset) != former.fingerprint
    assert find_splits(run, run.dataset) == splits
    fit(Run(run.path))  # nothing is other data any more


def test_more_or_fewer_data_are_another_training_even_so(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stop_at(make(), monkeypatch, 7)
    monkeypatch.setattr(Blobs, "__len__", lambda self: 59)
    with pytest.raises(
        RunError, match=r"Even with --anyway a training goes on with as many samples of the same shape alone"
    ):
        accept_data(Run(run.path))


def test_weights_and_configuration_do_not_drift_apart_in_silence(make: Make) -> None:
    run = trained(make())
    config = run.path / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 3", "epochs: 9"))
    with pytest.warns(UserWarning, match=r"from before a change: training\.epochs = 9 \(it was 3\)"):
        _ = Run(run.path).model


def test_more_epochs_renew_the_patience_of_early_stopping(make: Make) -> None:
    run = trained(make("training.early_stopping={monitor: spread, patience: 1}", "training.optimizer.lr=0.05",
                       "training.epochs=12"))  # fmt: skip
    judged = read(last(run))["otae"]
    assert judged["judgement"]["stopped"]
    with pytest.raises(RunError, match="Early stopping ended the run"):
        go_on(run, ["training.gradient_clip=1"])
    go_on(run, ["training.epochs=20"])
    assert read(last(trained(run)))["otae"]["step"] > judged["step"]


def test_early_stopping_waits_for_schedules_and_judges_by_final_weights(make: Make) -> None:
    """In a warm-up the weighted total grows by itself: no epoch before its end is judged, and none later by other weights."""
    warm = "objective.surprise.weight={from: 0, to: -1, epochs: 4}"
    run = trained(make(warm, "training.early_stopping={monitor: total, patience: 20}", "training.epochs=8"))
    judgement, history = read(last(run))["otae"]["judgement"], read_history(run.path / "metrics.csv")["validation"]
    totals = dict(zip(history["step"], history["total"], strict=True))
    judged = {step: total for step, total in totals.items() if step > 12}
    assert judgement["lowest_step"] == min(judged, key=judged.__getitem__)
    assert judgement["lowest"] == pytest.approx(min(judged.values()), rel=1e-5)


def test_a_rate_of_a_part_changes_while_a_run_goes_on(make: Make) -> None:
    run = trained(make())
    go_on(run, ["training.epochs=4", "training.optimizer.lr=1e-4", "training.parts.prior.lr=5e-4"])
    (state, *_) = torch.load(trained(run).path / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"]
    assert [group["lr"] for group in state["param_groups"]] == [1e-4, 1e-4, 5e-4, 1e-4]
