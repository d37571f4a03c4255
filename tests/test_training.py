"""Training: one seed, one result; interrupted, killed and spoilt runs; optimisers and schedules."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from marks import rest_slow
from torch import Tensor

from otae.build import Shape, build
from otae.errors import ConfigError, NonFiniteError, RunError
from otae.loading import load_config
from otae.run import Run
from otae.training import Interrupted, fit
from otae.training.history import read
from otae.training.module import Engine

Make = Callable[..., Run]


@pytest.fixture
def make(tmp_path: Path, values: dict[str, Any]) -> Make:
    """Returns a function that makes an untrained run of fakes, with overrides."""
    numbers = iter(range(100))
    return lambda *overrides: Run.create(tmp_path / f"run{next(numbers)}", load_config(values, overrides))


def trained(run: Run) -> Run:
    """Returns the run, trained."""
    fit(run)
    return run


def weights(run: Run) -> dict[str, Tensor]:
    """Returns all weights of a trained run, the costs' included."""
    return {**run.model.state_dict(), **{f"objective.{k}": v for k, v in run.objective.state_dict().items()}}


def assert_same(first: Run, second: Run) -> None:
    one, other = weights(first), weights(second)
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def assert_different(first: Run, second: Run) -> None:
    other = weights(second)
    assert any(not torch.equal(value, other[name]) for name, value in weights(first).items())


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], Any]) -> None:
    """Has an action happen inside the training step of that number."""
    original = Engine.training_step

    def stepping(self: Engine, batch: Tensor, index: int) -> None:
        if self.step == step:
            action()
        original(self, batch, index)

    monkeypatch.setattr(Engine, "training_step", stepping)


def fail() -> None:
    raise OSError("the power went out")


def test_the_same_seed_gives_the_same_weights_bit_for_bit(make: Make) -> None:
    assert_same(trained(make()), trained(make()))


def test_another_seed_gives_other_weights(make: Make) -> None:
    assert_different(trained(make()), trained(make("seed=1")))


def test_training_leaves_the_global_random_states_as_they_were(make: Make) -> None:
    torch.manual_seed(5), np.random.seed(5)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(5), np.random.seed(5)
    trained(make())
    assert torch.equal(torch.rand(3), expected[0])
    assert (np.random.rand(3) == expected[1]).all()


def test_the_saved_configuration_runs_again_to_the_same_weights(make: Make, tmp_path: Path) -> None:
    first = trained(make("seed=3"))
    again = Run.create(tmp_path / "again", load_config(first.path))
    assert_same(first, trained(again))


