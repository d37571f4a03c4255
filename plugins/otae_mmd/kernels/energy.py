"""The kernel of the energy distance."""

from __future__ import annotations

from dataclasses import dataclass

from .profiles import NegativeRoot


@dataclass(frozen=True)
class Energy(NegativeRoot):
    r"""Creates the kernel $-\|x - y\|$ of the energy distance, which has no length to choose.

    The discrepancy is $2\,\mathbb{E}\|x-y\| - \mathbb{E}\|x-x'\| - \mathbb{E}\|y-y'\|$, which grows linearly with the
    distance of the clouds.

    References:
        Equivalence of Distance-Based and RKHS-Based Statistics in Hypothesis Testing (Sejdinovic et al., 2013)
        https://arxiv.org/abs/1207.6076

    Examples:
        >>> import torch
        >>> Energy()(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).item()
        -5.0
    """
