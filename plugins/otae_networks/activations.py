"""The activations that the networks offer, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from torch import nn

Activation: TypeAlias = Literal["silu", "relu", "leaky-relu", "elu", "gelu", "softplus", "tanh"]

ACTIVATIONS: Mapping[Activation, Callable[[], nn.Module]] = {
    "silu": nn.SiLU,
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}
