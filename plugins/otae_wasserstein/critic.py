"""The dual of a transport cost: the potential of a critic, trained against the rest of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError
from otae.interfaces import Cost

from .critic_network import BranchName, CriticNetwork


@dataclass(frozen=True)
class _Kind:
    """Creates a game between a critic and the clouds it tells apart.

    Args:
        loss: The function h of one critic value; either side pays h(-f) on one cloud and h(f) on the other.
        penalty: The weight of the gradient penalty that suits it.
    """

    loss: Callable[[Tensor], Tensor]
    penalty: float


def _identity(values: Tensor) -> Tensor:
    return values


_KINDS = {"kantorovich": _Kind(_identity, penalty=10.0), "jensen-shannon": _Kind(F.softplus, penalty=0.0)}


class Critic(Cost):
    r"""Creates a discrepancy measured by a critic f, a network that learns to be high on the target, low on the source.

    $$\mathrm{D}(x, y) = \mathbb{E}\, h(f(y)) + \mathbb{E}\, h(-f(x))$$

    - `kantorovich`, $h(t) = t$: the dual of the Wasserstein distance $W_1$, for an f of slope 1;
    - `jensen-shannon`, $h(t) = \log(1 + e^t)$: f is the log-odds of the target, and each cloud, where it can, moves to
      be taken for the other: the non-saturating loss of adversarial autoencoders.

    The critic itself minimises the same with the clouds exchanged, plus a penalty that keeps its slope near 1 between
    the clouds and its values near 0 upon them:

    $$\mathbb{E}\, h(f(x)) + \mathbb{E}\, h(-f(y)) + \lambda \left[ \mathbb{E}\,(\|\nabla f(u)\|_2 - 1)^2
    + \delta\, \mathbb{E} f(x)^2 + \delta\, \mathbb{E} f(y)^2 \right], \quad u = t x + (1-t) y$$

    with one $t \sim U(0, 1)$ per sample, shared by all members of joint clouds, and one norm of the joint gradient. Of
    clouds of unequal sizes, the first min(N, M) points are interpolated.

    Args:
        shapes: The shape of one point of each member, such as ((1, 8, 8), (16,)); handed in by the builder.
        kind: The game that the critic plays.
        width: The width of the critic's hidden linear layers.
        features: The number of entries in which the branch of each member ends.
        branch: `auto` for convolutions on images of at least 16 pixels a side, `mlp` for linear layers only, or `none`
            for no branches: the members, side by side, are what the head sees. The cheapest where members are small.
        penalty: The weight λ; `None` for what suits the kind: 10 for `kantorovich`; 0 for `jensen-shannon`, which is
            bounded without.
        drift: The weight δ of the squared values within the penalty.
        spectral: Whether every layer of the critic has spectral norm 1.
        scales: A factor for each member of joint clouds, by which its points are multiplied before the critic sees
            them: the larger, the more a distance within that member costs. All 1 where `None`.

    Raises:
        ConfigError: If there are not as many scales as members.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2022)
        https://arxiv.org/abs/2209.07007

        Improved Training of Wasserstein GANs (Gulrajani et al., 2017)
        https://arxiv.org/abs/1704.00028

        Adversarial Autoencoders (Makhzani et al., 2015)
        https://arxiv.org/abs/1511.05644

    Examples:
        >>> critic = Critic(shapes=((1, 8, 8), (16,)))
        >>> data, code = torch.rand(5, 1, 8, 8), torch.randn(5, 16)
        >>> abs(critic([data, code], [data, code]).item()) < 1e-6
        True
    """

    separable = True
    scales: Tensor

    def __init__(
        self,
        shapes: tuple[tuple[int, ...], ...],
        kind: Literal["kantorovich", "jensen-shannon"] = "kantorovich",
        *,
        width: Annotated[int, Field(gt=0)] = 256,
        features: Annotated[int, Field(gt=0)] = 64,
        branch: BranchName = "auto",
        penalty: Annotated[float, Field(ge=0)] | None = None,
        drift: Annotated[float, Field(ge=0)] = 1e-4,
        spectral: bool = True,
        scales: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.penalty = _KINDS[kind].penalty if penalty is None else penalty
        self.drift = drift
        self.network = CriticNetwork(shapes, width, features, branch, spectral)
        factors = [1.0] * len(shapes) if scales is None else scales
        if len(factors) != len(shapes):
            raise ConfigError(f"scales needs a factor for each of the {len(shapes)} members, got {len(factors)}.")
        sizes = torch.tensor(self.network.sizes)
        self.register_buffer("scales", torch.tensor(factors).repeat_interleave(sizes), persistent=False)

    @property
    def adversary(self) -> nn.Module:
        """Returns the critic's network: points with shape (N, D) to values with shape (N,)."""
        return self.network

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns how far apart the critic holds the clouds, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If the clouds' members do not have the shapes that the critic was built for.
        """
        together = source.points.requires_grad == target.points.requires_grad
        with parametrize.cached():
            if together:  # one pass over both is faster than two
                f_source, f_target = self._values(source, target)
            else:  # no gradient runs to the cloud that needs none, such as a fixed prior
                f_source, f_target = self._value(source), self._value(target)
        return self._game(source, f_source, target, f_target)

    def adversary_loss(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns what the critic minimises, the penalty included, a scalar.

        Args:
            source: The source cloud, with shape (N, …), cut from the graph.
            target: The target cloud, with shape (M, …), cut from the graph.

        Raises:
            CloudError: If the clouds' members do not have the shapes that the critic was built for.
        """
        with parametrize.cached():  # one power iteration, and one graph of the normalised weights, for both passes
            f_source, f_target = self._values(source, target)
            loss = self._game(target, f_target, source, f_source)
            if self.penalty == 0:
                return loss
            drift = source.mean(f_source.square()) + target.mean(f_target.square())
            return loss + self.penalty * (self.slope_penalty(source, target) + self.drift * drift)

    def potential(self, cloud: Cloud) -> Tensor:
        """Returns the critic's value at each point of a cloud, with shape (N,): its score of how well the point fits the
        target, such as for samples out of distribution.

        Args:
            cloud: A cloud of points of the members that the critic was built for, with shape (N, …).

        Raises:
            CloudError: If the cloud's members do not have the shapes that the critic was built for.
        """
        with parametrize.cached():
            return self._value(cloud)

    def slope_penalty(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean squared deviation of the critic's slope from 1 between the clouds, a scalar.

        Args:
            source: The source cloud, with shape (N, …), cut from the graph.
            target: The target cloud, with shape (M, …), cut from the graph.
        """
        count = min(len(source), len(target))
        x, y = self.scales * source.flat[:count], self.scales * target.flat[:count]
        points = torch.lerp(y, x, torch.rand_like(x[:, :1])).requires_grad_()
        (slopes,) = torch.autograd.grad(self.network(points).sum(), points, create_graph=True)
        deviations: Tensor = torch.linalg.vector_norm(slopes, dim=1) - 1
        return deviations.square().mean()

    def extra_repr(self) -> str:
        return f"kind={self.kind!r}, penalty={self.penalty}, drift={self.drift}"

    def _game(self, low: Cloud, f_low: Tensor, high: Cloud, f_high: Tensor) -> Tensor:
        loss = _KINDS[self.kind].loss
        return high.mean(loss(f_high)) + low.mean(loss(-f_low))

    def _values(self, source: Cloud, target: Cloud) -> tuple[Tensor, Tensor]:
        both = self.network(self.scales * torch.cat([self._read(source), self._read(target)]))
        return both[: len(source)], both[len(source) :]

    def _value(self, cloud: Cloud) -> Tensor:
        return self.network(self.scales * self._read(cloud))

    def _read(self, cloud: Cloud) -> Tensor:
        points = cloud.flat
        if points.shape[1] != (size := sum(self.network.sizes)):
            raise CloudError(
                f"This critic was built for members of shapes {self.network.shapes}, {size} entries in all, but the "
                f"clouds have {points.shape[1]}. Build it with the shapes of the clouds that it compares."
            )
        return points