@pytest.mark.parametrize("step", rest_slow([2, 1, 3, 5, 8]))
def test_an_interrupted_run_resumes_to_the_weights_of_an_unbroken_one(
    make: Make, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    unbroken, broken, handler = trained(make()), make(), signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        at_step(patch, step, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(Interrupted, match="SIGINT"):
            fit(broken)
    assert signal.getsignal(signal.SIGINT) is handler
    assert_same(unbroken, trained(broken))
    assert (broken.path / "metrics.csv").read_text() == (unbroken.path / "metrics.csv").read_text()


@pytest.mark.parametrize(("step", "override"), rest_slow([
    (4, "data.workers=1"),
    (7, "training.scheduler={name: exponential, gamma: 0.5}"),
    (7, "training.early_stopping={monitor: reconstruction, patience: 1}"),
], 0))  # fmt: skip
def test_a_killed_run_resumes_from_its_last_epoch_to_the_same_weights(
    make: Make, monkeypatch: pytest.MonkeyPatch, step: int, override: str
) -> None:
    unbroken, broken = trained(make(override)), make(override)
    with monkeypatch.context() as patch:
        at_step(patch, step, fail)
        with pytest.raises(OSError, match="power"):
            fit(broken)
    assert_same(unbroken, trained(broken))
    assert (broken.path / "metrics.csv").read_text() == (unbroken.path / "metrics.csv").read_text()


def test_the_number_of_threads_is_set_for_the_training_alone(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = torch.get_num_threads(), []
    at_step(monkeypatch, 0, lambda: seen.append(torch.get_num_threads()))
    trained(make(f"training.threads={before + 1}"))
    assert (seen, torch.get_num_threads()) == ([before + 1], before)


@pytest.mark.slow
def test_the_number_of_workers_does_not_change_the_weights(make: Make) -> None:
    assert_same(trained(make()), trained(make("data.workers=2")))


def test_a_run_that_was_not_trained_to_its_end_says_how_to_finish_it(make: Make) -> None:
    run = make()
    with pytest.raises(RunError, match="otae resume"):
        _ = run.model


def test_files_are_readable_by_others_and_no_draft_is_left(make: Make) -> None:
    run = trained(make())
    assert (run.path / "model.safetensors").stat().st_mode == (run.path / "config.yaml").stat().st_mode
    assert not list(run.path.rglob("*.part"))
    assert run.provenance["training_seconds"] > 0


def test_the_checkpoint_loads_with_weights_only(make: Make) -> None:
    checkpoint = torch.load(trained(make()).path / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["otae"]["step"] == checkpoint["global_step"] == 9


def test_a_loss_that_is_not_finite_stops_at_once_and_names_term_and_step(make: Make, values: dict[str, Any]) -> None:
    values["objective"]["venom"] = {"cost": {"name": "poison", "after": 4}, "source": "code", "target": "prior"}
    run = make()
    with pytest.raises(NonFiniteError, match=r"term 'venom'.* at step 4"):
        fit(run)
    kept = torch.load(run.path / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["otae"]["step"] == 3
    assert all(torch.isfinite(value).all() for value in kept["state_dict"].values())


def test_every_term_is_logged_at_every_step_raw_and_weighted(make: Make) -> None:
    run = trained(make())
    history = read(run.path / "metrics.csv")
    assert history["train"]["step"] == list(range(1, 10))
    assert history["validation"]["step"] == [3, 6, 9]
    train = history["train"]
    shares = np.array([train[f"{name}.weighted"] for name in ("reconstruction", "spread", "merge", "surprise")])
    np.testing.assert_allclose(shares.sum(0), train["total"], rtol=1e-5)
    ramp = np.array(train["surprise.weighted"]) / np.array(train["surprise"])
    np.testing.assert_allclose(ramp, np.minimum(np.arange(9) / 6, 1) * 0.1, rtol=1e-5)
    assert len(train["merge.adversary"]) == 9


def test_tensorboard_events_hold_the_terms(make: Make) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(trained(make()).path / "tensorboard"))
    events.Reload()
    assert {"train/reconstruction", "validation/total", "train/merge.adversary"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("train/spread")] == list(range(1, 10))


@pytest.mark.parametrize("override", rest_slow(["training.optimizer={name: adam, lr: 0.01}", "training.optimizer.name=AdamW",
                                      "training.scheduler={name: cosine-annealing, T_max: 3}", "training.gradient_clip=0.1",
                                      "training.adversary.optimizer={name: sgd, momentum: 0.9}"], 2))  # fmt: skip
def test_optimisers_schedulers_and_clipping_change_the_result(make: Make, override: str) -> None:
    assert_different(trained(make()), trained(make(override)))


@pytest.mark.parametrize(("interval", "expected"), [("epoch", [1e-3] * 3 + [5e-4] * 3 + [25e-5] * 3),
                                                    ("step", [1e-3 / 2**k for k in range(1, 10)])])  # fmt: skip
def test_a_scheduler_moves_each_epoch_or_each_step(make: Make, interval: str, expected: list[float]) -> None:
    run = trained(make(f"training.scheduler={{name: exponential, gamma: 0.5, interval: {interval}}}"))
    np.testing.assert_allclose(read(run.path / "metrics.csv")["train"]["lr"], expected)


@pytest.mark.parametrize(("override", "message"), [
    ("training.optimizer.name=rmspro", r"training\.optimizer: No optimizer named 'rmspro'.*Did you mean 'rmsprop'"),
    ("training.optimizer.momentm=1", r"training\.optimizer\.momentm: unknown option.*Did you mean 'momentum'"),
    ("training.optimizer={name: adam, betas: [2, 2]}", r"training\.optimizer: adam refuses these options: .*beta"),
    ("training.scheduler=cosin-annealing", r"training\.scheduler: No scheduler named .*Did you mean 'cosineannealing'"),
    ("training.scheduler=step", r"training\.scheduler: step refuses these options: .*step_size"),
    ("training.early_stopping.monitor=speed", r"no term named 'speed'. Allowed: total, reconstruction"),
])  # fmt: skip
def test_a_wrong_training_option_is_refused_before_any_data_are_read(make: Make, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(override)


def test_a_plateau_of_the_validation_loss_lowers_the_rate(make: Make) -> None:
    run = trained(
        make(
            "training.scheduler={name: ReduceLROnPlateau, patience: 0, threshold: 1e6, threshold_mode: abs, factor: 0.1}"
        )
    )
    np.testing.assert_allclose(read(run.path / "metrics.csv")["train"]["lr"], [1e-3] * 6 + [1e-4] * 3)


def test_early_stopping_ends_the_run_and_keeps_the_best_weights(make: Make) -> None:
    stopping = "training.early_stopping={monitor: reconstruction, patience: 2, min_delta: 1e6}"
    run = trained(make(stopping, "training.epochs=50"))
    assert read(run.path / "metrics.csv")["validation"]["step"] == [3, 6, 9, 12]  # the schedule ends at step 6
    best = torch.load(run.path / "checkpoints" / "last.ckpt", weights_only=True)["best"]
    assert all(torch.equal(best[f"model.{name}"], value) for name, value in run.model.state_dict().items())


def test_without_an_adversary_there_is_one_optimiser(make: Make) -> None:
    run = trained(make("objective.merge=null"))
    assert len(torch.load(run.path / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"]) == 1


@pytest.mark.parametrize("precision", rest_slow(["bf16-mixed", "64-true"]))
def test_other_precisions_train_and_load(make: Make, precision: str) -> None:
    run = trained(make(f"training.precision={precision}"))
    expected = torch.float64 if precision == "64-true" else torch.float32
    assert run.model.encode(torch.zeros(2, 6)).dtype == expected


def test_a_part_learns_at_a_rate_of_its_own_and_the_others_do_not_notice(make: Make) -> None:
    plain = make("training.epochs=1", "training.optimizer={name: sgd, lr: 0.01}")
    parts = build(plain.experiment, Shape((6,)))
    faster = load_config(plain.path, ["training.parts.decoder.lr=0.03", "training.parts.costs.lr=0.5"])
    engine = Engine(parts, faster.training, seed=0)
    (main, *_), _ = engine.configure_optimizers()
    assert [group["lr"] for group in main.param_groups] == [0.01, 0.03, 0.01, 0.5]
    owners = (parts.model.encoder, parts.model.decoder, parts.model.prior)
    expected = [[id(each) for each in part.parameters()] for part in owners]
    assert [[id(each) for each in group["params"]] for group in main.param_groups[:3]] == expected


def test_a_scheduler_moves_the_rates_of_all_parts_alike(make: Make) -> None:
    run = make("training.parts.decoder.lr=0.5", "training.scheduler={name: exponential, gamma: 0.5}")
    fit(run)
    (state, *_) = torch.load(run.path / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"]
    rates = [group["lr"] / group["initial_lr"] for group in state["param_groups"]]
    assert rates == pytest.approx([0.5**run.experiment.training.epochs] * 4)
    assert state["param_groups"][1]["initial_lr"] == 0.5


@pytest.mark.slow
def test_a_rate_of_a_part_counts(make: Make) -> None:
    assert_different(trained(make()), trained(make("training.parts.decoder.lr=0.5")))
    lr = make().experiment.training.optimizer.lr
    assert_same(trained(make()), trained(make(f"training.parts.decoder.lr={lr}")))
