"""The likelihood of codes under a prior, and under the same family fitted to codes."""

from __future__ import annotations

import copy
from itertools import chain

import torch
from torch import Tensor
from torch.distributions import Distribution

from otae.interfaces import Prior

_RATE = 0.05


def log_likelihoods(prior: Prior, codes: Tensor) -> Tensor | None:
    """Returns the log-density of the prior at each code, in nats and with shape (N,); `None` where it has no density.

    Args:
        prior: The prior, trained.
        codes: The codes, with shape (N, latent_dim).
    """
    law = prior.law
    return None if law is None else _log_density(law, _placed(codes, prior))


def fitted_log_likelihoods(prior: Prior, codes: Tensor, others: Tensor, steps: int) -> Tensor | None:
    """Returns the log-density at other codes of the prior's family, fitted to codes, in nats and with shape (N,).

    The family is fitted by maximum likelihood, from the prior as it is and on a copy of it, so that the figure is about a
    lower bound of what the best member of the family reaches. `None` where the prior has no density or nothing to fit.

    Args:
        prior: The prior, trained.
        codes: The codes to fit the family to, with shape (M, latent_dim).
        others: The codes to judge it on, with shape (N, latent_dim).
        steps: The number of steps of Adam, each on all codes; the step of the best likelihood counts.
    """
    copied = copy.deepcopy(prior).eval().requires_grad_()
    law, parameters = copied.law, list(copied.parameters())
    if law is None or not parameters:
        return None
    placed, state, best = _placed(codes, prior), copied.state_dict(), -torch.inf
    optimizer = torch.optim.Adam(parameters, _RATE)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    with torch.enable_grad():
        for _ in range(steps):
            value = law.log_prob(placed).mean()
            if not bool(value.isfinite()):
                break
            if float(value.detach()) > best:
                best, state = float(value.detach()), copy.deepcopy(copied.state_dict())
            optimizer.zero_grad()
            torch.autograd.backward(-value)
            optimizer.step()
            scheduler.step()
            law = copied.law or law
    copied.load_state_dict(state)
    return log_likelihoods(copied, others)


def _placed(codes: Tensor, prior: Prior) -> Tensor:
    like = next(each for each in chain(prior.parameters(), prior.buffers()) if each.is_floating_point())
    return codes.to(like)


def _log_density(law: Distribution, codes: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = law.log_prob(codes)
    return found.double().cpu()
