"""Gamma noise that obeys a generator, which torch's own distributions do not take."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def gamma(concentration: Tensor, generator: Generator | None = None) -> Tensor:
    r"""Returns draws from gamma laws of scale 1, with the shape of the concentrations and gradients to them.

    It is the sampler behind `torch.distributions.Gamma` (Marsaglia and Tsang's), which alone takes a generator.

    Args:
        concentration: The shape parameters, positive, of any shape.
        generator: The source of randomness; torch's global one where `None`.

    References:
        A Simple Method for Generating Gamma Variables (Marsaglia, Tsang, 2000)
        https://doi.org/10.1145/358407.358414
    """
    device = concentration.device if generator is None else generator.device
    return torch._standard_gamma(concentration.to(device), generator).to(concentration.device)
