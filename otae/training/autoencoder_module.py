"""The training of an autoencoder as a module for anybody's Lightning Trainer, with its callbacks and loggers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import Optimizer

from ..autoencoder import Autoencoder
from ..build import Parts
from ..config import AdversaryConfig, OptimizerConfig, SchedulerConfig, TrainingConfig
from ..errors import DataError
from ..objective import Objective
from ..optimizers import check as check_options
from ..signature import check
from .codes import fit_prior, start_prior
from .module import Engine, flatten_losses

Options = Mapping[str, Any]


class AutoencoderModule(Engine):
    """Creates a Lightning module that trains an autoencoder on an objective, in any `Trainer`.

    Optimisation is automatic where no cost has an adversary, so that the Trainer's own `gradient_clip_val` and
    `accumulate_grad_batches` work; with an adversary it is manual, and each main step is followed by the adversary's.
    Every term is logged each step as `train/NAME`, and each epoch as `validation/NAME`; the sums are `train/total` and
    `validation/total`, for `ModelCheckpoint` and `EarlyStopping` to monitor.

    A batch is a tensor of samples, a tuple or list that begins with one (labels after it are left aside), or a mapping with
    `x` and, where samples are weighted, `weights`. On several processes each compares its own share of a batch: `otae train`
    compares the whole.

    Args:
        model: The autoencoder.
        objective: The objective.
        optimizer: An optimiser of `torch.optim` by name, with its options.
        scheduler: A scheduler of its learning rate likewise, or none.
        parts: What differs for the parts of the model, such as `{"prior": {"lr": 4e-3}}`.
        adversary: The training of adversaries: `optimizer`, `scheduler` and `steps`, as in a configuration.
        gradient_clip: The largest norm of a gradient, or none.
        seed: The seed of the draws of the validation, which are the same each epoch.

    Raises:
        ConfigError: If an option is unknown or not allowed.
        ObjectiveError: If a term needs a density that the model's laws do not have.

    Examples:
        >>> import otae, torch
        >>> from lightning.pytorch import Trainer
        >>> parts = dict(latent_dim=2, data_shape=(5,))
        >>> encoder, decoder = otae.encoders.create("mlp", **parts), otae.decoders.create("mlp", **parts)
        >>> model = otae.Autoencoder(encoder, decoder, otae.priors.create("gaussian", latent_dim=2))
        >>> objective = otae.Objective({"fit": otae.Term(otae.costs.create("paired"), "data", "reconstruction")})
        >>> module = AutoencoderModule(model, objective, optimizer={"name": "adam", "lr": 1e-3})
        >>> module.automatic_optimization
        True
    """

    def __init__(
        self,
        model: Autoencoder,
        objective: Objective,
        *,
        optimizer: Options | OptimizerConfig | str = "adam",
        scheduler: Options | SchedulerConfig | str | None = None,
        parts: Options | None = None,
        adversary: Options | AdversaryConfig | None = None,
        gradient_clip: float | None = None,
        seed: int = 0,
    ) -> None:
        given = {"optimizer": optimizer, "scheduler": scheduler, "parts": parts, "adversary": adversary}
        values = {name: value for name, value in given.items() if value is not None}
        config = check(TrainingConfig, {**values, "gradient_clip": gradient_clip}, "AutoencoderModule")
        check_options(config)
        objective.check(model)
        super().__init__(Parts(model, objective), config, seed)
        self.automatic_optimization = not self._maximised

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Returns the main optimiser, the adversaries' where there are any, and their schedulers."""
        optimizers, schedulers = super().configure_optimizers()
        if not self.automatic_optimization or not schedulers:
            return optimizers, schedulers
        config = self.training_config.scheduler
        assert config is not None
        options = {"interval": config.interval, "monitor": "validation/total"}
        return optimizers, [{"scheduler": schedulers[0], **options}]  # type: ignore[return-value, list-item, unused-ignore]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Returns a batch as its samples and their weights, in the type that the model computes in."""
        x, weights = split_batch(batch)
        samples = super().on_after_batch_transfer(x, dataloader_idx)
        return samples, None if weights is None else weights.to(samples)

    def training_step(self, batch: Any, index: int) -> Tensor | None:  # type: ignore[override]
        """Returns the loss to minimise where there is no adversary; else takes one main step and the adversaries' answers.

        Args:
            batch: The samples, with shape (B, *data_shape), and their weights, with shape (B,), or `None`.
            index: The batch's position in the epoch.

        Raises:
            NonFiniteError: If a loss or gradient is not finite.
        """
        x, self.weights = batch
        if not self.automatic_optimization:
            super().training_step(x, index)
            return None
        self.step = self.trainer.global_step
        losses = self.compute_losses(x)
        self._guard(losses.total, {name: term.raw for name, term in losses.terms.items()}, "The loss")
        self._record(flatten_losses(losses), self._optimizers()[0])
        return losses.total

    def validation_step(self, batch: Any, index: int) -> None:
        """Adds up the terms on a validation batch, in eval mode, with draws that are the same each epoch.

        Args:
            batch: The samples, with shape (B, *data_shape), and their weights, with shape (B,), or `None`.
            index: The batch's position.
        """
        x, self.weights = batch
        super().validation_step(x, index)

    def predict_step(self, batch: Any, index: int) -> Tensor:
        """Returns the mean codes of a batch, with shape (B, latent_dim).

        Args:
            batch: The samples, with shape (B, *data_shape), and their weights or `None`.
            index: The batch's position.
        """
        codes: Tensor = self.model.encoder(batch[0]).mean
        return codes

    def configure_gradient_clipping(
        self, optimizer: Optimizer, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clips by the Trainer's option, or by that of the module where the Trainer has none."""
        value = self.training_config.gradient_clip if gradient_clip_val is None else gradient_clip_val
        self.clip_gradients(optimizer, value, gradient_clip_algorithm)

    def on_train_epoch_start(self) -> None:
        """Starts a prior from the codes of the training data, at the epochs that it asks for."""
        prior, epoch = self.model.prior, self.current_epoch
        if prior.warmup is None or epoch < prior.warmup:
            return
        past = epoch - prior.warmup
        if past == 0 or (prior.every is not None and past % prior.every == 0):
            start_prior(self.model, self._samples(), again=past > 0)

    def on_train_end(self) -> None:
        """Fits a prior that asks for it to the codes of the training data."""
        if self.model.prior.fits_codes:
            fit_prior(self.model, self._samples())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the number of main steps."""
        checkpoint["otae"] = {"step": self.step}

    def _samples(self) -> Iterator[Tensor]:
        """Yields the training data, each batch with shape (B, *data_shape)."""
        for batch in self.trainer.train_dataloader or ():
            yield super().on_after_batch_transfer(split_batch(batch)[0], 0)

    def _emit(self, split: str, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.log(f"{split}/{name}", value, prog_bar=name == "total", batch_size=1)

    def _schedule(self, moment: str) -> None:
        if not self.automatic_optimization:
            super()._schedule(moment)


def split_batch(batch: Any) -> tuple[Tensor, Tensor | None]:
    """Returns the samples of a batch, and their weights or `None`.

    Args:
        batch: A tensor; a tuple or list that begins with one; or a mapping with `x` and, maybe, `weights`.

    Raises:
        DataError: If it is none of these.
    """
    match batch:
        case Tensor():
            return batch, None
        case {"x": Tensor() as x, **rest}:
            weights = rest.get("weights")
            return x, None if weights is None else torch.as_tensor(weights)
        case [Tensor() as x, *_]:
            return x, None
    raise DataError(
        f"A batch is a tensor of samples, a tuple that begins with one, or a mapping with `x` and `weights`; got "
        f"{type(batch).__name__}. Let the loader give one of these."
    )
