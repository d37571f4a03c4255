"""The network of a critic: one branch for each member of a joint cloud, and a head over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

BranchName: TypeAlias = Literal["auto", "mlp", "none"]
"""What stands between each member and the head."""

_SMALLEST_IMAGE = 16  # pixels a side; below, convolutions of stride 2 leave nothing to see


class CriticNetwork(nn.Module):
    r"""Creates a real function of the points of a joint cloud, f(x, z, …).

    Each member has a branch that ends in `features` entries: strided convolutions for images of at least 16 pixels a
    side, linear layers for the rest. The branches' outputs, each divided by their number, feed a head of two hidden
    layers. Every layer but the last is followed by a LeakyReLU of slope 0.2. Without branches, the members themselves
    feed the head.

    Args:
        shapes: The shape of one point of each member, such as ((3, 64, 64), (64,)).
        width: The width of the hidden linear layers.
        features: The number of entries in which a branch ends.
        branch: `auto` as above, `mlp` for linear layers only, or `none` for a head over the members as they are.
        spectral: Whether to divide every layer's weight by its spectral norm, which one power iteration per forward
            pass tracks in training mode.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018)
        https://arxiv.org/abs/1802.05957
    """

    def __init__(
        self,
        shapes: tuple[tuple[int, ...], ...],
        width: int = 256,
        features: int = 64,
        branch: BranchName = "auto",
        spectral: bool = True,
    ) -> None:
        super().__init__()
        self.shapes = shapes
        self.sizes = [math.prod(shape) for shape in shapes]
        build = _BRANCHES[branch]
        self.branches = nn.ModuleList(build(shape, width, features) for shape in shapes) if build else None
        entries = len(shapes) * features if build else sum(self.sizes)
        self.head = nn.Sequential(*_dense(entries, width), *_dense(width, width), nn.Linear(width, 1))
        if spectral:
            for layer in [layer for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]:
                parametrizations.spectral_norm(layer)

    def forward(self, points: Tensor) -> Tensor:
        """Returns the values of the function, with shape (N,).

        Args:
            points: The points of the joint cloud, flat and side by side, with shape (N, D).
        """
        values: Tensor = self.head(points if self.branches is None else self._features(self.branches, points))
        return values.squeeze(1)

    def _features(self, branches: nn.ModuleList, points: Tensor) -> Tensor:
        members = torch.split(points, self.sizes, dim=1)
        features = [
            branch(member.reshape(-1, *shape))
            for branch, member, shape in zip(branches, members, self.shapes, strict=True)
        ]
        return torch.cat(features, dim=1) / len(features)

    if TYPE_CHECKING:

        def __call__(self, points: Tensor) -> Tensor: ...


def _auto_branch(shape: tuple[int, ...], width: int, features: int) -> nn.Sequential:
    is_image = len(shape) == 3 and min(shape[1:]) >= _SMALLEST_IMAGE
    return _conv_branch(shape, features) if is_image else _mlp_branch(shape, width, features)


def _mlp_branch(shape: tuple[int, ...], width: int, features: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), *_dense(math.prod(shape), width), *_dense(width, width), *_dense(width, features)
    )


def _conv_branch(shape: tuple[int, ...], features: int) -> nn.Sequential:
    channels, height, breadth = shape
    stages = int(math.log2(min(height, breadth)))  # each halves the image, until its shorter side is one pixel
    widths = [channels, *(min(8 * 2**stage, 256) for stage in range(stages))]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    left = widths[-1] * (height >> stages) * (breadth >> stages)
    return nn.Sequential(*layers, nn.Flatten(), *_dense(left, features))


def _dense(before: int, after: int) -> list[nn.Module]:
    return [nn.Linear(before, after), nn.LeakyReLU(0.2)]


_BRANCHES: dict[str, Callable[[tuple[int, ...], int, int], nn.Sequential] | None] = {
    "auto": _auto_branch,
    "mlp": _mlp_branch,
    "none": None,
}
