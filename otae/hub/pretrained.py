"""An autoencoder by the Hub's own mixin: `from_pretrained`, `save_pretrained` and `push_to_hub`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from huggingface_hub import PyTorchModelHubMixin

from ..autoencoder import Autoencoder
from ..build import Shape, build
from ..loading import load_config


class PretrainedAutoencoder(Autoencoder, PyTorchModelHubMixin, library_name="otae", tags=["optimal-transport"]):
    """Creates an autoencoder from a configuration, as `PyTorchModelHubMixin` keeps it in `config.json`.

    `PretrainedAutoencoder.from_pretrained("user/name")` loads what `otae push` has published, and any folder that
    `otae.publishing.write_folder` wrote. `otae.load("hf://user/name")` loads the same, and takes raw data as well.

    Args:
        configuration: The resolved experiment, as plain values.
        data_shape: The shape of one sample.
        value_range: The smallest and largest value of a sample, or `None` where unbounded.
    """

    def __init__(
        self, configuration: Mapping[str, Any], data_shape: Sequence[int], value_range: Sequence[float] | None = None
    ) -> None:
        bounds = None if value_range is None else (float(value_range[0]), float(value_range[1]))
        with torch.random.fork_rng(devices=[]):
            experiment = load_config(dict(configuration), metrics_too=False)
            parts = build(experiment, Shape(tuple(data_shape), bounds))
        super().__init__(parts.model.encoder, parts.model.decoder, parts.model.prior)
