"""The training step: the model and the costs minimise, then the adversaries answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from ..build import Parts
from ..chunks import hold_weights
from ..config import TrainingConfig
from ..errors import NonFiniteError
from ..objective import Losses
from ..schedule import final_weight
from ..share import Share
from .exchange import Exchange
from .placement import Placement
from .players import Player, find_players


class Engine(LightningModule):
    """Creates the training of an autoencoder on an objective.

    One main step minimises the objective in the model and in the costs' own parameters; then each adversary takes its steps
    on fresh clouds. The optimisers are torch's, and Lightning moves devices, precision, loops and checkpoints.

    Args:
        parts: The model and the objective.
        training: The training section.
        seed: The seed of the validation's draws, which are the same each epoch.
        exchange: The exchange with the other processes that share the batches; none where `None`.
        sizes: How many samples a batch has over all processes, by its position; needed where several share them.
    """

    def __init__(
        self,
        parts: Parts,
        training: TrainingConfig,
        seed: int,
        exchange: Exchange | None = None,
        sizes: Mapping[str, Callable[[int], int]] | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model, self.objective = parts.model, parts.objective
        self.training_config, self.seed = training, seed
        self.exchange, self._sizes = exchange or Exchange(Placement()), sizes or {}
        self.step = 0  # main steps done; Lightning's own counter counts every optimiser's
        self.weights: Tensor | None = None  # of the samples of the batch, uniform where there are none
        self.latest: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self._seen = 0
        self.validated: dict[str, float] = {"total": torch.inf}  # each term before its weight, and their final sum
        self.players = find_players(parts, training)
        self._maximised = self.objective.maximised()

    def configure_optimizers(self) -> Any:
        """Returns the optimiser of each player, and the schedules of those that have one."""
        optimizers = [player.create_optimizer() for player in self.players]
        schedulers = [player.create_scheduler(target) for player, target in zip(self.players, optimizers, strict=True)]
        return optimizers, [each for each in schedulers if each is not None]

    def on_after_batch_transfer(self, batch: Tensor, dataloader_idx: int) -> Tensor:
        """Returns a batch in the type that the model computes in; datasets may give any floating-point type."""
        return batch.to(next((each.dtype for each in self.model.parameters()), batch.dtype))

    def on_train_start(self) -> None:
        self.exchange.share_weights(self.state_dict().values())

    def training_step(self, batch: Tensor, index: int) -> None:
        """Takes one main step and the adversaries' answers.

        Args:
            batch: The samples, with shape (B, *data_shape).
            index: The batch's position in the epoch.

        Raises:
            NonFiniteError: If a loss or gradient is not finite; no update is made with it, and no checkpoint written.
        """
        main, *adversary = self._optimizers()
        for answering in adversary:  # Lightning would count each optimiser's step as one of training
            answering._on_before_step = answering._on_after_step = _nothing
        share = self._share("train", self.step % max(1, int(self.trainer.num_training_batches)))
        values = self._main_step(main, batch, share)
        answers: dict[str, Tensor] = {}
        if adversary:
            steps = self.training_config.adversary.steps
            chunks = self.training_config.accumulate
            rounds = self.objective.adversary_losses(self.model, batch, steps, share, chunks, weights=self.weights)
            for losses in rounds:
                answers = self._adversary_step(adversary[0], losses)
        self.step += 1
        self._schedule("step")
        self._record(values | {f"{name}.adversary": value for name, value in answers.items()}, main)

    def compute_losses(self, x: Tensor, share: Share | None = None, chunks: int = 1) -> Losses:
        """Returns the terms' values on a batch at the step and epoch that training is at.

        Args:
            x: The samples, with shape (B, *data_shape).
            share: What they are of a batch that lies on several processes.
            chunks: In how many chunks the networks work through them.
        """
        moment = {"step": self.step, "epoch": self.current_epoch}
        return self.objective(self.model, x, weights=self.weights, **moment, share=share, chunks=chunks)

    def _share(self, split: str, position: int) -> Share | None:
        return self.exchange.share(self._sizes[split](position)) if self.exchange.count > 1 else None

    def _main_step(self, main: Optimizer, batch: Tensor, share: Share | None) -> dict[str, Tensor]:
        """Returns the values of the terms, once the model and the costs have descended."""
        with frozen(self._maximised), hold_weights(self, self.training_config.accumulate):
            losses = self.compute_losses(batch, share, self.training_config.accumulate)
            values = self.exchange.mean(flatten_losses(losses))
            raw = {name: values[name] for name in losses.terms}
            self._guard(values["total"], raw, "The loss")
            self._descend(main, losses.total, self.players[0], raw)
        return values

    def _adversary_step(self, adversary: Optimizer, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns the values of the adversaries' losses, once these have descended."""
        total = torch.stack(list(losses.values())).sum()
        values = self.exchange.mean({"total": total.detach()} | {name: loss.detach() for name, loss in losses.items()})
        self._guard(values.pop("total"), values, "The adversary's loss")
        self._descend(adversary, total, self.players[1], values)
        return values

    def _descend(self, target: Optimizer, loss: Tensor, player: Player, terms: dict[str, Tensor]) -> None:
        target.zero_grad()
        self.manual_backward(loss)
        owned = player.parameters
        self.exchange.average(owned)
        norm = get_total_norm(parameter.grad for parameter in owned if parameter.grad is not None)
        self._guard(norm, terms, "The gradient")
        if self.training_config.gradient_clip is not None:
            clip_grads_with_norm_(owned, self.training_config.gradient_clip, norm)
        target.step()

    def _guard(self, value: Tensor, terms: dict[str, Tensor], what: str) -> None:
        if bool(torch.isfinite(value)):
            return
        told = ", ".join(f"{name} = {float(term.detach()):.4g}" for name, term in terms.items())
        guilty = [name for name, term in terms.items() if not bool(torch.isfinite(term))]
        blame = f" of the term {', '.join(map(repr, guilty))}" if guilty else ""
        raise NonFiniteError(
            f"{what}{blame} is {float(value.detach())} at step {self.step}, epoch {self.current_epoch} ({told}). "
            "Training stopped before it could reach the weights. "
            "Lower the learning rate, clip the gradient (training.gradient_clip), or lower that term's weight."
        )

    def validation_step(self, batch: Tensor, index: int) -> None:
        """Adds up the terms on a validation batch, in eval mode, with draws that are the same each epoch.

        Args:
            batch: The samples, with shape (B, *data_shape).
            index: The batch's position.
        """
        share = self._share("validation", index)
        count = len(batch) if share is None else share.count
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.seed * 1_000_003 + index)
            losses = self.compute_losses(batch, share)
        for name, value in self.exchange.mean(flatten_losses(losses)).items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + count * value
        self._seen += count

    def on_validation_epoch_end(self) -> None:
        means = {name: value / self._seen for name, value in self._sums.items()}
        self._sums, self._seen = {}, 0
        self._guard(means["total"], {name: means[name] for name, _ in self.objective}, "The validation loss")
        raw = {name: float(means[name]) for name, _ in self.objective}
        self.validated = raw | {"total": sum(final_weight(term.weight) * raw[name] for name, term in self.objective)}
        if not self.trainer.sanity_checking:
            self._emit("validation", {name: float(value) for name, value in means.items()})

    def on_train_epoch_end(self) -> None:
        self._schedule("epoch")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.step = checkpoint["otae"]["step"]

    def _record(self, values: dict[str, Tensor], main: Optimizer) -> None:
        numbers = torch.stack([value.double() for value in values.values()]).tolist()  # one transfer from the device
        self.latest = dict(zip(values, numbers, strict=True)) | {"lr": float(main.param_groups[0]["lr"])}
        self._emit("train", self.latest)

    def _emit(self, split: str, values: dict[str, float]) -> None:
        for logger in self.trainer.loggers:
            logger.log_metrics({f"{split}/{name}": value for name, value in values.items()}, step=self.step)

    def _schedule(self, moment: str) -> None:
        configs = [player.section.scheduler for player in self.players if player.section.scheduler]
        for target, config in zip(self._schedulers(), configs, strict=False):
            if config.interval == moment:
                target.step(*([self.validated["total"]] if isinstance(target, ReduceLROnPlateau) else []))

    def _optimizers(self) -> list[Any]:
        found = self.optimizers()
        return found if isinstance(found, list) else [found]

    def _schedulers(self) -> list[Any]:
        found = self.lr_schedulers()
        return found if isinstance(found, list) else [found] if found else []


@contextmanager
def frozen(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Keeps gradients from being computed for some parameters, for as long as the context lasts.

    Args:
        parameters: The parameters, all of which require gradients outside.
    """
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


def flatten_losses(losses: Losses) -> dict[str, Tensor]:
    """Returns the values of an objective by name, cut from the graph.

    Args:
        losses: The breakdown of the objective.
    """
    values = {"total": losses.total.detach()}
    for name, term in losses.terms.items():
        values[name] = term.raw.detach()
        values[f"{name}.weighted"] = term.weighted.detach()
        if term.unconverged is not None:
            values[f"{name}.unconverged"] = values[name].new_full((), term.unconverged)
    return values


def _nothing() -> None:
    pass
