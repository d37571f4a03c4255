"""Parts in loops of others: the module for any Trainer of Lightning, and costs as losses in modules that are not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import Duel, Fit, Keeper, Late, LinearDecoder, LinearEncoder, MeanGap, Standard
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from otae import Autoencoder, Objective, Term
from otae.errors import ConfigError, DataError
from otae.training import AutoencoderModule
from otae.training.autoencoder_module import split_batch
from otae.training.quiet import quiet


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with quiet():
        yield


def build(adversary: bool = False, prior: type[Any] = Standard) -> tuple[Autoencoder, Objective]:
    """Returns fresh parts, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Autoencoder(LinearEncoder((6,), 2, noise="none"), LinearDecoder(2, (6,)), prior(2))
        match = Term(Duel(((2,),)) if adversary else MeanGap(), "code", "prior")
    return model, Objective({"fit": Term(Fit(), "data", "reconstruction"), "match": match})


def fit(module: AutoencoderModule, data: Any, **options: Any) -> Trainer:
    """Returns the Trainer that has trained a module."""
    quiet_ones = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(accelerator="cpu", **{**quiet_ones, "enable_model_summary": False, "max_epochs": 2, **options})
    torch.manual_seed(1)
    trainer.fit(module, data, DataLoader(X, 16, generator=torch.Generator()))
    return trainer


X = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
LOADER: DataLoader[Any] = DataLoader(TensorDataset(X, torch.arange(32)), 8, generator=torch.Generator())


@pytest.mark.slow
def test_a_module_without_adversary_is_optimised_as_in_a_plain_loop() -> None:
    module = AutoencoderModule(*build(), optimizer={"name": "sgd", "lr": 0.05})
    trainer = fit(module, LOADER, gradient_clip_val=0.5, accumulate_grad_batches=2, num_sanity_val_steps=0)
    assert module.automatic_optimization
    assert module.step + 1 == trainer.global_step == 4
    model, objective = build()
    torch.manual_seed(1)
    optimizer = torch.optim.SGD([*model.parameters(), *objective.minimised()], lr=0.05)
    for _ in range(2):
        for number, x in enumerate(X.split(8)):  # type: ignore[no-untyped-call]
            (objective(model, x).total / 2).backward()
            if number % 2:
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
                optimizer.zero_grad()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(module.model.state_dict()[name], value)


@pytest.mark.slow
@pytest.mark.parametrize("adversary", [False, True])
def test_any_callback_and_logger_sees_the_terms(adversary: bool, tmp_path: Path) -> None:
    module = AutoencoderModule(*build(adversary), optimizer={"name": "adam", "lr": 1e-2})
    kept = ModelCheckpoint(tmp_path, monitor="validation/fit", save_top_k=1)
    callbacks = [EarlyStopping("validation/total", patience=1), kept]
    logger = CSVLogger(tmp_path)
    options = {"callbacks": callbacks, "logger": logger, "enable_checkpointing": True, "log_every_n_steps": 1}
    trainer = fit(module, LOADER, **options)
    assert module.automatic_optimization is not adversary
    assert {"train/total", "train/fit", "train/match.weighted", "validation/total"} <= set(trainer.callback_metrics)
    assert ("train/match.adversary" in trainer.callback_metrics) is adversary
    assert "validation/fit" in (Path(logger.log_dir) / "metrics.csv").read_text().partition("\n")[0]
    again = AutoencoderModule(*build(adversary), optimizer={"name": "adam", "lr": 1e-2})
    fit(again, LOADER, max_epochs=3)
    resumed = AutoencoderModule(*build(adversary), optimizer={"name": "adam", "lr": 1e-2})
    trainer = Trainer(accelerator="cpu", max_epochs=3, logger=False, callbacks=callbacks, enable_progress_bar=False)
    trainer.fit(resumed, LOADER, DataLoader(X, 16), ckpt_path=kept.best_model_path, weights_only=True)
    assert resumed.step == again.step


@pytest.mark.slow
def test_priors_are_started_and_fitted_as_in_a_run() -> None:
    late = AutoencoderModule(*build(prior=Late))
    fit(late, LOADER, max_epochs=4)
    prior: Any = late.model.prior
    assert (prior.starts.item(), prior.seen.item()) == (101, 32)
    keeper = AutoencoderModule(*build(prior=Keeper))
    fit(keeper, LOADER)
    torch.testing.assert_close(keeper.model.prior.codes, keeper.model.encode(X))


@pytest.mark.slow
def test_schedulers_follow_the_validation() -> None:
    plateau = {"name": "reduce-lr-on-plateau", "patience": 0, "threshold": 1e9, "factor": 0.1}
    for adversary in (False, True):
        module = AutoencoderModule(*build(adversary), optimizer={"name": "sgd", "lr": 1e-3}, scheduler=plateau)
        rate = fit(module, LOADER, max_epochs=3).optimizers[0].param_groups[0]["lr"]
        assert rate == pytest.approx(1e-6)


@pytest.mark.slow
def test_predictions_are_mean_codes() -> None:
    module = AutoencoderModule(*build())
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False)
    codes = torch.cat(trainer.predict(module, LOADER))  # type: ignore[arg-type]
    torch.testing.assert_close(codes, module.model.encode(X))


def test_a_batch_is_read_in_each_of_its_forms() -> None:
    weights = torch.rand(32)
    assert split_batch(X) == (X, None)
    assert split_batch([X, torch.arange(32)])[0] is X
    assert split_batch({"x": X, "weights": weights})[1] is weights
    with pytest.raises(DataError, match="a mapping with `x` and `weights`; got dict"):
        split_batch({"image": X})


def test_weights_reach_every_cloud_of_the_data_and_none_of_the_prior() -> None:
    model, objective = build()
    weights = torch.rand(32) + 0.1
    losses = objective(model, X, weights=weights)
    shares = weights / weights.sum()
    torch.manual_seed(0)
    gap = (shares @ model.encode(X) - torch.randn(32, 2).mean(0)).square().sum()
    torch.manual_seed(0)
    torch.testing.assert_close(objective(model, X, weights=weights).terms["match"].raw, gap)
    torch.testing.assert_close(losses.terms["fit"].raw, (X - model.reconstruct(X)).square().sum(1).mean())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": {"name": "adm"}}, "adm"),
        ({"adversary": {"step": 2}}, "Did you mean 'steps'"),
        ({"parts": {"priors": {"lr": 1.0}}}, "prior"),
    ],
)
def test_a_wrong_option_is_told_when_the_module_is_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AutoencoderModule(*build(), **options)


class Stranger(LightningModule):
    """Creates somebody's module, with a cost as one of its losses."""

    def __init__(self, cost: nn.Module) -> None:
        super().__init__()
        self.net, self.cost = nn.Linear(6, 2), cost

    def training_step(self, batch: Any, index: int) -> Tensor:
        codes = self.net(batch[0])
        value: Tensor = self.cost(codes, torch.randn_like(codes))
        self.log("train_gap", value)
        return value

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.slow
def test_a_cost_is_a_loss_in_the_module_of_a_stranger() -> None:
    torch.manual_seed(0)
    module = Stranger(MeanGap())
    nn.init.constant_(module.net.bias, 3.0)
    trainer = Trainer(
        accelerator="cpu", max_epochs=5, logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(module, LOADER)
    assert trainer.callback_metrics["train_gap"] < 1.0
