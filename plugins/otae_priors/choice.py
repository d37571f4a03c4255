"""Draws from a finite set, exact or relaxed so that gradients reach the probabilities."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def gumbel(uniform: Tensor) -> Tensor:
    r"""Returns Gumbel noise, with the shape of the uniform noise.

    $$g = -\log(-\log u)$$

    Args:
        uniform: Uniform noise u on [0, 1), of any shape.
    """
    return uniform.clamp_min(torch.finfo(uniform.dtype).tiny).log().neg().log().neg()


def perturb(logits: Tensor, uniform: Tensor) -> Tensor:
    r"""Returns logits under Gumbel noise, with shape (N, K): the index of the largest follows their softmax.

    $$s_k = \theta_k - \log(-\log u_k)$$

    Args:
        logits: The unnormalised log-probabilities θ, with shape (K,).
        uniform: Uniform noise u on [0, 1), with shape (N, K).
    """
    return logits + gumbel(uniform)


def argmax(scores: Tensor) -> Tensor:
    """Returns the largest score's place as a one-hot vector, with shape (N, K).

    Args:
        scores: The scores, with shape (N, K).
    """
    return F.one_hot(scores.argmax(1), scores.shape[1]).to(scores.dtype)


def sparsemax(scores: Tensor) -> Tensor:
    r"""Returns the points of the simplex nearest to the scores, with shape (N, K).

    $$\operatorname{sparsemax}(s) = \operatorname*{arg\,min}_{p \in \Delta} \|p - s\|^2 = (s - \tau(s))_+$$

    It is one-hot wherever the largest score leads by 1 or more, unlike a softmax, and continuous.

    Args:
        scores: The scores, with shape (N, K).

    References:
        From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label Classification
        (Martins, Astudillo, 2016)
        https://arxiv.org/abs/1602.02068
    """
    ordered = scores.sort(1, descending=True).values
    ranks = torch.arange(1, scores.shape[1] + 1, dtype=scores.dtype, device=scores.device)
    excess = ordered.cumsum(1) - 1
    support = (ranks * ordered > excess).sum(1, keepdim=True)
    return (scores - excess.gather(1, support - 1) / support).clamp_min(0)
