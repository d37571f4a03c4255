"""Training in memory: no folder, no files, and optimisers that stay from one call to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Trainer
from torch import Tensor

from ..build import Parts, Shape, build
from ..config import Experiment
from ..loading import load_config
from ..training import AutoencoderModule, seeded
from ..training.quiet import quiet
from ..training.threads import limit_threads


class Minibatches:
    """Creates weighted batches of samples that are held in memory, in a new order each epoch.

    Args:
        x: The samples, with shape (N, *data_shape).
        weights: The weight of each sample, with shape (N,), or `None`.
        batch_size: The largest size of a batch; all are equally large, up to one sample.
        seed: The seed of the order.
    """

    def __init__(self, x: Tensor, weights: Tensor | None, batch_size: int, seed: int) -> None:
        self.x, self.weights = x, weights
        self.count = -(-len(x) // batch_size)
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        if self.count == 1:  # in order, so that nothing but rounding hangs on it
            yield self._take(np.arange(len(self.x)))
            return
        for part in np.array_split(self._random.permutation(len(self.x)), self.count):
            yield self._take(part)

    def _take(self, chosen: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Tensor]:
        indices = torch.from_numpy(chosen)
        batch = {"x": self.x[indices]}
        return batch if self.weights is None else batch | {"weights": self.weights[indices]}


class Learner(AutoencoderModule):
    """Creates the training of an estimator, which may go on in several calls.

    Args:
        parts: The model and the objective.
        experiment: The experiment.
    """

    def __init__(self, parts: Parts, experiment: Experiment) -> None:
        training = experiment.training
        super().__init__(
            parts.model,
            parts.objective,
            optimizer=training.optimizer.model_dump(),
            scheduler=None if training.scheduler is None else training.scheduler.model_dump(),
            parts={name: part.model_dump() for name, part in training.parts.items()},
            adversary=training.adversary.model_dump(),
            gradient_clip=training.gradient_clip,
            seed=experiment.seed,
        )
        self.options: dict[str, Any] = {"accelerator": training.accelerator, "precision": training.precision}
        self.threads = training.threads
        self.epochs_done = 0
        self.history: list[dict[str, float]] = []
        self._kept: Any = None
        self._rows: list[dict[str, float]] = []

    @classmethod
    def of(cls, configuration: Mapping[str, Any], shape: Shape) -> Learner:
        """Returns the training of fresh parts.

        Args:
            configuration: The experiment as plain values.
            shape: What the data tell.
        """
        experiment = load_config(configuration, metrics_too=False)
        with seeded(experiment.seed):
            return cls(build(experiment, shape), experiment)

    def configure_optimizers(self) -> Any:
        """Returns the optimisers and schedulers, those of the first call in each later one."""
        if self._kept is None:
            self._kept = super().configure_optimizers()
        return self._kept

    @property
    def current_epoch(self) -> int:
        """Returns the number of epochs done, over all calls."""
        return self.epochs_done

    def learn(self, batches: Minibatches, epochs: int) -> None:
        """Trains for some epochs more, and leaves the parts on the CPU, in eval mode and double precision.

        Estimators compute in double precision, as scikit-learn does, so that what they say of a sample does not depend on
        the others beside it; the training is in that of the experiment.

        Args:
            batches: The samples.
            epochs: The number of epochs.
        """
        if self.options["precision"] != "64-true":
            self.float()
        with seeded(self.seed + self.step), limit_threads(self.threads), quiet():
            trainer = Trainer(
                **self.options,
                devices=1,
                max_epochs=epochs,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                use_distributed_sampler=False,
                num_sanity_val_steps=0,
            )
            self.train()
            trainer.fit(self, batches)
        self._trainer = None  # what was trained with is let go, so that the estimator can be copied and sent
        self.cpu().double().eval()

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        names = self._rows[0]
        self.history.append({name: float(np.mean([row[name] for row in self._rows])) for name in names})
        self._rows = []
        self.epochs_done += 1

    def _emit(self, split: str, values: dict[str, float]) -> None:
        self._rows.append(dict(values))
