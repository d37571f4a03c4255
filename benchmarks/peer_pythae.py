"""Pythae's models on the same digits: equal networks, splits, epochs and batches, measured by the metrics of the recipes.

Pythae is no dependency of otae: install it into an environment of its own, beside otae, by `pip install pythae==0.1.2`.

python benchmarks/peer_pythae.py                      # adds its rows to results/recipes.json, then writes docs/recipes.md
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from dataclasses import dataclass
from typing import Any

import pythae.models
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import INFOVAE_MMD, VAE, WAE_MMD, Adversarial_AE, BetaVAE
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import AdversarialTrainer, AdversarialTrainerConfig, BaseTrainer, BaseTrainerConfig
from recipes import PAGE, add, digest, held, measured, page
from torch import Tensor, nn

from otae import load_config
from otae.build import Shape, build, open_dataset
from otae.files import write_text
from otae.run import Run
from otae.splits import split

logging.disable(logging.INFO)


@dataclass(frozen=True)
class Peer:
    """Creates a model of Pythae and the recipe that it is compared with.

    Args:
        model: The class.
        recipe: The recipe, whose networks, data, epochs and learning rates it is given.
        options: Its own options, those of the recipe where they mean the same.
        trainer: The trainer and the class of its configuration.
        rates: The options of the trainer's learning rates.
    """

    model: Any
    recipe: str
    options: dict[str, Any]
    trainer: tuple[Any, Any] = (BaseTrainer, BaseTrainerConfig)
    rates: tuple[tuple[str, float], ...] = (("learning_rate", 1e-3),)


PEERS = {
    "Pythae WAE-MMD": Peer(WAE_MMD, "wae-mmd", {"reg_weight": 10.0}),
    "Pythae VAE": Peer(VAE, "vae", {"reconstruction_loss": "bce"}),
    "Pythae β-VAE": Peer(BetaVAE, "beta-vae", {"reconstruction_loss": "bce", "beta": 2.0}),
    "Pythae InfoVAE": Peer(INFOVAE_MMD, "infovae", {"reconstruction_loss": "bce", "alpha": 1.0, "lbd": 10.0}),
    "Pythae AAE": Peer(
        Adversarial_AE,
        "aae",
        {},
        (AdversarialTrainer, AdversarialTrainerConfig),
        (("autoencoder_learning_rate", 1e-3), ("discriminator_learning_rate", 5e-4)),
    ),
}


class Encoder(BaseEncoder):  # type: ignore[misc]
    """Creates an encoder of Pythae from one of otae."""

    def __init__(self, inner: nn.Module, noisy: bool) -> None:
        super().__init__()
        self.inner, self.noisy = inner, noisy

    def forward(self, x: Tensor) -> ModelOutput:
        law = self.inner(x)
        spread = {"log_covariance": 2 * law.stddev.log()} if self.noisy else {}
        return ModelOutput(embedding=law.mean, **spread)


class Decoder(BaseDecoder):  # type: ignore[misc]
    """Creates a decoder of Pythae from one of otae."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.inner(z))


def train(run: Run, peer: Peer) -> None:
    """Trains a model of Pythae on the run's data and saves the weights of its last epoch in the run.

    Args:
        run: The run of the recipe.
        peer: The model.
    """
    experiment = run.experiment
    torch.set_num_threads(1)
    torch.manual_seed(experiment.seed)
    data = open_dataset(experiment)
    shape = Shape(data.data_shape, data.value_range)
    parts = build(experiment, shape)
    samples = data.__getitems__(split(len(data), experiment.data, experiment.seed).train)
    encoder = Encoder(parts.model.encoder, parts.model.encoder.has_density)
    options = {"input_dim": data.data_shape, "latent_dim": experiment.model.latent_dim, **peer.options}
    model = peer.model(_config_of(peer.model)(**options), encoder=encoder, decoder=Decoder(parts.model.decoder))
    trainer, config = peer.trainer
    with tempfile.TemporaryDirectory() as folder:
        settings = config(
            output_dir=folder,
            num_epochs=experiment.training.epochs,
            per_device_train_batch_size=experiment.data.batch_size,
            seed=experiment.seed,
            no_cuda=True,
            **dict(peer.rates),
        )
        trainer(model, train_dataset=BaseDataset(samples, torch.zeros(len(samples))), training_config=settings).train()
    run.save(parts, shape)


def _config_of(model: Any) -> Any:
    plain, underscored = f"{model.__name__}Config", f"{model.__name__}_Config"
    return vars(pythae.models).get(plain) or vars(pythae.models)[underscored]


def main() -> None:
    """Trains what is not there yet, and writes the results and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", help="the models; all if left out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="the seeds")
    options = parser.parse_args()
    for seed in options.seeds:
        for name in options.models or PEERS:
            peer = PEERS[name]
            key = {
                "model": name,
                "seed": seed,
                "configuration": digest(load_config(peer.recipe), peer.options, peer.rates),
            }
            if not any(key.items() <= old.items() for old in held()):
                experiment = load_config(peer.recipe, [f"seed={seed}"])
                add(key | measured(experiment, lambda run, peer=peer: train(run, peer)))
    if PAGE.exists():
        write_text(PAGE, page(PAGE.read_text(encoding="utf-8"), held()))


if __name__ == "__main__":
    main()
