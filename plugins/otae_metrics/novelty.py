"""Scores of how unlike the training samples others are, by what a model and its objective have learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from otae.cloud import Cloud
from otae.interfaces import Cost, Specimen, TrainedModel

from .arrangement import arrange
from .linear import Linear, vectors

Score = Callable[["Views"], Tensor]
_BATCH = 1024


@dataclass(frozen=True, eq=False)
class Views:
    """Holds samples, their codes and their reconstructions, all on the CPU.

    Args:
        data: The samples, with shape (N, *data_shape).
        code: Their codes, with shape (N, latent_dim).
        reconstruction: Their reconstructions, with shape (N, *data_shape).
        recode: The codes of the reconstructions, with shape (N, latent_dim).
    """

    data: Tensor
    code: Tensor
    reconstruction: Tensor
    recode: Tensor

    @classmethod
    def of(cls, model: TrainedModel, data: Tensor) -> Views:
        """Returns what a model makes of samples."""
        code = model.encode(data).cpu()
        reconstruction = model.decode(code).cpu()
        return cls(data, code, reconstruction, model.encode(reconstruction).cpu())

    def part(self, rows: slice) -> Views:
        """Returns some of the samples."""
        return Views(self.data[rows], self.code[rows], self.reconstruction[rows], self.recode[rows])


def error(views: Views) -> Tensor:
    """Returns the mean squared error of each reconstruction, with shape (N,)."""
    return (vectors(views.data) - vectors(views.reconstruction)).square().mean(1)


def density(model: TrainedModel) -> Score | None:
    """Returns the negative log-density of codes under the prior, or `None` where it has no density."""
    law, prior = model.prior.law, model.prior
    if law is None:
        return None

    def score(views: Views) -> Tensor:
        with torch.no_grad():
            return torch.cat([-_log_prob(law.log_prob(_beside(prior, z))) for z in torch.split(views.code, _BATCH)])

    return score


def potentials(specimen: Specimen, sample: Views) -> Mapping[str, Score]:
    """Returns a score from each learned potential, by name: `critic` and `critic_data` for the first term that has
    one, and with the term's name behind for the others.

    A term's target is what the model generates: of a sample, its reconstruction stands for the generation, and its code
    for the draw from the prior: a potential is high there, and the score is its negative. The source are the sample and its
    code themselves: a potential is low there, and is the score.

    Args:
        specimen: The specimen, with an objective.
        sample: A few samples, to see which costs have a potential.
    """
    found: dict[str, Score] = {}
    terms = list(specimen.objective or ())
    for name, term in terms:
        sides = {"critic": (_members(term.target or ()), -1), "critic_data": (_members(term.source), 1)}
        for side, (members, sign) in sides.items():
            if members and _potential(term.cost, sample, members) is not None:
                label = side if side not in found else f"{side}_{name}"
                found[label] = _Critic(term.cost, members, sign)
    return found


def transport(specimen: Specimen, limit: int) -> Score:
    r"""Returns what it costs to move mass from a code to the prior: the dual potential of optimal transport at the code.

    $$\varphi(z) = \min_j \|z - \tilde z_j\|^2 - \psi_j$$

    with ψ the potential of the transport between codes of training samples and draws from the prior, solved exactly.

    Args:
        specimen: The specimen.
        limit: The largest number of codes, and of draws; time grows with its cube.

    References:
        Computational Optimal Transport (Peyré and Cuturi, 2019)
        https://arxiv.org/abs/1803.00567
    """
    import ot

    clouds = [vectors(cloud)[arrange(cloud, specimen.seed)[:limit]] for cloud in (specimen.train.codes, specimen.prior)]
    codes, prior = clouds
    masses = [torch.full((len(cloud),), 1 / len(cloud), dtype=torch.float64).numpy() for cloud in clouds]
    _, log = ot.emd(*masses, torch.cdist(codes, prior).square().numpy(), log=True)
    dual = torch.from_numpy(log["v"])

    def score(views: Views) -> Tensor:
        batches = torch.split(vectors(views.code), _BATCH)
        return torch.cat([(torch.cdist(z, prior).square() - dual).amin(1) for z in batches])

    return score


def brightness(specimen: Specimen) -> Score:
    """Returns how far the mean of a sample's entries is from that of the training samples: a baseline."""
    mean = vectors(specimen.train.data).mean()
    return lambda views: (vectors(views.data).mean(1) - mean).abs()


def linear_error(linear: Linear) -> Score:
    """Returns the mean squared error of principal component analysis: a baseline."""
    return lambda views: (vectors(views.data) - linear.reconstruct(views.data)).square().mean(1)


@dataclass(frozen=True, eq=False)
class _Critic:
    cost: Cost
    members: tuple[str, ...]
    sign: int

    def __call__(self, views: Views) -> Tensor:
        starts = range(0, len(views.data), _BATCH)
        parts = [views.part(slice(start, start + _BATCH)) for start in starts]
        values = [_potential(self.cost, part, self.members) for part in parts]
        return self.sign * torch.cat([value for value in values if value is not None])


def _potential(cost: Cost, views: Views, members: Sequence[str]) -> Tensor | None:
    clouds = [Cloud(_beside(cost, getattr(views, name))) for name in members]
    with torch.no_grad():
        values = cost.potential(clouds[0] if len(clouds) == 1 else Cloud.joint(*clouds))
    return None if values is None else values.detach().cpu().double()


def _members(names: Sequence[str]) -> tuple[str, ...]:
    stand_ins = {"generation": "reconstruction", "prior": "code"}
    return tuple(stand_ins.get(name, name) for name in names)


def _beside(module: nn.Module, points: Tensor) -> Tensor:
    anchor = next(chain(module.parameters(), module.buffers()), points)
    return points.to(anchor.device, anchor.dtype)


def _log_prob(values: Tensor) -> Tensor:
    flat: Tensor = values.reshape(len(values), -1).sum(1).cpu().double()
    return flat
